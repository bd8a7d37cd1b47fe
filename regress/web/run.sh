#!/bin/sh
# SPDX-License-Identifier: ISC
# The page of skyptyd http in a real browser.  BIN names the folder of the
# programs, SHOTS one for screenshots.  Names given as arguments limit the run;
# "figures" measures instead.
set -u

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
exec node main.mjs "$@"
