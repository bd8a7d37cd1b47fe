#!/bin/sh
# SPDX-License-Identifier: ISC
# A command's input arrives as it was, up to its limit; without any it reads
# nothing.
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

	echo >>"$dir/bytes"
	status=0
	on_host -- cat <"$dir/bytes" >"$dir/out" 2>"$dir/err.exec" || status=$?
	[ $status -ne 0 ] || fail "too much input was accepted"
	has "$dir/err.exec" "1 MiB"
	[ ! -s "$dir/out" ] || fail "the command was run all the same"
	serves
	stop_host
}

both input
