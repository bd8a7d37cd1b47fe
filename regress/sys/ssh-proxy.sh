#!/bin/sh
# SPDX-License-Identifier: ISC
# A ProxyCommand is the way to the host: what it reads and writes is the
# connection, and it ends with it.
. regress/sys/lib.sh

# A program that leads to the host, and says what it was called with.
carrier() {
	cat >"$dir/bin/carry" <<-END
		#!/bin/sh
		echo "\$*" >>"$dir/called"
		exec "$PYTHON" "$LIB/carry.py" 127.0.0.1 "$port"
	END
	chmod 755 "$dir/bin/carry"
	: >"$dir/called"
	chmod 666 "$dir/called"
	carry=$bin/carry
}

called() {
	equal "$(tail -n 1 "$dir/called")" "$1" "what the command was called with"
}

# No command is left behind.
ended() {
	wait_for "the command's end" no_carrier
}

no_carrier() {
	! pgrep -f "$LIB/carry.py" >/dev/null
}

# by FLAG...: without a port of the host's own.
by() {
	# shellcheck disable=SC2086
	$as "$bin/skypty-ssh" $no_login -i "$dir/client" "$@"
}

says() {
	wanted=$1
	shift
	status=0
	said=$(by "$@" 2>"$dir/err.ssh" </dev/null) || status=$?
	equal $status 0 "status of $*"
	equal "$said" "$wanted" "$*"
	[ ! -s "$dir/err.ssh" ] || fail "$* says something"
}

# not TEXT FLAG...: nothing is run there.
not() {
	text=$1
	shift
	status=0
	by "$@" "echo x >>$dir/ran" >"$dir/out" 2>"$dir/err.ssh" </dev/null ||
		status=$?
	equal $status 255 "status of $*"
	has "$dir/err.ssh" "$text"
	[ ! -e "$dir/ran" ] || fail "$*: it was run"
}

ways() {
	start_host
	carrier
	# Names that only the command knows, on ports that only it knows.
	says here -oProxyCommand="$carry %h %p %n %k %%" "$pk@far.invalid" \
		echo here
	called "far.invalid 2022 far.invalid far.invalid %"
	says here -oProxyCommand="$carry %h %p %n %r" -p 7 -l "$account" \
		-oHostName=%h.invalid "$pk@far" echo here
	called "far.invalid 7 far $account"
	says here -oProxyCommand="$carry '%h' \"\$HOME\"" "$pk@[fe80::1%lo]" \
		echo here
	called "fe80::1%lo $HOME"
	# A key alone is a name, too.
	says here -oProxyCommand="$carry %h %p" "$pk" echo here
	called "$pk 2022"
	$as tee "$dir/names" >/dev/null <<-END
		Host far direct
		  Key $pk
		Host direct
		  Address 127.0.0.1:$port
		  ProxyCommand none
		Host *
		  ProxyCommand $carry %n "%h"
		  ProxyJump elsewhere
	END
	says here -F "$dir/names" far echo here
	called "far far"
	: >"$dir/called"
	says here -F "$dir/names" direct echo here
	says here -oProxyCommand=none -oProxyCommand="$carry x" -p "$port" \
		"$pk@127.0.0.1" echo here
	[ ! -s "$dir/called" ] || fail "the command was run all the same"
	ended

	# Bytes, as they are, and as many as there are.
	way=-oProxyCommand="$carry"
	head -c 3000000 /dev/urandom >"$dir/bytes"
	by "$way" "$pk@far" cat <"$dir/bytes" >"$dir/back" ||
		fail "bytes: status $?"
	cmp "$dir/bytes" "$dir/back" || fail "bytes were changed"
	status=0
	by "$way" "$pk@far" exit 7 </dev/null || status=$?
	equal $status 7 "the command's status"
	new_key other 2>"$dir/err.key"
	says here -i "$dir/other" -oIdentityFile="$dir/client" "$way" \
		"$pk@far" echo here
	if command -v scp >/dev/null; then
		# shellcheck disable=SC2086
		$as scp -s -S "$bin/skypty-ssh" $no_login -i "$dir/client" \
			"$way" -oKey="$pk" "$dir/bytes" \
			"$account@far:$dir/there" 2>"$dir/err.ssh" ||
			fail "scp returned $?"
		cmp "$dir/bytes" "$dir/there" || fail "a file was changed"
	fi
	ended
	stop_host
}

# Its end is the connection's end, and the other way round.
ends() {
	start_host
	carrier
	way=-oProxyCommand="$carry"
	mkfifo -m 666 "$dir/hold"
	by "$way" "$pk@far" "echo in; cat $dir/hold" >"$dir/out" \
		2>"$dir/err.late" </dev/null &
	late=$!
	wait_for "the command" grep -q in "$dir/out"
	carrying=$(pgrep -f "$LIB/carry.py")
	is_ours "$carrying" || fail "whose is $carrying?"
	kill "$carrying"
	status=0
	wait "$late" || status=$?
	equal $status 255 "status when the command has ended"
	echo >"$dir/hold" &

	# An interrupt is for what runs over there.
	# shellcheck disable=SC2086
	"$PYTHON" "$LIB/on_tty.py" 24 80 $as "$bin/skypty-ssh" $no_login \
		-i "$dir/client" "$way" -T "$pk@far" \
		'trap "echo caught; exit 3" INT; echo in; cat' >"$dir/out" \
		2>&1 <<-'END' || fail "$(cat "$dir/out")"
		expect in
		send \x03
		expect caught
		end
	END
	equal "$(cat "$dir/out")" 3 "status after an interrupt"

	# A command of the background keeps its connection.
	by -f "$way" "$pk@far" \
		"read -r x <$dir/hold; echo \$x >$dir/left" </dev/null
	equal "$(pgrep -fc "$LIB/carry.py")" 1 "commands behind -f"
	echo late >"$dir/hold"
	wait_for "the command behind -f" grep -qx late "$dir/left"
	ended

	not "ProxyCommand has ended" -oProxyCommand="exit 3" "$pk@far"
	not "/no/such/program" -oProxyCommand=/no/such/program "$pk@far"
	not "is an SSH server" -oProxyCommand="echo SSH-2.0-x" "$pk@far"
	not "no answer to the handshake" -oConnectTimeout=1 \
		-oProxyCommand="sleep 600" "$pk@far"
	not "ProxyCommand: %x" -oProxyCommand="$carry %x" "$pk@far"
	not "ProxyCommand: %r" -oProxyCommand="$carry %r" "$pk@far"
	stop_host
}

# What stands in a command is no command itself.
names() {
	start_host
	carrier
	way=-oProxyCommand="$carry %h %n %r"
	for bad in "\$(touch $dir/ran)" "\`touch $dir/ran\`" ";touch $dir/ran" \
		"a|b" "a>b" "a'b" "a b" '-oX' 'a,b' 'a{b,c}' 'a\b'; do
		not "invalid characters" "$way" -l x -- "$pk@$bad"
		not "invalid characters" "$way" -l x -oHostName="\"$bad\"" \
			"$pk@far"
	done
	not "invalid characters" "$way" -l x "$pk@a\"b"
	for bad in "a;b" "a|b" "a b" "a'b" 'a`b' '-x'; do
		not "invalid characters" "$way" -l "$bad" "$pk@far"
	done
	not "Bad port" "$way" -p '$(x)' "$pk@far"
	[ ! -s "$dir/called" ] || fail "the command was run"

	# Which of two ways.
	not "Cannot specify -J with ProxyCommand" "$way" -J a "$pk@far"
	not "'a': the host's public key is not known" -J a "$way" "$pk@far"
	not "'a': the host's public key is not known" -oProxyJump=a "$way" \
		"$pk@far"
	says here -oProxyCommand="$carry" -oProxyJump=a "$pk@far" echo here
	says here -oProxyJump=none -oProxyCommand="$carry" "$pk@far" echo here
	not "ProxyUseFdpass: a command has to carry" -oProxyUseFdpass=yes \
		-oProxyCommand="$carry" "$pk@far"
	by -G -oProxyCommand="$carry %h" "$pk@far" >"$dir/out"
	has "$dir/out" "proxycommand $carry %h"
	has "$dir/out" "hostname far"
	by -G -oProxyCommand=none "$pk@far" >"$dir/out"
	hasnt "$dir/out" proxycommand

	# All commands go the same way.
	$as tee "$dir/names" >/dev/null <<-END
		Host lab
		  Key $pk
		  Address lab.invalid
		  ProxyCommand $carry %h %p "%n"
		Host far linked
		  Key $pk
		Match host linked
		  Address fe80::1%lo
		Host other
		  Key $pk
		  Address 127.0.0.1:$port
		  ProxyCommand none
		Host mixed
		  Via $pk
		Host *
		  ProxyCommand $carry %h %p
	END
	set -- -i "$dir/client" -F "$dir/names"
	equal "$(run skypty exec "$@" lab -- echo here)" here "exec"
	called "lab.invalid 2022 lab"
	equal "$(run skypty exec "$@" -p 7 far -- echo here)" here "exec far"
	called "far 7"
	equal "$(run skypty exec "$@" linked -- echo here)" here "exec linked"
	called "fe80::1%lo 2022"
	equal "$(run skypty shell "$@" far -- echo here)" here "shell"
	echo text >"$dir/file"
	: >"$dir/called"
	run skypty cp "$@" "$dir/file" "far:$dir/copy" || fail "cp"
	equal "$(cat "$dir/copy")" text "the copy"
	called "far 2022"
	: >"$dir/called"
	echo "ls $dir/file" | run skypty sftp "$@" far -- -b - \
		>"$dir/out" 2>&1 || fail "sftp"
	has "$dir/out" "$dir/file"
	called "far 2022"
	: >"$dir/called"
	equal "$(run skypty exec "$@" other -- echo here)" here "exec by none"
	echo ls | run skypty sftp "$@" other -- -b - >"$dir/out" 2>&1 ||
		fail "sftp by none"
	[ ! -s "$dir/called" ] || fail "other goes by the command"
	for name in mixed '-x;y'; do
		status=0
		run skypty exec "$@" "$name" -- true 2>"$dir/err.exec" ||
			status=$?
		equal $status 64 "status of $name"
	done
	equal "$(run skypty config -F "$dir/names" far | tail -n 1)" \
		"proxycommand $carry %h %p" "skypty config"
	ended
	stop_host
}

both ways
either ends
either names
