#!/bin/sh
# SPDX-License-Identifier: ISC
# The confined child of an idle shell really is confined: another user without
# capabilities, no new privileges, a system call filter, an empty root, no
# descriptors but its own.
. regress/sys/lib.sh
need_root "look into processes of another user"
need_filter

find_net() {
	monitor_of "$host"
	net=
	for p in $(children "$monitor"); do
		case $(readlink "/proc/$p/exe") in
		*/skyptyd-net) net=$p ;;
		esac
	done
	[ -n "$net" ] || fail "there is no confined child"
}

expect_confined() {
	harmless "$net" "skyptyd: net"
	equal "$(value Uid "$net")" "$1 $1 $1 $1" "Uid"
	equal "$(value Gid "$net")" "$2 $2 $2 $2" "Gid"
	# 0 to 2 nothing, the connection, the monitor, the event loop and a pipe
	# of its own, the terminal.
	find "/proc/$net/fd" -type l -printf '%f %l\n' | sort -n >"$dir/fds"
	equal "$(sed -n '1,3p' "$dir/fds" | cut -d ' ' -f 2 | sort -u)" \
		/dev/null "its standard descriptors"
	equal "$(sed -n '4,5p' "$dir/fds" | grep -c socket:)" 2 "its sockets"
	sed -n '6,$p' "$dir/fds" | cut -d ' ' -f 2 | sort | uniq -c |
		sed 's/pipe:.*/pipe/; s/^ *//; s|/dev/pts/ptmx|/dev/ptmx|' >"$dir/others"
	equal "$(tr '\n' ' ' <"$dir/others")" \
		"1 /dev/ptmx 1 anon_inode:[eventpoll] 2 pipe " \
		"its other descriptors"
}

confined() {
	start_host
	open_shell
	find_net
	if [ "$uid" -eq 0 ]; then
		expect_confined "$(id -u "$privsep")" "$(id -g "$privsep")"
		root=$(readlink "/proc/$net/root")
		[ "$root" != / ] || fail "its root is the system's"
		equal "$(find "/proc/$net/root/" -mindepth 1)" "" "its root"
		equal "$(stat -c '%u %a' "/proc/$net/root/")" "0 755" \
			"owner and mode of its root"
	else
		expect_confined "$uid" "$gid"
	fi
	# The monitor's secrets: no tracing, no core.
	for p in $host $monitor; do
		equal "$(stat -c %u "/proc/$p/environ")" 0 "owner of $p"
		if tr '\0' '\n' <"/proc/$p/cmdline" | grep -q "$host_sk" ||
			tr '\0' '\n' <"/proc/$p/environ" | grep -q "$host_sk"; then
			fail "the secret key shows"
		fi
	done
	close_shell
	stop_host
}

both confined
