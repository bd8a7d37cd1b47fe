/* SPDX-License-Identifier: ISC */
/* rights: which line decides, and what a file that is not right does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/privsep/pks.h"
#include "common/privsep/rights.h"
#include "conf_util.h"

#define PLACES 8

/* The files of a test, and who is in wl and --allow: nobody. */
static struct {
	char table[256], revoked[256], conf[256];
	struct key_public pk, own;
	struct said said;
	struct rights r;
	char why[RIGHTS_WHY_MAX];
	bool table_given, revoked_given;
	struct key_public allow[1];
	size_t nallow;
} t;

static int
find(void)
{
	const struct config_report report = said_report(&t.said);
	const struct rights_files files = { .conf = t.conf,
		.authorized = t.table,
		.authorized_given = t.table_given,
		.revoked = t.revoked,
		.revoked_given = t.revoked_given,
		.own = &t.own,
		.allow = t.allow,
		.nallow = t.nallow,
		.report = &report };
	const struct rights_peer peer = { .pk = &t.pk,
		.carrier = PRIV_KK,
		.now = 1798761600 };

	rights_free(&t.r);
	return rights_find(test.keyctx, &files, &peer, &t.r, t.why,
	    sizeof(t.why));
}

static void
expect_in(const char *rule)
{
	if (find() != 0)
		fail_msg("refused: %s", t.why);
	assert_string_equal(t.r.rule, rule);
}

static void
expect_out(int error, const char *why)
{
	assert_int_equal(find(), error);
	if (strstr(t.why, why) == NULL)
		fail_msg("wanted \"%s\": %s", why, t.why);
	assert_null(t.r.rule);
	assert_int_equal(t.r.grants, 0);
}

static int
begin(void **state)
{
	(void)state;
	rights_free(&t.r);
	memset(&t, 0, sizeof(t));
	parse_pk(PK1, &t.pk);
	parse_pk(PK3, &t.own);
	snprintf(t.table, sizeof(t.table), "%s", in_dir("authorized_pks"));
	snprintf(t.revoked, sizeof(t.revoked), "%s", in_dir("revoked_pks"));
	(void)nftw(in_dir("authorized_pks.d"), remove_one, 8,
	    FTW_DEPTH | FTW_PHYS);
	(void)remove(t.table);
	(void)remove(t.revoked);
	return 0;
}

static void
table(const char *text)
{
	put_file("authorized_pks", text);
}

static void
test_lines(void **state)
{
	(void)state;
	table("");
	expect_out(SKY_ERR_DENIED, "not on the whitelist");
	table(PK2 "\n");
	expect_out(SKY_ERR_DENIED, "not on the whitelist");
	table("# x\n\n" PK2 "\r\n" PK1 " it\r\n");
	expect_in("authorized_pks:4");
	assert_string_equal(t.r.comment, "it");
	assert_false(t.r.full);
	assert_string_equal(t.said.text, "");
	/* Without a newline at its end; in capitals. */
	table("restrict,pty 0279BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D9"
	      "59F2815B16F81798");
	expect_in("authorized_pks:1");
	assert_int_equal(t.r.grants, PRIV_GRANT_PTY);
	/* In a comment, a value and another's comment it is no key. */
	table("# " PK1 "\ncommand=\"" PK1 " x\" " PK2 "\n" PK2 " " PK1 "\n");
	expect_out(SKY_ERR_DENIED, "not on the whitelist");
}

/* The first line whose conditions hold. */
static void
test_conditions(void **state)
{
	(void)state;
	table("from=local,no-pty " PK1 "\nexpiry-time=20260101Z " PK1
	      "\nfrom=dmsg,no-exec " PK1 "\n" PK1 "\n");
	expect_in("authorized_pks:3");
	assert_false(t.r.grants & PRIV_GRANT_EXEC);
	table("from=local " PK1 "\nexpiry-time=20260101Z " PK1 "\n");
	expect_out(SKY_ERR_DENIED, "authorized_pks:2: it expired at");
	table("not-before=20270102Z " PK1 "\n");
	expect_out(SKY_ERR_DENIED, "authorized_pks:1: it is not valid before");
}

/* It never grants, and tells where it is. */
static void
test_useless(void **state)
{
	(void)state;
	table("\nrestrit " PK1 "\n");
	expect_out(SKY_ERR_DENIED, "authorized_pks:2: unknown option");
	assert_non_null(strstr(t.said.text, "authorized_pks:2: unknown opt"));
	assert_int_equal(t.said.fatal, 1);
	/* A good one behind it decides. */
	table("restrit " PK1 "\nrestrict " PK1 "\n");
	expect_in("authorized_pks:2");
}

/* What a line says is not undone by a list behind the table. */
static void
test_lists(void **state)
{
	(void)state;
	snprintf(t.conf, sizeof(t.conf), "%s",
	    put_file("c.json", "{\"wl\": [\"" PK1 "\"]}"));
	expect_in("wl");
	assert_true(t.r.full);
	table("restrict " PK1 "\n");
	expect_in("authorized_pks:1");
	assert_false(t.r.full);
	table("from=local " PK1 "\n");
	expect_out(SKY_ERR_DENIED, "its from= does not let in from dmsg");
	table("restrit " PK1 "\n");
	expect_out(SKY_ERR_DENIED, "unknown option");
	table("command=\"x " PK1 "\n");
	expect_out(SKY_ERR_DENIED, "a quote is not closed");
	table("# " PK1 "\n");
	expect_in("wl");
	*t.conf = '\0';
	expect_out(SKY_ERR_DENIED, "not on the whitelist");
	t.allow[0] = t.pk;
	t.nallow = 1;
	expect_in("--allow");
	t.nallow = 0;
	t.own = t.pk;
	expect_in("the host's own key");
}

static void
test_revoked(void **state)
{
	(void)state;
	table(PK1 "\n");
	put_file("revoked_pks", "# none\n" PK2 " him\n");
	expect_in("authorized_pks:1");
	put_file("revoked_pks", PK2 "\n\n  " PK1 "\r\n");
	expect_out(SKY_ERR_DENIED, "revoked (revoked_pks:3)");
	t.allow[0] = t.own = t.pk;
	t.nallow = 1;
	expect_out(SKY_ERR_DENIED, "revoked (revoked_pks:3)");
	/* One that cannot be understood might have been this key. */
	put_file("revoked_pks", PK2 "\n" PK2 "0\n");
	expect_out(SKY_ERR_FORMAT, "revoked_pks cannot be read");
	assert_non_null(strstr(t.said.text, "revoked_pks:2: not a public key"));
	put_file("revoked_pks", "restrict " PK2 "\n");
	expect_out(SKY_ERR_FORMAT, "revoked_pks cannot be read");
	put_file("revoked_pks", "");
	expect_in("authorized_pks:1");
	assert_int_equal(remove(t.revoked), 0);
	expect_in("authorized_pks:1");
	t.revoked_given = true;
	expect_out(SKY_ERR_SYS, "revoked_pks cannot be read");
	assert_int_equal(mkfifo(t.revoked, 0600), 0);
	expect_out(SKY_ERR_TYPE, "revoked_pks cannot be read");
	assert_int_equal(remove(t.revoked), 0);
	put_file("revoked_pks", "");
	assert_int_equal(chmod(t.revoked, 0620), 0);
	expect_out(SKY_ERR_STATE, "revoked_pks cannot be read");
}

/* What is no file, or may not be trusted, lets nobody in at all. */
static void
test_strict(void **state)
{
	const char *folder = in_dir("authorized_pks.d"), *file;

	(void)state;
	t.allow[0] = t.pk;
	t.nallow = 1;
	expect_in("--allow");
	t.table_given = true;
	expect_out(SKY_ERR_SYS, "authorized_pks cannot be read");
	assert_int_equal(mkdir(t.table, 0700), 0);
	expect_out(SKY_ERR_TYPE, "authorized_pks cannot be read");
	assert_int_equal(rmdir(t.table), 0);
	assert_int_equal(mkfifo(t.table, 0600), 0);
	expect_out(SKY_ERR_TYPE, "authorized_pks cannot be read");
	assert_int_equal(remove(t.table), 0);
	table(PK2 "\n");
	expect_in("--allow");
	assert_int_equal(chmod(t.table, 0620), 0);
	expect_out(SKY_ERR_STATE, "authorized_pks cannot be read");
	assert_non_null(strstr(t.said.text, "others may write to it"));
	assert_int_equal(chmod(t.table, 0600), 0);
	assert_int_equal(chmod(test.dir, 0777), 0);
	expect_out(SKY_ERR_STATE, "authorized_pks cannot be read");
	assert_int_equal(chmod(test.dir, 0700), 0);
	assert_int_equal(mkdir(folder, 0777), 0);
	assert_int_equal(chmod(folder, 0777), 0);
	expect_out(SKY_ERR_STATE, "authorized_pks cannot be read");
	assert_int_equal(chmod(folder, 0755), 0);
	expect_in("--allow");
	file = put_file("authorized_pks.d/x", PK1 "\n");
	expect_in("authorized_pks.d/x:1");
	assert_int_equal(chmod(file, 0602), 0);
	expect_out(SKY_ERR_STATE, "authorized_pks cannot be read");
	if (geteuid() == 0) {
		assert_int_equal(chmod(file, 0600), 0);
		assert_int_equal(chown(file, 1, 1), 0);
		expect_out(SKY_ERR_STATE, "authorized_pks cannot be read");
	}
	assert_int_equal(remove(file), 0);
	assert_int_equal(symlink("/dev/zero", file), 0);
	expect_out(SKY_ERR_TYPE, "authorized_pks cannot be read");
	assert_int_equal(remove(file), 0);
	assert_int_equal(symlink("none", file), 0);
	expect_out(SKY_ERR_SYS, "authorized_pks cannot be read");
}

/* In the names' order, behind the file itself; others are left out. */
static void
test_folder(void **state)
{
	static const char *const out[] = { "a~", "a.bak", ".a", "a.dpkg-old",
		"#a#", "a.conf.orig", "a b" };
	char name[64];

	(void)state;
	assert_int_equal(mkdir(in_dir("authorized_pks.d"), 0700), 0);
	assert_int_equal(mkdir(in_dir("authorized_pks.d/folder"), 0700), 0);
	for (size_t i = 0; i < COUNT(out); i++) {
		snprintf(name, sizeof(name), "authorized_pks.d/%s", out[i]);
		put_file(name, PK1 "\n");
	}
	expect_out(SKY_ERR_DENIED, "not on the whitelist");
	put_file("authorized_pks.d/b", PK1 "\n");
	expect_in("authorized_pks.d/b:1");
	put_file("authorized_pks.d/20-a.conf", "\n" PK1 "\n");
	expect_in("authorized_pks.d/20-a.conf:2");
	table(PK1 "\n");
	expect_in("authorized_pks:1");
}

/* --- hostile content --- */

static void
test_long_lines(void **state)
{
	static char text[3 << 20];
	size_t n = 1 << 20;

	(void)state;
	memset(text, 'a', n);
	strlcpy(text + n, "\n" PK1 "\n", sizeof(text) - n);
	table(text);
	expect_in("authorized_pks:2");
	/* It may be about any key: nothing behind the table lets in. */
	strlcpy(text + n, " " PK1 "\n", sizeof(text) - n);
	table(text);
	expect_out(SKY_ERR_DENIED, "authorized_pks:1: longer than 64 KiB");
	strlcpy(text + n, "\n" PK2 "\n", sizeof(text) - n);
	table(text);
	t.allow[0] = t.own = t.pk;
	t.nallow = 1;
	expect_out(SKY_ERR_DENIED, "authorized_pks:1: longer than 64 KiB");
	table(PK2 "\n");
	expect_in("--allow");
	t.own = (struct key_public){ 0 };
	t.nallow = 0;
	/* At the limit, and behind it. */
	memset(text, ' ', PKS_LINE_MAX);
	strlcpy(text + PKS_LINE_MAX - 66, PK1 "\n", 80);
	table(text);
	expect_in("authorized_pks:1");
	strlcpy(text + PKS_LINE_MAX - 65, PK1 "\n", 80);
	table(text);
	expect_out(SKY_ERR_DENIED, "longer than 64 KiB");
	/* Lines at every place of a chunk's border. */
	for (size_t at = 4 * PKS_LINE_MAX - 70; at < 4 * PKS_LINE_MAX + 4;
	     at++) {
		for (size_t i = 0; i < at; i++)
			text[i] = i % 61 == 60 ? '\n' : '#';
		for (size_t i = at - at % 61; i < at; i++)
			text[i] = ' ';
		strlcpy(text + at, PK1 " x\n", 80);
		table(text);
		assert_int_equal(find(), 0);
	}
	/* Zeros, of which the rest of the lines knows nothing. */
	memset(text, 0, 4096);
	memcpy(text + 4096, "\n" PK1 "\n", 68);
	write_file(t.table, text, 4096 + 68);
	expect_in("authorized_pks:2");
	memcpy(text + 4095, " " PK1 "\n", 68);
	write_file(t.table, text, 4095 + 68);
	expect_out(SKY_ERR_DENIED, "a NUL byte");
}

static void
test_too_large(void **state)
{
	(void)state;
	table(PK2 "\n");
	assert_int_equal(truncate(t.table, PKS_FILE_MAX + 1L), 0);
	expect_out(SKY_ERR_LIMIT, "authorized_pks cannot be read");
	assert_int_equal(truncate(t.table, PKS_FILE_MAX), 0);
	expect_out(SKY_ERR_DENIED, "authorized_pks:2: longer than 64 KiB");
}

static void
test_stamp(void **state)
{
	uint8_t a[PKS_STAMP_LEN], b[PKS_STAMP_LEN];

	(void)state;
	pks_stamp(t.table, a);
	pks_stamp(t.table, b);
	assert_memory_equal(a, b, sizeof(a));
	table(PK1 "\n");
	pks_stamp(t.table, b);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(mkdir(in_dir("authorized_pks.d"), 0700), 0);
	pks_stamp(t.table, a);
	assert_memory_not_equal(a, b, sizeof(a));
	put_file("authorized_pks.d/x", "");
	pks_stamp(t.table, b);
	assert_memory_not_equal(a, b, sizeof(a));
	put_file("authorized_pks.d/x", "#");
	pks_stamp(t.table, a);
	assert_memory_not_equal(a, b, sizeof(a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_lines, begin),
		cmocka_unit_test_setup(test_conditions, begin),
		cmocka_unit_test_setup(test_useless, begin),
		cmocka_unit_test_setup(test_lists, begin),
		cmocka_unit_test_setup(test_revoked, begin),
		cmocka_unit_test_setup(test_strict, begin),
		cmocka_unit_test_setup(test_folder, begin),
		cmocka_unit_test_setup(test_long_lines, begin),
		cmocka_unit_test_setup(test_too_large, begin),
		cmocka_unit_test_setup(test_stamp, begin),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
