#!/bin/sh
# SPDX-License-Identifier: ISC
# What a session's user does, he can neither read in its recording nor change,
# nor stop it.  Whatever is killed, what was shown is in the file, in whole
# lines; and what is not recorded any more does not go on.
. regress/sys/lib.sh

own_machine "$0"
need_filter
folder=/var/log/skypty

# opens: alice's shell, whose input is descriptor 9 and output $dir/seen.
opens() {
	rm -f "$dir/keys" "$dir/home.alice/pid"
	mkfifo "$dir/keys"
	# shellcheck disable=SC2046 # words
	$(as_ssh) -tt -F none "$pk@127.0.0.1" <"$dir/keys" >"$dir/seen" \
		2>"$dir/err.shell" &
	client_pid=$!
	pids="$pids $client_pid"
	exec 9>"$dir/keys"
	# shellcheck disable=SC2016 # the shell's
	echo 'echo $$ >~/pid' >&9
	wait_for "the shell" test -s "$dir/home.alice/pid"
	shell_pid=$(cat "$dir/home.alice/pid")
	monitor_of "$host"
	recorder=$(pgrep -P "$monitor" -f '^skyptyd: record') ||
		fail "there is no recorder"
	file=$(sed -n 's/.*Terminal is recorded in //p' "$log" | tail -n 1)
}

# shows TEXT: the shell prints it, and the client has it.
shows() {
	echo "echo '$1' | tr a-z A-Z" >&9
	wait_for "$1" grep -q "$(echo "$1" | tr '[:lower:]' '[:upper:]')" "$dir/seen"
}

ends() {
	exec 9>&-
	wait_gone "the client" "$client_pid"
	wait_gone "the shell" "$shell_pid"
	wait_gone "the recorder" "$recorder"
}

# whole TEXT: the file can be read, and has it.
whole() {
	"$PYTHON" "$LIB/cast.py" o "$file" >"$dir/told" ||
		fail "it is no recording: $1"
	has "$dir/told" "$1"
}

# denied COMMAND: by alice, in the session itself.
denied() {
	rm -f "$dir/home.alice/done"
	echo "$1 2>/dev/null && echo yes >~/done || echo no >~/done" >&9
	wait_for "$1" test -s "$dir/home.alice/done"
	equal "$(cat "$dir/home.alice/done")" no "$1"
}

kept() {
	account alice
	authorize "user=alice,record $client"
	wl='' && conf
	start_host
	opens
	equal "$(stat -c "%U %a" "$file")" "root 600" "the file"

	denied "ls $folder"
	denied "cat $file"
	denied "echo x >>$file"
	denied "rm -f $file"
	denied "touch $folder/x"
	for signal in 0 TERM KILL STOP WINCH; do
		denied "kill -$signal $recorder"
		denied "kill -$signal $monitor"
	done
	denied "ls /proc/$recorder/fd"
	denied "cat /proc/$recorder/mem"
	denied "cat /proc/$recorder/environ"
	# The other terminal is not his: whoever has it could write to the user.
	outer=$(readlink "/proc/$recorder/fd/3")
	case $outer in
	/dev/pts/*) ;;
	*) fail "the recorder has $outer" ;;
	esac
	denied "echo x >$outer"
	alive "$recorder" || fail "the recorder was ended"

	# It can do nothing but that.
	equal "$(value Seccomp "$recorder")" 2 "Seccomp"
	equal "$(value NoNewPrivs "$recorder")" 1 "NoNewPrivs"
	for set in Inh Prm Eff Amb; do
		equal "$(value "Cap$set" "$recorder")" 0000000000000000 "Cap$set"
	done
	equal "$(value Uid "$recorder" | tr -s '\t ' ' ' | cut -d ' ' -f 2)" \
		"$(id -u "$privsep")" "its user"
	equal "$(readlink "/proc/$recorder/root")" /run/skypty "its root"
	# shellcheck disable=SC2012 # numbers
	equal "$(ls "/proc/$recorder/fd" | tr '\n' ' ')" "0 1 2 3 4 5 " \
		"what it has open"
	equal "$(readlink "/proc/$recorder/fd/5")" "$file" "its file"
	flags=$(sed -n 's/^flags:[[:space:]]*//p' "/proc/$recorder/fdinfo/5")
	[ $((0$flags & 02000)) -ne 0 ] || fail "it does not only append: $flags"

	# The recorder is killed: the session ends, though its shell would not.
	echo "trap '' HUP TERM" >&9
	shows before-the-end
	kill -9 "$recorder"
	wait_gone "the shell" "$shell_pid"
	ends
	whole BEFORE-THE-END
	has "$log" "Recording failed: killed by signal 9"
	serves

	# Its monitor is.
	opens
	shows of-an-orphan
	kill -9 "$monitor"
	ends
	whole OF-AN-ORPHAN

	# The confined child is, and the client.
	opens
	shows of-a-child
	kill -9 "$(pgrep -P "$monitor" -f '^skyptyd: net')"
	ends
	whole OF-A-CHILD
	opens
	shows of-a-client
	kill -9 "$client_pid"
	ends
	whole OF-A-CLIENT

	# A shell that leaves something behind which has the terminal still.
	opens
	echo 'sleep 1000 & echo $! >~/left; echo last words' >&9
	wait_for "what is left" test -s "$dir/home.alice/left"
	echo exit >&9
	ends
	whole "last words"
	grep -q "last words" "$dir/seen" || fail "the last words were not shown"
	kill "$(cat "$dir/home.alice/left")" # nobody's, as with sshd

	# An event that was cut off by a kill is cut away.
	opens
	shows complete
	printf '[9.5, "o", "cut' >>"$file"
	kill -9 "$recorder"
	ends
	wait_for "the end" grep -q "Recording failed.*$file" "$log"
	whole COMPLETE
	stop_host
}

as_root kept
