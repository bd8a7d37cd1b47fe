#!/bin/sh
# SPDX-License-Identifier: ISC
# Garbage in place of a handshake ends that connection without a byte in
# answer; skyptyd serves on.  What is shorter than any handshake costs no
# process, and ends when its time is over.
. regress/sys/lib.sh

# garbage NAME STEP...
garbage() {
	what=$1
	shift
	before=$(wc -l <"$log")
	raw "$@" drain >"$dir/out"
	equal "$(cat "$dir/out")" "${answer-eof}" "answer to $what"
	wait_for "the monitor's end" has_no_child "$host"
	tail -n +$((before + 1)) "$log" >"$dir/said"
	hasnt "$dir/said" signal
	hasnt "$dir/said" Accepted
}

# short NAME STEP...: the same, of too few bytes.
short() {
	hasnt "$log" "not finished"
	garbage "$@"
	has "$dir/said" "Handshake not finished within 2 seconds"
	stop_host
	start_host
}

# HEX with as many bytes behind it as make it worth a look.
padded() {
	echo "$1$(printf %0102d 0)"
}

text() {
	printf '%b' "$1" | od -An -tx1 | tr -d ' \n'
}

few_bytes() {
	conf handshake_timeout 2
	start_host
	short "an empty frame" raw 0000
	short "HTTP" raw "$(text 'GET / HTTP/1.1\r\n\r\n')"
	short "a byte too few" raw "0031$(printf '02%094d' 7)"
	stop_host
}

kinds() {
	conf maxperaddr 500
	start_host
	garbage "nothing" shut
	garbage "half a head" raw 00 shut
	garbage "HTTP" raw "$(padded "$(text 'GET / HTTP/1.1\r\n\r\n')")"
	garbage "SSH" raw "$(padded "$(text 'SSH-2.0-OpenSSH_9.9\r\n')")"
	garbage "an empty frame" raw "$(padded 0000)"
	has "$log" "Handshake failed"
	garbage "zeros" raw "0031$(printf %098d 0)"
	garbage "a frame that is too short" raw "$(padded 002002)"
	garbage "a length of 4095" raw "$(padded 0fff)"
	garbage "a length of 65535" raw "$(padded ffff)"
	has "$log" "bad handshake: not a message of Noise"
	garbage "a point that is none" \
		raw 003102"$(printf %064d 5)$(printf %032d 0)"
	garbage "a frame that is cut short" raw 0031020304 shut
	head -c 6000 /dev/urandom >"$dir/random"
	chmod 644 "$dir/random"
	for _ in 1 2 3 4 5 6 7 8; do
		head -c 6000 /dev/urandom >"$dir/random"
		raw replay "$dir/random" shut drain >"$dir/out"
	done
	serves

	# A good first message and then garbage.
	answer=
	raw hello raw "0041$(printf %0130d 0)" drain >"$dir/out"
	wait_for "the monitor's end" has_no_child "$host"
	raw hello raw ffff drain >"$dir/out"
	wait_for "the monitor's end" has_no_child "$host"
	hasnt "$log" Accepted.*Accepted
	unset answer
	serves
	hasnt "$log" "killed by signal"
	stop_host
}

either few_bytes
both kinds
