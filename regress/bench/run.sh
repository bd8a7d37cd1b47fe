#!/bin/sh
# SPDX-License-Identifier: ISC
# Installs what the benchmarks compare with and runs them.
set -u
# shellcheck source=regress/own_records.sh
. "$(dirname "$0")/../own_records.sh"
missing=
for p in openssh-server openssh-client openssh-sftp-server sshfs fuse3 \
	python3 bsdutils tmux; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null |
		grep -q 'ok installed' || missing="$missing $p"
done
if [ -n "$missing" ]; then
	# shellcheck disable=SC2086
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install \
		-y -qq --no-install-recommends $missing || exit 1
fi
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
status=0

# lean COMMAND...: with /bin/sh as root's shell and an empty home, for it alone.
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
sed "s|^\(root:.*\):[^:]*:[^:]*$|\1:$home:/bin/sh|" /etc/passwd >"$home/passwd"
chmod 644 "$home/passwd"
lean() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare -m sh -c 'mount --bind "$0" /etc/passwd && exec "$@"' \
		"$home/passwd" "$@"
}
lean true 2>/dev/null || lean() {
	"$@"
}
lean python3 "$here/bench.py" || status=1
lean python3 "$here/transfer.py" || status=1
if unshare -n true 2>/dev/null; then
	python3 "$here/abuse.py" || status=1
fi
if command -v go >/dev/null; then
	(cd "$top/regress/interop" && SKYPTY_BENCH=1 SKYPTYD=$top/skyptyd \
		SKYPTY=$top/skypty go test -count=1 -run "TestDmsgFigures|TestWebMemory" -v . |
		grep -v -e '^===' -e '^---' -e '^PASS' -e '^ok' -e 'skyptyd\[') ||
		status=1
else
	echo "(no Go: the figures of dmsg are left out)"
fi
sh "$top/regress/web/run.sh" figures || status=1
exit $status
