#!/bin/sh
# SPDX-License-Identifier: ISC
# What a connection that has not authenticated holds of memory is no more than
# the manual says, and startup_memory limits how many there are.
# waits
. regress/sys/lib.sh

# The figure of daemon/limits.h, LIMITS_STARTUP_KIB.
most=$(sed -n 's/^#define LIMITS_STARTUP_KIB //p' daemon/limits.h)

# private PID...: KiB that nobody else holds.
private() {
	for p in "$@"; do
		cat "/proc/$p/smaps_rollup"
	done | awk '/^Private_(Clean|Dirty):/ { n += $2 } END { print n + 0 }'
}

measured() {
	conf handshake_timeout 600
	start_host
	for n in 1 2 3 4 5 6 7 8; do
		spawn "$dir/hello.$n" "$HELPERS/raw_client" 127.0.0.1 "$port" \
			"$pk" "$dir/client" hello hold
	done
	wait_for "their processes" eight
	# shellcheck disable=SC2046 # pids
	sum=$(private $(monitors_and_children))
	[ "$sum" -gt 0 ] || fail "nothing was measured"
	[ $((sum / 8)) -le "$most" ] || fail "$((sum / 8)) KiB each"
	has daemon/skypty.json.5 "$((most / 1024)) MiB"
	stop_host
}

monitors_and_children() {
	for m in $(children "$host"); do
		echo "$m"
		children "$m"
	done
}

# Each has said who it is by now.
eight() {
	[ "$(monitors_and_children | wc -l)" -eq 16 ] &&
		for m in $(children "$host"); do
			for c in $(children "$m"); do
				[ "$(value Seccomp "$c")" = 2 ] || return 1
			done
		done
}

limited() {
	conf handshake_timeout 60 startup_memory "$((2 * 5 * most / 1024))" \
		maxperaddr 1000
	start_host
	spawn "$dir/crowd" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" crowd 100 hold
	wait_for "the crowd" grep -q holding "$dir/crowd"
	wait_for "those that there is room for" has_child "$host"
	for _ in 1 2 3; do
		serves_in_time
		[ "$(children "$host" | wc -l)" -le 9 ] ||
			fail "$(children "$host" | wc -l) monitors live"
	done
	stop_host
}

need_root "read what another process holds"
need_filter
as_root measured
as_root limited
