/* SPDX-License-Identifier: ISC */
/* The tables of what becomes of each option of ssh, for those that read them.
 */
#ifndef CLIENT_SSH_SSH_TABLE_H
#define CLIENT_SSH_SSH_TABLE_H

#include <stdint.h>

#include "client/ssh/ssh_opts.h"

/* What a keyword takes. */
enum ssh_form {
	FORM_WORD,     /* one word */
	FORM_ONE_OF,   /* one of those that follow */
	FORM_WORDS,    /* one or more */
	FORM_REST,     /* the rest of the line, as it is */
	FORM_PORT,     /* a number, or a service's name */
	FORM_NUMBER,   /* not negative */
	FORM_TIME,     /* 10, 1h30m, none */
	FORM_ESCAPE,   /* c, ^c, none */
	FORM_OBSCURE,  /* yes, no, interval:MS */
	FORM_IDENTITY, /* a file; each adds one */
	FORM_PATTERNS, /* names of variables; each adds some */
	FORM_SETTINGS, /* NAME=VALUE ... */
	FORM_FORWARD,  /* where to listen, and to connect; each adds one */
	FORM_DIRECTIVE /* stands in files only */
};

/*
 * Harmless without a name; with one, done, or, with a reason, refused unless it
 * says one of those that are fine.
 */
struct ssh_keyword {
	const char *keyword;
	enum ssh_form form;
	const char *values;
	enum ssh_name name;
	const char *fine;
	const char *why;
};

struct ssh_flag {
	int letter;
	bool takes; /* a value */
	enum {
		FLAG_FIRST, /* unless it is said already */
		FLAG_LAST,  /* whatever was said */
		FLAG_HARMLESS,
		FLAG_REFUSED, /* at once */
		FLAG_OWN      /* in its own way */
	} rule;
	enum ssh_name name;
	const char *text; /* what it says, without a value; why it is refused */
};

/* By its name in either case; or in the order of the table, up to NULL. */
const struct ssh_keyword *ssh_keyword_find(const char *);
const struct ssh_keyword *ssh_keyword_at(size_t);
/* By its letter, or NULL. */
const struct ssh_flag *ssh_flag_find(int letter);
#define SSH_LETTERS_MAX 256
/* For getopt(3): stop at a word that is no flag, tell what lacks a value. */
void ssh_flag_letters(char letters[SSH_LETTERS_MAX]);

/*
 * One of the words of a list, in either case, as it stands there; "true" is
 * "yes" and "false" "no".
 */
bool ssh_one_of(const char *list, const char *word, char *found, size_t len);
/* A number or a service's name as a number; 0: it is neither. */
uint16_t ssh_port(const char *);
/* "x", "^x" or "none". */
bool ssh_is_escape(const char *);
/* Says something whatever was said.  0, or EXIT_FAILED. */
int ssh_opts_last(struct ssh_opts *, enum ssh_name, const char *text,
    const char *from);

#endif
