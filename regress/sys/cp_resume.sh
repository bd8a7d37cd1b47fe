#!/bin/sh
# SPDX-License-Identifier: ISC
# cp --resume goes on where the target ends, less what may have been on its way
# when the last copy broke off, and does not touch what is longer than the
# source.
. regress/sys/lib.sh

WINDOW=4194304

cp_() {
	status=0
	run skypty cp -i "$dir/client" --no-visor-key "$@" \
		>"$dir/out" 2>"$dir/err.cp" || status=$?
}

# part N: the target after a copy of N bytes has broken off.  Its first byte is
# another, to tell whether it is copied again, and so is the last one.
part() {
	$as sh -c '{ printf X; head -c $(($2 - 1)) "$1/source" |
		tail -c +2 | head -c $(($2 - 2)); printf Y; } >"$1/target"' \
		sh "$dir" "$1"
}

# The target is the source but for a first byte of X.
went_on() {
	equal "$(wc -c <"$dir/target")" "$(wc -c <"$dir/source")" "size, $1"
	equal "$(head -c 1 "$dir/target")" X "first byte, $1"
	cmp -i 1 "$dir/source" "$dir/target" || fail "content, $1"
}

whole() {
	cmp "$dir/source" "$dir/target" || fail "content, $1"
}

direction() {
	for n in $((WINDOW + 1)) 6000000 8999999 9000000; do
		part $n
		cp_ --resume "$from" "$to"
		equal $status 0 "status, $1 after $n bytes"
		went_on "$1 after $n bytes"
	done
	# Less than a window is copied again.
	part $WINDOW
	cp_ --resume "$from" "$to"
	equal $status 0 "status, $1 after a window"
	whole "$1 after a window"
	# Nothing there yet.
	rm "$dir/target"
	cp_ --resume "$from" "$to"
	equal $status 0 "status, $1 of something new"
	whole "$1 of something new"
	# Longer than the source.
	$as sh -c 'echo more >>"$1"' sh "$dir/target"
	sum=$(cksum <"$dir/target")
	cp_ --resume "$from" "$to"
	equal $status 1 "status, $1 over something longer"
	has "$dir/err.cp" "than what the host has"
	equal "$(cksum <"$dir/target")" "$sum" "target, $1"
	# Without the flag it is copied from the beginning.
	part 6000000
	cp_ "$from" "$to"
	equal $status 0 "status, $1 without --resume"
	whole "$1 without --resume"
}

# A tree: each file by itself.
trees() {
	$as sh -c 'cd "$1" && mkdir -p tree copy && cp source tree/a &&
		echo b >tree/b && head -c 5000000 source >copy/a' sh "$dir"
	cp_ -r --resume "$dir/tree/." "$(dest):$dir/copy"
	equal $status 0 "status of a tree"
	diff -r "$dir/tree" "$dir/copy" || fail "trees differ"
}

resume() {
	start_host
	$as sh -c 'head -c 9000000 /dev/urandom >"$1"' sh "$dir/source"
	from=$dir/source
	to=$(dest):$dir/target
	direction upload
	from=$(dest):$dir/source
	to=$dir/target
	direction download
	trees
	stop_host
}

either resume
