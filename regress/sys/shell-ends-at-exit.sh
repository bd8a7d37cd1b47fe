#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2046,SC2086
# A terminal ends with its shell or command, whoever else holds it, and all that
# was written until then arrives, also to who reads slowly.
. regress/sys/lib.sh

LINES=200000

# Waits for a client, which would wait for one in the background.
ended() {
	wait_gone "$1: the client" "$client_pid"
	wait "$client_pid"
	if [ -s "$dir/holder.pid" ]; then
		alive "$(cat "$dir/holder.pid")" ||
			fail "$1: nobody held the terminal"
		kill "$(cat "$dir/holder.pid")"
		rm "$dir/holder.pid"
	fi
	wait_for "$1: the connection's end" has_no_child "$host"
}

# run_on_tty SCRIPT: by skypty-ssh; a second word is a command between.
run_on_tty() {
	(
		$as $(as_ssh) -tt "$pk@127.0.0.1" "$1" </dev/null
		echo "status $?"
	) 2>"$dir/log.client" | ${2:-cat} >"$dir/out" &
	client_pid=$!
	pids="$pids $client_pid"
}

ends() {
	start_host
	hold="trap '' HUP; sleep 6201 & echo \$! >$dir/holder.pid;"
	run_on_tty "$hold seq $LINES; exit 4"
	ended "a command"
	equal "$(tail -n 1 "$dir/out")" "status 4" "status"
	equal "$(grep -c '^[0-9]' "$dir/out")" $LINES "lines"

	# What is left of it waits in the host.
	cat >"$dir/slowly" <<-END
		#!/bin/sh
		sleep 3
		exec cat
	END
	chmod +x "$dir/slowly"
	run_on_tty "$hold seq $LINES; exit 5" "$dir/slowly"
	ended "a slow reader"
	equal "$(tail -n 1 "$dir/out")" "status 5" "status"
	equal "$(grep -c '^[0-9]' "$dir/out")" $LINES "lines"

	# Whoever goes on writing is not listened to for ever.
	run_on_tty "trap '' HUP; yes & sleep 0.3; exit 6" "tail -n 2"
	ended "somebody who goes on writing"
	grep -q 'status 6$' "$dir/out" || fail "status: $(tail -n 1 "$dir/out")"

	# By the calls of the original.
	$as "$bin/skypty" shell -c /bin/sh -i "$dir/client" --no-visor-key \
		"$(dest)" >"$dir/out" 2>&1 <<-END &
			$hold echo; seq $LINES; echo la''st; exit
		END
	client_pid=$!
	pids="$pids $client_pid"
	ended "a shell"
	has "$dir/out" last
	equal "$(grep -c '^[0-9][0-9]*.$' "$dir/out")" $LINES "lines"
	stop_host
}

both ends
