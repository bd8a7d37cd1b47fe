#!/bin/sh
# SPDX-License-Identifier: ISC
# Started by an ordinary user everything works as that user: no other account,
# no root directory of its own, the rest of the confinement all the same.
. regress/sys/lib.sh

whole() {
	start_host
	serves
	open_shell
	type_in_shell works
	equal "$(on_host -- id -u)" "$uid" "user of a command"
	echo input | on_host -- cat >"$dir/out"
	equal "$(cat "$dir/out")" input "input"
	new_key other
	run skypty whitelist-add -r "$sock" "$key" || fail "no key was added"
	has "$dir/host.json" "$key"
	equal "$(stat -c '%a %u' "$dir/host.json")" "600 $uid" \
		"mode and owner of the configuration"

	monitor_of "$host"
	net=$(children "$monitor" | while read -r p; do
		[ "$(cat "/proc/$p/comm")" = skyptyd-net ] && echo "$p"
	done)
	for p in $host $monitor $net; do
		equal "$(awk '/^Uid:/ { print $2, $3, $4, $5 }' \
			"/proc/$p/status")" "$uid $uid $uid $uid" "users of $p"
		# Others of the same user can neither trace nor read it.
		equal "$(stat -c %u "/proc/$p/environ")" 0 "owner of /proc/$p"
	done
	close_shell
	stop_host
	[ ! -e "$sock" ] || fail "the control socket is still there"
}

as_user whole
