/* SPDX-License-Identifier: ISC */
/* Log lines for programs to read. */
#include "common/base/log_format.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FIELD_MAX   256	 /* bytes of a field, escapes included */
#define MESSAGE_MIN 1024 /* bytes that fields leave to the message of JSON */

/* What has been made of a line so far: never more than there is room for. */
struct log_record {
	char *text;
	size_t n, max;
	bool cut;
};

const char *
log_escape(char *dst, size_t len, const char *src)
{
	size_t n = 0;
	unsigned char c;

	for (; (c = (unsigned char)*src) != '\0' && n + 5 <= len; src++) {
		if (c >= ' ' && c <= '~' && c != '\\') {
			dst[n++] = (char)c;
			continue;
		}
		dst[n++] = '\\';
		if (c == '\\') {
			dst[n++] = '\\';
			continue;
		}
		dst[n++] = (char)('0' + (c >> 6));
		dst[n++] = (char)('0' + (c >> 3 & 7));
		dst[n++] = (char)('0' + (c & 7));
	}
	dst[n] = '\0';
	return src;
}

static void record_put(struct log_record *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/* All of it or nothing. */
static void
record_put(struct log_record *r, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(r->text + r->n, r->max - r->n, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < r->max - r->n)
		r->n += (size_t)n;
	else
		r->cut = true;
	r->text[r->n] = '\0';
}

/* --- JSON --- */

/*
 * As log_escape(), and in quotes of JSON, where nothing of that but these two
 * is in the way.  What dst has no room for is cut off.
 */
static void
json_escape(struct log_record *r, char *dst, size_t len, const char *src)
{
	char plain[LOG_LINE_MAX];
	const char *p = plain;
	size_t n = 0;

	r->cut |= *log_escape(plain, sizeof(plain), src) != '\0';
	for (; *p != '\0' && n + 3 <= len; p++) {
		if (*p == '"' || *p == '\\')
			dst[n++] = '\\';
		dst[n++] = *p;
	}
	dst[n] = '\0';
	r->cut |= *p != '\0';
}

static void
json_put_text(struct log_record *r, const char *name, const char *text)
{
	char quoted[FIELD_MAX];

	json_escape(r, quoted, sizeof(quoted), text);
	record_put(r, ",\"%s\":\"%s\"", name, quoted);
}

static void
json_put_fields(struct log_record *r, const struct log_fields *f)
{
	json_put_text(r, "event", f->event);
	for (size_t i = 0; i < f->n; i++)
		if (f->each[i].text != NULL)
			json_put_text(r, f->each[i].name, f->each[i].text);
		else
			record_put(r, ",\"%s\":%" PRIu64, f->each[i].name,
			    f->each[i].number);
}

/* As much of it as there is room for. */
static void
json_put_message(struct log_record *r, const char *text)
{
	static const char around[] = ",\"cut\":true,\"message\":\"\"}";
	char quoted[2 * LOG_LINE_MAX];
	size_t room = r->max - r->n - sizeof(around);

	json_escape(r, quoted, room < sizeof(quoted) ? room : sizeof(quoted),
	    text);
	record_put(r, "%s,\"message\":\"%s\"}", r->cut ? ",\"cut\":true" : "",
	    quoted);
}

size_t
log_format_json(char dst[LOG_RECORD_MAX], const struct log_line *l)
{
	static const char *const levels[] = { "error", "warn", "info",
		"debug" };
	struct log_record r = { .text = dst,
		.max = LOG_RECORD_MAX - MESSAGE_MIN };
	struct tm tm = { 0 };
	char when[32];

	(void)gmtime_r(&l->time.tv_sec, &tm);
	(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	record_put(&r, "{\"time\":\"%s.%03ldZ\",\"level\":\"%s\",\"pid\":%ld",
	    when, l->time.tv_nsec / 1000000, levels[l->level], l->pid);
	if (l->id != 0)
		record_put(&r, ",\"id\":\"%016" PRIx64 "\"", l->id);
	if (*l->address != '\0')
		json_put_text(&r, "address", l->address);
	if (*l->key != '\0')
		json_put_text(&r, "key", l->key);
	if (l->fields != NULL)
		json_put_fields(&r, l->fields);
	r.max = LOG_RECORD_MAX;
	json_put_message(&r, l->text);
	return r.n;
}

/* --- journal --- */

/* SKYPTY_ and the name in capitals, as a journal wants it. */
static void
journal_put_text(struct log_record *r, const char *name, const char *text)
{
	char upper[32], plain[FIELD_MAX];
	size_t n = 0;

	for (; name[n] != '\0' && n < sizeof(upper) - 1; n++)
		upper[n] = (char)toupper((unsigned char)name[n]);
	upper[n] = '\0';
	(void)log_escape(plain, sizeof(plain), text);
	record_put(r, "SKYPTY_%s=%s\n", upper, plain);
}

size_t
log_format_journal(char dst[2 * LOG_RECORD_MAX], const struct log_line *l,
    int priority, int facility, const char *message)
{
	struct log_record r = { .text = dst, .max = 2 * LOG_RECORD_MAX };
	const struct log_fields *f = l->fields;

	record_put(&r,
	    "MESSAGE=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nSYSLOG_PID=%ld\n",
	    message, priority, l->ident, l->pid);
	if (facility != -1)
		record_put(&r, "SYSLOG_FACILITY=%d\n", facility);
	if (l->id != 0)
		record_put(&r, "SKYPTY_CONN_ID=%016" PRIx64 "\n", l->id);
	if (*l->address != '\0')
		journal_put_text(&r, "address", l->address);
	if (*l->key != '\0')
		journal_put_text(&r, "pk", l->key);
	if (f == NULL)
		return r.n;
	journal_put_text(&r, "event", f->event);
	for (size_t i = 0; i < f->n; i++) {
		char number[24];

		(void)snprintf(number, sizeof(number), "%" PRIu64,
		    f->each[i].number);
		journal_put_text(&r, f->each[i].name,
		    f->each[i].text != NULL ? f->each[i].text : number);
	}
	return r.n;
}
