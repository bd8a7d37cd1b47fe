#!/bin/sh
# SPDX-License-Identifier: ISC
# Installs what the benchmarks compare with and runs them.
set -u
missing=
for p in openssh-server openssh-client python3 bsdutils; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null |
		grep -q 'ok installed' || missing="$missing $p"
done
if [ -n "$missing" ]; then
	# shellcheck disable=SC2086
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install \
		-y -qq --no-install-recommends $missing || exit 1
fi
exec python3 "$(dirname "$0")/bench.py"
