/* SPDX-License-Identifier: ISC */
/* Where a forward listens on this machine. */
#include "client/forward/forward_int.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/tcp.h"

#define BACKLOG 128
#define AT_ONCE 32 /* and then others have their turn */

/* --- who comes --- */

/* What else would wait for ever: it is let in and sent away. */
static void
near_turn_away(struct forwards *all, int listener)
{
	if (all->spare == -1)
		return;
	close(all->spare);
	all->spare = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (all->spare != -1)
		close(all->spare);
	all->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* A connection that the host has been asked for. */
struct near_try {
	struct hub *hub;
	uint32_t id;
};

static void
near_told(void *arg, int fd, const char *why)
{
	struct near_try *t = arg;
	struct forward *f = forward_by_id(t->hub, t->id);

	(void)fd;
	if (why != NULL && f != NULL)
		forward_tell(f, why);
	free(t);
}

static void
near_connect(struct forward *f, int fd)
{
	struct near_try *t = calloc(1, sizeof(*t));
	char uri[MUX_URI_MAX + 1];
	int r = t != NULL ? 0 : SKY_ERR_NOMEM;

	if (r == 0) {
		*t = (struct near_try){ f->all->hub, f->id };
		if ((r = mux_forward_uri(uri, &f->spec.connect)) == 0)
			r = hub_open(t->hub, uri, fd, near_told, t);
	}
	if (r == 0)
		return;
	forward_tell(f, err_text(r));
	close(fd);
	free(t);
}

static void
near_serve(struct forward *f, int fd)
{
	if (!f->spec.listen.is_path)
		tcp_set_options(fd);
	if (f->spec.way == FORWARD_DYNAMIC)
		guest_new(f, fd);
	else
		near_connect(f, fd);
}

static void
near_on_caller(struct hub *h, struct hub_watch *w, uint32_t events)
{
	struct forward_door *door = (struct forward_door *)((char *)w -
	    offsetof(struct forward_door, watch));
	int fd;

	(void)h, (void)events;
	for (int i = 0; i < AT_ONCE; i++) {
		fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd != -1)
			near_serve(door->forward, fd);
		else if (errno == EMFILE || errno == ENFILE)
			near_turn_away(door->forward->all, w->fd);
		else if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

/* --- listening --- */

/* A descriptor that is bound, or -1 with errno. */
static int
near_listen(int fd)
{
	int error;

	if (fd == -1 || listen(fd, BACKLOG) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int
near_bind(const struct sockaddr *sa, socklen_t len)
{
	int fd = socket(sa->sa_family,
		SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
	    on = 1, error;

	if (fd == -1)
		return -1;
	if (sa->sa_family != AF_UNIX)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (sa->sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
		    sizeof(on));
	if (bind(fd, sa, len) == 0)
		return near_listen(fd);
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static bool
near_watch(struct forward *f, size_t i, int fd)
{
	f->door[i].watch.fd = fd;
	f->door[i].watch.on = near_on_caller;
	if (hub_watch(f->all->hub, &f->door[i].watch, EPOLLIN) == 0)
		return true;
	f->door[i].watch.fd = -1;
	close(fd);
	return false;
}

static bool
near_open_path(struct forward *f, char why[FORWARD_WHY_MAX])
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	mode_t mask;
	int fd;

	strlcpy(sa.sun_path, f->spec.listen.name, sizeof(sa.sun_path));
	if (f->how & FORWARD_UNLINK)
		(void)unlink(sa.sun_path);
	mask = umask(0177);
	fd = near_bind((struct sockaddr *)&sa, sizeof(sa));
	(void)umask(mask);
	if (fd != -1 && near_watch(f, 0, fd))
		return true;
	snprintf(why, FORWARD_WHY_MAX, "%s: %s", sa.sun_path, strerror(errno));
	return false;
}

/* An address of a family that this machine lacks is none. */
static bool
near_is_missing(int error)
{
	return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

static bool
near_open_address(struct forward *f, size_t i, const char *address,
    char why[FORWARD_WHY_MAX])
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE },
			*list;
	char port[16];
	int fd, r;

	snprintf(port, sizeof(port), "%u", f->spec.listen.port);
	if ((r = getaddrinfo(address, port, &hints, &list)) != 0) {
		snprintf(why, FORWARD_WHY_MAX, "%s: %s", address,
		    gai_strerror(r));
		return false;
	}
	fd = near_bind(list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	if (fd != -1 && near_watch(f, i, fd))
		return true;
	snprintf(why, FORWARD_WHY_MAX, "%s port %s: %s", address, port,
	    strerror(errno));
	return false;
}

/* On either family where there is no address; of the two one may be missing. */
static bool
near_open_both(struct forward *f, const char *const address[FORWARD_DOORS],
    char why[FORWARD_WHY_MAX])
{
	size_t open = 0;

	for (size_t i = 0; i < FORWARD_DOORS; i++)
		if (near_open_address(f, i, address[i], why))
			open++;
		else if (!near_is_missing(errno))
			return false;
	return open != 0;
}

bool
near_open(struct forward *f, char why[FORWARD_WHY_MAX])
{
	static const char *const own[] = { "127.0.0.1", "::1" };
	static const char *const all[] = { "0.0.0.0", "::" };
	const char *name = f->spec.listen.name;

	if (f->spec.listen.is_path)
		return near_open_path(f, why);
	if (strcmp(name, FORWARD_LOOPBACK) == 0)
		return near_open_both(f, own, why);
	if (*name == '\0')
		return near_open_both(f, all, why);
	return near_open_address(f, 0, name, why);
}

/* The name of a socket goes with it. */
void
near_close(struct forward *f)
{
	for (size_t i = 0; i < FORWARD_DOORS; i++) {
		if (f->door[i].watch.fd == -1)
			continue;
		hub_unwatch(f->all->hub, &f->door[i].watch);
		close(f->door[i].watch.fd);
		f->door[i].watch.fd = -1;
		if (f->spec.listen.is_path)
			(void)unlink(f->spec.listen.name);
	}
}
