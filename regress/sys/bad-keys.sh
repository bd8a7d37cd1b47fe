#!/bin/sh
# SPDX-License-Identifier: ISC
# Keys that are none, and a handshake that somebody else has made: refused.
. regress/sys/lib.sh

keys() {
	start_host
	# A null key as the client's, well encrypted.
	raw nullkey mux dmsgpty/pty >"$dir/out"
	has "$dir/out" "mux eof"
	has "$log" "Handshake failed: invalid key"

	# A client's recorded bytes, played again.
	raw handshake mux dmsgpty/pty save "$dir/recorded" >"$dir/out"
	has "$dir/out" "mux 0"
	accepted=$(grep -c "Accepted key" "$log")
	raw replay "$dir/recorded" drain >"$dir/out"
	wait_for "the monitor's end" has_no_child "$host"
	equal "$(grep -c "Accepted key" "$log")" "$accepted" "accepted keys"
	has "$log" "Handshake failed: authentication tag does not match"
	serves
	hasnt "$log" "killed by signal"
	stop_host
}

both keys
