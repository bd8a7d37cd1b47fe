#!/bin/sh
# SPDX-License-Identifier: ISC
# Several addresses are listened on at once, of both families; an address
# without a host is all of them; one that cannot be had is told.
. regress/sys/lib.sh

at() {
	equal "$(run skypty exec -i "$dir/client" --no-visor-key \
		"tcp://$pk@$1" -- echo "at $1")" "at $1" "a client"
}

ports() {
	sed -n 's/.*Listening on \(.*\)$/\1/p' "$log" | sort
}

# host ADDR-FLAG...
host() {
	log=$dir/log.several
	spawn "$log" "$bin/skyptyd" tcp -c "$dir/host.json" --cliaddr "" "$@"
	host=$pid
	wait_for "the host" served
}

several() {
	host --addr 127.0.0.1:0,127.0.0.2:0 --addr "127.0.0.3:0"
	equal "$(ports | wc -l)" 3 "addresses"
	for a in $(ports); do
		at "$a"
	done
	has "$log" "127.0.0.1 port "
	taken=$(ports | head -n 1)
	first=$host

	# One is taken: told, and nothing is served half.
	second=$dir/log.second
	status=0
	run skyptyd tcp -c "$dir/host.json" --cliaddr "" \
		--addr "127.0.0.1:0,$taken" 2>"$second" || status=$?
	equal $status 71 "status where an address is taken"
	has "$second" "cannot listen on $taken: Address already in use"
	host=$first
	stop_host

	for bad in 127.0.0.1:99999 127.0.0.1:no-such-port ::1:x 1:2:3; do
		status=0
		run skyptyd tcp -c "$dir/host.json" --cliaddr "" --addr "$bad" \
			2>"$second" || status=$?
		[ $status -ne 0 ] || fail "listened on $bad"
		has "$second" "$bad"
	done
}

six() {
	host --addr "[::1]:0"
	case $(ports) in
	"[::1]:"*) ;;
	*) fail "listens on $(ports)" ;;
	esac
	at "$(ports)"
	has "$log" "::1 port "
	hasnt "$log" "::ffff:"
	stop_host

	port=$(free_port)
	host --addr ":$port"
	at "127.0.0.1:$port"
	at "[::1]:$port"
	has "$log" "127.0.0.1 port "
	hasnt "$log" "::ffff:"
	stop_host
}

either several
grep -q ' lo$' /proc/net/if_inet6 2>/dev/null ||
	skip "no IPv6 here; the rest is fine"
either six
