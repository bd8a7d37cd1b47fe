#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs unit tests and system tests of one build, JOBS of them side by side, more
# than there are processors: most wait half of the time.  OBJ and BIN name its
# folders.
# A system test exits 0 for passed, 77 for skipped (with the reason), else
# failed.  One that has the line
#	# alone		is run when no other is
#	# waits		does so for more than ten seconds: it counts as no job
#	# once		tries no code of ours that others do not: it is left
#			out where the sanitizers are in (SANITIZE)
# With AGAIN those that failed are run once more, each alone, and the second time
# counts.
# Names given as arguments limit the run to them.
set -u
. regress/own_records.sh

OBJ=${OBJ:-obj}
BIN=$(cd "${BIN:-.}" && pwd)
export OBJ BIN
JOBS=${JOBS:-$(($(nproc) * 4))}
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

# Which of the lists it is on.
list_of() {
	case $1 in
	*.sh)
		if [ -n "${SANITIZE-}" ] && [ $# -eq 1 ] &&
			grep -qx '# once' "$1"; then
			echo left-out
			return
		fi
		for word in alone waits; do
			if grep -qx "# $word" "$1"; then
				echo "$word"
				return
			fi
		done
		;;
	esac
	echo all
}

touch "$work/all" "$work/waits" "$work/alone"
for t in "$OBJ"/regress/unit/test_* regress/sys/[a-z]*.sh; do
	name=$(basename "$t" .sh)
	case $name in *.o | *.d | lib | *_lib) continue ;; esac
	wanted "$name" "$@" || continue
	echo "$t" >>"$work/$(list_of "$t" "$@")"
done
longest_first <"$work/all" >"$work/together"

xargs -r -n 1 -P 0 sh regress/one.sh "$work" <"$work/waits" &
xargs -r -n 1 -P "$JOBS" sh regress/one.sh "$work" <"$work/together"
wait
[ ! -f "$work/left-out" ] ||
	echo "left out: $(xargs basename -a -s .sh <"$work/left-out" | xargs)"
xargs -r -n 1 sh regress/one.sh "$work" <"$work/alone"

# again TEST: runs it if it has failed.
again() {
	again_name=$(basename "$1" .sh)
	read -r _ bad _ <"$work/$again_name.count" && [ "$bad" -ne 0 ] || return
	sh regress/one.sh "$work" "$1"
	read -r _ bad _ <"$work/$again_name.count" && [ "$bad" -eq 0 ] &&
		echo "$again_name: passed when run again"
}

cat "$work/waits" "$work/together" "$work/alone" >"$work/every"
if [ -n "${AGAIN-}" ]; then
	while read -r t; do
		again "$t" </dev/null
	done <"$work/every"
fi

passed=0
failed=0
skipped=0
for name in "$@"; do
	grep -qE "/$name(\.sh)?\$" "$work/every" && continue
	echo "$name: FAILED (there is no such test)"
	failed=$((failed + 1))
done
while read -r t; do
	name=$(basename "$t" .sh)
	if read -r ok bad skip <"$work/$name.count"; then
		passed=$((passed + ok))
		failed=$((failed + bad))
		skipped=$((skipped + skip))
	else
		echo "$name: FAILED (it was not run to its end)"
		failed=$((failed + 1))
	fi
done <"$work/every"
[ $# -gt 0 ] || cat "$work"/*.seconds >"$OBJ/regress/times"

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
