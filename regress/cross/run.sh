#!/bin/sh
# SPDX-License-Identifier: ISC
# Builds for the boards that Skywire nodes run on, with Debian's compilers and
# libraries, and runs the unit tests there in qemu's user mode.  What qemu has
# only as a whole machine (filters, mounts, descriptors in messages) is tested
# by boards.sh.
set -u
cd "$(dirname "$0")/../.." || exit 1
. regress/cross/arch.sh

need gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
	gcc-arm-linux-gnueabihf libc6-dev-armhf-cross \
	qemu-user-static dpkg-dev || exit 1

passed=0
failed=0
skipped=0

# The programs are of the architecture, with what it has for hardening.
is_right() {
	case $arch in
	arm64)
		"$triple-readelf" -h "$BIN/skyptyd" | grep -q AArch64 &&
			tail -n 1 "$OBJ/hardening.cc" | grep -q branch-protection
		;;
	armhf)
		"$triple-readelf" -A "$BIN/skyptyd" |
			grep -q 'Tag_ABI_VFP_args: VFP registers'
		;;
	esac && tail -n 1 "$OBJ/hardening.cc" | grep -q stack-protector &&
		! tail -n 1 "$OBJ/hardening.cc" | grep -q cf-protection
}

for arch in ${ARCHS:-arm64 armhf}; do
	for_arch "$arch" || exit 1
	if build all unit && is_right; then
		echo "ok $arch: build"
		passed=$((passed + 1))
	else
		echo "not ok $arch: build"
		failed=$((failed + 1))
		continue
	fi
	tests=
	for t in "$OBJ"/regress/unit/test_*; do
		case ${t##*/} in
		*.o | *.d) ;;
		test_privmsg | test_sandbox_filter | test_mon_cage)
			echo "skip $arch: ${t##*/}: not in qemu's user mode"
			skipped=$((skipped + 1))
			;;
		*) tests="$tests ${t##*/}" ;;
		esac
	done
	echo "-- $arch"
	# shellcheck disable=SC2086 # words
	EMULATED=yes OBJ=$OBJ BIN=$BIN JOBS=$(nproc) RUN="$qemu -L $root" \
		sh regress/check.sh $tests | tee "$OBJ/said"
	# shellcheck disable=SC2046 # words
	set -- $(tail -n 1 "$OBJ/said" | tr -cd '0-9 ')
	passed=$((passed + ${1:-0}))
	failed=$((failed + ${2:-1}))
	skipped=$((skipped + ${3:-0}))
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
