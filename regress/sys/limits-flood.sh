#!/bin/sh
# SPDX-License-Identifier: ISC
# A flood of connections, from addresses of all kinds, keeps nobody out, costs no
# more processes than the limits allow, and fills no log.
. regress/sys/lib.sh

# flood SOURCE SAID: goes on until it is ended.
flood() {
	spawn "$dir/made" "$PYTHON" "$LIB/flood.py" "$port" 700 "$1" "$2"
	flood=$pid
	wait_for "the flood" test -s "$dir/made"
}

end_flood() {
	alive "$flood" || fail "the flood has ended by itself"
	kill "$flood"
	wait_gone "the flood" "$flood"
	made=$(tail -n 1 "$dir/made")
}

# Meanwhile whoever is listed gets in, each time.
gets_in() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		serves_in_time
	done
	most=$(children "$host" | wc -l)
	[ "$most" -le "$1" ] || fail "$most monitors live"
}

strangers() {
	grep -vc 'Accepted key\|Connection closed\|Command \|^$' "$log"
}

# 100 are told of at once, and 5 a second, with no more than two lines each.
few_lines() {
	seconds=$(ps -o etimes= -p "$host")
	lines=$(strangers)
	[ "$lines" -le $((200 + 10 * (seconds + 2))) ] ||
		fail "$lines lines about $made connections in $seconds s"
}

# Who says nothing costs no process.
silent() {
	conf handshake_timeout 60
	start_host
	flood any ""
	gets_in 1
	end_flood
	few_lines
	stop_host
}

# Who says something wrong is held to a rate; the log tells how many more came.
wrong() {
	conf handshake_timeout 60
	start_host
	serves
	flood any "0031$(printf '02%096d' 7)"
	gets_in 110
	wait_for "the rest" told_rest
	end_flood
	few_lines
	stop_host
}

told_rest() {
	grep -q "and [0-9]* more that did not authenticate" "$log"
}

# An address that nobody has come from before, beside one that floods.
one_address() {
	conf handshake_timeout 60 maxperaddr 1000
	start_host
	flood 127.9.9.9 "0031$(printf '02%096d' 7)"
	gets_in 110
	end_flood
	few_lines
	stop_host
}

either silent
either wrong
either one_address
