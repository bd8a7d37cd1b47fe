#!/bin/sh
# SPDX-License-Identifier: ISC
# A client that was stopped for longer than a silent host is waited for goes on
# when it is continued.
# waits
. regress/sys/lib.sh
need_filter

# 225 seconds of the client's time.
fast=15
seconds=15

# play PROGRAM ARGUMENT...: stops it twice.
play() {
	# shellcheck disable=SC2086
	printf '%s\n' 'raw' 'send echo be''fore\r' 'expect before' \
		'signal STOP' stopped "sleep $seconds" 'signal CONT' \
		"send echo af''ter\\r" 'expect after' \
		'send \r~\x1a' stopped "sleep $seconds" 'signal CONT' \
		"send echo at''last\\r" 'expect atlast' \
		'send exit 7\r' end |
		"$PYTHON" $LIB/on_tty.py 24 80 env \
			LD_PRELOAD="$OBJ/regress/preload/fast_time.so" \
			FAST_TIME=$fast $as "$@" \
			>"$dir/out" 2>&1 || fail "$(cat "$dir/out")"
}

goes_on() {
	start_host
	play "$bin/skypty" shell -c /bin/sh -i "$dir/client" \
		--no-visor-key "$(dest)"
	equal "$(cat "$dir/out")" 7 "status of the shell"
	# shellcheck disable=SC2046
	play $(as_ssh -tt -o SetEnv=SHELL=/bin/sh) "$pk@127.0.0.1" \
		/bin/sh
	equal "$(cat "$dir/out")" 7 "status of the command"
	stop_host
}

either goes_on
