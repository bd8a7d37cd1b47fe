/* SPDX-License-Identifier: ISC */
/*
 * The first message of a confined process: how it is to be confined.  Its
 * monitor's own is in start.h.
 */
#ifndef COMMON_PRIVSEP_WELCOME_H
#define COMMON_PRIVSEP_WELCOME_H

#include "common/privsep/privmsg.h"
#include "common/privsep/sandbox.h"

struct welcome {
	enum priv_carrier carrier;
	/* Whose filter, memory and descriptors: the reader's. */
	struct sandbox sandbox;
	char *root; /* the reader's: malloc'ed, behind sandbox.root */
};

/* Sends it; root is not looked at.  As privmsg_send. */
int welcome_send(int child, const struct welcome *);

/*
 * Waits for it on the monitor's socket.  The message's storage is kept.
 * SKY_ERR_STATE for another message, SKY_ERR_FORMAT for another version.
 */
int welcome_recv(int monitor, struct privmsg *, struct welcome *);

#endif
