#!/bin/sh
# SPDX-License-Identifier: ISC
# A confined process that has been taken over tries to connect a socket that it
# has to a port of this machine by sending with MSG_FASTOPEN: the filter alone
# ends it, and so it does with Landlock; and without any confinement it is the
# socket that does not let itself be connected once more.
. regress/sys/lib.sh
need_filter

begin_relay() {
	rm -f "$dir/ports"
	: >"$dir/seen"
	$PYTHON "$LIB/reset_relay.py" "$dir/ports" "$dir/seen" &
	pids="$pids $!"
	wait_for "the relay" test -s "$dir/ports"
	read -r relay inner <"$dir/ports"
	echo "$relay" >"$bin/relay"
	echo "$inner" >"$bin/inner"
}

# Whoever came before us would be in the file before us.
nobody_came() {
	$PYTHON -c "import socket; socket.create_connection(('127.0.0.1', \
		$inner)).recv(1)" 2>/dev/null
	wait_for "ourselves to be seen" test -s "$dir/seen"
	equal "$(wc -l <"$dir/seen")" 1 "visitors of the inner port"
	: >"$dir/seen"
}

dmsg() {
	cp "$HELPERS/hostile_fastopen" "$bin/skyptyd-dmsg"
	for abi in 0 2 99; do
		echo $abi >"$bin/landlock"
		for act in sendmsg sendto; do
			order $act
			start_host --dmsgdisc "http://127.0.0.1:$relay"
			wait_for "the end of $act" dead
			hasnt "$log" survived
			nobody_came
			stop_host
		done
	done
	order open
	start_host --dmsgdisc "http://127.0.0.1:$relay"
	wait_for "the socket" grep -qE "the socket stays|survived" "$log"
	hasnt "$log" survived
	nobody_came
	stop_host
	cp "$BIN/skyptyd-dmsg" "$bin"
}

dead() {
	grep -q "attempting" "$log" && grep -q "dmsg ended" "$log"
}

http() {
	cp "$HELPERS/hostile_fastopen" "$bin/skyptyd-http"
	served_as=tcp
	start_host
	for abi in 0 2 99; do
		echo $abi >"$bin/landlock"
		for act in shutdown sendmsg sendto; do
			order $act
			start_http
			visit
			wait_for "the end of $act" \
				grep -q "killed by signal 31" "$web_log"
			hasnt "$web_log" survived
			nobody_came
			stop_http
		done
	done
	order open
	start_http
	visit
	wait_for "the socket" grep -qE "the socket stays|survived" "$web_log"
	hasnt "$web_log" survived
	nobody_came
	stop_http
	stop_host
	served_as=dmsg
}

# A browser that cuts its connection off when it is spoken to.
visit() {
	$PYTHON -c 'import socket, struct, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.recv(1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))' \
		"$(sed -n '1s/.*:\([0-9]*\)\/.*/\1/p' "$dir/web.out")" ||
		fail "no browser: $(cat "$dir/web.out")"
}

tls() {
	cp "$HELPERS/hostile_fastopen" "$bin/skypty-tls"
	for act in sendmsg sendto; do
		order $act
		start_host --dmsgdisc "https://127.0.0.1:$relay"
		wait_for "an attempt" grep -q "fastopen: attempting" "$log"
		hasnt "$log" survived
		nobody_came
		stop_host
	done
}

attempts() {
	begin_relay
	dmsg
	[ ! -x "$BIN/skyptyd-http" ] || http
	[ ! -x "$BIN/skypty-tls" ] || tls
}

served_as=dmsg
either attempts
