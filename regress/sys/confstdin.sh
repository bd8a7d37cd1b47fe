#!/bin/sh
# SPDX-License-Identifier: ISC
# A configuration from standard input serves as well; a file beside it wins,
# and what came by standard input is not asked for again.
. regress/sys/lib.sh

input() {
	cp "$dir/host.json" "$dir/input"
	chmod 644 "$dir/input"
	log=$dir/log.stdin
	# shellcheck disable=SC2086
	$as "$bin/skyptyd" tcp --confstdin --addr 127.0.0.1:0 \
		--cliaddr "$sock" <"$dir/input" >"$log" 2>&1 &
	host=$!
	pids="$pids $host"
	wait_for "the host" served
	port=$(port_of "$log")
	serves
	kill -HUP "$host"
	wait_for "an explanation" grep -q "cannot be read again" "$log"
	serves
	if run skypty whitelist-add -r "$sock" "$pk" 2>"$dir/err.add"; then
		fail "a key was added to no file"
	fi
	has "$dir/err.add" "no configuration file to change"
	stop_host

	# Both: the file is read last.
	new_key other
	printf '{"sk": "%s", "maxperkey": 5, "maxperaddr": 6, "wl": ["%s"]}' \
		"$(secret)" "$key" >"$dir/input"
	conf maxperkey 7
	run skyptyd check --confstdin -c "$dir/host.json" <"$dir/input" \
		>"$dir/out" 2>"$dir/err.check" || [ -n "$sanitized" ] ||
		fail "$(cat "$dir/err.check")"
	has "$dir/out" "identity        $pk"
	has "$dir/out" "maxperkey 7, maxperaddr 6"
	has "$dir/out" "$key"
	has "$dir/out" "$client"

	echo '{"wl": 1}' >"$dir/input"
	status=0
	run skyptyd check --confstdin <"$dir/input" 2>"$dir/err.check" ||
		status=$?
	equal $status 78 "status with a mistake"
	has "$dir/err.check" "standard input: wl: not an array"
}

either input
