#!/bin/sh
# SPDX-License-Identifier: ISC
# Many commands at once, all of one address that nobody has come from before,
# with the limits that are the default: those that are too many wait for their
# turn, and none is refused.
. regress/sys/lib.sh

burst() {
	conf handshake_timeout 60
	start_host
	running=
	# The client gives a handshake ten seconds: a hundred of the sanitized
	# programs do not even start in that on a busy machine.
	many=100
	[ -z "$sanitized" ] || many=20
	for i in $(seq $many); do
		run skypty exec -i "$dir/client" --no-visor-key --no-stdin \
			--via "$(dest)" -- true >"$dir/out.$i" 2>&1 &
		running="$running $!"
	done
	failed=0
	for p in $running; do
		wait "$p" || failed=$((failed + 1))
	done
	[ "$failed" -eq 0 ] ||
		fail "$failed of $many failed: $(cat "$dir"/out.* | sort | uniq -c)"
	hasnt "$log" "Turned away"
	hasnt "$log" "Dropped"
	stop_host
}

either burst
