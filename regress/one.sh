#!/bin/sh
# SPDX-License-Identifier: ISC
# one.sh FOLDER TEST: runs one unit test program or system test for check.sh,
# tells of it in one piece, and leaves its counts in the folder.
set -u

work=$1
t=$2
name=$(basename "$t" .sh)
log=$work/$name.log
told=$work/$name.told
ok=0
bad=0
skip=0
start=$(date +%s)
status=0
case $t in
*.sh)
	timeout -k 30 "${LIMIT:-600}" sh "$t" >"$log" 2>&1 </dev/null ||
		status=$?
	;;
*)
	# What RUN names runs programs of another architecture.
	# shellcheck disable=SC2086 # words
	CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 30 "${LIMIT:-600}" ${RUN-} "$t" \
		>"$log" 2>&1 </dev/null || status=$?
	;;
esac
seconds=$(($(date +%s) - start))
took=
[ $seconds -lt 10 ] || took=" ($seconds s)"

case $t in
*.sh)
	case $status in
	0)
		ok=1
		echo "$name: ok$took"
		;;
	77)
		skip=1
		echo "$name: skipped: $(tail -n 1 "$log")"
		;;
	*)
		bad=1
		echo "$name: FAILED ($status)$took"
		;;
	esac
	;;
*)
	ok=$(grep -c '^ok ' "$log")
	# cmocka writes "not ok N # SKIP" for a test that was skipped.
	skip=$(grep -c '^not ok .*# SKIP' "$log")
	bad=$(($(grep -c '^not ok ' "$log") - skip))
	if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
	fi
	echo "$name: $ok passed, $bad failed, $skip skipped$took"
	[ "$ok" -ne 0 ] || [ "$bad" -ne 0 ] || tail -n 60 "$log"
	;;
esac >"$told"
[ "$bad" -eq 0 ] || tail -n 60 "$log" | sed 's/^/    /' >>"$told"
echo "$ok $bad $skip" >"$work/$name.count"
echo "$seconds $t" >"$work/$name.seconds"
flock "$work/lock" cat "$told"
rm -f "$log" "$told"
