/* SPDX-License-Identifier: ISC */
/*
 * Journals of skypty fleet, cut at each byte, as a machine that stops leaves
 * them, and changed at each byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/complain.h"
#include "client/exits.h"
#include "client/fleet/fleet.h"

#define WHOLE_MAX 4096

static struct {
	char state[64], id[64], *path;
	char text[WHOLE_MAX + 1]; /* of the whole journal */
	size_t n;
} run;

/* --- the journal --- */

static void
write_text(const char *text, size_t n)
{
	FILE *f = fopen(run.path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void
add(struct fleet_journal *j, const char *word, const char *what)
{
	assert_int_equal(fleet_journal_add(j, word, "%s", what), 0);
}

/* Two hosts in a batch each, of which one had its turn. */
static void
write_whole(struct fleet_journal *j)
{
	struct fleet_hosts hosts = { .n = 0 };

	assert_int_equal(fleet_hosts_add(&hosts, "web 1", "web-1"), 0);
	assert_int_equal(fleet_hosts_add(&hosts, "web-2", "web-2"), 0);
	assert_int_equal(fleet_journal_new(j), 0);
	add(j, "/a folder", "folder");
	add(j, "--jobs", "word");
	add(j, "two\nlines", "command");
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(fleet_journal_add_host(j, &hosts.host[i]), 0);
	fleet_hosts_free(&hosts);
	add(j, NULL, "batch 1");
	add(j, NULL, "batch 2");
	add(j, NULL, "planned 2");
	add(j, NULL, "began 0");
	add(j, NULL, "ended 0 exit 3 120");
	add(j, "no answer", "why 0");
	add(j, NULL, "passed 0");
	add(j, NULL, "over stopped");
	assert_int_equal(fleet_journal_sync(j), 0);
}

static int
start(void **state)
{
	struct fleet_journal j;
	FILE *f;

	(void)state;
	complain_to(COMPLAIN_NOBODY, NULL);
	strcpy(run.state, "/tmp/skypty-journal-XXXXXX");
	if (mkdtemp(run.state) == NULL ||
	    setenv("XDG_STATE_HOME", run.state, 1) != 0)
		return -1;
	write_whole(&j);
	strlcpy(run.id, j.id, sizeof(run.id));
	run.path = strdup(j.path);
	fleet_journal_close(&j);
	assert_non_null(run.path);
	assert_non_null(f = fopen(run.path, "re"));
	run.n = fread(run.text, 1, WHOLE_MAX, f);
	fclose(f);
	return run.n != 0 && run.n < WHOLE_MAX ? 0 : -1;
}

static int
stop(void **state)
{
	char folder[128];

	(void)state;
	unlink(run.path);
	free(run.path);
	snprintf(folder, sizeof(folder), "%s/skypty/fleet", run.state);
	rmdir(folder);
	snprintf(folder, sizeof(folder), "%s/skypty", run.state);
	rmdir(folder);
	return rmdir(run.state);
}

/* --- what is read of it --- */

/* How many lines of a word the first n bytes have, whole ones. */
static size_t
lines(const char *word, size_t n)
{
	const char *p = run.text, *end;
	size_t count = 0, len = strlen(word);

	while ((end = memchr(p, '\n', n - (size_t)(p - run.text))) != NULL) {
		count += strncmp(p, word, len) == 0 && p[len] == ' ';
		p = end + 1;
	}
	return count;
}

static size_t
whole(size_t n)
{
	while (n != 0 && run.text[n - 1] != '\n')
		n--;
	return n;
}

static void
expect(const struct fleet_record *rec, size_t n)
{
	const struct fleet_host *h = rec->hosts.host;

	assert_int_equal(rec->at != NULL, lines("at", n));
	assert_int_equal(rec->folder != NULL, lines("folder", n));
	assert_int_equal(rec->nword, lines("word", n));
	assert_int_equal(rec->ncommand, lines("command", n));
	assert_int_equal(rec->hosts.n, lines("host", n));
	assert_int_equal(rec->plan.nbatch, lines("batch", n));
	assert_int_equal(rec->planned, lines("planned", n));
	assert_int_equal(rec->over != NULL, lines("over", n));
	if (rec->folder != NULL)
		assert_string_equal(rec->folder, "/a folder");
	if (rec->ncommand != 0)
		assert_string_equal(rec->command[0], "two\nlines");
	if (rec->hosts.n == 0)
		return;
	assert_string_equal(h->dest, "web 1");
	assert_string_equal(h->canon, "web-1");
	assert_int_equal(h->began, lines("began", n));
	assert_int_equal(h->attempts, lines("ended", n));
	assert_int_equal(h->status, lines("ended", n) ? 3 : 0);
	assert_int_equal(h->passed, lines("passed", n));
	assert_int_equal(h->why != NULL, lines("why", n));
	assert_int_equal(h->outcome,
	    lines("passed", n)	  ? OUTCOME_OK :
		lines("ended", n) ? OUTCOME_EXIT :
		lines("began", n) ? OUTCOME_LOST :
				    OUTCOME_LEFT);
}

/* What has begun stays so wherever it is cut: no line is half believed. */
static void
is_read_to_its_last_whole_line(void **state)
{
	struct fleet_journal j;
	struct fleet_record rec;
	bool busy;

	(void)state;
	for (size_t n = 0; n <= run.n; n++) {
		write_text(run.text, n);
		assert_int_equal(fleet_journal_look(&j, run.id, &rec, &busy),
		    0);
		assert_false(busy);
		assert_int_equal(j.len, whole(n));
		expect(&rec, n);
		fleet_record_free(&rec);
		fleet_journal_close(&j);
	}
}

/* The next line does not become a part of one that was never finished. */
static void
goes_on_behind_it(void **state)
{
	struct fleet_journal j;
	struct fleet_record rec;
	struct stat st;
	bool busy;

	(void)state;
	for (size_t n = whole(strlen("skypty-fleet 1\n")); n <= run.n; n++) {
		write_text(run.text, n);
		assert_int_equal(fleet_journal_open(&j, run.id, &rec), 0);
		fleet_record_free(&rec);
		add(&j, NULL, "over again");
		assert_int_equal(fleet_journal_sync(&j), 0);
		fleet_journal_close(&j);
		assert_int_equal(fleet_journal_look(&j, run.id, &rec, &busy),
		    0);
		assert_string_equal(rec.over, "again");
		assert_int_equal(stat(run.path, &st), 0);
		assert_int_equal(st.st_size, whole(n) + strlen("over again\n"));
		assert_int_equal(rec.hosts.n, lines("host", n));
		fleet_record_free(&rec);
		fleet_journal_close(&j);
	}
}

static void
look_changed(const char *text)
{
	struct fleet_journal j;
	struct fleet_record rec;
	bool busy;
	int r;

	write_text(text, run.n);
	r = fleet_journal_look(&j, run.id, &rec, &busy);
	assert_true(r == 0 || r == EXIT_FAILED);
	if (r == 0 && rec.planned)
		assert_int_equal(rec.plan.end[rec.plan.nbatch - 1],
		    rec.hosts.n);
	fleet_record_free(&rec);
	fleet_journal_close(&j);
}

/* It is read or refused, and a plan that is complete leads to its last host. */
static void
is_changed_at_each_byte(void **state)
{
	static const char other[] = { '\0', '\n', ' ', '\\', '9', 'x',
		(char)0x80 };
	char text[WHOLE_MAX + 1];

	(void)state;
	for (size_t i = 0; i < run.n; i++)
		for (size_t k = 0; k < sizeof(other); k++) {
			memcpy(text, run.text, run.n);
			text[i] = other[k];
			look_changed(text);
		}
}

static void
expect_refused(const char *line)
{
	struct fleet_journal j;
	struct fleet_record rec;
	char text[WHOLE_MAX];
	bool busy;
	int n;

	n = snprintf(text, sizeof(text), "%s%s\n", run.text, line);
	write_text(text, (size_t)n);
	assert_int_equal(fleet_journal_look(&j, run.id, &rec, &busy),
	    EXIT_FAILED);
	fleet_record_free(&rec);
	fleet_journal_close(&j);
}

static void
refuses_what_it_never_wrote(void **state)
{
	static const char *const bad[] = { "", "over", "what 0", "host a b",
		"batch 1", "batch 3", "planned 1", "planned 3", "began 2",
		"began -1", "began", "ended 0", "ended 0 well 0 0",
		"ended 0 exit 99999999999 0", "ended 0 exit 3 -1", "why 0",
		"passed 2", "over \\Mx" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_refused(bad[i]);
}

static void
look_is_busy(bool expected)
{
	struct fleet_journal j;
	struct fleet_record rec;
	bool busy;

	assert_int_equal(fleet_journal_look(&j, run.id, &rec, &busy), 0);
	assert_int_equal(busy, expected);
	fleet_record_free(&rec);
	fleet_journal_close(&j);
}

/* A run keeps others from going on with it; a look keeps nobody from it. */
static void
is_one_runs_at_a_time(void **state)
{
	struct fleet_journal looked, j, other;
	struct fleet_record seen, rec, refused;
	bool busy;

	(void)state;
	write_text(run.text, run.n);
	assert_int_equal(fleet_journal_look(&looked, run.id, &seen, &busy), 0);
	assert_false(busy);
	assert_int_equal(fleet_journal_open(&j, run.id, &rec), 0);
	look_is_busy(true);
	assert_int_equal(fleet_journal_open(&other, run.id, &refused),
	    EXIT_USAGE);
	fleet_record_free(&refused);
	fleet_journal_close(&other);
	look_is_busy(true);
	fleet_record_free(&rec);
	fleet_journal_close(&j);
	look_is_busy(false);
	fleet_record_free(&seen);
	fleet_journal_close(&looked);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_read_to_its_last_whole_line),
		cmocka_unit_test(goes_on_behind_it),
		cmocka_unit_test(is_changed_at_each_byte),
		cmocka_unit_test(refuses_what_it_never_wrote),
		cmocka_unit_test(is_one_runs_at_a_time),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
