#!/bin/sh
# SPDX-License-Identifier: ISC
# What a host's confined process says of its state, and why it refuses, drives no
# terminal, in words or as JSON, and ends.
. regress/sys/lib.sh

# say FILE [refuse]: a host that says this.
say() {
	serial=$((serial + 1))
	bad=$dir/bad.$serial
	spawn "$dir/log.say$serial" "$PYTHON" regress/sys/say_status.py "$bad" "$@"
	wait_for "the socket" grep -q ready "$dir/log.say$serial"
}

status() {
	status=0
	run skypty dmsg status --cliaddr "$bad" "$@" >"$dir/out" \
		2>"$dir/err.status" || status=$?
}

# clean: nothing is left that a terminal obeys or that is not seen.
clean() {
	$PYTHON - "$dir/out" "$dir/err.status" <<-'END' || fail "$(od -c "$dir/out")"
		import sys, unicodedata
		for name in sys.argv[1:]:
		    with open(name, encoding="utf-8", newline="") as f:
		        for c in f.read():
		            if c not in "\n\t" and unicodedata.category(c)[0] in "CZ" and c != " ":
		                sys.exit(f"{name}: U+{ord(c):04X}")
	END
}

# In a member for each thing that is said, escaped as JSON has it and raw.
hostile() {
	$PYTHON - "$dir/status" "$1" <<-'END'
		import json, sys
		evil = "a\x1b[2J\x1b]0;x\x07\x7f\x9b31m\u202e\u200b\u2066\ufeff\u2028\U000e0001gr\u00fcn\u6f22"
		one = {"address": evil, "pk": evil, "rtt_ms": evil, "streams": evil, "up": True, evil: evil}
		st = {"port": evil, "servers": evil, "streams": evil, "entry_age_s": evil,
		      "last_error": evil, evil: evil, "sessions": [one, one]}
		text = json.dumps(st, ensure_ascii=sys.argv[2] == "escaped")
		with open(sys.argv[1], "wb") as f:
		    f.write(text.replace("\\u007f", "\x7f").encode())
	END
}

escaped() {
	for how in escaped raw; do
		hostile $how
		say "$dir/status"
		status
		equal $status 0 "status, $how"
		clean
		has "$dir/out" 'last error: a\033[2J\033]0;x\a\177\u009b31m\u202e\u200b\u2066\ufeff\u2028\U000e0001'
		has "$dir/out" "port 0, 0 streams, 0 servers known"
		has "$dir/out" "  0 ms  0 streams"
		# Text is text.
		LC_ALL='' LANG='' status
		has "$dir/out" "$(printf 'gr\303\274n\346\274\242')"
		LC_ALL=C status
		hasnt "$dir/out" "$(printf '\303\274')"
		clean
		for locale in C C.UTF-8; do
			LC_ALL=$locale status --json
			equal $status 0 "status of JSON, $how"
			clean
			$PYTHON - "$dir/out" "$dir/status" <<-'END' || fail "other JSON"
				import json, sys
				a, b = (json.load(open(n, encoding="utf-8")) for n in sys.argv[1:])
				sys.exit(a != b)
			END
		done
	done
	# Numbers are numbers, and what is none is no status.
	printf '{"port":22,"streams":7,"entry_age_s":12,"sessions":[{"address":"a:1","rtt_ms":3,"up":true}]}' \
		>"$dir/status"
	say "$dir/status"
	status
	has "$dir/out" "port 22, 7 streams, 0 servers known"
	has "$dir/out" "3 ms"
	for text in '[]' '{' '{"a":1}x' '\377' '"\033[2J"' '{"a":"\033"}'; do
		# shellcheck disable=SC2059
		printf "$text" >"$dir/status"
		for flag in '' --json; do
			# shellcheck disable=SC2086
			status $flag
			equal "$status $(wc -c <"$dir/out")" "255 0" "$text"
			has "$dir/err.status" "is malformed"
			clean
		done
	done
	# Why it does not dial.
	printf 'no\033[2J\302\233\342\200\256\nway' >"$dir/status"
	say "$dir/status" refuse
	status=0
	run skypty exec --cliaddr "$bad" "$pk" -- true >"$dir/out" \
		2>"$dir/err.status" || status=$?
	equal $status 255 "status of a refusal"
	has "$dir/err.status" 'no\033[2J\u009b\u202e\nway'
	clean
	# One that is long is told so; one without an end has one.
	head -c 102400 /dev/zero | tr '\0' ' ' >"$dir/status"
	say "$dir/status"
	status
	equal $status 255 "status of 100 kB"
	has "$dir/err.status" "longer than 65536 bytes"
	say -
	status
	equal $status 255 "status without an end"
	has "$dir/err.status" "longer than 65536 bytes"
}

either escaped
