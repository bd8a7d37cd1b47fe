/* SPDX-License-Identifier: ISC */
/* log_format: lines for programs, whole and unmistakable whatever is in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log_format.h"

#define LONG 5000

static char json[LOG_RECORD_MAX], journal[2 * LOG_RECORD_MAX];

static struct log_line
line(const struct log_fields *f, const char *text)
{
	return (struct log_line){ .level = LOG_LEVEL_INFO,
		.time = { .tv_sec = 1764305527, .tv_nsec = 42999999 },
		.pid = 4711,
		.ident = "skyptyd",
		.id = UINT64_C(0x3f0c00000000001),
		.address = "192.0.2.7 port 4711",
		.key = "02ab",
		.fields = f,
		.text = text };
}

static void
test_json(void **state)
{
	struct log_fields f = { .event = "ended" };
	struct log_line l = line(&f, "Command ended: \"a\\b\n\302\233");

	(void)state;
	log_put(&f, "name", "a\"\\\n\377");
	log_put(&f, "none", "");
	log_put(&f, "null", NULL);
	log_put_number(&f, "bytes_in", 0);
	log_put_number(&f, "bytes_out", UINT64_MAX);
	log_format_json(json, &l);
	assert_string_equal(json,
	    "{\"time\":\"2025-11-28T04:52:07.042Z\",\"level\":\"info\","
	    "\"pid\":4711,\"id\":\"03f0c00000000001\","
	    "\"address\":\"192.0.2.7 port 4711\",\"key\":\"02ab\","
	    "\"event\":\"ended\",\"name\":\"a\\\"\\\\\\\\\\\\012\\\\377\","
	    "\"bytes_in\":0,\"bytes_out\":18446744073709551615,"
	    "\"message\":\"Command ended: \\\"a\\\\\\\\b\\\\012"
	    "\\\\302\\\\233\"}");
	/* What is not known is not there. */
	l.id = 0;
	l.address = l.key = "";
	l.fields = NULL;
	l.text = "x";
	l.level = LOG_LEVEL_ERROR;
	log_format_json(json, &l);
	assert_string_equal(json,
	    "{\"time\":\"2025-11-28T04:52:07.042Z\",\"level\":\"error\","
	    "\"pid\":4711,\"message\":\"x\"}");
}

static void
test_journal(void **state)
{
	struct log_fields f = { .event = "ended" };
	struct log_line l = line(&f, "not this one");

	(void)state;
	log_put(&f, "name", "a\nMESSAGE=forged");
	log_put_number(&f, "status", 3);
	log_format_journal(journal, &l, 6, -1, "Command ended");
	assert_string_equal(journal,
	    "MESSAGE=Command ended\nPRIORITY=6\nSYSLOG_IDENTIFIER=skyptyd\n"
	    "SYSLOG_PID=4711\nSKYPTY_CONN_ID=03f0c00000000001\n"
	    "SKYPTY_ADDRESS=192.0.2.7 port 4711\nSKYPTY_PK=02ab\n"
	    "SKYPTY_EVENT=ended\nSKYPTY_NAME=a\\012MESSAGE=forged\n"
	    "SKYPTY_STATUS=3\n");
	l.id = 0;
	l.address = l.key = "";
	l.fields = NULL;
	log_format_journal(journal, &l, 3, 4, "x");
	assert_string_equal(journal,
	    "MESSAGE=x\nPRIORITY=3\nSYSLOG_IDENTIFIER=skyptyd\n"
	    "SYSLOG_PID=4711\nSYSLOG_FACILITY=4\n");
}

struct seen {
	unsigned members;
	bool cut;
	size_t message; /* its length */
};

static int
count(void *arg, const struct json_event *ev)
{
	struct seen *seen = arg;

	seen->members += ev->depth == 1 && ev->key != NULL;
	if (ev->depth == 1 && ev->key != NULL && strcmp(ev->key, "cut") == 0)
		seen->cut = ev->truth;
	if (ev->depth == 1 && ev->key != NULL &&
	    strcmp(ev->key, "message") == 0)
		seen->message = ev->len;
	return 0;
}

/* Whatever the length, it is one object of one line, and says what is missing.
 */
static void
test_long(void **state)
{
	static const char fill[] = { 'a', '"', '\\', '\n', '\377' };
	static char text[LONG];
	struct log_line l;

	(void)state;
	for (size_t c = 0; c < sizeof(fill); c++)
		for (size_t n = 1; n < LONG; n += n < 1100 ? 7 : 501) {
			struct log_fields f = { .event = "ended" };
			struct seen seen = { 0, false, 0 };

			memset(text, fill[c], n);
			text[n] = '\0';
			for (int i = 0; i < LOG_FIELDS_MAX + 3; i++)
				log_put(&f, "name", text);
			assert_int_equal(f.n, LOG_FIELDS_MAX);
			/* One of a name is enough for a reader. */
			for (int i = 0; i < LOG_FIELDS_MAX; i++)
				f.each[i].name = &"abcdefghijkl"[i];
			l = line(&f, text);
			assert_in_range(log_format_json(json, &l), 100,
			    LOG_RECORD_MAX - 1);
			assert_null(strchr(json, '\n'));
			assert_int_equal(json_parse(json, strlen(json), count,
					     &seen, NULL, 0),
			    0);
			assert_true(seen.message != 0);
			/* Escapes are two bytes, or four. */
			if (!seen.cut)
				assert_int_equal(seen.message,
				    n * (unsigned)"\1\1\2\4\4"[c]);
			if (!seen.cut)
				assert_int_equal(seen.members,
				    8 + LOG_FIELDS_MAX);
			assert_true(n < 256 || seen.cut);
			assert_false(n < 20 && seen.cut);
			log_format_journal(journal, &l, 6, 4, "x");
			assert_in_range(strlen(journal), 1,
			    sizeof(journal) - 1);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests_name("log_format", tests, NULL, NULL);
}
