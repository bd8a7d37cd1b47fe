# SPDX-License-Identifier: ISC
# The names of the tests that failed, out of what a suite said; each runner has
# its own way to tell.  SUITE goes before them.  Of those that passed when they
# were run again that is told instead.

function failed_tell(test, name)
{
	sub(/:$/, "", test)
	if (told[name]++)
		return
	failed_test[++failed] = test
	failed_name[failed] = name
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
	failed_tell(program, program " " $0)
	next
}
/^[^ ]/ {
	program = ""
}

# System tests, fuzzers; the browser's; suites of one command; Go.
/^[^ ]+: FAILED/ || /^[^ ]+: failed$/ || /^not ok / {
	failed_tell($1, $0)
}
/^ *--- FAIL: / || /^panic: / || /^\t+Test[^ ]* \([0-9hms.]+\)$/ {
	sub(/^[ \t]+/, "")
	test = $0
	sub(/^--- FAIL: /, "", test)
	sub(/[ \/].*/, "", test)
	failed_tell(test, $0)
}

/^[^ ]+: passed when run again$/ {
	again[substr($1, 1, length($1) - 1)] = 1
}

END {
	for (program in unnamed)
		if (unnamed[program])
			failed_tell(program, program " FAILED")
	for (i = 1; i <= failed; i++)
		if (!(failed_test[i] in again))
			print "  " SUITE ": " failed_name[i]
	for (test in again)
		print "  " SUITE ": " test ": passed when run again"
}
