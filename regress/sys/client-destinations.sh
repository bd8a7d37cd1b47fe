#!/bin/sh
# SPDX-License-Identifier: ISC
# A destination in each of its forms reaches the host.
. regress/sys/lib.sh

at() {
	equal "$(run skypty exec -i "$dir/client" --no-visor-key "$@" -- \
		echo works 2>"$dir/err.exec")" works "$*"
}

forms() {
	start_host
	at "$pk@127.0.0.1:$port"
	at "tcp://$pk@127.0.0.1:$port"
	at -p "$port" "$pk@127.0.0.1"
	at -p "$port" "tcp://$pk@localhost"
	at -p 1 "$pk@127.0.0.1:$port"
	at --via "tcp://$pk@127.0.0.1:$port"
	at --transport tcp "$pk@127.0.0.1:$port"
	at -s "$(cat "$dir/client")" "$pk@127.0.0.1:$port"
	# Flags behind the destination, too.
	equal "$(run skypty exec "$pk@127.0.0.1:$port" -i "$dir/client" \
		--no-visor-key -- echo works)" works "flags behind"
	status=0
	run skypty exec -i "$dir/client" "$pk" -- true 2>"$dir/err.exec" ||
		status=$?
	equal $status 255 "status of a key without address"
	has "$dir/err.exec" "the discovery 127.0.0.1:1: connection refused"
	stop_host
}

six() {
	spawn "$dir/log.six" "$bin/skyptyd" tcp -c "$dir/host.json" \
		--addr "[::1]:0" --cliaddr ""
	host=$pid
	log=$dir/log.six
	wait_for "the host" served
	port=$(port_of "$log")
	at "$pk@[::1]:$port"
	at -p "$port" "$pk@[::1]"
	at -p "$port" "$pk@::1"
	stop_host
}

either forms
grep -q ' lo$' /proc/net/if_inet6 2>/dev/null ||
	skip "no IPv6 here; the rest is fine"
either six
