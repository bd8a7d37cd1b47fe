#!/bin/sh
# SPDX-License-Identifier: ISC
# A shell has its terminal as 0, 1 and 2 and nothing else, also while other
# connections and commands are there.
. regress/sys/lib.sh

descriptors() {
	start_host
	spawn "$dir/err.first" "$bin/skypty" exec -i "$dir/client" \
		--no-visor-key --via "$(dest)" -t 60s -- sleep 61
	wait_for "a first connection" has_sleep
	fds=/proc/self/fd/0
	i=1
	while [ $i -lt 120 ]; do
		fds=$fds,/proc/self/fd/$i
		i=$((i + 1))
	done
	run skypty shell -i "$dir/client" --no-visor-key \
		-c /usr/bin/readlink -a "$fds" "$(dest)" </dev/null |
		tr -d '\r' >"$dir/fds"
	equal "$(wc -l <"$dir/fds")" 3 "open descriptors"
	equal "$(sort -u "$dir/fds" | grep -c '^/dev/pts/[0-9]*$')" 1 \
		"terminals behind them"
	stop_host
}

has_sleep() {
	pgrep -P "$(children "$host" | head -n 1)" -xf 'sleep 61'
}

both descriptors
