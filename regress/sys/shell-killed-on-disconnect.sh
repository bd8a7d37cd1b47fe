#!/bin/sh
# SPDX-License-Identifier: ISC
# When a connection ends, for whatever reason, its shell and commands are hung
# up, whole process groups; with a Read pending or not.
. regress/sys/lib.sh

# connect NAME STEP...: a client whose command writes two pids of one group.
connect() {
	name=$1
	shift
	spawn "$dir/err.$name" "$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" \
		"$dir/client" handshake mux dmsgpty/pty "$@" hold
	raws="$raws $pid"
	wait_for "the command" test -s "$dir/$name.one"
}

script() {
	echo "$2 sleep 61 & echo \$! >$dir/$1.two; echo \$\$ >$dir/$1.one; wait"
}

disconnect() {
	monitors=$(children "$host")
	parts=
	for m in $monitors; do
		parts="$parts $(children "$m")"
	done
	# shellcheck disable=SC2086
	kill -9 $raws
	raws=
	for p in $(cat "$dir"/*.one "$dir"/*.two) $parts $monitors; do
		wait_gone "a process of the connection" "$p"
	done
	wait_for "reaping" has_no_child "$host"
	rm "$dir"/*.one "$dir"/*.two
}

raws=

polite() {
	start_host
	connect idle start /bin/sh -c "$(script idle '')" ';' reply
	disconnect
	connect reading start /bin/sh -c "$(script reading '')" ';' reply reads 1
	disconnect
	connect command exec /bin/sh -c "$(script command '')" ';'
	disconnect
	serves
	stop_host
}

both polite
