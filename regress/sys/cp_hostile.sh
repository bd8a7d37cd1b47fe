#!/bin/sh
# SPDX-License-Identifier: ISC
# A host whose SFTP server lies gets nothing of ours written outside of the
# target, and ends the copy with a message where it makes no sense.
. regress/sys/lib.sh

# hostile MODE: from now on the host's server does this.
hostile() {
	echo "$1" >"$dir/mode"
}

cp_() {
	status=0
	run skypty cp -i "$dir/client" --no-visor-key "$@" \
		>"$dir/out" 2>"$dir/err.cp" || status=$?
	! grep -q "$(printf '\033')" "$dir/err.cp" ||
		fail "an escape reached the terminal"
}

# The whole of the file that it serves.
whole() {
	[ "$(wc -c <"$1")" -eq 1048576 ] || fail "$1 is not whole"
	beginning "$1"
}

# What there is of it is right.
beginning() {
	seq -f %07.0f 0 131071 | head -c "$(wc -c <"$1")" | cmp - "$1" ||
		fail "$1 has other bytes"
}

good() {
	for mode in fine short; do
		hostile $mode
		cp_ "$(dest):file" "$target/$mode"
		equal $status 0 "status in mode $mode"
		whole "$target/$mode"
	done
	hostile fine
	cp_ -r "$(dest):dir" "$target/tree"
	equal $status 0 "status of a tree"
	whole "$target/tree/good"
}

# Other names of the same directory are copied.
names() {
	for mode in slash dotdot-path absolute empty nul long escape; do
		hostile $mode
		cp_ -r "$(dest):dir" "$target/$mode"
		equal $status 1 "status of names, $mode"
		has "$dir/err.cp" "cannot be a file's name"
		equal "$(ls -A "$target/$mode")" good "what $mode has written"
	done
	for mode in endless-dots endless-nonsense; do
		hostile $mode
		cp_ -r "$(dest):dir" "$target/$mode"
		equal $status 1 "status of names, $mode"
		has "$dir/err.cp" "the host lists names without end"
		[ "$(wc -l <"$dir/err.cp")" -le 1001 ] || fail "$mode: too much is told"
		equal "$(ls -A "$target/$mode")" "" "what $mode has written"
	done
	hostile dots
	cp_ -r "$(dest):dir" "$target/dots"
	equal $status 0 "status of names, dots"
	equal "$(ls -A "$target/dots")" good "what dots has written"
	for file in "$target/evil" "$dir/evil" /tmp/skypty-evil; do
		[ ! -e "$file" ] || fail "$file was written"
	done
}

# What does not match a pattern is not taken, however it is called; an endless
# list ends.
patterns() {
	for mode in slash dotdot-path absolute empty nul long escape dots; do
		hostile $mode
		$as mkdir "$target/glob-$mode"
		cp_ "$(dest):dir/*" "$target/glob-$mode"
		equal "$(find "$target/glob-$mode" -mindepth 1 ! -name good |
			wc -l)" 0 \
			"what else $mode has written"
		equal $status 0 "status of a pattern, $mode"
	done
	hostile fine
	$as mkdir "$target/glob-other"
	cp_ "$(dest):dir/b*" "$target/glob-other"
	equal $status 1 "status of a pattern that nothing matches"
	equal "$(ls -A "$target/glob-other")" "" "what did not match"
	hostile endless-names
	for pattern in 'dir/*' 'dir/*/x'; do
		cp_ "$(dest):$pattern" "$target/glob-other"
		equal $status 1 "status of an endless list"
		has "$dir/err.cp" "matches too many files"
	done
	hostile endless-others
	for pattern in 'dir/b*' 'dir/b*/x'; do
		cp_ "$(dest):$pattern" "$target/glob-other"
		equal $status 1 "status of an endless list of others"
		has "$dir/err.cp" "the host lists names without end"
	done
	equal "$(ls -A "$target/glob-other")" "" "what came of endless lists"
	hostile half-list
	cp_ "$(dest):dir/*" "$target/glob-other"
	equal $status 1 "status of a list that breaks off"
	has "$dir/err.cp" "dir on the host: so"
	equal "$(ls -A "$target/glob-other")" good "what was listed before"
}

# Where another's home is: it says nothing of what a copy is called here.
homes() {
	hostile fine
	$as mkdir "$target/homes"
	cp_ "$(dest):~bob/file" "$target/homes"
	equal $status 0 "status of a file of another"
	cp_ -r "$(dest):~bob" "$target/homes"
	equal $status 0 "status of a home of another"
	equal "$(cd "$target/homes" && find . | LC_ALL=C sort | tr '\n' ' ')" \
		". ./bob ./bob/good ./file " "what homes have written"
}

nonsense() {
	for mode in wrong-id far-id twice wrong-type short-packet huge-packet \
		no-packet cut version shell handle count no-names too-much \
		nothing; do
		hostile $mode
		cp_ -r "$(dest):dir" "$target/$mode"
		if [ -e "$target/$mode" ]; then
			equal "$(find "$target/$mode" -size +0 | grep -c good)" 0 \
				"files that came by $mode"
		fi
		equal $status 255 "status of $mode"
		[ "$mode" = cut ] || has "$dir/err.cp" "the host's SFTP server"
	done
	for mode in too-much nothing; do
		hostile $mode
		cp_ "$(dest):file" "$target/$mode.file"
		equal $status 255 "status of $mode"
		equal "$(wc -c <"$target/$mode.file")" 0 "bytes by $mode"
	done
}

# A tree without an end, a circle of a host that does not resolve links, a size
# that is none.
sizes() {
	hostile ring
	cp_ -r "$(dest):dir" "$target/ring"
	equal $status 1 "status of a circle"
	has "$dir/err.cp" "ring/loop: leads back"
	equal "$(ls -A "$target/ring")" good "what the circle has written"
	hostile endless-tree
	cp_ -r "$(dest):dir" "$target/endless"
	equal $status 1 "status of a tree without end"
	has "$dir/err.cp" "too deep"
	hostile huge-size
	cp_ "$(dest):file" "$target/huge"
	equal $status 1 "status of a huge size"
	has "$dir/err.cp" \
		"file on the host: ended at 1048576 of 18446744073709551615 bytes"
	whole "$target/huge"
}

# A file that is shorter or longer than the host says: told, what came stays,
# and what was there before it is not lost.
lengths() {
	for mode in huge-size empty-file; do
		hostile $mode
		seq -f %07.0f 0 1000000 | head -c 5000000 >"$target/$mode"
		[ -z "$as" ] || chown "$uid:$gid" "$target/$mode"
		cp_ --resume "$(dest):file" "$target/$mode"
		equal $status 1 "status of --resume with $mode"
		has "$dir/err.cp" "file on the host: ended at"
		equal "$(wc -c <"$target/$mode")" 5000000 "what $mode has left"
	done
	hostile endless
	cp_ "$(dest):file" "$target/endless-file"
	equal $status 1 "status of a file without end"
	has "$dir/err.cp" "goes on behind its end, of 1048576 bytes"
	[ "$(wc -c <"$target/endless-file")" -lt 80000000 ] ||
		fail "too much of it was written"
}

# Bytes behind a gap do not stay, however the copy ends.
gaps() {
	hostile gap-error
	cp_ "$(dest):file" "$target/gap-error"
	equal $status 1 "status of a failed read"
	has "$dir/err.cp" "file on the host: so"
	hostile gap-close
	cp_ "$(dest):file" "$target/gap-close"
	equal $status 255 "status of a connection that ends"
	hostile gap
	$as "$bin/skypty" cp -i "$dir/client" --no-visor-key "$(dest):file" \
		"$target/gap-int" 2>"$dir/err.cp" &
	client_pid=$!
	pids="$pids $client_pid"
	wait_for "bytes behind the gap" grown "$target/gap-int"
	kill -TERM $client_pid
	status=0
	wait $client_pid || status=$?
	equal $status 143 "status of an interrupted copy"
	for file in gap-error gap-close gap-int; do
		equal "$(wc -c <"$target/$file")" 262144 "what is left of $file"
		beginning "$target/$file"
		hostile fine
		cp_ --resume "$(dest):file" "$target/$file"
		equal $status 0 "status of --resume"
		whole "$target/$file"
	done
}

grown() {
	[ "$(wc -c <"$1")" -eq 1048576 ]
}

full() {
	hostile full
	head -c 1048576 /dev/zero >"$dir/zeros"
	cp_ "$dir/zeros" "$dir/mode" "$(dest):dir"
	equal $status 1 "status of a full disk there"
	has "$dir/err.cp" "dir/zeros on the host: so"
	hasnt "$dir/err.cp" dir/mode
}

servers() {
	cp "$LIB/hostile_sftp.py" "$dir/server"
	sed -i "1s|.*|#!$PYTHON|" "$dir/server"
	conf sftp_server "\"$dir/server\""
	hostile fine
	target=$dir/target
	$as mkdir "$target"
	start_host
	good
	names
	patterns
	homes
	nonsense
	sizes
	lengths
	gaps
	full
	stop_host
}

either servers
