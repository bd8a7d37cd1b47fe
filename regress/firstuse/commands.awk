# SPDX-License-Identifier: ISC
# The commands of README.md, one a line and as they stand there, without the
# comments behind them.

/^```/ {
	inside = !inside
	picture = 0
	next
}
# The picture of processes, and what goes into a file.
/┌|│|└/ || /^ / || /^Host / {
	next
}
inside && NF {
	sub(/   *#.*$/, "")
	print
}
