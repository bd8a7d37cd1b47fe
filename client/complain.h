/* SPDX-License-Identifier: ISC */
/* What the client tells its user. */
#ifndef CLIENT_COMPLAIN_H
#define CLIENT_COMPLAIN_H

#include <stdio.h>

#include "common/base/buf.h"

/* "skypty: ..." on standard error. */
void complain(const char *, ...) __attribute__((format(printf, 1, 2)));
/* From now on to syslog(3), as nobody reads our error output any more. */
void complain_to_syslog(void);
/* What was said last there, or "". */
const char *complain_last(void);
/*
 * Where they go from now on: to standard error, a file of ours, syslog(3),
 * which the caller has opened, or nowhere.
 */
enum complain_where {
	COMPLAIN_STDERR,
	COMPLAIN_FILE,
	COMPLAIN_SYSLOG,
	COMPLAIN_NOBODY
};
void complain_to(enum complain_where, FILE *);
/* Text of a host, with what is not printable escaped; static memory. */
const char *complain_printable(const struct buf *);

#endif
