# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: ISC
# What the scripts for boards share; sourced in the top folder.

# Unpacked packages of Debian are the same for every checkout.
cache=${XDG_CACHE_HOME:-${HOME:-$PWD/obj-cross}/.cache}/skypty

libraries="libc6-dev libsodium-dev libgcrypt20-dev libssl-dev libsecp256k1-dev
libbsd-dev libseccomp-dev libyajl-dev libevent-dev libcmocka-dev
libwebsockets-dev libpam0g-dev"

# need PACKAGE...: installs what is missing, if we may.
need() {
	missing=
	for p; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null |
			grep -q 'ok installed' || missing="$missing $p"
	done
	[ -n "$missing" ] || return 0
	[ "$(id -u)" -eq 0 ] || {
		echo "${0##*/}: as root, run: apt-get install$missing" >&2
		return 1
	}
	# shellcheck disable=SC2086 # words
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install \
		-y -qq -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300 \
		--no-install-recommends $missing >/dev/null
}

# for_arch ARCH: sets arch, triple, qemu, root (of its libraries), OBJ and BIN.
for_arch() {
	arch=$1
	case $arch in
	arm64)
		triple=aarch64-linux-gnu
		qemu="qemu-aarch64-static -cpu cortex-a72"
		;;
	armhf)
		triple=arm-linux-gnueabihf
		qemu="qemu-arm-static"
		;;
	*)
		echo "${0##*/}: no such board: $arch" >&2
		return 1
		;;
	esac
	root=$cache/$arch/build/root
	OBJ=obj-cross/$arch
	BIN=obj-cross/$arch/bin
}

# build TARGET...: makes them for the architecture.
build() {
	# shellcheck disable=SC2086 # words
	sh regress/cross/sysroot.sh "$arch" "$cache/$arch/build" $libraries &&
		make -s -j2 CC="$triple-gcc --sysroot=$root" CFLAGS=-Werror \
			PKG_CONFIG=pkg-config PKG_CONFIG_SYSROOT_DIR="$root" \
			PKG_CONFIG_LIBDIR="$root/usr/lib/$triple/pkgconfig:$root/usr/share/pkgconfig" \
			OBJ="$OBJ" BIN="$BIN" "$@"
}
