#!/bin/sh
# SPDX-License-Identifier: ISC
# The socket of a skyptyd that was killed is replaced by the next one's; one
# that somebody else has made since is left alone at the end.
. regress/sys/lib.sh

stale() {
	start_host
	kill -9 "$host"
	wait_gone "skyptyd" "$host"
	[ -S "$sock" ] || fail "no socket was left behind"
	start_host
	equal "$(run skypty exec -r "$sock" -- echo works)" works \
		"the new control socket"
	$as rm "$sock"
	$as touch "$sock"
	stop_host
	[ -f "$sock" ] || fail "a file that was not ours was removed"
	rm "$sock"
}

both stale
