/* SPDX-License-Identifier: ISC */
/* A command's forwards: what its process does for them. */
#include "client/forward/forward_cmd.h"
#include "client/complain.h"
#include "client/conn.h"
#include "client/exits.h"
#include "client/forward/forward_call.h"
#include "client/forward/forward_flags.h"
#include "client/hub/hub.h"
#include "client/hub/hub_conn.h"
#include "client/options.h"
#include "client/relay.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/pty/mux.h"

#define STDIO_GONE_MS 1000 /* for the end of a hub that says nothing more */

/* --- what a specification means here --- */

/* The hub is in another folder. */
static int
cmd_whole_path(struct mux_place *p)
{
	char folder[PATH_MAX], whole[2 * PATH_MAX];

	if (!p->is_path || *p->name == '/')
		return 0;
	if (getcwd(folder, sizeof(folder)) == NULL ||
	    snprintf(whole, sizeof(whole), "%s/%s", folder, p->name) < 0)
		return SKY_ERR_SYS;
	return strlcpy(p->name, whole, sizeof(p->name)) < sizeof(p->name) ?
	    0 :
	    SKY_ERR_LIMIT;
}

/* The hub does not look names up. */
static const char *
cmd_look_up(struct mux_place *p)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	int r;

	if (p->is_path || *p->name == '\0' ||
	    strcmp(p->name, FORWARD_LOOPBACK) == 0)
		return NULL;
	if ((r = getaddrinfo(p->name, NULL, &hints, &list)) != 0)
		return gai_strerror(r);
	r = getnameinfo(list->ai_addr, list->ai_addrlen, p->name,
	    sizeof(p->name), NULL, 0, NI_NUMERICHOST);
	freeaddrinfo(list);
	return r == 0 ? NULL : gai_strerror(r);
}

const char *
forward_prepare(struct forward_spec *s, enum forward_way way, const char *text,
    bool gateway)
{
	struct mux_place *here = &s->listen;
	const char *why = forward_spec_parse(s, way, text, gateway);
	int r;

	if (why != NULL)
		return why;
	if (way == FORWARD_REMOTE)
		here = &s->connect;
	else if ((why = cmd_look_up(here)) != NULL)
		return why;
	r = cmd_whole_path(here);
	return r == 0 ? NULL : err_text(r);
}

/* --- the calls --- */

static int
cmd_hold(struct forward_held *h, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	if (h->epoll == -1)
		h->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (h->epoll == -1 || h->n == FORWARDS_MAX ||
	    epoll_ctl(h->epoll, EPOLL_CTL_ADD, fd, &e) == -1) {
		close(fd);
		return EXIT_FAILED;
	}
	h->fd[h->n++] = fd;
	return 0;
}

/* Of one that the host has chosen; for a program that has ordered it, alone. */
static void
cmd_tell_port(const struct forward_spec *s, const char *port, bool kept)
{
	char to[FORWARD_TEXT_MAX];

	if (s->way != FORWARD_REMOTE || s->listen.is_path ||
	    s->listen.port != 0)
		return;
	if (!kept) {
		puts(port);
		return;
	}
	forward_place_text(&s->connect, to);
	complain("Allocated port %s for remote forward to %s", port, to);
}

/* A socket by which the hub has said yes, and what else; or EXIT_FAILED. */
static int
cmd_forward(const struct forward_held *h, const struct forward_wish *w,
    bool kept, int *fd)
{
	const struct client_options *o = h->o;
	char uri[MUX_URI_MAX + 1], port[FORWARD_CALL_MAX];
	int how = (kept ? FORWARD_HOLD : 0) |
	    (o->forward.unlink ? FORWARD_UNLINK : 0);
	struct forward_spec s;
	const char *why;
	int r;

	*fd = -1;
	why = forward_prepare(&s, w->way, w->text, o->forward.gateway);
	if (why == NULL &&
	    (r = forward_order_uri(uri, HUB_URI_FORWARD, &s, how)) != 0)
		why = err_text(r);
	if (why == NULL && (r = hub_fetch(h->ctx, o, fd)) != 0)
		return r;
	if (why == NULL && (why = forward_call(*fd, uri, kept, port)) == NULL) {
		cmd_tell_port(&s, port, kept);
		return 0;
	}
	complain("-%c %s: %s", (char)w->way, w->text, why);
	if (*fd != -1)
		close(*fd);
	return EXIT_FAILED;
}

int
forward_add(struct forward_held *h, const struct forward_wish *w)
{
	int fd, r = cmd_forward(h, w, true, &fd);

	return r == 0 ? cmd_hold(h, fd) : r;
}

/* For a command that runs nothing: the connection itself. */
static int
cmd_wait(struct forward_held *h, struct keyctx *ctx,
    const struct client_options *o)
{
	char said[FORWARD_CALL_MAX];
	const char *why;
	int fd, r;

	if ((r = hub_fetch(ctx, o, &fd)) != 0)
		return r;
	if ((why = forward_call(fd, HUB_URI_WAIT, true, said)) != NULL) {
		complain("the shared connection: %s", why);
		close(fd);
		return EXIT_FAILED;
	}
	h->waits = fd;
	return cmd_hold(h, fd);
}

int
forward_begin(struct forward_held *h, struct keyctx *ctx,
    struct client_options *o)
{
	const struct forward_flags *f = &o->forward;
	int r = 0;

	*h = (struct forward_held){ .epoll = -1,
		.waits = -1,
		.ctx = ctx,
		.o = o };
	o->held = h;
	if (f->target != NULL || (!f->nothing && !forward_is_wanted(f)))
		return 0;
	if (o->dest.kind == DEST_LOCAL) {
		complain("there is nothing to be forwarded to this machine");
		return EXIT_USAGE;
	}
	o->control.master = HUB_MAKE;
	if (o->control.path != NULL &&
	    strcasecmp(o->control.path, HUB_NONE) == 0)
		o->control.path = NULL;
	if (f->nothing && (r = cmd_wait(h, ctx, o)) != 0)
		return r;
	for (size_t i = 0; forward_is_wanted(f) && i < f->n; i++)
		if ((r = forward_add(h, &f->wish[i])) != 0 && f->strict)
			return r;
	return 0;
}

void
forward_leave(struct forward_held *h)
{
	for (size_t i = 0; i < h->n; i++)
		close(h->fd[i]);
	h->n = 0;
	if (h->epoll != -1)
		close(h->epoll);
	h->epoll = -1;
}

/* --- what is told --- */

int
forward_cancel(struct forward_held *h, const struct forward_wish *w)
{
	const char *text = w->text;
	enum forward_way way = w->way;
	char uri[MUX_URI_MAX + 1], said[FORWARD_CALL_MAX];
	struct forward_spec s;
	const char *why;
	int fd = -1, r;

	if (forward_spec_parse(&s, way, text, h->o->forward.gateway) != NULL &&
	    (why = forward_listen_parse(&s, way, text,
		 h->o->forward.gateway)) != NULL) {
		complain("-K%c %s: %s", (char)way, text, why);
		return EXIT_FAILED;
	}
	if ((way != FORWARD_REMOTE && cmd_whole_path(&s.listen) != 0) ||
	    forward_order_uri(uri, HUB_URI_CANCEL, &s, 0) != 0) {
		complain("-K%c %s: too long a name", (char)way, text);
		return EXIT_FAILED;
	}
	if ((r = hub_fetch(h->ctx, h->o, &fd)) != 0)
		return r;
	if ((why = forward_call(fd, uri, false, said)) != NULL)
		complain("-K%c %s: %s", (char)way, text, why);
	close(fd);
	return why == NULL ? 0 : EXIT_FAILED;
}

/* It is no more: its forward, or the connection. */
static void
cmd_let_go(struct forward_held *h, int fd)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->fd[i] == fd)
			h->fd[i] = h->fd[--h->n];
	if (h->waits == fd)
		h->waits = -1;
	close(fd);
}

/* Lines; what has no end yet is told as it stands. */
static void
cmd_tell(const char *text, size_t n)
{
	struct buf b, line;
	const uint8_t *end;

	buf_view(&b, text, n);
	while (buf_len(&b) != 0) {
		end = memchr(buf_ptr(&b), '\n', buf_len(&b));
		n = end != NULL ? (size_t)(end - buf_ptr(&b)) : buf_len(&b);
		(void)buf_get_view(&b, n, &line);
		(void)buf_skip(&b, end != NULL);
		complain("%s", complain_printable(&line));
	}
}

int
forward_order(struct keyctx *ctx, const struct client_options *o,
    const char *uri)
{
	const struct forward_flags *f = &o->forward;
	struct forward_held h = { .epoll = -1, .ctx = ctx, .o = o };
	int r = 0, fd;

	if (f->n == 0) {
		complain("say by -L, -R or -D what is to be forwarded, or no "
			 "longer");
		return EXIT_USAGE;
	}
	for (size_t i = 0; r == 0 && i < f->n; i++)
		if (strcmp(uri, HUB_URI_CANCEL) == 0)
			r = forward_cancel(&h, &f->wish[i]);
		else if ((r = cmd_forward(&h, &f->wish[i], false, &fd)) == 0)
			close(fd);
	return r;
}

int
forward_list(struct forward_held *h)
{
	char said[FORWARD_CALL_MAX];
	const char *why;
	int fd = -1, r;

	if ((r = hub_fetch(h->ctx, h->o, &fd)) != 0)
		return r;
	why = forward_call(fd, HUB_URI_FORWARDS, false, said);
	close(fd);
	if (why != NULL)
		complain("the shared connection: %s", why);
	else if (*said == '\0')
		complain("nothing is forwarded");
	else
		cmd_tell(said, strlen(said));
	return why == NULL ? 0 : EXIT_FAILED;
}

bool
forward_news(struct forward_held *h)
{
	struct epoll_event e;
	char text[4096];
	bool waited = h->waits != -1;
	ssize_t n;

	while (h->epoll != -1 && epoll_wait(h->epoll, &e, 1, 0) == 1) {
		n = read(e.data.fd, text, sizeof(text));
		if (n > 0)
			cmd_tell(text, (size_t)n);
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			cmd_let_go(h, e.data.fd);
	}
	return !waited || h->waits != -1;
}

int
forward_wait(struct forward_held *h)
{
	struct pollfd p = { .fd = h->epoll, .events = POLLIN };

	while (forward_news(h))
		if (poll(&p, 1, -1) == -1 && errno != EINTR)
			break;
	complain("the connection has ended");
	return EXIT_FAILED;
}

/* --- -W --- */

/*
 * The host has ended the stream: by itself, or the connection has gone, or the
 * hub, which ends it, too.  A hub that answers behind that end has seen no
 * other; one that takes no calls any more is there as long as the call is that
 * it holds.
 */
static int
stdio_ended(const struct forward_held *h)
{
	struct pollfd p = { .fd = h->waits };
	struct hub_place place;
	int fd = -1;
	bool lost;

	lost = hub_find_place(&place, h->ctx, h->o) != 0 ||
	    hub_call(&place, &fd) != HUB_CALLED;
	place_forget(&place.place);
	if (fd != -1)
		close(fd);
	if (!lost || poll(&p, 1, STDIO_GONE_MS) == 0)
		return 0;
	complain("the connection has ended, and what was forwarded with it");
	return EXIT_FAILED;
}

static int
stdio_shared(struct conn *c, struct keyctx *ctx, const struct client_options *o)
{
	struct forward_held h = { .epoll = -1,
		.waits = -1,
		.ctx = ctx,
		.o = o };
	int r;

	if ((r = cmd_wait(&h, ctx, o)) == 0 &&
	    (r = relay_halves(c, STDIN_FILENO, STDOUT_FILENO)) == 0)
		r = stdio_ended(&h);
	forward_leave(&h);
	return r;
}

int
forward_stdio(struct keyctx *ctx, const struct client_options *o)
{
	struct client_options own = *o;
	char uri[MUX_URI_MAX + 1];
	struct mux_place to;
	struct conn c;
	int r;

	/* It has been looked at when it was given. */
	if (forward_target_parse(&to, o->forward.target) != NULL ||
	    mux_forward_uri(uri, &to) != 0) {
		complain("-W %s: too long a name", o->forward.target);
		return EXIT_USAGE;
	}
	/* Only there can one direction end before the other. */
	own.control.master = HUB_MAKE;
	conn_init(&c);
	if ((r = conn_open(&c, ctx, &own, uri)) == 0 &&
	    (r = conn_await(&c)) == 0)
		r = c.way == WAY_SHARED ?
		    stdio_shared(&c, ctx, &own) :
		    relay_run(&c, STDIN_FILENO, STDOUT_FILENO);
	conn_close(&c);
	return r;
}
