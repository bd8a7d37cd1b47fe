#!/bin/sh
# SPDX-License-Identifier: ISC
# Mistakes of a configuration are told with file and key, all of them, and end
# with status 78; a key that is not known is told and ignored.
. regress/sys/lib.sh

file() {
	printf '%s\n' "$1" >"$dir/bad.json"
}

# bad JSON MESSAGE...
bad() {
	file "$1"
	shift
	for mode in "tcp --addr 127.0.0.1:0 --cliaddr $sock" check; do
		status=0
		# shellcheck disable=SC2086
		run skyptyd $mode -c "$dir/bad.json" >"$dir/out" \
			2>"$dir/err.host" || status=$?
		equal $status 78 "status of $(cat "$dir/bad.json")"
		for text; do
			has "$dir/err.host" "$dir/bad.json: $text"
		done
	done
}

errors() {
	sk="\"sk\": \"$host_sk\""
	bad "{$sk, \"wl\": \"x\"}" "wl: not an array"
	bad "{$sk, \"wl\": [\"02ab\", \"$client\", 7]}" \
		"wl[0]: not a public key" "wl[2]: not a string"
	bad "{$sk, \"maxperkey\": \"5\", \"cliaddr\": 7}" \
		"maxperkey: not a number" "cliaddr: not a string"
	bad "{$sk, \"maxperkey\": 0}" "maxperkey: "
	bad "{$sk, \"maxperkey\": -1}" "maxperkey: "
	bad "{$sk, \"maxperkey\": 1.5}" "maxperkey: "
	bad "{$sk, \"maxperkey\": 99999999999999999999}" "maxperkey: "
	bad "{$sk, \"dmsgport\": 65536}" "dmsgport: not a port number"
	bad "{$sk, \"maxstartups\": \"5:x\"}" "maxstartups: "
	bad "{$sk, \"maxstartups\": \"10:30:5\"}" "maxstartups: "
	bad "{$sk, \"sandbox\": \"none\"}" "sandbox: "
	bad "{$sk, \"handshake_timeout\": 0}" "handshake_timeout: "
	bad '{"sk": "zz"}' "sk: not a secret key"
	bad "{\"sk\": \"$(printf %064d 0)\"}" "sk: not a secret key"
	bad "{$sk, \"pk\": \"$client\"}" "pk: is not the public key of sk"
	bad "{$sk, \"pk\": 1}" "pk: not a string"
	bad "{$sk, $sk}" ""
	bad "{$sk} {" ""
	bad "{$sk" ""
	bad "[]" ""
	bad "" ""
	bad "{$sk, \"a\": $(printf '%064d' 0 | tr 0 '[')}" ""

	# The secret itself is not among what is told.
	bad "{\"sk\": \"${host_sk}0\"}" "sk: not a secret key"
	hasnt "$dir/err.host" "$host_sk"

	file "{$sk, \"maxperkeys\": 7, \"privsep_user\": \"$privsep\"}"
	run skyptyd check -c "$dir/bad.json" >"$dir/out" 2>"$dir/err.host" ||
		[ -n "$sanitized" ] || fail "an unknown key was an error"
	has "$dir/err.host" "$dir/bad.json: maxperkeys: unknown key, ignored; \
did you mean \"maxperkey\"?"
	has "$dir/out" "identity        $pk"
}

# What a visor's configuration has.
hints() {
	sk="\"sk\": \"$host_sk\""
	file "{$sk, \"whitelist\": [], \"reboot\": 1, \"privsep_user\": \"$privsep\"}"
	run skyptyd check -c "$dir/bad.json" >"$dir/out" 2>"$dir/err.host" ||
		[ -n "$sanitized" ] || fail "an unknown key was an error"
	has "$dir/err.host" 'whitelist: unknown key, ignored; did you mean "wl"?'
	grep -q 'reboot: unknown key, ignored$' "$dir/err.host" ||
		fail "something was suggested for nonsense"
}

# refused STATUS TEXT FLAG...: by the daemon and by check for it alike.
refused() {
	wanted=$1
	text=$2
	mode=$3
	shift 3
	for what in "$mode" "check $mode"; do
		status=0
		# shellcheck disable=SC2086
		$as timeout 60 "$bin/skyptyd" $what --cliaddr "" \
			-c "$dir/bad.json" "$@" \
			>"$dir/out" 2>"$dir/err.host" || status=$?
		equal $status "$wanted" "status of $what $*"
		has "$dir/err.host" "$text"
	done
}

# Nothing that waiting would cure has a status with which it is started again.
addresses() {
	sk="\"sk\": \"$host_sk\", \"privsep_user\": \"$privsep\""
	for addr in :99999 '[::1' :-1; do
		file "{$sk, \"ssh_listen\": \"$addr\"}"
		refused 78 "ssh_listen: \"$addr\": write HOST:PORT" tcp
		file "{$sk}"
		refused 64 "--addr: \"$addr\": write HOST:PORT" tcp \
			--addr "$addr"
	done
	file "{$sk}"
	refused 64 "neither a number nor in /etc/services" tcp --addr :notaport
	refused 78 "nowhere to listen" dmsg --no-dmsg
	# What divides addresses is none.
	file "{$sk, \"ssh_listen\": \", \"}"
	refused 78 "nowhere to listen" dmsg --no-dmsg
	file "{$sk}"
	refused 78 "nowhere to listen" tcp --addr ,
	# That it is no name every resolver knows, or none can be asked.
	refused 71 "cannot listen on \"[fe80::1%nowhere]:2022\"" tcp \
		--addr "127.0.0.1:0,[fe80::1%nowhere]:2022"
	refused 78 "none of http://, https:// and dmsg://" dmsg \
		--dmsgdisc gopher://x
	run skyptyd check tcp -c "$dir/bad.json" >"$dir/out" 2>"$dir/err.host" ||
		[ -n "$sanitized" ] || fail "a configuration of confgen's is bad"
	has "$dir/out" "listen          :2022"
	run skyptyd check -c "$dir/bad.json" >"$dir/out" 2>"$dir/err.host" ||
		[ -n "$sanitized" ] || fail "check fails"
	has "$dir/out" "nowhere; tcp and host: :2022"
}

places() {
	status=0
	run skyptyd check -c "$dir/nothing" 2>"$dir/err.host" || status=$?
	equal $status 78 "status without a file"
	has "$dir/err.host" "$dir/nothing: No such file or directory"
	has "$dir/err.host" confgen
	status=0
	run skyptyd check -c "$dir" 2>"$dir/err.host" || status=$?
	equal $status 78 "status of a folder"
	has "$dir/err.host" "$dir: "
	status=0
	run skyptyd check -c /dev/zero 2>"$dir/err.host" || status=$?
	equal $status 78 "status of a device"
	head -c 1100000 /dev/zero | tr '\0' ' ' >"$dir/bad.json"
	status=0
	run skyptyd check -c "$dir/bad.json" 2>"$dir/err.host" || status=$?
	equal $status 78 "status of a file that is too long"
}

account() {
	privsep=no-such-account conf
	status=0
	run skyptyd check -c "$dir/host.json" 2>"$dir/err.host" || status=$?
	equal $status 78 "status without the account"
	has "$dir/err.host" 'no account is called "no-such-account"'
	has "$dir/err.host" useradd
	privsep=root conf
	status=0
	run skyptyd check -c "$dir/host.json" 2>"$dir/err.host" || status=$?
	equal $status 78 "status with root as the account"
}

either errors
either hints
either addresses
either places
[ "$(id -u)" -ne 0 ] || as_root account
