#!/bin/sh
# SPDX-License-Identifier: ISC
# --daemon serves in the background, away from the terminal, once it listens;
# what keeps it from listening is told before.
. regress/sys/lib.sh

background() {
	port=$(free_port)
	run skyptyd tcp --daemon -c "$dir/host.json" --cliaddr "$sock" \
		--addr "127.0.0.1:$port" </dev/null >"$dir/out" 2>&1 ||
		fail "it does not start: $(cat "$dir/out")"
	host=$(pgrep -f "^$bin/skyptyd tcp --daemon")
	[ -n "$host" ] || fail "there is no daemon"
	pids="$pids $host"
	serves
	equal "$(ps -o ppid=,tty= -p "$host" | tr -s ' ' | sed 's/^ //')" \
		"1 ?" "parent and terminal"
	equal "$(ps -o sid= -p "$host" | tr -d ' ')" \
		"$(ps -o pgid= -p "$host" | tr -d ' ')" "session"
	if [ "$(id -u)" -eq 0 ]; then
		equal "$(readlink "/proc/$host/fd/0" "/proc/$host/fd/1" \
			"/proc/$host/fd/2" | sort -u)" /dev/null \
			"standard descriptors"
	fi

	status=0
	run skyptyd tcp --daemon -c "$dir/host.json" --cliaddr "" \
		--addr "127.0.0.1:$port" 2>"$dir/err.second" || status=$?
	equal $status 71 "status where the address is taken"
	has "$dir/err.second" "Address already in use"
	status=0
	run skyptyd tcp --daemon -c "$dir/none.json" \
		2>"$dir/err.third" || status=$?
	equal $status 78 "status without the configuration"
	has "$dir/err.third" "none.json"
	kill "$host"
	wait_gone "the daemon" "$host"
	[ ! -e "$sock" ] || fail "the control socket is still there"
}

both background
