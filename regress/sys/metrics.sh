#!/bin/sh
# SPDX-License-Identifier: ISC
# "metrics" serves the counters on a port of this machine, and on no other;
# they count what has happened; readers that say nothing, too much, or never
# read keep nobody else from it, nor from the host.
# waits
. regress/sys/lib.sh

begin_metrics() {
	at=$(free_port)
	conf metrics "\"127.0.0.1:$at\"" "$@"
	start_host
}

fetch() {
	"$PYTHON" -c '
import sys, urllib.request
url = "http://127.0.0.1:%s/metrics" % sys.argv[1]
with urllib.request.urlopen(url, timeout=60) as r:
    assert r.headers["Content-Type"] == "text/plain; version=0.0.4"
    sys.stdout.write(r.read().decode("ascii"))' "$at" >"$dir/metrics"
}

# counts 'LINE': of the metrics, sooner or later.
counts() {
	wait_for "'$1' in the metrics" counted "$1"
}

counted() {
	fetch && grep -qxE "skypty_$1" "$dir/metrics"
}

told() {
	begin_metrics
	counts 'connections_total\{carrier="tcp"\} 0'
	on_host -- sh -c 'head -c 200000 /dev/zero' >"$dir/out"
	on_host -- true
	counts 'authenticated_total\{carrier="tcp"\} 2'
	counts 'sessions_total\{kind="command"\} 2'
	counts 'sessions_total\{kind="terminal"\} 0'
	counts 'sent_bytes_total 2[0-9]{5}'
	counts 'received_bytes_total [0-9]{3,4}'
	counts 'handshake_seconds_count 2'
	counts 'handshake_seconds_sum [0-9]+\.[0-9]{3}'
	new_key stranger
	"$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" "$dir/stranger" \
		handshake >"$dir/out" 2>&1
	counts 'unauthenticated_total\{reason="authfail"\} 1'
	# A point that is none.
	"$PYTHON" -c '
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.send(b"\0" * 60)
while s.recv(100): pass' "$port"
	counts 'unauthenticated_total\{reason="(handshake|noauth)"\} 1'
	open_shell
	counts 'sessions_total\{kind="terminal"\} 1'
	counts 'connections\{state="authenticated"\} 1'
	exec 9>&-
	counts 'connections\{state="authenticated"\} 0'
	[ ! -x /usr/lib/openssh/sftp-server ] || {
		echo bytes >"$dir/bytes"
		chmod 644 "$dir/bytes"
		run skypty cp -q -i "$dir/client" --no-visor-key \
			"$(dest):$dir/bytes" "$dir/back"
		counts 'sessions_total\{kind="files"\} 1'
	}
	run skyptyd status --metrics --cliaddr "$sock" >"$dir/status"
	equal "$(sed 's/ [0-9.]*$//' "$dir/status")" \
		"$(sed 's/ [0-9.]*$//' "$dir/metrics")" "both ways"
	well_formed
	stop_host
	fetch 2>/dev/null && fail "the port is served still"
	start_host
	fetch || fail "it cannot be served again"
	stop_host
}

# As the text format wants it: help and type once, before the samples, which
# stand together; no sample twice.
well_formed() {
	"$PYTHON" - "$dir/metrics" <<-'END' || fail "not well-formed"
		import re, sys
		seen, typed, last = set(), {}, None
		for line in open(sys.argv[1], encoding="ascii"):
		    m = re.fullmatch(r"# (HELP|TYPE) (\w+) (.+)\n", line)
		    if m:
		        key = (m[1], m[2])
		        assert key not in seen, line
		        seen.add(key)
		        if m[1] == "TYPE":
		            assert m[3] in ("counter", "gauge", "summary")
		            typed[m[2]] = m[3]
		            last = m[2]
		        continue
		    m = re.fullmatch(
		        r'(\w+)((?:\{\w+="[\w-]+"\})?) \d+(\.\d+)?\n', line)
		    assert m, line
		    assert m[1] == last, line
		    assert (m[1], m[2]) not in seen
		    seen.add((m[1], m[2]))
		assert len(typed) > 10
	END
}

refused() {
	for bad in 0.0.0.0:9100 :9100 '[::]:9100' 192.0.2.1:9100 10.0.0.1:9100 \
		'[2001:db8::1]:9100' '[::ffff:127.0.0.1]:9100' localhost:9100 \
		127.0.0.1 127.0.0.1:0 127.0.0.1:http 127.0.0.1:65536 9100; do
		conf metrics "\"$bad\""
		$as "$bin/skyptyd" check -c "$dir/host.json" >"$dir/out" 2>&1
		equal $? 78 "the status of check for $bad"
		has "$dir/out" "metrics: "
	done
	conf metrics '"0.0.0.0:9100"'
	$as "$bin/skyptyd" check -c "$dir/host.json" >"$dir/out" 2>&1
	has "$dir/out" "others can reach that"
	begin_metrics
	mine=$sock
	sock=$dir/other.sock
	# shellcheck disable=SC2086
	timeout 60 $as "$bin/skyptyd" tcp -c "$dir/host.json" --addr 127.0.0.1:0 \
		--cliaddr "$sock" >"$dir/out" 2>&1
	equal $? 71 "the status where the port is taken"
	has "$dir/out" "cannot listen on 127.0.0.1:$at for metrics"
	sock=$mine
	stop_host
}

hostile() {
	begin_metrics
	"$PYTHON" - "$at" >"$dir/held" <<-'END' &
		import socket, sys, time
		to = ("127.0.0.1", int(sys.argv[1]))
		held = [socket.create_connection(to) for _ in range(100)]
		print("there", flush=True)
		n = 0
		while True:
		    # Silent ones, ones that go on, ones that never read.
		    s = socket.socket()
		    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
		    s.connect(to)
		    held.append(s)
		    for t in held[-3:]:
		        try:
		            t.setblocking(False)
		            t.send(b"\xff\0GET / HTTP/9\n" * 1000)
		        except OSError:
		            pass
		    for t in held[:-100]:
		        t.close()
		    held = held[-100:]
		    n += 1
		    if n == 300:
		        print("more", flush=True)
		    time.sleep(0.005)
	END
	pids="$pids $!"
	hostile=$!
	wait_for "hostile readers" grep -q more "$dir/held"
	on_host -- true || fail "the host does not serve"
	wait_for "the counters" fetch
	open=$(find "/proc/$host/fd" | wc -l)
	[ "$open" -lt 60 ] || fail "$open descriptors"
	kill "$hostile"
	wait_gone "they" "$hostile"
	# A large request, of which nothing is looked at.
	"$PYTHON" -c '
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"GET /" + b"x" * 300000)
s.shutdown(socket.SHUT_WR)
text = b""
while True:
    more = s.recv(65536)
    if not more:
        break
    text += more
assert text.startswith(b"HTTP/1.0 200 OK\r\n"), text
assert text.endswith(b"\n")' "$at" || fail "a large request"
	# Who says nothing goes by itself.
	"$PYTHON" -c '
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.settimeout(60)
assert s.recv(100) == b""' "$at" || fail "who is silent stays"
	stop_host
}

either told
either refused
either hostile
