#!/bin/sh
# SPDX-License-Identifier: ISC
# contrib/quickstart.sh runs a command on a host of its own, passes its output
# and status on, and leaves nothing behind.
. regress/sys/lib.sh

[ "$BIN" = "$PWD" ] || skip "it builds in the top folder, which is not tested"

quick() {
	TMPDIR=$dir
	export TMPDIR
	status=0
	sh contrib/quickstart.sh -- sh -c 'echo "$1"; exit 4' sh 'two  words' \
		>"$dir/out" 2>"$dir/err.quickstart" || status=$?
	unset TMPDIR
	equal "$status $(cat "$dir/out")" "4 two  words" "status and output"
	equal "$(find "$dir" -name 'tmp.*')" "" "folders left behind"
	if pgrep -f "^./skyptyd tcp -c $dir"; then
		fail "a host was left behind"
	fi
}

# The account that root gets is told, with the way to be rid of it.
account_told() {
	[ "$uid" -eq 0 ] || return 0
	mkdir "$dir/stubs"
	printf '#!/bin/sh\nexit 2\n' >"$dir/stubs/getent"
	printf '#!/bin/sh\nexit 0\n' >"$dir/stubs/useradd"
	chmod +x "$dir/stubs/getent" "$dir/stubs/useradd"
	PATH=$dir/stubs:$PATH sh contrib/quickstart.sh -- true \
		>"$dir/out" 2>"$dir/err.account" || fail "quickstart failed"
	has "$dir/err.account" "'userdel _skypty' removes it"
}

either quick
either account_told
