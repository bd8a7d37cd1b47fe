/* SPDX-License-Identifier: ISC */
/* skyptyd http: the process that starts and serves the confined one. */
#ifndef MONITOR_HTTP_HTTP_MONITOR_H
#define MONITOR_HTTP_HTTP_MONITOR_H

#include "common/privsep/http_conf.h"
#include "common/base/exits.h"
#include "common/base/log.h"
#include "common/privsep/sockets.h"

#define HTTP_TEXT 512 /* of a message, or the beginning of a link */

struct http_options {
	const char *addr; /* NULL: the default */
	const char *path; /* --unix */
	gid_t group;	  /* that may connect there; -1 */
	const char *hnet, *haddr;
	const char *token_file;
	const char *user; /* that the confined process runs as */
	bool i_know, verbose, quiet;
	struct http_conf conf;
};

/* 0; EXIT_USAGE, the reason printed; -1: help was printed. */
int http_options_parse(struct http_options *, int argc, char **argv);
/*
 * Opens, or takes over, the sockets, and adds to the configuration what
 * browsers may call them.  where: "https://name:port" for links, empty before.
 * -1: logged.
 */
int http_listen(struct http_options *, struct sockets *, char where[HTTP_TEXT]);

#endif
