/* SPDX-License-Identifier: ISC */
/* A connection by a command. */
#ifndef CLIENT_PROXY_H
#define CLIENT_PROXY_H

#include <stdbool.h>

struct conn;
struct ssh_tokens;

/*
 * A ProxyCommand with its tokens replaced; malloc'ed, or NULL with the reason
 * told.
 */
char *proxy_command(const char *text, const struct ssh_tokens *);

/*
 * Has the shell run it.  One that stays does so when our terminal goes, and has
 * our error output only with -v.  0, or EXIT_FAILED, told.
 */
int proxy_open(struct conn *, const char *command, bool stays);
/* Ends it; the connection is closed already. */
void proxy_close(struct conn *);

#endif
