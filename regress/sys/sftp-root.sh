#!/bin/sh
# SPDX-License-Identifier: ISC
# sftp-root= is a session's whole world: by no path, link or request of SFTP
# does anything outside of it get in reach; a folder that somebody else could
# change is refused, and so is a skyptyd that is not root.
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

	# Root there can do what files need of root, and no more (0x1b).
	wait_for "the end of the monitors" has_no_child "$host"
	mkfifo "$dir/in"
	# shellcheck disable=SC2046
	$as $(as_ssh) -s "$pk@127.0.0.1" sftp <"$dir/in" >"$dir/out" \
		2>"$dir/err" &
	exec 9>"$dir/in"
	monitor_of "$host"
	wait_for "the server" serves_files
	for what in CapPrm CapEff CapBnd CapInh; do
		more=$(value "$what" "$server")
		equal "$((0x$more & ~0x1b))" 0 "more than a cage needs, $what"
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
