/* SPDX-License-Identifier: ISC */
/*
 * Streams that come over dmsg: each becomes a connection of its own, with its
 * monitor and its confined child, at the other end of a socket.  The first
 * frame on it tells of the request, the one that comes back is the response;
 * then bytes are passed on unread.
 */
#include "daemon/dmsg/dmsg_life.h"
#include "daemon/dmsg/dmsg_mon.h"
#include "daemon/dmsg/dmsg_pipe.h"
#include "daemon/dmsg/dmsg_reap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"

#define ASKED_MAX 128

static void pipe_on_readable(evutil_socket_t, short, void *);
static void pipe_on_writable(evutil_socket_t, short, void *);

void
pipe_end(struct pipe *p)
{
	struct dmsg *d = p->session->d;

	if (p->state == PIPE_ENDED)
		return;
	p->state = PIPE_ENDED;
	LIST_REMOVE(p, entry);
	LIST_INSERT_HEAD(&d->ended_pipes, p, entry);
	d->npipes--;
	dmsg_stream_set_arg(p->stream, NULL);
	if (p->rd != NULL)
		event_del(p->rd);
	if (p->wr != NULL)
		event_del(p->wr);
	dmsg_reap_soon(d);
}

void
pipes_reap(struct dmsg *d)
{
	struct pipe *p;

	while ((p = LIST_FIRST(&d->ended_pipes)) != NULL) {
		LIST_REMOVE(p, entry);
		if (p->rd != NULL)
			event_free(p->rd);
		if (p->wr != NULL)
			event_free(p->wr);
		if (p->fd != -1)
			close(p->fd);
		buf_free(&p->head);
		dmsg_stream_close(p->stream);
		session_flush(p->session);
		free(p);
	}
}

/* --- a request --- */

/* For us, and for the port that we serve.  SKY_ERR_EXISTS: from us. */
static int
read_request(struct dmsg *d, struct buf *object, struct dmsg_request *q)
{
	struct buf sig, gob;
	int r;

	if ((r = dmsg_split_signed(object, &sig, &gob)) != 0 ||
	    (r = dmsg_get_request(&gob, q)) != 0)
		return r;
	if (memcmp(q->dst.pk.b, d->own.b, KEY_PUBLIC_LEN) != 0)
		return SKY_ERR_KEY;
	if (memcmp(q->src.pk.b, d->own.b, KEY_PUBLIC_LEN) == 0 &&
	    q->dst.port != d->port)
		return SKY_ERR_EXISTS;
	return q->dst.port == d->port ? 0 : SKY_ERR_NOTFOUND;
}

static struct pipe *
new_pipe(struct server_session *s, struct dmsg_stream *st)
{
	struct dmsg *d = s->d;
	struct pipe *p;

	if (d->npipes == DMSG_STREAMS_MAX ||
	    (p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->session = s;
	p->stream = st;
	p->fd = -1;
	p->id = d->last_id++;
	buf_init(&p->head, 2 * FRAME_BODY_MAX);
	LIST_INSERT_HEAD(&d->pipes, p, entry);
	d->npipes++;
	dmsg_stream_set_arg(st, p);
	return p;
}

/* What the connection's monitor has to know: key, hash, message. */
static int
pipe_put_head(struct buf *b, const uint8_t *hash, const struct dmsg_request *q)
{
	struct buf body;
	int r;

	buf_init(&body, FRAME_BODY_MAX);
	if ((r = buf_put(&body, q->src.pk.b, KEY_PUBLIC_LEN)) == 0 &&
	    (r = buf_put(&body, hash, DMSG_HASH_LEN)) == 0 &&
	    (r = buf_put(&body, buf_ptr(&q->noise), buf_len(&q->noise))) == 0)
		r = frame_put(b, buf_ptr(&body), buf_len(&body));
	buf_free(&body);
	return r;
}

/*
 * The monitor takes one message at a time: were we to go on without reading its
 * answers, each would wait for the other.
 */
static void
ask_socket(struct dmsg *d, struct pipe *p)
{
	d->asked++;
	p->state = PIPE_ASKED;
	dmsg_mon_stream(d, p->id, &p->peer, &p->session->server->pk);
}

/* Any stranger can bring them about, as many as he likes. */
static void
tell_refusal(struct dmsg *d, int r)
{
	int64_t now = now_ms();

	d->refused++;
	if (now < d->refusal_ms)
		return;
	if (d->refused > 1)
		dmsg_log(d, LOG_LEVEL_INFO,
		    "Stream refused: %s (and %lu more since the last line)",
		    err_text(r), d->refused - 1);
	else
		dmsg_log(d, LOG_LEVEL_INFO, "Stream refused: %s", err_text(r));
	d->refused = 0;
	d->refusal_ms = now + DMSG_REFUSAL_MS;
}

static void
pipe_begin(struct server_session *s, struct dmsg_stream *st, struct buf *object)
{
	struct dmsg *d = s->d;
	uint8_t hash[DMSG_HASH_LEN];
	struct dmsg_request q;
	struct pipe *p;
	int r;

	dmsg_hash(buf_ptr(object), buf_len(object), hash);
	r = read_request(d, object, &q);
	if (r == SKY_ERR_EXISTS)
		probe_arrived(s, hash);
	else if (r != 0)
		tell_refusal(d, r);
	if (r != 0) {
		dmsg_stream_close(st);
		return;
	}
	probe_proven(s);
	if ((p = new_pipe(s, st)) == NULL) {
		dmsg_stream_close(st);
		return;
	}
	p->peer = q.src.pk;
	if (pipe_put_head(&p->head, hash, &q) != 0)
		pipe_end(p);
	else if (d->asked < ASKED_MAX)
		ask_socket(d, p);
	else
		p->state = PIPE_WAITING;
}

/* An answer has come: the one that has waited longest is next. */
static void
ask_next(struct dmsg *d)
{
	struct pipe *p, *oldest = NULL;

	LIST_FOREACH (p, &d->pipes, entry)
		if (p->state == PIPE_WAITING)
			oldest = p;
	if (oldest != NULL)
		ask_socket(d, oldest);
}

static struct pipe *
pipe_by_id(struct dmsg *d, uint16_t id)
{
	struct pipe *p;

	LIST_FOREACH (p, &d->pipes, entry)
		if (p->state == PIPE_ASKED && p->id == id)
			return p;
	return NULL;
}

static int
open_socket(struct pipe *p, int fd)
{
	struct event_base *base = p->session->d->base;

	p->fd = fd;
	p->rd = event_new(base, fd, EV_READ | EV_PERSIST, pipe_on_readable, p);
	p->wr = event_new(base, fd, EV_WRITE, pipe_on_writable, p);
	if (p->rd == NULL || p->wr == NULL || event_add(p->rd, NULL) == -1)
		return SKY_ERR_NOMEM;
	return 0;
}

void
pipe_socket(struct dmsg *d, uint16_t id, int fd)
{
	struct pipe *p = pipe_by_id(d, id);

	d->asked--;
	ask_next(d);
	if (p == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	if (fd == -1 || open_socket(p, fd) != 0 ||
	    /* A fresh socket takes as little as this at once. */
	    buf_write(&p->head, fd) < 0 || buf_len(&p->head) != 0) {
		pipe_end(p);
		return;
	}
	p->state = PIPE_ANSWER;
}

/* --- bytes --- */

static void
pipe_await(struct pipe *p, struct event *ev)
{
	if (event_add(ev, NULL) == -1)
		pipe_end(p);
}

/* From dmsg to the connection. */
static void
pipe_push(struct pipe *p)
{
	const struct buf *in;
	ssize_t n;

	while (buf_len(in = dmsg_stream_in(p->stream)) > 0) {
		n = write(p->fd, buf_ptr(in), buf_len(in));
		if (n == -1 && errno == EAGAIN) {
			pipe_await(p, p->wr);
			return;
		}
		if (n <= 0 || dmsg_stream_consume(p->stream, (size_t)n) != 0) {
			pipe_end(p);
			return;
		}
	}
	if (dmsg_stream_eof(p->stream))
		pipe_end(p);
}

/* From the connection to dmsg; no more than has room there. */
static void
pipe_pull(struct pipe *p)
{
	uint8_t chunk[DMSG_CHUNK];
	size_t room = dmsg_stream_room(p->stream);
	ssize_t n;

	if (room == 0) {
		/* A write that falls short asks for DMSG_WRITE. */
		(void)dmsg_stream_write(p->stream, "", 1);
		event_del(p->rd);
		return;
	}
	n = read(p->fd, chunk, room < sizeof(chunk) ? room : sizeof(chunk));
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || dmsg_stream_write(p->stream, chunk, (size_t)n) != n)
		pipe_end(p);
	else
		session_flush(p->session);
}

void
pipe_join(struct server_session *s, struct dmsg_stream *st, int fd)
{
	struct pipe *p;

	if ((p = new_pipe(s, st)) == NULL) {
		dmsg_stream_close(st);
		session_flush(s);
		close(fd);
	} else if (open_socket(p, fd) != 0)
		pipe_end(p);
	else {
		p->state = PIPE_OPEN;
		pipe_push(p);
	}
}

/* The connection's first frame is the response, for dmsg to seal. */
static void
pipe_take_response(struct pipe *p)
{
	struct buf body;
	ssize_t n;
	int r;

	n = buf_read(&p->head, p->fd, FRAME_BODY_MAX);
	if (n == SKY_ERR_AGAIN)
		return;
	r = n < 0 ? (int)n : frame_get(&p->head, &body);
	if (r == 1)
		r = dmsg_stream_answer(p->stream, &body);
	else if (r == 0)
		return;
	if (r != 0 || buf_len(&p->head) != 0) {
		pipe_end(p);
		return;
	}
	p->state = PIPE_OPEN;
	buf_free(&p->head);
	session_flush(p->session);
	pipe_push(p);
}

static void
pipe_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct pipe *p = arg;

	if (p->state == PIPE_OPEN)
		pipe_pull(p);
	else
		pipe_take_response(p);
}

static void
pipe_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct pipe *p = arg;

	pipe_push(p);
	session_flush(p->session); /* the window that was given back */
}

void
pipe_handle(struct server_session *s, struct dmsg_event *ev)
{
	struct pipe *p = dmsg_stream_arg(ev->stream);

	if (ev->what == DMSG_REQUEST) {
		pipe_begin(s, ev->stream, &ev->object);
		return;
	}
	if (p == NULL)
		return; /* whose it was has ended */
	if (ev->what == DMSG_END)
		pipe_end(p);
	if (p->state != PIPE_OPEN)
		return;
	pipe_push(p);
	if (p->state == PIPE_OPEN && dmsg_stream_room(ev->stream) > 0)
		pipe_await(p, p->rd);
}
