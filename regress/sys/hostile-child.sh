#!/bin/sh
# SPDX-License-Identifier: ISC
# A confined child that has been taken over attacks its monitor with every
# request out of state, too long, cut short, unknown, replayed, malformed or
# claimed.  The monitor refuses with a log line, that connection ends, nothing
# is started, and skyptyd serves on.
. regress/sys/lib.sh

# connect PHASE: the client that leads the child there.
connect() {
	case $1 in
	pre) raw hello drain ;;
	refused) unlisted handshake drain ;;
	session) raw handshake drain ;;
	control) "$HELPERS/raw_client" "$sock" - - - drain ;;
	esac >"$dir/out" 2>&1 </dev/null
}

unlisted() {
	"$HELPERS/raw_client" 127.0.0.1 "$port" "$pk" "$dir/other" "$@"
}

attacks() {
	stand_in hostile_net
	marker=$dir/mark
	echo "$marker" >"$bin/marker"
	new_key other
	start_host
	serves
	"$HELPERS/hostile_net" list "$marker" >"$dir/attacks"
	[ "$(wc -l <"$dir/attacks")" -gt 200 ] || fail "there are no attacks"
	while IFS=$tab read -r name phase expect; do
		order "$name"
		before=$(wc -l <"$log")
		connect "$phase"
		wait_for "the end of $name" has_no_child "$host"
		tail -n +$((before + 1)) "$log" >"$dir/said"
		grep -qF "$expect" "$dir/said" ||
			fail "$name: '$expect' is not in: $(cat "$dir/said")"
		case $name in
		genuine)
			[ -e "$marker" ] || fail "the marker does not work"
			rm "$marker"
			;;
		log-flood)
			[ "$(wc -l <"$dir/said")" -lt 100 ] ||
				fail "$(wc -l <"$dir/said") lines were logged"
			;;
		log-injection) injection ;;
		esac
		case $expect in
		*refused*) hasnt "$dir/said" "let it pass" ;;
		esac
		[ ! -e "$marker" ] || fail "$name: a command was started"
	done <"$dir/attacks"
	has "$dir/host.json" "$client"
	hasnt "$dir/host.json" 0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28
	order real
	serves
	wait_for "the end of all commands" none_left
	stop_host
}

none_left() {
	! pgrep -f "done $marker\$"
}

# What a child has said cannot be taken for what its monitor says.
injection() {
	if LC_ALL=C grep -q "[^ -~]" "$dir/said"; then
		fail "unprintable bytes were logged: $(cat -v "$dir/said")"
	fi
	if grep -v '^skyptyd\[[0-9]*\]: [0-9a-f]\{16\} 127.0.0.1 port [0-9]*: ' "$dir/said"; then
		fail "a line was forged"
	fi
	if grep -E ': [0-9a-f]{16} 127.0.0.1 port [0-9]*: Accepted key' "$dir/said"; then
		fail "a line was forged"
	fi
	has "$dir/said" 'injected\012skyptyd[1]: Accepted key forged'
	has "$dir/said" '\033[2J'
}

tab=$(printf '\t')
either attacks
