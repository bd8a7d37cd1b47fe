/* SPDX-License-Identifier: ISC */
/*
 * Log lines, to syslog(3) or standard error.  Whatever a line is made of,
 * bytes that are not printable ASCII leave escaped, so that a peer cannot forge
 * lines or drive a terminal.
 *
 * No line is waited for.  One that whoever reads does not take at once is lost,
 * and how many those were is said before the next one that is taken.
 */
#ifndef COMMON_BASE_LOG_H
#define COMMON_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

#define LOG_LINE_MAX 1024 /* bytes of one line, escapes included */
#define LOG_ID_LEN   16	  /* digits of a connection's id */

/* ident is kept, not copied.  Call before chroot. */
void log_init(const char *ident, enum log_level, bool use_syslog);
/*
 * Whether somebody waits at standard error for a start to succeed: errors and
 * warnings go there, too, where the log goes to syslog.
 */
void log_set_watched(bool);
void log_set_level(enum log_level);
enum log_level log_get_level(void);
/* "error", "warn", "info", "debug", and the original's "trace", "fatal"... */
int log_parse_level(const char *, enum log_level *);
/*
 * Put before every line from now on, with a colon behind it, e.g. "127.0.0.1
 * port 40000"; copied, up to 127 bytes.  "" is none.
 */
void log_set_prefix(const char *);
/*
 * The connection that the lines from now on are about: 16 hexadecimal digits,
 * and a blank, before all else.  0 is none.
 */
void log_set_id(uint64_t);

/*
 * One line, without its end, where log_init says; unprintables are escaped and
 * what is longer than LOG_LINE_MAX is cut.  Lines above the level are dropped.
 */
void log_error(const char *, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *, ...) __attribute__((format(printf, 1, 2)));
void
log_at(enum log_level, const char *, ...) __attribute__((format(printf, 2, 3)));

#endif
