/* SPDX-License-Identifier: ISC */
/*
 * Log lines for programs to read: as JSON, and as a journal takes them.  Both
 * are made of printable ASCII, whatever is in a line: what is not, and a
 * backslash, is escaped as in the text.
 */
#ifndef COMMON_BASE_LOG_FORMAT_H
#define COMMON_BASE_LOG_FORMAT_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/base/log.h"

/*
 * Bytes of such a line.  Several processes write to one pipe, where no more
 * than that is written as a whole: PIPE_BUF.
 */
#define LOG_RECORD_MAX 4096

struct log_line {
	enum log_level level;
	struct timespec time;
	long pid;
	const char *ident;		 /* the program's */
	uint64_t id;			 /* of the connection; 0: none */
	const char *address;		 /* where it comes from, or "" */
	const char *key;		 /* whose it is, or "" */
	const struct log_fields *fields; /* or NULL */
	const char *text;
};

/*
 * Printable ASCII but for the backslash as it is; what dst has room for.  The
 * rest, for which there was none.
 */
const char *log_escape(char *dst, size_t len, const char *src);
/*
 * One object, without an end of line: time, level, pid, id, address, key,
 * event, the fields, message.  What has no room is cut or left out, and "cut"
 * says so.
 */
size_t log_format_json(char dst[LOG_RECORD_MAX], const struct log_line *);
/*
 * One datagram for a journal's socket: message is its MESSAGE, and has been
 * escaped.  facility is that of syslog(3), or -1.
 */
size_t log_format_journal(char dst[2 * LOG_RECORD_MAX], const struct log_line *,
    int priority, int facility, const char *message);

#endif
