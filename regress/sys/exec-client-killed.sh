#!/bin/sh
# SPDX-License-Identifier: ISC
# A command is hung up when its client is killed: unless it asked to go on, its
# whole process group ends.
. regress/sys/lib.sh

# killed SIGNAL SCRIPT: what the command does first.
killed() {
	rm -f "$dir/one" "$dir/two"
	mkfifo "$dir/input"
	$as "$bin/skypty" exec -i "$dir/client" --no-visor-key \
		--via "$(dest)" -- sh -c "$2 sleep 61 & echo \$! >$dir/two; \
		echo \$\$ >$dir/one; wait" \
		<"$dir/input" >"$dir/log.client" 2>&1 &
	client_pid=$!
	pids="$pids $client_pid"
	exec 7>"$dir/input"
	wait_for "the command" test -s "$dir/one"
	wait_for "its child" test -s "$dir/two"
	kill -"$1" "$client_pid"
	wait_gone "the client" "$client_pid"
	wait_gone "the command" "$(cat "$dir/one")"
	wait_gone "its child" "$(cat "$dir/two")"
	wait_for "the connection's end" has_no_child "$host"
	exec 7>&-
	rm "$dir/input"
}

ends() {
	start_host
	killed KILL "trap '' INT TERM PIPE;"
	killed TERM ""
	serves
	stop_host
}

both ends
