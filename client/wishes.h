/* SPDX-License-Identifier: ISC */
/* What is asked of a session besides its command. */
#ifndef CLIENT_WISHES_H
#define CLIENT_WISHES_H

#include <stdbool.h>

#include "common/pty/mux.h"

struct client_options;

/*
 * The service's URI with keep, login and, for a terminal, its modes.  Hosts
 * that do not know them pass over them.
 */
int wishes_uri(char uri[MUX_URI_MAX + 1], const char *service,
    const struct client_options *, bool terminal);

#endif
