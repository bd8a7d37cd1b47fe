#!/bin/sh
# SPDX-License-Identifier: ISC
# With "cligroup" the group's members may use the control socket, others still
# not.
. regress/sys/lib.sh

group=games
getent group $group >/dev/null || skip "there is no group $group"
number=$(getent group $group | cut -d : -f 3)

members() {
	conf cligroup "\"$group\""
	start_host
	equal "$(stat -c '%a %g' "$sock")" "660 $number" "control socket"
	member="setpriv --reuid=65533 --regid=$number --clear-groups --"
	equal "$($member "$bin/skypty" exec -r "$sock" -- id -u)" "$uid" \
		"a member's command"
	equal "$($member "$bin/skypty" whitelist -r "$sock")" "$client" \
		"a member's list"
	# As other groups than the first, however many there are.
	others=$(seq -s , 70000 70099),$number
	member="setpriv --reuid=65533 --regid=65533 --groups=$others --"
	equal "$($member "$bin/skypty" exec -r "$sock" -- id -u)" "$uid" \
		"a command of a member of many groups"
	chmod 666 "$sock"
	if setpriv --reuid=65533 --regid=65533 --clear-groups -- \
		"$bin/skypty" exec -r "$sock" -- true 2>"$dir/err.exec"; then
		fail "a stranger was served"
	fi
	has "$log" "Refused control connection from uid 65533"
	strangers_flood
	has_no_child "$host" || fail "there is a process for a stranger"
	stop_host
}

unknown() {
	conf cligroup '"no-such-group"'
	status=0
	run skyptyd tcp -c "$dir/host.json" --addr 127.0.0.1:0 \
		--cliaddr "$sock" 2>"$dir/err.host" || status=$?
	equal $status 78 "status with an unknown group"
	has "$dir/err.host" 'cligroup: no group is called "no-such-group"'
}

either unknown
need_root "give a socket to a group"
as_root members
