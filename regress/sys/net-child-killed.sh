#!/bin/sh
# SPDX-License-Identifier: ISC
# When the confined child dies, its connection ends with all that it ran, and
# no other; when a monitor dies, its child and its shell go as well.
. regress/sys/lib.sh

parts() {
	monitor_of "$host"
	net=
	for p in $(children "$monitor"); do
		[ "$(cat "/proc/$p/comm" 2>/dev/null)" != skyptyd-net ] || net=$p
	done
}

child() {
	start_host
	open_shell
	shell_pid=$(cat "$dir/shell.pid")
	parts
	spawn "$dir/other" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" handshake mux dmsgpty/pty hold
	other=$pid
	wait_for "another connection" grep -q holding "$dir/other"
	kill -9 "$net"
	wait_gone "the monitor" "$monitor"
	wait_gone "the shell" "$shell_pid"
	wait_gone "the client" "$client_pid"
	exec 9>&-
	has "$log" "confined child killed by signal 9"
	alive "$other" || fail "another connection was ended"
	kill "$other"
	serves
	stop_host
}

monitor() {
	start_host
	open_shell
	shell_pid=$(cat "$dir/shell.pid")
	parts
	kill -9 "$monitor"
	wait_gone "the child" "$net"
	wait_gone "the shell" "$shell_pid"
	wait_gone "the client" "$client_pid"
	exec 9>&-
	serves
	stop_host
}

both child
both monitor
