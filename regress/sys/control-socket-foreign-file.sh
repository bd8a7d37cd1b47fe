#!/bin/sh
# SPDX-License-Identifier: ISC
# What stands where the control socket is to be and is not a dead socket of
# ours is neither removed nor used; skyptyd says so and serves the network all
# the same: in a folder like /tmp anybody could keep it from starting.
. regress/sys/lib.sh

stands() {
	before=$(stat -c '%i %F %s' "$sock")
	other=$dir/log.other
	spawn "$other" "$bin/skyptyd" tcp -c "$dir/host.json" \
		--addr 127.0.0.1:0 --cliaddr "$sock"
	second=$pid
	wait_for "$1: the host" grep -q 'Serving as' "$other"
	has "$other" "$sock"
	has "$other" "$2"
	has "$other" "there is no control socket"
	port=$(port_of "$other") serves
	wait_for "its end" terminated "$second"
	equal "$(stat -c '%i %F %s' "$sock")" "$before" "$1"
}

foreign() {
	text="is not a socket of ours"
	echo content >"$sock"
	stands "a file" "$text"
	equal "$(cat "$sock")" content "content"
	rm "$sock"
	mkdir "$sock"
	stands "a directory" "$text"
	rmdir "$sock"
	ln -s nowhere "$sock"
	stands "a dangling link" "$text"
	[ ! -e "$dir/nowhere" ] || fail "the link was followed"
	rm "$sock"

	# A link to a socket that would be ours to remove.
	sock=$dir/dead start_host
	kill -9 "$host"
	wait_gone "skyptyd" "$host"
	ln -s dead "$sock"
	stands "a link to a dead socket" "$text"
	[ -S "$dir/dead" ] || fail "the link's target was removed"
	rm "$sock"

	start_host
	stands "another host's socket" "is in use by another process"
	serves
	equal "$(run skypty exec -r "$sock" -- echo works)" works \
		"the other host's control socket"
	stop_host
	if [ "$(id -u)" -eq 0 ]; then
		"$PYTHON" -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$sock"
		chown 65533 "$sock"
		stands "somebody else's dead socket" "$text"
		rm "$sock"
	fi
}

both foreign
