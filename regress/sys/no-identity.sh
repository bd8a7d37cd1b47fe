#!/bin/sh
# SPDX-License-Identifier: ISC
# Without any key there is a clear error that names confgen.
. regress/sys/lib.sh

none() {
	for conf in '{}' '{"wl": []}'; do
		echo "$conf" >"$dir/none.json"
		status=0
		run skyptyd tcp --addr 127.0.0.1:0 --cliaddr "$sock" \
			-c "$dir/none.json" 2>"$dir/err.host" || status=$?
		equal $status 78 "status"
		has "$dir/err.host" "no identity"
		has "$dir/err.host" "skyptyd confgen"
	done
	status=0
	(cd "$dir/home" && $as "$bin/skyptyd" host -l 127.0.0.1:0 \
		--allow "$client") 2>"$dir/err.host" || status=$?
	equal $status 78 "status of host"
	has "$dir/err.host" "skyptyd confgen"
	[ ! -e "$sock" ] || fail "a control socket was made"
}

[ ! -e /opt/skywire/skywire.json ] ||
	skip "a visor's configuration is installed here"
either none
