/* SPDX-License-Identifier: ISC */
/* Where ssh's command line leads, and as whom. */
#ifndef CLIENT_SSH_SSH_DEST_H
#define CLIENT_SSH_SSH_DEST_H

#include "client/options.h"
#include "client/ssh/ssh_opts.h"

/* The word that is the destination; all malloc'ed. */
struct ssh_dest {
	char *word;   /* as it was given */
	char *host;   /* without user, scheme and port */
	char *scheme; /* "tcp://", "dmsg://", "skynet://", or NULL */
};

/*
 * Takes "[user@]host[:port]", also behind a scheme, apart: user and port are
 * said as with -l and -p.  0, or EXIT_FAILED, told.
 */
int ssh_dest_word(struct ssh_dest *, struct ssh_opts *, const char *word);
/*
 * Reads the file of names and finds out where to go; what the file says of it
 * comes into the options of both kinds.  0, or EXIT_FAILED, told.
 */
int ssh_dest_find(struct ssh_dest *, struct ssh_opts *, struct client_options *,
    struct keyctx *);
/* For tokens: they point into dest and options, after ssh_dest_find. */
void ssh_dest_tokens(const struct ssh_dest *, const struct ssh_opts *,
    const struct client_options *, struct ssh_tokens *);
void ssh_dest_free(struct ssh_dest *);
/* ssh_print.c: what counts of them all, on standard output. */
void ssh_print(const struct ssh_dest *, const struct ssh_opts *,
    const struct client_options *);

#endif
