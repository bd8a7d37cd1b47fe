#!/bin/sh
# SPDX-License-Identifier: ISC
# Each program has in it what regress/linked lists for it, and nothing else of
# ours: no parser of what comes from the network gets into a process that keeps
# its rights unasked.  The debugging information says what is ours.
. regress/sys/lib.sh

# parts PROGRAM: "source function" of each that is linked into it.
parts() {
	nm --defined-only -l "$BIN/$1" | awk -F '\t' '
		NF == 2 {
			split($1, symbol, " ")
			if (symbol[2] != "t" && symbol[2] != "T")
				next
			sub(/:[0-9]*$/, "", $2)
			sub(/^(.*\/)?\.\//, "", $2)
			# The compiler makes pieces of functions.
			sub(/\..*/, "", symbol[3])
			print $2, symbol[3]
		}'
}

# unlisted PROGRAM: of its parts those that are on no line.
unlisted() {
	parts "$1" | awk -v PROGRAM="$1" '
		FILENAME != "-" {
			if ($1 == PROGRAM) {
				gsub(/[.]/, "\\.", $2)
				gsub(/\*/, ".*", $3)
				line[++n] = "^" $2 " " $3 "$"
			}
			next
		}
		{
			for (i = 1; i <= n; i++)
				if ($0 ~ line[i])
					next
			print
		}' regress/linked -
}

listed() {
	parts skyptyd-net >"$dir/net"
	[ -s "$dir/net" ] ||
		skip "the programs have no debugging information"

	for program in skyptyd skyptyd-monitor skyptyd-dmsg-monitor \
		skyptyd-http-monitor skyptyd-net skyptyd-dmsg skyptyd-connect skypty-agent skypty-tls \
		skypty-forward skypty-record skyptyd-http; do
		[ -x "$BIN/$program" ] || continue
		grep -q "^${program}[[:space:]]" regress/linked || fail "$program"
		unlisted "$program" >"$dir/unlisted"
		[ ! -s "$dir/unlisted" ] || {
			cat "$dir/unlisted"
			fail "$program has what regress/linked does not list"
		}
	done

	# It is seen: what skyptyd-net has would be too much for skyptyd-monitor.
	cp "$BIN/skyptyd-net" "$dir/skyptyd-monitor"
	BIN=$dir unlisted skyptyd-monitor >"$dir/unlisted"
	has "$dir/unlisted" "common/base/http.c "
	has "$dir/unlisted" "common/pty/gob_dec.c "
}

command -v nm >/dev/null || skip "there is no nm"
[ -z "$sanitized" ] || skip "nothing is left out with the sanitizers"
either listed
