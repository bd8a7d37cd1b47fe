#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs the Go peers against the programs; the last line counts the tests.  With
# AGAIN those that failed are run once more, with no others beside them.
set -u
# shellcheck source=regress/own_records.sh
. "$(dirname "$0")/../own_records.sh"
cd "$(dirname "$0")" || exit 1

# Debian 12's Go is too old for crypto/mlkem.  A newer toolchain comes as a
# module, like the libraries; an older Go leaves its programs not executable.
want=1.25
toolchain=golang.org/toolchain@v0.0.1-go1.25.5.linux-$(dpkg --print-architecture)
have=$(go env GOVERSION | sed 's/^go//')
if [ "$(printf '%s\n%s\n' "$want" "$have" | sort -V | head -n 1)" != "$want" ]
then
	export GOTOOLCHAIN=local GOFLAGS=-mod=mod
	folder=$(mktemp -d)
	(cd "$folder" && go mod download "$toolchain") || exit 1
	rmdir "$folder" 2>/dev/null
	root=$(go env GOMODCACHE)/$toolchain
	find "$root/bin" "$root/pkg/tool" -type f -exec chmod +x {} + || exit 1
	PATH=$root/bin:$PATH
	export PATH GOFLAGS=
fi

log=$(mktemp)
trap 'rm -f "$log" "$log.names"' EXIT
go vet ./...
vetted=$?
# With what a daemon had to say, where a test gives it; and what ran when the
# time was over.  The names come last, whatever there was to say.
said='^ +[a-z_]+_test.go|^ +skyptyd\[|^# |cannot|FAIL'
names='^ *--- FAIL|^panic|^\s+Test[^ ]* \([0-9hms.]+\)$'

# peers FLAG...: runs them, and tells what is to be told.
peers() {
	go test -count=1 -timeout 900s -v "$@" ./... >"$log" 2>&1
	peers_status=$?
	grep -E "$said|$names" "$log" | head -120
	[ "$(grep -cE "$said|$names" "$log")" -le 120 ] ||
		grep -E "$names" "$log"
	return $peers_status
}

# count WORD: the tests that ended with it.
count() {
	grep -cE "^ *--- $1" "$log"
}

peers -parallel 8
status=$?
passed=$(count PASS)
failed=$(count FAIL)
skipped=$(count SKIP)
# What no test's end tells of (a panic, a build) is no matter of chance.
if [ -n "${AGAIN-}" ] && [ "$failed" -ne 0 ] && ! grep -q '^panic' "$log"; then
	sed -n 's/^--- FAIL: \([^ ]*\) .*/\1/p' "$log" >"$log.names"
	peers -parallel 1 -run "^($(paste -sd '|' "$log.names"))\$"
	status=$?
	sed -n 's/^--- PASS: \([^ ]*\) .*/\1: passed when run again/p' "$log"
	passed=$((passed + failed - $(count FAIL)))
	failed=$(count FAIL)
fi
if [ $((vetted + status)) -ne 0 ] && [ "$failed" -eq 0 ]; then
	tail -n 40 "$log"
	failed=1
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
