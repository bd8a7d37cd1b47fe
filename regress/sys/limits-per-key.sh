#!/bin/sh
# SPDX-License-Identifier: ISC
# One key has so many connections at once and no more; another one still gets
# in, and so does the first when a connection has ended.
. regress/sys/lib.sh

per_key() {
	new_key other
	wl="\"$client\", \"$key\"" && conf maxperkey 2
	start_host
	for n in 1 2; do
		spawn "$dir/hold.$n" "$HELPERS/raw_client" 127.0.0.1 "$port" \
			"$pk" "$dir/client" handshake mux dmsgpty/pty hold
		wait_for "a connection" grep -q "mux 0" "$dir/hold.$n"
	done
	refused
	has "$log" "too many connections (maxperkey)"
	raw handshake mux dmsgpty/pty >"$dir/out"
	has "$dir/out" "mux eof"
	mv "$dir/client" "$dir/first" && mv "$dir/other" "$dir/client"
	serves
	mv "$dir/client" "$dir/other" && mv "$dir/first" "$dir/client"
	kill "$pid"
	wait_for "room" on_host -- true
	stop_host
	unset wl
}

both per_key
