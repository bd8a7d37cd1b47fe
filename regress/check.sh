#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs unit tests and system tests of one build.  OBJ and BIN name its folders.
# A system test exits 0 for passed, 77 for skipped (with the reason), else
# failed.  Names given as arguments limit the run to them.
set -u

OBJ=${OBJ:-obj}
BIN=$(cd "${BIN:-.}" && pwd)
export OBJ BIN
passed=0
failed=0
skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

wanted() {
	[ $# -eq 1 ] && return 0
	name=$1
	shift
	for w in "$@"; do
		[ "$w" = "$name" ] && return 0
	done
	return 1
}

for t in "$OBJ"/regress/unit/test_*; do
	name=$(basename "$t")
	case $name in *.o | *.d) continue ;; esac
	wanted "$name" "$@" || continue
	status=0
	CMOCKA_MESSAGE_OUTPUT=TAP timeout 300 "$t" >"$log" 2>&1 || status=$?
	ok=$(grep -c '^ok ' "$log")
	# cmocka writes "not ok N # SKIP" for a test that was skipped.
	skip=$(grep -c '^not ok .*# SKIP' "$log")
	bad=$(($(grep -c '^not ok ' "$log") - skip))
	if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
	fi
	echo "$name: $ok passed, $bad failed, $skip skipped"
	if [ "$bad" -ne 0 ] || [ "$ok" -eq 0 ]; then
		sed 's/^/    /' "$log" | tail -n 60
	fi
	passed=$((passed + ok))
	failed=$((failed + bad))
	skipped=$((skipped + skip))
done

for t in regress/sys/[a-z]*.sh; do
	name=$(basename "$t" .sh)
	[ "$name" = lib ] && continue # what they share
	wanted "$name" "$@" || continue
	status=0
	timeout 120 sh "$t" >"$log" 2>&1 </dev/null || status=$?
	case $status in
	0)
		echo "$name: ok"
		passed=$((passed + 1))
		;;
	77)
		echo "$name: skipped: $(tail -n 1 "$log")"
		skipped=$((skipped + 1))
		;;
	*)
		echo "$name: FAILED ($status)"
		sed 's/^/    /' "$log" | tail -n 60
		failed=$((failed + 1))
		;;
	esac
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
