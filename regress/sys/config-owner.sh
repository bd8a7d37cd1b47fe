#!/bin/sh
# SPDX-License-Identifier: ISC
# A configuration that others may write to, or that belongs to somebody else,
# is not trusted: neither at the start nor, for its whitelist, later on.
. regress/sys/lib.sh

writable() {
	start_host
	serves
	chmod 620 "$dir/host.json"
	refused
	has "$log" "$dir/host.json: others may write to it (mode 0620)"
	chmod 602 "$dir/host.json"
	refused
	status=0
	run skyptyd check -c "$dir/host.json" >"$dir/out" 2>"$dir/err.check" ||
		status=$?
	equal $status 78 "status"
	has "$dir/err.check" "chmod go-w $dir/host.json"
	chmod 600 "$dir/host.json"
	serves
	stop_host
}

foreign() {
	start_host
	chown 65533 "$dir/host.json"
	chmod 644 "$dir/host.json"
	refused
	has "$log" "$dir/host.json: belongs to uid 65533"
	status=0
	run skyptyd check -c "$dir/host.json" >"$dir/out" 2>"$dir/err.check" ||
		status=$?
	equal $status 78 "status"
	# Root's is everybody's.
	chown 0 "$dir/host.json"
	serves
	stop_host
}

both writable
need_root "give files away"
as_root foreign
as_user foreign
