/* SPDX-License-Identifier: ISC */
/* The page, as it was when the program was built. */
#ifndef DAEMON_HTTP_PAGE_ASSETS_H
#define DAEMON_HTTP_PAGE_ASSETS_H

#include <stddef.h>

struct web_asset {
	const char *name;	   /* "index.html" */
	const char *type;	   /* of its content */
	const unsigned char *data; /* gzip'ed */
	size_t len;
	const char *etag; /* quoted */
};

extern const struct web_asset web_assets[];
extern const size_t web_nassets; /* 0: the page was left out */

#endif
