#!/bin/sh
# SPDX-License-Identifier: ISC
# fleet runs a command, a script and copies on many hosts; tells, groups and
# keeps what they write; and the journal knows afterwards.
. regress/sys/fleet_lib.sh

commands() {
	scene 5
	fleet 0 "@$dir/hosts" -- echo hello
	has "$dir/out" "5 hosts: "
	equal "$(grep -c '^hello$' "$dir/out")" 1 "identical outputs shown"
	has "$dir/err.fleet" "5 hosts: 5 ok, 0 failed"
	id=$(run_id)

	# Statuses, and the failures by themselves.
	fleet 1 -j 2 "@$dir/hosts" -- sh -c 'echo out; exit 3'
	has "$dir/out" "5 hosts: "
	has "$dir/out" "(exit status 3)"
	has "$dir/err.fleet" "..@127.0.0.3:$port: exit status 3"
	has "$dir/err.fleet" "5 hosts: 0 ok, 5 failed"
	fleet 1 "@$dir/hosts" -- sh -c 'kill -9 $$'
	has "$dir/err.fleet" "killed by signal KILL"
	fleet 1 -t 200ms "@$dir/hosts" -- sleep 30
	has "$dir/err.fleet" "timed out"
	fleet 1 "@$dir/hosts" -- no-such-command
	has "$dir/err.fleet" "exit status 127"

	# Nothing of a host drives the terminal.
	fleet 0 "@$dir/hosts" -- printf 'a\033]0;x\007b\n'
	has "$dir/out" 'a\033]0;x\ab'
	fleet 0 --live "@$dir/hosts" -- printf 'a\033b\nrest'
	equal "$(grep -c '^[0-9a-f]*\.\.@127\.0\.0\.[1-5]:[0-9]*: a\\033b$' \
		"$dir/out")" 5 "lines with names"
	equal "$(grep -c ': rest$' "$dir/out")" 5 "last lines"

	# For programs.
	fleet 1 --json --junit "$dir/junit" "@$dir/hosts" -- \
		sh -c 'printf "\033<\"\377"; exit 1'
	"$PYTHON" - "$dir/out" "$dir/junit" <<-'END' || fail "bad reports"
		import json, sys
		import xml.etree.ElementTree as tree
		*hosts, run = map(json.loads, open(sys.argv[1]))
		assert len(hosts) == 5 and run["status"] == 1, run
		for h in hosts:
		    assert h["outcome"] == "exit" and h["status"] == 1, h
		    assert h["stdout"] == "\x1b<\"\ufffd", h
		suite = tree.parse(sys.argv[2]).getroot()
		assert suite.get("failures") == "5"
		assert len(suite.findall("testcase/failure")) == 5
		assert suite.find("testcase/system-out").text[:5] == "\\033<"
	END

	# Files.
	fleet 1 --output "$dir/kept" "@$dir/hosts" -- \
		sh -c 'printf "o\033"; echo e >&2; exit 4'
	equal "$(find "$dir/kept" -name '*.out' | wc -l)" 5 "files"
	f=$(find "$dir/kept" -name '*@127.0.0.2:*.out')
	equal "$(od -An -c "$f" | tr -d ' ')" 'o033' "raw output"
	equal "$(cat "${f%.out}.err")" e "raw errors"
	equal "$(cat "${f%.out}.status")" "exit 4" "status"

	# Each host has files of its own, whatever it is called.
	{
		i=1
		for n in a/b a_b a%2Fb ..; do
			printf 'Host %s\n Via tcp://%s@127.0.0.%s:%s\n' \
				"$n" "$pk" "$i" "$port"
			i=$((i + 1))
		done
	} | $as tee "$dir/slashes" >/dev/null
	fleet 0 -F "$dir/slashes" --output "$dir/apart" a/b a_b a%2Fb .. -- \
		echo hello
	equal "$(cd "$dir/apart" && echo *.out)" \
		"%2E..out a%252Fb.out a%2Fb.out a_b.out" "names of files"

	run skypty fleet list >"$dir/out" || fail "list returned $?"
	has "$dir/out" "$id  done       5 of 5 ok  echo hello"
	run skypty fleet show "$id" >"$dir/out" || fail "show returned $?"
	equal "$(grep -c '  ok  ' "$dir/out")" 5 "hosts shown"
	stop_host
}

choosing() {
	scene 6
	$as mkdir -p "$HOME/.config/skypty"
	for n in web-1 web-2 db-3; do
		printf 'Host %s\n Key %s\n Address 127.0.0.%s:%s\n' $n "$pk" \
			"${n##*-}" "$port"
	done | $as tee "$HOME/.config/skypty/config" >/dev/null
	fleet 0 'web-*' db-3 -- true
	has "$dir/err.fleet" "3 hosts: 3 ok"
	fleet 0 'web-*,db-3' --exclude 'web-2' --dry-run -- true
	equal "$(grep -c '^  web-1$\|^  db-3$' "$dir/out")" 2 "chosen"
	hasnt "$dir/out" web-2
	fleet 0 "@$dir/hosts" --tag odd1 -- true
	has "$dir/err.fleet" "3 hosts: 3 ok"
	fleet 0 "@$dir/hosts" --tag odd1,odd0 --tag all --exclude '#odd0' -- true
	has "$dir/err.fleet" "3 hosts: 3 ok"
	fleet 0 web-1 "@$dir/hosts" web-1 "@$dir/hosts" -- \
		sh -c "echo x >>$dir/twice"
	has "$dir/err.fleet" "web-1 is named more than once"
	has "$dir/err.fleet" "web-1 and "
	has "$dir/err.fleet" "@127.0.0.1:$port are the same host: it gets one"
	equal "$(wc -l <"$dir/twice")" 6 "runs of hosts named twice"

	# Another account is another host; one more name is not.
	printf 'Host again\n Via tcp://%s@127.0.0.1:%s\nHost root-1\n%s\n%s\n' \
		"$pk" "$port" " User root" " Via tcp://$pk@127.0.0.1:$port" |
		$as tee -a "$HOME/.config/skypty/config" >/dev/null
	fleet 0 --dry-run web-1 again root-1 -- true
	has "$dir/err.fleet" "web-1 and again are the same host"
	has "$dir/out" "2 hosts, "
	fleet 0 --dry-run -l "$(id -un)" web-1 "$pk@127.0.0.1:$port" \
		"other@$pk@127.0.0.1:$port" other@web-1 -- true
	has "$dir/out" "1 hosts, "

	# Tags of the file of names, those of all sections that apply.
	{
		printf 'Host web-*\n Tags web,front\n'
		printf 'Host *-1\n Tags first canary\n'
	} | $as tee -a "$HOME/.config/skypty/config" >/dev/null
	equal "$(run skypty config web-1 | grep ^tags)" \
		"tags web,front first canary" "tags of a name"
	fleet 0 '*-*' --tag web --dry-run -- true
	has "$dir/out" "2 hosts, "
	fleet 0 '*-*' --tag web --tag canary --dry-run -- true
	equal "$(grep '^  ' "$dir/out" | tr -d ' \n')" trueweb-1 "tagged twice"
	fleet 0 web-1,web-2,db-3 --exclude '#first' --dry-run -- true
	equal "$(grep '^  ' "$dir/out" | tr -d ' \n')" trueweb-2db-3 "without a tag"
	printf 'web-2 #listed\nroot-1\n' >"$dir/named"
	fleet 0 "@$dir/named" --tag listed --tag front --dry-run -- true
	has "$dir/out" "1 hosts, "
	fleet 64 web-2 --tag canary -- true
	has "$dir/err.fleet" "no host is left"
	status=0
	run skypty fleet -i "$dir/client" - -- true <"$dir/hosts" \
		>"$dir/out" 2>"$dir/err.fleet" || status=$?
	equal $status 0 "hosts of standard input"
	has "$dir/err.fleet" "6 hosts: 6 ok"

	fleet 64 web-9 -- true
	has "$dir/err.fleet" "'web-9' is neither a destination"
	fleet 64 'x*' -- true
	fleet 64 "@$dir/nowhere" -- true
	has "$dir/err.fleet" "nowhere: No such file"
	echo "$pk@127.0.0.1 tag" >"$dir/bad"
	fleet 64 "@$dir/bad" -- true
	has "$dir/err.fleet" "bad line 1: one destination a line"
	fleet 64 "@$dir/hosts" --tag none -- true
	fleet 64 web-1
	fleet 64 -- true
	fleet 64 -j 0 web-1 -- true
	fleet 64 --batch 50%,1 "@$dir/hosts" -- true

	fleet 0 --dry-run --order random --seed 7 "@$dir/hosts" -- true
	mv "$dir/out" "$dir/first"
	fleet 0 --dry-run --order random --seed 7 "@$dir/hosts" -- true
	cmp "$dir/first" "$dir/out" || fail "a seed gives two orders"
	fleet 0 --dry-run --batch 1,50%,100% "@$dir/hosts" -- true
	equal "$(sed -n '/^batch 2/,/^batch 3/p' "$dir/out" | grep -c '^  ')" \
		2 "hosts of the second batch"
	stop_host
}

batches() {
	scene 6
	# What fails in a batch keeps the next one from its turn.
	fleet 2 --batch 2 -j 1 "@$dir/hosts" -- sh -c "echo x >>$dir/ran; exit 1"
	equal "$(wc -l <"$dir/ran")" 1 "hosts until the first failure"
	has "$dir/err.fleet" "--max-fail"
	fleet 1 --batch 2 --max-fail 6 "@$dir/hosts" -- false
	fleet 0 --canary 1 --batch 50%,100% --pause 100ms \
		--check "test -s $dir/up" --check-within 1m "@$dir/hosts" -- \
		sh -c "echo x >>$dir/up"
	equal "$(wc -l <"$dir/up")" 6 "hosts of all batches"
	has "$dir/err.fleet" "batch 3 of 3: 3 hosts"
	fleet 2 --canary 1 --check false --check-within 200ms \
		"@$dir/hosts" -- sh -c "echo x >>$dir/checked"
	equal "$(wc -l <"$dir/checked")" 1 "hosts before the check failed"
	has "$dir/err.fleet" "check failed"
	stop_host
}

# They run once: an unreached one later, one that began not without a word.
resuming() {
	scene 4
	away=$(free_port)
	echo "$pk@127.0.0.1:$away" >>"$dir/hosts"
	fleet 1 --retry 1 "@$dir/hosts" -- sh -c "echo x >>$dir/once"
	has "$dir/err.fleet" "not reached"
	has "$dir/err.fleet" "connection refused"
	id=$(run_id)
	kept=$host
	spawn "$dir/log.away" "$bin/skyptyd" tcp -c "$dir/host.json" \
		--addr "127.0.0.1:$away" --cliaddr ""
	log=$dir/log.away
	wait_for "the host that was away" served
	fleet 0 "--resume=$id"
	equal "$(wc -l <"$dir/once")" 5 "runs"
	fleet 0 "--resume=$id"
	equal "$(wc -l <"$dir/once")" 5 "runs after all is done"
	kill "$pid"
	host=$kept

	# Killed while commands run, and others have had no turn.
	$as mkfifo "$dir/gate"
	$as "$bin/skypty" fleet -i "$dir/client" --no-visor-key -j 2 \
		"@$dir/hosts" -- sh -c \
		"echo x >>$dir/killed; read x <$dir/gate" \
		>"$dir/out" 2>"$dir/err.fleet" </dev/null &
	fleet_pid=$!
	pids="$pids $fleet_pid"
	wait_for "two hosts" sh -c "[ \$(wc -l <$dir/killed) -eq 2 ]"
	kill -9 "$fleet_pid"
	wait_gone "the fleet" "$fleet_pid"
	id=$(run_id)
	run skypty fleet list >"$dir/out" || fail "list returned $?"
	has "$dir/out" "$id  cut off"
	# A torn line is not there.
	printf 'ended 0 o' | $as tee -a \
		"$HOME/.local/state/skypty/fleet/$id.journal" >/dev/null
	sed -i '$d' "$dir/hosts"
	$as sh -c "rm $dir/gate; echo x >$dir/gate"
	fleet 1 --resume
	has "$dir/err.fleet" "the command began there, and its end is not known"
	has "$dir/err.fleet" "2 began and their end is not known"
	equal "$(wc -l <"$dir/killed")" 4 "each host once"
	fleet 1 "--resume=$id" --idempotent
	equal "$(wc -l <"$dir/killed")" 6 "again, as was asked for"
	fleet 64 --resume=nonsense
	fleet 64 --resume "@$dir/hosts" -- true
	stop_host
}

scripts_and_copies() {
	scene 3
	printf '#!/bin/sh\necho "$1 $#"\ncat\n' >"$dir/script"
	chmod 644 "$dir/script"
	fleet 0 --script "$dir/script" "@$dir/hosts" -- "a b" c
	has "$dir/out" "a b 2"
	printf '#!/usr/bin/python3\n' >"$dir/script2"
	fleet 64 --script "$dir/script2" "@$dir/hosts"
	has "$dir/err.fleet" "is no shell"
	echo some | $as tee "$dir/file" >/dev/null
	$as mkdir "$dir/there"
	fleet 0 --put "$dir/file" "$dir/there/a" "@$dir/hosts"
	equal "$(cat "$dir/there/a")" some "a file that was put"
	fleet 0 --get "$dir/there/a" "$dir/got" "@$dir/hosts"
	equal "$(cat "$dir"/got/*/a | wc -l)" 3 "files that were got"
	fleet 1 --get "$dir/there/b" "$dir/got" "@$dir/hosts"
	has "$dir/err.fleet" "there/b on the host: No such file"

	# What a host is called is a name in that folder, and drives nothing.
	printf 'Host *\n Key %s\n Address 127.0.0.1:%s\n' "$pk" "$port" |
		$as tee "$dir/names" >/dev/null
	fleet 0 -F "$dir/names" --get "$dir/there/a" "$dir/in" ..
	equal "$(find "$dir/in" -type f)" "$dir/in/%2E./a" "the file that was got"
	[ ! -e "$dir/a" ] || fail "a file beside the folder"
	printf 'x\033]0;y\n' >"$dir/odd"
	chmod 644 "$dir/odd"
	fleet 0 -F "$dir/names" "@$dir/odd" -- echo text
	has "$dir/out" 'x\033]0;y'
	stop_host
}

both commands
either choosing
either batches
either resuming
both scripts_and_copies
