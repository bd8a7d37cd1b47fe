#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs the programs on the boards that Skywire nodes run on: Debian's own kernel
# and packages for arm64 and armhf in qemu, a whole machine in software, without
# a network card.  guest.sh is what runs there.  ARCHS limits it to one; names
# as arguments limit it to parts ("use", "system", "unit", "peers") and to tests,
# those in Go among them.  A machine has LIMIT seconds, an hour unless told: what
# is not over then has failed, and is named.  The last line counts them.
set -u
cd "$(dirname "$0")/../.." || exit 1
. regress/cross/arch.sh

need gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
	gcc-arm-linux-gnueabihf libc6-dev-armhf-cross \
	qemu-system-arm qemu-user-static dpkg-dev cpio || exit 1

# Of the guest; it has a kernel, and no more of a system than tests use.  The
# shared libraries come with what was built with: their own packages have names
# that each release changes.
guest_packages="libc-bin base-files base-passwd bash dash coreutils grep sed
mawk gawk findutils diffutils procps util-linux mount login passwd iproute2
openssl hostname tar gzip libcap2-bin python3 openssh-sftp-server openssh-client
$libraries"

passed=0
failed=0
skipped=0

# count LOG: adds up what the guest has counted of each part.
count() {
	log=$1
	parts=$(sed -n 's/^parts: //p' "$log")
	for part in ${parts:-machine}; do
		line=$(sed -n "s/^part $part: //p" "$log")
		[ -n "$line" ] || {
			echo "not ok $arch: $part did not come to its end"
			failed=$((failed + 1))
			continue
		}
		echo "$arch: $part: $line"
		# shellcheck disable=SC2046 # words
		set -- $(echo "${line%(*}" | tr -cd '0-9 ')
		passed=$((passed + $1))
		failed=$((failed + $2))
		skipped=$((skipped + $3))
	done
}

# go_tests OUT: the peers in Go as one program for the board.
go_tests() {
	command -v go >/dev/null || return 0
	case $arch in
	arm64) goarch=arm64 ;;
	armhf) goarch=arm ;;
	esac
	(cd regress/interop && CGO_ENABLED=0 GOARCH=$goarch GOARM=7 \
		go test -c -o "$1" .)
}

# image DIR: makes the file system that the kernel unpacks into memory.
image() {
	cp -a "$cache/$arch/guest/root" "$1/root" || return
	rm -rf "$1/root/boot"
	cp -a "$1/root/usr/share/base-passwd/passwd.master" "$1/root/etc/passwd"
	cp -a "$1/root/usr/share/base-passwd/group.master" "$1/root/etc/group"
	echo '_skypty:x:990:990::/run/skypty:/usr/sbin/nologin' \
		>>"$1/root/etc/passwd"
	echo '_skypty:x:990:' >>"$1/root/etc/group"
	echo '127.0.0.1 localhost' >"$1/root/etc/hosts"
	rm -rf "$1/root/usr/share/doc" "$1/root/usr/share/man" \
		"$1/root/usr/share/locale" "$1/root/usr/include"
	find "$1/root/usr/lib" -name '*.a' -delete
	mkdir -p "$1/root/proc" "$1/root/sys" "$1/root/dev" "$1/root/run" \
		"$1/root/root" "$1/root/tmp"
	chmod 1777 "$1/root/tmp"
	[ -e "$1/root/bin/sh" ] || ln -s dash "$1/root/usr/bin/sh"
	[ -e "$1/root/usr/bin/awk" ] || ln -s mawk "$1/root/usr/bin/awk"

	tree=$1/root/skypty
	mkdir -p "$tree/obj/regress"
	cp -a Makefile PROTOCOL* README.md contrib etc "$tree" || return
	mkdir "$tree/regress" "$tree/daemon"
	cp -a daemon/*.8 "$tree/daemon" || return
	cp -a regress/*.sh regress/sys regress/vectors regress/interop \
		regress/cross "$tree/regress" || return
	for p in "$BIN"/*; do
		"$triple-strip" -o "$tree/${p##*/}" "$p" || return
	done
	ln -sf skypty "$tree/skypty-ssh"
	for folder in unit sys preload; do
		mkdir "$tree/obj/regress/$folder"
		for p in "$OBJ/regress/$folder"/*; do
			case $p in *.o | *.d) continue ;; esac
			"$triple-strip" -o "$tree/obj/regress/$folder/${p##*/}" \
				"$p" || return
		done
	done
	go_tests "$tree/regress/interop/peers" || return
	cp regress/cross/guest.sh "$1/root/init" && chmod 755 "$1/root/init" &&
		(cd "$1/root" && find . | cpio --quiet -o -H newc) >"$1/initrd"
}

# machine DIR NAME...: runs it, its console in DIR/console.
machine() {
	work=$1
	shift
	case $arch in
	arm64) set -- "$*" qemu-system-aarch64 cortex-a53 ;;
	armhf) set -- "$*" qemu-system-arm cortex-a15 ;;
	esac
	kernel=$(echo "$cache/$arch/guest/root/boot"/vmlinuz*)
	timeout -k 30 "${LIMIT:-3600}" nice "$2" -M virt -cpu "$3" -smp 2 -m 2048 \
		-nic none -display none -monitor none -no-reboot \
		-serial "file:$work/console" -kernel "$kernel" \
		-initrd "$work/initrd" \
		-append "console=ttyAMA0 panic=-1 quiet skypty=$(echo "$1" | tr ' ' ,)" &
	pid=$!
	tail -n +1 -F --pid=$pid "$work/console" 2>/dev/null |
		stdbuf -oL tr -d '\r'
	wait $pid
}

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
for arch in ${ARCHS:-arm64 armhf}; do
	for_arch "$arch" || exit 1
	echo "== $arch"
	kernel=linux-image-$arch
	[ "$arch" = arm64 ] || kernel=linux-image-armmp
	mkdir "$dir/$arch"
	: >"$dir/$arch.log"
	# shellcheck disable=SC2086 # words
	if build check-programs && sh regress/cross/sysroot.sh "$arch" \
		"$cache/$arch/guest" $guest_packages "$kernel/boot" &&
		image "$dir/$arch"; then
		machine "$dir/$arch" "$@" | tee "$dir/$arch.log"
	fi
	rm -rf "${dir:?}/$arch"
	count "$dir/$arch.log"
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
