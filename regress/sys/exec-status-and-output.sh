#!/bin/sh
# SPDX-License-Identifier: ISC
# A command's exit status, output and errors arrive as they were.
. regress/sys/lib.sh

status_of() {
	wanted=$1
	shift
	status=0
	on_host -t 0 -- "$@" >"$dir/out" 2>"$dir/err.exec" || status=$?
	equal $status "$wanted" "status of $*"
}

output() {
	start_host
	status_of 0 true
	status_of 1 false
	status_of 7 sh -c 'exit 7'
	status_of 255 sh -c 'exit 255'
	status_of 255 sh -c 'kill -9 $$'
	status_of 3 sh -c 'echo out; echo err >&2; exit 3'
	equal "$(cat "$dir/out")" out "standard output"
	equal "$(cat "$dir/err.exec")" err "standard error"

	# Arguments are passed one by one, through no shell.
	equal "$(on_host -- printf '%s|' 'a  b' '$HOME' '*' '' "'" "ü")" \
		"a  b|\$HOME|*||'|ü|" "arguments"

	head -c 3000000 /dev/urandom >"$dir/bytes"
	chmod 644 "$dir/bytes"
	on_host -- cat "$dir/bytes" | cmp - "$dir/bytes" ||
		fail "output was changed"
	on_host -- sh -c "cat '$dir/bytes' >&2" 2>&1 >/dev/null |
		cmp - "$dir/bytes" || fail "errors were changed"

	# There is no limit to it.
	status_of 5 sh -c 'head -c 40000000 /dev/zero; exit 5'
	equal "$(wc -c <"$dir/out")" 40000000 "bytes of output"
	stop_host
}

both output
