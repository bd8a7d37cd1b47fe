/* SPDX-License-Identifier: ISC */
/*
 * log_format: texts divided by NUL become a line's; as JSON it is one object
 * of one line that reads back, for a journal one field a line.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static int
on_event(void *arg, const struct json_event *ev)
{
	size_t *members = arg;

	require(ev->depth <= 1);
	*members += ev->depth == 1 && ev->type != JSON_END;
	return 0;
}

static void
check_json(const struct log_line *l)
{
	char dst[LOG_RECORD_MAX];
	size_t members = 0, n = log_format_json(dst, l);

	require(n < sizeof(dst) && dst[n] == '\0' && strlen(dst) == n);
	for (size_t i = 0; i < n; i++)
		require(dst[i] >= ' ' && dst[i] <= '~');
	require(json_parse(dst, n, on_event, &members, NULL, 0) == 0);
	require(members >= 4);
}

static void
check_journal(const struct log_line *l)
{
	char dst[2 * LOG_RECORD_MAX];
	size_t n = log_format_journal(dst, l, 6, -1, "x");
	size_t lines = 0, most = 8 + (l->fields != NULL ? l->fields->n : 0);

	require(n < sizeof(dst) && strlen(dst) == n && dst[n - 1] == '\n');
	for (char *at = dst; *at != '\0'; at = strchr(at, '\n') + 1) {
		require(strncmp(at, "SKYPTY_", 7) == 0 ||
		    strncmp(at, "MESSAGE=x\n", 10) == 0 ||
		    strncmp(at, "PRIORITY=6\n", 11) == 0 ||
		    strncmp(at, "SYSLOG_", 7) == 0);
		lines++;
	}
	require(lines >= 4 && lines <= most);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const names[] = { "kind", "name", "user", "reason",
		"rule", "comment", "a", "b", "c", "d", "e", "f" };
	struct log_fields f = { .event = "ended" };
	struct log_line l = { .level = LOG_LEVEL_INFO, .ident = "skyptyd" };
	char *copy = malloc(n + 1), *at = copy;
	const char *texts[3] = { "", "", "" };
	size_t i;

	require(copy != NULL);
	memcpy(copy, data, n);
	copy[n] = '\0';
	for (i = 0; at < copy + n; at += strlen(at) + 1, i++)
		if (i < 3)
			texts[i] = at;
		else if (f.n < LOG_FIELDS_MAX)
			log_put(&f, names[f.n], at);
	l.id = n;
	l.text = texts[0];
	l.address = texts[1];
	l.key = texts[2];
	l.fields = f.n != 0 ? &f : NULL;
	check_json(&l);
	check_journal(&l);
	free(copy);
	return 0;
}
