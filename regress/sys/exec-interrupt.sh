#!/bin/sh
# SPDX-License-Identifier: ISC
# An interrupt from the keyboard is the command's: its process group gets it,
# and what comes of it is seen.  A second one ends the client and the command.
. regress/sys/lib.sh

# begin_command WHERE SCRIPT: what runs it is $pid; the script writes files one
# and two when it is ready.  The client may hear of its start later than that.
begin_command() {
	rm -f "$dir/one" "$dir/two" "$dir/how"
	$as touch "$dir/how"
	# shellcheck disable=SC2016,SC2086
	spawn "$dir/log.client" sh -c 'exec "$@" 7>"$0"' "$dir/how" \
		"$bin/skypty" exec -i "$dir/client" --no-visor-key \
		--status-fd 7 $1 -- sh -c "$2"
	wait_for "the client" grep -q ready "$dir/how"
	wait_for "the command" test -s "$dir/one"
	wait_for "its child" test -s "$dir/two"
	client_pid=$pid
}

interrupt() {
	kill -INT "$client_pid"
}

ended() {
	wait_gone "the client" "$client_pid"
	status=0
	wait "$client_pid" || status=$?
	equal $status "$1" "status"
	wait_gone "the command" "$(cat "$dir/one")"
	wait_gone "its child" "$(cat "$dir/two")"
}

# at WHERE
at() {
	loop="while :; do sleep 0.05; done"
	begin_command "$1" "trap 'echo outer' INT; echo \$\$ >$dir/one; \
		sh -c 'trap \"echo inner; exit 3\" INT; \
		echo \$\$ >$dir/two; $loop'; exit 5"
	interrupt
	ended 5
	equal "$(sort "$dir/log.client" | tr '\n' ' ')" "inner outer " "output"

	# Who does nothing about it ends by it.
	begin_command "$1" "echo \$\$ >$dir/one; \
		sh -c 'echo \$\$ >$dir/two; exec sleep 61'"
	interrupt
	ended 130

	# Who will not end is killed.
	begin_command "$1" "trap '' INT; echo \$\$ >$dir/one; \
		sh -c 'echo \$\$ >$dir/two; $loop'"
	interrupt
	sleep 0.2
	alive "$client_pid" || fail "the first interrupt ended the client"
	interrupt
	ended 130
}

interrupts() {
	start_host
	at "--via $(dest)"
	at "--cliaddr $sock"
	serves
	stop_host
}

both interrupts
