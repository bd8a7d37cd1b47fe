/* SPDX-License-Identifier: ISC */
/*
 * The records of logins: utmp(5), wtmp and lastlog, where a machine keeps them.
 */
#ifndef MONITOR_RECORDS_H
#define MONITOR_RECORDS_H

#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <utmpx.h>

struct session_origin;

struct login_record {
	bool written; /* there is something to be taken back */
	struct utmpx entry;
};

struct record_last {
	int64_t when; /* time(2); 0: never, or not known */
	char tty[32 + 1], host[256 + 1];
};

/*
 * Records that the account has logged in at this terminal, as this process.
 * Of its login before that *last tells, where lastlog is kept.  What could not
 * be written is in warning, which is "" else: it is no reason to refuse.
 */
void records_login(struct login_record *, struct record_last *,
    const struct passwd *, const struct session_origin *, const char *tty,
    char *warning, size_t len);
void records_logout(const struct login_record *);

#endif
