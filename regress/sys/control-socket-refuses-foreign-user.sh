#!/bin/sh
# SPDX-License-Identifier: ISC
# Who is neither root nor the host's user gets nothing from the control socket,
# even if its mode lets him connect: the system tells who he is.
. regress/sys/lib.sh
need_root "become another user"

foreign() {
	start_host
	stranger="setpriv --reuid=65533 --regid=65533 --clear-groups --"
	if $stranger "$bin/skypty" exec -r "$sock" -- touch "$dir/mark" \
		2>"$dir/err.exec"; then
		fail "a stranger could connect"
	fi
	chmod 777 "$sock"
	chmod 1777 "$dir"
	for command in "exec -r $sock -- touch $dir/mark" \
		"whitelist -r $sock" "whitelist-add -r $sock $client" \
		"shell -c /bin/sh -r $sock"; do
		# shellcheck disable=SC2086
		if echo "touch $dir/mark; exit" | $stranger "$bin/skypty" \
			$command >"$dir/out" 2>"$dir/err.exec"; then
			fail "a stranger was served: $command"
		fi
		[ ! -s "$dir/out" ] || fail "a stranger was told something"
	done
	equal "$(grep -c "Refused control connection from uid 65533" "$log")" \
		4 "refusals"
	[ ! -e "$dir/mark" ] || fail "a stranger's command was run"
	equal "$(run skypty whitelist -r "$sock")" "$client" "whitelist"
	stop_host
}

# However often he comes, there is no process for him, and few lines.
flood() {
	start_host
	chmod 777 "$sock"
	strangers_flood
	refusals=$(grep -c "Refused control connection from uid 65533" "$log")
	[ "$refusals" -ge 100 ] || fail "$refusals lines"
	[ "$refusals" -le 500 ] || fail "$refusals lines"
	has_no_child "$host" || fail "there is a process for a stranger"
	wait_for "the rest" grep -q "and [0-9]* more that did not authenticate" \
		"$log"
	equal "$(run skypty whitelist -r "$sock")" "$client" "whitelist"
	stop_host
}

both foreign
as_root flood
