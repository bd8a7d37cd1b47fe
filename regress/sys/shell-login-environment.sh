#!/bin/sh
# SPDX-License-Identifier: ISC
# A shell and a command have the environment of a login: what passwd says, the
# client's terminal and language on top, nothing of the daemon's own.
. regress/sys/lib.sh

expect_env() {
	tr '\0' '\n' <"$1" >"$dir/lines"
	has "$dir/lines" "HOME=$home"
	has "$dir/lines" "USER=$account"
	has "$dir/lines" "LOGNAME=$account"
	has "$dir/lines" "SHELL=${login_shell:-/bin/sh}"
	has "$dir/lines" "TZ=Europe/Berlin"
	hasnt "$dir/lines" OF_THE_DAEMON
	hasnt "$dir/lines" NOTIFY_SOCKET
	hasnt "$dir/lines" LISTEN_FDS
	path=$(sed -n 's/^PATH=//p' "$dir/lines")
	case :$path: in
	*:/usr/bin:*) ;;
	*) fail "PATH is $path" ;;
	esac
	case $uid:$path: in
	0:*:/usr/sbin:*) ;;
	0:*) fail "root's PATH is $path" ;;
	*/sbin:*) fail "an ordinary user's PATH is $path" ;;
	esac
}

environment() {
	home=$(getent passwd "$uid" | cut -d : -f 6)
	login_shell=$(getent passwd "$uid" | cut -d : -f 7)
	here=$home
	$as test -x "$home" || here=/
	OF_THE_DAEMON=1 TZ=Europe/Berlin PATH=$PATH:/of-the-daemon
	LISTEN_PID=1 LISTEN_FDS=1
	export OF_THE_DAEMON TZ LISTEN_PID LISTEN_FDS
	start_host
	unset OF_THE_DAEMON TZ LISTEN_PID LISTEN_FDS

	TERM=vt220 LANG=de_DE.UTF-8 COLORTERM=truecolor LC_ALL=C
	LC_TIME=en_DK.UTF-8
	export TERM LANG COLORTERM LC_ALL LC_TIME
	shell <<-END || fail "the shell failed"
		/usr/bin/env -0 >$dir/shell.env
		/bin/pwd >$dir/shell.cwd
		exit
	END
	unset LC_ALL COLORTERM LC_TIME
	expect_env "$dir/shell.env"
	has "$dir/lines" TERM=vt220
	has "$dir/lines" LANG=de_DE.UTF-8
	has "$dir/lines" COLORTERM=truecolor
	has "$dir/lines" LC_ALL=C
	has "$dir/lines" LC_TIME=en_DK.UTF-8
	equal "$(cat "$dir/shell.cwd")" "$here" "directory of a shell"

	on_host -e TERM=dumb -e GREETING='hello you' -e HOME=/elsewhere -- \
		/usr/bin/env -0 >"$dir/exec.env"
	home=/elsewhere
	expect_env "$dir/exec.env"
	has "$dir/lines" TERM=dumb
	has "$dir/lines" 'GREETING=hello you'
	equal "$(grep -c '^HOME=' "$dir/lines")" 1 "entries for HOME"
	equal "$(on_host -- pwd)" "$here" "directory of a command"
	stop_host
}

both environment
