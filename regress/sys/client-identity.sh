#!/bin/sh
# SPDX-License-Identifier: ISC
# The client's key: --sk, then the environment, then a file that is named, the
# visor's, ~/.config/skypty/identity, and a random one at last.
. regress/sys/lib.sh

used() {
	run skypty pk "$@" 2>"$dir/err.pk"
}

order() {
	new_key one && one=$key
	new_key two && two=$key
	new_key three && three=$key
	own=$HOME/.config/skypty/identity

	random=$(used)
	[ "$random" != "$(used)" ] || fail "two random keys are the same"
	made=$(run skypty keygen 2>"$dir/err.keygen" | tail -n 1)
	equal "$(used)" "$made" "own identity"
	equal "$(stat -c '%a %u' "$own")" "600 $uid" "own identity"
	equal "$(used -i "$dir/one")" "$one" "named file"
	DMSGPTY_SK=$(cat "$dir/two")
	export DMSGPTY_SK
	equal "$(used)" "$two" "environment"
	equal "$(used -i "$dir/one")" "$one" "named file beside the environment"
	equal "$(used --sk "$(cat "$dir/three")")" "$three" "--sk"
	DMSGPTY_SK=nonsense
	equal "$(used)" "$made" "own identity beside a bad environment"
	has "$dir/err.pk" "DMSGPTY_SK"
	unset DMSGPTY_SK

	# What is there is not overwritten, and others must not read it.
	if run skypty keygen 2>"$dir/err.keygen"; then
		fail "an identity was overwritten"
	fi
	equal "$(used)" "$made" "own identity"
	chmod 640 "$own"
	if used; then
		fail "a secret that others can read was used"
	fi
	has "$dir/err.pk" "others may read it (mode 0640)"
	echo nonsense >"$dir/one"
	if used -i "$dir/one"; then
		fail "nonsense was used"
	fi
	has "$dir/err.pk" "holds no secret key"

	# It is the one that the host sees.
	rm -rf "$HOME/.config"
	run skypty keygen >"$dir/out" 2>&1
	wl="\"$(used)\"" && conf
	start_host
	equal "$(run skypty exec "tcp://$pk@127.0.0.1:$port" -- echo works)" \
		works "own identity"
	stop_host
	unset wl
}

# The visor's configuration stands in a fixed place: one of our own is put
# there where only we see it.
visor() {
	new_key one
	printf '{"sk": "%s"}' "$(cat "$dir/one")" >"$dir/visor.json"
	with_visor pk --visor-key
	equal "$(cat "$dir/out")" "$key" "the visor's key"
	run skypty keygen >"$dir/out" 2>&1
	own=$(used)
	for flaw in '{"sk": "00"}' '{}' nonsense; do
		echo "$flaw" >"$dir/visor.json"
		with_visor pk --visor-key
		equal "$(cat "$dir/out")" "$own" "beside a visor's $flaw"
		has "$dir/err.visor" "/opt/skywire/skywire.json"
	done
}

with_visor() {
	unshare -m sh -c 'mount --make-rprivate / && mount -t tmpfs tmpfs /opt &&
		mkdir /opt/skywire && cp "$1" /opt/skywire/skywire.json &&
		shift && exec "$@"' sh "$dir/visor.json" "$bin/skypty" "$@" \
		>"$dir/out" 2>"$dir/err.visor" || fail "$(cat "$dir/err.visor")"
}

both order
[ "$(id -u)" -eq 0 ] && [ -d /opt ] &&
	unshare -m mount -t tmpfs tmpfs /opt 2>/dev/null || exit 0
as_root visor
