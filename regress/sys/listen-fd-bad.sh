#!/bin/sh
# SPDX-License-Identifier: ISC
# A descriptor that is no connection is told and is an error.
. regress/sys/lib.sh

bad() {
	wanted=$1
	text=$2
	shift 2
	status=0
	run skyptyd tcp -c "$dir/host.json" "$@" 2>"$dir/err.host" || status=$?
	equal $status "$wanted" "status with $*"
	has "$dir/err.host" "$text"
}

descriptors() {
	bad 71 "--listen-fd 77: not a connected socket" --listen-fd 77
	bad 71 "--listen-fd 5: not a connected socket" --listen-fd 5 \
		5<"$dir/host.json"
	bad 64 "--listen-fd x" --listen-fd x
	bad 64 "--listen-fd -7" --listen-fd -7
	bad 64 "--listen-fd 99999999999" --listen-fd 99999999999
	# A listening socket is one for LISTEN_FDS.
	"$PYTHON" -c 'import os, socket, sys
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
os.dup2(s.fileno(), 9)
os.execv(sys.argv[1], sys.argv[1:])' "$bin/skyptyd" tcp \
		-c "$dir/host.json" --listen-fd 9 2>"$dir/err.host" &&
		fail "a listening socket was accepted"
	has "$dir/err.host" "--listen-fd 9: not a connected socket"
	# Nor a socket that could be sent from to anybody.
	"$PYTHON" -c 'import os, socket, sys
s = socket.socket(type=socket.SOCK_DGRAM); s.connect(("127.0.0.1", 9))
os.dup2(s.fileno(), 9)
os.execv(sys.argv[1], sys.argv[1:])' "$bin/skyptyd" tcp \
		-c "$dir/host.json" --listen-fd 9 2>"$dir/err.host" &&
		fail "a socket of UDP was accepted"
	has "$dir/err.host" "--listen-fd 9: not a connected stream"
	# And a connected one is none.
	sh -c 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"' sh "$bin/skyptyd" tcp \
		-c "$dir/host.json" --cliaddr "" 3</dev/null \
		2>"$dir/err.host" && fail "a file was accepted to listen on"
	has "$dir/err.host" "no listening stream socket"
}

either descriptors
