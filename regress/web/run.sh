#!/bin/sh
# SPDX-License-Identifier: ISC
# The page of skyptyd http in a real browser.  BIN names the folder of the
# programs, SHOTS one for screenshots.  Names given as arguments limit the run;
# "figures" measures instead.  With AGAIN those that failed are run once more,
# with no others beside them.
set -u
# shellcheck source=regress/own_records.sh
. "$(dirname "$0")/../own_records.sh"

here=$(cd "$(dirname "$0")" && pwd)
BIN=$(cd "${BIN:-$here/../..}" && pwd)
SHOTS=${SHOTS:-$here/../../${OBJ:-obj}/web-shots}
mkdir -p "$SHOTS"
SHOTS=$(cd "$SHOTS" && pwd)
export BIN SHOTS

skip() {
	echo "skipped: $1"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
}

[ -x "$BIN/skyptyd-http" ] || skip "skyptyd-http was not built"
command -v node >/dev/null || skip "there is no node"
command -v npm >/dev/null || skip "there is no npm"
CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser)} ||
	skip "there is no chromium"
export CHROMIUM

cd "$here" || exit 1
if [ -z "$(find node_modules/.package-lock.json -newer package-lock.json \
	2>/dev/null)" ]; then
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error \
		>/dev/null || exit 1
	touch node_modules/.package-lock.json
fi
[ "${1-}" != figures ] || exec node figures.mjs
[ $# -eq 0 ] || exec node main.mjs "$@"

# The tests of each file in a process and a browser of their own.
said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT
# shellcheck disable=SC2016
node main.mjs parts | xargs -n 1 -P "$(nproc)" sh -c '
	node main.mjs part "$2" >"$1/$2" 2>&1
	grep -q "^[0-9]* passed, " "$1/$2" || echo "0 passed, 1 failed" >>"$1/$2"
	flock "$1" sed "/^[0-9]* passed, /d" "$1/$2"' sh "$said"
if [ -n "${AGAIN-}" ] && names=$(grep -h '^[^ ]*: failed$' "$said"/*); then
	# shellcheck disable=SC2046 # words
	node main.mjs $(echo "$names" | sed 's/: failed$//') >"$said.again" 2>&1
	sed '/^[0-9]* passed, /d; s/: ok$/: passed when run again/' \
		"$said.again"
	# What passed has been counted as failed before.
	sed -n 's/^\([0-9]*\) passed, .*/\1 passed, -\1 failed/p' "$said.again" \
		>"$said/again"
	rm -f "$said.again"
fi
cat "$said"/* | awk '/^[0-9]+ passed, -?[0-9]+ failed/ { ok += $1; bad += $3 }
	END { print ok + 0 " passed, " bad + 0 " failed, 0 skipped"
		exit bad > 0 || ok == 0 }'
