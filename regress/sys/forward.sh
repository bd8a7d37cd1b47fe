#!/bin/sh
# SPDX-License-Identifier: ISC
# skypty/1/forward on a connection of its own: what a key's permitopen= names is
# connected to, as its user, and nothing else; who cannot be reached is told
# with the reason; the process that connects ends with the connection.
. regress/sys/lib.sh

# line OPTIONS: of the client's key.
line() {
	echo "$1 $client a comment" >"$dir/pks"
	[ -z "$as" ] || chown "$uid:$gid" "$dir/pks"
}

# forward QUERY: our input goes there, what comes back goes to $dir/out.
forward() {
	raw handshake mux "skypty/1/forward?$1" relay >"$dir/out" 2>"$dir/err"
}

# reaches QUERY: whether the echo is there.
reaches() {
	rm -f "$dir/in" "$dir/out"
	mkfifo "$dir/in"
	forward "$1" <"$dir/in" &
	relay=$!
	pids="$pids $relay"
	exec 6>"$dir/in"
	echo works >&6
	wait_for "an answer of $1" answered
	exec 6>&-
	wait "$relay"
	grep -q "mux 0" "$dir/out" && grep -qx works "$dir/out"
}

answered() {
	grep -qx works "$dir/out" 2>/dev/null || gone "$relay"
}

# refuses WHY QUERY
refuses() {
	forward "$2" </dev/null
	has "$dir/out" "mux 1"
	has "$dir/out" "$1"
}

# An echo on TCP, at loopback, and one in the file system.
echoes() {
	$as "$PYTHON" "$LIB/echo_at.py" "$dir/ports" "$dir/echo.sock" \
		>"$dir/log.echo" 2>&1 &
	pids="$pids $!"
	wait_for "the echoes" test -s "$dir/ports"
	read -r v4 v6 full closed <"$dir/ports"
}

forwards() {
	wl='' && conf authorized_pks "\"$dir/pks\""
	echoes
	line 'permitopen="127.0.0.1:*",permitopen="[::1]:*",permitopen="localhost:*",permitopen="no.such.invalid:80",permitopen="'"$dir"'/echo.sock",permitopen="'"$dir"'/none.sock"'
	start_host
	reaches "host=127.0.0.1&port=$v4" || fail "no IPv4"
	[ "$v6" = 0 ] || reaches "host=%3A%3A1&port=$v6" || fail "no IPv6"
	reaches "host=localhost&port=$v4" || fail "no name"
	reaches "path=$dir/echo.sock" || fail "no socket in the file system"
	has "$log" "Forwarding to 127.0.0.1 port $v4"
	has "$log" "Forwarding to $dir/echo.sock"
	has "$log" "forwarded connection"

	# One side ends, and what the other says behind that comes all the same.
	head -c 3000000 /dev/zero | tr '\0' x >"$dir/much"
	forward "host=127.0.0.1&port=$v4" <"$dir/much"
	sed 1,2d "$dir/out" | cmp - "$dir/much" || fail "not all came back"

	# What cannot be reached, and why.
	refuses "Connection refused" "host=127.0.0.1&port=$closed"
	refuses "no.such.invalid: " "host=no.such.invalid&port=80"
	refuses "No such file" "path=$dir/none.sock"
	refuses "Connection timed out" "host=127.0.0.1&port=$full"

	# What is not permitted, however it is spelt.
	for bad in "host=127.0.0.2&port=$v4" "host=127.1&port=$v4" \
		"host=LOCALHOST&port=$v4" "host=localhost.&port=$v4" \
		"host=%5B%3A%3A1%5D&port=$v4" "host=0&port=$v4" \
		"host=%2A&port=$v4" "path=$dir/./echo.sock" \
		"path=$dir/other.sock"; do
		refuses "(permitopen)" "$bad"
	done
	has "$log" "Refused forwarding: to connect to 127.0.0.2 port $v4"
	refuses "no host and port" "host=127.0.0.1&port=0"
	refuses "no host and port" "host=&port=$v4"
	refuses "no host and port" "host=127.0.0.1&port=65536"
	refuses "no host and port" "host=127.0.0.1"
	refuses "no host and port" ""
	refuses "begins with a slash" "path=echo.sock"
	refuses "no control characters" "host=a%0Ab&port=$v4"

	line 'no-forwarding,permitopen="127.0.0.1:*"'
	refuses "nothing may be forwarded" "host=127.0.0.1&port=$v4"
	line 'restrict,permitopen="127.0.0.1:*"'
	refuses "nothing may be forwarded" "host=127.0.0.1&port=$v4"
	line "restrict,forwarding,permitopen=\"127.0.0.1:$v4\""
	reaches "host=127.0.0.1&port=$v4" || fail "restrict,forwarding"
	refuses "(permitopen)" "host=127.0.0.1&port=$closed"
	line ""
	refuses "(permitopen)" "host=127.0.0.1&port=$v4"
	line 'permitopen="*:*"'
	reaches "host=127.0.0.1&port=$v4" || fail "any host and port"
	refuses "(permitopen)" "path=$dir/echo.sock"
	line 'permitopen="/*"'
	reaches "path=$dir/echo.sock" || fail "any path"
	refuses "(permitopen)" "host=127.0.0.1&port=$v4"
	stop_host
	unset wl
}

# For keys of wl the configuration says it, and it says nothing by default.
defaults() {
	conf
	start_host
	refuses "(permitopen)" "host=127.0.0.1&port=$v4"
	stop_host
	conf permitopen "[\"127.0.0.1:$v4\", \"$dir/echo.sock\"]"
	start_host
	reaches "host=127.0.0.1&port=$v4" || fail "the configuration's"
	reaches "path=$dir/echo.sock" || fail "the configuration's path"
	refuses "(permitopen)" "host=127.0.0.1&port=$closed"
	run skyptyd check --key "$client" -c "$dir/host.json" >"$dir/out" 2>&1
	has "$dir/out" "permitopen      127.0.0.1 port $v4"
	run skyptyd check -T -c "$dir/host.json" >"$dir/out" 2>&1
	has "$dir/out" "\"permitopen\": [\"127.0.0.1:$v4\", \"$dir/echo.sock\"]"
	stop_host
}

# helper: the processes of skypty-forward.
helper() {
	pgrep -f "^skypty-forward" | while read -r p; do
		[ "$(readlink "/proc/$p/exe")" != "$bin/skypty-forward" ] ||
			echo "$p"
	done
}

no_helper() {
	[ -z "$(helper)" ]
}

# While a connection is open there are two of them, and none behind it.
ends() {
	conf permitopen "[\"127.0.0.1:$v4\"]"
	start_host
	mkfifo "$dir/hold"
	raw handshake mux "skypty/1/forward?host=127.0.0.1&port=$v4" relay \
		<"$dir/hold" >"$dir/out" 2>&1 &
	pids="$pids $!"
	exec 5>"$dir/hold"
	wait_for "the connection" grep -q "mux 0" "$dir/out"
	helper >"$dir/helpers"
	equal "$(wc -l <"$dir/helpers")" 2 "how many skypty-forward"
	while read -r p; do
		equal "$(awk '/^Uid:/ { print $2 }' "/proc/$p/status")" \
			"$uid" "whose"
		has "/proc/$p/status" "NoNewPrivs:	1"
		[ -n "$sanitized" ] || has "/proc/$p/status" "Seccomp:	2"
	done <"$dir/helpers"
	# It is killed: what it has made goes on.
	echo first >&5
	wait_for "an echo" grep -qx first "$dir/out"
	while read -r p; do
		kill -9 "$p"
	done <"$dir/helpers"
	wait_for "the end of skypty-forward" no_helper
	echo second >&5
	wait_for "another echo" grep -qx second "$dir/out"
	exec 5>&-
	wait_for "the end of the connection" has_no_child "$host"
	reaches "host=127.0.0.1&port=$v4" || fail "a connection behind that"
	wait_for "the end of skypty-forward" no_helper
	stop_host
}

# Names, with a name server of our own.
names() {
	[ "$(id -u)" -eq 0 ] && unshare -n -m true 2>/dev/null || return 0
	unshare -n -m "$PYTHON" "$LIB/forward_names.py" "$bin/skypty-forward" \
		"$uid" "$gid" "$dir" >"$dir/out" 2>&1 || fail "$(cat "$dir/out")"
	has "$dir/out" "all looked up"
}

all() {
	names
	forwards
	defaults
	ends
}

both all
