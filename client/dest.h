/* SPDX-License-Identifier: ISC */
/* Where to: the host that a word names. */
#ifndef CLIENT_DEST_H
#define CLIENT_DEST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/pty/keys.h"

#define DEFAULT_PORT "2022"
#define DMSG_PORT    "22"

enum dest_kind { DEST_LOCAL, DEST_TCP, DEST_DMSG };

struct dest {
	enum dest_kind kind;
	struct key_public pk;
	char host[ADDR_HOST_MAX];
	char port[ADDR_PORT_MAX];
	uint16_t dmsg_port;
	bool skynet; /* DEST_DMSG: by a visor's other network */
	/* DEST_LOCAL: */
	const char *socket; /* NULL: where it is by default */
};

/* Whether a word looks like a destination rather than a command. */
bool dest_like(const char *);
/* 0, or EXIT_USAGE with the reason told.  port NULL: the carrier's own. */
int
dest_parse(struct dest *, struct keyctx *, const char *text, const char *port);

#endif
