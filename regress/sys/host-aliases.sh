#!/bin/sh
# SPDX-License-Identifier: ISC
# ~/.config/skypty/config gives names to destinations, for every command that
# connects: patterns, the first value counts, flags count more.
. regress/sys/lib.sh

# The file's lines on standard input.
write() {
	$as mkdir -p "$HOME/.config/skypty"
	$as tee "$HOME/.config/skypty/config" >/dev/null
}

# works NAME [FLAG]...
works() {
	name=$1
	shift
	equal "$(run skypty exec "$@" "$name" -- echo works 2>"$dir/err.exec")" \
		works "exec at $name"
}

# told STATUS TEXT ARGUMENT...
told() {
	wanted=$1
	text=$2
	shift 2
	status=0
	run skypty "$@" >"$dir/out" 2>"$dir/err.told" </dev/null || status=$?
	equal $status "$wanted" "status of $*"
	has "$dir/err.told" "$text"
}

# The whole of a destination, and a key that only it names.
scene() {
	start_host
	$as cp "$dir/client" "$HOME/key"
	write <<-END
		Host lab
		    Key $pk
		    Address 127.0.0.1
		    Port $port
		    Identity ~/key
	END
}

commands() {
	scene
	works lab
	equal "$(run skypty exec lab echo works)" works "exec without dashes"
	equal "$(run skypty exec -- lab 2>&1)" \
		"$(run skypty exec -- no-such-host 2>&1 |
			sed 's/no-such-host/lab/g')" "a command of that name"
	echo "echo wo''rks" | run skypty shell -c /bin/sh lab >"$dir/out" \
		2>"$dir/err.shell" || fail "shell returned $?"
	has "$dir/out" works
	equal "$(run skypty shell lab -- echo works)" works "a shell's command"
	equal "$($as "$bin/skypty-ssh" -o SetEnv=SHELL=/bin/sh lab echo works)" \
		works ssh
	echo some | $as tee "$dir/a" >/dev/null
	run skypty cp "$dir/a" "lab:$dir/b" || fail "cp returned $?"
	run skypty cp "lab:$dir/b" "$dir/c" || fail "cp returned $?"
	equal "$(cat "$dir/c")" some "a copy"
	if command -v sftp >/dev/null; then
		echo "get $dir/a $dir/d" |
			run skypty sftp lab -- -b - >"$dir/out" 2>&1 ||
			fail "sftp returned $?: $(cat "$dir/out")"
		equal "$(cat "$dir/d")" some "a file by sftp"
	fi

	# What is no name here is a command, or a mistake.
	equal "$(run skypty exec --cliaddr "$sock" echo works)" works \
		"a local command"
	told 64 "'lub' is neither a destination" exec lub -- true
	told 64 "'lub' is neither a destination" shell lub
	told 64 "'lub' is neither a destination" sftp lub
	stop_host
}

flags() {
	scene
	new_key other
	told 255 "your key $key is not on" exec -i "$dir/other" lab -- true
	told 255 "refused" exec -p 1 lab -- true
	cp "$HOME/.config/skypty/config" "$dir/named"
	write </dev/null
	told 64 "'lab' is neither" exec lab -- true
	works lab -F "$dir/named"
	equal "$($as "$bin/skypty-ssh" -F "$dir/named" -G lab |
		grep "^port ")" \
		"port $port" "ssh -F"
	told 64 "$dir/nowhere: No such file" exec -F "$dir/nowhere" lab -- true
	stop_host
}

# Of all that applies the first value counts, keyword by keyword.
sections() {
	start_host
	$as cp "$dir/client" "$HOME/the key"
	write <<-END
		# What stands before any Host is for all.
		VisorKey = no

		host web-? "lab" !web-9
		  port=$port   # not the one below
		  HOSTNAME "127.0.0.1"
		Host web-9
		  Port 1
		  Address 127.0.0.1
		Host web-* *.lab !bad.lab
		  Key $pk
		  Port 2
		  IdentityFile "~/the key"
		Host by-via
		  Via tcp://$pk@127.0.0.1:$port
		  Key nonsense
		Host *
		  Identity "~/the key"
		  Identity ~/nowhere
	END
	works web-1
	works by-via
	told 255 "refused" exec web-9 -- true
	told 64 "'lab' is neither" exec lab -- true
	# A key alone is for dmsg to find.
	told 255 "the discovery 127.0.0.1:1: connection refused" \
		exec web-10 -- true
	told 64 "'bad.lab' is neither" exec bad.lab -- true

	run skypty config >"$dir/out"
	equal "$(tr '\n' ' ' <"$dir/out")" "lab web-9 by-via " "names"
	run skypty config web-1 >"$dir/out" || fail "config returned $?"
	equal "$(sort "$dir/out" | tr '\n' '/')" "$(printf '%s/' \
		"address 127.0.0.1" "host web-1" "identity $HOME/the key" \
		"key $pk" "port $port" "visorkey no")" "what web-1 is"
	told 1 "'lab' leads nowhere" config lab
	told 1 "'bad.lab' leads nowhere" config bad.lab
	run skypty config -F "$dir/home/.config/skypty/config" >"$dir/out2"
	equal "$(head -n 1 "$dir/out2")" lab "names in a file"
	printf 'Host dos\r\n\tVia tcp://%s@127.0.0.1:%s\r\n' "$pk" "$port" |
		write
	$as cp "$dir/client" "$HOME/.config/skypty/identity"
	works dos
	stop_host
}

defaults() {
	scene
	printf '    Timeout 300ms\n' |
		$as tee -a "$HOME/.config/skypty/config" >/dev/null
	told 124 "[timed out after " exec lab -- sleep 10
	run skypty exec -t 10s lab -- sleep 0.5 ||
		fail "a flag does not count more"
	scene_port=$port
	write <<-END
		Host lab
		    Key $pk
		    Address 127.0.0.1
		    Timeout soon
		Host port
		    Key $pk
		    Address 127.0.0.1
		    Port 99999
		Host key
		    Key 02ab
		    Address 127.0.0.1
		Host via
		    Via 127.0.0.1
	END
	told 64 "soon" exec -p "$scene_port" lab -- true
	told 64 "is not an address" exec port -- true
	told 64 "not a public key" exec key -- true
	told 64 "public key" exec via -- true
	stop_host
}

# mistake LINE TEXT: the file on standard input has a mistake there.
mistake() {
	write
	told 64 "$HOME/.config/skypty/config line $1: $2" exec lab -- true
	told 64 "config line $1: $2" config
	told 64 "config line $1: $2" config lab
	status=0
	on_lab 2>"$dir/err.told" || status=$?
	equal $status 255 "status of ssh"
	has "$dir/err.told" "config line $1: $2"
}

on_lab() {
	$as "$bin/skypty-ssh" lab true
}

mistakes() {
	printf 'Host lab\n\nAdress 127.0.0.1\n' |
		mistake 3 "unknown keyword: Adress"
	printf '#\nHost\n' | mistake 2 "Host needs a name"
	printf 'Host other\n Port\n' | mistake 2 "one value is needed: Port"
	printf 'Host other\n Port 1 2\n' | mistake 2 "one value is needed"
	printf 'Host lab\nKey "02\n' | mistake 2 "a quote is not closed"

	# Who else may write to it could send us anywhere.
	for mode in 664 646; do
		printf 'Host lab\n' | write
		$as chmod $mode "$HOME/.config/skypty/config"
		told 64 "must be a file of yours that nobody else may write" \
			exec lab -- true
	done
	$as chmod 600 "$HOME/.config/skypty/config"
	told 64 "'lab' is neither" exec lab -- true
	if [ "$(id -u)" -eq 0 ]; then
		chown 1 "$HOME/.config/skypty/config"
		told 64 "must be a file of yours" config lab
	fi
	$as rm -f "$HOME/.config/skypty/config"
	$as mkdir "$HOME/.config/skypty/config"
	told 64 "must be a file of yours" config lab
}

both commands
either flags
either sections
either defaults
either mistakes
