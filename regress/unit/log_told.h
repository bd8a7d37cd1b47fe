/* SPDX-License-Identifier: ISC */
/*
 * For tests that are linked with --wrap for log_info and log_debug: the last
 * line that the log was told of either.
 */
#ifndef REGRESS_UNIT_LOG_TOLD_H
#define REGRESS_UNIT_LOG_TOLD_H

#include <stdarg.h>
#include <stdio.h>

#include "common/base/log.h"

static char info[LOG_LINE_MAX], debug[2 * LOG_LINE_MAX];

void __wrap_log_info(const char *, ...);
void __wrap_log_debug(const char *, ...);

void
__wrap_log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(info, sizeof(info), fmt, ap);
	va_end(ap);
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
