#!/bin/sh
# SPDX-License-Identifier: ISC
# The control socket is its owner's alone from the first moment, whatever the
# umask, and goes with skyptyd.
. regress/sys/lib.sh

mode() {
	umask 0
	start_host
	umask 022
	equal "$(stat -c '%F %a %u' "$sock")" "socket 600 $uid" \
		"control socket"
	stop_host
	[ ! -e "$sock" ] || fail "the control socket is still there"
}

# Not even a directory where others may exchange it is accepted.
directory() {
	$as mkdir "$dir/open"
	chmod 777 "$dir/open"
	other=$dir/log.other
	spawn "$other" "$bin/skyptyd" tcp -c "$dir/host.json" \
		--addr 127.0.0.1:0 --cliaddr "$dir/open/sock"
	second=$pid
	wait_for "the host" grep -q 'Serving as' "$other"
	has "$other" "$dir/open: others may rename files there"
	[ ! -e "$dir/open/sock" ] || fail "there is a control socket"
	wait_for "its end" terminated "$second"
	chmod 1777 "$dir/open"
	sock=$dir/open/sock
	start_host
	stop_host
}

both mode
either directory
