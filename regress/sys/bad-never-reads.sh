#!/bin/sh
# SPDX-License-Identifier: ISC
# A client that never reads makes the host wait, not grow; others are served,
# and the host notices when it goes.
. regress/sys/lib.sh

# The confined child's memory in KiB, from the kernel.
memory() {
	awk '/^VmRSS:/ { print $2 }' "/proc/$net/status"
}

# Until the child has been asleep for a while: all buffers are full.
settled() {
	a=$(cut -d ' ' -f 14,15 "/proc/$net/stat")
	sleep 0.2
	[ "$a" = "$(cut -d ' ' -f 14,15 "/proc/$net/stat")" ]
}

ready=true

all_begun() {
	[ "$(wc -l <"$dir/begun")" -eq 30 ] && [ -z "$(pgrep -x head \
		-P "$monitor")" ]
}

# stuck LIMIT STEP...: in KiB.
stuck() {
	limit=$1
	shift
	spawn "$dir/out" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" handshake mux dmsgpty/pty "$@" hold
	wait_for "the client" grep -q holding "$dir/out"
	monitor_of "$host"
	for p in $(children "$monitor"); do
		[ "$(cat "/proc/$p/comm" 2>/dev/null)" != skyptyd-net ] ||
			net=$p
	done
	wait_for "what is to run" $ready
	wait_for "standstill" settled
	[ "$(memory)" -lt "$limit" ] ||
		fail "the child has taken $(memory) KiB"
	echo "$(memory) KiB of $limit"
	serves
	kill "$pid"
	wait_for "the monitor's end" has_no_child "$host"
}

never() {
	start_host
	stuck 12000 start /usr/bin/yes ';' reads 100
	stuck 12000 start /usr/bin/yes ';'
	# An answer of 16 MiB is gathered whole, but not ever more of them: 30
	# would be 480 MiB.
	stuck 60000 exec /usr/bin/head -c 20000000 /dev/zero ';'
	set --
	for _ in $(seq 30); do
		set -- "$@" exec /bin/sh -c 'sleep 0.5; echo >>"$0"
			exec head -c 20000000 /dev/zero' "$dir/begun" ';'
	done
	rm -f "$dir/begun"
	ready=all_begun
	stuck 300000 "$@"
	stop_host
}

# What a terminal does not take waits, up to 8 MiB of it; what comes beyond is
# refused at once, and nothing grows.  One that is not raw takes everything: the
# kernel drops what is over a line's length.
not_taken() {
	start_host
	ready=true
	stuck 22000 start /bin/sh -c 'stty raw -echo; echo raw; exec sleep 1000' \
		';' reply reads 1 reply writes 100 150000 reply
	has "$dir/out" 'read: raw'
	has "$dir/out" 'error: write /dev/ptmx: too much input is waiting'
	stop_host
}

need_filter
either never
either not_taken
