#!/bin/sh
# SPDX-License-Identifier: ISC
# When memory is short sessions go before their monitors, and those before the
# listener.  What a service manager has asked for sessions have.
. regress/sys/lib.sh

score() {
	cat "/proc/$1/oom_score_adj"
}

# with_score SCORE: what the host is started with.
with_score() {
	cat >"$dir/with" <<-END
		#!/bin/sh
		echo $1 >/proc/self/oom_score_adj
		exec "\$@"
	END
	chmod 755 "$dir/with"
	as="$as $dir/with"
	start_host
	as=${as%"$dir/with"}
	spawn "$dir/session" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" handshake mux dmsgpty/pty hold
	wait_for "a session" grep -q "mux 0" "$dir/session"
	monitor_of "$host"
	equal "$(score "$(children "$monitor")")" "$2" "net"
	kill "$pid"
	wait_for "its end" has_no_child "$host"
	equal "$(on_host -- cat /proc/self/oom_score_adj)" "$2" "a session's"
}

protected() {
	with_score -100 0
	equal "$(score "$host")" -1000 "the listener's"
	spawn "$dir/session" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" handshake mux dmsgpty/pty hold
	wait_for "a session" grep -q "mux 0" "$dir/session"
	monitor_of "$host"
	equal "$(score "$monitor")" -500 "the monitor's"
	stop_host
}

# Who may not be spared more is not.
asked_for() {
	with_score 300 300
	stop_host
}

both asked_for
(echo -1000 >/proc/self/oom_score_adj) 2>/dev/null ||
	skip "nobody may lower a score here"
as_root protected
