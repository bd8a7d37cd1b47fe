#!/bin/sh
# SPDX-License-Identifier: ISC
# "sftp_log" has the SFTP server tell of files, under the connection's id, also
# where sftp-root= is its world; "off", the default, tells nothing.  What it
# says drives no terminal and forges no line.
. regress/sys/lib.sh
[ -x /usr/lib/openssh/sftp-server ] || skip "there is no sftp-server"

copy() {
	run skypty cp -q -i "$dir/client" --no-visor-key "$@" 2>"$dir/err.cp" ||
		fail "cp: $(cat "$dir/err.cp")"
}

said() {
	wait_for "'$1' in the log" grep -qE "$1" "$log"
}

log_of_files() {
	conf sftp_log '"info"'
	start_host
	echo bytes >"$dir/bytes"
	chmod 644 "$dir/bytes"
	id='[0-9a-f]{16} 127\.0\.0\.1 port [0-9]+:'
	name=$(printf 'a\nskyptyd[1]: forged\033[2J')
	copy "$dir/bytes" "$(dest):$dir/$name"
	# An end of line in a name divides it, and forges nothing.
	said "$id sftp: open \"$dir/a\$"
	said "$id sftp: skyptyd\[1\]: forged.*\" flags WRITE"
	said "$id sftp: skyptyd\[1\]: forged.*\" bytes read 0 written 6\$"
	said "$id sftp: session closed for local user $account"
	if LC_ALL=C grep -q '[^ -~]' "$log"; then
		fail "unprintable bytes are told"
	fi
	! grep -q '^skyptyd.1.: forged' "$log" || fail "a line is forged"
	# They are of the connection that ends behind them.
	"$PYTHON" - "$log" <<-'END' || fail "not tied together"
		import re, sys
		ids = [(m[1], m[2]) for m in re.finditer(
		    r"([0-9a-f]{16}) 127\S+ port \d+: (.*)", open(sys.argv[1]).read())]
		files = {i for i, t in ids if t.startswith("sftp: ")}
		closed = {i for i, t in ids if t.startswith("Connection closed")}
		sys.exit(not (len(files) == 1 and files <= closed))
	END
	stop_host

	conf
	start_host
	copy "$(dest):$dir/bytes" "$dir/back"
	stop_host
	said "Connection closed"
	hasnt "$log" "sftp:"

	conf sftp_log '"much"'
	$as "$bin/skyptyd" check -c "$dir/host.json" >"$dir/out" 2>&1
	equal $? 78 "the status of check"
	has "$dir/out" 'none of "off", "info", "verbose" and "debug"'
}

# There is no /dev/log, nor anything else, where it works then.
caged() {
	root=$(mktemp -d /skypty-root.XXXXXX) || skip "/ cannot be written to"
	trap 'rm -rf --one-file-system "$root"; end' EXIT
	chmod 755 "$root"
	echo mine >"$root/own"
	echo "sftp-root=\"$root\" $client" >"$dir/pks"
	wl='' && conf authorized_pks "\"$dir/pks\"" sftp_log '"info"' \
		log_format '"json"'
	start_host
	copy "$pk@127.0.0.1:$port:/own" "$dir/back"
	said '"event":"file","message":"sftp: open ..*/own'
	stop_host
}

# A server that says much, without an end of line, or goes on behind its end.
odd() {
	cat >"$dir/odd" <<-'EOF'
		#!/bin/sh
		head -c 300000 /dev/zero | tr '\0' x >&2
		printf '\n\n\r\nlast\000word' >&2
		exec /usr/lib/openssh/sftp-server
	EOF
	chmod 755 "$dir/odd"
	conf sftp_log '"info"' sftp_server "\"$dir/odd\""
	start_host
	echo bytes >"$dir/bytes"
	chmod 644 "$dir/bytes"
	copy "$(dest):$dir/bytes" "$dir/back"
	cmp "$dir/bytes" "$dir/back" || fail "it does not serve"
	said 'sftp: last\?word$'
	equal "$(grep -c 'sftp: x*$' "$log")" 334 "lines of x"
	stop_host
}

either log_of_files
either odd
as_root caged
