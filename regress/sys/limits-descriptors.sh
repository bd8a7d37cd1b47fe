#!/bin/sh
# SPDX-License-Identifier: ISC
# A daemon that may have few descriptors is full of connections: the control
# socket is served all the same, and so is everybody when they have gone.  What
# the daemon raises for itself a session does not get.
. regress/sys/lib.sh

few() {
	conf handshake_timeout 600 maxperaddr 1000 maxstartups '"20"'
	cat >"$dir/few" <<-END
		#!/bin/sh
		ulimit -n 300
		exec "\$@"
	END
	chmod 755 "$dir/few"
	as="$as $dir/few"
	start_host
	as=${as%"$dir/few"}
	# Half of them get a monitor, half wait.
	spawn "$dir/crowd" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" crowd 600 hold
	crowd=$pid
	wait_for "the crowd" grep -q holding "$dir/crowd"
	wait_for "the limit" full
	for _ in 1 2 3; do
		equal "$(run skypty exec -r "$sock" -- echo works \
			2>"$dir/err.control")" works "control socket"
	done
	run skypty whitelist -r "$sock" >"$dir/out" 2>"$dir/err.list" ||
		fail "no whitelist: $(cat "$dir/err.list")"
	has "$dir/out" "$client"
	hasnt "$log" "accept:"
	kill "$crowd"
	wait_for "the end of the crowd" has_no_child "$host"
	serves
	stop_host
}

full() {
	grep -q "Turned away\|more that did not authenticate" "$log"
}

# More connections than a session may have descriptors: the next one gets its
# monitor all the same.
raised() {
	conf handshake_timeout 600 maxperaddr 1000 maxstartups '"20"'
	cat >"$dir/soft" <<-END
		#!/bin/sh
		ulimit -Sn 100
		exec "\$@"
	END
	chmod 755 "$dir/soft"
	as="$as $dir/soft"
	start_host
	as=${as%"$dir/soft"}
	[ "$(awk '/^Max open files/ { print $4 }' "/proc/$host/limits")" -gt 100 ] ||
		fail "the daemon has not raised its limit"
	equal "$(on_host -- sh -c 'ulimit -Sn')" 100 "limit of a session"
	spawn "$dir/crowd" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" crowd 200 hold
	wait_for "the crowd" grep -q holding "$dir/crowd"
	equal "$(run skypty exec -r "$sock" -- sh -c 'ulimit -Sn' \
		2>"$dir/err.control")" 100 "limit of a session in a crowd"
	stop_host
}

both few
either raised
