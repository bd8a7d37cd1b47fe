#!/bin/sh
# SPDX-License-Identifier: ISC
# Whoever resolves names and connects for dmsg is confined: what it may
# not do is fatal to it, its end is told by name, and names resolve all the
# same.
# waits
. regress/sys/lib.sh
need_filter

probes() {
	cp "$HELPERS/probe_net" "$bin/skyptyd-connect"
	"$HELPERS/probe_net" list connect >"$dir/acts"
	for act in none kill tgkill tkill ptrace process_vm_readv pidfd_open \
		pidfd_getfd execve execveat clone openat-write openat-create \
		socket-unix socket-raw listen io_uring_setup mmap-exec \
		sendmsg-fastopen fcntl-setown prctl; do
		order $act
		start_host --dmsgdisc http://127.0.0.1:1
		wait_for "the end of $act" \
			grep -qE "survived|skyptyd-connect was killed" "$log"
		if grep -qx "ok $act" "$dir/acts"; then
			has "$log" "survived $act: 0"
		else
			grep -qx "fatal $act" "$dir/acts" || fail "no $act"
			hasnt "$log" survived
			has "$log" "skyptyd-connect was killed by signal 31"
		fi
		stop_host
	done
	rm "$bin/skyptyd-connect"
	start_host --dmsgdisc http://127.0.0.1:1
	wait_for "word of the missing program" \
		grep -q "skyptyd-connect is not where it belongs" "$log"
	stop_host
}

names() {
	[ "$uid" -eq 0 ] || return 0
	unshare -n -m true 2>/dev/null || return 0
	unshare -n -m --propagation slave $PYTHON "$LIB/connect_names.py" \
		"$bin/skyptyd-connect" "$(id -u "$privsep")" \
		"$(id -g "$privsep")" "$dir" >"$dir/out" 2>&1 ||
		fail "$(cat "$dir/out")"
	has "$dir/out" "all resolved"
}

confined() {
	names
	probes
}

served_as=dmsg
both confined
