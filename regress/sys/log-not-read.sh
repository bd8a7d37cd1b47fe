#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2086
# A log that nobody reads stops nothing: neither new clients nor the end; how
# many lines are missing is said once somebody reads again.
. regress/sys/lib.sh

# more than a pipe holds
CLIENTS=60

# begin_unread KIND: a host whose log is read; pid of the host in $host.
begin_unread() {
	serial=$((serial + 1))
	log=$dir/log.$serial
	rm -f "$dir/stop" "$dir/host.pid"
	: >"$log"
	$as "$PYTHON" $LIB/unread_log.py "$1" "$dir/stop" "$bin/skyptyd" tcp \
		-c "$dir/host.json" --addr 127.0.0.1:0 --cliaddr "$sock" \
		>"$log" 2>"$dir/host.pid" </dev/null &
	reader=$!
	pids="$pids $reader"
	wait_for "the host's number" test -s "$dir/host.pid"
	host=$(cat "$dir/host.pid")
	wait_for "the host" served
	port=$(port_of "$log")
}

unread() {
	begin_unread "$1"
	serves
	touch "$dir/stop"
	for n in $(seq $CLIENTS); do
		[ "$(timeout 60 $as "$bin/skypty" exec -i "$dir/client" \
			--no-visor-key --via "$(dest)" -- echo "$n" \
			2>"$dir/err.client")" = "$n" ] ||
			fail "$1: client $n: $(cat "$dir/err.client")"
	done
	wait_for "$1: the connections' end" has_no_child "$host"
	# Which lines those are is chance, but some of the listener's are.
	for n in $(seq 40); do
		kill -HUP "$host"
		serves
	done
	rm "$dir/stop"
	wait_for "$1: what was read" grep -q "Connection closed" "$log"
	tries=0
	until grep -q "lines missing here, as nobody read them: [1-9]" "$log"
	do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || fail "$1: what is missing is not told"
		kill -HUP "$host"
		serves
	done

	# The end, with nobody there.
	touch "$dir/stop"
	for n in $(seq $CLIENTS); do
		serves
	done
	kill "$host"
	wait_gone "$1: the host" "$host"
	rm "$dir/stop"
	status=0
	wait "$reader" || status=$?
	equal $status 0 "$1: status"
}

unread_pipe() {
	unread pipe
}

unread_others() {
	unread socket
	unread terminal
}

both unread_pipe
either unread_others
