/* SPDX-License-Identifier: ISC */
/* A connection's bytes as they are, between it and a pair of descriptors. */
#include "client/relay.h"
#include "client/complain.h"
#include "client/conn.h"
#include "client/exits.h"
#include "client/patience.h"
#include "client/sftp/sftp_asker.h"
#include "client/sink.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/pty/mux.h"

#define CHUNK	 (64U * 1024)
#define OUT_HIGH (256U * 1024) /* unsent input that stops reading */
#define IN_HIGH	 (256U * 1024) /* unwritten output that does */

struct relay {
	struct conn *conn;
	int in;
	struct sink_end out;
	struct sftp_asker asker;
	bool blocked;
	bool over; /* nothing more comes in */
	bool half; /* which is passed on */
	bool told; /* and has been */
};

int
relay_open_sftp(struct conn *c, struct keyctx *ctx,
    const struct client_options *o)
{
	int r;

	if ((r = conn_try(c, ctx, o, MUX_URI_SFTP)) != 0 ||
	    (r = conn_await(c)) != 0)
		return r;
	return c->rejected ? conn_rejected(c) : 0;
}

/* What the host said; 0, or EXIT_FAILED. */
static int
relay_write(struct relay *y)
{
	struct buf *in = &y->conn->in;
	size_t n;
	ssize_t r;

	y->blocked = false;
	while (y->conn->accepted &&
	    (n = sftp_asker_filter(&y->asker, in, y->conn->eof)) != 0) {
		r = sink_write(&y->out, buf_ptr(in), n);
		if (r < 0)
			return EXIT_FAILED;
		if (r == 0) {
			y->blocked = true;
			return 0;
		}
		(void)buf_skip(in, (size_t)r);
		sftp_asker_passed(&y->asker, (size_t)r);
	}
	return 0;
}

static int
relay_read(struct relay *y)
{
	struct buf *out = &y->conn->out;
	size_t before = buf_len(out);
	ssize_t r = buf_read(out, y->in, CHUNK);

	if (r > 0)
		sftp_asker_sent(&y->asker, buf_ptr(out) + before,
		    buf_len(out) - before);
	else if (r == SKY_ERR_EOF || (r == SKY_ERR_SYS && errno == ECONNRESET))
		y->over = true;
	else if (r == SKY_ERR_SYS) {
		complain("input: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return 0;
}

static int
relay_step(struct relay *y, int wait)
{
	struct conn *c = y->conn;
	bool want = c->accepted && !y->over && buf_len(&c->out) < OUT_HIGH;
	struct pollfd p[3] = { { .fd = c->eof ? -1 : c->fd },
		{ .fd = want ? y->in : -1, .events = POLLIN },
		{ .fd = y->blocked ? y->out.fd : -1, .events = POLLOUT } };
	int r;

	c->hold = y->blocked && buf_len(&c->in) >= IN_HIGH;
	p[0].events = conn_events(c);
	wait = sftp_asker_wait(&y->asker, wait);
	if ((r = conn_wait(c, p, 3, wait, NULL)) != 0)
		return r;
	if (p[0].revents != 0 && (r = conn_pump(c, p[0].revents)) != 0)
		return r;
	if (p[1].revents != 0 && (r = relay_read(y)) != 0)
		return r;
	if ((r = sftp_asker_ask(&y->asker, &c->out)) != 0 ||
	    (r = conn_flush(c)) != 0)
		return r;
	if (y->half && y->over && !y->told && buf_len(&c->out) == 0) {
		y->told = true;
		(void)shutdown(c->fd, SHUT_WR);
	}
	return relay_write(y);
}

static int
relay_go(struct relay *y, relay_watcher *watch, void *arg)
{
	struct conn *c = y->conn;
	int r, wait;

	r = conn_flush(c);
	if (r == 0)
		r = relay_write(y);
	while (r == 0 && (y->half || !y->over) && !(c->eof && !y->blocked)) {
		if ((wait = watch != NULL ? watch(arg) : -1) == RELAY_STOP)
			return 0;
		r = relay_step(y, wait);
	}
	if (r == 0 && !y->half && !y->over && !c->rejected)
		r = conn_ended(c);
	return r;
}

int
relay_watch(struct conn *c, int in, int out, relay_watcher *watch, void *arg)
{
	struct relay y = { .conn = c, .in = in };

	sink_end_init(&y.out, out);
	sftp_asker_init(&y.asker, c);
	return relay_go(&y, watch, arg);
}

int
relay_halves(struct conn *c, int in, int out)
{
	struct relay y = { .conn = c, .in = in, .half = true };

	sink_end_init(&y.out, out);
	sftp_asker_init(&y.asker, c);
	return relay_go(&y, NULL, NULL);
}

int
relay_run(struct conn *c, int in, int out)
{
	return relay_watch(c, in, out, NULL, NULL);
}
