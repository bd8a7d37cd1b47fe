#!/bin/sh
# SPDX-License-Identifier: ISC
# What is named at the end of a run of all tests is what the runners said has
# failed, and nothing else: a system test, a unit test by what one.sh tells of
# them, the browser's, those in Go and suites of one command by their lines.
. regress/sys/lib.sh

# named: the names out of what is on standard input.
named() {
	awk -v SUITE=suite -f regress/failed.awk
}

# runner NAME: a test of that name, of what is on standard input, run by one.sh.
runner() {
	cat >"$dir/$1"
	chmod 755 "$dir/$1"
	sh regress/one.sh "$dir" "$dir/$1"
}

names_of_ours() {
	{
		runner passes.sh <<-'END'
			echo "not ok said in passing"
		END
		runner fails.sh <<-'END'
			echo "not ok 7 - of another"
			exit 3
		END
		runner skips.sh <<-'END'
			echo "no reason"
			exit 77
		END
		runner test_good <<-'END'
			#!/bin/sh
			echo "ok 1 - good"
			echo "not ok 2 # SKIP left out"
		END
		runner test_bad <<-'END'
			#!/bin/sh
			echo "ok 1 - good"
			echo "not ok 2 - evil"
			echo "not ok 3 # SKIP left out"
			exit 1
		END
		runner test_dies <<-'END'
			#!/bin/sh
			echo "ok 1 - good"
			kill -9 $$
		END
	} >"$dir/said"
	named <"$dir/said" | sort >"$dir/names"
	sed 's/^/	/' "$dir/said"
	equal "$(cat "$dir/names")" "  suite: fails: FAILED (3)
  suite: test_bad: evil
  suite: test_dies: FAILED" "the names"
}

names_of_others() {
	printf '%s\n' 'terminal: ok' 'paste: failed' '    Error: late' \
		'    --- FAIL: TestInside/one (0.10s)' \
		'--- FAIL: TestInside (0.20s)' '--- FAIL: TestInside (0.20s)' \
		'    a_test.go:7: not ok' 'panic: test timed out after 15m0s' \
		'		TestSlow (15m0s)' 'ok make cross' 'not ok make lint' \
		'fuzz_gob: ok, inputs: 5' 'fuzz_mux: FAILED' |
		named >"$dir/names"
	equal "$(cat "$dir/names")" "  suite: paste: failed
  suite: --- FAIL: TestInside/one (0.10s)
  suite: --- FAIL: TestInside (0.20s)
  suite: panic: test timed out after 15m0s
  suite: TestSlow (15m0s)
  suite: not ok make lint
  suite: fuzz_mux: FAILED" "the names"
}

# What passed when it was run again is told of so, and as nothing else.
names_of_unsteady() {
	printf '%s\n' 'paste: failed' 'fails: FAILED (3)' 'late: FAILED (124)' \
		'test_bad: 1 passed, 1 failed, 0 skipped' \
		'    not ok 2 - evil' '--- FAIL: TestInside/one (0.10s)' \
		'--- FAIL: TestInside (0.20s)' '--- FAIL: TestIn (0.20s)' \
		'fails: ok' 'fails: passed when run again' \
		'test_bad: passed when run again' \
		'TestInside: passed when run again' |
		named | sort >"$dir/names"
	equal "$(cat "$dir/names")" "  suite: --- FAIL: TestIn (0.20s)
  suite: TestInside: passed when run again
  suite: fails: passed when run again
  suite: late: FAILED (124)
  suite: paste: failed
  suite: test_bad: passed when run again" "the names"
}

# A test that fails once, one that always does, and one that never does.
run_again() {
	mkdir -p "$dir/tree/regress/sys" "$dir/tree/obj/regress/unit"
	cp regress/check.sh regress/one.sh regress/own_records.sh \
		"$dir/tree/regress"
	cd "$dir/tree" || fail "cd"
	echo 'mkdir once && exit 3; exit 0' >regress/sys/once.sh
	echo 'exit 4' >regress/sys/ever.sh
	echo 'exit 0' >regress/sys/never.sh
	printf '%s\n' '#!/bin/sh' 'echo "ok 1 - good"' \
		>obj/regress/unit/test_good
	chmod 755 obj/regress/unit/test_good
	AGAIN=$1 OBJ=obj BIN=. sh regress/check.sh >"$dir/out"
	cd - >/dev/null || fail "cd"
	rm -r "$dir/tree"
	sed 's/^/	/' "$dir/out"
	equal "$(tail -n 1 "$dir/out")" "$2" "the count"
}

counted_once() {
	run_again '' '2 passed, 2 failed, 0 skipped'
}

counted_again() {
	run_again yes '3 passed, 1 failed, 0 skipped'
	grep -qx 'once: passed when run again' "$dir/out" || fail "once"
	! grep -q 'ever: passed' "$dir/out" || fail "ever"
}

either names_of_ours
either names_of_others
either names_of_unsteady
either counted_once
either counted_again
