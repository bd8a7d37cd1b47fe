#!/bin/sh
# SPDX-License-Identifier: ISC
# systemd's socket activation with a listening socket (LISTEN_FDS), as
# skyptyd.socket uses it.
. regress/sys/lib.sh
need_command systemd-socket-activate

listening() {
	port=$(free_port)
	log=$dir/log.activate
	spawn "$log" systemd-socket-activate -l "127.0.0.1:$port" \
		"$bin/skyptyd" tcp -c "$dir/host.json" --cliaddr "$sock"
	host=$pid
	wait_for "the port" grep -q "Listening on" "$log"
	serves
	has "$log" "Serving as"
	equal "$(on_host -- echo second)" second "a second connection"
	equal "$(on_host -- sh -c 'env | grep ^LISTEN_; readlink /proc/self/fd/3')" \
		"" "what a command inherits"
	equal "$(run skypty exec -r "$sock" -- echo local)" local \
		"the control socket"
	stop_host
}

# A unix socket that is inherited is the control socket.
control() {
	log=$dir/log.activate
	port=$(free_port)
	spawn "$log" systemd-socket-activate -l "127.0.0.1:$port" -l "$sock" \
		"$bin/skyptyd" tcp -c "$dir/host.json" --cliaddr ""
	host=$pid
	wait_for "the socket" test -S "$sock"
	equal "$(run skypty exec -r "$sock" -- echo local)" local \
		"the control socket"
	serves
	stop_host
}

both listening
either control
