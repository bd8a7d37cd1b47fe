/* SPDX-License-Identifier: ISC */
/* Sockets that listen, on TCP and in the file system. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/forward/forward.h"

#define BACKLOG	   128
#define TRIES	   8 /* at a port that is free of either family */
#define EVERYWHERE "::"

/* A socket that was made in the file system, to be removed again. */
struct made {
	char *path;
	dev_t dev;
	ino_t ino;
};
static struct made *made;
static size_t nmade;

/* --- TCP --- */

static int
listen_set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static int
listen_fail(int fd)
{
	int error = errno;

	close(fd);
	errno = error;
	return -1;
}

/* both: of IPv4, too, where it is IPv6's. */
static int
listen_at(const struct forward_address *a, bool both)
{
	int family = a->sa.ss_family, fd;

	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if ((family != AF_UNIX &&
		listen_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) == -1) ||
	    (family == AF_INET6 &&
		listen_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, !both) == -1) ||
	    bind(fd, (const struct sockaddr *)&a->sa, a->len) == -1 ||
	    listen(fd, BACKLOG) == -1)
		return listen_fail(fd);
	return fd;
}

static uint16_t
listen_port(int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	if (getsockname(fd, (struct sockaddr *)&sa, &len) == -1)
		return 0;
	return ntohs(sa.ss_family == AF_INET ?
		((struct sockaddr_in *)&sa)->sin_port :
		((struct sockaddr_in6 *)&sa)->sin6_port);
}

static void
listen_close(struct forward_listeners *l)
{
	int error = errno;

	while (l->n > 0)
		close(l->fd[--l->n]);
	errno = error;
}

/* Where the machine has no IPv6, or no IPv4, the other one serves. */
static bool
listen_is_missing(int error)
{
	return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

static int
listen_all(struct forward_listeners *l, struct forward_address *at, size_t n,
    bool both)
{
	int fd;

	l->n = 0;
	for (size_t i = 0; i < n && l->n < LISTEN_SOCKETS; i++) {
		if (l->n > 0)
			forward_address_port(&at[i], l->port);
		if ((fd = listen_at(&at[i], both)) != -1) {
			l->fd[l->n++] = fd;
			l->port = listen_port(fd);
		} else if (!listen_is_missing(errno)) {
			listen_close(l);
			return -1;
		}
	}
	return l->n > 0 ? 0 : -1;
}

int
forward_listen_tcp(struct forward_listeners *l, const char *address,
    uint16_t port)
{
	struct forward_address at[FORWARDER_ADDRESSES];
	bool both = *address == '\0' || strcmp(address, "*") == 0 ||
	    strcmp(address, EVERYWHERE) == 0;
	size_t n;
	int r;

	n = forward_names_known(both ? EVERYWHERE : address, port, at);
	r = n > 0 ? -1 : -2;
	/* A free port of the first family may be taken in the second. */
	for (int i = 0; r == -1 && i < (port == 0 && n > 1 ? TRIES : 1); i++)
		r = listen_all(l, at, n, both);
	if (r == -1 && both && listen_is_missing(errno)) {
		n = forward_names_known("0.0.0.0", port, at);
		r = listen_all(l, at, n, false);
	}
	if (r == -2)
		errno = EINVAL;
	return r == 0 ? 0 : -1;
}

/* --- the file system --- */

static struct made *
listen_find(const char *path)
{
	for (size_t i = 0; i < nmade; i++)
		if (strcmp(made[i].path, path) == 0)
			return &made[i];
	return NULL;
}

static bool
listen_is_there(const struct made *m)
{
	struct stat st;

	return lstat(m->path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    st.st_dev == m->dev && st.st_ino == m->ino;
}

/* Nothing but a socket, and only if that is asked for, or was ours before. */
static int
listen_make_room(const char *path, bool unlink_old)
{
	const struct made *old = listen_find(path);
	struct stat st;

	if (lstat(path, &st) == -1)
		return 0; /* what else is wrong there bind(2) will say */
	if (!S_ISSOCK(st.st_mode) ||
	    (!unlink_old && (old == NULL || !listen_is_there(old)))) {
		errno = EADDRINUSE;
		return -1;
	}
	return unlink(path);
}

static int
listen_note(const char *path)
{
	struct made *m = listen_find(path), *grown;
	struct stat st;

	if (lstat(path, &st) == -1)
		return -1;
	if (m == NULL) {
		grown = reallocarray(made, nmade + 1, sizeof(*made));
		if (grown == NULL)
			return -1;
		made = grown;
		m = &made[nmade];
		if ((m->path = strdup(path)) == NULL)
			return -1;
		nmade++;
	}
	m->dev = st.st_dev;
	m->ino = st.st_ino;
	return 0;
}

int
forward_listen_path(struct forward_listeners *l, const char *path,
    bool unlink_old)
{
	struct forward_address a;

	l->n = 0;
	l->port = 0;
	if (forward_address_path(&a, path) == -1 ||
	    listen_make_room(path, unlink_old) == -1 ||
	    (l->fd[0] = listen_at(&a, false)) == -1)
		return -1;
	if (listen_note(path) == -1)
		return listen_fail(l->fd[0]);
	l->n = 1;
	return 0;
}

void
forward_listen_end(void)
{
	for (size_t i = 0; i < nmade; i++)
		if (listen_is_there(&made[i]))
			(void)unlink(made[i].path);
}
