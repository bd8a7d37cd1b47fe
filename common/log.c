/* SPDX-License-Identifier: ISC */
/* Log lines, to syslog or standard error, with nothing unprintable in them. */
#include "log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "err.h"

#define PREFIX_MAX 128

/* The process's one log. */
static struct {
	const char *ident;
	enum log_level level;
	bool to_syslog;
	char prefix[PREFIX_MAX];
} state = { .ident = "skypty", .level = LOG_LEVEL_INFO };

static const struct {
	const char *name;
	enum log_level level;
} names[] = {
	{ "panic", LOG_LEVEL_ERROR },
	{ "fatal", LOG_LEVEL_ERROR },
	{ "error", LOG_LEVEL_ERROR },
	{ "warn", LOG_LEVEL_WARN },
	{ "warning", LOG_LEVEL_WARN },
	{ "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG },
	{ "trace", LOG_LEVEL_DEBUG },
};

void
log_init(const char *ident, enum log_level level, bool use_syslog)
{
	state.ident = ident;
	state.level = level;
	state.to_syslog = use_syslog;
	if (use_syslog)
		openlog(ident, LOG_PID | LOG_NDELAY, LOG_AUTH);
}

void
log_set_level(enum log_level level)
{
	state.level = level;
}

enum log_level
log_get_level(void)
{
	return state.level;
}

int
log_parse_level(const char *text, enum log_level *level)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i].name) == 0) {
			*level = names[i].level;
			return 0;
		}
	return ERR_FORMAT;
}

void
log_set_prefix(const char *prefix)
{
	if (*prefix == '\0')
		state.prefix[0] = '\0';
	else
		snprintf(state.prefix, sizeof(state.prefix), "%s: ", prefix);
}

/* Printable ASCII as it is, anything else as \ooo, as far as dst goes. */
static size_t
escape(char *dst, size_t len, const char *src)
{
	size_t n = 0;
	unsigned char c;

	while ((c = (unsigned char)*src++) != '\0' && n + 5 <= len) {
		if (c >= ' ' && c <= '~') {
			dst[n++] = (char)c;
			continue;
		}
		dst[n++] = '\\';
		dst[n++] = (char)('0' + (c >> 6));
		dst[n++] = (char)('0' + (c >> 3 & 7));
		dst[n++] = (char)('0' + (c & 7));
	}
	dst[n] = '\0';
	return n;
}

static void
emit(enum log_level level, const char *text)
{
	static const int priority[] = { LOG_ERR, LOG_WARNING, LOG_INFO,
		LOG_DEBUG };
	char line[LOG_LINE_MAX + PREFIX_MAX + 64];
	ssize_t ignored;
	int n;

	if (state.to_syslog) {
		syslog(priority[level], "%s", text);
		return;
	}
	n = snprintf(line, sizeof(line), "%s[%ld]: %s\n", state.ident,
	    (long)getpid(), text);
	if (n > 0) {
		ignored = write(STDERR_FILENO, line, (size_t)n);
		(void)ignored;
	}
}

static void vlog(enum log_level, const char *, va_list)
    __attribute__((format(printf, 2, 0)));

static void
vlog(enum log_level level, const char *fmt, va_list ap)
{
	char raw[LOG_LINE_MAX], line[LOG_LINE_MAX];
	size_t n;

	if (level > state.level)
		return;
	n = (size_t)snprintf(raw, sizeof(raw), "%s", state.prefix);
	vsnprintf(raw + n, sizeof(raw) - n, fmt, ap);
	escape(line, sizeof(line), raw);
	emit(level, line);
}

void
log_at(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(level, fmt, ap);
	va_end(ap);
}

void
log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(LOG_LEVEL_WARN, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(LOG_LEVEL_INFO, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(LOG_LEVEL_DEBUG, fmt, ap);
	va_end(ap);
}
