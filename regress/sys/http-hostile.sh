#!/bin/sh
# SPDX-License-Identifier: ISC
# skyptyd-http has been taken over.  All that it gets of the launcher is lines
# in the log, escaped and few, and connections to the host, few as well; what
# else it asks for ends it, and another one is started.
. regress/sys/lib.sh
need_http

attacks() {
	start_host
	cp "$HELPERS/hostile_http" "$bin/skyptyd-http"
	"$HELPERS/hostile_http" list >"$dir/attacks"
	[ "$(wc -l <"$dir/attacks")" -gt 15 ] || fail "there are no attacks"
	while IFS=$tab read -r name expect <&8; do
		order "$name"
		start_http
		wait_for "the end of $name" ended
		tr -d '\000' <"$web_log" >"$dir/said"
		grep -qF -e "$expect" "$dir/said" ||
			fail "$name: '$expect' is not in: $(cat "$dir/said")"
		hasnt "$dir/said" "let it pass"
		alive "$web" || fail "$name: the launcher has ended"
		case $name in
		log-flood)
			[ "$(wc -l <"$dir/said")" -lt 100 ] ||
				fail "$(wc -l <"$dir/said") lines were logged"
			;;
		descriptors)
			[ "$(find "/proc/$web/fd" | wc -l)" -lt 40 ] ||
				fail "the launcher holds descriptors"
			;;
		esac
		stop_http
	done 8<"$dir/attacks"
	# One after the other, with a new link each.
	order silence
	start_http
	wait_for "three of them" enough
	[ "$(grep -c token= "$dir/web.out")" -ge 3 ] ||
		fail "the links: $(cat "$dir/web.out")"
	stop_http
	serves
	stop_host
}

ended() {
	grep -qE 'http (ended|was killed)' "$web_log"
}

enough() {
	[ "$(grep -c 'http ended' "$web_log")" -ge 2 ] &&
		[ "$(grep -c token= "$dir/web.out")" -ge 3 ]
}

tab=$(printf '\t')
either attacks
