#!/bin/sh
# SPDX-License-Identifier: ISC
# The client's terminal is raw while a session runs and as it was afterwards,
# however the client ends, and shows what it showed; it can be suspended.
. regress/sys/lib.sh

# play COMMAND-FLAG... the script on standard input; its output in $dir/out.
play() {
	# shellcheck disable=SC2086
	"$PYTHON" "$LIB/on_tty.py" 24 80 $as "$bin/skypty" shell -c /bin/sh \
		-i "$dir/client" --no-visor-key "$@" "$(dest)" >"$dir/out" \
		2>&1 || fail "$(cat "$dir/out")"
}

ends() {
	start_host
	play <<-'END'
		raw
		send echo w''orks; stty -a\r
		expect works
		expect isig
		send exit 3\r
		end
		cooked
	END
	equal "$(cat "$dir/out")" 3 "status of an exit"

	# The shell is killed, the connection with it.
	play <<-'END'
		raw
		send kill -9 $$\r
		expect the shell was killed by signal KILL
		end
		cooked
	END
	equal "$(cat "$dir/out")" 255 "status of a killed shell"

	for signal in 15TERM 1HUP 2INT 3QUIT 11SEGV; do
		name=${signal#*[0-9]}
		name=${name#[0-9]}
		# The sanitizers' runtime has its own idea of it.
		[ "$name$sanitized" != SEGVyes ] || continue
		printf 'raw\nsignal %s\nend\ncooked\n' "$name" | play
		equal "$(cat "$dir/out")" "-${signal%"$name"}" "end by $name"
	done
	wait_for "the shells' end" has_no_child "$host"

	# The host goes.
	{
		printf 'raw\nsend echo >%s; exec cat\\r\n' "$dir/started"
		wait_for "the shell" test -e "$dir/started"
		monitor_of "$host"
		kill "$monitor"
		printf 'end\ncooked\n'
	} | play
	equal "$(cat "$dir/out")" 255 "status without the host"
	stop_host
}

suspends() {
	start_host
	play <<-'END'
		raw
		send echo be''fore\r
		expect before
		signal TSTP
		stopped
		cooked
		signal CONT
		raw
		send echo be''tween\r
		expect between
		send \r~\x1a
		stopped
		cooked
		size 30 90
		signal CONT
		raw
		send stty size\r
		expect 30 90
		send exit\r
		end
		cooked
	END
	equal "$(cat "$dir/out")" 0 "status"
	stop_host
}

escapes() {
	start_host
	play <<-'END'
		raw
		send echo a~.b\r
		expect a~.b
		expect a~.b
		send ~?
		expect Supported escape sequences
		send echo he''re\r
		expect here
		send ~~x\r
		expect ~x
		expect not found
		send cat\r
		send ~.
		end
		cooked
	END
	equal "$(cat "$dir/out")" 255 "status of ~."
	wait_for "the shell's end" has_no_child "$host"
	play --escape % <<-'END'
		raw
		send ~.\r
		expect not found
		send %.
		end
	END
	equal "$(cat "$dir/out")" 255 "status of another escape character"
	play --escape ^X <<-'END'
		raw
		send ^.\r
		expect not found
		send \x18?
		expect ^X^X   - send the escape character
		send \x18.
		end
	END
	equal "$(cat "$dir/out")" 255 "status of a control character"
	play --escape none <<-'END'
		raw
		send ~.\r
		expect not found
		send exit 0\r
		end
	END
	equal "$(cat "$dir/out")" 0 "status without escape character"
	stop_host
}

# What a program has made of the terminal is taken back when it cannot do so
# itself any more, before we say why; else it is the program's affair.
screens() {
	start_host
	set_all='\x1b[?1049h\x1b[?1000;1006h\x1b[?2004h\x1b[?25l\x1b[1;31m'
	undone='\x1b[m\x1b[?1000l\x1b[?1006l\x1b[?2004l\x1b[?1049l\x1b[?25h'
	rm -f "$dir/started"
	{
		printf 'raw\nsend printf "%s"; echo >%s; exec cat\\r\n' \
			"$set_all" "$dir/started"
		wait_for "the shell" test -e "$dir/started"
		monitor_of "$host"
		kill "$monitor"
		printf 'shows %s\nexpect skypty: the connection was closed\n' \
			"$undone"
		printf 'end\ncooked\n'
	} | play
	equal "$(cat "$dir/out")" 255 "status without the host"

	{
		printf 'raw\nsend printf "%s"; cat\\r\nshows %s\n' \
			"$set_all" '\x1b[1;31m'
		printf 'signal TERM\nshows %s\nend\n' "$undone"
	} | play
	equal "$(cat "$dir/out")" -15 "status of a client that is killed"

	{
		printf 'raw\nsend printf "%s"; cat\\r\nshows %s\n' \
			"$set_all" '\x1b[1;31m'
		printf 'send \\r~.\nshows %s\nend\n' "$undone"
	} | play
	equal "$(cat "$dir/out")" 255 "status of ~."
	stop_host
}

either ends
either suspends
either screens
either escapes
