/* SPDX-License-Identifier: ISC */
/* The terminal of the pty service: Start, Stop, Read, Write, SetPtySize. */
#include "daemon/net/net_term.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/err.h"
#include "daemon/net/net_mon.h"
#include "daemon/net/net_pipe.h"

#define NO_SESSION     "no active pty session"
#define NET_AHEAD_MAX  (128U * 1024) /* output held before it is asked for */
#define NET_WRITES_MAX (8U * 1024 * 1024) /* waiting input, its Writes */
#define NET_BATCH      (32U * 1024) /* output worth an answer in a flood */
#define NET_BATCH_MS   1	    /* and how long it may be waited for */
#define NET_READS_MAX  256	    /* Reads waiting at once */
#define NET_READ_CUT   65536	    /* most that one Read gives */
#define NET_FLOOD      2048 /* bytes of an answer after which more will follow */
#define NET_SPIN       100  /* questions, some 15 microseconds */
#define NET_WRITE_COST 48   /* what the allocator takes for a term_write */

/* A Write whose bytes wait, behind those of the Writes before it. */
struct term_write {
	struct term_write *next;
	uint64_t seq;
	size_t size, left;
};

struct term_read {
	uint64_t seq;
	size_t size;
};

struct net_term {
	struct net_rpc *rpc;
	enum { TERM_NONE, TERM_STARTING, TERM_RUNNING, TERM_STOPPING } state;
	uint32_t handle;  /* of the shell that runs, or has */
	int fd;		  /* -1 when closed */
	bool eof;	  /* nothing will follow what is in ahead */
	bool exited;	  /* the shell; what it has left is still read */
	size_t rest;	  /* and how much of that may come */
	uint64_t seq;	  /* of the Start or Stop under way */
	struct buf ahead; /* read, not asked for yet */
	struct term_read reads[NET_READS_MAX]; /* ring */
	size_t first, nreads;
	struct term_write *writes, **writes_tail;
	size_t nwrites;
	struct buf input; /* of all of them */
	struct job_bytes bytes;
	struct event *rd, *wr;
	struct event *batch; /* pending: output is being gathered */
	bool flood;	     /* the last answer was a large one, just now */
};

static void net_term_on_output(evutil_socket_t, short, void *);
static void net_term_on_writable(evutil_socket_t, short, void *);
static void net_term_on_batch(evutil_socket_t, short, void *);
static void net_term_drop_write(struct net_term *);
static void net_term_close_master(struct net_term *);

struct net_term *
net_term_new(struct net_rpc *rpc)
{
	struct net_term *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->rpc = rpc;
	p->fd = -1;
	p->writes_tail = &p->writes;
	buf_init(&p->ahead, NET_AHEAD_MAX);
	buf_init(&p->input, NET_WRITES_MAX);
	p->batch = evtimer_new(rpc->ch->base, net_term_on_batch, p);
	if (p->batch == NULL) {
		free(p);
		return NULL;
	}
	return p;
}

void
net_term_free(struct net_term *p)
{
	if (p == NULL)
		return;
	net_term_close_master(p);
	if (p->state == TERM_RUNNING && channel_leaves(p->rpc->ch))
		mon_pty_stop(p->rpc->ch, p->handle);
	event_free(p->batch);
	while (p->writes != NULL)
		net_term_drop_write(p);
	buf_free(&p->ahead);
	buf_free(&p->input);
	free(p);
}

static bool
net_term_running(struct net_term *p, const struct rpc_call *c)
{
	if (p->state == TERM_RUNNING)
		return true;
	net_rpc_fail(p->rpc, c->method, c->seq, NO_SESSION);
	return false;
}

size_t
net_term_held(const struct net_term *p)
{
	return buf_len(&p->ahead) + buf_len(&p->input);
}

/* --- Start and Stop --- */

void
net_term_start(struct net_term *p, struct rpc_call *c,
    const struct mux_session *wishes)
{
	const char *why;

	if (p->state != TERM_NONE) {
		net_rpc_fail(p->rpc, c->method, c->seq,
		    "a pty session is already running");
		return;
	}
	if ((why = channel_denied(p->rpc->ch, PRIV_GRANT_PTY)) != NULL) {
		net_rpc_fail(p->rpc, c->method, c->seq, "%s", why);
		return;
	}
	if (mon_pty_start(p->rpc->ch, &c->arg.command, wishes) != 0) {
		net_rpc_fail(p->rpc, c->method, c->seq,
		    "fork/exec: argument list too long");
		return;
	}
	p->rpc->ch->busy = true;
	p->state = TERM_STARTING;
	p->seq = c->seq;
}

static int
net_term_open_master(struct net_term *p, int fd)
{
	struct event_base *base = p->rpc->ch->base;

	if ((p->fd = fd) == -1)
		return SKY_ERR_FORMAT;
	p->eof = p->exited = false;
	p->rest = NET_REST_MAX;
	p->bytes = (struct job_bytes){ 0 };
	p->rd = event_new(base, fd, EV_READ, net_term_on_output, p);
	p->wr = event_new(base, fd, EV_WRITE, net_term_on_writable, p);
	if (p->rd == NULL || p->wr == NULL)
		return SKY_ERR_NOMEM;
	p->state = TERM_RUNNING;
	return event_add(p->rd, NULL) == 0 ? 0 : SKY_ERR_NOMEM;
}

int
net_term_started(struct net_term *p, struct privmsg *m)
{
	char *text = NULL;
	int r;

	if (p->state != TERM_STARTING)
		return SKY_ERR_STATE;
	if ((r = buf_get_cstring(&m->body, &text, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	p->state = TERM_NONE;
	p->rpc->ch->busy = false;
	if (*text != '\0') {
		net_rpc_fail(p->rpc, RPC_PTY_START, p->seq, "%s", text);
	} else if ((r = buf_get_u32(&m->body, &p->handle)) == 0 &&
	    (r = net_term_open_master(p, privmsg_take_fd(m, 0))) == 0)
		net_rpc_reply(p->rpc, RPC_PTY_START, p->seq, NULL);
	free(text);
	return r;
}

static void
net_term_drop_write(struct net_term *p)
{
	struct term_write *w = p->writes;

	if ((p->writes = w->next) == NULL)
		p->writes_tail = &p->writes;
	p->nwrites--;
	free(w);
}

/* Reads and Writes that Stop overtakes get Go's text for it. */
static void
net_term_fail_waiting(struct net_term *p)
{
	for (; p->nreads > 0; p->nreads--) {
		net_rpc_fail(p->rpc, RPC_PTY_READ, p->reads[p->first].seq,
		    "EOF");
		p->first = (p->first + 1) % NET_READS_MAX;
	}
	while (p->writes != NULL) {
		net_rpc_fail(p->rpc, RPC_PTY_WRITE, p->writes->seq,
		    "write /dev/ptmx: file already closed");
		net_term_drop_write(p);
	}
	buf_free(&p->input);
}

static void
net_term_close_master(struct net_term *p)
{
	if (p->fd == -1)
		return;
	channel_tell_job(p->rpc->ch, p->handle, &p->bytes);
	event_free(p->rd);
	event_free(p->wr);
	event_del(p->batch);
	close(p->fd);
	p->fd = -1;
	buf_free(&p->ahead);
}

void
net_term_stop(struct net_term *p, struct rpc_call *c)
{
	if (!net_term_running(p, c))
		return;
	net_term_close_master(p);
	net_term_fail_waiting(p);
	p->rpc->ch->busy = true;
	p->state = TERM_STOPPING;
	p->seq = c->seq;
	mon_pty_stop(p->rpc->ch, p->handle);
}

int
net_term_stopped(struct net_term *p)
{
	if (p->state != TERM_STOPPING)
		return SKY_ERR_STATE;
	p->state = TERM_NONE;
	p->rpc->ch->busy = false;
	net_rpc_reply(p->rpc, RPC_PTY_STOP, p->seq, NULL);
	return 0;
}

/* --- output --- */

/* Answers the oldest Read from what is there; how many bytes of it. */
static size_t
net_term_answer_read(struct net_term *p)
{
	struct term_read *rd = &p->reads[p->first];
	union rpc_value v;
	size_t size = rd->size;

	if (size > buf_len(&p->ahead))
		size = buf_len(&p->ahead);
	p->first = (p->first + 1) % NET_READS_MAX;
	p->nreads--;
	if (size == 0) {
		net_rpc_fail(p->rpc, RPC_PTY_READ, rd->seq, "EOF");
		return 0;
	}
	buf_get_view(&p->ahead, size, &v.bytes);
	net_rpc_reply(p->rpc, RPC_PTY_READ, rd->seq, &v);
	return size;
}

/*
 * The kernel gives a terminal's output in pieces of 4 KiB.  The first piece
 * leaves at once; in a flood the next ones are gathered, but not for long.
 */
static bool
net_term_worth_an_answer(const struct net_term *p)
{
	if (p->eof || buf_len(&p->ahead) >= NET_BATCH)
		return true;
	return buf_len(&p->ahead) > 0 && !p->flood;
}

static void
net_term_on_batch(evutil_socket_t fd, short what, void *arg)
{
	struct net_term *p = arg;

	channel_stir(p->rpc->ch);
	p->flood = false;
}

void
net_term_room(struct net_term *p)
{
	struct timeval tv = { .tv_usec = NET_BATCH_MS * 1000 };

	if (p->state != TERM_RUNNING)
		return;
	while (p->nreads > 0 && net_term_worth_an_answer(p) &&
	    !channel_full(p->rpc->ch))
		if (net_term_answer_read(p) >= NET_FLOOD) {
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
}

/*
 * Waits for the next piece without sleeping.  The kernel's worker delivers it
 * within microseconds, but a processor that went idle meanwhile takes tens of
 * them to wake up, for each 4 KiB.  Reading would sleep; asking does not.
 */
static bool
net_term_piece_arrives(int fd)
{
	int n = 0;

	for (int i = 0; i < NET_SPIN && n == 0; i++)
		if (ioctl(fd, FIONREAD, &n) == -1)
			return true; /* read(2) tells what is wrong */
	return n != 0;
}

/* When the shell has ended, no more than it can have left. */
static ssize_t
net_term_take_piece(struct net_term *p, size_t want)
{
	ssize_t r;

	if (p->exited && want > p->rest)
		want = p->rest;
	if (want == 0)
		return SKY_ERR_EOF;
	if ((r = buf_read(&p->ahead, p->fd, want)) > 0)
		p->bytes.out += (uint64_t)r;
	if (r > 0 && p->exited)
		p->rest -= (size_t)r;
	return r;
}

/* Takes what the terminal holds; EIO is how it says that all is over. */
static void
net_term_on_output(evutil_socket_t fd, short what, void *arg)
{
	struct net_term *p = arg;
	size_t want = NET_CHUNK;
	ssize_t r;

	channel_moved(p->rpc->ch);
	while ((r = net_term_take_piece(p, want)) > 0 && (size_t)r < want) {
		want -= (size_t)r;
		if (r >= NET_FLOOD && !p->exited && !net_term_piece_arrives(fd))
			break;
	}
	if (r < 0 && r != SKY_ERR_AGAIN && r != SKY_ERR_LIMIT)
		p->eof = true;
	if (p->exited && r == SKY_ERR_AGAIN)
		p->eof = true;
	if (p->eof)
		channel_tell_job(p->rpc->ch, p->handle, &p->bytes);
}

void
net_term_exited(struct net_term *p, uint32_t handle)
{
	if (handle != p->handle || p->state != TERM_RUNNING || p->eof)
		return;
	p->exited = true;
	net_term_on_output(p->fd, EV_READ, p);
}

void
net_term_read(struct net_term *p, struct rpc_call *c)
{
	int64_t size = c->arg.number;

	if (!net_term_running(p, c))
		return;
	if (size <= 0) {
		net_rpc_fail(p->rpc, c->method, c->seq,
		    "invalid read size: %lld", (long long)size);
		return;
	}
	if (p->nreads == NET_READS_MAX) {
		channel_fault(p->rpc->ch, "more than %d Reads at once",
		    NET_READS_MAX);
		return;
	}
	p->reads[(p->first + p->nreads++) % NET_READS_MAX] =
	    (struct term_read){ .seq = c->seq,
		    .size = size > NET_READ_CUT ? NET_READ_CUT : (size_t)size };
	if (buf_len(&p->ahead) > 0 || p->eof)
		net_term_room(p);
}

/* --- input --- */

/* Writes what the terminal takes.  1 when all is gone, 0 when it is full. */
static int
net_term_feed(struct net_term *p, struct buf *data)
{
	ssize_t r;

	while ((r = buf_write(data, p->fd)) > 0)
		p->bytes.in += (uint64_t)r;
	return r == 0 ? 1 : r == SKY_ERR_AGAIN ? 0 : (int)r;
}

static void
net_term_answer_write(struct net_term *p, uint64_t seq, size_t size, int r)
{
	union rpc_value v = { .number = (int64_t)size };

	if (r == 1)
		net_rpc_reply(p->rpc, RPC_PTY_WRITE, seq, &v);
	else
		net_rpc_fail(p->rpc, RPC_PTY_WRITE, seq,
		    "write /dev/ptmx: input/output error");
}

static int
net_term_queue_write(struct net_term *p, uint64_t seq, size_t size,
    struct buf *rest)
{
	struct term_write *w;

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
net_term_has_room(const struct net_term *p, size_t more)
{
	return buf_len(&p->input) + more + (p->nwrites + 1) * NET_WRITE_COST <=
	    NET_WRITES_MAX;
}

void
net_term_write(struct net_term *p, struct rpc_call *c)
{
	struct buf data = c->arg.bytes;
	size_t size = buf_len(&data);
	int r = 0;

	if (!net_term_running(p, c))
		return;
	channel_moved(p->rpc->ch);
	if (p->writes == NULL && (r = net_term_feed(p, &data)) != 0) {
		net_term_answer_write(p, c->seq, size, r);
		return;
	}
	/* To stop reading would hide a Stop behind it, and the peer's end. */
	if (!net_term_has_room(p, buf_len(&data))) {
		net_rpc_fail(p->rpc, c->method, c->seq,
		    "write /dev/ptmx: too much input is waiting");
		return;
	}
	if (net_term_queue_write(p, c->seq, size, &data) != 0)
		channel_fatal(p->rpc->ch, "out of memory");
	event_add(p->wr, NULL);
}

/* Answers the Writes whose bytes the terminal has taken, or all after an error.
 */
static void
net_term_settle_writes(struct net_term *p, size_t taken, int r)
{
	struct term_write *w;

	while ((w = p->writes) != NULL && (r < 0 || w->left <= taken)) {
		taken -= w->left < taken ? w->left : taken;
		net_term_answer_write(p, w->seq, w->size, r < 0 ? r : 1);
		net_term_drop_write(p);
	}
	if (w != NULL)
		w->left -= taken;
	else
		buf_free(&p->input);
}

static void
net_term_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct net_term *p = arg;
	size_t before = buf_len(&p->input);
	int r;

	channel_stir(p->rpc->ch);
	r = net_term_feed(p, &p->input);
	/* Nobody is there any more who would make room, and its end is ready.
	 */
	if (r == 0 && (p->eof || p->exited) && buf_len(&p->input) == before)
		r = SKY_ERR_SYS;
	net_term_settle_writes(p, before - buf_len(&p->input), r);
	if (p->writes != NULL)
		event_add(p->wr, NULL);
}

void
net_term_set_size(struct net_term *p, struct rpc_call *c)
{
	const struct rpc_winsize *ws = &c->arg.size;
	struct winsize size = { .ws_row = (unsigned short)ws->rows,
		.ws_col = (unsigned short)ws->cols,
		.ws_xpixel = (unsigned short)ws->x,
		.ws_ypixel = (unsigned short)ws->y };

	if (!net_term_running(p, c))
		return;
	if (ioctl(p->fd, TIOCSWINSZ, &size) == -1)
		net_rpc_fail(p->rpc, c->method, c->seq, "%s", strerror(errno));
	else
		net_rpc_reply(p->rpc, c->method, c->seq, NULL);
}
