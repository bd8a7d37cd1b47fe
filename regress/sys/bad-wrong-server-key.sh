#!/bin/sh
# SPDX-License-Identifier: ISC
# A client that expects another host gets no session, and says why.
. regress/sys/lib.sh

wrong() {
	new_key other
	start_host
	status=0
	run skypty exec -i "$dir/client" --no-visor-key \
		"tcp://$key@127.0.0.1:$port" -- touch "$dir/mark" \
		2>"$dir/err.exec" || status=$?
	equal $status 255 "status"
	has "$dir/err.exec" "the host's key is not $key"
	[ ! -e "$dir/mark" ] || fail "the command was run"
	has "$log" "Handshake failed"
	serves
	stop_host
}

either wrong
