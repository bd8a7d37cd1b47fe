#!/bin/sh
# SPDX-License-Identifier: ISC
# systemd's socket activation with Accept=yes, as skyptyd-inetd.socket uses it:
# a process for every connection, the connection as standard input.
. regress/sys/lib.sh
need_command systemd-socket-activate

accept_yes() {
	port=$(free_port)
	log=$dir/log.activate
	spawn "$log" systemd-socket-activate --accept --inetd \
		-l "127.0.0.1:$port" "$bin/skyptyd" tcp -c "$dir/host.json" \
		--listen-fd 0
	wait_for "the port" grep -q "Listening on" "$log"
	serves
	equal "$(on_host -- echo second)" second "a second connection"
	open_shell
	equal "$(on_host -- sh -c 'env | grep -c ^LISTEN_')" 0 \
		"variables of socket activation"
	type_in_shell works
	close_shell
}

either accept_yes
