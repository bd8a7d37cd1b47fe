#!/bin/sh
# SPDX-License-Identifier: ISC
# The host's secret key is in the memory of skyptyd, which needs it, and never
# in that of a confined child; a monitor forgets it once the peer is known.
. regress/sys/lib.sh
need_root "read the memory of others"
need_filter

# How often the key's 32 bytes are in a process's memory.
holds() {
	"$PYTHON" - "$1" "$host_sk" <<-'END'
		import re, sys
		key = bytes.fromhex(sys.argv[2])
		found = 0
		with open(f"/proc/{sys.argv[1]}/maps") as maps, \
		     open(f"/proc/{sys.argv[1]}/mem", "rb", 0) as mem:
		    for line in maps:
		        start, end, mode = re.match(
		            r"([0-9a-f]+)-([0-9a-f]+) (.)", line).groups()
		        if mode != "r" or "[v" in line:
		            continue
		        mem.seek(int(start, 16))
		        data = mem.read(int(end, 16) - int(start, 16))
		        found += data.count(key) + data.count(key[::-1])
		        found += data.count(sys.argv[2].encode())
		print(found)
	END
}

memory() {
	start_host
	[ "$(holds "$host")" -ge 1 ] || fail "the search finds nothing at all"

	# Before the peer is known the monitor needs it, and nobody else.
	spawn "$dir/out" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" hello hold
	wait_for "the client" grep -q holding "$dir/out"
	monitor_of "$host"
	wait_for "the child" has_child "$monitor"
	equal "$(holds "$(children "$monitor")")" 0 \
		"keys in a child that handles a handshake"
	kill "$pid"
	wait_for "its end" has_no_child "$host"

	open_shell
	monitor_of "$host"
	for p in $(children "$monitor"); do
		equal "$(holds "$p")" 0 "keys in a process of the session"
	done
	equal "$(holds "$monitor")" 0 "keys in the monitor of a session"
	close_shell

	# Of dmsg the monitor signs, and the other half meets servers.
	stop_host
	served_as=dmsg
	start_host --dmsgdisc http://discovery.invalid
	monitor_of "$host"
	wait_for "dmsg" has_child "$monitor"
	[ "$(holds "$monitor")" -ge 1 ] || fail "dmsg cannot sign"
	equal "$(holds "$(children "$monitor")")" 0 "keys in dmsg"
	stop_host
	served_as=tcp
	start_host

	# A local caller's monitor never gets it.
	mkfifo "$dir/fifo"
	spawn "$dir/out" "$bin/skypty" exec -r "$sock" -- cat "$dir/fifo"
	monitor_of "$host"
	wait_for "the child" has_child "$monitor"
	for p in $monitor $(children "$monitor"); do
		equal "$(holds "$p")" 0 "keys in a local session"
	done
	echo >"$dir/fifo"
	stop_host
}

both memory
