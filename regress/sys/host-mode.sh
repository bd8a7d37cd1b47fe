#!/bin/sh
# SPDX-License-Identifier: ISC
# "host" needs somebody to let in, takes keys by --allow and its own from a
# visor or a configuration, and has no control socket.  "skypty host" is it.
. regress/sys/lib.sh

# start ADDR-FLAG... with a program; as start_host.
start() {
	serial=$((serial + 1))
	log=$dir/log.$serial
	spawn "$log" "$@"
	host=$pid
	wait_for "the host" served
	port=$(port_of "$log")
	[ -n "$port" ] || fail "no host: $*"
}

modes() {
	new_key other
	printf '{"dmsg": {"x": [1, null]}, "sk": "%s", "wl": 7}\n' "$host_sk" \
		>"$dir/visor.json"
	status=0
	run skyptyd host -l 127.0.0.1:0 --sk-from-visor "$dir/visor.json" \
		2>"$dir/err.host" || status=$?
	equal $status 78 "status with an empty whitelist"
	has "$dir/err.host" "nobody is allowed in: give --allow"

	[ "$uid" -ne 0 ] || [ "$privsep" = _skypty ] ||
		skip "there is no account _skypty"
	start "$bin/skyptyd" host -l 127.0.0.1:0 --allow "$key" \
		--sk-from-visor "$dir/visor.json" --allow "$pk,$client"
	serves
	hasnt "$log" "ontrol socket"
	stop_host

	# The configuration's key wins over the visor's, its list adds to the
	# flags'.
	printf '{"sk": "%s"}\n' "$(secret)" >"$dir/visor.json"
	start "$bin/skyptyd" host --listen 127.0.0.1:0 --allow "$key" \
		--sk-from-visor "$dir/visor.json" -c "$dir/host.json"
	serves
	stop_host

	start "$bin/skypty" host -l 127.0.0.1:0 --allow "$client" \
		--conf "$dir/host.json"
	serves
	stop_host

	for bad in '{"sk": "00"}' '{"sk": 1}' '{}' 'x'; do
		echo "$bad" >"$dir/visor.json"
		status=0
		run skyptyd host -l 127.0.0.1:0 --allow "$client" \
			--sk-from-visor "$dir/visor.json" 2>"$dir/err.host" ||
			status=$?
		equal $status 78 "status with the visor's $bad"
		has "$dir/err.host" "$dir/visor.json"
	done
}

both modes
