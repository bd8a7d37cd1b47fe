#!/bin/sh
# SPDX-License-Identifier: ISC
# One address has so many connections at once and no more; another one still
# gets in.  A connection that has not authenticated makes room first.
. regress/sys/lib.sh

per_address() {
	conf maxperaddr 2
	start_host
	for n in 1 2; do
		spawn "$dir/hold.$n" "$HELPERS/raw_client" 127.0.0.1 "$port" \
			"$pk" "$dir/client" handshake mux dmsgpty/pty hold
		wait_for "a connection" grep -q "mux 0" "$dir/hold.$n"
	done
	refused
	has "$log" "too many connections of this address (maxperaddr)"
	from_elsewhere
	kill "$pid"
	wait_for "room" on_host -- true

	spawn "$dir/idle" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" hello hold
	wait_for "a connection" grep -q "holding" "$dir/idle"
	serves
	stop_host
}

either per_address
