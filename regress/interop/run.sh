#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs the Go peers against the programs; the last line counts the tests.
set -u
cd "$(dirname "$0")" || exit 1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
go vet ./... || status=1
go test -count=1 -timeout 300s -v ./... >"$log" 2>&1 || status=1
grep -E '^ *--- FAIL|^ +[a-z_]+_test.go|^panic|^# |cannot|FAIL' "$log" | head -60
passed=$(grep -cE '^ *--- PASS' "$log")
failed=$(grep -cE '^ *--- FAIL' "$log")
skipped=$(grep -cE '^ *--- SKIP' "$log")
if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
	tail -n 40 "$log"
	failed=1
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
