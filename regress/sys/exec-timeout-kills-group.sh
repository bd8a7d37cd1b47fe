#!/bin/sh
# SPDX-License-Identifier: ISC
# A command that takes too long is killed with all of its process group; what
# it has put out so far arrives.
# waits
. regress/sys/lib.sh

timed_out() {
	start_host
	status=0
	# A busy machine has started it by then.
	on_host -t 10s -- sh -c "trap '' TERM; sleep 61 & echo \$! >$dir/two; \
		echo \$\$ >$dir/one; echo so far; wait" >"$dir/out" \
		2>"$dir/err.exec" || status=$?
	equal $status 124 "status"
	equal "$(cat "$dir/out")" "so far" "output"
	grep -q '^\[timed out after [0-9]*ms]$' "$dir/err.exec" ||
		fail "$(cat "$dir/err.exec")"
	wait_gone "the command" "$(cat "$dir/one")"
	wait_gone "its child" "$(cat "$dir/two")"
	serves
	stop_host
}

# A process that has left the group but holds the pipes delays nothing
# for long.
held() {
	start_host
	status=0
	on_host -t 10s -- sh -c "setsid sleep 61 & echo \$! >$dir/two; wait" \
		>"$dir/out" 2>"$dir/err.exec" || status=$?
	equal $status 124 "status with the pipes held"
	kill "$(cat "$dir/two")"
	serves
	stop_host
}

both timed_out
either held
