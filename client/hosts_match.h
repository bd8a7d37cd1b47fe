/* SPDX-License-Identifier: ISC */
/* What the parts of the file of names share. */
#ifndef CLIENT_HOSTS_MATCH_H
#define CLIENT_HOSTS_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "client/hosts.h"
#include "client/ssh/ssh_opts.h"

/* What is known of a destination while the file is read. */
struct hosts_known {
	const char *alias;	    /* NULL: its names are listed */
	const struct host *host;    /* what the file has said */
	const struct ssh_opts *ssh; /* and of ssh's; NULL but for skypty-ssh */
};

/*
 * Whether the section of a Match line holds: NULL, or what is wrong with which
 * word.  Without an alias only its form is looked at.
 */
const char *hosts_match(const struct hosts_known *, char **words, size_t n,
    const char **word, bool *holds);
/*
 * They point into known and *host, which is malloc'ed; without an alias they
 * say nothing.  0, or EXIT_FAILED.
 */
int hosts_tokens(const struct hosts_known *, struct ssh_tokens *, char **host);

#endif
