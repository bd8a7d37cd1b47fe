#!/bin/sh
# SPDX-License-Identifier: ISC
# A control socket that cannot be given to its group is not left behind.
. regress/sys/lib.sh

half_made() {
	getent group games >/dev/null || skip "there is no group games"
	[ "$uid" -ne 0 ] || skip "root may give files to any group"
	conf cligroup '"games"'
	start_host
	has "$log" "socket $sock: Operation not permitted"
	has "$log" "there is no control socket; remote connections are served"
	[ ! -e "$sock" ] || fail "the socket is there"
	serves
	stop_host
}

as_user half_made
