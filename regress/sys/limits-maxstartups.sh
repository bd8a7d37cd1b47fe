#!/bin/sh
# SPDX-License-Identifier: ISC
# 200 connections that never finish their handshake do not keep a listed client
# out, nor do they cost more processes than the limit allows.
# waits
. regress/sys/lib.sh

crowd() {
	# Long enough that it is the limit that makes room and not the time.
	conf handshake_timeout 60 maxstartups '"5:30:20"' maxperaddr 1000
	start_host
	spawn "$dir/crowd" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" crowd 200 hold
	crowd_pid=$pid
	wait_for "the crowd" grep -q holding "$dir/crowd"
	for _ in 1 2 3 4 5; do
		serves_in_time
	done
	has "$log" "Dropped a connection that had not authenticated"
	[ "$(children "$host" | wc -l)" -le 24 ] ||
		fail "$(children "$host" | wc -l) monitors live"
	hasnt "$log" "Listening ended"
	kill "$crowd_pid"
	wait_for "the end of the crowd" has_no_child "$host"
	stop_host
}

# With what is the default.
by_default() {
	conf handshake_timeout 60
	start_host
	spawn "$dir/crowd" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" crowd 200 hold
	wait_for "the crowd" grep -q holding "$dir/crowd"
	serves_in_time
	serves_in_time
	kill "$pid"
	stop_host
}

both crowd
either by_default
