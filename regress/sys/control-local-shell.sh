#!/bin/sh
# SPDX-License-Identifier: ISC
# Over the control socket there is a shell and there are commands on this
# machine without any key, for the socket's owner and for root.
. regress/sys/lib.sh

local_shell() {
	start_host
	rm "$dir/client"
	echo "echo \$\$ \$(id -u) \$TERM >$dir/shell; exit 0" |
		TERM=vt52 run skypty shell -c /bin/sh -r "$sock" >"$dir/out" 2>&1 ||
		fail "no shell: $(cat "$dir/out")"
	case $(cat "$dir/shell") in
	*" $uid vt52") ;;
	*) fail "the shell says $(cat "$dir/shell")" ;;
	esac
	status=0
	echo in | run skypty exec -r "$sock" -- sh -c 'cat; exit 9' \
		>"$dir/out" || status=$?
	equal "$status $(cat "$dir/out")" "9 in" "a command"
	# Root may use anybody's.
	as=
	equal "$(run skypty exec -r "$sock" -- id -u)" "$uid" "the user"
	wait_for "reaping" has_no_child "$host"
	stop_host
}

both local_shell
