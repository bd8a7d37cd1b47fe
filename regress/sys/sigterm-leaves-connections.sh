#!/bin/sh
# SPDX-License-Identifier: ISC
# SIGTERM ends the listeners and the control socket, not the connections; with
# the last of them skyptyd ends as well, with status 0.
. regress/sys/lib.sh

leaves() {
	start_host
	open_shell
	kill "$host"
	wait_for "the end of listening" grep -q "Listening ended" "$log"
	status=0
	on_host -- true 2>"$dir/err.exec" || status=$?
	equal $status 255 "status of a client that comes too late"
	has "$dir/err.exec" "refused"
	[ ! -e "$sock" ] || fail "the control socket is still there"

	type_in_shell works
	gone "$host" && fail "skyptyd left before its last connection"
	close_shell
	wait_gone "skyptyd" "$host"
	status=0
	wait "$host" || status=$?
	equal $status 0 "status of skyptyd"
}

both leaves
