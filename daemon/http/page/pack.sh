#!/bin/sh
# SPDX-License-Identifier: ISC
# pack.sh DIR [NODE_MODULES]: makes DIR/table.c and DIR/data.S out of the page
# and of xterm.js; without the second word, of nothing.
set -eu

dir=$1
modules=${2-}
n=0

# asset NAME TYPE FILE: gzip'ed, without the address of a map that is not here.
asset() {
	sed '/^\/\/# sourceMappingURL=/d' "$3" | gzip -9n >"$dir/$n.gz"
	etag=$(sha256sum "$dir/$n.gz" | cut -c 1-32)
	printf '\t.balign 16\n\t.globl web_data_%d\nweb_data_%d:\n\t.incbin "%s"\n' \
		"$n" "$n" "$dir/$n.gz" >>"$dir/data.S"
	echo "extern const unsigned char web_data_${n}[];" >>"$dir/extern"
	printf '\t{ "%s", "%s", web_data_%d, %d, "\\"%s\\"" },\n' "$1" "$2" \
		"$n" "$(wc -c <"$dir/$n.gz")" "$etag" >>"$dir/rows"
	n=$((n + 1))
}

xterm() {
	asset "$1.mjs" "text/javascript; charset=utf-8" \
		"$modules/@xterm/$1/lib/$1.mjs"
}

licences() {
	for name in xterm addon-fit addon-search addon-unicode11 \
		addon-web-links addon-webgl; do
		echo "@xterm/$name"
		echo
		cat "$modules/@xterm/$name/LICENSE"
		echo
	done
}

mkdir -p "$dir"
: >"$dir/extern"
: >"$dir/rows"
printf '\t.section .rodata\n' >"$dir/data.S"
if [ -n "$modules" ]; then
	asset index.html "text/html; charset=utf-8" daemon/http/page/index.html
	for name in app bounds keys pulse text touch width sftp files; do
		asset "$name.js" "text/javascript; charset=utf-8" "daemon/http/page/$name.js"
	done
	asset style.css "text/css; charset=utf-8" daemon/http/page/style.css
	asset favicon.svg "image/svg+xml" daemon/http/page/favicon.svg
	asset xterm.css "text/css; charset=utf-8" \
		"$modules/@xterm/xterm/css/xterm.css"
	for name in xterm addon-fit addon-search addon-unicode11 \
		addon-web-links addon-webgl; do
		xterm "$name"
	done
	licences >"$dir/licences"
	asset licences.txt "text/plain; charset=utf-8" "$dir/licences"
fi
printf '\t.section .note.GNU-stack,"",%%progbits\n' >>"$dir/data.S"
{
	echo '#include "daemon/http/page/assets.h"'
	cat "$dir/extern"
	echo "const struct web_asset web_assets[] = {"
	cat "$dir/rows"
	echo "	{ NULL, NULL, NULL, 0, NULL },"
	echo "};"
	echo "const size_t web_nassets = $n;"
} >"$dir/table.c"
