#!/bin/sh
# SPDX-License-Identifier: ISC
# A connection lives on while skyptyd is replaced by a new one on the same
# port, and even when skyptyd is killed; the new one's status, kill and revoke
# say that there are such connections.
. regress/sys/lib.sh

restart() {
	at_port=$(free_port)
	start_host
	open_shell
	first=$host
	kill "$first"
	wait_for "the end of listening" grep -q "Listening ended" "$log"
	start_host
	second=$host
	serves
	type_in_shell "beside the new one"

	kill -9 "$first" "$second"
	wait_gone "the first skyptyd" "$first"
	wait_gone "the second skyptyd" "$second"
	type_in_shell "without any"
	start_host
	serves
	type_in_shell "beside the third one"
	close_shell
	equal "$client_status" 0 "status of the shell's client"
	stop_host
}

# tells WHAT: status and kill of the new one name the process of the old one's
# connection, or do not.
tells() {
	for ask in status "kill --key $client"; do
		# shellcheck disable=SC2086 # words
		run skyptyd $ask --cliaddr "$sock" >"$dir/out" 2>"$dir/err.ask"
		if [ "$1" = it ]; then
			has "$dir/err.ask" "of a skyptyd that has ended"
			grep -q "kill.* $old\( \|\$\)" "$dir/err.ask" ||
				fail "$ask: $old is not named"
		else
			! grep -q " $old\( \|\$\)" "$dir/err.ask" ||
				fail "$ask: $old is named"
		fi
	done
}

# What the new one does not know is not left unsaid, and can be ended.
left() {
	at_port=$(free_port)
	start_host
	open_shell
	monitor_of "$host"
	old=$monitor
	tells_own=$(run skyptyd status --cliaddr "$sock" 2>"$dir/err.ask")
	[ -n "$tells_own" ] || fail "the own connection is not known"
	! grep -q " $old\( \|\$\)" "$dir/err.ask" || fail "it is told twice"
	first=$host
	kill "$first"
	wait_for "the end of listening" grep -q "Listening ended" "$log"
	start_host
	tells it
	kill -9 "$first"
	wait_gone "the first skyptyd" "$first"
	tells it
	kill "$old"
	wait_gone "the old one's monitor" "$old"
	wait_gone "its client" "$client_pid"
	tells nothing
	stop_host
}

both restart
both left
