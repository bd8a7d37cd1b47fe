/* SPDX-License-Identifier: ISC */
/*
 * A forward that listens on the host: for as long as its channel is open, whose
 * other end is a socket of ours.  First the host tells the port there.
 */
#include "client/forward/forward_int.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/err.h"

#define SAID_MAX 16 /* a port, and the line's end */

static const char far_ended[] = "the host has stopped listening";

/* "41234\n": 1 with the port, 0 when it is not whole, SKY_ERR_FORMAT. */
static int
far_read_port(struct buf *said, uint16_t *port)
{
	const uint8_t *p = buf_ptr(said), *end = memchr(p, '\n', buf_len(said));
	char text[SAID_MAX + 1] = "";
	const char *problem;

	if (end == NULL)
		return buf_room(said) != 0 ? 0 : SKY_ERR_FORMAT;
	memcpy(text, p, (size_t)(end - p));
	*port = (uint16_t)strtonum(text, 0, UINT16_MAX, &problem);
	return problem == NULL ? 1 : SKY_ERR_FORMAT;
}

static void
far_on_line(struct hub *h, struct hub_watch *w, uint32_t events)
{
	struct forward *f =
	    (struct forward *)((char *)w - offsetof(struct forward, line));
	uint16_t port;
	ssize_t n;
	int r;

	(void)h, (void)events;
	n = buf_read(&f->said, w->fd, SAID_MAX);
	if (n == SKY_ERR_AGAIN)
		return;
	/* Behind the port nothing is said any more. */
	if (n < 0 || f->order == NULL) {
		forward_drop(f, far_ended);
		return;
	}
	if ((r = far_read_port(&f->said, &port)) == 0)
		return;
	if (r < 0 || (port == 0) != f->spec.listen.is_path) {
		forward_drop(f, "the host has not told its port");
		return;
	}
	f->spec.listen.port = port;
	buf_reset(&f->said);
	forward_stands(f);
}

/* By the descriptor, as it may have been cancelled meanwhile. */
static void
far_told(void *arg, int fd, const char *why)
{
	struct forwards *all = hub_arg(arg);
	struct forward *f = NULL;

	if (all != NULL)
		TAILQ_FOREACH (f, &all->list, entry)
			if (f->there == fd)
				break;
	if (f == NULL)
		return;
	f->there = -1;
	if (why != NULL)
		forward_drop(f, why);
}

int
far_open(struct forward *f)
{
	struct hub *h = f->all->hub;
	char uri[MUX_URI_MAX + 1];
	int sv[2], r;

	if ((r = mux_listen_uri(uri, f->id, &f->spec.listen)) != 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		sv) == -1)
		return SKY_ERR_SYS;
	buf_init(&f->said, SAID_MAX);
	f->line = (struct hub_watch){ .fd = sv[0], .on = far_on_line };
	f->there = sv[1];
	if ((r = hub_watch(h, &f->line, EPOLLIN)) != 0 ||
	    (r = hub_open(h, uri, sv[1], far_told, h)) != 0)
		close(sv[1]);
	return r;
}

void
far_close(struct forward *f)
{
	if (f->line.fd == -1)
		return;
	hub_unwatch(f->all->hub, &f->line);
	close(f->line.fd);
	f->line.fd = -1;
	buf_free(&f->said);
}
