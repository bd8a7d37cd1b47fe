#!/bin/sh
# SPDX-License-Identifier: ISC
# Of several keys skypty ssh has the host take the first one that it lets in,
# and says of each why it is not, when it lets in none.
. regress/sys/lib.sh

# with FLAG...: the words that stand for ssh, without a key of their own.  What
# the account's own shell says as it starts is nothing of what is looked at.
with() {
	$as "$bin/skypty-ssh" -oSetEnv=SHELL=/bin/sh -p "$port" "$@" </dev/null
}

# says WHAT FLAG...: it is let in, by the key whose name is in $by, after so
# many others as $after says, and in silence.
says() {
	what=$1
	shift
	before=$(grep -c "$refusal" "$log")
	equal "$(with "$@" "$on_127" echo here 2>"$dir/err.ssh")" here "$what"
	equal "$(grep -v "not accessible" "$dir/err.ssh")" "" \
		"what is told of $what"
	# What was refused is in the log before the next one came.
	equal $(($(grep -c "$refusal" "$log") - before)) "${after-0}" \
		"refused before $what"
	grep "$accepted" "$log" | tail -n 1 >"$dir/last"
	has "$dir/last" "$(cat "$dir/${by-client}.pk")"
}

# fails WHAT FLAG...
fails() {
	what=$1
	shift
	status=0
	with "$@" "$on_127" echo here >"$dir/out" 2>"$dir/err.ssh" ||
		status=$?
	equal $status 255 "status of $what"
	[ ! -s "$dir/out" ] || fail "$what: the command was run"
}

keys() {
	refusal='Refused key'
	accepted='Accepted key'
	echo "$client" >"$dir/client.pk"
	for k in "$@"; do
		new_key "$k" 2>"$dir/err.key"
		echo "$key" >"$dir/$k.pk"
	done
}

in_turn() {
	keys one two three
	wl="\"$client\", \"$(cat "$dir/three.pk")\"" conf
	start_host
	on_127=$pk@127.0.0.1
	says "the first" -i "$dir/client" -i "$dir/one"
	after=1 says "the second" -i "$dir/one" -i "$dir/client"
	after=2 says "the last" -i "$dir/one" -i "$dir/two" -i "$dir/client"
	after=1 by=three says "two that are let in" -i "$dir/one" \
		-i "$dir/three" -i "$dir/client"
	by=three says "the order of flags and keywords" -i "$dir/three" \
		-oIdentityFile="$dir/client"
	after=1 says "IdentitiesOnly" -oIdentitiesOnly=yes \
		-oIdentityFile="$dir/one" -oIdentityFile="$dir/client"
	says "none, then one" -oIdentityFile=none -i "$dir/client"

	# A key that is there twice is tried once, whatever it is called.
	cp -p "$dir/one" "$dir/copy"
	after=1 says "a key twice" -i "$dir/one" -i "$dir/copy" \
		-i "$dir/one" -i "$dir/client"

	# The file's come behind the command line's, and all of them count.
	$as tee "$dir/names" >/dev/null <<-END
		Host lab
		  Key $pk
		  Address 127.0.0.1
		  IdentityFile $dir/two
		  Identity "$dir/client"
		Host *
		  IdentityFile %d/../three
	END
	on_127=lab
	after=1 says "the file's" -F "$dir/names"
	after=2 says "the file's behind -i" -F "$dir/names" -i "$dir/one"
	by=three says "-i before the file's" -F "$dir/names" -i "$dir/three"
	stop_host
}

# Files that hold no key are passed over, and told of.
useless() {
	keys one
	start_host
	on_127=$pk@127.0.0.1
	cp "$dir/one" "$dir/open"
	chmod 644 "$dir/open"
	printf -- '-----BEGIN OPENSSH PRIVATE KEY-----\nx\n' >"$dir/ssh"
	chmod 600 "$dir/ssh"
	chown "$uid:$gid" "$dir/open" "$dir/ssh"
	equal "$(with -i "$dir/open" -i "$dir/ssh" -i "$dir" -i "$dir/none" \
		-i "$dir/client" "$on_127" echo here 2>"$dir/err.ssh")" here \
		"what is left"
	has "$dir/err.ssh" "$dir/open: others may read it"
	has "$dir/err.ssh" "$dir/ssh: holds no secret key"
	has "$dir/err.ssh" "$dir: not a regular file"
	has "$dir/err.ssh" "$dir/none not accessible"
	fails "no key at all" -i "$dir/open" -i "$dir/ssh"
	has "$dir/err.ssh" "no key is left"
	hasnt "$log" "$refusal"
	stop_host
}

# The reason of each, and no more of them than the host bears.
refused_all() {
	keys one two
	start_host
	on_127=$pk@127.0.0.1
	fails "two that are refused" -i "$dir/one" -i "$dir/two"
	for k in one two; do
		has "$dir/err.ssh" "$dir/$k: your key $(cat "$dir/$k.pk") is not"
	done
	equal "$(grep -c . "$dir/err.ssh")" 2 "lines"
	fails "one that is refused" -i "$dir/one"
	has "$dir/err.ssh" "your key $(cat "$dir/one.pk") is not"

	set --
	for i in 1 2 3 4 5 6 7 8 9 10; do
		new_key "more.$i" 2>"$dir/err.key"
		set -- "$@" -i "$dir/more.$i"
	done
	before=$(grep -c "$refusal" "$log")
	fails "eleven" "$@" -i "$dir/client"
	has "$dir/err.ssh" "1 more keys were not tried"
	equal $(($(grep -c "$refusal" "$log") - before)) 10 "how many were tried"
	stop_host
}

# What is no refusal of a key is not answered by another key.
other_reasons() {
	keys one two
	conf maxperkey 1
	start_host
	on_127=$pk@127.0.0.1
	mkfifo -m 666 "$dir/hold"
	spawn "$dir/held" "$bin/skypty-ssh" -i "$dir/client" -p "$port" \
		$no_login "$on_127" "echo there; cat $dir/hold"
	wait_for "a connection" grep -q there "$dir/held"
	fails "a key that has too many" -i "$dir/client" -i "$dir/one"
	has "$dir/err.ssh" "the host turns the connection away"
	equal "$(grep -c . "$dir/err.ssh")" 1 "lines"
	hasnt "$log" "$(cat "$dir/one.pk")"
	echo >"$dir/hold"

	on_127=$(cat "$dir/two.pk")@127.0.0.1
	fails "another host" -i "$dir/client" -i "$dir/one"
	has "$dir/err.ssh" "the host's key is not"
	equal "$(grep -c . "$dir/err.ssh")" 1 "lines"
	stop_host
	on_127=$pk@127.0.0.1
	fails "no host" -i "$dir/client" -i "$dir/one"
	has "$dir/err.ssh" "connection refused"
	equal "$(grep -c . "$dir/err.ssh")" 1 "lines"
}

# Files, where a login name is given: a connection of its own looks at it first.
files() {
	command -v scp >/dev/null || return 0
	keys one
	start_host
	before=$(grep -c "$refusal" "$log")
	echo bytes >"$dir/file"
	# shellcheck disable=SC2086
	$as scp -s -S "$bin/skypty-ssh" $no_login -i "$dir/one" \
		-oIdentityFile="$dir/client" -P "$port" -oKey="$pk" \
		"$dir/file" "$account@127.0.0.1:$dir/there" \
		>"$dir/out" 2>"$dir/err.ssh" || fail "scp returned $?"
	cmp "$dir/file" "$dir/there" || fail "a file was changed"
	equal $(($(grep -c "$refusal" "$log") - before)) 1 "how often one was tried"
	stop_host
}

both in_turn
either useless
either refused_all
either other_reasons
either files
