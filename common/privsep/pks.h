/* SPDX-License-Identifier: ISC */
/*
 * The files authorized_pks and revoked_pks: their lines, their options, and
 * how they are read.  authorized_pks(5).
 */
#ifndef COMMON_PRIVSEP_PKS_H
#define COMMON_PRIVSEP_PKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/privsep/config.h"
#include "common/privsep/rights.h"

#define PKS_LINE_MAX 65536U		 /* bytes of a line */
#define PKS_FILE_MAX (64U * 1024 * 1024) /* bytes of a file */
#define PKS_LIST_MAX 256		 /* values of one option in a line */

/* --- pks_line.c: one line --- */

#define PKS_NO_KEY "not a public key (66 hexadecimal digits)"

/* A line of authorized_pks that says something. */
struct pks_line {
	struct key_public pk;
	struct rights rights; /* but for the rule */
	char *from;	      /* NULL: from anywhere */
	bool has_begin, has_end;
	int64_t begin, end; /* not-before=, expiry-time= */
};

/*
 * Reads one line without its newline.  1; 0 for a blank line or a comment;
 * SKY_ERR_FORMAT and SKY_ERR_NOMEM with a sentence in why, after which
 * line->pk is the key that the line is about, or zero if there is none to be
 * found.  Whether the key is a point of the curve is left to key_valid().
 */
int pks_parse(struct pks_line *, const char *text, size_t n, char *why, size_t);
void pks_free(struct pks_line *);
/*
 * A line of revoked_pks, with a NUL behind its n bytes: a key, and a comment.
 * 1, 0 or SKY_ERR_FORMAT.
 */
int pks_parse_revoked(const char *text, size_t n, struct key_public *);
/* A key and *comment behind it, borrowed from text: 1 or SKY_ERR_FORMAT. */
int pks_parse_key(const char *text, struct key_public *, const char **comment);
/*
 * Where the options of a line end, which may be at once.  NULL if a quote does
 * not.
 */
const char *pks_skip_options(const char *text);
/* Whether all conditions of a line hold; else why not. */
bool pks_holds(const struct pks_line *, const struct rights_peer *, char *why,
    size_t);

/* --- pks_options.c: what stands before the key --- */

/* Reads the options, which are written over. */
int pks_options(struct pks_line *, char *text, char *why, size_t);

/* --- pks_from.c, pks_time.c: values of options --- */

/* 0, or SKY_ERR_FORMAT and why. */
int pks_from_check(const char *list, char *why, size_t);
bool pks_from_matches(const char *list, const struct rights_peer *);
#define PKS_PEER_MAX 64
/* How a peer is called there: an address, "dmsg" or "local". */
void pks_from_name(const struct rights_peer *, char name[PKS_PEER_MAX]);
/*
 * YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, of the local time zone, or of UTC
 * with a Z behind it.  SKY_ERR_FORMAT.
 */
int pks_time(const char *text, int64_t *);
#define PKS_TIME_MAX 32
/* "YYYY-MM-DD HH:MM:SS" of the local time zone. */
void pks_time_text(int64_t, char text[PKS_TIME_MAX]);
/* Seconds, or numbers with s, m, h, d, w behind them.  SKY_ERR_FORMAT. */
int pks_interval(const char *text, unsigned *seconds);

/* --- pks_file.c: a file and what is beside it --- */

/* Where a line is. */
struct pks_at {
	const char *path;
	const char *name; /* for people: without the table's folder */
	unsigned long line;
};

struct pks_scan {
	/* Only lines in which this key stands somewhere, or NULL: all. */
	const struct key_public *pk;
	/*
	 * Called for each line, with a NUL behind it.  why is not NULL for one
	 * that is too long, and text is then if the line is nowhere as a whole.
	 * 0 goes on, 1 ends it, SKY_ERR_* as well.
	 */
	int (*on_line)(void *arg, const struct pks_at *, const char *text,
	    size_t n, const char *why);
	/* Of a file or folder beside the table that is left out; or NULL. */
	void (*on_skipped)(void *arg, const char *path, const char *why);
	void *arg;
	const struct config_report *report;
};

/*
 * Reads one file, which may be missing unless it must be there.  0 or what
 * on_line returned; SKY_ERR_AGAIN if it was changed meanwhile;
 * SKY_ERR_SYS, SKY_ERR_TYPE, SKY_ERR_LIMIT, SKY_ERR_DENIED, reported.
 */
int pks_read_file(const struct pks_scan *, const char *path, const char *name,
    bool must);
/* The same for a table: path and each file of path.d, in the names' order. */
int pks_read_table(const struct pks_scan *, const char *path, bool must);
/* Whether there is a table at all, whatever is in it. */
bool pks_any(const char *path);
#define PKS_STAMP_LEN 32
/*
 * A digest of what there is at path and in path.d: another one when anything
 * was changed.
 */
void pks_stamp(const char *path, uint8_t stamp[PKS_STAMP_LEN]);

#endif
