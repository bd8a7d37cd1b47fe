/* SPDX-License-Identifier: ISC */
/* The first message of a confined process: how it is to be confined. */
#ifndef COMMON_PRIVSEP_WELCOME_H
#define COMMON_PRIVSEP_WELCOME_H

#include "common/privsep/privmsg.h"
#include "common/privsep/sandbox.h"

struct welcome {
	enum priv_carrier carrier;
	struct sandbox sandbox; /* memory and descriptors: the reader's */
	char *root;		/* malloc'ed, behind sandbox.root */
};

/*
 * Waits for it on the monitor's socket.  The message's storage is kept.
 * SKY_ERR_STATE for another message, SKY_ERR_FORMAT for another version.
 */
int welcome_recv(int monitor, struct privmsg *, struct welcome *);

#endif
