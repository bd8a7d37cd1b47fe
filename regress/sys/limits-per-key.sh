#!/bin/sh
# SPDX-License-Identifier: ISC
# One key has so many connections at once and no more; another one still gets
# in, and so does the first when a connection has ended.
. regress/sys/lib.sh

per_key() {
	new_key other
	wl="\"$client\", \"$key\"" && conf maxperkey 2
	start_host
	for n in 1 2; do
		spawn "$dir/hold.$n" "$HELPERS/raw_client" 127.0.0.1 "$port" \
			"$pk" "$dir/client" handshake mux dmsgpty/pty hold
		wait_for "a connection" grep -q "mux 0" "$dir/hold.$n"
	done
	refused
	has "$log" "too many connections (maxperkey)"
	# Whoever is listed is told why, and does not try other ways.
	equal "$(cat "$dir/err.refused")" "skypty: the host turns the \
connection away: too many connections of your key at once (maxperkey)" \
		"what the client says"
	status=0
	run skypty cp -i "$dir/client" --no-visor-key "$dir/client" \
		"$pk@127.0.0.1:$port:$dir/copy" 2>"$dir/err.cp" || status=$?
	equal $status 255 "status of cp"
	has "$dir/err.cp" "too many connections of your key"
	raw handshake mux dmsgpty/pty >"$dir/out"
	has "$dir/out" "mux 1"
	new_key stranger
	status=0
	run skypty exec -i "$dir/stranger" --no-visor-key "$(dest)" -- true \
		2>"$dir/err.stranger" || status=$?
	equal $status 255 "status of a stranger"
	has "$dir/err.stranger" "is not on the host's whitelist"
	mv "$dir/client" "$dir/first" && mv "$dir/other" "$dir/client"
	serves
	mv "$dir/client" "$dir/other" && mv "$dir/first" "$dir/client"
	kill "$pid"
	wait_for "room" on_host -- true
	stop_host
	unset wl
}

both per_key
