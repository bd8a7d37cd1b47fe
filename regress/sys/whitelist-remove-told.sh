#!/bin/sh
# SPDX-License-Identifier: ISC
# Whoever takes a key off the whitelist that gets in all the same, or that was
# never there, is told so; what could be removed is.
. regress/sys/lib.sh

wl_command() {
	verb=$1
	shift
	run skypty "$verb" -r "$sock" "$@"
}

# removing WHAT KEY...: is refused with a word.
removing() {
	what=$1
	shift
	status=0
	wl_command whitelist-remove "$@" >"$dir/out" 2>"$dir/err.remove" ||
		status=$?
	equal $status 1 "status: $what"
}

# gets_in NAME: whoever has this identity does.
gets_in() {
	equal "$(run skypty exec -i "$dir/$1" --no-visor-key \
		--via "$(dest)" -- echo works 2>/dev/null)" works "$1"
}

stays_out() {
	if run skypty exec -i "$dir/$1" --no-visor-key --via "$(dest)" \
		-- true 2>"$dir/err.out"; then
		fail "$1 gets in"
	fi
}

given() {
	new_key flag
	flag=$key
	new_key twice
	twice=$key
	new_key absent
	absent=$key
	echo "$host_sk" >"$dir/own"
	chmod 600 "$dir/own"
	[ -z "$as" ] || chown "$uid:$gid" "$dir/own"
	wl="\"$client\", \"$twice\", \"$client\"" && conf
	unset wl
	start_host --allow "$flag" --allow "$twice" --allow "$flag"

	# A key that stands in both lists is printed once.
	wl_command whitelist | sort -u >"$dir/listed"
	printf '%s\n' "$client" "$twice" "$flag" | sort |
		cmp -s - "$dir/listed" || fail "$(cat "$dir/listed")"
	equal "$(wl_command whitelist | grep -c "$twice")" 1 "lines of a key"
	equal "$(wl_command whitelist | grep -c "$flag")" 1 "lines of a flag's"

	by_flag="still gets in: it is given by --allow"
	removing "a flag's key" "$flag"
	has "$dir/err.remove" "$flag $by_flag"
	hasnt "$dir/err.remove" "is not on the whitelist"
	has "$log" "whitelist: $flag $by_flag"
	gets_in flag

	own="still gets in: it is the host's own key"
	removing "the host's own key" "$pk"
	has "$dir/err.remove" "$pk $own"
	gets_in own

	removing "a key of both" "$twice"
	has "$dir/err.remove" "$twice $by_flag"
	hasnt "$dir/host.json" "$twice"
	gets_in twice

	gets_in client
	removing "all kinds at once" "$absent" "$flag" "$client" "$pk" "$flag"
	has "$dir/err.remove" "$absent is not on the whitelist"
	has "$dir/err.remove" "$flag $by_flag"
	has "$dir/err.remove" "$pk $own"
	hasnt "$dir/err.remove" "$client"
	equal "$(grep -o "$flag" "$dir/err.remove" | wc -l)" 1 "said once"
	stays_out client
	hasnt "$dir/host.json" "$client"

	removing "once more" "$client"
	has "$dir/err.remove" "$client is not on the whitelist"
	wl_command whitelist-add "$client" "$client" ||
		fail "a key that was given twice was not added"
	gets_in client
	wl_command whitelist-remove "$client" "$client" ||
		fail "a key that was given twice was not removed"
	stays_out client

	# More of them than a text holds: how many are not named is.
	many=
	i=0
	while [ $i -lt 36 ]; do
		new_key m
		many="$many $key"
		i=$((i + 1))
	done 2>/dev/null
	stop_host
	# shellcheck disable=SC2046,SC2086
	start_host $(printf ' --allow %s' $many)
	# shellcheck disable=SC2086
	removing "many" $many
	grep -q '(and [0-9]* more)$' "$dir/err.remove" ||
		fail "they are not counted: $(cat "$dir/err.remove")"
	stop_host
}

# Without a file there is nothing to change.
from_standard_input() {
	log=$dir/log.stdin
	mv "$dir/host.json" "$dir/stdin.json"
	$as "$bin/skyptyd" tcp --confstdin --addr 127.0.0.1:0 \
		--cliaddr "$sock" <"$dir/stdin.json" >"$log" 2>&1 &
	host=$!
	pids="$pids $host"
	wait_for "the host" served
	port=$(port_of "$log")
	gets_in client
	removing "standard input's key" "$client"
	has "$dir/err.remove" "no configuration file to change"
	has "$dir/err.remove" "$client still gets in: it is given by"
	gets_in client
	stop_host
	mv "$dir/stdin.json" "$dir/host.json"
}

both given
either from_standard_input
