#!/bin/sh
# SPDX-License-Identifier: ISC
# --listen-fd N serves the one connection that was inherited and ends with it,
# with status 0 whatever its outcome; it listens nowhere.
. regress/sys/lib.sh

# accept FD: one connection for skyptyd on that descriptor.
accept() {
	log=$dir/log.$1.$2
	spawn "$log" "$PYTHON" "$LIB/accept_one.py" "$1" "$bin/skyptyd" tcp \
		-c "$dir/host.json" --cliaddr "$sock" --listen-fd "$1"
	starter=$pid
	wait_for "a port" grep -q '^port' "$log"
	port=$(sed -n 's/^port //p' "$log")
}

over() {
	wait_gone "skyptyd" "$starter"
	grep -qx "status 0" "$log" || fail "its status: $(tail -n 1 "$log")"
}

inherited() {
	for fd in 0 3 7; do
		accept $fd first
		status=0
		on_host -- sh -c 'exit 5' || status=$?
		equal $status 5 "status of a command"
		over
		hasnt "$log" "Listening"
		[ ! -e "$sock" ] || fail "there is a control socket"
	done

	# The shell has a pty and nothing of the connection.
	accept 0 shell
	open_shell
	type_in_shell works
	shell_pid=$(cat "$dir/shell.pid")
	kill -9 "$client_pid"
	exec 9>&-
	wait_gone "the shell" "$shell_pid"
	over

	# So is a peer that has gone: nobody has to hear of it.
	$as "$PYTHON" "$LIB/accept_one.py" gone "$bin/skyptyd" tcp \
		-c "$dir/host.json" --cliaddr "$sock" --listen-fd 0 \
		>"$dir/out" 2>"$dir/err.gone" || fail "nobody could be accepted"
	has "$dir/out" "status 0"
	[ ! -s "$dir/err.gone" ] || fail "$(cat "$dir/err.gone")"

	# A failed handshake and an unlisted client are outcomes, too.
	accept 0 garbage
	raw raw 0010 raw 00 shut drain >"$dir/out"
	over
	wl= && conf
	accept 0 unlisted
	refused
	over
	unset wl
	conf
}

both inherited
