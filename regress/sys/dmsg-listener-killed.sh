#!/bin/sh
# SPDX-License-Identifier: ISC
# A skyptyd that is killed leaves no process behind that holds sessions to dmsg
# servers: the next one has its own, under the same key.
. regress/sys/lib.sh

killed() {
	served_as=dmsg start_host --dmsgdisc http://127.0.0.1:1
	monitor_of "$host"
	wait_for "the dmsg process" has_child "$monitor"
	net=$(children "$monitor")
	kill -9 "$host"
	wait_gone "the dmsg process" "$net"
	wait_gone "its monitor" "$monitor"
}

both killed
