#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs every fuzz target for FUZZ_SECONDS (default 10), starting from its
# corpus, which stays as it is: as many at once as there are processors.  Two
# runs do the same; who hunts has other inputs each time with FUZZ_SEED=0.
# "one TARGET" runs that one.
set -u

if [ "${1-}" = one ]; then
	name=$(basename "$2")
	dir=$(mktemp -d)
	if "$2" -seed="${FUZZ_SEED:-1}" -max_total_time="${FUZZ_SECONDS:-10}" \
		-timeout=60 -rss_limit_mb=2048 -artifact_prefix="$PWD/obj-fuzz/$name-" \
		-print_final_stats=1 "$dir" \
		"regress/fuzz/corpus/${name#fuzz_}" >"$dir.log" 2>&1; then
		echo "$name: ok," "$(sed -n \
			's/stat::number_of_executed_units: */inputs: /p' \
			"$dir.log")"
	else
		echo "$name: FAILED
$(tail -n 40 "$dir.log" | LC_ALL=C tr -cd '\11\12\40-\176')"
	fi
	rm -rf "$dir" "$dir.log"
	exit 0
fi

said=$(mktemp)
trap 'rm -f "$said"' EXIT
find obj-fuzz -maxdepth 1 -type f -name 'fuzz_*' -perm -u+x ! -name '*-*' |
	sort | xargs -r -n 1 -P "$(nproc)" sh "$0" one | tee "$said"
passed=$(grep -c '^fuzz_[a-z0-9_]*: ok,' "$said")
failed=$(grep -c '^fuzz_[a-z0-9_]*: FAILED' "$said")
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
