#!/bin/sh
# SPDX-License-Identifier: ISC
# A client that goes half away: one that ends its direction is gone for the
# host, and one that has reset the connection, too.
. regress/sys/lib.sh

half() {
	start_host
	for steps in "" "reads 1"; do
		# shellcheck disable=SC2086
		raw handshake mux dmsgpty/pty start /bin/sh -c \
			"echo \$\$ >$dir/pid; exec sleep 61" ';' reply $steps \
			shut drain >"$dir/out"
		# It may have ended before it could say which it is.
		[ ! -s "$dir/pid" ] || wait_gone "the shell" "$(cat "$dir/pid")"
		rm -f "$dir/pid"
		wait_for "the monitor's end" has_no_child "$host"
	done
	# Before the mux and in the middle of a request.
	raw handshake shut drain >"$dir/out"
	raw handshake plain 0b shut drain >"$dir/out"
	wait_for "the monitors' end" has_no_child "$host"

	# With unread bytes of ours the kernel resets instead of ending.
	raw handshake mux dmsgpty/pty exec /bin/sh -c \
		"echo \$\$ >$dir/pid; head -c 200000 /dev/zero; exec sleep 61" \
		';' >"$dir/out"
	wait_for "the monitor's end" has_no_child "$host"
	[ ! -s "$dir/pid" ] || wait_gone "the command" "$(cat "$dir/pid")"
	serves
	stop_host
}

either half
