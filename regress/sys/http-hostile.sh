#!/bin/sh
# SPDX-License-Identifier: ISC
# skyptyd-http has been taken over.  Before anybody has logged in all that it
# gets of the monitor is lines in the log, escaped and few; afterwards what that
# browser has, too.  What else it asks for ends it, and another one is started,
# for which nothing is good that it may have seen.
# waits
. regress/sys/lib.sh
need_http

# browse: opens the link that was printed last, and waits for the end.
browse() {
	"$PYTHON" - "$(tail -n 1 "$dir/web.out")" <<-'EOF'
		import socket, sys, urllib.parse
		u = urllib.parse.urlsplit(sys.argv[1])
		s = socket.create_connection((u.hostname, u.port))
		s.sendall(f"GET {u.path}?{u.query} HTTP/1.1\r\n"
		          f"Host: {u.netloc}\r\n\r\n".encode())
		s.settimeout(60)
		try:
		    while s.recv(4096):
		        pass
		except ConnectionError:
		    pass
	EOF
}

attacks() {
	start_host
	cp "$HELPERS/hostile_http" "$bin/skyptyd-http"
	"$HELPERS/hostile_http" list >"$dir/attacks"
	[ "$(wc -l <"$dir/attacks")" -gt 30 ] || fail "there are no attacks"
	while IFS=$tab read -r name expect <&8; do
		order "$name"
		rm -f "$bin/kept"
		start_http
		case $name in
		visitor | replay | break-sockets)
			browse 8<&- &
			browser=$!
			pids="$pids $browser"
			;;
		esac
		case $name in
		replay) wait_for "a second one" replayed ;;
		*) wait_for "the end of $name" ended ;;
		esac
		tr -d '\000' <"$web_log" >"$dir/said"
		grep -qF -e "$expect" "$dir/said" ||
			fail "$name: '$expect' is not in: $(cat "$dir/said")"
		hasnt "$dir/said" "let it pass"
		alive "$web" || fail "$name: the monitor has ended"
		case $name in
		log-flood)
			[ "$(wc -l <"$dir/said")" -lt 1000 ] ||
				fail "$(wc -l <"$dir/said") lines were logged"
			;;
		last-words)
			# All of them, and the end behind them.
			[ "$(grep -n -A 1 "last word 9" "$dir/said" |
				grep -c "http ended")" -eq 1 ] ||
				fail "$(cat "$dir/said")"
			[ "$(grep -c "last word" "$dir/said")" -eq 10 ] ||
				fail "$(cat "$dir/said")"
			;;
		visitor | replay | break-sockets)
			# Its connection is nobody's after the child.
			wait_gone "the browser" "$browser"
			;;
		descriptors)
			[ "$(find "/proc/$web/fd" | wc -l)" -lt 40 ] ||
				fail "the monitor holds descriptors"
			;;
		esac
		stop_http
	done 8<"$dir/attacks"
	# One after the other, with a new link each.
	order silence
	start_http
	wait_for "three of them" enough
	[ "$(grep -c token= "$dir/web.out")" -ge 3 ] ||
		fail "the links: $(cat "$dir/web.out")"
	stop_http
	serves
	stop_host
}

# The next child serves, however the last one left what it had.
recovers() {
	start_host
	cp "$HELPERS/hostile_http" "$bin/skyptyd-http"
	order break-sockets
	start_http
	browse &
	pids="$pids $!"
	wait_for "its last word" grep -q "breaks its sockets" "$web_log"
	cp "$BIN/skyptyd-http" "$bin/skyptyd-http.new"
	mv "$bin/skyptyd-http.new" "$bin/skyptyd-http"
	wait_for "its end" ended
	wait_for "another link" another_link
	"$PYTHON" - "$(tail -n 1 "$dir/web.out")" <<-'EOF' ||
		import http.client, sys, urllib.parse
		u = urllib.parse.urlsplit(sys.argv[1])
		c = http.client.HTTPConnection(u.netloc, timeout=60)
		c.request("GET", f"{u.path}?{u.query}")
		sys.exit(c.getresponse().status != 303)
	EOF
		fail "the next one does not serve"
	stop_http
	stop_host
}

another_link() {
	[ "$(grep -c token= "$dir/web.out")" -ge 2 ]
}

replayed() {
	grep -qE 'replayed|let it pass|no browser' "$web_log"
}

ended() {
	grep -qE 'http (ended|was killed)' "$web_log"
}

enough() {
	[ "$(grep -c 'http ended' "$web_log")" -ge 2 ] &&
		[ "$(grep -c token= "$dir/web.out")" -ge 3 ]
}

tab=$(printf '\t')
either attacks
either recovers
