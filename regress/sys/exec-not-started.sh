#!/bin/sh
# SPDX-License-Identifier: ISC
# A command that cannot be started is told with its reason, in the original's
# words, and leaves nothing behind.
. regress/sys/lib.sh

# refused_with STATUS TEXT COMMAND...
refused_with() {
	wanted=$1
	text=$2
	shift 2
	status=0
	on_host -- "$@" >"$dir/out" 2>"$dir/err.exec" || status=$?
	equal $status "$wanted" "status of $*"
	has "$dir/err.exec" "cannot start the command: $text"
	[ ! -s "$dir/out" ] || fail "there is output: $(cat "$dir/out")"
}

not_started() {
	start_host
	$as touch "$dir/plain"
	refused_with 127 'fork/exec /nonexistent/x: no such file or directory' \
		/nonexistent/x
	refused_with 127 'exec: "nonexistent-x": executable file not found in $PATH' \
		nonexistent-x
	refused_with 126 "fork/exec $dir/plain: permission denied" "$dir/plain"
	refused_with 126 "fork/exec $dir: permission denied" "$dir"
	refused_with 127 'exec: ".": executable file not found in $PATH' .

	# Neither can a shell be started so, and the connection goes on.
	raw handshake mux dmsgpty/pty start /nonexistent/x ';' reply \
		exec nonexistent-x ';' reply exec '' ';' reply \
		start /bin/echo works ';' reply reads 1 reply >"$dir/out"
	has "$dir/out" \
		'error: fork/exec /nonexistent/x: no such file or directory'
	has "$dir/out" 'exit -1'
	has "$dir/out" 'error: dmsgpty: Exec: empty command name'
	has "$dir/out" 'read: works'

	status=0
	run skypty shell -i "$dir/client" --no-visor-key -c /nonexistent/x \
		"$(dest)" </dev/null >"$dir/out" 2>"$dir/err.shell" || status=$?
	equal $status 127 "status of a shell that does not exist"
	has "$dir/err.shell" 'no such file or directory'
	wait_for "reaping" has_no_child "$host"
	stop_host
}

both not_started
