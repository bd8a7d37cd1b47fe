#!/bin/sh
# SPDX-License-Identifier: ISC
# A key with a passphrase: made and changed on a terminal and by files, asked
# for by each command, three times; a wrong one, a file cut short, of another
# version or with huge costs, and a process killed while it changes one leave
# the key as it was and say what to do.
. regress/sys/lib.sh
need_command setsid

# refuses WHAT TEXT COMMAND...: without a terminal.
refuses() {
	what=$1
	text=$2
	shift 2
	if $as setsid -w "$bin/skypty" "$@" >"$dir/out" 2>"$dir/err.refuses" \
		</dev/null; then
		fail "$what was taken"
	fi
	has "$dir/err.refuses" "$text"
}

askpass() {
	printf '#!/bin/sh\necho "$1" >>"%s"\n%s\n' "$dir/asked" "$1" \
		>"$dir/askpass"
	chmod 755 "$dir/askpass"
	: >"$dir/asked"
	chmod 666 "$dir/asked"
}

# with_askpass COMMAND...: by a program, for there is no terminal.
with_askpass() {
	SKYPTY_ASKPASS=$dir/askpass $as setsid -w "$bin/skypty" "$@" \
		2>"$dir/err.askpass" </dev/null
}

# on_tty ARG...: skypty on a terminal, the steps on standard input.
on_tty() {
	# shellcheck disable=SC2086
	$as "$PYTHON" "$LIB/on_tty.py" 24 80 "$bin/skypty" "$@" >"$dir/tty" ||
		fail "on a terminal: $(cat "$dir/tty")"
}

terminal() {
	on_tty keygen "$dir/tty.key" <<-'END'
		expect Passphrase (empty for none):
		send secret one\r
		expect again:
		send secret two\r
		expect not the same
		expect Passphrase (empty for none):
		send secret one\r
		expect again:
		send secret one\r
		end
	END
	has "$dir/tty.key" "skypty key 1"
	equal "$(stat -c '%a %u' "$dir/tty.key")" "600 $uid" "the key"
	made=$(run skypty keygen -y "$dir/tty.key")
	equal "$(run skypty pk -i "$dir/tty.key" 2>/dev/null)" "$made" "pk"
	on_tty keygen -p "$dir/tty.key" <<-'END'
		expect Passphrase for
		send wrong\r
		expect is wrong; try again
		expect Passphrase for
		send secret one\r
		expect (empty for none):
		send \r
		expect again:
		send \r
		expect no passphrase: whoever
		end
	END
	equal "$(wc -c <"$dir/tty.key")" 65 "a key without a passphrase"
	equal "$(run skypty keygen -y "$dir/tty.key")" "$made" "the same key"
}

client_of() {
	wl="\"$(run skypty keygen -y "$1")\"" && conf
}

used() {
	printf 'one\nnot this line\n' >"$dir/one"
	echo two >"$dir/two"
	: >"$dir/none"
	chmod 644 "$dir/one" "$dir/two" "$dir/none"
	own=$dir/own.key
	made=$(run skypty keygen --passphrase-file "$dir/one" "$own")
	client_of "$own"
	start_host
	to="tcp://$pk@127.0.0.1:$port"

	# Nobody there to ask.
	refuses "no passphrase" "SKYPTY_ASKPASS" exec -i "$own" "$to" -- true
	askpass 'echo one'
	equal "$(with_askpass exec -i "$own" "$to" -- echo in)" in "exec"
	equal "$(grep -c "Passphrase for $own" "$dir/asked")" 1 \
		"questions of a command"
	echo data >"$dir/data"
	with_askpass cp -i "$own" "$dir/data" \
		"$pk@127.0.0.1:$port:$dir/copy" || fail "cp"
	equal "$(cat "$dir/copy")" data "cp"
	# shellcheck disable=SC2086 # words, or none
	equal "$(with_askpass ssh $no_login -F none -i "$own" -p "$port" \
		"$pk@127.0.0.1" echo in)" in "ssh"
	: >"$dir/asked"
	if with_askpass ssh -F none -o BatchMode=yes -i "$own" -p "$port" \
		"$pk@127.0.0.1" true; then
		fail "BatchMode let somebody in"
	fi
	equal "$(cat "$dir/asked")" "" "what BatchMode asked"
	has "$dir/err.askpass" "BatchMode"

	# Three times, and no more; a program that gives up is not asked again.
	askpass 'echo wrong'
	if with_askpass exec -i "$own" "$to" -- true; then
		fail "a wrong passphrase let somebody in"
	fi
	equal "$(wc -l <"$dir/asked")" 3 "attempts"
	has "$dir/err.askpass" "the passphrase is wrong"
	askpass 'exit 1'
	if with_askpass exec -i "$own" "$to" -- true; then
		fail "no passphrase let somebody in"
	fi
	equal "$(wc -l <"$dir/asked")" 1 "questions to one that gave up"
	stop_host
}

changed() {
	before=$(cat "$own")
	refuses "a wrong passphrase" "is wrong, or the file is damaged" \
		keygen -p --passphrase-file "$dir/two" \
		--new-passphrase-file "$dir/one" "$own"
	equal "$(cat "$own")" "$before" "the file beside a wrong passphrase"
	run skypty keygen -p --passphrase-file "$dir/one" \
		--new-passphrase-file "$dir/two" "$own" 2>"$dir/err.p" ||
		fail "keygen -p"
	[ "$(cat "$own")" != "$before" ] || fail "nothing was changed"
	refuses "the old passphrase" "is wrong" keygen -p --passphrase-file \
		"$dir/one" --new-passphrase-file "$dir/one" "$own"

	# A link stays one.
	$as ln -s "$own" "$dir/link"
	run skypty keygen -p --passphrase-file "$dir/two" \
		--new-passphrase-file "$dir/one" "$dir/link" 2>"$dir/err.p" ||
		fail "keygen -p of a link"
	[ -L "$dir/link" ] || fail "the link was replaced"
	run skypty keygen -p --passphrase-file "$dir/one" \
		--new-passphrase-file "$dir/none" "$own" 2>"$dir/err.p" ||
		fail "a passphrase cannot be taken away"
	equal "$(run skypty pk -i "$own" 2>/dev/null)" "$made" "the plain key"
	run skypty keygen -p --new-passphrase-file "$dir/one" "$own" \
		2>"$dir/err.p" || fail "a plain key cannot be sealed"

	# Where no new file can be made the old one stays.
	$as mkdir "$dir/closed"
	$as cp -p "$own" "$dir/closed/key"
	before=$(cat "$own")
	$as chmod 500 "$dir/closed"
	[ "$uid" -eq 0 ] || refuses "a folder that is closed" "$dir/closed" \
		keygen -p --passphrase-file "$dir/one" \
		--new-passphrase-file "$dir/two" "$dir/closed/key"
	equal "$(cat "$dir/closed/key")" "$before" "a file that was not changed"
	$as chmod 700 "$dir/closed"
}

# Killed at any time: one of both passphrases opens the key.
killed() {
	was=$dir/one
	for after in 0.2 0.5 0.8 1.1; do
		other=$dir/two
		[ "$was" = "$dir/one" ] || other=$dir/one
		# shellcheck disable=SC2086
		timeout -s KILL "$after" $as "$bin/skypty" keygen -p \
			--passphrase-file "$was" --new-passphrase-file \
			"$other" "$own" >/dev/null 2>&1
		equal "$(run skypty keygen -y "$own")" "$made" "the key"
		has "$own" "skypty key 1"
		run skypty keygen -p --passphrase-file "$was" \
			--new-passphrase-file "$was" "$own" 2>/dev/null ||
			was=$other
	done
	run skypty keygen -p --passphrase-file "$was" \
		--new-passphrase-file "$dir/one" "$own" 2>"$dir/err.p" ||
		fail "neither passphrase opens the key"
	equal "$(find "$dir" -name '.own.key*')" "" "what is left beside it"
}

# variant SED: a copy with a flaw.
variant() {
	sed "$1" "$own" >"$dir/flaw"
	chmod 600 "$dir/flaw"
	[ -z "$as" ] || chown "$uid:$gid" "$dir/flaw"
}

flaws() {
	askpass 'echo one'
	SKYPTY_ASKPASS=$dir/askpass
	export SKYPTY_ASKPASS
	for n in 1 12 14 90 150 200 250 297; do
		head -c "$n" "$own" >"$dir/flaw"
		chmod 600 "$dir/flaw"
		[ -z "$as" ] || chown "$uid:$gid" "$dir/flaw"
		refuses "a file of $n bytes" "$dir/flaw: the key is cut short" \
			exec -i "$dir/flaw" "tcp://$pk@127.0.0.1:1" -- true
	done
	variant 's/^skypty key 1/skypty key 2/'
	refuses "version 2" "of another version of skypty" keygen -y \
		"$dir/flaw"
	variant 's/^argon2id 3 262144/argon2id 3 67108864/'
	refuses "64 GiB" "asks for more memory or time" keygen -p \
		--passphrase-file "$dir/one" --new-passphrase-file "$dir/two" \
		"$dir/flaw"
	variant 's/^argon2id 3 /argon2id 4000000000 /'
	refuses "many passes" "asks for more memory or time" pk -i "$dir/flaw"
	equal "$(cat "$dir/asked")" "" "what was asked for these"
	variant '5y/0123456789abcdef/1032547698badcfe/'
	refuses "a changed box" "the passphrase is wrong" exec -i "$dir/flaw" \
		"tcp://$pk@127.0.0.1:1" -- true
	echo x >>"$dir/flaw"
	refuses "more behind it" "something follows the key" keygen -y \
		"$dir/flaw"
	# Another's public key in front of our box.
	variant "s/^pk .*/pk $client/"
	refuses "another pk" "the passphrase is wrong" exec -i "$dir/flaw" \
		"tcp://$pk@127.0.0.1:1" -- true
	chmod 640 "$dir/flaw"
	refuses "a file that others read" "others may read it (mode 0640)" \
		keygen -y "$dir/flaw"
	echo "$client my laptop" >"$dir/flaw"
	chmod 644 "$dir/flaw"
	equal "$(run skypty keygen -y "$dir/flaw")" "$client" "a public key"
	refuses "a public key" "no agent has its secret one" exec \
		-i "$dir/flaw" "tcp://$pk@127.0.0.1:1" -- true
	unset SKYPTY_ASKPASS
	head -c 2000 /dev/zero | tr '\0' x >"$dir/long"
	refuses "a long passphrase" "at most 1023 bytes" keygen \
		--passphrase-file "$dir/long" "$dir/new"
	[ ! -e "$dir/new" ] || fail "a key was made without its passphrase"
	refuses "-p and -y" "exclude each other" keygen -p -y "$own"
}

all() {
	used
	changed
	killed
	flaws
	terminal
}

both all
