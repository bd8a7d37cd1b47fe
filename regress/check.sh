#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs unit tests and system tests of one build, JOBS of them side by side: most
# of them wait most of the time.  OBJ and BIN name its folders.
# A system test exits 0 for passed, 77 for skipped (with the reason), else
# failed; one that has the line "# alone" is run when no other is.  With AGAIN
# those that failed are run once more, each alone, and the second time counts.
# Names given as arguments limit the run to them.
set -u
. regress/own_records.sh

OBJ=${OBJ:-obj}
BIN=$(cd "${BIN:-.}" && pwd)
export OBJ BIN
JOBS=${JOBS:-$(($(nproc) * 2))}
times=$OBJ/regress/times
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

wanted() {
	name=$1
	shift
	[ $# -gt 0 ] || return 0
	for w in "$@"; do
		[ "$w" != "$name" ] || return 0
	done
	return 1
}

# Those that took longest last time come first.
longest_first() {
	[ -f "$times" ] || times=/dev/null
	awk 'FILENAME != "-" { s[$2] = $1; next } { print s[$1] + 0, $1 }' \
		"$times" - | sort -s -k 1,1nr | cut -d ' ' -f 2
}

for t in "$OBJ"/regress/unit/test_* regress/sys/[a-z]*.sh; do
	name=$(basename "$t" .sh)
	case $name in *.o | *.d | lib | *_lib) continue ;; esac
	wanted "$name" "$@" || continue
	case $t in
	*.sh)
		if grep -qx '# alone' "$t"; then
			echo "$t" >>"$work/alone"
			continue
		fi
		;;
	esac
	echo "$t"
done >"$work/all"
longest_first <"$work/all" >"$work/together"
[ -f "$work/alone" ] || : >"$work/alone"

xargs -r -n 1 -P "$JOBS" sh regress/one.sh "$work" <"$work/together"
xargs -r -n 1 sh regress/one.sh "$work" <"$work/alone"

# again TEST: runs it if it has failed.
again() {
	again_name=$(basename "$1" .sh)
	read -r _ bad _ <"$work/$again_name.count" && [ "$bad" -ne 0 ] || return
	sh regress/one.sh "$work" "$1"
	read -r _ bad _ <"$work/$again_name.count" && [ "$bad" -eq 0 ] &&
		echo "$again_name: passed when run again"
}

if [ -n "${AGAIN-}" ]; then
	cat "$work/together" "$work/alone" >"$work/every"
	while read -r t; do
		again "$t" </dev/null
	done <"$work/every"
fi

passed=0
failed=0
skipped=0
for name in "$@"; do
	grep -qE "/$name(\.sh)?\$" "$work/all" "$work/alone" && continue
	echo "$name: FAILED (there is no such test)"
	failed=$((failed + 1))
done
while read -r t; do
	[ -n "$t" ] || continue
	name=$(basename "$t" .sh)
	if read -r ok bad skip <"$work/$name.count"; then
		passed=$((passed + ok))
		failed=$((failed + bad))
		skipped=$((skipped + skip))
	else
		echo "$name: FAILED (it was not run to its end)"
		failed=$((failed + 1))
	fi
done <<EOF
$(cat "$work/together" "$work/alone")
EOF
[ $# -gt 0 ] || cat "$work"/*.seconds >"$OBJ/regress/times"

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
