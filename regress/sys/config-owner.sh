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

# A link is followed anew each time, and every folder on its way must be safe.
linked() {
	$as mkdir "$dir/etc" "$dir/open"
	$as mv "$dir/host.json" "$dir/etc/first.json"
	wl= && conf
	unset wl
	$as mv "$dir/host.json" "$dir/etc/second.json"
	$as ln -s ../open/../etc/first.json "$dir/open/link"
	$as ln -s "$dir/open/link" "$dir/host.json"
	start_host
	serves
	$as ln -sfn ../etc/second.json "$dir/open/link"
	refused
	$as ln -sfn ../etc/first.json "$dir/open/link"
	serves
	chmod 777 "$dir/open"
	refused
	has "$log" "$dir/host.json: others may rename files in $dir/open"
	chmod 1770 "$dir/open"
	serves
	if [ "$(id -u)" -eq 0 ]; then
		chown -h 65533 "$dir/open/link"
		refused
		has "$log" "link $dir/open/link belongs to uid 65533"
		chmod 755 "$dir/open" # nobody else can have put it there
		serves
	fi
	ln -sfn link "$dir/open/link"
	refused
	stop_host
	rm "$dir/host.json"
	conf
}

both writable
both linked
need_root "give files away"
as_root foreign
as_user foreign
