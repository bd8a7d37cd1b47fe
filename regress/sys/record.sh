#!/bin/sh
# SPDX-License-Identifier: ISC
# A key with record has its terminals written down as asciicast, and so have
# all keys where the configuration says so; others have not.  What is typed is
# in it only if that is asked for.  Any player can play it.
. regress/sys/lib.sh

[ "$(id -u)" -ne 0 ] || own_machine "$0"
folder=/var/log/skypty

cast() {
	$as "$PYTHON" "$LIB/cast.py" "$@" || fail "not asciicast: $*"
}

# recordings NUMBER: so many there are; the one that ended last is $file.
recordings() {
	want=$1
	set -- "$folder"/*.cast
	[ -e "$1" ] || set --
	equal $# "$want" "recordings"
	file=$(sed -n 's/.*Recording ended: [0-9]* bytes in //p' "$log" |
		tail -n 1)
}

# terminal COMMAND: on a terminal, from beginning to end; its bytes in $dir/seen.
terminal() {
	# shellcheck disable=SC2046 # words
	$as $(as_ssh) -tt -F none "$pk@127.0.0.1" "$1" </dev/null \
		>"$dir/seen" 2>"$dir/err.terminal"
}

is_ended() {
	[ "$(grep -c "Recording ended" "$log")" -eq "$1" ]
}

# What the client has seen, and what is in the recording: the same.
same() {
	cast o "$file" >"$dir/told"
	"$PYTHON" -c 'import sys; sys.stdout.buffer.write(
sys.stdin.buffer.read().decode("utf-8", "replace").encode("utf-8"))' \
		<"$dir/seen" >"$dir/wanted"
	cmp "$dir/wanted" "$dir/told" || fail "it is not what was seen: $1"
}

# keys LINE: of the client's key.
keys() {
	echo "$1 $client" >"$dir/pks"
	[ -z "$as" ] || chown "$uid:$gid" "$dir/pks"
}

# In the default place, which is root's.
by_key() {
	keys record
	wl='' && conf authorized_pks "\"$dir/pks\""
	start_host
	terminal 'echo hello; printf "\303\244\033[1m\377\r\n"; stty size'
	wait_for "the end" is_ended 1
	recordings 1
	same "a few words"
	has "$dir/told" hello
	equal "$(stat -c "%a %u" "$file")" "600 $uid" "whose it is"
	equal "$(stat -c "%a %u" "$folder")" "700 $uid" "whose its folder is"
	case ${file##*/} in
	20[0-9][0-9][01][0-9][0-3][0-9]T[0-9][0-9][0-9][0-9][0-9][0-9]Z-"$(
		echo "$client" | cut -c 1-16)"-????????????????.cast) ;;
	*) fail "its name: $file" ;;
	esac
	id=${file##*-}
	id=${id%.cast}
	grep -q " $id .*Terminal is recorded in $file\$" "$log" ||
		fail "the log does not say where"
	title=$(cast head title "$file")
	case $title in
	*"$client"*"connection $id") ;;
	*) fail "title: $title" ;;
	esac
	cast head env.SHELL "$file" | grep -q "^/" || fail "no SHELL"
	equal "$(cast i "$file")" "" "what was typed"

	# What is no text; more than any buffer; and a last line without its end.
	terminal 'head -c 300000 /dev/urandom; printf "end\303"'
	wait_for "the end" is_ended 2
	recordings 2
	same "any bytes"

	# As much as there can be at once, which comes in pieces of any size.
	terminal 'stty raw -echo; head -c 16000000 /dev/zero | tr "\0" x'
	wait_for "the end" is_ended 3
	recordings 3
	equal "$(wc -c <"$dir/seen")" 16000000 "bytes that were seen"
	same "very many bytes"

	# A window that changes, and a shell that is typed into.
	"$PYTHON" "$LIB/on_tty.py" 30 100 "$bin/skypty" shell -c /bin/sh \
		 -i "$dir/client" --no-visor-key "$(dest)" \
		>"$dir/out" <<-'END' || fail "the shell"
		send stty size; echo typed\r
		expect 30 100
		size 41 121
		send stty size\r
		expect 41 121
		send exit\r
		end
	END
	wait_for "the end" is_ended 4
	recordings 4
	equal "$(cast head width "$file")x$(cast head height "$file")" 100x30 \
		"the window"
	equal "$(cast r "$file")" 121x41 "the window that changed"
	equal "$(cast i "$file")" "" "what was typed"

	# No terminal, no recording; the log has a line of it.
	equal "$(on_host -- echo plain 2>"$dir/err.plain")" plain "a command"
	recordings 4
	stop_host
}

by_configuration() {
	folder=$dir/rec
	wl="\"$client\"" && conf record "\"$folder\""
	start_host
	terminal 'echo of wl'
	wait_for "the end" is_ended 1
	recordings 1
	same "of wl"
	# On this machine.
	echo 'echo of local; exit' | run skypty shell -c /bin/sh -r "$sock" \
		>"$dir/seen" 2>"$dir/err.local"
	wait_for "the end" is_ended 2
	set -- "$folder"/*-local-*.cast
	[ -e "$1" ] || fail "a local terminal is not recorded"
	cast o "$1" | grep -q "of local" || fail "a local terminal's output"
	stop_host

	# Neither: nothing is written.
	rm -f "$folder"/*
	wl="\"$client\"" && conf
	start_host
	terminal 'echo unseen'
	has "$dir/seen" unseen
	recordings 0
	stop_host
}

# Once it is waited for, and until it has been read.
typed() {
	wait_for "the command" grep -q ready "$dir/seen"
	echo secret-word
	wait_for "its end" grep -q done-with-it "$dir/seen"
}

# Of an account that may log in.
by_input() {
	folder=$dir/rec
	wl='' && keys record-input
	conf authorized_pks "\"$dir/pks\"" record "\"$folder\""
	start_host
	: >"$dir/seen"
	# shellcheck disable=SC2046 # words
	typed | $as $(as_ssh) -tt -F none "$pk@127.0.0.1" \
		'stty -echo; echo ready; read -r word; echo done-with-it' \
		>"$dir/seen" 2>"$dir/err.terminal"
	wait_for "the end" is_ended 1
	file=$(sed -n 's/.*Recording ended: [0-9]* bytes in //p' "$log")
	cast i "$file" | grep -q secret-word || fail "what was typed is missing"
	has "$log" "what is typed as well"
	stop_host
}

ticks() {
	awk '{ sub(/.*[)] /, ""); print $12 + $13 }' "/proc/$1/stat"
}

# A session has ended; its user has typed what it did not read, and does not
# read what it wrote.  The recorder is not busy with that, if it is there still.
stuck() {
	folder=$dir/rec
	wl="\"$client\"" && conf record "\"$folder\""
	start_host
	mkfifo "$dir/in" "$dir/out"
	exec 8<>"$dir/in" 9<>"$dir/out"
	# shellcheck disable=SC2046 # words
	$as $(as_ssh) -tt -F none "$pk@127.0.0.1" "stty raw -echo; touch $dir/began; until [ -e $dir/typed ]
		do sleep 0.1; done; timeout 3 cat /dev/zero" \
		<"$dir/in" >"$dir/out" 2>"$dir/err.terminal" 8>&- 9>&- &
	pids="$pids $!"
	wait_for "the session" [ -e "$dir/began" ]
	yes | head -c 400000 >&8
	sleep 1
	touch "$dir/typed"
	shell=$(sed -n 's/.*Terminal started: .*, pid //p' "$log")
	wait_gone "the shell" "$shell"
	monitor_of "$host"
	for recorder in $(children "$monitor"); do
		tr '\0' ' ' <"/proc/$recorder/cmdline" |
			grep -q '^skyptyd: record' || continue
		for _ in 1 2 3 4 5; do
			before=$(ticks "$recorder")
			sleep 1
			after=$(ticks "$recorder")
			[ "$before" -ne "$after" ] || break
		done
		equal "$after" "$before" "processor time of the recorder"
	done
	exec 8>&- 9>&-
	stop_host
}

# The program that everybody has.
played() {
	need_command asciinema
	folder=$dir/rec
	wl="\"$client\"" && conf record "\"$folder\""
	start_host
	terminal 'printf "one\303\244\r\n\033[31mtwo\033[0m \377\r\n"'
	wait_for "the end" is_ended 1
	recordings 1
	LC_ALL=C.UTF-8 script -qec "asciinema cat '$file'" /dev/null \
		</dev/null >"$dir/played" 2>&1 || fail "$(cat "$dir/played")"
	cast o "$file" >"$dir/told"
	"$PYTHON" - "$dir/told" "$dir/played" <<-'END' || fail "it is not played"
		import sys
		told, played = (open(f, "rb").read() for f in sys.argv[1:])
		# The terminal that it is played on adds a CR to each LF.
		squeeze = lambda b: b.replace(b"\r", b"")
		sys.exit(squeeze(told) not in squeeze(played))
	END
	LC_ALL=C.UTF-8 script -qec "asciinema play -i 0.1 '$file'" /dev/null \
		</dev/null >"$dir/played" 2>&1 || fail "$(cat "$dir/played")"
	has "$dir/played" two
	stop_host
}

# Who is not root has no such place.
without_folder() {
	keys record
	wl='' && conf authorized_pks "\"$dir/pks\""
	start_host
	terminal "touch $dir/mark" && fail "a terminal was given"
	has "$dir/err.terminal" "to be recorded"
	has "$log" '"record" names no folder'
	[ ! -e "$dir/mark" ] || fail "the command has run"
	serves
	stop_host
}

[ "$(id -u)" -ne 0 ] || as_root by_key
[ "$(id -u)" -ne 0 ] || as_root stuck
as_user without_folder
both by_configuration
either by_input
either played
