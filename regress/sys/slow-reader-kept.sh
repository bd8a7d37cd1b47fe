#!/bin/sh
# SPDX-License-Identifier: ISC
# Whoever reads nothing for longer than a dead peer is waited for keeps its
# connection, as long as its machine answers: a client whose output is not
# taken, and a host whose file server takes nothing.
# waits
. regress/sys/lib.sh

# Five seconds without an answer are the end of a peer.
patience=12
bytes=30000000

# slow_output: the host waits for the client.
slow_output() {
	truncate -s $bytes "$dir/zeros"
	chmod 644 "$dir/zeros"
	mkfifo -m 644 "$dir/fifo"
	exec 8<>"$dir/fifo"
	# shellcheck disable=SC2086
	$as "$bin/skypty" exec -i "$dir/client" --no-visor-key --via "$(dest)" \
		-t 0 -- sh -c "echo \$\$ >$dir/pid; exec cat <$dir/zeros" \
		>"$dir/fifo" 2>"$dir/err.exec" </dev/null &
	client_pid=$!
	pids="$pids $client_pid"
	wait_for "the command" test -s "$dir/pid"
	sleep $patience
	alive "$(cat "$dir/pid")" || fail "the command has ended"
	exec 9<"$dir/fifo" 8>&-
	equal "$(wc -c <&9)" $bytes "bytes of output"
	exec 9<&-
	status=0
	wait "$client_pid" || status=$?
	equal $status 0 "status of the command"
}

# slow_input: the client, whose time runs faster, waits for the host.
slow_input() {
	truncate -s $bytes "$dir/upload"
	LD_PRELOAD=$OBJ/regress/preload/fast_time.so FAST_TIME=10 \
		$as "$bin/skypty" cp -q -i "$dir/client" --no-visor-key \
		"$dir/upload" "$pk@127.0.0.1:$port:$dir/copy" \
		>"$dir/err.cp" 2>&1 </dev/null &
	client_pid=$!
	pids="$pids $client_pid"
	wait_for "the server to stall" test -e "$dir/stalls"
	sleep $patience
	touch "$dir/go_on"
	status=0
	wait "$client_pid" || status=$?
	equal $status 0 "status of the copy"
	cmp "$dir/upload" "$dir/copy" || fail "the copy is another"
}

# A file server that does nothing for a while, once it has begun to write, but
# for a word now and then, so that only TCP could take it for dead.
server() {
	cat >"$dir/server" <<-END
		#!$PYTHON
		import os, subprocess, sys, time
		p = subprocess.Popen(["$sftp"], stdin=subprocess.PIPE)
		taken = 0
		while True:
		    data = os.read(0, 65536)
		    if not data:
		        break
		    p.stdin.write(data)
		    p.stdin.flush()
		    taken += len(data)
		    if taken > 200000 and not os.path.exists("$dir/stalls"):
		        open("$dir/stalls", "w").close()
		        while not os.path.exists("$dir/go_on"):
		            time.sleep(0.1)
		p.stdin.close()
		sys.exit(p.wait())
	END
	chmod 755 "$dir/server"
}

kept() {
	sftp=$(run skyptyd check --cliaddr "" -c "$dir/host.json" 2>/dev/null |
		sed -n 's/^sftp.server *//p')
	[ -x "$sftp" ] || sftp=/usr/lib/openssh/sftp-server
	conf tcp_keepalive 1
	start_host
	slow_output
	serves
	stop_host
	[ -z "$sanitized" ] || return 0
	[ -x "$sftp" ] || return 0
	server
	conf tcp_keepalive 1 sftp_server "\"$dir/server\""
	start_host
	slow_input
	stop_host
}

either kept
