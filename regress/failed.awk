# SPDX-License-Identifier: ISC
# The names of the tests that failed, out of what a suite said; each runner has
# its own way to tell.  SUITE goes before them.

function failed_tell(name)
{
	if (!told[name]++)
		print "  " SUITE ": " name
}

# Unit tests: the program's line counts, the indented ones below it name.
/^[^ :]+: [0-9]+ passed, [1-9][0-9]* failed/ {
	program = $1
	unnamed[program] = 1
	next
}
/^    not ok / && !/# SKIP/ && program != "" {
	unnamed[program] = 0
	sub(/^ *not ok [0-9]+( -)? /, "")
	failed_tell(program " " $0)
	next
}
/^[^ ]/ {
	program = ""
}

# System tests, fuzzers; the browser's; suites of one command; Go.
/^[^ ]+: FAILED/ || /^[^ ]+: failed$/ || /^not ok / {
	failed_tell($0)
}
/^ *--- FAIL: / || /^panic: / || /^\t+Test[^ ]* \([0-9hms.]+\)$/ {
	sub(/^[ \t]+/, "")
	failed_tell($0)
}

END {
	for (program in unnamed)
		if (unnamed[program])
			failed_tell(program " FAILED")
}
