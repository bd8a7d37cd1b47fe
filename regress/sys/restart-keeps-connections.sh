#!/bin/sh
# SPDX-License-Identifier: ISC
# A connection lives on while skyptyd is replaced by a new one on the same
# port, and even when skyptyd is killed.
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

both restart
