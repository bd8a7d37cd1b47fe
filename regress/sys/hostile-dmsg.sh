#!/bin/sh
# SPDX-License-Identifier: ISC
# The process with the sessions to dmsg servers has been taken over.  It cannot
# have anything started, signed, dialed or connected to but what it is there
# for; what it should not ask ends it, is logged, and touches nobody else.
. regress/sys/lib.sh

attacks() {
	cp "$HELPERS/hostile_dmsg" "$bin/skyptyd-dmsg"
	"$HELPERS/hostile_dmsg" list >"$dir/attacks"
	[ "$(wc -l <"$dir/attacks")" -gt 30 ] || fail "there are no attacks"
	done=0
	while IFS=$tab read -r name expect <&8; do
		order "$name"
		echo "${port-1}" >"$bin/port"
		# Public by name, and nowhere.
		start_host --dmsgdisc http://discovery.invalid
		wait_for "the end of $name" ended
		has "$log" "$expect"
		hasnt "$log" "let it pass"
		hasnt "$log" "Command started"
		hasnt "$log" "Terminal started"
		serves
		stop_host
		done=$((done + 1))
	done 8<"$dir/attacks"
	equal "$done" "$(wc -l <"$dir/attacks")" "attacks made"
	has "$log" "dmsg ended; it is started again"
}

ended() {
	grep -q 'dmsg ended' "$log"
}

served_as=dmsg
tab=$(printf '\t')
either attacks
