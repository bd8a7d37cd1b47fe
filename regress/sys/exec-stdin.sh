#!/bin/sh
# SPDX-License-Identifier: ISC
# A command's input arrives as it was, of any size and as it comes; without any
# it reads nothing.
. regress/sys/lib.sh

input() {
	start_host
	equal "$(echo hello | on_host -- cat)" hello "a line"
	equal "$(on_host -- cat </dev/null)" "" "no input"
	equal "$(on_host --no-stdin -- readlink /proc/self/fd/0)" /dev/null \
		"input by --no-stdin"

	head -c 1048576 /dev/urandom >"$dir/bytes"
	on_host -- cat <"$dir/bytes" >"$dir/copy" ||
		fail "a mebibyte was not taken"
	cmp "$dir/copy" "$dir/bytes" || fail "a mebibyte was changed"
	# Nobody has to read it.
	on_host -- true <"$dir/bytes" || fail "unread input was an error"

	# Neither does it end there, and it arrives while it is sent.
	for _ in 1 2 3 4 5 6 7 8; do
		cat "$dir/bytes"
	done >"$dir/more"
	on_host -- cat <"$dir/more" >"$dir/copy" || fail "8 MiB were not taken"
	cmp "$dir/copy" "$dir/more" || fail "8 MiB were changed"
	mkfifo "$dir/fifo"
	on_host -- cat <"$dir/fifo" >"$dir/copy" &
	exec 7>"$dir/fifo"
	echo early >&7
	wait_for "input before its end" grep -q early "$dir/copy"
	exec 7>&-
	wait $! || fail "a slow input failed"
	serves
	stop_host
}

both input
