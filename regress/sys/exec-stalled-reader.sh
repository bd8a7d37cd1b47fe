#!/bin/sh
# SPDX-License-Identifier: ISC
# When nobody reads a command's output, the command waits; neither the client
# nor the host gathers what it says.  When the reader goes on, all of it comes.
. regress/sys/lib.sh

bytes=100000000

rss() {
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB$/\1/p' "/proc/$1/status"
}

# small WHAT PID: it has less than 8 MiB.
small() {
	[ -z "$sanitized" ] || return 0
	size=$(rss "$2")
	[ "$size" -lt 8192 ] || fail "$1 has grown to $size kB"
}

# position: how far the command has come.
position() {
	sed -n 's/^pos:[^0-9]*//p' "/proc/$(cat "$dir/pid")/fdinfo/0"
}

stands_still() {
	before=$(position)
	sleep 0.3
	[ "$before" -gt 0 ] && [ "$before" -eq "$(position)" ]
}

stalls() {
	start_host
	truncate -s $bytes "$dir/zeros"
	chmod 644 "$dir/zeros"
	mkfifo -m 644 "$dir/fifo"
	# Both ends, so that opening does not wait.
	exec 8<>"$dir/fifo"
	# shellcheck disable=SC2086
	$as "$bin/skypty" exec -i "$dir/client" --no-visor-key --via "$(dest)" \
		-- sh -c "echo \$\$ >$dir/pid; exec cat <$dir/zeros" \
		>"$dir/fifo" 2>"$dir/err.exec" </dev/null &
	client_pid=$!
	pids="$pids $client_pid"
	wait_for "the command" test -s "$dir/pid"
	monitor_of "$host"
	net=$(ps -o pid=,comm= --ppid "$monitor" |
		sed -n 's/^ *\([0-9]*\) skyptyd-net$/\1/p')
	[ -n "$net" ] || fail "the monitor has no skyptyd-net"

	wait_for "the command to wait" stands_still
	[ "$(position)" -lt $bytes ] || fail "the command did not wait"
	small skyptyd-net "$net"
	small skypty "$client_pid"
	alive "$client_pid" || fail "the client has ended"

	exec 9<"$dir/fifo" 8>&-
	equal "$(wc -c <&9)" $bytes "bytes of output"
	exec 9<&-
	wait_gone "the client" "$client_pid"
	status=0
	wait "$client_pid" || status=$?
	equal $status 0 "status"
	serves
	stop_host
}

both stalls
