#!/bin/sh
# SPDX-License-Identifier: ISC
# Servers of the public deployment are left out with another discovery, also
# where the configuration names them.
. regress/sys/lib.sh

public=0281a102c82820e811368c8d028cf11b1a985043b726b1bcdb8fce89b27384b2cb
other=0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798

# server PK: the host's words go to err.host.
with_server() {
	printf '{ "sk": "%s", "dmsg_servers": [ { "static": "%s",
		"server": { "address": "127.0.0.1:9" } } ] }\n' \
		"$host_sk" "$1" >"$dir/host.json"
	chmod 600 "$dir/host.json"
}

seeds() {
	with_server $public
	log=$dir/log.public
	spawn "$log" "$bin/skyptyd" dmsg -c "$dir/host.json" \
		--cliaddr "$sock" --dmsgdisc "dmsg://$other:80"
	host=$pid
	wait_for "its end" grep -q "it names none" "$log"
	has "$log" "1 of the public deployment are left out"
	with_server $other
	log=$dir/log.other
	spawn "$log" "$bin/skyptyd" dmsg -c "$dir/host.json" \
		--cliaddr "$sock" --dmsgdisc "dmsg://$other:80"
	host=$pid
	wait_for "the other server" grep -q "127.0.0.1:9" "$log"
	hasnt "$log" "left out"
	stop_host
}

# The client does not ask them either.
client_too() {
	run skypty exec -i "$dir/client" --dmsgdisc "dmsg://$other:80" \
		--dmsg-servers "$public@127.0.0.1:9" "$pk" -- true \
		2>"$dir/err.exec" && fail "a command without a server"
	has "$dir/err.exec" "1 of the public deployment are left out"
	has "$dir/err.exec" "no server is known to reach it by"
	run skypty exec -i "$dir/client" --dmsgdisc "dmsg://$other:80" \
		--dmsg-servers "$other@127.0.0.1:9" "$pk" -- true \
		2>"$dir/err.exec" && fail "a command without a server"
	hasnt "$dir/err.exec" "left out"
	has "$dir/err.exec" "127.0.0.1:9: connection refused"
}

either seeds
either client_too
