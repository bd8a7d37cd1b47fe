#!/bin/sh
# SPDX-License-Identifier: ISC
# The interrupt key and the hang-up of the terminal that skyptyd was started
# from, which all of its processes get, end no connection.
. regress/sys/lib.sh

# As start_host, but the leader of a process group of its own.
start_group() {
	log=$dir/log.group
	: >"$log"
	# shellcheck disable=SC2086
	setsid $as "$bin/skyptyd" tcp -c "$dir/host.json" --addr 127.0.0.1:0 \
		--cliaddr "$sock" </dev/null >"$log" 2>&1 &
	host=$!
	pids="$pids $host"
	wait_for "the host" served
	port=$(port_of "$log")
	equal "$(ps -o pgid= -p "$host" | tr -d ' ')" "$host" "process group"
}

interrupted() {
	start_group
	open_shell
	kill -s HUP -- "-$host"
	type_in_shell "after the hang-up"
	serves
	kill -s INT -- "-$host"
	wait_for "the end of listening" grep -q "Listening ended" "$log"
	type_in_shell "after the interrupt"
	close_shell
	equal "$client_status" 0 "status of the shell's client"
	wait_gone "skyptyd" "$host"
}

both interrupted
