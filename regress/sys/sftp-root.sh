#!/bin/sh
# SPDX-License-Identifier: ISC
# sftp-root= is a session's whole world: by no path, link or request of SFTP
# does anything outside of it get in reach; a folder that somebody else could
# change is refused, and so is a skyptyd that is not root.
# waits
. regress/sys/lib.sh
[ -x /usr/lib/openssh/sftp-server ] || skip "there is no sftp-server"

line() {
	echo "$1 $client" >"$dir/pks"
	[ -z "$as" ] || chown "$uid:$gid" "$dir/pks"
}

# escapes: what the client that tries to get out says.
escapes() {
	# shellcheck disable=SC2046
	"$PYTHON" "$LIB/sftp_escape.py" "$dir/secret" $(as_ssh) -s \
		"$pk@127.0.0.1" sftp >"$dir/out" 2>"$dir/err" ||
		fail "the client failed: $(cat "$dir/err")"
}

copy() {
	run skypty cp -q -i "$dir/client" --no-visor-key "$@" 2>"$dir/err"
}

# The folder is under /, as nobody but root may write on the way to it.
world() {
	root=$(mktemp -d /skypty-root.XXXXXX) || skip "/ cannot be written to"
	chmod 755 "$root"
	mkdir "$root/tree"
	echo mine >"$root/own"
	account alice
	chown alice "$root/tree"
	echo secret >"$dir/secret"
	chmod 666 "$dir/secret"
}

caged() {
	world
	trap 'rm -rf --one-file-system "$root"; end' EXIT
	wl='' && conf authorized_pks "\"$dir/pks\""
	line "sftp-root=\"$root\""
	start_host

	# As root, whom modes do not hold, and as an ordinary user.
	for who in "" ",user=\"alice\""; do
		line "sftp-root=\"$root\"$who"
		escapes
		equal "$(cat "$dir/out")" "nothing got out" "as $who"
		equal "$(cat "$dir/secret")" secret "the file outside"
		rm -rf "$root/tree/"*
	done
	echo mine >"$dir/bytes"
	copy "$dir/bytes" "$pk@127.0.0.1:$port:/tree/alices" || fail "no cp"
	equal "$(stat -c %U "$root/tree/alices")" alice "whose file it is"
	line "sftp-root=\"$root\""
	has "$log" "SFTP started, in $root"

	# It is of use: both ways, and the keeper of the way in has gone.
	echo bytes >"$dir/bytes"
	copy "$dir/bytes" "$pk@127.0.0.1:$port:/tree/there" || fail "no cp"
	cmp "$dir/bytes" "$root/tree/there" || fail "a file was changed"
	copy "$pk@127.0.0.1:$port:/tree/there" "$dir/back" || fail "no cp back"
	cmp "$dir/bytes" "$dir/back" || fail "a file was changed"

	# Root there can do what files need of root, and no more (0xb).
	serve
	for what in CapPrm CapEff CapBnd CapInh; do
		more=$(value "$what" "$server")
		equal "$((0x$more & ~0xb))" 0 "more than a cage needs, $what"
	done
	exec 9>&-

	# Nothing but files.
	! on_host -- true 2>"$dir/err" || fail "a command runs"
	has "$dir/err" "may not run commands"
	! shell <"$dir/bytes" >"$dir/out" 2>"$dir/err" || fail "a shell runs"
	has "$dir/err" "may not open a terminal"

	line "sftp-root=\"$root\",sftp-readonly"
	! copy "$dir/bytes" "$pk@127.0.0.1:$port:/tree/more" || fail "written"
	[ ! -e "$root/tree/more" ] || fail "a file is there"
	copy "$pk@127.0.0.1:$port:/own" "$dir/own" || fail "no cp of own"

	mounted
	lent

	# Who could change the folder, or the way to it, could change the world.
	bad "$root/tree" "bad ownership or modes"
	mkdir -m 777 "$root/open" "$root/open/in"
	bad "$root/open" "bad ownership or modes"
	bad "$root/open/in" "bad ownership or modes"
	ln -s / "$root/link"
	bad "$root/link" "sftp-root"
	bad "$root/own" "ot a directory"
	bad "$root/nowhere" "o such file or directory"
	bad "$root/tree/../.." "sftp-root"

	# A server that does not begin is not talked to.
	printf '#!/bin/sh\nexit 3\n' >"$dir/server"
	chmod 755 "$dir/server"
	stop_host
	conf authorized_pks "\"$dir/pks\"" sftp_server "\"$dir/server\""
	start_host
	bad "$root" "the SFTP server has not begun"
	stop_host
	rm -rf --one-file-system "$root"
	trap end EXIT
	unset wl
}

# Volumes in the folder are served, as strictly as itself.
mounted() {
	mkdir "$root/tree/vol"
	mount -t tmpfs none "$root/tree/vol" || fail "no mount"
	mkdir "$root/tree/vol/deep"
	mount -t tmpfs none "$root/tree/vol/deep" || fail "no mount"
	line "sftp-root=\"$root\""
	copy "$dir/bytes" "$pk@127.0.0.1:$port:/tree/vol/deep/there" ||
		fail "no cp into a volume"
	cmp "$dir/bytes" "$root/tree/vol/deep/there" || fail "not the volume"
	line "sftp-root=\"$root\",sftp-readonly"
	for to in vol vol/deep; do
		! copy "$dir/bytes" "$pk@127.0.0.1:$port:/tree/$to/more" ||
			fail "$to: written"
		[ ! -e "$root/tree/$to/more" ] || fail "$to: a file is there"
	done
	copy "$pk@127.0.0.1:$port:/tree/vol/deep/there" "$dir/back" ||
		fail "no cp from a volume"

	# By what is mounted where the server runs.
	serve
	for at in / /tree/vol /tree/vol/deep; do
		awk -v at="$at" '$5 == at { print $6 }' \
			"/proc/$server/mountinfo" >"$dir/options"
		for word in ro nosuid nodev noexec; do
			tr , '\n' <"$dir/options" | grep -qx "$word" ||
				fail "$at is not $word: $(cat "$dir/options")"
		done
	done
	equal "$(wc -l <"/proc/$server/mountinfo")" 3 "mounts there"
	exec 9>&-
	wait_for "the end of the monitors" has_no_child "$host"
	umount "$root/tree/vol/deep" "$root/tree/vol"
	rmdir "$root/tree/vol"
}

# Others on the machine do not get to be whose key it is.
lent() {
	echo old >"$root/tree/old"
	chmod 4755 "$root/tree/old"
	for who in "" ",user=\"alice\""; do
		line "sftp-root=\"$root\"$who"
		# shellcheck disable=SC2046
		"$PYTHON" "$LIB/sftp_bits.py" /tree $(as_ssh) -s \
			"$pk@127.0.0.1" sftp >"$dir/out" 2>"$dir/err" ||
			fail "the client failed: $(cat "$dir/err")"
		equal "$(cat "$dir/out")" "refused refused refused done" \
			"as $who"
		find "$root/tree" -perm /6000 ! -name old >"$dir/lent"
		[ ! -s "$dir/lent" ] || fail "lent out: $(cat "$dir/lent")"
		rm -f "$root/tree/bits"
	done
	# One that is there already, by who may write to it.
	line "sftp-root=\"$root\""
	copy "$dir/bytes" "$pk@127.0.0.1:$port:/tree/old" || fail "no cp"
	equal "$(stat -c %a "$root/tree/old")" 755 "a file that was written to"
	rm "$root/tree/old"
}

# A server that waits, in $server, until descriptor 9 is closed.
serve() {
	wait_for "the end of the monitors" has_no_child "$host"
	[ -p "$dir/in" ] || mkfifo "$dir/in"
	# shellcheck disable=SC2046
	$as $(as_ssh) -s "$pk@127.0.0.1" sftp <"$dir/in" >"$dir/out" \
		2>"$dir/err" &
	exec 9>"$dir/in"
	monitor_of "$host"
	wait_for "the server" serves_files
	wait_for "its root" shut_in
}

shut_in() {
	[ "$(stat -L -c %d:%i "/proc/$server/root")" = \
		"$(stat -c %d:%i "$root")" ]
}

serves_files() {
	server=$(pgrep -P "$monitor" -x sftp-server)
}

# bad FOLDER WHY: it is no world.
bad() {
	line "sftp-root=\"$1\""
	! copy "$pk@127.0.0.1:$port:/own" "$dir/copy" || fail "$1 is served"
	has "$dir/err" "the folder of this key (sftp-root) cannot be served"
	has "$log" "$2"
}

without_root() {
	wl='' && conf authorized_pks "\"$dir/pks\""
	line "sftp-root=\"/usr/share\""
	start_host
	! copy "$pk@127.0.0.1:$port:/own" "$dir/copy" || fail "it is served"
	has "$dir/err" "cannot be served"
	has "$log" "skyptyd has to run as root for it"
	stop_host
	unset wl
}

if [ "$(id -u)" -eq 0 ]; then
	own_machine "$0"
	as_root caged
fi
as_user without_root
