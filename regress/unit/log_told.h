/* SPDX-License-Identifier: ISC */
/*
 * For tests that are linked with --wrap for log_info, log_event and log_debug:
 * the last line that the log was told of either, and what it was about.
 */
#ifndef REGRESS_UNIT_LOG_TOLD_H
#define REGRESS_UNIT_LOG_TOLD_H

#include <stdarg.h>
#include <stdio.h>

#include "common/base/log.h"

static char info[LOG_LINE_MAX], debug[2 * LOG_LINE_MAX];
static char event[2 * LOG_LINE_MAX]; /* "closed reason=served used_for=..." */

void __wrap_log_info(const char *, ...);
void __wrap_log_debug(const char *, ...);
void
__wrap_log_event(enum log_level, const struct log_fields *, const char *, ...);

void
__wrap_log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(info, sizeof(info), fmt, ap);
	va_end(ap);
}

void
__wrap_log_event(enum log_level level, const struct log_fields *f,
    const char *fmt, ...)
{
	va_list ap;
	size_t n;

	(void)level;
	va_start(ap, fmt);
	vsnprintf(info, sizeof(info), fmt, ap);
	va_end(ap);
	n = (size_t)snprintf(event, sizeof(event), "%s", f->event);
	for (size_t i = 0; i < f->n && n < sizeof(event); i++)
		if (f->each[i].text != NULL)
			n += (size_t)snprintf(event + n, sizeof(event) - n,
			    " %s=%s", f->each[i].name, f->each[i].text);
		else
			n += (size_t)snprintf(event + n, sizeof(event) - n,
			    " %s=%llu", f->each[i].name,
			    (unsigned long long)f->each[i].number);
}

void
__wrap_log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(debug, sizeof(debug), fmt, ap);
	va_end(ap);
}

#endif
