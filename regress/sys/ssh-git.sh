#!/bin/sh
# SPDX-License-Identifier: ISC
# git works through skypty in ssh's place: clone, push, fetch, by the second
# version of its protocol, whose wish travels in a variable.
. regress/sys/lib.sh
need_command git

# How git is told is kept in $dir/trace.
git_here() {
	$as env -C "$dir" GIT_SSH_COMMAND="$(as_ssh)" GIT_SSH_VARIANT=ssh \
		GIT_CONFIG_GLOBAL="$dir/gitconfig" GIT_CONFIG_NOSYSTEM=1 \
		GIT_TRACE_PACKET="$dir/trace" git "$@" >"$dir/out" \
		2>"$dir/err.git" || fail "git $* returned $?"
}

commit() {
	$as sh -c "head -c $2 /dev/urandom >'$1/file'"
	git_here -C "$1" add file
	git_here -C "$1" commit -m "$2 bytes"
	git_here -C "$1" rev-parse HEAD
	head=$(cat "$dir/out")
}

at() {
	git_here -C "$1" rev-parse main
	equal "$(cat "$dir/out")" "$head" "main in ${1##*/}"
}

# works URL: of an empty repository in $dir/it's.git.
works() {
	rm -rf "$dir/it's.git" "$dir/a" "$dir/b"
	git_here init --bare -b main "$dir/it's.git"
	git_here clone "$1" "$dir/a"
	commit "$dir/a" 2000000
	git_here -C "$dir/a" push origin main
	at "$dir/it's.git"
	git_here clone "$1" "$dir/b"
	at "$dir/b"
	cmp "$dir/a/file" "$dir/b/file" || fail "a file was changed"

	commit "$dir/b" 100
	git_here -C "$dir/b" push
	rm -f "$dir/trace"
	git_here -C "$dir/a" fetch
	has "$dir/trace" "< version 2"
	git_here -C "$dir/a" merge --ff-only origin/main
	at "$dir/a"
}

repositories() {
	printf '%s\n' '[user]' 'name = N' 'email = n@example.org' \
		'[protocol]' 'version = 2' '[init]' 'defaultBranch = main' |
		$as tee "$dir/gitconfig" >/dev/null
	start_host
	works "$pk@127.0.0.1:$dir/it's.git"
	works "ssh://$pk@127.0.0.1:$port$dir/it's.git"

	if $as env -C "$dir" GIT_SSH_COMMAND="$(as_ssh)" git ls-remote \
		"$pk@127.0.0.1:$dir/nowhere.git" 2>"$dir/err.git"; then
		fail "a repository that is not there was listed"
	fi
	has "$dir/err.git" "nowhere.git"
	stop_host
}

# git asks an ssh that it does not know by -G whether it is OpenSSH's.
variant() {
	start_host
	git_here init --bare "$dir/x.git"
	# shellcheck disable=SC2046
	$as env -C "$dir" $(as_ssh) -G "$pk@127.0.0.1" >/dev/null ||
		fail "-G failed"
	$as env -C "$dir" GIT_SSH_COMMAND="$(as_ssh)" git ls-remote \
		"ssh://$pk@127.0.0.1:$port$dir/x.git" 2>"$dir/err.git" ||
		fail "git does not find out what we are"
	stop_host
}

both repositories
either variant
