/* SPDX-License-Identifier: ISC */
/* skyptyd http: the process that starts and serves the confined one. */
#ifndef DAEMON_WEB_H
#define DAEMON_WEB_H

#include "common/web.h"
#include "daemon/skyptyd.h"

struct web_options {
	const char *addr; /* NULL: the default */
	const char *path; /* --unix */
	gid_t group;	  /* that may connect there; -1 */
	const char *hnet, *haddr;
	const char *token_file;
	const char *user; /* that the confined process runs as */
	bool i_know, verbose, quiet;
	struct web_conf conf;
};

/* 0; EXIT_USAGE with the reason told; -1: help was printed. */
int web_options_parse(struct web_options *, int argc, char **argv);
int web_main(int argc, char **argv);

#endif
