/* SPDX-License-Identifier: ISC */
/*
 * Connections that are made here, for those that the host has accepted: to what
 * the user has named, of which the host knows nothing.  A name that has to be
 * looked up is another process's work, as nobody else may wait for it.
 */
#include "client/dial.h"
#include "client/forward/forward_int.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/process.h"
#include "common/base/reach.h"
#include "common/base/tcp.h"
#include "common/base/unix.h"

#define HELPER_SECONDS 60

static void back_help_next(struct forwards *);

/* --- how it ends --- */

static void
back_leave(struct forward_back *d)
{
	struct forwards *all = d->all;

	if (d->watch.fd != -1) {
		hub_unwatch(all->hub, &d->watch);
		close(d->watch.fd);
	}
	TAILQ_REMOVE(d->waits ? &all->waiting : &all->backs, d, entry);
	if (d->is_helper && !d->waits)
		all->nhelpers--;
	free(d);
}

void
back_end(struct forward_back *d)
{
	hub_refuse(d->peer);
	back_leave(d);
}

/* fd -1: there is no connection. */
static void
back_done(struct forward_back *d, int fd)
{
	struct forwards *all = d->all;
	struct forward *f = forward_by_id(all->hub, d->id);

	if (fd != -1)
		hub_take(d->peer, fd);
	else
		hub_refuse(d->peer);
	if (fd == -1 && f != NULL)
		forward_tell(f, "what it leads to does not answer");
	back_leave(d);
	back_help_next(all);
}

/* --- by itself: an address --- */

static void back_try(struct forward_back *);

static void
back_on_connected(struct hub *h, struct hub_watch *w, uint32_t events)
{
	struct forward_back *d = (struct forward_back *)((char *)w -
	    offsetof(struct forward_back, watch));
	int error = 0, fd = w->fd;
	socklen_t len = sizeof(error);

	(void)events;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error == EINPROGRESS)
		return;
	hub_unwatch(h, w);
	w->fd = -1;
	if (error == 0) {
		tcp_set_options(fd);
		back_done(d, fd);
		return;
	}
	close(fd);
	back_try(d);
}

/* The next of them, or NULL. */
static const char *
back_next_address(struct forward_back *d)
{
	static const char *const own[] = { "::1", "127.0.0.1" };
	size_t n = d->tried++;

	if (strcmp(d->to.name, FORWARD_LOOPBACK) == 0)
		return n < sizeof(own) / sizeof(own[0]) ? own[n] : NULL;
	return n == 0 ? d->to.name : NULL;
}

/* A socket on its way there, or -1. */
static int
back_address(const char *address, uint16_t port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV },
			*list;
	char text[16];
	int fd;

	snprintf(text, sizeof(text), "%u", port);
	if (getaddrinfo(address, text, &hints, &list) != 0)
		return -1;
	fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd != -1 && connect(fd, list->ai_addr, list->ai_addrlen) == -1 &&
	    errno != EINPROGRESS) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	return fd;
}

static void
back_try(struct forward_back *d)
{
	const char *address;
	int fd;

	while ((address = back_next_address(d)) != NULL) {
		if ((fd = back_address(address, d->to.port)) == -1)
			continue;
		d->watch =
		    (struct hub_watch){ .fd = fd, .on = back_on_connected };
		if (hub_watch(d->all->hub, &d->watch, EPOLLOUT) == 0)
			return;
		d->watch.fd = -1;
		close(fd);
	}
	back_done(d, -1);
}

/* --- by another process: a name --- */

static void
back_send(int to, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
			  .cmsg_level = SOL_SOCKET,
			  .cmsg_type = SCM_RIGHTS } };
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.room) };

	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	(void)sendmsg(to, &m, MSG_NOSIGNAL);
}

/* The descriptor that it has made, or -1. */
static int
back_receive(int from)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.room) };
	struct cmsghdr *c;
	int fd = -1;

	if (recvmsg(from, &m, MSG_CMSG_CLOEXEC) == 1 &&
	    (c = CMSG_FIRSTHDR(&m)) != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* In the new process, which has what the hub has: it keeps the one socket. */
__attribute__((noreturn)) static void
back_help(const struct mux_place *to, int sock)
{
	const char *why;
	char port[16];
	int fd;

	if (dup2(sock, STDIN_FILENO) == -1)
		_exit(1);
	closefrom(STDERR_FILENO + 1);
	process_reset_signals();
	alarm(HELPER_SECONDS);
	snprintf(port, sizeof(port), "%u", to->port);
	if ((fd = dial_connect(to->name, port, REACH_LOCAL, NULL, &why)) != -1)
		back_send(STDIN_FILENO, fd);
	_exit(fd != -1 ? 0 : 1);
}

static void
back_on_helper(struct hub *h, struct hub_watch *w, uint32_t events)
{
	struct forward_back *d = (struct forward_back *)((char *)w -
	    offsetof(struct forward_back, watch));

	(void)h, (void)events;
	back_done(d, back_receive(w->fd));
}

/* 0, or -1: there is no process. */
static int
back_call_helper(struct forward_back *d)
{
	int sv[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		return -1;
	if ((r = process_fork_orphan(NULL, NULL)) == 0)
		back_help(&d->to, sv[1]);
	close(sv[1]);
	d->watch = (struct hub_watch){ .fd = sv[0], .on = back_on_helper };
	if (r != -1 && hub_watch(d->all->hub, &d->watch, EPOLLIN) == 0)
		return 0;
	d->watch.fd = -1;
	close(sv[0]);
	return -1;
}

/* As many of those that wait as there may be processes. */
static void
back_help_next(struct forwards *all)
{
	struct forward_back *d;

	while (all->nhelpers < FORWARD_HELPERS_MAX &&
	    (d = TAILQ_FIRST(&all->waiting)) != NULL) {
		if (back_call_helper(d) == -1) {
			back_end(d);
			continue;
		}
		TAILQ_REMOVE(&all->waiting, d, entry);
		TAILQ_INSERT_TAIL(&all->backs, d, entry);
		d->waits = false;
		all->nhelpers++;
	}
}

/* --- either --- */

static bool
back_is_address(const char *name)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST }, *list;

	if (strcmp(name, FORWARD_LOOPBACK) == 0)
		return true;
	if (getaddrinfo(name, NULL, &hints, &list) != 0)
		return false;
	freeaddrinfo(list);
	return true;
}

static void
back_path(struct forward *f, struct hub_peer *p)
{
	int fd = unix_connect(f->spec.connect.name, SOCK_NONBLOCK);

	if (fd != -1) {
		hub_take(p, fd);
		return;
	}
	forward_tell(f, strerror(errno));
	hub_refuse(p);
}

void
back_begin(struct forward *f, struct hub_peer *p)
{
	struct forwards *all = f->all;
	struct forward_back *d;

	if (f->spec.connect.is_path) {
		back_path(f, p);
		return;
	}
	if ((d = calloc(1, sizeof(*d))) == NULL) {
		hub_refuse(p);
		return;
	}
	d->all = all;
	d->peer = p;
	d->id = f->id;
	d->to = f->spec.connect;
	d->watch.fd = -1;
	d->is_helper = d->waits = !back_is_address(d->to.name);
	TAILQ_INSERT_TAIL(d->waits ? &all->waiting : &all->backs, d, entry);
	if (d->waits)
		back_help_next(all);
	else
		back_try(d);
}
