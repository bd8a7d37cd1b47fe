#!/bin/sh
# SPDX-License-Identifier: ISC
# What fails is told in words that help, with status 255, or 64 where the
# command line is wrong.
. regress/sys/lib.sh

# told STATUS TEXT ARGUMENT...
told() {
	wanted=$1
	text=$2
	shift 2
	status=0
	run skypty "$@" >"$dir/out" 2>"$dir/err.skypty" </dev/null || status=$?
	equal $status "$wanted" "status of skypty $*"
	has "$dir/err.skypty" "$text"
	[ ! -s "$dir/out" ] || fail "there is output: $(cat "$dir/out")"
}

exec_at() {
	wanted=$1
	text=$2
	address=$3
	told "$wanted" "$text" exec -i "$dir/client" --no-visor-key \
		"tcp://$pk@$address" -- true
}

# A host that says what we like: the bytes in hex, then the end.
impostor() {
	"$PYTHON" -c 'import socket, sys
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
c, _ = s.accept()
c.recv(4096)
c.sendall(bytes.fromhex(sys.argv[1]))
c.shutdown(socket.SHUT_WR)
while c.recv(4096): pass' "$1" >"$dir/port" &
	pids="$pids $!"
	wait_for "the impostor" test -s "$dir/port"
	port=$(cat "$dir/port")
	rm "$dir/port"
}

messages() {
	port=$(free_port)
	exec_at 255 "refused" "127.0.0.1:$port"
	exec_at 255 "cannot be resolved" "no-such-host.invalid:2022"
	impostor "$(printf 'HTTP/1.1 400 Bad Request\r\n\r\n' | od -An -tx1 |
		tr -d ' \n')"
	exec_at 255 "is a web server, no skypty host" "127.0.0.1:$port"
	impostor "$(printf 'SSH-2.0-OpenSSH_9.2\r\n' | od -An -tx1 |
		tr -d ' \n')"
	exec_at 255 "is an SSH server, no skypty host" "127.0.0.1:$port"
	impostor ffff00
	exec_at 255 "protocol error at byte" "127.0.0.1:$port"
	impostor "0031$(printf %098d 0)"
	exec_at 255 "the host does not prove its key" "127.0.0.1:$port"
	impostor ""
	exec_at 255 "the host's key is not $pk" "127.0.0.1:$port"
	impostor 0031
	exec_at 255 "skypty: " "127.0.0.1:$port"

	told 255 "$dir/nowhere" exec -r "$dir/nowhere" -- true
	told 255 "$dir/nowhere" whitelist -r "$dir/nowhere"
	impostor ""
	told 64 "$dir/nowhere: No such file" exec -i "$dir/nowhere" \
		"tcp://$pk@127.0.0.1:$port" -- true

	told 64 "" nonsense
	told 64 "" exec --no-such-flag
	told 64 "not a public key" exec "tcp://02ab@127.0.0.1:1" -- true
	told 64 "is not an address" exec "tcp://$pk@127.0.0.1:99999" -- true
	told 64 "is not an address" exec "tcp://$pk@:22" -- true
	told 64 "port 'ssd' is neither" exec "tcp://$pk@127.0.0.1:ssd" -- true
	told 1 "nothing of ours is mounted there" fs umount /
	told 1 "/nowhere-here: No such file" fs umount /nowhere-here
	told 64 "tcp needs an address" exec "tcp://$pk" -- true
	told 64 "--timeout" exec -t 5parsecs "tcp://$pk@127.0.0.1:1" -- true
	impostor ""
	told 64 "--sk" exec --sk 00 "tcp://$pk@127.0.0.1:$port" -- true
	told 64 "--no-pty" shell --no-pty "tcp://$pk@127.0.0.1:1"
	told 64 "--transport" shell --transport dmsg "$pk@127.0.0.1:1"
	told 64 "" shell --standalone "$pk@127.0.0.1:1"

	# The original's words and flags are answered with ours.
	for file in "$dir/host.json" config.json; do
		told 64 "--confpath FILE" shell -p "$file" -- true
	done
	told 64 "is no port" shell -p 65536 "$pk@127.0.0.1" -- true
	told 64 "is no port" cp --port 0 a "$pk@127.0.0.1:b"
	told 64 "skypty config" list
	told 64 "skyptyd http" ui
	told 64 "skyptyd http" url
	told 64 "skypty fs mount" mount
	told 64 "one character" shell --escape ab "$pk@127.0.0.1:1"
}

# With -v each step on the way is told.
steps() {
	start_host
	run skypty exec -v -i "$dir/client" --no-visor-key \
		"$pk@127.0.0.1:$port" -- true 2>"$dir/err.skypty" ||
		fail "exec returned $?"
	has "$dir/err.skypty" "skypty: connected to 127.0.0.1:$port after "
	has "$dir/err.skypty" "skypty: the host has proven its key $pk after "
	has "$dir/err.skypty" "skypty: the host serves skypty/1/exec after "
	run skypty shell -v -r "$sock" -- true 2>"$dir/err.skypty" ||
		fail "shell returned $?"
	has "$dir/err.skypty" "skypty: connected to the control socket $sock"
	stop_host
}

either messages
either steps
