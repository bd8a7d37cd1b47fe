#!/bin/sh
# SPDX-License-Identifier: ISC
# A command has 0, 1 and 2 and nothing else, also while a shell and another
# command run on the same connection.
. regress/sys/lib.sh

descriptors() {
	start_host
	fds=
	i=0
	while [ $i -lt 120 ]; do
		fds="$fds /proc/self/fd/$i"
		i=$((i + 1))
	done
	# shellcheck disable=SC2086
	on_host --no-stdin -- readlink $fds >"$dir/fds"
	equal "$(wc -l <"$dir/fds")" 3 "open descriptors"
	equal "$(sed -n 1p "$dir/fds")" /dev/null "standard input"
	equal "$(grep -c '^pipe:' "$dir/fds")" 2 "pipes"
	echo input | on_host -- readlink /proc/self/fd/0 >"$dir/fds"
	equal "$(grep -c '^pipe:' "$dir/fds")" 1 "pipes as input"

	# shellcheck disable=SC2086
	raw handshake mux dmsgpty/pty start /bin/sleep 61 ';' reply \
		exec /bin/sleep 61 ';' exec /usr/bin/readlink $fds ';' \
		reply >"$dir/out"
	has "$dir/out" "exit 1" # readlink's, as some are not open
	equal "$(grep -c -e pipe: -e /dev/ "$dir/out")" 3 \
		"open descriptors beside others"
	stop_host
}

both descriptors
