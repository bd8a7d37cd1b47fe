#!/bin/sh
# SPDX-License-Identifier: ISC
# contrib/quickstart.sh runs a command on a host of its own, passes its output
# and status on, and leaves nothing behind.
. regress/sys/lib.sh

[ "$BIN" = "$PWD" ] || skip "it builds in the top folder, which is not tested"

quick() {
	TMPDIR=$dir
	export TMPDIR
	status=0
	sh contrib/quickstart.sh -- sh -c 'echo "$1"; exit 4' sh 'two  words' \
		>"$dir/out" 2>"$dir/err.quickstart" || status=$?
	unset TMPDIR
	equal "$status $(cat "$dir/out")" "4 two  words" "status and output"
	equal "$(find "$dir" -name 'tmp.*')" "" "folders left behind"
	! grep -qs '^run ' .quickstart || fail "a run is noted still"
	if pgrep -f "^./skyptyd tcp -c $dir"; then
		fail "a host was left behind"
	fi
}

# A tree of its own, where make copies what was built here, one package is not
# installed, there is no account, and nothing of all that is true.
tree() {
	for p in /usr/local/sbin/skyptyd /usr/sbin/skyptyd; do
		[ ! -x $p ] || skip "skyptyd is installed here"
	done
	tree=$dir/tree
	mkdir -p "$tree/contrib" "$dir/stubs"
	sed "s|^chroot=.*|chroot=$dir/chroot|" contrib/quickstart.sh \
		>"$tree/contrib/quickstart.sh"
	printf 'all:\n\tmkdir -p obj\n\tcp %s/skypty* .\nclean:\n\trm -rf obj skypty*\n' \
		"$bin" >"$tree/Makefile"
	cat >"$dir/stubs/all" <<-END
		#!/bin/sh
		name=\${0##*/}
		case "\$name \$*" in
		'id -u') echo \$(cat $dir/id) ;;
		'dpkg-query '*libyajl-dev) test -e $dir/yajl && echo 'ok installed' ;;
		dpkg-query*) echo 'ok installed' ;;
		'apt-get install '*) touch $dir/yajl ;;
		'getent passwd _skypty') test -e $dir/account ;;
		useradd*) touch $dir/account ;;
		'userdel _skypty') rm $dir/account; echo gone >>$dir/userdel ;;
		'pgrep -u'*) test -e $dir/busy ;;
		pgrep*) exit 1 ;;
		esac
	END
	chmod +x "$dir/stubs/all"
	for stub in id dpkg-query apt-get getent useradd userdel pgrep; do
		ln -s all "$dir/stubs/$stub"
	done
	echo 0 >"$dir/id"
	[ -z "$as" ] || chown -R "$uid:$gid" "$dir"
}

# quickstart ARGUMENT...: there.
quickstart() {
	TMPDIR=$dir $as env PATH="$dir/stubs:$PATH" \
		sh "$tree/contrib/quickstart.sh" "$@" >"$dir/out" \
		2>"$dir/err.undo" </dev/null
}

undone() {
	tree
	quickstart --undo || fail "undo of nothing failed"
	has "$dir/err.undo" "nothing is left of it"

	quickstart -- true || fail "quickstart failed"
	has "$dir/err.undo" "'userdel _skypty' removes it"
	has "$dir/err.undo" "'apt-get autoremove --purge libyajl-dev' removes them"
	has "$dir/err.undo" "quickstart.sh --undo' removes what stays"
	$as mkdir "$dir/chroot" # skyptyd has one of its own
	: >"$dir/busy"
	quickstart --undo || fail "undo failed"
	has "$dir/err.undo" "removed what was built"
	has "$dir/err.undo" "left the folder $dir/chroot: processes run"
	has "$dir/err.undo" "left the account _skypty: processes run under it"
	has "$dir/err.undo" "apt-get autoremove --purge libyajl-dev"
	equal "$(cd "$tree" && ls)" "Makefile
contrib" "what is there after it"
	rm "$dir/busy"
	echo 1000 >"$dir/id"
	quickstart --undo || fail "undo as a user failed"
	has "$dir/err.undo" "left the account _skypty: only root can remove it"
	echo 0 >"$dir/id"
	quickstart --undo || fail "undo failed"
	has "$dir/err.undo" "removed the account _skypty"
	has "$dir/err.undo" "removed the folder $dir/chroot"
	[ ! -e "$dir/account" ] || fail "the account is there"
	quickstart --undo || fail "undo once more failed"
	hasnt "$dir/err.undo" removed
	has "$dir/err.undo" "left the packages that it installed"
	equal "$(cat "$dir/userdel")" gone "how often it was removed"
	rm "$dir/yajl"
	quickstart --undo || fail "undo failed"
	[ ! -e "$tree/.quickstart" ] || fail "it has a note left"
	quickstart --undo || fail "undo failed"
	has "$dir/err.undo" "nothing is left of it"

	# What was there before is not quickstart's.
	: >"$dir/yajl"
	: >"$dir/account"
	mkdir "$tree/obj"
	[ -z "$as" ] || chown "$uid:$gid" "$tree/obj"
	quickstart -- true || fail "quickstart failed"
	quickstart --undo || fail "undo failed"
	[ -d "$tree/obj" ] || fail "what was built before is gone"
	[ -e "$dir/account" ] || fail "an account of before is gone"
	status=0
	quickstart --undo now || status=$?
	equal $status 64 "status of an argument too many"
}

# One that is at work is left alone, one that was killed is cleaned up after.
killed() {
	tree
	TMPDIR=$dir spawn "$dir/log.quickstart" env PATH="$dir/stubs:$PATH" \
		sh "$tree/contrib/quickstart.sh" -- sleep 603
	wait_for "its host" sleeps
	quickstart --undo || fail "undo failed"
	has "$dir/err.undo" "left: a quickstart that runs (process"
	has "$dir/err.undo" "left what was built: it is in use"
	hasnt "$dir/err.undo" removed
	hasnt "$dir/err.undo" ended
	starter=$(sed -n 's/^run \([0-9]*\) .*/\1/p' "$tree/.quickstart")
	folder=$(sed -n 's/^run [0-9]* //p' "$tree/.quickstart")
	kill -9 "$starter"
	wait_gone "quickstart" "$starter"
	quickstart --undo || fail "undo failed"
	has "$dir/err.undo" "ended a host that was left"
	has "$dir/err.undo" "removed $folder"
	[ ! -e "$folder" ] || fail "$folder is there"
	wait_for "the end of its host" no_host
}

sleeps() {
	grep -q '^run ' "$tree/.quickstart" && pgrep -f '^sleep 603'
}

no_host() {
	! pgrep -f "^./skyptyd tcp -c $folder"
}

either quick
either undone
either killed
