#!/bin/sh
# SPDX-License-Identifier: ISC
# Source and target are one file, as the host is this machine, or shares its
# files: it is copied onto itself and not emptied.  What only looks like its
# source is copied.
. regress/sys/lib.sh

there() {
	echo "$pk@127.0.0.1:$port:$dir/$1"
}

copies() {
	run skypty cp -i "$dir/client" "$@" 2>"$dir/err.cp" ||
		fail "$*: $(cat "$dir/err.cp")"
}

# same WHAT: every file is as it was.
same() {
	(cd "$dir" && sha256sum -c --quiet sums) >"$dir/err.sums" 2>&1 ||
		fail "$1: $(cat "$dir/err.sums")"
}

both_ways() {
	start_host
	$as mkdir -p "$dir/tree/inner"
	seq 3 | $as tee "$dir/tree/small" >/dev/null
	seq 2000000 | $as tee "$dir/tree/inner/big" >/dev/null
	# Older than a second, and one that has no time at all.
	$as touch -d "2001-02-03 04:05:06" "$dir/tree/inner/big"
	$as ln -s small "$dir/tree/link"
	$as ln "$dir/tree/small" "$dir/tree/name"
	(cd "$dir" && sha256sum tree/* tree/inner/* 2>/dev/null >sums)
	has "$dir/sums" tree/inner/big

	for f in small link name inner/big; do
		copies "$(there "tree/$f")" "$dir/tree/$f"
		same "$f, from the host"
		copies "$dir/tree/$f" "$(there "tree/$f")"
		same "$f, to the host"
	done
	copies "$(there tree/small)" "$dir/tree/name"
	same "a file onto its other name, from the host"
	copies "$dir/tree/link" "$(there tree/name)"
	same "a file onto its other name, to the host"
	copies "$(there tree/inner/big)" "$dir/tree/inner"
	same "into its folder, from the host"
	copies "$dir/tree/inner/big" "$(there tree/inner)"
	same "into its folder, to the host"
	# Of a tree, links of the host are not written through.
	$as rm "$dir/tree/link"
	sed -i '/tree.link/d' "$dir/sums"
	$as touch -d "2001-02-03 04:05:06" "$dir/tree/small"
	for flag in -r -rp; do
		copies $flag "$(there tree)" "$dir"
		same "$flag, from the host"
		copies $flag "$dir/tree" "$(there .)"
		same "$flag, to the host"
	done
	copies --resume "$dir/tree/small" "$(there tree/small)"
	same "--resume, to the host"
	copies --resume "$(there tree/small)" "$dir/tree/small"
	same "--resume, from the host"

	# Another file of the same size and time.
	echo one | $as tee "$dir/one" >/dev/null
	echo two | $as tee "$dir/two" >/dev/null
	for direction in up down; do
		echo two | $as tee "$dir/two" >/dev/null
		$as touch -d "2001-02-03 04:05:06" "$dir/one" "$dir/two"
		if [ $direction = up ]; then
			copies "$dir/one" "$(there two)"
		else
			copies "$(there one)" "$dir/two"
		fi
		equal "$(cat "$dir/two")" one "what looked the same, $direction"
	done
	stop_host
}

both both_ways
