/* SPDX-License-Identifier: ISC */
/* Who calls where a dynamic forward listens, and says by SOCKS where to. */
#include "client/forward/forward_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/err.h"

/* --- coming and going --- */

static void
guest_free(struct forward_guest *c)
{
	buf_free(&c->in);
	free(c);
}

/* It is no more one of those who have not said where to. */
static void
guest_leave(struct forward_guest *c)
{
	hub_unwatch(c->all->hub, &c->watch);
	TAILQ_REMOVE(&c->all->guests, c, entry);
	c->all->nguests--;
}

void
guest_end(struct forward_guest *c)
{
	guest_leave(c);
	close(c->watch.fd);
	guest_free(c);
}

/* --- what is said --- */

/* So little that a socket which has got nothing else takes it. */
static void
guest_say(int fd, const struct buf *out)
{
	if (buf_len(out) != 0)
		(void)!send(fd, buf_ptr(out), buf_len(out), MSG_NOSIGNAL);
}

static void
guest_answer(const struct forward_guest *c, int fd, bool connected)
{
	struct buf out;

	buf_init(&out, SOCKS_ANSWER_MAX);
	if (socks_answer(&c->socks, connected, &out) == 0)
		guest_say(fd, &out);
	buf_free(&out);
}

static void
guest_told(void *arg, int fd, const char *why)
{
	struct forward_guest *c = arg;
	struct forward *f = forward_by_id(c->hub, c->id);
	char text[FORWARD_TEXT_MAX], line[FORWARD_TEXT_MAX + FORWARD_WHY_MAX];

	guest_answer(c, fd, why == NULL);
	if (why != NULL && f != NULL) {
		forward_place_text(&c->socks.to, text);
		snprintf(line, sizeof(line), "%s: %s", text, why);
		forward_tell(f, line);
	}
	guest_free(c);
}

static void
guest_connect(struct forward_guest *c)
{
	char uri[MUX_URI_MAX + 1];
	int fd = c->watch.fd;

	guest_leave(c);
	if (mux_forward_uri(uri, &c->socks.to) == 0 &&
	    hub_open(c->hub, uri, fd, guest_told, c) == 0)
		return;
	guest_answer(c, fd, false);
	close(fd);
	guest_free(c);
}

static void
guest_on_bytes(struct hub *h, struct hub_watch *w, uint32_t events)
{
	struct forward_guest *c = (struct forward_guest *)((char *)w -
	    offsetof(struct forward_guest, watch));
	ssize_t n = buf_read(&c->in, w->fd, c->want);
	struct buf out;
	int r;

	(void)h, (void)events;
	if (n == SKY_ERR_AGAIN)
		return;
	if (n < 0) {
		guest_end(c);
		return;
	}
	buf_init(&out, SOCKS_ANSWER_MAX);
	r = socks_take(&c->socks, &c->in, &out);
	guest_say(w->fd, &out);
	buf_free(&out);
	if (r > 0)
		c->want = (size_t)r;
	else if (r == 0)
		guest_connect(c);
	else
		guest_end(c);
}

/* Whoever has not said it for the longest goes for another one. */
void
guest_new(struct forward *f, int fd)
{
	struct forwards *all = f->all;
	struct forward_guest *c;

	if (all->nguests == FORWARD_GUESTS_MAX)
		guest_end(TAILQ_FIRST(&all->guests));
	if ((c = calloc(1, sizeof(*c))) == NULL) {
		close(fd);
		return;
	}
	c->hub = all->hub;
	c->all = all;
	c->id = f->id;
	c->want = 1;
	c->watch = (struct hub_watch){ .fd = fd, .on = guest_on_bytes };
	buf_init(&c->in, SOCKS_MAX);
	if (hub_watch(all->hub, &c->watch, EPOLLIN) != 0) {
		close(fd);
		guest_free(c);
		return;
	}
	TAILQ_INSERT_TAIL(&all->guests, c, entry);
	all->nguests++;
}
