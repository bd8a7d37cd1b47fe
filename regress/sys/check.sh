#!/bin/sh
# SPDX-License-Identifier: ISC
# check tells what would be served, for whom and how confined, and serves
# nothing.
. regress/sys/lib.sh

check() {
	new_key other
	conf maxperkey 3 startuprate '"1:2:3"' \
		ssh_listen '"127.0.0.1:0"' cliaddr "\"$sock\""
	run skyptyd check -c "$dir/host.json" >"$dir/out" 2>"$dir/err.check" ||
		fail "check failed: $(cat "$dir/out" "$dir/err.check")"
	has "$dir/out" "identity        $pk"
	has "$dir/out" "configuration   $dir/host.json"
	has "$dir/out" "listen          127.0.0.1:0"
	has "$dir/out" "control socket  $sock"
	has "$dir/out" "maxperkey 3"
	has "$dir/out" "startuprate 1:2:3, netblocks 24:48"
	has "$dir/out" "$client"
	hasnt "$dir/out" "$host_sk"
	for step in rlimits "no dump" "end with its monitor" no_new_privs \
		landlock seccomp; do
		grep -q "^ *$step *ok" "$dir/out" || fail "no step '$step'"
	done
	if [ "$uid" -eq 0 ]; then
		for step in chroot user; do
			grep -q "^ *$step *ok" "$dir/out" ||
				fail "no step '$step'"
		done
		has "$dir/out" "strict, of $privsep"
	else
		has "$dir/out" "strict, of this user"
	fi
	[ ! -e "$sock" ] || fail "a control socket was made"
	has_no_child $$ || :

	equal "$(run skyptyd check -c "$dir/host.json" --peer "$client" \
		2>/dev/null)" "$client would be let in" "a listed peer"
	equal "$(run skyptyd check -c "$dir/host.json" --peer "$pk" \
		2>/dev/null)" "$pk would be let in" "the host's own key"
	status=0
	run skyptyd check -c "$dir/host.json" --peer "$key" >"$dir/out" ||
		status=$?
	equal "$status $(cat "$dir/out")" "1 $key would be refused" \
		"an unlisted peer"
	run skyptyd check -c "$dir/host.json" --allow "$key" --peer "$key" \
		>"$dir/out" || fail "a peer of a flag"
	# A key that is given twice is one, and where it stands is told.
	run skyptyd check -c "$dir/host.json" --allow "$key" \
		--allow "$client,$key" >"$dir/out" || fail "check failed"
	has "$dir/out" "the host's own key and 2 more"
	equal "$(grep -c "^    $client, also by a flag" "$dir/out")" 1 \
		"lines of a key of both"
	equal "$(grep -c "^    $key, by a flag" "$dir/out")" 1 \
		"lines of a flag's"
	status=0
	run skyptyd check -c "$dir/host.json" --peer 02ab 2>"$dir/err.check" ||
		status=$?
	equal $status 64 "status of a bad peer"
	has "$dir/err.check" "--peer 02ab: not a public key"
}

need_filter
both check
