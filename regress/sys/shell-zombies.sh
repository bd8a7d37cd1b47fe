#!/bin/sh
# SPDX-License-Identifier: ISC
# Commands that have ended are reaped while their connection goes on, and so is
# a shell that has been stopped.
. regress/sys/lib.sh

zombies() {
	start_host
	spawn "$dir/out" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" handshake mux dmsgpty/pty \
		exec /bin/true ';' exec /bin/false ';' exec /nonexistent ';' \
		exec /bin/sh -c 'kill -9 $$' ';' reply reply reply reply \
		start /bin/true ';' reply reads 1 reply hold
	monitor_of "$host"
	wait_for "the client" grep -q holding "$dir/out"
	wait_for "reaping" only_ours
	stop_host
}

# The confined child, and who would end the commands if the monitor could not.
only_ours() {
	[ "$(ps -o comm=,stat= --ppid "$monitor" | sort | tr -s ' ' |
		sed 's/ [^Z].*//' | tr '\n' ' ')" = "skyptyd-monitor skyptyd-net " ]
}

both zombies
