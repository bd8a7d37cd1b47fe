#!/bin/sh
# SPDX-License-Identifier: ISC
# SIGHUP puts a changed configuration in force for new connections; one with a
# mistake is told about and changes nothing.
. regress/sys/lib.sh

reload() {
	lines=$(grep -c "$1" "$log")
	kill -HUP "$host"
	wait_for "$1" more_lines "$1" "$lines"
}

more_lines() {
	[ "$(grep -c "$1" "$log")" -gt "$2" ]
}

reread() {
	start_host
	open_shell
	serves
	conf maxperkey 1
	serves
	reload "Configuration read again"
	refused
	has "$log" maxperkey

	# A mistake: the limit stays.
	conf maxperkey '"many"'
	reload "mistakes"
	has "$log" "$dir/host.json: maxperkey: not a number"
	conf
	refused
	type_in_shell "still there"
	close_shell
	wait_for "room" on_host -- true

	# No limit, and a new identity.
	host_sk=$(secret)
	conf
	reload "Configuration read again"
	old=$pk
	pk=$(run skyptyd check --cliaddr "" -c "$dir/host.json" 2>/dev/null |
		sed -n 's/^identity *//p')
	serves
	pk=$old
	refused
	has "$dir/err.refused" "the host's key is not"
	stop_host
}

# What stays as it was until a restart is told, and nothing else is.
stays() {
	host_sk=$(secret)
	conf
	start_host
	reload "Configuration read again"
	hasnt "$log" restart
	conf ssh_listen '"127.0.0.1:1"'
	reload "Configuration read again"
	hasnt "$log" restart # a flag says where
	if getent group games >/dev/null; then
		conf cligroup '"games"'
		reload "another cligroup can connect after a restart only"
	fi
	stop_host

	conf
	served_as=dmsg start_host
	reload "Configuration read again"
	hasnt "$log" restart
	conf dmsgport 23
	reload "what concerns dmsg, and another key on it, needs a restart"
	host_sk=$(secret)
	conf dmsgport 23
	reload "what concerns dmsg, and another key on it, needs a restart"
	stop_host
}

both reread
both stays
