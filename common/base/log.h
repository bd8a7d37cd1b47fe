/* SPDX-License-Identifier: ISC */
/*
 * Log lines, to syslog(3), a journal or standard error.  Whatever a line is
 * made of, bytes that are not printable ASCII leave escaped, so that a peer
 * cannot forge lines or drive a terminal.
 *
 * No line is waited for.  One that whoever reads does not take at once is lost,
 * and how many those were is said before the next one that is taken.
 */
#ifndef COMMON_BASE_LOG_H
#define COMMON_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

#define LOG_LINE_MAX 1024 /* bytes of one line of text, escapes included */
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
 * The key that whoever the lines from now on are about has proven, 66 digits;
 * copied.  Only programs that read the log see it in each line.
 */
void log_set_key(const char *);
/* The text of a line stays what it is: in JSON it is one member of several. */
void log_set_format(enum log_format);

/*
 * What a line tells, for programs to read: in JSON and in a journal it is
 * beside the text.  Events and names are those of the table in skyptyd(8).
 * Zero-initialise but for event.
 */
#define LOG_FIELDS_MAX 12
struct log_field {
	const char *name, *text;
	uint64_t number; /* if there is no text */
};
struct log_fields {
	const char *event;
	size_t n;
	struct log_field each[LOG_FIELDS_MAX];
};
/* Of a line that has none but its event. */
#define LOG_EVENT(name) (&(const struct log_fields){ .event = (name) })
/* text is borrowed until the line is written; NULL and "" are left out. */
void log_put(struct log_fields *, const char *name, const char *text);
void log_put_number(struct log_fields *, const char *name, uint64_t);

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
void log_event(enum log_level, const struct log_fields *, const char *, ...)
    __attribute__((format(printf, 3, 4)));

#endif
