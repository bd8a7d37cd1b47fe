/* SPDX-License-Identifier: ISC */
/* How a run went, for programs: a line of JSON a host, or a JUnit file. */
#include "client/complain.h"
#include "client/exits.h"
#include "client/fleet/fleet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/visible.h"

#define LINE_MAX_BYTES (16U * 1024 * 1024)

/* --- JSON --- */

/* Also what is no text comes out as some. */
static int
report_put_text(struct buf *b, const char *name, const void *text, size_t n)
{
	struct buf raw;
	int r;

	buf_init(&raw, LINE_MAX_BYTES);
	if ((r = json_put_string(&raw, text, n)) == 0 &&
	    (r = buf_put(b, name, strlen(name))) == 0)
		r = visible_json(b, buf_ptr(&raw), buf_len(&raw));
	buf_free(&raw);
	return r;
}

static void
report_json_host(const struct fleet_host *h)
{
	static const char *const names[] = { ",\"stdout\":", ",\"stderr\":" };
	char numbers[128];
	struct buf b;
	int r;

	buf_init(&b, LINE_MAX_BYTES);
	snprintf(numbers, sizeof(numbers),
	    ",\"outcome\":\"%s\",\"status\":%d,\"ms\":%lld",
	    fleet_outcome_word(h->outcome), h->status, (long long)h->ms);
	r = report_put_text(&b, "{\"host\":", h->dest, strlen(h->dest));
	if (r == 0)
		r = buf_put(&b, numbers, strlen(numbers));
	if (r == 0 && h->why != NULL)
		r = report_put_text(&b, ",\"why\":", h->why, strlen(h->why));
	for (int i = 0; r == 0 && h->group != NULL && i < 2; i++) {
		const struct buf *text = &h->group->text[i];

		r = report_put_text(&b, names[i], buf_ptr(text), buf_len(text));
		if (r == 0 && h->group->total[i] > buf_len(text)) {
			snprintf(numbers, sizeof(numbers),
			    ",\"std%s_bytes\":%llu", i == 0 ? "out" : "err",
			    (unsigned long long)h->group->total[i]);
			r = buf_put(&b, numbers, strlen(numbers));
		}
	}
	if (r == 0)
		printf("%.*s}\n", (int)buf_len(&b), buf_ptr(&b));
	else
		complain("%s: out of memory", h->label);
	buf_free(&b);
}

void
fleet_report_json(const struct fleet *f, int status)
{
	for (size_t i = 0; i < f->hosts.n; i++)
		report_json_host(&f->hosts.host[i]);
	printf("{\"run\":\"%s\",\"hosts\":%zu,\"failed\":%zu,\"status\":%d}\n",
	    f->journal.id, f->hosts.n, f->failed, status);
}

/* --- JUnit --- */

static void
report_xml(FILE *to, const void *text, size_t n)
{
	size_t size = VISIBLE_GROWTH * n + 1;
	char *plain = malloc(size);

	if (plain == NULL)
		return;
	visible_text(plain, size, text, n, 0);
	for (const char *p = plain; *p != '\0'; p++)
		switch (*p) {
		case '&':
			fputs("&amp;", to);
			break;
		case '<':
			fputs("&lt;", to);
			break;
		case '>':
			fputs("&gt;", to);
			break;
		case '"':
			fputs("&quot;", to);
			break;
		default:
			putc(*p, to);
		}
	free(plain);
}

static void
report_xml_lines(FILE *to, const char *element, const struct buf *text)
{
	const uint8_t *p = buf_ptr(text), *end = p + buf_len(text), *stop;

	if (p == end)
		return;
	fprintf(to, "<%s>", element);
	for (; p < end; p = stop + (stop < end)) {
		if ((stop = memchr(p, '\n', (size_t)(end - p))) == NULL)
			stop = end;
		report_xml(to, p, (size_t)(stop - p));
		putc('\n', to);
	}
	fprintf(to, "</%s>\n", element);
}

static void
report_junit_host(FILE *to, const struct fleet_host *h)
{
	char how[64];

	fputs("<testcase name=\"", to);
	report_xml(to, h->dest, strlen(h->dest));
	fprintf(to, "\" time=\"%lld.%03lld\">\n", (long long)(h->ms / 1000),
	    (long long)(h->ms % 1000));
	fleet_outcome_text(h, how, sizeof(how));
	if (h->outcome == OUTCOME_LEFT)
		fputs("<skipped/>\n", to);
	else if (fleet_host_failed(h)) {
		fprintf(to, "<failure message=\"%s\">", how);
		if (h->why != NULL)
			report_xml(to, h->why, strlen(h->why));
		fputs("</failure>\n", to);
	}
	if (h->group != NULL) {
		report_xml_lines(to, "system-out", &h->group->text[0]);
		report_xml_lines(to, "system-err", &h->group->text[1]);
	}
	fputs("</testcase>\n", to);
}

int
fleet_report_junit(const struct fleet *f)
{
	const char *path = f->o->fleet.junit;
	FILE *to = fopen(path, "we");
	size_t left = 0;

	for (size_t i = 0; i < f->hosts.n; i++)
		left += f->hosts.host[i].outcome == OUTCOME_LEFT;
	if (to != NULL) {
		fprintf(to,
		    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		    "<testsuite name=\"skypty fleet %s\" tests=\"%zu\" "
		    "failures=\"%zu\" skipped=\"%zu\">\n",
		    f->journal.id, f->hosts.n, f->failed, left);
		for (size_t i = 0; i < f->hosts.n; i++)
			report_junit_host(to, &f->hosts.host[i]);
		fputs("</testsuite>\n", to);
		if (!ferror(to) && fclose(to) == 0)
			return 0;
	}
	complain("--junit %s: %s", path, strerror(errno));
	return EXIT_LOCAL;
}
