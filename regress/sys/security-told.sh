#!/bin/sh
# SPDX-License-Identifier: ISC
# What docs/security.md says is shown by a test that is not there, or by none,
# is told with the line.
# once
. regress/sys/lib.sh

told() {
	cp docs/security.md "$dir/text"
	printf '\n| what | Shown by |\n|---|---|\n| it | %s |\n' "$2" \
		>>"$dir/text"
	if "$PYTHON" regress/security.py "$dir/text" >"$dir/out" 2>&1; then
		fail "nothing is said of: $2"
	fi
	equal "$(cat "$dir/out")" \
		"$dir/text:$(wc -l <"$dir/text"): $1" "what is said of: $2"
}

security() {
	"$PYTHON" regress/security.py >"$dir/out" 2>&1 ||
		fail "$(cat "$dir/out")"
	told "lost-test: there is no such test" '`sandbox-strict` `lost-test`'
	told "TestLost: there is no such test" '`TestLost`'
	told "no test is named" "a thought"
}

either security
