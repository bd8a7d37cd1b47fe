#!/bin/sh
# SPDX-License-Identifier: ISC
# cp copies files both ways, whatever their size, name and number, with their
# modes, and with their times where that is asked for.
. regress/sys/lib.sh

cp_() {
	run skypty cp -i "$dir/client" --no-visor-key "$@" \
		>"$dir/out" 2>"$dir/err.cp"
}

copied() {
	cp_ "$@" || fail "cp $* returned $?"
	[ ! -s "$dir/err.cp" ] || fail "cp $* has something to say"
	[ ! -s "$dir/out" ] || fail "cp $* has output"
}

# make SIZE NAME: a file of noise, in the role's hands.
make() {
	head -c "$1" /dev/urandom >"$dir/here/$2"
}

folders() {
	$as mkdir "$dir/there"
	mkdir "$dir/here"
	chmod 777 "$dir/here"
}

# Sizes around those of a piece and of the window.
sizes() {
	for n in 0 1 32767 32768 131071 131072 131073 4194303 4194305 9999999; do
		make $n $n
		copied "$dir/here/$n" "$(dest):$dir/there/$n"
		cmp "$dir/here/$n" "$dir/there/$n" || fail "upload of $n bytes"
		copied "$(dest):$dir/there/$n" "$dir/here/back"
		cmp "$dir/here/back" "$dir/there/$n" ||
			fail "download of $n bytes"
	done
}

# What was longer before is not so afterwards.
overwrites() {
	copied "$dir/here/1" "$(dest):$dir/there/131072"
	cmp "$dir/here/1" "$dir/there/131072" || fail "upload over a file"
	copied "$(dest):$dir/there/1" "$dir/here/back"
	cmp "$dir/here/1" "$dir/here/back" || fail "download over a file"
}

several() {
	$as mkdir "$dir/there/into"
	copied "$dir/here/0" "$dir/here/1" "$dir/here/131073" \
		"$(dest):$dir/there/into"
	$as mkdir "$dir/back"
	copied "$(dest):$dir/there/into/0" "$(dest):$dir/there/into/1" \
		"$(dest):$dir/there/into/131073" "$dir/back"
	for n in 0 1 131073; do
		cmp "$dir/here/$n" "$dir/back/$n" || fail "one of several: $n"
	done
}

# The last one stays, whole, and nothing of the others.
of_one_name() {
	mkdir "$dir/here/a" "$dir/here/b"
	make 9999999 a/same
	make 1000 b/same
	copied "$dir/here/a/same" "$dir/here/b/same" "$(dest):$dir/there/into"
	cmp "$dir/here/b/same" "$dir/there/into/same" ||
		fail "uploads of one name are mixed"
	copied "$dir/here/a" "$dir/here/b" -r "$(dest):$dir/there/into"
	copied "$(dest):$dir/there/into/a/same" \
		"$(dest):$dir/there/into/b/same" "$dir/back"
	cmp "$dir/here/b/same" "$dir/back/same" ||
		fail "downloads of one name are mixed"
}

names() {
	for name in 'a b' 'a:b' "$(printf 'new\nline')" \
		"$(printf 'esc\033[31m')" -r '*' 'a\b' "$(printf '\303\266')"; do
		make 10 "$name"
		copied -- "$dir/here/$name" "$(dest):$dir/there"
		copied -- "$(dest):$dir/there/$name" "$dir/back"
		cmp "$dir/here/$name" "$dir/back/$name" || fail "name '$name'"
	done
}

mode_of() {
	stat -c %a "$1"
}

modes() {
	for mode in 600 755 444 400; do
		rm -f "$dir/there/m" "$dir/back/m"
		make 5 m
		chmod $mode "$dir/here/m"
		[ -z "$as" ] || chown "$uid:$gid" "$dir/here/m"
		copied "$dir/here/m" "$(dest):$dir/there"
		equal "$(mode_of "$dir/there/m")" $mode "mode of an upload"
		copied "$(dest):$dir/there/m" "$dir/back"
		equal "$(mode_of "$dir/back/m")" $mode "mode of a download"
		rm -f "$dir/here/m"
	done
}

preserved() {
	make 5 t
	chmod 666 "$dir/here/t"
	touch -d '2001-02-03 04:05:06' "$dir/here/t"
	copied -p "$dir/here/t" "$(dest):$dir/there"
	equal "$(stat -c '%a %Y' "$dir/there/t")" \
		"$(stat -c '%a %Y' "$dir/here/t")" "mode and time, up"
	copied -p "$(dest):$dir/there/t" "$dir/back"
	equal "$(stat -c '%a %Y' "$dir/back/t")" \
		"$(stat -c '%a %Y' "$dir/here/t")" "mode and time, down"
}

# Relative paths begin at home, wherever that is; no path is home itself.
relative() {
	up=../../../../../../../..
	copied "$(dest):$up$dir/there/1" "$dir/back/relative"
	cmp "$dir/here/1" "$dir/back/relative" || fail "a relative path"
	copied "$(dest):~/$up$dir/there/131073" "$dir/back/tilde"
	cmp "$dir/here/131073" "$dir/back/tilde" || fail "path with a tilde"
	if cp_ "$(dest):" "$dir/back"; then
		fail "home was copied without -r"
	fi
	has "$dir/err.cp" ".: is a directory"
}

# A link that the user names is followed, here and there.
links() {
	$as ln -s 131073 "$dir/there/link"
	copied "$(dest):$dir/there/link" "$dir/back/followed"
	cmp "$dir/here/131073" "$dir/back/followed" || fail "a link there"
	$as ln -s followed "$dir/back/link"
	copied "$(dest):$dir/there/1" "$dir/back/link"
	cmp "$dir/here/1" "$dir/back/followed" || fail "a link as target"
}

files() {
	start_host
	folders
	sizes
	overwrites
	several
	of_one_name
	names
	modes
	preserved
	links
	relative
	stop_host
}

both files
