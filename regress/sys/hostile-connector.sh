#!/bin/sh
# SPDX-License-Identifier: ISC
# Whoever resolves names has been taken over by an answer: what it hands over in
# place of a connection to where it was sent is not passed on, how it ends is
# told, dmsg goes on, and nothing stays of it.
# waits
. regress/sys/lib.sh

# Each retry has one for a moment.
connectors() {
	find /proc -maxdepth 2 -path '/proc/[0-9]*/exe' \
		-lname "$bin/skyptyd-connect" 2>/dev/null | cut -d / -f 3
}

ends_what_stays() {
	connectors >"$dir/were"
	while read -r old; do
		wait_gone "a connector" "$old"
	done <"$dir/were"
}

attacks() {
	cp "$HELPERS/hostile_connect" "$bin/skyptyd-connect"
	"$HELPERS/hostile_connect" list >"$dir/attacks"
	[ "$(wc -l <"$dir/attacks")" -gt 10 ] || fail "there are no attacks"
	$PYTHON "$LIB/reset_relay.py" "$dir/ports" "$dir/seen" &
	pids="$pids $!"
	wait_for "the relay" test -s "$dir/ports"
	read -r relay inner <"$dir/ports"
	echo "$inner" >"$bin/inner"
	while IFS=$tab read -r name expect <&8; do
		order "$name"
		start_host --dmsgdisc "http://127.0.0.1:$relay"
		wait_for "'$expect' of $name" grep -qF -e "$expect" "$log"
		# What a relay's reset looks like is up to the kernel.
		[ "$name" != good ] || wait_for "the relay's word" grep -qE \
			"unexpected end of data|reset by peer" "$log"
		ends_what_stays
		hasnt "$log" "dmsg ended"
		serves
		stop_host
	done 8<"$dir/attacks"
}

served_as=dmsg
tab=$(printf '\t')
either attacks
