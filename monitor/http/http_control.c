/* SPDX-License-Identifier: ISC */
/* Connections to the host, for the confined process. */
#include "monitor/http/http_dial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/unix.h"
#include "common/privsep/control.h"

static int
http_dial_unix(const struct http_options *o, char why[HTTP_TEXT])
{
	char found[CONTROL_PATH_MAX];
	const char *path = found;
	int fd;

	if (o->haddr != NULL) {
		path = o->haddr;
		fd = unix_connect(path, SOCK_NONBLOCK);
	} else
		fd = control_connect(SOCK_NONBLOCK, found);
	if (fd == -1 && o->haddr == NULL && errno == EPERM)
		snprintf(why, HTTP_TEXT,
		    "%s is served by another user; --haddr says that this is "
		    "meant",
		    path);
	else if (fd == -1)
		snprintf(why, HTTP_TEXT, "%s: %s", path, strerror(errno));
	return fd;
}

int
http_dial(struct http_dials *all, const struct http_options *o, uint16_t id,
    http_dialed *done, void *arg, char why[HTTP_TEXT])
{
	int fd;

	if (strcmp(o->hnet, "tcp") != 0)
		return (fd = http_dial_unix(o, why)) != -1 ? fd :
							     HTTP_DIAL_FAILED;
	return http_dial_tcp(all, o, id, done, arg, why) == 0 ?
	    HTTP_DIAL_LATER :
	    HTTP_DIAL_FAILED;
}
