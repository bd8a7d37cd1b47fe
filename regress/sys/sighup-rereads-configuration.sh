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

both reread
