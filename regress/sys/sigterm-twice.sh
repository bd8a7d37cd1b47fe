#!/bin/sh
# SPDX-License-Identifier: ISC
# A second SIGTERM ends the running connections and what they have started.
. regress/sys/lib.sh

twice() {
	start_host
	open_shell
	type_in_shell works
	shell_pid=$(cat "$dir/shell.pid")
	monitor_of "$host"
	kill "$host"
	wait_for "the end of listening" grep -q "Listening ended" "$log"
	alive "$shell_pid" || fail "the first SIGTERM ended the shell"
	kill "$host"
	wait_gone "the shell" "$shell_pid"
	wait_gone "the monitor" "$monitor"
	wait_gone "the client" "$client_pid"
	wait_gone "skyptyd" "$host"
	has "$log" "Connection closed: ended by skyptyd after"
	exec 9>&-
}

both twice
