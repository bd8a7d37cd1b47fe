#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2046,SC2086
# After ^C in a flood little more is printed: what is under way to a terminal is
# bounded, however fast the network and however slow the terminal.
. regress/sys/lib.sh

LIMIT=1200000

flood() {
	n=$("$PYTHON" $LIB/flood_terminal.py "$@" 2>"$dir/err.flood") ||
		fail "$(cat "$dir/err.flood")"
	echo "$n bytes after ^C"
	[ "$n" -lt $LIMIT ] || fail "$n bytes came after ^C"
}

interrupted() {
	start_host
	flood $as $(as_ssh) -tt "$pk@127.0.0.1" "exec sh"
	flood $as "$bin/skypty" shell -c /bin/sh -i "$dir/client" \
		--no-visor-key "$(dest)"
	stop_host
}

either interrupted
