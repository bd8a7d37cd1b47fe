/* SPDX-License-Identifier: ISC */
/* The confinement of skyptyd-http: sandbox.c's, and what libwebsockets needs.
 */
#include "daemon/http/http_confine.h"

#define DESCRIPTORS 64 /* beside those of browsers */
#define PER_CLIENT  8  /* two connections of four ends */
#define MEMORY	    (512U * 1024 * 1024)

unsigned
http_descriptors(const struct http_conf *c)
{
	return DESCRIPTORS + 2 * HTTP_STRANGERS + PER_CLIENT * c->max_clients;
}

int
http_confine(const struct http_conf *c, sandbox_report *report, void *arg)
{
	struct sandbox sb = { .program = SANDBOX_HTTP,
		.drop = c->drop,
		.best_effort = c->best_effort,
		.root = c->root,
		.uid = c->uid,
		.gid = c->gid,
		.memory = MEMORY,
		.nofile = http_descriptors(c) };

	return sandbox_enter(&sb, report, arg);
}
