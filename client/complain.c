/* SPDX-License-Identifier: ISC */
/* What the client tells its user: on standard error, in a file, in syslog(3).
 */
#include "client/complain.h"
#include "client/term.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "common/base/buf.h"
#include "common/base/visible.h"

#define HOST_TEXT_MAX 4096 /* bytes of a text of the host's */

/* Where messages go, and the last that went to syslog(3). */
static struct {
	enum complain_where where;
	FILE *file;
	char last[1024];
} messages;

void
complain_to(enum complain_where where, FILE *file)
{
	messages.where = where;
	messages.file = file;
}

void
complain_to_syslog(void)
{
	openlog("skypty", LOG_PID, LOG_DAEMON);
	complain_to(COMPLAIN_SYSLOG, NULL);
}

const char *
complain_last(void)
{
	return messages.last;
}

__attribute__((format(printf, 1, 0))) static void
complain_away(const char *fmt, va_list ap)
{
	char text[sizeof(messages.last) / VISIBLE_GROWTH];

	vsnprintf(text, sizeof(text), fmt, ap);
	visible_text(messages.last, sizeof(messages.last), text, strlen(text),
	    0);
	syslog(LOG_WARNING, "%s", messages.last);
}

void
complain(const char *fmt, ...)
{
	bool raw = messages.where == COMPLAIN_STDERR && term_is_raw();
	FILE *f = messages.where == COMPLAIN_FILE ? messages.file : stderr;
	va_list ap;

	term_lost();
	if (messages.where == COMPLAIN_NOBODY)
		return;
	va_start(ap, fmt);
	if (messages.where == COMPLAIN_SYSLOG) {
		complain_away(fmt, ap);
		va_end(ap);
		return;
	}

	/*
	 * Whatever it is made of: names, addresses, hosts' words.  In raw mode
	 * a line feed alone does not go back to the margin.
	 */
	fputs("skypty: ", f);
	visible_vline(f, raw ? "\r\n" : "\n", fmt, ap);
	va_end(ap);
}

const char *
complain_printable(const struct buf *text)
{
	static char out[VISIBLE_GROWTH * HOST_TEXT_MAX];

	visible_text(out, sizeof(out), buf_ptr(text),
	    buf_len(text) < HOST_TEXT_MAX ? buf_len(text) : HOST_TEXT_MAX,
	    VISIBLE_SLASH);
	return out;
}
