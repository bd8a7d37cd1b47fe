#!/bin/sh
# SPDX-License-Identifier: ISC
# "log_format": "json" makes each line of the log one object, of the listener
# and of monitors, whatever clients call things; a journal gets the fields
# beside the text, whether standard error leads to it or syslog is asked for.
. regress/sys/lib.sh

# look EXPRESSION: a Python expression about log, the objects, each line one.
look() {
	"$PYTHON" -c '
import json, sys
log = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
def of(event):
    return [x for x in log if x.get("event") == event]
sys.exit(not ('"$1"'))' "$log"
}

looks() {
	wait_for "'$1' of the log" look "$1"
}

json() {
	conf log_format '"json"'
	start_host
	name=$(printf '"\\a\nb\033[2J\r\302\233\377')
	$as mkdir "$dir/evil"
	$as cp /bin/sh "$dir/evil/$name"
	on_host -- "$dir/evil/$name" -c 'exit 7'
	looks 'len(of("closed")) == 1'
	looks "of('accepted')[0]['key'] == '$client'"
	looks "of('accepted')[0]['rule'] == 'wl'"
	looks 'of("accepted")[0]["carrier"] == "tcp"'
	looks "of('started')[0]['user'] == '$account'"
	looks "of('started')[0]['name'].endswith(
	    r'\"\\\\a\\012b\\033[2J\\015\\302\\233\\377')"
	looks 'of("ended")[0]["status"] == 7'
	looks 'of("ended")[0]["process"] == of("started")[0]["process"]'
	looks 'of("ended")[0]["kind"] == "Command"'
	looks 'of("closed")[0]["used_for"] == "command"'
	# One id ties them.
	looks 'len({x["id"] for x in log if "key" in x}) == 1'
	looks 'all(x["address"].startswith("127.0.0.1 port ") for x in log
	    if "key" in x)'
	# The listener's, too, and what a line without an event says.
	looks 'any(x["message"].startswith("Serving as") for x in log)'

	# Who has changed what.
	new_key other
	other=$key
	run skypty whitelist-add --cliaddr "$sock" "$other" >"$dir/out" ||
		fail "whitelist-add: $(cat "$dir/out")"
	looks "of('whitelist-add')[0]['changed_key'] == '$other'"
	looks "of('whitelist-add')[0]['uid'] == $uid"
	run skypty whitelist-remove --cliaddr "$sock" "$other" >"$dir/out"
	looks "of('whitelist-remove')[0]['changed_key'] == '$other'"
	looks 'len(of("whitelist-add") + of("whitelist-remove")) == 2'

	# A mistake keeps the format, a change of it is in force at once.
	conf log_format '"xml"'
	kill -HUP "$host"
	looks 'any("the old one stays" in x["message"] for x in log)'
	conf log_format '"text"'
	kill -HUP "$host"
	wait_for "a line of text" \
		grep -q '^skyptyd\[[0-9]*\]: Configuration read again' "$log"
	stop_host
}

mistake() {
	conf log_format '"xml"'
	$as "$bin/skyptyd" check -c "$dir/host.json" >"$dir/out" 2>&1
	equal $? 78 "the status of check"
	has "$dir/out" 'log_format: neither "text" nor "json"'
	conf log_format '"json"'
	$as "$bin/skyptyd" check -T -c "$dir/host.json" >"$dir/out" 2>&1 ||
		fail "check -T"
	has "$dir/out" '"log_format": "json"'
}

# what was sent: one datagram after the other, and a blank line between them.
begin_journal() {
	"$PYTHON" -c '
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
print("there", flush=True)
while True:
    sys.stdout.write(s.recv(65536).decode("ascii") + "\n")
    sys.stdout.flush()' "$1" >"$dir/journal" &
	pids="$pids $!"
	wait_for "the journal" grep -q there "$dir/journal"
}

# Who has changed what, told by the commands themselves.
admin() {
	new_key other
	conf authorized_pks "\"$dir/pks\"" revoked_pks "\"$dir/revoked\""
	: >"$dir/revoked"
	mkdir "$dir/run"
	begin_journal "$dir/run/socket"
	with_journal "$bin/skyptyd" authorize -c "$dir/host.json" no-exec \
		"$key" name >"$dir/out" || fail "authorize: $(cat "$dir/out")"
	with_journal "$bin/skyptyd" revoke -c "$dir/host.json" "$key" \
		>"$dir/out" || fail "revoke: $(cat "$dir/out")"
	for field in SKYPTY_EVENT=authorize SKYPTY_EVENT=revoke \
		"SKYPTY_CHANGED_KEY=$key" "SKYPTY_FILE=$dir/pks" \
		"SKYPTY_FILE=$dir/revoked" SKYPTY_UID=0 SYSLOG_FACILITY=4; do
		wait_for "$field" grep -qx "$field" "$dir/journal"
	done
	grep -qE "^MESSAGE=Authorized $key in $dir/pks, by uid 0" \
		"$dir/journal" || fail "no text"
	# What changes nothing says nothing.
	with_journal "$bin/skyptyd" revoke -c "$dir/host.json" "$key" \
		>"$dir/out"
	with_journal "$bin/skyptyd" authorize -c "$dir/host.json" "$key" \
		>"$dir/out" 2>&1 && fail "a revoked key was authorized"
	with_journal "$bin/skyptyd" authorize -c "$dir/host.json" "$client" \
		>"$dir/out" || fail "authorize"
	wait_for "the last one" grep -qx "SKYPTY_CHANGED_KEY=$client" \
		"$dir/journal"
	equal "$(grep -c '^SKYPTY_EVENT=' "$dir/journal")" 3 "lines"
}

# In a mount namespace, where the journal is ours.
with_journal() {
	unshare -m --propagation slave sh -c '
		mkdir -p /run/systemd
		mount -t tmpfs none /run/systemd &&
		mkdir /run/systemd/journal &&
		mount --bind "$1" /run/systemd/journal || exit 1
		shift
		exec "$@"' sh "$dir/run" "$@"
}

journal() {
	for way in syslog stream; do
		rm -rf "$dir/run"
		mkdir -p "$dir/run"
		begin_journal "$dir/run/socket"
		in_journal $way || fail "$way"
	done
}

in_journal() {
	with_journal "$PYTHON" -c '
import os, socket, sys
if sys.argv[1] == "stream":
    theirs, ours = socket.socketpair()
    st = os.fstat(ours.fileno())
    os.environ["JOURNAL_STREAM"] = "%d:%d" % (st.st_dev, st.st_ino)
    os.dup2(ours.fileno(), 2)
    os.set_inheritable(theirs.fileno(), True)
args = sys.argv[2:] + (["--syslog"] if sys.argv[1] == "syslog" else [])
os.execv(args[0], args)' "$1" "$bin/skyptyd" tcp -c "$dir/host.json" \
		--addr 127.0.0.1:0 --cliaddr "$sock" </dev/null &
	host=$!
	pids="$pids $host"
	wait_for "the host" grep -q "MESSAGE=Serving as" "$dir/journal"
	port=$(sed -n 's/^MESSAGE=Listening on 127.0.0.1:\([0-9]*\).*/\1/p' \
		"$dir/journal")
	on_host -- sh -c 'exit 5'
	wait_for "the end" grep -q "SKYPTY_EVENT=closed" "$dir/journal"
	for field in "SKYPTY_PK=$client" SKYPTY_EVENT=accepted SKYPTY_STATUS=5 \
		SYSLOG_IDENTIFIER=skyptyd PRIORITY=6 "SKYPTY_USED_FOR=command"
	do
		grep -qx "$field" "$dir/journal" || fail "$1: $field"
	done
	grep -qE '^SKYPTY_CONN_ID=[0-9a-f]{16}$' "$dir/journal" ||
		fail "$1: no id"
	grep -qE '^MESSAGE=[0-9a-f]{16} 127.0.0.1 port [0-9]+: Command ended' \
		"$dir/journal" || fail "$1: no text"
	[ "$1" = stream ] || grep -qx SYSLOG_FACILITY=4 "$dir/journal" ||
		fail "no facility"
	kill "$host"
	wait_gone "the host" "$host"
}

either json
either mistake
as_root journal
as_root admin
