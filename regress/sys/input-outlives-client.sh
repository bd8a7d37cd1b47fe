#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2046,SC2086
# A command of skypty-ssh goes on to the end of its input when its client is
# killed, as with ssh; one of skypty exec is hung up.
. regress/sys/lib.sh

# go COMMAND...: a client whose command waits for the end of its input.
go() {
	rm -f "$dir/input" "$dir/got" "$dir/begun" "$dir/done"
	mkfifo "$dir/input"
	"$@" <"$dir/input" >"$dir/log.client" 2>&1 &
	client_pid=$!
	pids="$pids $client_pid"
	exec 7>"$dir/input"
	echo one >&7
	wait_for "the command" grep -q one "$dir/got"
	kill -9 "$client_pid"
	wait_gone "the client" "$client_pid"
	exec 7>&-
	wait_for "the connection's end" has_no_child "$host"
}

ends() {
	start_host
	script="echo \$\$ >$dir/begun; cat >$dir/got; sleep 1; \
		echo \$\$ >$dir/done"
	go $as $(as_ssh) "$pk@127.0.0.1" "$script"
	wait_for "the command's own end" test -s "$dir/done"
	equal "$(cat "$dir/got")" one "input"

	go $as "$bin/skypty" exec -i "$dir/client" --no-visor-key \
		--via "$(dest)" -- sh -c "$script"
	wait_gone "the command" "$(cat "$dir/begun")"
	[ ! -e "$dir/done" ] || fail "the command of exec went on"
	stop_host
}

both ends
