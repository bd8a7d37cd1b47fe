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

# cheap FILE: a key that costs little to open, that of
# regress/unit/key_file_vector.h; its passphrase is in $dir/horse.
cheap() {
	cat >"$1" <<-'END'
		skypty key 1
		pk 03d1648d44d2254f8048d054ae05e4732abbdda2256df528f615f5dd88b27b3591
		argon2id 2 1024 000102030405060708090a0b0c0d0e0f
		xchacha20poly1305 000102030405060708090a0b0c0d0e0f1011121314151617
		be18d0d0127ba796f19e926e58eed2a86b3f3d6fa770663f2ba682c9a423d4e82294243e5741da8b58f03184c8b82932
	END
	own_it "$1"
}

own_it() {
	chmod 600 "$1"
	[ -z "$as" ] || chown "$uid:$gid" "$1"
}

used() {
	printf 'one\nnot this line\n' >"$dir/one"
	echo two >"$dir/two"
	: >"$dir/none"
	echo correct horse >"$dir/horse"
	chmod 644 "$dir/one" "$dir/two" "$dir/none" "$dir/horse"
	own=$dir/own.key
	made=$(run skypty keygen --passphrase-file "$dir/one" "$own")
	key=$dir/cheap.key
	cheap "$key"
	cheap_pk=$(run skypty keygen -y "$key")
	wl="\"$made\", \"$cheap_pk\"" && conf
	start_host
	to="tcp://$pk@127.0.0.1:$port"

	# Nobody there to ask.
	refuses "no passphrase" "SKYPTY_ASKPASS" exec -i "$own" "$to" -- true
	askpass 'echo one'
	equal "$(with_askpass exec -i "$own" "$to" -- echo in)" in "exec"
	equal "$(grep -c "Passphrase for $own" "$dir/asked")" 1 \
		"questions of a command"
	askpass 'echo correct horse'
	echo data >"$dir/data"
	with_askpass cp -i "$key" "$dir/data" \
		"$pk@127.0.0.1:$port:$dir/copy" || fail "cp"
	equal "$(cat "$dir/copy")" data "cp"
	# shellcheck disable=SC2086 # words, or none
	equal "$(with_askpass ssh $no_login -F none -i "$key" -p "$port" \
		"$pk@127.0.0.1" echo in)" in "ssh"
	: >"$dir/asked"
	if with_askpass ssh -F none -o BatchMode=yes -i "$key" -p "$port" \
		"$pk@127.0.0.1" true; then
		fail "BatchMode let somebody in"
	fi
	equal "$(cat "$dir/asked")" "" "what BatchMode asked"
	has "$dir/err.askpass" "BatchMode"

	# Three times, and no more; a program that gives up is not asked again.
	askpass 'echo wrong'
	if with_askpass exec -i "$key" "$to" -- true; then
		fail "a wrong passphrase let somebody in"
	fi
	equal "$(wc -l <"$dir/asked")" 3 "attempts"
	has "$dir/err.askpass" "the passphrase is wrong"
	askpass 'exit 1'
	if with_askpass exec -i "$key" "$to" -- true; then
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

# opened PASSPHRASE-FILE: takes the passphrase away, which costs one attempt.
opened() {
	run skypty keygen -p --passphrase-file "$1" \
		--new-passphrase-file "$dir/none" "$key" 2>"$dir/err.p"
}

# Killed at any time: one of both passphrases opens the key.
killed() {
	for after in 0.1 0.2 0.4 0.8; do
		cheap "$key"
		# shellcheck disable=SC2086
		timeout -s KILL "$after" $as "$bin/skypty" keygen -p \
			--passphrase-file "$dir/horse" --new-passphrase-file \
			"$dir/two" "$key" >/dev/null 2>&1
		equal "$(run skypty keygen -y "$key")" "$cheap_pk" "the key"
		has "$key" "skypty key 1"
		opened "$dir/horse" || opened "$dir/two" ||
			fail "neither passphrase opens the key"
		equal "$(run skypty keygen -y "$key")" "$cheap_pk" "the plain key"
	done
	equal "$(find "$dir" -name '.cheap.key*')" "" "what is left beside it"
}

# variant SED FILE: a copy with a flaw.
variant() {
	sed "$1" "$2" >"$dir/flaw"
	own_it "$dir/flaw"
}

flaws() {
	cheap "$key"
	askpass 'echo correct horse'
	SKYPTY_ASKPASS=$dir/askpass
	export SKYPTY_ASKPASS
	for n in 1 12 14 90 150 200 250 297; do
		head -c "$n" "$own" >"$dir/flaw"
		own_it "$dir/flaw"
		refuses "a file of $n bytes" "$dir/flaw: the key is cut short" \
			exec -i "$dir/flaw" "tcp://$pk@127.0.0.1:1" -- true
	done
	variant 's/^skypty key 1/skypty key 2/' "$own"
	refuses "version 2" "of another version of skypty" keygen -y \
		"$dir/flaw"
	variant 's/^argon2id 3 262144/argon2id 3 67108864/' "$own"
	refuses "64 GiB" "asks for more memory or time" keygen -p \
		--passphrase-file "$dir/one" --new-passphrase-file "$dir/two" \
		"$dir/flaw"
	variant 's/^argon2id 3 /argon2id 4000000000 /' "$own"
	refuses "many passes" "asks for more memory or time" pk -i "$dir/flaw"
	equal "$(cat "$dir/asked")" "" "what was asked for these"
	variant '5y/0123456789abcdef/1032547698badcfe/' "$key"
	refuses "a changed box" "the passphrase is wrong" exec -i "$dir/flaw" \
		"tcp://$pk@127.0.0.1:1" -- true
	echo x >>"$dir/flaw"
	refuses "more behind it" "something follows the key" keygen -y \
		"$dir/flaw"
	# Another's public key in front of our box.
	variant "s/^pk .*/pk $client/" "$key"
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
