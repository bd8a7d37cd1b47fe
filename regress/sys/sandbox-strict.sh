#!/bin/sh
# SPDX-License-Identifier: ISC
# Where a step of the confinement fails, skyptyd does not serve, unless the
# configuration says "best-effort"; then it says what is missing.
. regress/sys/lib.sh
need_root "take the root directory of confined processes away"
need_filter

# elsewhere COMMAND...: where only we see it, that directory is open to all.
elsewhere() {
	unshare -m sh -c 'mount --make-rprivate / &&
		mount -t tmpfs -o mode=777 tmpfs /run/skypty && exec "$@"' \
		sh "$@"
}

strict() {
	run skyptyd check -c "$dir/host.json" >"$dir/out" 2>&1
	elsewhere true 2>/dev/null || skip "no mount namespaces here"
	status=0
	elsewhere "$bin/skyptyd" tcp -c "$dir/host.json" --cliaddr "$sock" \
		--addr 127.0.0.1:0 2>"$dir/err.host" || status=$?
	equal $status 71 "status"
	has "$dir/err.host" "/run/skypty"
	has "$dir/err.host" "cannot be confined"
	[ ! -e "$sock" ] || fail "a control socket was made"
	status=0
	elsewhere "$bin/skyptyd" check -c "$dir/host.json" >"$dir/out" \
		2>"$dir/err.check" || status=$?
	[ $status -ne 0 ] || fail "check finds nothing wrong"
}

as_root strict
