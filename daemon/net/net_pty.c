/* SPDX-License-Identifier: ISC */
/* The pty service's terminal: Start, Stop, Read, Write, SetPtySize. */
#include "daemon/net/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/err.h"

#define NO_SESSION "no active pty session"
#define NET_FLOOD  2048 /* bytes of an answer after which more will follow */
#define NET_SPIN   100	/* questions, some 15 microseconds */

static void on_output(evutil_socket_t, short, void *);
static void on_room(evutil_socket_t, short, void *);
static void on_batch(evutil_socket_t, short, void *);

int
pty_init(struct net *n)
{
	struct pty *p = &n->pty;

	p->fd = -1;
	p->writes_tail = &p->writes;
	buf_init(&p->ahead, NET_AHEAD_MAX);
	buf_init(&p->input, NET_WRITES_MAX);
	p->batch = evtimer_new(n->base, on_batch, n);
	return p->batch != NULL ? 0 : SKY_ERR_NOMEM;
}

static bool
running(struct net *n, const struct rpc_call *c)
{
	if (n->pty.state == PTY_RUNNING)
		return true;
	rpc_fail(n, c->method, c->seq, NO_SESSION);
	return false;
}

/* --- Start and Stop --- */

void
pty_start(struct net *n, struct rpc_call *c)
{
	if (n->pty.state != PTY_NONE) {
		rpc_fail(n, c->method, c->seq,
		    "a pty session is already running");
		return;
	}
	if (!(n->grants & PRIV_GRANT_PTY)) {
		rpc_fail(n, c->method, c->seq,
		    "a terminal is not permitted for this key");
		return;
	}
	if (mon_pty_start(n, &c->arg.command) != 0) {
		rpc_fail(n, c->method, c->seq,
		    "fork/exec: argument list too long");
		return;
	}
	n->pty.state = PTY_STARTING;
	n->pty.seq = c->seq;
}

static int
open_master(struct net *n, int fd)
{
	struct pty *p = &n->pty;

	p->fd = fd;
	p->eof = p->exited = false;
	p->rest = NET_REST_MAX;
	p->rd = event_new(n->base, fd, EV_READ, on_output, n);
	p->wr = event_new(n->base, fd, EV_WRITE, on_room, n);
	if (p->rd == NULL || p->wr == NULL)
		return SKY_ERR_NOMEM;
	p->state = PTY_RUNNING;
	return event_add(p->rd, NULL) == 0 ? 0 : SKY_ERR_NOMEM;
}

int
pty_started(struct net *n, struct privmsg *m)
{
	char *text = NULL;
	int fd, r;

	if (n->pty.state != PTY_STARTING)
		return SKY_ERR_STATE;
	if ((r = buf_get_cstring(&m->body, &text, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	n->pty.state = PTY_NONE;
	if (*text != '\0') {
		rpc_fail(n, RPC_PTY_START, n->pty.seq, "%s", text);
	} else if ((fd = privmsg_take_fd(m, 0)) == -1) {
		r = SKY_ERR_FORMAT;
	} else if ((r = open_master(n, fd)) == 0)
		rpc_reply(n, RPC_PTY_START, n->pty.seq, NULL);
	free(text);
	if (r == 0)
		net_process(n);
	return r;
}

static void
drop_write(struct pty *p)
{
	struct pty_write *w = p->writes;

	if ((p->writes = w->next) == NULL)
		p->writes_tail = &p->writes;
	p->nwrites--;
	free(w);
}

/* Reads and Writes that Stop overtakes get Go's text for it. */
static void
fail_waiting(struct net *n)
{
	struct pty *p = &n->pty;

	for (; p->nreads > 0; p->nreads--) {
		rpc_fail(n, RPC_PTY_READ, p->reads[p->first].seq, "EOF");
		p->first = (p->first + 1) % NET_READS_MAX;
	}
	while (p->writes != NULL) {
		rpc_fail(n, RPC_PTY_WRITE, p->writes->seq,
		    "write /dev/ptmx: file already closed");
		drop_write(p);
	}
	buf_free(&p->input);
}

static void
close_master(struct pty *p)
{
	if (p->fd == -1)
		return;
	event_free(p->rd);
	event_free(p->wr);
	event_del(p->batch);
	close(p->fd);
	p->fd = -1;
	buf_free(&p->ahead);
}

void
pty_stop(struct net *n, struct rpc_call *c)
{
	if (!running(n, c))
		return;
	close_master(&n->pty);
	fail_waiting(n);
	n->pty.state = PTY_STOPPING;
	n->pty.seq = c->seq;
	mon_pty_stop(n);
}

int
pty_stopped(struct net *n)
{
	if (n->pty.state != PTY_STOPPING)
		return SKY_ERR_STATE;
	n->pty.state = PTY_NONE;
	rpc_reply(n, RPC_PTY_STOP, n->pty.seq, NULL);
	net_process(n);
	return 0;
}

/* --- output --- */

/* Answers the oldest Read from what is there; how many bytes of it. */
static size_t
answer_read(struct net *n)
{
	struct pty *p = &n->pty;
	struct pty_read *rd = &p->reads[p->first];
	union rpc_value v;
	size_t size = rd->size;

	if (size > buf_len(&p->ahead))
		size = buf_len(&p->ahead);
	p->first = (p->first + 1) % NET_READS_MAX;
	p->nreads--;
	if (size == 0) {
		rpc_fail(n, RPC_PTY_READ, rd->seq, "EOF");
		return 0;
	}
	buf_get_view(&p->ahead, size, &v.bytes);
	rpc_reply(n, RPC_PTY_READ, rd->seq, &v);
	return size;
}

/*
 * The kernel gives a terminal's output in pieces of 4 KiB.  The first piece
 * leaves at once; in a flood the next ones are gathered, but not for long.
 */
static bool
worth_an_answer(const struct pty *p)
{
	if (p->eof || buf_len(&p->ahead) >= NET_BATCH)
		return true;
	return buf_len(&p->ahead) > 0 && !p->flood;
}

static void
on_batch(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;

	(void)fd, (void)what;
	n->pty.flood = false;
	pty_pump(n);
}

void
pty_pump(struct net *n)
{
	struct timeval tv = { .tv_usec = NET_BATCH_MS * 1000 };
	struct pty *p = &n->pty;

	if (p->state != PTY_RUNNING)
		return;
	while (p->nreads > 0 && worth_an_answer(p) &&
	    link_backlog(&n->link) < NET_OUT_HIGH)
		if (answer_read(n) >= NET_FLOOD) {
			p->flood = true;
			event_add(p->batch, &tv);
		}
	/* What a shell has left is there, or nothing says that it is not. */
	if (!p->eof && buf_room(&p->ahead) > 0) {
		if (p->exited)
			event_active(p->rd, EV_READ, 0);
		else
			event_add(p->rd, NULL);
	}
	link_flush(n);
}

/*
 * Waits for the next piece without sleeping.  The kernel's worker delivers it
 * within microseconds, but a processor that went idle meanwhile takes tens of
 * them to wake up, for each 4 KiB.  Reading would sleep; asking does not.
 */
static bool
piece_arrives(int fd)
{
	int n = 0;

	for (int i = 0; i < NET_SPIN && n == 0; i++)
		if (ioctl(fd, FIONREAD, &n) == -1)
			return true; /* read(2) tells what is wrong */
	return n != 0;
}

/* When the shell has ended, no more than it can have left. */
static ssize_t
take_piece(struct pty *p, size_t want)
{
	ssize_t r;

	if (p->exited && want > p->rest)
		want = p->rest;
	if (want == 0)
		return SKY_ERR_EOF;
	if ((r = buf_read(&p->ahead, p->fd, want)) > 0 && p->exited)
		p->rest -= (size_t)r;
	return r;
}

/* Takes what the terminal holds; EIO is how it says that all is over. */
static void
on_output(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;
	struct pty *p = &n->pty;
	size_t want = NET_CHUNK;
	ssize_t r;

	(void)what;
	while ((r = take_piece(p, want)) > 0 && (size_t)r < want) {
		want -= (size_t)r;
		if (r >= NET_FLOOD && !p->exited && !piece_arrives(fd))
			break;
	}
	if (r < 0 && r != SKY_ERR_AGAIN && r != SKY_ERR_LIMIT)
		p->eof = true;
	if (p->exited && r == SKY_ERR_AGAIN)
		p->eof = true;
	pty_pump(n);
}

void
pty_exited(struct net *n)
{
	struct pty *p = &n->pty;

	if (p->state != PTY_RUNNING || p->eof)
		return;
	p->exited = true;
	on_output(p->fd, EV_READ, n);
}

void
pty_read(struct net *n, struct rpc_call *c)
{
	struct pty *p = &n->pty;
	int64_t size = c->arg.number;

	if (!running(n, c))
		return;
	if (size <= 0) {
		rpc_fail(n, c->method, c->seq, "invalid read size: %lld",
		    (long long)size);
		return;
	}
	if (p->nreads == NET_READS_MAX)
		net_end(n, "more than %d Reads at once", NET_READS_MAX);
	p->reads[(p->first + p->nreads++) % NET_READS_MAX] =
	    (struct pty_read){ .seq = c->seq,
		    .size = size > NET_READ_CUT ? NET_READ_CUT : (size_t)size };
	if (buf_len(&p->ahead) > 0 || p->eof)
		pty_pump(n);
}

/* --- input --- */

/* Writes what the terminal takes.  1 when all is gone, 0 when it is full. */
static int
feed(int fd, struct buf *data)
{
	ssize_t r;

	while ((r = buf_write(data, fd)) > 0)
		;
	return r == 0 ? 1 : r == SKY_ERR_AGAIN ? 0 : (int)r;
}

static void
answer_write(struct net *n, uint64_t seq, size_t size, int r)
{
	union rpc_value v = { .number = (int64_t)size };

	if (r == 1)
		rpc_reply(n, RPC_PTY_WRITE, seq, &v);
	else
		rpc_fail(n, RPC_PTY_WRITE, seq,
		    "write /dev/ptmx: input/output error");
}

static int
queue_write(struct pty *p, uint64_t seq, size_t size, struct buf *rest)
{
	struct pty_write *w;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return SKY_ERR_NOMEM;
	w->seq = seq;
	w->size = size;
	w->left = buf_len(rest);
	*p->writes_tail = w;
	p->writes_tail = &w->next;
	p->nwrites++;
	return buf_put(&p->input, buf_ptr(rest), buf_len(rest));
}

static bool
has_room(const struct pty *p, size_t more)
{
	return buf_len(&p->input) + more + (p->nwrites + 1) * NET_WRITE_COST <=
	    NET_WRITES_MAX;
}

void
pty_write(struct net *n, struct rpc_call *c)
{
	struct pty *p = &n->pty;
	struct buf data = c->arg.bytes;
	size_t size = buf_len(&data);
	int r = 0;

	if (!running(n, c))
		return;
	if (p->writes == NULL && (r = feed(p->fd, &data)) != 0) {
		answer_write(n, c->seq, size, r);
		return;
	}
	/* To stop reading would hide a Stop behind it, and the peer's end. */
	if (!has_room(p, buf_len(&data))) {
		rpc_fail(n, c->method, c->seq,
		    "write /dev/ptmx: too much input is waiting");
		return;
	}
	if (queue_write(p, c->seq, size, &data) != 0)
		net_end(n, "out of memory");
	event_add(p->wr, NULL);
}

/* Answers the Writes whose bytes the terminal has taken, or all after an error.
 */
static void
settle_writes(struct net *n, size_t taken, int r)
{
	struct pty *p = &n->pty;
	struct pty_write *w;

	while ((w = p->writes) != NULL && (r < 0 || w->left <= taken)) {
		taken -= w->left < taken ? w->left : taken;
		answer_write(n, w->seq, w->size, r < 0 ? r : 1);
		drop_write(p);
	}
	if (w != NULL)
		w->left -= taken;
	else
		buf_free(&p->input);
}

static void
on_room(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;
	struct pty *p = &n->pty;
	size_t before = buf_len(&p->input);
	int r;

	(void)what;
	r = feed(fd, &p->input);
	settle_writes(n, before - buf_len(&p->input), r);
	if (p->writes != NULL)
		event_add(p->wr, NULL);
	net_process(n);
}

void
pty_set_size(struct net *n, struct rpc_call *c)
{
	const struct rpc_winsize *ws = &c->arg.size;
	struct winsize size = { .ws_row = (unsigned short)ws->rows,
		.ws_col = (unsigned short)ws->cols,
		.ws_xpixel = (unsigned short)ws->x,
		.ws_ypixel = (unsigned short)ws->y };

	if (!running(n, c))
		return;
	if (ioctl(n->pty.fd, TIOCSWINSZ, &size) == -1)
		rpc_fail(n, c->method, c->seq, "%s", strerror(errno));
	else
		rpc_reply(n, c->method, c->seq, NULL);
}
