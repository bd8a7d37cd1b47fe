/* SPDX-License-Identifier: ISC */
/* authorized_pks and revoked_pks as an admin sees them, line by line. */
#ifndef DAEMON_TABLES_H
#define DAEMON_TABLES_H

#include <getopt.h>

#include "common/privsep/pks.h"
#include "daemon/skyptyd.h"

/* A line that says something, or means to. */
struct table_entry {
	const struct pks_at *at;
	bool revoked;		     /* of revoked_pks */
	struct key_public pk;	     /* zero: not to be made out */
	const char *options;	     /* as they are written */
	const char *comment;	     /* "" if none */
	const struct pks_line *line; /* NULL: useless, or revoked_pks */
	const char *why;	     /* it is useless; or NULL */
};

struct tables_reader {
	/* 0 goes on, anything else is what tables_read() returns. */
	int (*on_entry)(void *arg, const struct table_entry *);
	/* Of files in the folder that are left out; or NULL. */
	void (*on_skipped)(void *arg, const char *path, const char *why);
	void *arg;
	const struct config_report *report;
};

/* revoked_pks, then the table.  0, or SKY_ERR_*, reported. */
int tables_read(const struct settings *, struct keyctx *,
    const struct tables_reader *);
/* The same for one key's lines; on_skipped is not called. */
int tables_read_key(const struct settings *, struct keyctx *,
    const struct key_public *, const struct tables_reader *);

/* --- authorize.c, keys.c: commands.  Exit statuses. --- */

int authorize_main(int argc, char **argv);
int revoke_main(int argc, char **argv);
int keys_main(int argc, char **argv);
/*
 * What begins each of them: the flags, the configuration, the log on standard
 * error.  0 and what is left of the arguments; an exit status; -1: help was
 * printed.
 */
struct lists_command {
	const char *usage;
	const char *mode;	  /* "revoke " */
	const struct option *own; /* flags that are its own, without -c */
	unsigned flags;		  /* those given: bits by their val */
	struct keyctx *keyctx;
	struct settings set;
	int argc;
	char **argv;
};
int lists_begin(struct lists_command *, int argc, char **argv);
/* The log hears who has changed what, by syslog(3): "authorize", "revoke". */
void lists_tell(struct lists_command *, const char *event,
    const struct key_public *, const char *path);
void lists_end(struct lists_command *);

/* What is in them. */
struct tables_sum {
	size_t keys, revoked; /* lines that are good */
	size_t useless;
	bool unreadable; /* nobody gets in */
};

/*
 * Says what is wrong: lines that are of no use, accounts that there are not,
 * files that are left out; no more than max times, and how many there are
 * besides.  Without a keyctx points and accounts are not looked at.
 */
void tables_check(const struct settings *, struct keyctx *,
    const struct config_report *, size_t max, struct tables_sum *);
/* What a daemon that begins to serve has to say of them. */
void tables_log(const struct settings *);
/* Which files decide. */
struct rights_files
tables_files(const struct settings *, const struct config_report *);

#endif
