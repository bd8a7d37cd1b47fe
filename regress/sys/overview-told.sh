#!/bin/sh
# SPDX-License-Identifier: ISC
# What OVERVIEW says of a file or function that is not there is told with the
# line.
# once
. regress/sys/lib.sh

# told TEXT LINE: OVERVIEW has that line as well, and that is said of it.
told() {
	cp OVERVIEW "$dir/text"
	echo "$2" >>"$dir/text"
	if "$PYTHON" regress/overview.py "$dir/text" >"$dir/out" 2>&1; then
		fail "nothing is said of: $2"
	fi
	has "$dir/out" "$dir/text:$(wc -l <"$dir/text"): $1"
	equal "$(wc -l <"$dir/out")" 1 "lines about: $2"
}

overview() {
	"$PYTHON" regress/overview.py >"$dir/out" 2>&1 ||
		fail "$(cat "$dir/out")"

	told "daemon/lost.c: there is no such file" "daemon/lost.c does it."
	told "lost() is not in daemon/lobby.c" "daemon/lobby.c: lost()"
	told "lost[] is not in client/flags.c" "lost[] of client/flags.c"
	told "lobby_enter() is not in daemon/limits.c" \
		"daemon/lobby.c: lobby_enter() and daemon/limits.c: lobby_enter()"
}

either overview
