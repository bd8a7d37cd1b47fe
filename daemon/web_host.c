/* SPDX-License-Identifier: ISC */
/* Connections to the host, for the confined process. */
#include "daemon/web.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/unix.h"

#define DEFAULT_SOCKET "/tmp/pty.sock"
#define SYSTEM_SOCKET  RUNSTATEDIR "/skyptyd/pty.sock"
#define CONNECT_S      5

static int
dial_unix(const struct web_options *o, char why[WEB_TEXT])
{
	const char *path = o->haddr;
	int fd;

	if (path == NULL)
		path = access(SYSTEM_SOCKET, F_OK) == 0 ? SYSTEM_SOCKET :
							  DEFAULT_SOCKET;
	if ((fd = unix_connect(path, SOCK_NONBLOCK)) == -1) {
		snprintf(why, WEB_TEXT, "%s: %s", path, strerror(errno));
	} else if (o->haddr == NULL && !unix_is_trusted(fd)) {
		snprintf(why, WEB_TEXT,
		    "%s is served by another user; --haddr says that this is "
		    "meant",
		    path);
		close(fd);
		fd = -1;
	}
	return fd;
}

static int
connect_to(const struct addrinfo *ai)
{
	struct timeval tv = { .tv_sec = CONNECT_S };
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
	    fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
		return fd;
	close(fd);
	return -1;
}

static int
dial_tcp(const char *addr, char why[WEB_TEXT])
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *ai;
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];
	const char *text = "write host:port";
	int fd = -1, r = -1;

	if (addr_split(addr, NULL, host, port) == 0 &&
	    (r = getaddrinfo(host, port, &hints, &list)) != 0)
		text = gai_strerror(r);
	for (ai = r == 0 ? list : NULL; ai != NULL && fd == -1;
	     ai = ai->ai_next)
		if ((fd = connect_to(ai)) == -1)
			text = strerror(errno);
	if (r == 0)
		freeaddrinfo(list);
	if (fd == -1)
		snprintf(why, WEB_TEXT, "%s: %s", addr, text);
	return fd;
}

int
web_dial(const struct web_options *o, char why[WEB_TEXT])
{
	return strcmp(o->hnet, "tcp") == 0 ? dial_tcp(o->haddr, why) :
					     dial_unix(o, why);
}
