#!/bin/sh
# SPDX-License-Identifier: ISC
# What is built follows the flags and variables that make is given, and only
# that is built again.  A library that is missing is named, at once; what can be
# left out is left out in so many words, and then not installed either.
# once
. regress/sys/lib.sh
need_command make
need_command pkg-config

# listing ROOT: all that is below.
listing() {
	(cd "$1" && find . | LC_ALL=C sort)
}

# newer FILE: it was made after the mark.
newer() {
	[ -n "$(find "$dir/obj/$1" -newer "$dir/mark")" ]
}

# What was made with other flags is made again, and nothing else.
rebuilds() {
	copy_build
	mk all || fail "make"
	touch "$dir/mark"
	mk all || fail "make"
	[ -z "$(find "$dir/obj" "$dir/built" -newer "$dir/mark" -type f)" ] ||
		fail "made again without a reason"
	mk -j2 sysconfdir=/opt/etc all || fail "make sysconfdir="
	grep -q /opt/etc/skypty/skypty.json "$dir/built/skyptyd" ||
		fail "skyptyd does not know the other sysconfdir"
	newer daemon/settings.o || fail "settings.o is the old one"
	! newer daemon/net/net.o || fail "net.o has nothing to do with it"
	mk CPPFLAGS=-DOTHER "$dir/obj/daemon/net/net.o" || fail "make CPPFLAGS="
	newer daemon/net/net.o || fail "net.o was made with other flags"
	echo 'static inline int f(void) { return no_such(); }' >"$dir/bad.h"
	if mk CPPFLAGS="-include $dir/bad.h" "$dir/obj/daemon/net/net.o"; then
		fail "a function that is not declared is taken"
	fi
	has "$dir/out.make" implicit
}

# without NAME...: what pkg-config knows, without these.
without() {
	rm -rf "$dir/pc"
	mkdir "$dir/pc"
	pkg-config --variable pc_path pkg-config | tr : '\n' |
		while read -r folder; do
			find "$folder" -name '*.pc' -exec cp {} "$dir/pc" \; \
				2>/dev/null
		done
	for p; do
		rm "$dir/pc/$p.pc"
	done
}

lacks() {
	copy_build
	without yajl libbsd-overlay
	if mk PKG_CONFIG_LIBDIR="$dir/pc" all; then
		fail "builds without yajl"
	fi
	has "$dir/out.make" "yajl libbsd-overlay"
	has "$dir/out.make" "libbsd-dev libyajl-dev"
	if mk PKG_CONFIG=no-such-program all; then
		fail "builds without pkg-config"
	fi
	has "$dir/out.make" "there is no no-such-program"
	# What can do without it still does.
	mk PKG_CONFIG=no-such-program -n clean || fail "make clean"

	without libwebsockets
	root=$dir/root
	mk -o "$dir/obj/linked-with" PKG_CONFIG_LIBDIR="$dir/pc" \
		DESTDIR="$root" install || fail "make install without libwebsockets"
	has "$dir/out.make" libwebsockets-dev
	has "$dir/out.make" "left out is skyptyd-http"
	listing "$root" | grep http >"$dir/out.http" && fail "$(cat "$dir/out.http")"
	mk PKG_CONFIG_LIBDIR="$dir/pc" DESTDIR="$root" uninstall
	[ ! -e "$root" ] || fail "left: $(listing "$root")"
	mk PKG_CONFIG_LIBDIR="$dir/pc" HTTP=0 all || fail "make HTTP=0"
	hasnt "$dir/out.make" libwebsockets
	rm -f "$dir/built/skyptyd-http"
	if mk PKG_CONFIG_LIBDIR="$dir/pc" HTTP=1 all; then
		fail "make HTTP=1 does without it"
	fi
	has "$dir/out.make" libwebsockets-dev
}

either rebuilds
either lacks
