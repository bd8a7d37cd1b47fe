#!/bin/sh
# SPDX-License-Identifier: ISC
# Include, Match and tokens in the file of names: they mean what they mean to
# ssh, for skypty-ssh and for the other commands.
. regress/sys/lib.sh

# What both print, in the same words.
said() {
	grep -E '^(user|hostname|port|connecttimeout|hostkeyalias|sendenv) ' |
		sort
}

# compare ARGUMENT...: with the file on standard input, which ssh reads, too.
compare() {
	$as tee "$dir/names" >/dev/null
	# shellcheck disable=SC2086
	$as ssh -F "$dir/names" -G "$@" >"$dir/theirs" 2>"$dir/err.theirs" ||
		fail "ssh does not take $*"
	# shellcheck disable=SC2086
	$as "$bin/skypty-ssh" -F "$dir/names" -G -oKey="$client" "$@" \
		>"$dir/ours" 2>"$dir/err.ours" || fail "ours: $*"
	sed -i -e 's/^port 2022$/port 22/' -e '/^hostname/s/H$/h/' "$dir/ours"
	equal "$(said <"$dir/ours")" "$(said <"$dir/theirs")" \
		"$* with $(cat "$dir/names")"
}

# A line of what a Match says, and the arguments.
criteria() {
	cat <<-'END'
		all|h
		host h|h
		host H|h
		host h|H
		host a,b,h|h
		host a*,!ab|ac
		host a*,!ab|ab
		!host a*|b
		!host a*|ab
		host=h|h
		originalhost h|h
		host real|h -oHostName=real
		originalhost h|h -oHostName=real
		!originalhost h|h -oHostName=real
		host h.lab|h -oHostName=%h.lab
		user root|root@h
		user root|h -l root
		user root,x|x@h
		user ro?t|root@h
		!user root|root@h
		user Root|root@h
		localuser LOCAL|h
		localuser nobody-else|h
		!localuser nobody-else|h
		host h user x|x@h
		host h user y|x@h
		host g user x|x@h
		host h !user x originalhost h|x@h
		!host g !user y|x@h
		canonical|h
		canonical all|h
		!canonical|h
		!canonical all|h
		host "h"|h
		host h # user x|h
	END
}

match() {
	need_command ssh
	n=0
	local=$(id -un "$uid")
	criteria | sed "s/LOCAL/$local/" >"$dir/criteria"
	while IFS='|' read -r line args; do
		n=$((n + 1))
		# What holds before a section is said before it.  Without a
		# login name ssh has our own.
		case $args in *@*) ;; *-l*) ;; *) args="$args -l u" ;; esac
		# shellcheck disable=SC2086
		compare $args <<-END
			ConnectTimeout 9
			Match $line
			  Port 7
			  SendEnv IN_MATCH
			Host *
			  Port 8
			  SendEnv BEHIND
		END
	done <"$dir/criteria"
	[ $n -gt 30 ] || fail "only $n lines were compared"

	# What the file has said before counts for it.
	compare h -l u <<-END
		HostName real
		Match host real
		  User x
		  HostKeyAlias y
		Match user x
		  Port 9
		Match user u host real
		  Port 10
		Match originalhost real
		  SendEnv NEVER
	END
}

# younger VALUE|LINE|ARGUMENTS: what younger ssh knows.
younger() {
	while IFS='|' read -r wanted line args; do
		printf 'Match %s\n Port 7\nHost *\n Port 8\n' "$line" |
			$as tee "$dir/names" >/dev/null
		# shellcheck disable=SC2086
		$as "$bin/skypty-ssh" -F "$dir/names" -G -oKey="$client" $args \
			>"$dir/ours" 2>"$dir/err.ours" || fail "$line: $args"
		equal "$(sed -n 's/^port //p' "$dir/ours")" "$wanted" "$line"
	done <<-END
		7|tagged x|-P x h
		7|tagged a,x*|-oTag=xy h
		8|tagged x|-P y h
		8|tagged x|h
		7|tagged ""|h
		8|tagged ""|-P x h
		7|!tagged x|h
		7|command "ls *"|h ls /tmp
		8|command ls|h ls /tmp
		7|command ""|h
		7|command sftp|-s h sftp
		7|sessiontype shell|h
		7|sessiontype exec|h ls
		7|sessiontype subsystem|-s h sftp
		8|sessiontype exec,none|h
		8|user u|h
		7|!user u|h
		8|version OpenSSH_*|h
		7|version skypty_*|h
	END
}

# wrong LINE TEXT: the lines on standard input have a mistake, to all commands.
wrong() {
	$as tee "$dir/names" >/dev/null
	status=0
	$as "$bin/skypty-ssh" -F "$dir/names" -G -oKey="$client" h \
		>"$dir/out" 2>"$dir/err.told" || status=$?
	equal $status 255 "status of ssh"
	has "$dir/err.told" "$dir/$1: $2"
	status=0
	run skypty config -F "$dir/names" h >"$dir/out" 2>"$dir/err.told" ||
		status=$?
	equal $status 64 "status of config"
	has "$dir/err.told" "$dir/$1: $2"
}

mistakes() {
	printf '\nMatch exec "touch %s"\n' "$dir/ran" |
		wrong "names line 2" "Match runs no command"
	[ ! -e "$dir/ran" ] || fail "Match exec has run a command"
	printf 'Host g\nMatch host g exec true\n' |
		wrong "names line 2" "Match runs no command"
	printf 'Match final all\n' | wrong "names line 1" "Match does not read the file a second time: final"
	printf 'Match localnetwork 10.0.0.0/8\n' |
		wrong "names line 1" "Match does not compare networks"
	printf 'Match\n' | wrong "names line 1" "Match needs a criterion"
	printf 'Match # x\n' | wrong "names line 1" "Match needs a criterion"
	printf 'Match hosts h\n' |
		wrong "names line 1" "unknown criterion of Match: hosts"
	printf 'Match host\n' | wrong "names line 1" "a value is missing"
	printf 'Match host ""\n' | wrong "names line 1" "a value is empty"
	printf 'Match host h all\n' | wrong "names line 1" "'all' cannot"
	printf 'Match all host h\n' | wrong "names line 1" "'all' cannot"
	printf 'Include\n' | wrong "names line 1" "Include needs a file"
	printf '\nInclude ""\n' | wrong "names line 2" "Include of no name"
	printf '\nInclude %s\n' "$dir/names" |
		wrong "names line 2" "too many files include each other"
	# What has a meaning to ssh's reader has none in ours.
	printf 'Host far\n Key %s\n Escape \\\n Discovery http://x"y\n' "$pk" |
		$as tee "$dir/names" >/dev/null
	run skypty-ssh -F "$dir/names" -G far >"$dir/out" || fail "-G"
	has "$dir/out" "escapechar \\"
	has "$dir/out" 'discovery http://x"y'
	printf 'Include %%z\n' | $as tee "$dir/names" >/dev/null
	run skypty config -F "$dir/names" h >"$dir/out" 2>"$dir/err.told"
	has "$dir/err.told" "line 1: Include %z: %z is not known"

	# What is included is held to what holds for the file itself.
	$as mkdir "$dir/more"
	$as tee "$dir/more/bad" >/dev/null <<-END
		Host h
		  Nonsense 1
	END
	printf 'Include more/*\n' |
		wrong "more/bad line 2" ""
	printf 'Host other\nInclude more/*\n' |
		wrong "more/bad line 2" ""
	printf 'Port 7\n' | $as tee "$dir/more/bad" >/dev/null
	for mode in 664 646; do
		$as chmod $mode "$dir/more/bad"
		printf 'Include more/bad\n' |
			wrong "more/bad" "must be a file of yours"
	done
	$as rm "$dir/more/bad"
	if [ "$(id -u)" -eq 0 ]; then
		printf 'Port 7\n' >"$dir/more/bad"
		chown 1 "$dir/more/bad"
		printf 'Include more/bad\n' |
			wrong "more/bad" "must be a file of yours"
		rm "$dir/more/bad"
	fi
	# Nobody waits for somebody to write.
	$as mkfifo -m 600 "$dir/more/bad"
	printf 'Include more/*\n' |
		wrong "more/bad" "must be a file of yours"
	$as rm "$dir/more/bad"
}

include() {
	start_host
	$as mkdir -p "$dir/conf/more" "$dir/conf/more/folder" \
		"$HOME/.config/skypty"
	printf 'Host lab\n Port %s\n Include ../last\n' "$port" |
		$as tee "$dir/conf/more/10" >/dev/null
	printf 'Host lab\n Port 1\nHost listed\n Port 1\n' |
		$as tee "$dir/conf/more/20" >/dev/null
	printf 'Address 127.0.0.1\nHost other\n' |
		$as tee "$dir/conf/last" >/dev/null
	printf 'Identity %s\n' "$dir/client" |
		$as tee "$dir/conf/for-lab" >/dev/null
	$as tee "$dir/conf/names" >/dev/null <<-END
		Host far
		  Include more/1*
		  Key nonsense
		Host lab
		  Include more/* nowhere
		  Key $pk
		Match originalhost lab
		  Include for-%n "$dir/conf/no*where"
		Host never
		  Include for-lab
	END
	# shellcheck disable=SC2086
	equal "$($as "$bin/skypty-ssh" $no_login -F "$dir/conf/names" lab \
		echo here 2>&1)" here "ssh with files in files"
	equal "$(run skypty exec -F "$dir/conf/names" lab -- echo here 2>&1)" \
		here "exec with files in files"
	(cd "$dir/conf" && $as "$bin/skypty" config -F names lab) >"$dir/out" ||
		fail "a file of this folder"
	equal "$(sort "$dir/out" | tr '\n' '/')" "$(printf '%s/' \
		"address 127.0.0.1" "host lab" "identity $dir/client" \
		"key $pk" "port $port")" "what lab is"
	# As the user's own, and through the home folder.
	$as cp -r "$dir/conf/." "$HOME/.config/skypty"
	$as mv "$HOME/.config/skypty/names" "$HOME/.config/skypty/config"
	equal "$(run skypty exec lab -- echo here 2>&1)" here "the user's own"
	printf 'Include ~/.config/skypty/conf%%%%x ${HOME}/x\n' |
		$as tee "$dir/names" >/dev/null
	$as cp "$HOME/.config/skypty/config" "$HOME/.config/skypty/conf%x"
	equal "$(run skypty exec -F "$dir/names" lab -- echo here 2>&1)" here \
		"a file of the home folder"
	run skypty config >"$dir/out"
	equal "$(sort -u "$dir/out" | tr '\n' ' ')" \
		"far lab listed never other " "names that are listed"

	# A section does not go on behind the file that it began in, and nothing
	# holds in a file that is included where nothing does.
	printf 'Host *\n Port 5\nMatch all\n HostName 192.0.2.1\n' |
		$as tee "$dir/conf/more/10" >/dev/null
	printf 'Host x\n Include more/10\n Port 6\nHost h\n Key %s\n' "$pk" |
		$as tee "$dir/conf/names" >/dev/null
	run skypty config -F "$dir/conf/names" h >"$dir/out"
	equal "$(tr '\n' '/' <"$dir/out")" "host h/key $pk/" "what h is"
	run skypty config -F "$dir/conf/names" x >"$dir/out"
	equal "$(tr '\n' '/' <"$dir/out")" "host x/address 192.0.2.1/port 5/" \
		"what x is"
	stop_host

	need_command ssh
	for args in "h -l u" "a -l u" "a@h"; do
		# shellcheck disable=SC2086
		compare $args <<-END
			Host a
			  Include $dir/conf/more/10
			Match user a
			  Include $dir/conf/m?re/2*
			Port 9
		END
	done
}

tokens() {
	start_host
	# shellcheck disable=SC2086
	set -- $no_login -i "$dir/client" -p "$port" -oHostName=127.0.0.1 \
		-oHostKeyAlias=als
	names=$(uname -n)
	equal "$($as "$bin/skypty-ssh" "$@" -l "$account" -oRemoteCommand="echo \
		%% %d %h %i %j. %k %L %l %n %p %r %u" "$pk@far" </dev/null)" \
		"% $HOME 127.0.0.1 $uid . als ${names%%.*} $names far $port $account $(
			id -un "$uid")" "tokens"
	hash=$($as "$bin/skypty-ssh" "$@" -oRemoteCommand="echo %C" "$pk@far")
	equal "$(echo "$hash" | grep -cE '^[0-9a-f]{40}$')" 1 "%C"
	equal "$($as "$bin/skypty-ssh" "$@" -oRemoteCommand="echo %C" \
		"$pk@far")" "$hash" "%C again"
	[ "$($as "$bin/skypty-ssh" "$@" -oRemoteCommand="echo %C" \
		-oHostName=localhost -l "$account" "$pk@far")" != "$hash" ] ||
		fail "%C is the same for others"
	$as cp "$dir/client" "$dir/key-als-far-127.0.0.1"
	# shellcheck disable=SC2086
	equal "$($as "$bin/skypty-ssh" $no_login -p "$port" -oHostKeyAlias=als \
		-oHostName=127.0.0.1 -i "$dir/key-%k-%n-%h%j" "$pk@far" \
		echo here 2>&1)" here "tokens of a key's name"
	stop_host
}

either match
either younger
either mistakes
both include
either tokens
