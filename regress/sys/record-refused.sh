#!/bin/sh
# SPDX-License-Identifier: ISC
# The terminal of a key that is to be recorded is not given where nothing can
# record it; its commands are.
. regress/sys/lib.sh

recorded() {
	echo "record $client" >"$dir/pks"
	[ -z "$as" ] || chown "$uid:$gid" "$dir/pks"
	wl='' && conf authorized_pks "\"$dir/pks\""
	start_host
	echo "touch $dir/mark; exit" | shell >"$dir/out" 2>&1 &&
		fail "a terminal was given"
	has "$dir/out" "to be recorded"
	[ ! -e "$dir/mark" ] || fail "a shell was started"
	serves
	stop_host
}

either recorded
