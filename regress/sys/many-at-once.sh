#!/bin/sh
# SPDX-License-Identifier: ISC
# Many connections and many commands of one connection at the same time: each
# gets its own answer.
. regress/sys/lib.sh

connections() {
	# All of their handshakes are going on at once.
	conf maxstartups '"60:1:60"' handshake_timeout 600
	start_host
	for i in $(seq 40); do
		# shellcheck disable=SC2086
		run skypty-ssh $no_login -n -oVisorKey=no -i "$dir/client" \
			-oConnectTimeout=500 -p "$port" "$pk@127.0.0.1" \
			"sleep 0.1; echo $i" >"$dir/out.$i" 2>"$dir/err.$i" &
		pids="$pids $!"
		last=$!
	done
	wait "$last"
	for i in $(seq 40); do
		wait_for "answer $i" test -s "$dir/out.$i"
		equal "$(cat "$dir/out.$i")" "$i" "answer"
	done
	wait_for "the connections' end" has_no_child "$host"
	stop_host
}

# 64 commands of one connection are the most; the next is told so.
commands() {
	start_host
	set --
	for i in $(seq 64); do
		set -- "$@" exec /bin/sh -c "until [ -e $dir/go ]; do
			sleep 0.2; done; echo answer $i" ';'
	done
	for i in $(seq 65); do
		replies="${replies-} reply"
	done
	# shellcheck disable=SC2086
	raw handshake mux dmsgpty/pty "$@" exec /bin/true ';' $replies \
		>"$dir/out" &
	pids="$pids $!"
	client_pid=$!
	wait_for "the last one's answer" grep -q \
		"error: dmsgpty: Exec: more than 64 commands at once" "$dir/out"
	$as touch "$dir/go"
	wait "$client_pid" || fail "the client returned $?"
	for i in $(seq 64); do
		grep -qx "out: answer $i" "$dir/out" || fail "no answer $i"
	done
	stop_host
}

either connections
either commands
