#!/bin/sh
# SPDX-License-Identifier: ISC
# flags.sh CACHE PROGRAM "FLAG ..." COMPILER [FLAG ...]: prints those of the
# flags with which the compiler builds the program without a warning.  It is
# asked once: the answer stays in the file CACHE while the question is the same.
set -eu

cache=$1
program=$2
wanted=$3
shift 3
question=$(
	echo "$program" "$wanted" "$@"
	"$1" -dumpmachine 2>/dev/null
	"$1" --version 2>/dev/null | head -n 1
) || :
if [ -r "$cache" ] && [ "$(sed '$d' "$cache")" = "$question" ]; then
	tail -n 1 "$cache"
	exit
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
printf '%b\n' "$program" >"$dir/ask.c"
taken=
for flag in $wanted; do
	if "$@" -Werror "$flag" -c -o "$dir/ask.o" "$dir/ask.c" \
		>/dev/null 2>&1; then
		taken="$taken $flag"
	fi
done
mkdir -p "$(dirname "$cache")"
printf '%s\n%s\n' "$question" "${taken# }" >"$dir/answer"
mv "$dir/answer" "$cache"
tail -n 1 "$cache"
