/* SPDX-License-Identifier: ISC */
/* remote: where the destination ends and the path begins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A program's part, not in the library that tests are linked with. */
#include "client/remote.c"

#define PK "02aa"

static void
splits(const char *word, const char *want_dest, const char *want_path)
{
	char *dest = NULL, *path = NULL;

	assert_true(remote_split(word, &dest, &path));
	assert_string_equal(dest, want_dest);
	assert_string_equal(path, want_path);
	free(dest);
	free(path);
}

static void
is_local(const char *word)
{
	char *dest, *path;

	assert_false(remote_split(word, &dest, &path));
}

static void
test_address(void **state)
{
	(void)state;
	splits(PK "@host:path", PK "@host", "path");
	splits(PK "@host:/a/b:c", PK "@host", "/a/b:c");
	splits(PK "@host:", PK "@host", "");
	splits(PK "@host:a@b", PK "@host", "a@b");
	splits(PK "@192.0.2.1:x", PK "@192.0.2.1", "x");
}

static void
test_port(void **state)
{
	(void)state;
	splits(PK "@host:2022:path", PK "@host:2022", "path");
	splits(PK "@host:2022:", PK "@host:2022", "");
	splits(PK "@host:2022:22:x", PK "@host:2022", "22:x");
	/* One colon only: all of it is the path. */
	splits(PK "@host:2022", PK "@host", "2022");
	splits(PK "@host:2022x:y", PK "@host", "2022x:y");
	splits(PK "@host::x", PK "@host", ":x");
	splits(PK "@host:./2022:x", PK "@host", "./2022:x");
}

static void
test_v6(void **state)
{
	(void)state;
	splits(PK "@[::1]:path", PK "@[::1]", "path");
	splits(PK "@[::1]:2022:path", PK "@[::1]:2022", "path");
	splits(PK "@[fe80::1%eth0]:", PK "@[fe80::1%eth0]", "");
	is_local(PK "@[::1]");
	is_local(PK "@[::1:path");
	is_local(PK "@[::1]path:x");
}

static void
test_scheme(void **state)
{
	(void)state;
	splits("tcp://" PK "@host:path", "tcp://" PK "@host", "path");
	splits("tcp://" PK "@host:2022:/p", "tcp://" PK "@host:2022", "/p");
	splits("tcp://" PK "@[::1]:2022:p", "tcp://" PK "@[::1]:2022", "p");
	is_local("tcp://" PK "@host");
	is_local("tcp://");
}

static void
test_alias(void **state)
{
	(void)state;
	splits("word:path", "word", "path");
	splits("word:", "word", "");
	splits("word:22:x", "word", "22:x");
	splits("word:a@b:c", "word", "a@b:c");
}

static void
test_local(void **state)
{
	(void)state;
	is_local("");
	is_local("file");
	is_local("./a:b");
	is_local("/a:b");
	is_local("a/b:c");
	is_local("a@b/c:d");
	is_local(":x");
	is_local("@:x");
	is_local(PK "@:x");
	is_local(PK "@host");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_port),
		cmocka_unit_test(test_v6),
		cmocka_unit_test(test_scheme),
		cmocka_unit_test(test_alias),
		cmocka_unit_test(test_local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
