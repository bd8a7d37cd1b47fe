#!/bin/sh
# SPDX-License-Identifier: ISC
# Flags win over the environment, that over the file, that over defaults.
. regress/sys/lib.sh

control() {
	run skyptyd check -c "$dir/host.json" "$@" 2>"$dir/err.check" |
		sed -n 's/^control socket *//p'
}

precedence() {
	default=/run/skyptyd/pty.sock
	if [ "$uid" -ne 0 ]; then
		XDG_RUNTIME_DIR=$dir/run
		export XDG_RUNTIME_DIR
		$as mkdir -m 700 "$dir/run"
		default=$dir/run/skyptyd/pty.sock
	fi
	equal "$(control)" "$default" "default"
	conf cliaddr "\"$dir/file\""
	equal "$(control)" "$dir/file" "file"
	DMSGPTY_CLIADDR=$dir/environment
	OTHER_CLIADDR=$dir/other
	export DMSGPTY_CLIADDR OTHER_CLIADDR
	equal "$(control)" "$dir/environment" "environment"
	equal "$(control --envprefix OTHER)" "$dir/other" "another prefix"
	equal "$(control --envprefix NONE)" "$dir/file" "a prefix of nothing"
	equal "$(control --cliaddr "$dir/flag")" "$dir/flag" "flag"
	equal "$(control --cliaddr "")" none "empty flag"
	DMSGPTY_CLIADDR=
	equal "$(control)" "$dir/file" "empty environment"
	unset DMSGPTY_CLIADDR

	conf clinet '"tcp"'
	equal "$(control)" "" "another network"
	has "$dir/err.check" 'clinet: "tcp"'
	DMSGPTY_CLINET=unix
	export DMSGPTY_CLINET
	equal "$(control)" "$default" "the environment's network"
	unset DMSGPTY_CLINET

	for bad in "DMSGPORT=70000" "DMSGPORT=x" "DMSGSESSIONS=-1"; do
		export "DMSGPTY_$bad"
		status=0
		run skyptyd check -c "$dir/host.json" >"$dir/out" \
			2>"$dir/err.check" || status=$?
		equal $status 78 "status with $bad"
		has "$dir/err.check" "DMSGPTY_${bad%%=*}"
		unset "DMSGPTY_${bad%%=*}"
		conf
	done

	# Addresses: the flag's instead of the file's.
	conf ssh_listen '"127.0.0.1:1"'
	run skyptyd check -c "$dir/host.json" >"$dir/out" 2>&1
	has "$dir/out" "listen          127.0.0.1:1"
	run skyptyd check -c "$dir/host.json" --addr 127.0.0.1:2 >"$dir/out" 2>&1
	has "$dir/out" "listen          127.0.0.1:2"

	# It is also what happens.
	DMSGPTY_CLIADDR=$dir/environment
	export DMSGPTY_CLIADDR
	conf ssh_listen '"127.0.0.1:0"'
	log=$dir/log.environment
	spawn "$log" "$bin/skyptyd" tcp -c "$dir/host.json"
	host=$pid
	unset DMSGPTY_CLIADDR
	wait_for "the host" served
	port=$(port_of "$log")
	[ -S "$dir/environment" ] || fail "no control socket"
	serves
	stop_host
}

either precedence
