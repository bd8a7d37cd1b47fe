/* SPDX-License-Identifier: ISC */
/* What -L, -R, -D and -W say: as ssh(1) has it. */
#ifndef CLIENT_FORWARD_FORWARD_SPEC_H
#define CLIENT_FORWARD_FORWARD_SPEC_H

#include <stdbool.h>

#include "common/pty/mux_forward.h"

enum forward_way {
	FORWARD_LOCAL = 'L',  /* listen here, connect there */
	FORWARD_REMOTE = 'R', /* listen there, connect here */
	FORWARD_DYNAMIC = 'D' /* listen here, who calls says where to, there */
};

#define FORWARD_LOOPBACK "localhost"

struct forward_spec {
	enum forward_way way;
	/*
	 * Its name is FORWARD_LOOPBACK where none was given, and "" for all
	 * addresses; its port may be 0 for a way of FORWARD_REMOTE only.
	 */
	struct mux_place listen;
	struct mux_place connect; /* not of FORWARD_DYNAMIC */
};

/*
 * "[bind:]port:host:hostport", with a path in the place of either end, and
 * "[bind:]port" of a dynamic one.  A name in brackets is taken as it stands, a
 * backslash takes a colon's meaning away.  gateway: no bind address is all of
 * them.  NULL, or what is wrong, static.
 */
const char *forward_spec_parse(struct forward_spec *, enum forward_way,
    const char *text, bool gateway);
/* No more than where it listens, "[bind:]port" or a path.  The same. */
const char *forward_listen_parse(struct forward_spec *, enum forward_way,
    const char *text, bool gateway);
/* "host:port", "[v6]:port" or a path.  The same. */
const char *forward_target_parse(struct mux_place *, const char *text);

/* Room for the text of any, with NUL. */
#define FORWARD_TEXT_MAX (2 * (MUX_URI_MAX + 16))
/* As it could have been given, with "*" for all addresses. */
void
forward_spec_text(const struct forward_spec *, char text[FORWARD_TEXT_MAX]);
void forward_place_text(const struct mux_place *, char text[FORWARD_TEXT_MAX]);
/* Whether they listen at the same place, and on the same side. */
bool
forward_spec_same(const struct forward_spec *, const struct forward_spec *);

#endif
