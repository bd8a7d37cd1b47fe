#!/bin/sh
# SPDX-License-Identifier: ISC
# Frames and messages behind a good handshake that are altered, repeated, too
# long or senseless end their connection and nothing else.
. regress/sys/lib.sh

# bad REASON STEP...: after the mux; the reason must be in the log.
bad() {
	reason=$1
	shift
	before=$(wc -l <"$log")
	raw handshake mux dmsgpty/pty start /bin/sleep 61 ';' reply "$@" \
		drain >"$dir/out" 2>&1 || :
	has "$dir/out" ok
	wait_for "the connection's end" has_no_child "$host"
	tail -n +$((before + 1)) "$log" >"$dir/said"
	has "$dir/said" "$reason"
	hasnt "$dir/said" "child killed"
}

kinds() {
	start_host
	bad "bad frame: too large" long
	bad "bad frame: authentication tag" badtag
	# The first of the two is no call either, but comes one by one.
	bad "bad " again
	bad "bad frame: unexpected end" raw 000701020304050607
	bad "bad frame: " raw 001801"$(printf %046d 0)"
	bad "bad frame: frame counter" raw 0018"$(printf %048d 0)"
	bad "bad call: too large" huge 0x40000000
	bad "bad call: too large" huge 0x00200001
	bad "bad call: " plain 00
	bad "bad call: " plain f7ffffffffffffffff
	bad "bad call: " plain "$(printf %0200d 3)"
	serves

	# A repeated frame by itself: what it holds is legal twice.
	before=$(wc -l <"$log")
	raw handshake again drain >"$dir/out"
	wait_for "the connection's end" has_no_child "$host"
	tail -n +$((before + 1)) "$log" >"$dir/said"
	has "$dir/said" "frame counter does not rise"

	# Services that are not there, and senseless names.
	for uri in dmsgpty/whitelist "dmsgpty/proxy?pk=$pk" nonsense "" \
		"dmsgpty/pty/" "%zz" "dmsgpty/pty%00"; do
		raw handshake mux "$uri" >"$dir/out"
		has "$dir/out" "mux 1"
	done
	for uri in /dmsgpty/pty "dmsgpty/pty?x=1"; do
		raw handshake mux "$uri" >"$dir/out"
		has "$dir/out" "mux 0"
	done
	serves
	stop_host
}

# Nothing is reserved because somebody says so.
announced() {
	start_host
	spawn "$dir/out" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" handshake mux dmsgpty/pty huge 0x001f0000 hold
	wait_for "the client" grep -q holding "$dir/out"
	monitor_of "$host"
	wait_for "the child" has_child "$monitor"
	net=$(children "$monitor")
	[ "$(memory "$net")" -lt 8000 ] ||
		fail "the child has taken $(memory "$net") KiB"
	stop_host
}

memory() {
	awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"
}

both kinds
[ -n "$sanitized" ] || either announced
