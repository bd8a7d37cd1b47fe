#!/bin/sh
# SPDX-License-Identifier: ISC
# --status-fd tells who runs us how far a command is, which 255 alone does not;
# --pty gives a command a terminal, and --connect-timeout bounds the way there.
. regress/sys/lib.sh

# says STATUS LINES [FLAG]... -- COMMAND...: what exec tells on descriptor 5.
says() {
	wanted=$1
	lines=$2
	shift 2
	status=0
	on_host --status-fd 5 "$@" >"$dir/out" 2>"$dir/err.exec" \
		5>"$dir/told" || status=$?
	equal $status "$wanted" "status of $*"
	equal "$(cat "$dir/told")" "$lines" "what is told of $*"
}

# refuses TEXT FLAG...
refuses() {
	text=$1
	shift
	status=0
	run skypty "$@" >"$dir/out" 2>"$dir/err.refused" || status=$?
	equal $status 64 "status of $*"
	has "$dir/err.refused" "$text"
}

ends() {
	start_host
	says 0 "ready
exited 0" -- true
	says 255 "ready
exited 255" -- sh -c 'echo skypty: lost >&2; exit 255'
	equal "$(cat "$dir/err.exec")" "skypty: lost" "the command's own output"
	# shellcheck disable=SC2016
	says 255 "ready
signaled KILL
skypty: the command was killed by signal KILL" -- sh -c 'kill -9 $$'
	says 124 "ready
timedout" -t 1s -- sleep 100
	says 127 'ready
skypty: cannot start the command: fork/exec /nonexistent: no such file or directory
exited 127' -- /nonexistent
	# The host goes with all that it has: nobody knows how the command ends.
	# shellcheck disable=SC2016
	says 255 "ready
skypty: the stream ended before the command reported an exit code" \
		-- sh -c "kill -9 \$(ps -o pid= --ppid $host)"
	stop_host
	says 255 "skypty: 127.0.0.1 port $port: connection refused; is skyptyd running there?" -- touch \
		"$dir/begun"
	[ ! -s "$dir/err.exec" ] || fail "error output: $(cat "$dir/err.exec")"

	# Where nobody can hear of it nothing begins.
	start_host
	status=0
	on_host --status-fd 5 -- touch "$dir/begun" 5>/dev/full || status=$?
	equal $status 255 "status without a listener"
	[ ! -e "$dir/begun" ] || fail "a command began that nobody heard of"
	stop_host
	refuses "--status-fd 7: write the number of an open descriptor" \
		exec --status-fd 7 "$(dest)" -- true
	refuses "--status-fd needs a command" shell --status-fd 2 "$(dest)"
	refuses "write a time like 10s" exec --connect-timeout 0 "$(dest)" -- \
		true
}

# The way through a command does not have the descriptor.
kept() {
	start_host
	cat >"$dir/config" <<-END
		Host there
		    Key $pk
		    Address 127.0.0.1:$port
		    ProxyCommand sh -c 'ls /proc/self/fd >$dir/fds; exec $PYTHON $dir/lib/carry.py %h %p'
	END
	chmod 600 "$dir/config"
	[ -z "$as" ] || chown "$uid:$gid" "$dir/config"
	run skypty exec --status-fd 7 -i "$dir/client" --no-visor-key \
		-F "$dir/config" there -- true 7>"$dir/told" ||
		fail "by way of a command: $(cat "$dir/told")"
	hasnt "$dir/fds" 7
	stop_host
}

terminal() {
	start_host
	equal "$(on_host -- sh -c 'test -t 0 || echo none' </dev/null)" none \
		"a terminal unasked"
	equal "$(on_host --pty -- sh -c 'test -t 0 && tty; exit 0' </dev/null |
		tr -d '\r' | cut -c 1-9)" /dev/pts/ "a terminal"
	# Silent: it is connected to and says nothing.
	"$PYTHON" - "$dir/silent" <<-'END' &
		import socket, sys, time
		s = socket.create_server(("127.0.0.1", 0))
		with open(sys.argv[1] + ".new", "w") as f:
		    print(s.getsockname()[1], file=f)
		import os
		os.rename(sys.argv[1] + ".new", sys.argv[1])
		c = s.accept()
		while c[0].recv(4096):
		    pass
	END
	pids="$pids $!"
	wait_for "a silent host" test -s "$dir/silent"
	status=0
	run skypty exec --status-fd 5 --connect-timeout 1s -i "$dir/client" \
		--no-visor-key "tcp://$pk@127.0.0.1:$(cat "$dir/silent")" -- \
		true 5>"$dir/told" || status=$?
	equal $status 255 "status of a silent host"
	hasnt "$dir/told" ready
	has "$dir/told" "skypty: "
	stop_host
}

either ends
either kept
either terminal
