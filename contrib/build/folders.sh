#!/bin/sh
# SPDX-License-Identifier: ISC
# folders.sh make DESTDIR RECORD FOLDER...: makes the folders and all above
# them up to DESTDIR, and writes down in RECORD which ones were not there.
# folders.sh remove DESTDIR RECORD: removes those of them that are empty.
set -eu

action=$1
top=$2
record=$2$3
shift 3

make_one() {
	[ ! -d "$top$1" ] || return 0
	[ "$1" = / ] || make_one "$(dirname "$1")"
	if [ "$1" = / ]; then
		mkdir -p "$top"
	else
		mkdir -m 755 "$top$1"
	fi
	made=$made$1'
'
}

case $action in
make)
	made=
	for folder; do
		make_one "$folder"
	done
	mkdir -p "$(dirname "$record")"
	# What an earlier installation made is ours still.
	[ -z "$made" ] || printf %s "$made" >>"$record"
	[ ! -e "$record" ] || chmod 644 "$record"
	;;
remove)
	[ -r "$record" ] || exit 0
	folders=$(LC_ALL=C sort -ru "$record")
	rm -f "$record"
	echo "$folders" | while IFS= read -r folder; do
		case $folder in
		/*) rmdir "$top$folder" 2>/dev/null || : ;;
		esac
	done
	;;
esac
