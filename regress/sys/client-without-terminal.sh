#!/bin/sh
# SPDX-License-Identifier: ISC
# Without a terminal a shell takes its input from what there is, and every byte
# of its output arrives.
. regress/sys/lib.sh

without() {
	start_host
	# A here-document, with and without an exit of its own.
	shell <<-END >"$dir/out"
		PS1= PS2=; stty -echo; echo
		seq 1 200000
		echo the end
		exit
	END
	tail -n 3 "$dir/out" >"$dir/last"
	has "$dir/last" "the end"
	equal "$(tr -d '\r' <"$dir/out" | grep -cx '[0-9][0-9]*')" 200000 "lines"

	status=0
	echo "echo >$dir/mark" | shell >"$dir/out" || status=$?
	equal $status 0 "status at the input's end"
	[ -e "$dir/mark" ] || fail "the command was not run"

	# A command as the shell, and a reader that takes its time.
	run skypty shell -i "$dir/client" --no-visor-key -c /usr/bin/seq \
		-a 300000 "$(dest)" </dev/null |
		(
			sleep 0.5
			tr -d '\r' | tail -n 1
		) >"$dir/out"
	equal "$(cat "$dir/out")" 300000 "last number"

	# A reader that goes away ends it.
	wait_for "the connections' end" has_no_child "$host"
	run skypty shell -i "$dir/client" --no-visor-key -c /usr/bin/yes \
		"$(dest)" </dev/null 2>"$dir/err.shell" | head -n 1 >"$dir/out"
	wait_for "the connection's end" has_no_child "$host"

	# "shell -- command" is a command by Exec, with its status.
	status=0
	run skypty shell -i "$dir/client" --no-visor-key "$(dest)" -- \
		sh -c 'echo "$1"; exit 6' sh 'a  b' >"$dir/out" </dev/null ||
		status=$?
	equal "$status $(cat "$dir/out")" "6 a  b" "a command"
	stop_host
}

either without
