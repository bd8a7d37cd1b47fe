#!/bin/sh
# SPDX-License-Identifier: ISC
# Whichever of descriptors 0, 1 and 2 are closed when a program starts: nothing
# that it opens gets their numbers, and output that nobody wants goes nowhere.
. regress/sys/lib.sh

# The eight ways to start with, as text for sh.
combinations() {
	for in in "" "<&-"; do
		for out in "" ">&-"; do
			for err in "" "2>&-"; do
				echo "$in $out $err"
			done
		done
	done
}

probe() {
	$as "$PYTHON" "$LIB/closed_fds.py" "$@" || fail "$1"
}

programs() {
	start_host
	probe "$bin/skyptyd" tcp -c "$dir/host.json" --addr 127.0.0.1:0 \
		--cliaddr "$dir/other.sock"
	probe "$bin/skyptyd" dmsg -c "$dir/host.json" --cliaddr "$dir/other.sock" \
		--dmsgdisc http://127.0.0.1:1
	probe "$bin/skypty" exec -i "$dir/client" --no-visor-key -t 0 \
		--via "$(dest)" -- sleep 600
	probe "$bin/skypty" shell -i "$dir/client" --no-visor-key "$(dest)"
	probe "$bin/skypty-ssh" -i "$dir/client" -p "$port" \
		-oSetEnv=SHELL=/bin/sh "$pk@127.0.0.1" "sleep 600"
	for program in monitor dmsg-monitor net dmsg; do
		probe "$bin/skyptyd-$program"
	done
	if [ -x "$bin/skyptyd-http" ]; then
		probe "$bin/skyptyd-http"
		probe "$bin/skyptyd" http --addr 127.0.0.1:0 --haddr "$sock"
	fi
	[ ! -x "$BIN/skypty-tls" ] || [ -n "$sanitized" ] ||
		probe "$BIN/skypty-tls" localhost best-effort
	stop_host
}

# What a command prints neither ends it nor reaches the host again.
outputs() {
	start_host
	combinations >"$dir/combinations"
	while read -r closed <&8; do
		for line in "$bin/skypty exec -i $dir/client --no-visor-key \
			--via $(dest) -- sh -c 'echo SECRET; exit 7'" \
			"$(as_ssh) $pk@127.0.0.1 'echo SECRET; exit 7'"; do
			status=0
			$as sh -c "$line $closed" >"$dir/out" 2>"$dir/err.out" ||
				status=$?
			equal "$status" 7 "status of '$line' with '$closed'"
			case $closed in
			*" >&-"* | ">&-"*) equal "$(cat "$dir/out")" "" "out" ;;
			*) equal "$(cat "$dir/out")" SECRET "out with '$closed'" ;;
			esac
		done
		hasnt "$log" "refused"
	done 8<"$dir/combinations"

	# A host without any of them serves, and says nothing on a connection.
	stop_host
	while read -r closed <&8; do
		rm -f "$sock"
		$as sh -c "exec $bin/skyptyd tcp -c $dir/host.json \
			--addr 127.0.0.1:$port --cliaddr $sock $closed" \
			>"$dir/log.closed" 2>&1 </dev/null &
		host=$!
		pids="$pids $host"
		wait_for "the control socket" test -S "$sock"
		serves
		stop_host
	done 8<"$dir/combinations"
}

either programs
both outputs
