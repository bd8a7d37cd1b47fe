#!/bin/sh
# SPDX-License-Identifier: ISC
# Who does not finish the handshake in time is cut off, whether he says nothing
# or a part of it; who has finished it is not.
# waits
. regress/sys/lib.sh

timeout_() {
	conf handshake_timeout 10
	start_host
	spawn "$dir/authenticated" "$HELPERS/raw_client" 127.0.0.1 "$port" \
		"$pk" "$dir/client" handshake mux dmsgpty/pty drain
	authenticated=$pid
	wait_for "a connection" grep -q "mux 0" "$dir/authenticated"
	for steps in "" "raw 00" "raw 003101" "hello"; do
		# shellcheck disable=SC2086
		spawn "$dir/late" "$HELPERS/raw_client" 127.0.0.1 "$port" \
			"$pk" "$dir/client" $steps drain
		late="${late-} $pid"
	done
	for p in $late; do
		wait_gone "a late client" "$p"
	done
	equal "$(grep -c "Handshake not finished within 10 seconds" "$log")" 4 \
		"lines about it"
	wait_for "the end of all monitors but one" one_child
	alive "$authenticated" || fail "the authenticated client was cut off"
	serves
	stop_host
	unset late
}

one_child() {
	[ "$(children "$host" | wc -l)" -eq 1 ]
}

either timeout_
