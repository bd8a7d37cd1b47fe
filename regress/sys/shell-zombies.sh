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
	wait_for "reaping" one_child
	equal "$(ps -o comm= --ppid "$monitor")" skyptyd-net "the only child"
	stop_host
}

one_child() {
	[ "$(children "$monitor" | wc -l)" -eq 1 ]
}

both zombies
