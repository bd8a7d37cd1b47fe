#!/bin/sh
# SPDX-License-Identifier: ISC
# A client whose key is not listed gets not a byte, and says why.
. regress/sys/lib.sh

unlisted() {
	new_key other
	start_host
	mv "$dir/other" "$dir/client"
	status=0
	on_host -- touch "$dir/mark" 2>"$dir/err.exec" || status=$?
	equal $status 255 "status"
	has "$dir/err.exec" "your key $key is not on the host's whitelist"
	status=0
	echo "touch $dir/mark" | shell >"$dir/out" 2>"$dir/err.shell" ||
		status=$?
	equal $status 255 "status of a shell"
	has "$dir/err.shell" "your key $key is not on the host's whitelist"
	raw handshake drain >"$dir/out"
	has "$dir/out" eof
	raw handshake mux dmsgpty/pty >"$dir/out"
	has "$dir/out" "mux eof"
	[ ! -e "$dir/mark" ] || fail "the command was run"
	has "$log" "Refused key $key: not on the whitelist"
	wait_for "the monitors' end" has_no_child "$host"
	stop_host
}

both unlisted
