#!/bin/sh
# SPDX-License-Identifier: ISC
# Installs what the tests need and runs them all: unit tests, system tests and
# the Go peers, then unit and system tests once more under the sanitizers and
# a part of what make first-use does, and a short run of the fuzzers.  The last
# line counts them; the lines before it name again what failed.  A test that
# failed among others is run once more with none beside it: what passes then is
# named as well.  AGAIN= leaves that out.
set -u

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 1

packages="gcc clang clang-format make pkg-config libc6-dev libsodium-dev libgcrypt20-dev libssl-dev
libsecp256k1-dev libbsd-dev libseccomp-dev libyajl-dev libevent-dev libpam0g-dev
libcmocka-dev libclang-rt-dev mandoc shellcheck systemd python3 iproute2
procps valgrind less golang-go ca-certificates git rsync openssh-client openssh-sftp-server
sshfs fuse3 ansible-core libwebsockets-dev npm chromium debootstrap
zsh fish ansible sudo python3-venv asciinema"

missing=
for p in $packages; do
	[ "$p" = golang-go ] && command -v go >/dev/null && continue
	[ "$p" = npm ] && command -v npm >/dev/null && continue
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null |
		grep -q 'ok installed' || missing="$missing $p"
done
if [ -n "$missing" ]; then
	[ "$(id -u)" -eq 0 ] || {
		echo "run.sh: as root, run: apt-get install$missing" >&2
		exit 1
	}
	# shellcheck disable=SC2086
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install \
		-y -qq -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300 \
		--no-install-recommends $missing >/dev/null || exit 1
fi
if [ "$(id -u)" -eq 0 ] && ! getent passwd _skypty >/dev/null; then
	useradd --system --home-dir /run/skypty --no-create-home \
		--shell /usr/sbin/nologin _skypty || exit 1
fi

# ansible-core as PyPI has it, too, if that can be reached.
if [ ! -x obj/ansible/bin/ansible-playbook ]; then
	mkdir -p obj && /usr/bin/python3 -m venv obj/ansible &&
		obj/ansible/bin/pip -q install 'ansible-core>=2.19,<2.20' ||
		echo "run.sh: Debian's ansible alone is tried" >&2
fi

AGAIN=${AGAIN-yes}
export AGAIN

passed=0
failed=0
skipped=0
failures=$(mktemp) || exit 1
trap 'rm -f "$failures"' EXIT

# Runs a suite whose last line is "N passed, N failed[, N skipped]".
suite() {
	name=$1
	shift
	echo "== $name"
	log=$(mktemp)
	"$@" 2>&1 | tee "$log"
	# make has a last word of its own when a suite fails.
	line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
	LC_ALL=C awk -v SUITE="$name" -f regress/failed.awk "$log" \
		>>"$failures"
	rm -f "$log"
	case $line in
	*[0-9]" passed, "*" failed"*) ;;
	*)
		echo "  $name: ended without counting its tests" |
			tee -a "$failures"
		failed=$((failed + 1))
		return
		;;
	esac
	# shellcheck disable=SC2046
	set -- $(echo "$line" | tr -cd '0-9 ')
	passed=$((passed + $1))
	failed=$((failed + $2))
	skipped=$((skipped + ${3:-0}))
	[ "$2" -eq 0 ] || grep -qF "  $name: " "$failures" ||
		echo "  $name: $2 failed, without a name" >>"$failures"
}

# One test: a command that succeeds.
one() {
	name=$1
	shift
	if "$@"; then
		echo "ok $name"
		echo "1 passed, 0 failed"
	else
		echo "not ok $name"
		echo "0 passed, 1 failed"
	fi
}

suite "lint" one "make lint" make -s -j2 CFLAGS=-Werror lint
suite "build with clang" one "make CC=clang" \
	make -s -j2 CC=clang OBJ=obj-clang BIN=obj-clang/bin CFLAGS=-Werror
suite "unit and system tests" make -s -j2 CFLAGS=-Werror check
suite "Go peers" make -s CFLAGS=-Werror interop
suite "browser" make -s CFLAGS=-Werror web-check
suite "unit and system tests, sanitized" make -s -j2 SANITIZE=1 \
	BIN=obj-san/bin check
suite "boards" make -s cross
[ "${FIRST_USE-}" = no ] ||
	suite "first use" sh regress/firstuse/run.sh part
suite "fuzzers" make -s -j2 fuzz

if [ "$failed" -ne 0 ]; then
	echo "== failed"
	grep -v ': passed when run again$' "$failures"
fi
if grep -q ': passed when run again$' "$failures"; then
	echo "== unsteady"
	grep ': passed when run again$' "$failures"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
