#!/bin/sh
# SPDX-License-Identifier: ISC
# A service manager is told when skyptyd serves, reloads and stops, by way of
# NOTIFY_SOCKET; under one, skyptyd leaves its connections behind at once.
. regress/sys/lib.sh

notify() {
	spawn "$dir/told" "$PYTHON" "$LIB/notify_socket.py" "$1"
	wait_for "the manager" grep -q bound "$dir/told"
	NOTIFY_SOCKET=$1
	export NOTIFY_SOCKET
	start_host
	unset NOTIFY_SOCKET
	wait_for "READY" grep -q "READY=1" "$dir/told"
	serves
	equal "$(on_host -- sh -c 'env | grep NOTIFY')" "" "what a command sees"
	kill -HUP "$host"
	wait_for "RELOADING" grep -q "RELOADING=1" "$dir/told"
	wait_for "the second READY" twice_ready
	open_shell
	kill "$host"
	wait_for "STOPPING" grep -q "STOPPING=1" "$dir/told"
	wait_gone "skyptyd" "$host"
	status=0
	wait "$host" || status=$?
	equal $status 0 "status of skyptyd"
	type_in_shell "still here"
	close_shell
}

twice_ready() {
	[ "$(grep -c "READY=1" "$dir/told")" -eq 2 ]
}

path() {
	notify "$dir/notify"
}

abstract() {
	notify "@skypty-test-$$"
}

both path
either abstract
