#!/bin/sh
# SPDX-License-Identifier: ISC
# command= of a key runs whatever is asked for, by each service, as the
# account's shell runs it; what was asked for it finds in its environment, and
# nothing of the client's can change what runs.
. regress/sys/lib.sh

line() {
	echo "$1 $client" >"$dir/pks"
	[ -z "$as" ] || chown "$uid:$gid" "$dir/pks"
}

# forced WHAT ASKED: the output of the forced command is in out.
forced() {
	tr -d '\r' <"$dir/out" >"$dir/lines"
	equal "$(cat "$dir/lines")" "forced [$2][$2]" "$1"
	[ ! -e "$dir/ran" ] || fail "$1: what was asked for was run"
}

by_each_service() {
	cat >"$dir/forced" <<-'END'
		echo "forced [${SKYPTY_ORIGINAL_COMMAND-none}][${SSH_ORIGINAL_COMMAND-none}]"
	END
	echo "echo \"\$SSH_ORIGINAL_COMMAND\" >>$dir/said" >>"$dir/forced"
	chmod 755 "$dir/forced"
	wl='' && conf authorized_pks "\"$dir/pks\""
	line "command=\". $dir/forced\""
	start_host

	on_host -- touch "$dir/ran" >"$dir/out" 2>"$dir/err" || fail "exec"
	forced "skypty/1/exec" "touch $dir/ran"
	on_host -- sh -c "touch $dir/ran; echo 'a b'" >"$dir/out" \
		2>"$dir/err" || fail "exec of words"
	forced "words" "sh -c 'touch $dir/ran; echo '\\''a b'\\'''"
	on_ssh "$pk@127.0.0.1" "touch  $dir/ran; echo 'a b'" >"$dir/out" \
		2>"$dir/err" || fail "skypty ssh"
	forced "a line of ssh's" "touch  $dir/ran; echo 'a b'"
	on_ssh "$pk@127.0.0.1" >"$dir/out" 2>"$dir/err" </dev/null ||
		fail "skypty ssh without a command"
	forced "a login shell" none
	on_ssh -tt "$pk@127.0.0.1" "touch $dir/ran" >"$dir/out" 2>"$dir/err" \
		</dev/null || fail "on a terminal"
	forced "a command on a terminal" "touch $dir/ran"
	shell </dev/null >"$dir/out" 2>"$dir/err"
	forced "pty.Start" /bin/sh
	# Where files are asked for it is the same; it is no SFTP server.
	rm "$dir/said"
	mkfifo "$dir/in"
	on_ssh -s "$pk@127.0.0.1" sftp >"$dir/out" 2>"$dir/err" <"$dir/in" &
	exec 9>"$dir/in"
	wait_for "the command in place of files" grep -q "^/.*sftp-server" \
		"$dir/said"
	exec 9>&-
	[ ! -e "$dir/ran" ] || fail "what was asked for was run"
	stop_host
	unset wl
}

# Nothing that the client sets changes it.
variables() {
	cat >"$dir/evil" <<-END
		touch $dir/ran
	END
	printf '#!/bin/sh\ntouch %s/ran\n' "$dir" >"$dir/sh"
	chmod 755 "$dir/sh"
	cp "$dir/sh" "$dir/id"
	wl='' && conf authorized_pks "\"$dir/pks\""
	line "command=\"id -u; env\",environment=\"SITE=of the key\""
	start_host
	on_host -e "PATH=$dir:$PATH" -e "SHELL=$dir/sh" -e "ENV=$dir/evil" \
		-e "BASH_ENV=$dir/evil" -e "LD_PRELOAD=$dir/evil.so" \
		-e "SITE=of the client" -e "SSH_ORIGINAL_COMMAND=a lie" \
		-e "SKYPTY_ORIGINAL_COMMAND=a lie" -e "IFS=/" -- true \
		>"$dir/out" 2>"$dir/err" || fail "exec: $(cat "$dir/err")"
	equal "$(head -n 1 "$dir/out")" "$uid" "what ran"
	[ ! -e "$dir/ran" ] || fail "the client chose what ran"
	has "$dir/out" "SITE=of the key"
	has "$dir/out" "SSH_ORIGINAL_COMMAND=true"
	has "$dir/out" "SKYPTY_ORIGINAL_COMMAND=true"
	for name in BASH_ENV ENV LD_PRELOAD IFS; do
		! grep "^$name=" "$dir/out" || fail "$name came through"
	done
	hasnt "$dir/out" "$dir:"
	# A key without the option does what it is told.
	line ""
	equal "$(on_host -- echo free)" free "without command="
	stop_host
	unset wl
}

# sshd's word for files and nothing else.
files_only() {
	echo bytes >"$dir/bytes"
	wl='' && conf authorized_pks "\"$dir/pks\""
	line "command=\"internal-sftp\""
	start_host
	run skypty cp -q -i "$dir/client" --no-visor-key \
		"$pk@127.0.0.1:$port:$dir/bytes" "$dir/copy" 2>"$dir/err" ||
		fail "cp: $(cat "$dir/err")"
	cmp "$dir/bytes" "$dir/copy" || fail "a file was changed"
	refused
	has "$dir/err.refused" "this key may not run commands"
	# A folder is none of these words.
	line "restrict,command=\"echo forced\",sftp-root=\"/usr/share\""
	! run skypty cp -q -i "$dir/client" --no-visor-key \
		"$pk@127.0.0.1:$port:/common-licenses/GPL-2" "$dir/licence" \
		2>"$dir/err" || fail "files are served"
	[ ! -e "$dir/licence" ] || fail "a file was served"
	has "$log" "SFTP asked for: the forced command started"
	# A command and, said in so many words, files.
	line "command=\"echo forced\",sftp"
	equal "$(on_host -- true)" forced "beside files"
	rm "$dir/copy"
	run skypty cp -q -i "$dir/client" --no-visor-key \
		"$pk@127.0.0.1:$port:$dir/bytes" "$dir/copy" 2>"$dir/err" ||
		fail "cp: $(cat "$dir/err")"
	stop_host
	unset wl
}

# No terminal where the line says so, and the command all the same.
restricted() {
	wl='' && conf authorized_pks "\"$dir/pks\""
	line "restrict,command=\"echo forced\""
	start_host
	equal "$(on_host -- true)" forced "with restrict"
	! shell </dev/null >"$dir/out" 2>"$dir/err" || fail "a terminal"
	has "$dir/err" "this key may not open a terminal"
	stop_host
	unset wl
}

all() {
	by_each_service
	variables
	files_only
	restricted
}

either all
