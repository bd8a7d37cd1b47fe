#!/bin/sh
# SPDX-License-Identifier: ISC
# How long ML-KEM takes, and what it touches, depends on nothing secret:
# valgrind follows the secrets to every branch and address.
. regress/sys/lib.sh
need_command valgrind
[ -z "$sanitized" ] || skip "valgrind does not run what the sanitizers made"
program=$OBJ/regress/sys/mlkem_time
[ -r /usr/include/valgrind/memcheck.h ] || skip "valgrind has no headers here"

watch() {
	valgrind -q --error-exitcode=99 --suppressions=regress/sys/mlkem-time.supp \
		"$program" "$@" >"$dir/out" 2>&1
}

watch || fail "something depends on a secret: $(cat "$dir/out")"
equal "$(cat "$dir/out")" "under valgrind" "what it says"
# It would be seen.
status=0
watch leak || status=$?
equal "$status" 99 "the status of one that leaks"
