/* SPDX-License-Identifier: ISC */
/* What skyptyd-http may still do when it meets browsers. */
#ifndef DAEMON_HTTP_HTTP_CONFINE_H
#define DAEMON_HTTP_HTTP_CONFINE_H

#include "common/privsep/http_conf.h"
#include "common/privsep/sandbox.h"

/* Descriptors that it may have, for libwebsockets' tables as well. */
unsigned http_descriptors(const struct http_conf *);
/* For good.  As sandbox_enter. */
int http_confine(const struct http_conf *, sandbox_report *, void *arg);

#endif
