#!/bin/sh
# SPDX-License-Identifier: ISC
# skypty forwards connections: -L, -R, -D, -W and -J over a real host, with what is
# refused told, and forwards that end with the command that has asked for them.
. regress/sys/lib.sh

begin_forward() {
	XDG_RUNTIME_DIR=$dir/run
	export XDG_RUNTIME_DIR
	$as mkdir -m 700 "$XDG_RUNTIME_DIR"
	$as "$PYTHON" "$LIB/echo_at.py" "$dir/ports" "$dir/echo.sock" \
		>"$dir/log.echo" 2>&1 &
	pids="$pids $!"
	wait_for "the echoes" test -s "$dir/ports"
	read -r v4 v6 full closed <"$dir/ports"
	: "$v6" "$full"
	wl='' && conf authorized_pks "\"$dir/pks\""
	echo 'permitopen="*:*",permitopen="'"$dir"'/echo.sock"' "$client c" \
		>"$dir/pks"
	[ -z "$as" ] || chown "$uid:$gid" "$dir/pks"
	start_host
	$as mkdir -p "$HOME/.config/skypty"
	printf 'Host there\nKey %s\nAddress 127.0.0.1:%s\nIdentity %s\n' \
		"$pk" "$port" "$dir/client" |
		$as tee "$HOME/.config/skypty/config" >/dev/null
	$as chmod 600 "$HOME/.config/skypty/config"
}

# says PORT TEXT: whether the echo says that by a forwarded port, to its end.
says() {
	"$PYTHON" - "$1" "$2" <<-'END'
		import socket, sys
		with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
		    s.settimeout(20)
		    s.sendall(sys.argv[2].encode())
		    s.shutdown(socket.SHUT_WR)
		    got = b""
		    while data := s.recv(65536):
		        got += data
		sys.exit(got.decode() != sys.argv[2])
	END
}

refuses() {
	! says "$1" x 2>/dev/null
}

forwards() {
	begin_forward
	one=$(free_port)
	two=$(free_port)
	three=$(free_port)
	$as "$bin/skypty" shell -N -L "$one:127.0.0.1:$v4" -L "$two:$dir/echo.sock" \
		-L "$three:127.0.0.1:$closed" there 2>"$dir/err.held" &
	held=$!
	pids="$pids $held"
	wait_for "a forward" says "$one" hello
	wait_for "another one" says "$two" there
	says "$three" x && fail "what is refused was connected"
	wait_for "the reason" grep -q "Connection refused" "$dir/err.held"
	for i in 1 2 3 4 5 6 7 8; do
		says "$one" "number $i" || fail "connection $i"
	done
	# It ends with the command.
	kill "$held"
	wait_for "the end of the forward" refuses "$one"
}

stdio() {
	begin_forward
	equal "$(echo hello | run skypty shell -W "127.0.0.1:$v4" there)" hello \
		"what comes back by -W"
	equal "$(echo hello | run skypty shell -W "$dir/echo.sock" there)" hello \
		"by a socket of the file system"
	status=0
	run skypty shell -W "127.0.0.1:$closed" there </dev/null \
		>"$dir/out" 2>"$dir/err.w" || status=$?
	[ $status -ne 0 ] || fail "what is refused is no failure"
	has "$dir/err.w" "Connection refused"
	# By a host to another one, which is the same here.
	equal "$(run skypty exec -J there -i "$dir/client" --no-visor-key \
		"$pk@127.0.0.1:$port" -- echo far)" far "a command by -J"
	equal "$(run skypty exec -J there,there -i "$dir/client" \
		--no-visor-key "$pk@127.0.0.1:$port" -- echo far)" far \
		"by two hosts"
}

# asks PORT SOCKS: whether the echo answers by SOCKS of that version.
asks() {
	"$PYTHON" - "$1" "$2" "$v4" <<-'END'
		import socket, struct, sys
		port, version, to = map(int, sys.argv[1:])
		with socket.create_connection(("127.0.0.1", port)) as s:
		    s.settimeout(20)
		    f = s.makefile("rwb")
		    if version == 4:
		        f.write(b"\4\1" + struct.pack(">H", to) +
		                b"\0\0\0\1me\0localhost\0")
		        f.flush()
		        assert f.read(8)[1] == 90
		    else:
		        f.write(b"\5\1\0")
		        f.flush()
		        assert f.read(2) == b"\5\0"
		        f.write(b"\5\1\0\1\x7f\0\0\1" + struct.pack(">H", to))
		        f.flush()
		        assert f.read(10)[1] == 0
		    f.write(b"hello")
		    f.flush()
		    assert f.read(5) == b"hello"
	END
}

# In the background once it stands, and as ssh does it.
dynamic() {
	begin_forward
	one=$(free_port)
	run skypty shell -f -N -D "$one" there 2>"$dir/err.d" ||
		fail "-f: status $?"
	asks "$one" 5 || fail "no SOCKS 5"
	asks "$one" 4 || fail "no SOCKS 4a"
	run skypty shell -N --exit-on-forward-failure -D "$one" there \
		</dev/null 2>"$dir/err.e" && fail "a port in use is no failure"
	has "$dir/err.e" "forwarded already"
	two=$(free_port)
	"$PYTHON" -m http.server --bind 127.0.0.1 "$two" >"$dir/log.http" 2>&1 &
	pids="$pids $!"
	wait_for "a port in use" taken "$two"
	run skypty-ssh -L "$two:127.0.0.1:$v4" -oExitOnForwardFailure=yes there \
		echo no >"$dir/out" 2>"$dir/err.e" && fail "it is no failure"
	has "$dir/err.e" "Address already in use"
	[ ! -s "$dir/out" ] || fail "the command was run all the same"
	equal "$(run skypty-ssh -L "$two:127.0.0.1:$v4" there echo yes \
		2>"$dir/err.e")" yes "what is done all the same"
	has "$dir/err.e" "Address already in use"
	equal "$(echo hello | run skypty-ssh -W "127.0.0.1:$v4" there)" hello \
		"-W as with ssh"
	run skypty control there forwards >"$dir/out"
	has "$dir/out" "D localhost:$one"
	run skypty control there exit >"$dir/out"
	wait_for "the end of the forward" refuses "$one"
}

taken() {
	"$PYTHON" -c 'import socket, sys
socket.create_connection(("127.0.0.1", int(sys.argv[1])))' "$1" 2>/dev/null
}

# The host listens, on a port of its choice; what arrives is connected here.
remote() {
	begin_forward
	echo 'permitlisten="localhost:*"' "$client c" >"$dir/pks"
	$as "$bin/skypty" shell -N -R "0:127.0.0.1:$v4" there \
		2>"$dir/err.held" &
	held=$!
	pids="$pids $held"
	wait_for "a port there" grep -q "Allocated port" "$dir/err.held"
	there=$(sed -n 's/.*Allocated port \([0-9]*\) .*/\1/p' "$dir/err.held")
	says "$there" hello || fail "nothing comes by it"
	for i in 1 2 3 4; do
		says "$there" "number $i" || fail "connection $i"
	done
	kill "$held"
	wait_for "the end of the forward" refuses "$there"
	run skypty shell -N --exit-on-forward-failure -R "*:0:127.0.0.1:$v4" \
		there </dev/null 2>"$dir/err.r" &&
		fail "what is not permitted is no failure"
	has "$dir/err.r" permitlisten
}

# All are open before the first one says anything.
many() {
	begin_forward
	one=$(free_port)
	run skypty shell -f -N -L "$one:127.0.0.1:$v4" there 2>"$dir/err.d" ||
		fail "-f: status $?"
	"$PYTHON" - "$one" <<-'END' || fail "not all of them are served"
		import resource, socket, sys
		_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
		resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
		all = [socket.create_connection(("127.0.0.1", int(sys.argv[1])), 60)
		       for _ in range(1000)]
		for i, s in enumerate(all):
		    s.sendall(b"%04d" % i)
		for i, s in enumerate(all):
		    assert s.recv(4, socket.MSG_WAITALL) == b"%04d" % i, i
	END
	run skypty control there exit >"$dir/out"
}

# Forwards are added and taken away in a session, by ~C; ~# lists them.
line() {
	begin_forward
	one=$(free_port)
	"$PYTHON" - "$bin/skypty" "$one" "$v4" <<-'END' || fail "by ~C"
		import os, pty, select, socket, sys, time
		bin, one, to = sys.argv[1:]
		pid, fd = pty.fork()
		if pid == 0:
		    os.execv(bin, [bin, "shell", "-M", "there"])

		def until(text):
		    got, end = b"", time.monotonic() + 30
		    while text not in got:
		        assert time.monotonic() < end, got
		        if select.select([fd], [], [], 0.2)[0]:
		            got += os.read(fd, 4096)

		def types(text, answer):
		    os.write(fd, text)
		    until(answer)

		types(b"echo re''ady\n", b"ready")
		types(b"\n~C", b"skypty> ")
		types(f"-L {one}:127.0.0.1:{to}\n".encode(), b"Done")
		with socket.create_connection(("127.0.0.1", int(one)), 30) as s:
		    s.sendall(b"x")
		    assert s.recv(1) == b"x"
		types(b"\n~#", b"L localhost:")
		types(b"\n~C", b"skypty> ")
		types(f"-KL{one}\n".encode(), b"Done")
		try:
		    socket.create_connection(("127.0.0.1", int(one)), 30)
		    sys.exit("it is forwarded still")
		except ConnectionRefusedError:
		    pass
		os.write(fd, b"\nexit 3\n")
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 3)
	END
}

either forwards
either dynamic
either remote
either many
either line
# cut_off COMMAND: what is cut off by that is no end.
cut_off() {
	begin_forward
	$as mkfifo "$dir/in"
	spawn "$dir/log.w" sh -c 'exec "$@" <"$0" >"$0.out"' "$dir/in" \
		"$bin/skypty" shell -W "127.0.0.1:$v4" there
	cut=$pid
	exec 8>"$dir/in"
	echo hello >&8
	wait_for "the echo" grep -qs hello "$dir/in.out"
	"$@"
	wait_gone "the client" "$cut"
	status=0
	wait "$cut" || status=$?
	exec 8>&-
	equal $status 255 "status of -W without its connection"
	has "$dir/log.w" "the connection has ended"
}

without_hub() {
	cut_off eval 'kill -9 "$(hub_pid there)"'
	stop_host
}

without_host() {
	cut_off stop_host
}

either stdio
either without_hub
either without_host
