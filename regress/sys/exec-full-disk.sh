#!/bin/sh
# SPDX-License-Identifier: ISC
# Output that cannot be written, on a full disk for one, is an error, whoever
# it comes from.
. regress/sys/lib.sh
[ -c /dev/full ] || skip "there is no /dev/full"

# full COMMAND...: told, and with status 255.
full() {
	status=0
	"$@" >/dev/full 2>"$dir/err.full" </dev/null || status=$?
	equal $status 255 "status of $*"
	has "$dir/err.full" "skypty: output: No space left on device"
	equal "$(grep -c 'No space left' "$dir/err.full")" 1 "messages of $*"
}

output() {
	start_host
	full on_host -- echo lost
	full on_host -- sh -c 'head -c 1000000 /dev/zero; exit 3'
	full run skypty exec --cliaddr "$sock" -- echo lost
	full on_ssh "$pk@127.0.0.1" echo lost
	full shell
	full run skypty whitelist --cliaddr "$sock"
	full run skypty pk -i "$dir/client"
	full run skypty help
	full run skypty help exec
	full run skypty version

	# What says nothing loses nothing.
	on_host -- true >/dev/full 2>"$dir/err.full" ||
		fail "a command without output failed"

	# The command's errors are no less.
	status=0
	on_host -- sh -c 'echo lost >&2' 2>/dev/full || status=$?
	equal $status 255 "status of lost errors"
	serves
	stop_host
}

either output
