#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs every fuzz target for FUZZ_SECONDS (default 10), starting from its
# corpus, which stays as it is.
set -u

passed=0
failed=0
for f in obj-fuzz/fuzz_*; do
	[ -x "$f" ] || continue
	name=$(basename "$f")
	dir=$(mktemp -d)
	if "$f" -max_total_time="${FUZZ_SECONDS:-10}" -timeout=10 \
		-rss_limit_mb=2048 -artifact_prefix="obj-fuzz/$name-" \
		-print_final_stats=1 "$dir" \
		"regress/fuzz/corpus/${name#fuzz_}" >"$dir.log" 2>&1; then
		echo "$name: ok," "$(sed -n \
			's/stat::number_of_executed_units: */inputs: /p' \
			"$dir.log")"
		passed=$((passed + 1))
	else
		echo "$name: FAILED"
		tail -n 40 "$dir.log"
		failed=$((failed + 1))
	fi
	rm -rf "$dir" "$dir.log"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
