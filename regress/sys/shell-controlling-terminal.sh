#!/bin/sh
# SPDX-License-Identifier: ISC
# A shell has its pty as controlling terminal and leads its session there: job
# control, /dev/tty and the interrupt character work.
. regress/sys/lib.sh

terminal() {
	start_host
	mkfifo "$dir/keys"
	spawn "$dir/err.shell" sh -c "exec '$bin/skypty' shell -c /bin/sh \
		-i '$dir/client' --no-visor-key '$(dest)' <'$dir/keys'"
	client_pid=$pid
	exec 9>"$dir/keys"
	{
		echo "tty >$dir/tty"
		echo "ps -o pid=,sid=,pgid=,tpgid=,tty= -p \$\$ >$dir/ids"
		echo "stty -a >$dir/stty; echo seen >/dev/tty"
		echo "echo \$\$ >$dir/pid; sleep 61"
	} >&9
	wait_for "the shell" test -s "$dir/pid"
	wait_for "the command" in_front "$(cat "$dir/pid")"
	printf '\003' >&9
	wait_for "the end of the command" has_no_child "$(cat "$dir/pid")"
	echo "echo after >$dir/after; exit" >&9
	exec 9>&-
	wait_gone "the client" "$client_pid"

	case $(cat "$dir/tty") in
	/dev/pts/*) ;;
	*) fail "tty says $(cat "$dir/tty")" ;;
	esac
	# shellcheck disable=SC2046
	set -- $(cat "$dir/ids")
	equal "$2" "$1" "session of the shell"
	equal "$3" "$1" "process group of the shell"
	[ "$4" -gt 0 ] || fail "the terminal has no foreground group"
	equal "/dev/$5" "$(cat "$dir/tty")" "controlling terminal"
	has "$dir/stty" " iutf8"
	has "$dir/err.shell" seen
	has "$dir/after" after
	stop_host
}

# The terminal is a command's and not the shell's own.
in_front() {
	[ "$(ps -o tpgid= -p "$1" | tr -d ' ')" != "$1" ]
}

both terminal
