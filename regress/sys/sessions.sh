#!/bin/sh
# SPDX-License-Identifier: ISC
# Of sessions that are kept: a terminal outlives its client, its connection, the
# monitor and skyptyd; who attaches gets the screen as it is; and only the key
# that has begun one gets anything.

. regress/sys/lib.sh

# a_host [KEY VALUE]...: a host whose sessions are in our folder.
a_host() {
	$as mkdir -p "$dir/kept"
	conf job_dir "\"$dir/kept\"" "$@"
	start_host
}

kept() {
	find "$dir/kept" -mindepth 2 -maxdepth 2 -type d "$@"
}

# flags: of all that asks the host.
flags() {
	echo "-i ${me-$dir/client} --no-visor-key"
}

# on_tty WORD...: skypty on a terminal, the steps on standard input.
on_tty() {
	what=$1
	shift
	# shellcheck disable=SC2046 # words
	$as env TERM=xterm-256color ENV= "$PYTHON" "$LIB/on_tty.py" \
		"${rows-24}" "${cols-80}" "$bin/skypty" "$what" $(flags) "$@" \
		>"$dir/tty" 2>"$dir/err.tty" || {
		cat "$dir/err.tty"
		fail "$what: the terminal"
	}
}

sessions() {
	# shellcheck disable=SC2046 # words
	run skypty sessions $(flags) -q "$@" "$(dest)"
}

listed() {
	sessions --json >"$dir/out.sessions" && grep -q -e "$1" "$dir/out.sessions"
}

not_listed() {
	sessions --json >"$dir/out.sessions" &&
		! grep -q -e "$1" "$dir/out.sessions"
}

nobody_is_left() {
	[ -z "$(kept)" ] && ! pgrep -f "^skypty-keeper: session .* ${dir##*/}"
}

shell() {
	on_tty shell -c /bin/sh -e PS1=begin: "$@" "$(dest)"
}

# Detached, and gone on with by its name, its id, and as the only one.
life() {
	a_host
	equal "$(sessions)" "" "a list of nothing"
	shell --name work <<-END
		expect begin:
		send PS1=go''on:; x=kept; printf '\\\\033]2;the title\\\\007'\r
		expect goon:
		send ~?
		expect detach from the session
		send \r
		expect goon:
		send ~d
		expect skypty attach $(dest) work
		cooked
		end
	END
	has "$dir/tty" 0
	wait_for "the title" listed '"title":"the title"'
	has "$dir/out.sessions" '"name":"work"'
	has "$dir/out.sessions" '"rows":24,"cols":80'
	wait_for "its being left" listed '"attached":0'
	id=$(sed 's/^{"id":"\([0-9a-f]*\)".*/\1/' "$dir/out.sessions")
	equal ${#id} 32 "digits of an id"
	sessions >"$dir/out.list"
	has "$dir/out.list" "the title"
	for which in work "$(echo "$id" | cut -c 1-8)" ''; do
		# shellcheck disable=SC2086 # or no word
		on_tty attach "$(dest)" $which <<-END
			expect goon:
			send echo "[\$x]"\r
			expect [kept]
			send \r
			expect goon:
			send ~d
			end
		END
	done
	# One that is there is gone on with; it ends with its shell, which tells
	# its status, and nothing is left.
	shell --name work <<-END
		expect which was there
		expect goon:
		send exit 7\r
		end
	END
	equal "$(cat "$dir/tty")" 7 "status of the shell"
	equal "$(sessions)" "" "a list when it has ended"
	wait_for "its end" nobody_is_left
	shell --detach-ok <<-END
		expect begin:
		send exit\r
		end
	END
	equal "$(cat "$dir/tty")" 0 "status of one without a name"
}

# Nothing of ours is needed: client, monitor, skyptyd.
survives() {
	a_host
	shell --name work <<-END
		expect begin:
		send echo \$\$ >$dir/shell.pid; PS1=go''on:\r
		expect goon:
		exists $dir/shell.pid
		signal KILL
		end
	END
	equal "$(cat "$dir/tty")" -9 "end of the client"
	shell_pid=$(cat "$dir/shell.pid")
	wait_for "its being left" listed '"attached":0'
	on_tty attach "$(dest)" <<-END &
		expect goon:
		send : >$dir/there; echo x >$dir/there\r
		end
	END
	pids="$pids $!"
	player=$!
	wait_for "the client" test -s "$dir/there"
	for m in $(children "$host"); do
		kill -9 "$m"
	done
	wait $player || fail "who was attached"
	has "$dir/tty" 255
	kill -9 "$host"
	wait_gone "the host" "$host"
	alive "$shell_pid" || fail "the shell went with the host"
	rm -f "$sock"
	start_host
	on_tty attach "$(dest)" work <<-END
		expect goon:
		send exit\r
		end
	END
	wait_gone "the shell" "$shell_pid"
	wait_for "its end" nobody_is_left
}

# A program that has all of the screen draws nothing anew: its keeper does, if
# it is built with libvterm.
full_screen() {
	grep -q vterm_input_write "$BIN/skypty-keeper" || return 0
	a_host
	cat >"$dir/full" <<-'END'
		trap '' WINCH
		stty raw -echo
		printf '\033[?1049h\033[?1h\033=\033[?2004h\033[2;23r'
		printf '\033[5;10H\033[1;44mtop of it\033[m\033[20;30Hbelow\033[3;4H'
		printf '\033]2;full of it\007'
		until [ -e "$1/go" ]; do sleep 0.05; done
		printf '\033[?1049l\033[?1l\033>\033[?2004l\033[r'
		stty -raw echo
	END
	shell --name full <<-END
		expect begin:
		send PS1=go''on:; echo be''fore; sh $dir/full $dir\r
		expect before
		shows \x1b[5;10H
		shows full of it
		send \r~d
		end
	END
	on_tty attach "$(dest)" full <<-END
		shows \x1b[?1049h
		shows top of it
		shows below
		shows full of it
		shows \x1b=
		shows \x1b[2;23r
		shows \x1b[?2004h
		shows \x1b[3;4H
		send \r~d
		end
	END
	# Whoever came in it gets the first screen when that is back.
	on_tty attach "$(dest)" full <<-END &
		shows top of it
		size 20 70
		exists $dir/go
		expect before
		expect goon:
		send exit\r
		end
	END
	pids="$pids $!"
	player=$!
	wait_for "the size" listed '"rows":20,"cols":70'
	echo x >"$dir/go"
	wait $player || fail "the first screen is not there"
}

# Of several one types, or all do, or one looks on.
several() {
	a_host
	shell --name work <<-END
		expect begin:
		send PS1=go''on:\r
		expect goon:
		send ~d
		end
	END
	on_tty attach "$(dest)" work <<-END &
		expect goon:
		send echo fir''st >$dir/first\r
		expect word of the view
		expect word of the second
		expect another terminal has taken it over
		expect skypty attach
		cooked
		end
	END
	pids="$pids $!"
	first=$!
	wait_for "the first" test -s "$dir/first"
	on_tty attach --view "$(dest)" work <<-END &
		expect goon:
		send echo bad >$dir/typed\r
		expect word of the view
		expect word of the second
		expect word of the third
		send \r~d
		end
	END
	pids="$pids $!"
	view=$!
	wait_for "the view" listed '"attached":2'
	on_tty attach --share "$(dest)" work <<-END &
		expect goon:
		send echo word of the v''iew; echo word of the sec''ond\r
		expect word of the second
		expect another terminal has taken it over
		end
	END
	pids="$pids $!"
	second=$!
	wait_for "the second" listed '"attached":3'
	on_tty attach "$(dest)" work <<-END
		expect goon:
		expect word of the second
		send echo word of the th''ird\r
		expect word of the third
		send exit\r
		end
	END
	wait $first || fail "the first"
	wait $second || fail "the second"
	wait $view || fail "the view"
	[ ! -e "$dir/typed" ] || fail "who looks on has typed"
	wait_for "its end" nobody_is_left
}

# ask KEY WORD...: fails, and says so.
refused() {
	text=$1 what=$2
	shift 2
	if run skypty "$what" -q --no-visor-key "$@" </dev/null >"$dir/out.refused" \
		2>"$dir/err.refused"; then
		fail "not refused: $what $*"
	fi
	equal "$(cat "$dir/out.refused")" "" "what $what $* got"
	has "$dir/err.refused" "$text"
}

only_its_key() {
	new_key other
	other=$key
	new_key third
	third=$key
	new_key fourth
	fourth=$key
	new_key fifth
	fifth=$key
	printf '%s\n' "$client" "$other" "no-detach $third" \
		"restrict,pty $fourth" "record $fifth" >"$dir/authorized"
	chmod 600 "$dir/authorized"
	[ -z "$as" ] || chown "$uid:$gid" "$dir/authorized"
	wl='' a_host authorized_pks "\"$dir/authorized\""
	shell --name work <<-END
		send PS1=be''gin:\r
		expect begin:
		send echo \$\$ >$dir/shell.pid; echo hid''den\r
		expect hidden
		send ~d
		end
	END
	listed '"name":"work"' || fail "it is not listed"
	id=$(sed 's/^{"id":"\([0-9a-f]*\)".*/\1/' "$dir/out.sessions")
	for which in work "$id"; do
		refused "there is no session of this key with that id or name" \
			attach -i "$dir/other" "$(dest)" "$which"
		refused "there is no session of this key with that id or name" \
			attach --view -i "$dir/other" "$(dest)" "$which"
		refused "there is no session of this key with that id or name" \
			sessions -i "$dir/other" "$(dest)" --kill "$which"
	done
	refused "there is no session of this key" \
		attach -i "$dir/other" "$(dest)"
	equal "$(me=$dir/other sessions)" "" "another's list"
	# The same name is another's own.
	me=$dir/other shell --name work <<-END
		send PS1=be''gin:\r
		expect begin:
		send echo o''wn; exit\r
		expect own
		end
	END
	# What a key may no longer have it does not get from before, either.
	for now in 'command="date"' record; do
		printf '%s\n' "$now $client" "$other" "no-detach $third" \
			"restrict,pty $fourth" "record $fifth" \
			>"$dir/authorized"
		refused "(${now%%=*})" attach -i "$dir/client" "$(dest)" work
		refused "(${now%%=*})" shell --name work -i "$dir/client" \
			"$(dest)"
		refused "(${now%%=*})" shell --name other -i "$dir/client" \
			"$(dest)"
	done
	printf '%s\n' "$client" "$other" "no-detach $third" \
		"restrict,pty $fourth" "record $fifth" >"$dir/authorized"
	for who in third fourth; do
		refused "no-detach" shell --detach-ok -i "$dir/$who" "$(dest)"
		refused "no-detach" sessions -i "$dir/$who" "$(dest)"
		refused "no-detach" attach -i "$dir/$who" "$(dest)" work
	done
	refused "recorded" shell --name rec -i "$dir/fifth" "$(dest)"
	# Neither jobs nor sessions are the others'.
	run skypty job list -q -i "$dir/client" --no-visor-key "$(dest)" \
		>"$dir/out.jobs"
	equal "$(cat "$dir/out.jobs")" "" "a list of jobs"
	if run skypty job log -q -i "$dir/client" --no-visor-key "$(dest)" \
		"$id" 2>"$dir/err.job"; then
		fail "it is a job"
	fi
	has "$dir/err.job" "there is no job"
	alive "$(cat "$dir/shell.pid")" || fail "it has ended"
	sessions --kill work || fail "it is not ended by its own key"
	wait_gone "the shell" "$(cat "$dir/shell.pid")"
	wait_for "its end" nobody_is_left
}

errors() {
	a_host max_jobs 1
	for name in '' -x .x a/b 'a b' 123456789012345678901234567890123; do
		refused "--name" shell -i "$dir/client" --name="$name" "$(dest)"
	done
	refused "skypty job run" shell -i "$dir/client" --name work "$(dest)" \
		-- true
	refused "is no session's name or id" attach -i "$dir/client" "$(dest)" a/b
	refused "there is no session of this key" attach -i "$dir/client" "$(dest)"
	refused "with that id or name" attach -i "$dir/client" "$(dest)" work
	refused "one word too many" attach -i "$dir/client" "$(dest)" work more
	refused "either of them" attach -i "$dir/client" --share --view "$(dest)" work
	refused "no such file or directory" \
		shell -i "$dir/client" --detach-ok -c /nowhere/at/all "$(dest)"
	equal "$(kept)" "" "what is left of it"
	shell --name one <<-END
		expect begin:
		send ~d
		end
	END
	refused "max_jobs" shell -i "$dir/client" --name two "$(dest)"
	sessions --kill one
	shell --name two <<-END
		expect begin:
		send trap '' HUP; echo set''up\r
		expect setup
		send ~d
		end
	END
	# Who does not listen is killed.
	sessions --kill two || fail "it is not ended"
	wait_for "its end" nobody_is_left
}

# A keeper that is killed takes its session along.
lost() {
	a_host
	shell --name work <<-END
		expect begin:
		send echo \$\$ >$dir/shell.pid; echo \$PPID >$dir/keeper.pid\r
		exists $dir/keeper.pid
		send ~d
		end
	END
	kill -9 "$(cat "$dir/keeper.pid")"
	wait_gone "the shell" "$(cat "$dir/shell.pid")"
	equal "$(sessions)" "" "a list of what is lost"
	equal "$(kept)" "" "what is left of it"
}

# Attached and detached again and again, what it has stays what it is.
cycles() {
	a_host
	shell --name work <<-END
		expect begin:
		send echo \$PPID >$dir/keeper.pid; echo re''ady\r
		expect ready
		exists $dir/keeper.pid
		send ~d
		end
	END
	keeper=$(cat "$dir/keeper.pid")
	cycle 10
	fds=$(find "/proc/$keeper/fd" | wc -l)
	before=$(memory_of "$keeper")
	cycle "${CYCLES-100}"
	wait_for "its being left" listed '"attached":0'
	wait_for "its descriptors" \
		sh -c "[ \$(find /proc/$keeper/fd | wc -l) -le $fds ]"
	after=$(memory_of "$keeper")
	# The sanitizers keep what is freed, for a while.
	[ -n "$sanitized" ] || [ "$after" -le $((before + 256)) ] ||
		fail "the keeper grew from $before to $after KiB"
	wait_for "the end of all connections" has_no_child "$host"
	equal "$(pgrep -c -P "$keeper")" 1 "processes of the keeper"
}

memory_of() {
	awk '/^(RssAnon)/ { print $2 }' "/proc/$1/status"
}

cycle() {
	i=0
	while [ $i -lt "$1" ]; do
		run skypty attach -i "$dir/client" --no-visor-key -q "$(dest)" \
			</dev/null >"$dir/out.cycle" || fail "not attached"
		i=$((i + 1))
	done
	has "$dir/out.cycle" ready
}

both life
both survives
either full_screen
either several
either only_its_key
either errors
either lost
either cycles
