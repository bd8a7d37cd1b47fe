#!/bin/sh
# SPDX-License-Identifier: ISC
# A session at a terminal is found where an admin looks for logins: who, last
# and lastlog, with where it comes from, until it ends, whatever ends it.  A
# login shell is greeted as by sshd.
. regress/sys/lib.sh

own_machine "$0"
need_command last
need_command lastlog

records() {
	: >/run/utmp
	: >/var/log/wtmp
	: >/var/log/lastlog
	chmod 664 /run/utmp /var/log/wtmp /var/log/lastlog
}

# opens: opens a login shell whose input is descriptor 9, output in $dir/seen.
opens() {
	rm -f "$dir/keys" "$dir/home.alice/tty"
	mkfifo "$dir/keys"
	# shellcheck disable=SC2046 # words
	$as $(as_ssh) -tt "$pk@127.0.0.1" <"$dir/keys" >"$dir/seen" 2>&1 &
	client_pid=$!
	pids="$pids $client_pid"
	exec 9>"$dir/keys"
	# shellcheck disable=SC2016 # the shell's
	echo 'echo "$0" >~/name; tty >~/tty' >&9
	wait_for "the shell" test -s "$dir/home.alice/tty"
	line=$(sed 's|/dev/||' "$dir/home.alice/tty")
}

closes() {
	(echo exit >&9) 2>/dev/null
	exec 9>&-
	wait_gone "the client" "$client_pid"
}

is_recorded() {
	who | grep -q "^alice *$line .*(127.0.0.1)"
}

is_not_recorded() {
	[ -z "$(who)" ]
}

recorded() {
	login_shell=$(command -v bash) account alice
	authorize "user=\"alice\" $client"
	wl=
	conf
	records
	echo "the message of the day" >/etc/motd
	start_host
	opens
	is_recorded || fail "who says: $(who)"
	has "$dir/seen" "the message of the day"
	hasnt "$dir/seen" "Last login"
	equal "$(cat "$dir/home.alice/name")" -bash "name of the shell"
	lastlog -u alice >"$dir/lastlog"
	grep -q "^alice *$line *127.0.0.1 " "$dir/lastlog" ||
		fail "$(cat "$dir/lastlog")"
	last -f /var/log/wtmp >"$dir/last"
	grep -q "^alice *$line *127.0.0.1 .*still logged in" "$dir/last" ||
		fail "$(cat "$dir/last")"
	closes
	wait_for "the end of the record" is_not_recorded
	last -f /var/log/wtmp >"$dir/last"
	hasnt "$dir/last" "still logged in"

	# Once more, and the monitor is killed.
	opens
	grep -q "Last login: .* from 127.0.0.1" "$dir/seen" ||
		fail "$(cat "$dir/seen")"
	monitor_of "$host"
	kill -9 "$monitor"
	wait_for "the end of the record" is_not_recorded
	closes

	# What another program has called a host does not drive the terminal.
	at=$((292 * $(id -u alice) + 36))
	printf '\033[31mred\0' | dd of=/var/log/lastlog bs=1 seek=$at \
		conv=notrunc 2>/dev/null
	opens
	grep -q "Last login: .* from ?\[31mred" "$dir/seen" ||
		fail "$(cat "$dir/seen")"
	closes
	wait_for "the end of the record" is_not_recorded

	# A command has no terminal, and no record.
	on_host -- who >"$dir/out" 2>"$dir/err.out"
	equal "$(cat "$dir/out")" "" "who says without a terminal"

	touch "$dir/home.alice/.hushlogin"
	opens
	hasnt "$dir/seen" "Last login"
	hasnt "$dir/seen" "the message of the day"
	is_recorded || fail "who says: $(who)"
	closes
	wait_for "the end of the record" is_not_recorded
	stop_host
}

# A machine that keeps no records gets none; a full disk is only a warning.
not_recorded() {
	login_shell=$(command -v bash) account alice
	authorize "user=\"alice\" $client"
	wl=
	conf
	records
	rm /run/utmp
	start_host
	opens
	closes
	[ ! -e /run/utmp ] || fail "utmp is made"
	[ ! -s /var/log/wtmp ] || fail "wtmp is written"
	mount -t tmpfs -o size=8k none /var/log
	records
	head -c 65536 /dev/zero >/var/log/full 2>/dev/null
	opens
	has "$log" "/var/log/wtmp: No space left on device: the session is not"
	is_recorded || fail "who says: $(who)"
	equal "$(wc -c </var/log/wtmp)" 0 "bytes of wtmp"
	closes
	wait_for "the end of the record" is_not_recorded
	umount /var/log
	# Nor can one be written that is a folder.
	rm -f /run/utmp
	mkdir /run/utmp
	opens
	has "$log" "utmp: Is a directory: the session is not recorded"
	closes
	stop_host
}

as_root recorded
as_root not_recorded
