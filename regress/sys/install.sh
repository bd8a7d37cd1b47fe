#!/bin/sh
# SPDX-License-Identifier: ISC
# What is installed goes where it was told to and nowhere else, all of it goes
# away again, and what was there before stays.
# once
. regress/sys/lib.sh
need_command make
need_command pkg-config

# listing ROOT: all that is below.
listing() {
	(cd "$1" && find . | LC_ALL=C sort)
}

# comes_and_goes VARIABLE=VALUE...: into an empty folder, and into one where
# some folders and files of others are.
comes_and_goes() {
	root=$dir/root
	mk -o all install DESTDIR="$root" "$@" || fail "make install $*"
	listing "$root" >"$dir/installed"
	mk -o all install DESTDIR="$root" "$@" || fail "make install again $*"
	mk uninstall DESTDIR="$root" "$@" || fail "make uninstall $*"
	[ ! -e "$root" ] || fail "left after $*: $(listing "$root")"

	# Once more, where there are others.
	man=$(sed -n 's|^\.\(.*/man1\)$|\1|p' "$dir/installed")
	$as mkdir -p "$root$man" "$root/opt/others"
	$as touch "$root/opt/others/file"
	listing "$root" >"$dir/before"
	mk -o all install DESTDIR="$root" "$@" || fail "make install $*"
	$as touch "$root$man/other.1"
	mk uninstall DESTDIR="$root" "$@" || fail "make uninstall $*"
	$as rm "$root$man/other.1" || fail "uninstall took another's file"
	listing "$root" >"$dir/after"
	cmp -s "$dir/before" "$dir/after" ||
		fail "after $*: $(diff "$dir/before" "$dir/after")"
	rm -rf "$root"
}

# installed PATH...: the last of comes_and_goes had these.
installed() {
	for f; do
		grep -qxF ".$f" "$dir/installed" ||
			fail "$f is not installed: $(cat "$dir/installed")"
	done
}

# only FOLDER...: and nothing outside of these.
only() {
	grep -v '^\.$' "$dir/installed" >"$dir/rest"
	for f; do
		grep -v "^\.$f/" "$dir/rest" >"$dir/rest.new"
		while [ "$f" != / ]; do
			grep -vxF ".$f" "$dir/rest.new" >"$dir/rest"
			cp "$dir/rest" "$dir/rest.new"
			f=$(dirname "$f")
		done
	done
	equal "$(cat "$dir/rest")" "" "outside of $*"
}

places() {
	copy_build
	comes_and_goes
	only /usr/local /etc/pam.d
	installed /usr/local/sbin/skyptyd /usr/local/bin/skypty-ssh \
		/usr/local/libexec/skypty/skyptyd-net \
		/usr/local/lib/systemd/system/skyptyd.service \
		/usr/local/lib/sysusers.d/skypty.conf \
		/usr/local/share/skypty/update-skywire \
		/usr/local/share/skypty/update-skypty \
		/usr/local/share/bash-completion/completions/skyptyd \
		/usr/local/share/fish/vendor_completions.d/skypty-ssh.fish \
		/usr/local/share/zsh/site-functions/_skypty
	comes_and_goes PREFIX=/opt/x
	only /opt/x
	installed /opt/x/lib/systemd/system/skyptyd.service
	comes_and_goes prefix=/opt/y
	only /opt/y
	installed /opt/y/sbin/skyptyd /opt/y/bin/skypty \
		/opt/y/lib/sysusers.d/skypty.conf
	comes_and_goes prefix=/opt/y bindir=/b sbindir=/s libexecdir=/l \
		mandir=/m datarootdir=/d SYSTEMDUNITDIR=/u/n SYSUSERSDIR=/u/s
	only /b /s /l /m /d /u
	installed /b/skypty /s/skyptyd /l/skypty/skyptyd-net /m/man1/skypty.1 \
		/d/doc/skypty/PROTOCOL /d/doc/skypty/PROTOCOL.pty \
		/u/n/skyptyd.service /u/s/skypty.conf
	comes_and_goes PREFIX=/usr
	only /usr /lib /etc/pam.d
	installed /usr/sbin/skyptyd
}

# No DESTDIR: a home.  The programs know where they lie.
at_home() {
	copy_build
	local=$HOME/.local
	$as mkdir "$HOME/.config"
	listing "$HOME" >"$dir/before"
	mk -j2 PREFIX="$local" install || fail "make install as a $role"
	[ -z "$as" ] || rm -rf "$dir/built"
	equal "$($as "$local/bin/skypty" version | head -c 6)" skypty "it runs"
	grep -q "$local/libexec/skypty" "$local/sbin/skyptyd" ||
		fail "skyptyd does not know where it was installed"
	has "$local/lib/systemd/system/skyptyd.service" \
		"ExecStart=$local/sbin/skyptyd tcp"
	mk uninstall PREFIX="$local" || fail "make uninstall as a $role"
	listing "$HOME" >"$dir/after"
	cmp -s "$dir/before" "$dir/after" ||
		fail "left: $(diff "$dir/before" "$dir/after")"
}

either places
both at_home
