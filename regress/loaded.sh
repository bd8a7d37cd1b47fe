#!/bin/sh
# SPDX-License-Identifier: ISC
# loaded.sh [N]: runs all tests N times, 5 unless told, while every processor is
# busy with something else, and counts the runs that passed; no test is run a
# second time.  What a run that failed has said is kept in a folder that is
# named; LOGS says which.
set -u

cd "$(dirname "$0")/.." || exit 1
n=${1:-5}
logs=${LOGS:-$(mktemp -d "${TMPDIR:-/tmp}/skypty-loaded.XXXXXX")} || exit 1
mkdir -p "$logs" || exit 1

load=
# One a processor, at the priority of the tests, and none that outlives us.
begin_load() {
	for _ in $(seq "$(nproc)"); do
		sh -c 'while kill -0 "$1"; do
				i=0
				while [ $i -lt 1000000 ]; do i=$((i + 1)); done
			done' sh $$ </dev/null >/dev/null 2>&1 &
		load="$load $!"
	done
}

end_load() {
	# shellcheck disable=SC2086
	[ -z "$load" ] || kill $load 2>/dev/null
	load=
}

trap end_load EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

begin_load
passed=0
for i in $(seq "$n"); do
	log=$logs/run.$i
	begun=$(date +%s)
	if AGAIN='' sh regress/run.sh >"$log" 2>&1; then
		passed=$((passed + 1))
		said=$(tail -n 1 "$log")
		rm -f "$log"
	else
		said="FAILED: $(tail -n 1 "$log"), see $log"
		sed -n '/^== failed$/,$p' "$log"
	fi
	echo "run $i: $said ($(($(date +%s) - begun)) s)"
done
end_load
rmdir "$logs" 2>/dev/null

echo "$passed passed, $((n - passed)) failed"
[ "$passed" -eq "$n" ]
