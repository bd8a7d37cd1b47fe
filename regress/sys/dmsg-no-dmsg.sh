#!/bin/sh
# SPDX-License-Identifier: ISC
# "dmsg --no-dmsg --tcplisten A" is the same host as "tcp --addr A", under each
# of its spellings.
. regress/sys/lib.sh

spellings() {
	for flags in "dmsg --no-dmsg --tcplisten" "dmsg --no-dmsg --tcp-listen" \
		"tcp --addr" "tcp -l" "tcp --listen"; do
		log=$dir/log.flags
		# shellcheck disable=SC2086
		spawn "$log" "$bin/skyptyd" $flags 127.0.0.1:0 \
			--confpath "$dir/host.json" --cliaddr "$sock"
		host=$pid
		wait_for "the host" served
		port=$(port_of "$log")
		serves
		[ -S "$sock" ] || fail "no control socket with $flags"
		stop_host
	done
	status=0
	run skyptyd dmsg --no-dmsg -c "$dir/host.json" --cliaddr "$sock" \
		2>"$dir/err.host" || status=$?
	[ $status -ne 0 ] || fail "served nowhere"
	has "$dir/err.host" "nowhere to listen"
}

either spellings
