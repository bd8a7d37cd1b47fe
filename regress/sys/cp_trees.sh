#!/bin/sh
# SPDX-License-Identifier: ISC
# cp -r copies trees both ways: follows links but not in circles, gives
# directories their modes and times, refuses what is no file and goes on.
. regress/sys/lib.sh

cp_() {
	status=0
	run skypty cp -i "$dir/client" --no-visor-key "$@" \
		>"$dir/out" 2>"$dir/err.cp" || status=$?
}

copied() {
	cp_ "$@"
	equal $status 0 "status of cp $*"
	[ ! -s "$dir/err.cp" ] || fail "cp $* has something to say"
}

same() {
	diff -r "$dir/$1" "$dir/$2" >"$dir/out" || {
		cat "$dir/out"
		fail "$1 and $2 differ"
	}
}

# A tree that the role owns: many small files, a big one, empty directories.
plant() {
	$as sh -c '
		cd "$1" && mkdir -p tree/a/b/c tree/empty tree/many &&
		head -c 5000000 /dev/urandom >tree/a/big &&
		: >tree/a/b/nothing && echo deep >tree/a/b/c/deep &&
		for i in $(seq 500); do echo "$i" >tree/many/$i; done &&
		echo x >"tree/$(printf "new\nline")" &&
		touch -d "2001-02-03 04:05:06" tree/a/b/c/deep tree/a/b/c \
			tree/empty tree/a/b &&
		chmod 750 tree/a && chmod 700 tree/empty &&
		chmod 555 tree/a/b/c' sh "$dir"
}

meta() {
	(cd "$dir/$1" && find . -printf '%P %m %Ts\n' | sort)
}

there_and_back() {
	copied -r "$dir/tree" "$(dest):$dir/up"
	same tree up
	copied -r "$(dest):$dir/up" "$dir/down"
	same tree down
	# Into directories that are there.
	$as mkdir "$dir/into"
	copied -r "$dir/tree" "$(dest):$dir/into"
	same tree into/tree
	copied -r "$(dest):$dir/tree/" "$dir/into/tree"
	same tree into/tree/tree
	# What is in it, not itself.
	$as mkdir "$dir/inside"
	copied -r "$dir/tree/." "$(dest):$dir/inside"
	same tree inside
	# Over what is there.
	$as sh -c 'echo other >"$1"; echo more >"$2"' sh \
		"$dir/up/a/big" "$dir/up/a/more"
	copied -r "$dir/tree/." "$(dest):$dir/up"
	cmp "$dir/tree/a/big" "$dir/up/a/big" || fail "file not overwritten"
	has "$dir/up/a/more" more
}

preserved() {
	copied -r -p "$dir/tree" "$(dest):$dir/up-p"
	same tree up-p
	equal "$(meta up-p)" "$(meta tree)" "modes and times, up"
	copied -r -p "$(dest):$dir/tree" "$dir/down-p"
	same tree down-p
	equal "$(meta down-p)" "$(meta tree)" "modes and times, down"
}

linked() {
	$as sh -c '
		cd "$1" && mkdir -p ring/a && echo in >ring/a/in &&
		ln -s .. ring/a/up && ln -s a ring/again &&
		ln -s a/in ring/file && ln -s nowhere ring/dangling &&
		mkfifo ring/fifo' sh "$dir"
	for how in "$dir/ring $(dest):$dir/ring-up" \
		"$(dest):$dir/ring $dir/ring-down"; do
		# shellcheck disable=SC2086
		cp_ -r $how
		equal $status 1 "status of a copy with a circle"
		has "$dir/err.cp" "a/up: leads back"
		has "$dir/err.cp" "dangling"
		has "$dir/err.cp" "fifo: is neither a file nor a directory"
	done
	for copy in ring-up ring-down; do
		for file in a/in again/in file; do
			has "$dir/$copy/$file" in
			[ ! -L "$dir/$copy/$file" ] || fail "a link was made"
		done
		[ ! -e "$dir/$copy/fifo" ] || fail "a fifo was copied"
		equal "$(find "$dir/$copy" -name in | wc -l)" 2 "copies of in"
	done
}

# The host chooses names below the target: links there are not written through.
own_links() {
	$as sh -c 'cd "$1" && mkdir -p links/d victim && echo old >victim/f &&
		echo new >links/f && echo new >links/d/f && mkdir -p to/links &&
		ln -s ../../victim/f to/links/f &&
		ln -s ../../victim to/links/d' sh "$dir"
	cp_ -r "$(dest):$dir/links" "$dir/to"
	equal $status 1 "status with links in the way"
	has "$dir/err.cp" "to/links/f: is a symbolic link here"
	has "$dir/err.cp" "to/links/d: is here, but is no directory"
	has "$dir/victim/f" old
}

# More levels than are gone down.
deep() {
	$as sh -c 'cd "$1" && path=deep && for i in $(seq 70); do path=$path/d
		done && mkdir -p $path && echo x >deep/d/x' sh "$dir"
	for how in "$dir/deep $(dest):$dir/deep-up" \
		"$(dest):$dir/deep $dir/deep-down"; do
		# shellcheck disable=SC2086
		cp_ -r $how
		equal $status 1 "status of a deep copy"
		has "$dir/err.cp" "is too deep"
	done
	for copy in deep-up deep-down; do
		has "$dir/$copy/d/x" x
		equal "$(find "$dir/$copy" -type d | wc -l)" 64 \
			"directories of $copy"
	done
}

trees() {
	start_host
	plant
	there_and_back
	preserved
	linked
	own_links
	deep
	find "$dir" -type d ! -perm -700 -exec chmod u+rwx {} +
	stop_host
}

both trees
