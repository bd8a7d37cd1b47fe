/* SPDX-License-Identifier: ISC */
/* Who may ask. */
#ifndef DAEMON_HTTP_HTTP_ORIGIN_H
#define DAEMON_HTTP_HTTP_ORIGIN_H

#include <stdbool.h>

#include "common/privsep/http_conf.h"

/* Whether a Host field names us: no page of another name, by DNS, is us. */
bool origin_host_ok(const struct http_conf *, const char *host);
/* Whether a page of that origin may open a WebSocket; NULL: not a browser. */
bool origin_ok(const struct http_conf *, const char *origin, const char *host);

#endif
