/* SPDX-License-Identifier: ISC */
/* Go would not take a folder with C in it. */
/* clang-format off */
//go:build ignore
/* clang-format on */

/*
 * A peer for the Go tests: yamux over the socket that is descriptor 0.
 *
 *	yamux_peer client|server echo	serves streams; see serve()
 *	yamux_peer client|server drive N	opens N streams to an echo
 *	yamux_peer client|server open N	opens N streams and tells their fate
 *	yamux_peer client|server away	waits to be told to open no more
 *
 * Ends with 0 when the connection ends in order or all is done.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/pty/yamux_int.h"

#define WIRE_MAX (64U * 1024)
#define AT_ONCE	 200 /* streams that drive keeps open */

/* What a stream is about. */
struct job {
	struct job *next, **prev;
	char command;	  /* echo: the stream's first byte */
	size_t size;	  /* drive: bytes to be sent */
	size_t sent, got; /* drive */
	uint32_t out_state, in_state;
	bool gives_up; /* drive: resets it half way */
};

struct peer {
	struct yamux *y;
	struct job *jobs;
	struct buf in, out;
	void (*act)(struct peer *); /* after each step */
	void (*event)(struct peer *, const struct yamux_event *);
	unsigned int left, open;	    /* streams to be opened, alive */
	unsigned int opened, reset, rounds; /* counts */
	uint64_t bytes;
	uint32_t random;
	bool pong, done;
};

static uint32_t
xorshift(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

static struct job *
job_new(struct peer *p, struct yamux_stream *st)
{
	struct job *j;

	if ((j = calloc(1, sizeof(*j))) == NULL)
		err(2, NULL);
	j->out_state = j->in_state = st->id * 2654435761U + 1;
	if ((j->next = p->jobs) != NULL)
		j->next->prev = &j->next;
	j->prev = &p->jobs;
	p->jobs = j;
	yamux_set_arg(st, j);
	p->open++;
	return j;
}

static void
job_free(struct job *j)
{
	if (j->next != NULL)
		j->next->prev = j->prev;
	*j->prev = j->next;
	free(j);
}

static void
drop(struct peer *p, struct yamux_stream *st)
{
	job_free(yamux_arg(st));
	yamux_close(st);
	p->open--;
}

/* --- echo --------------------------------------------------------------- */

/*
 * The first byte says what becomes of a stream: 'e' sends all back, 's' does
 * so slowly, 'r' resets it after 1000 bytes, 'z' reads nothing, 'h' reads all
 * and never closes, 'g' tells the peer to open no more.
 */
static void
serve(struct peer *p, struct yamux_stream *st)
{
	struct job *j = yamux_arg(st);
	const struct buf *in = yamux_in(st);
	size_t most = SIZE_MAX, n;
	ssize_t r;

	if (j->command == 'z')
		return;
	if (j->command == 'r' && buf_len(in) >= 1000) {
		yamux_kill(st);
		drop(p, st);
		return;
	}
	if (j->command == 's')
		most = 2000;
	n = buf_len(in) < most ? buf_len(in) : most;
	if (n != 0 && j->command != 'r') {
		r = j->command == 'h' ? (ssize_t)n :
					yamux_write(st, buf_ptr(in), n);
		if (r > 0)
			yamux_consume(st, (size_t)r);
	}
	if (yamux_eof(st) && j->command != 'h')
		drop(p, st);
}

/* Slow streams have no event when they may go on. */
struct slow {
	struct yamux_stream *st[1024];
	size_t n;
};

static struct slow slow;

static void
slow_forget(const struct yamux_stream *st)
{
	for (size_t i = 0; i < slow.n; i++)
		if (slow.st[i] == st)
			slow.st[i--] = slow.st[--slow.n];
}

static void
echo_event(struct peer *p, const struct yamux_event *ev)
{
	struct job *j;

	slow_forget(ev->stream);
	if (ev->what & YAMUX_RESET) {
		p->reset++;
		drop(p, ev->stream);
		return;
	}
	j = yamux_arg(ev->stream);
	if (j->command == '\0' && buf_len(yamux_in(ev->stream)) != 0 &&
	    (j->command = (char)*buf_ptr(yamux_in(ev->stream))) == 'g')
		yamux_goaway(p->y, YAMUX_NORMAL);
	if (j->command == 's' && slow.n < 1024)
		slow.st[slow.n++] = ev->stream;
	else
		serve(p, ev->stream);
}

static void
echo_act(struct peer *p)
{
	struct yamux_stream *st;
	struct slow turn = slow;

	while ((st = yamux_accept(p->y)) != NULL)
		job_new(p, st);
	slow.n = 0;
	for (size_t i = 0; i < turn.n; i++) {
		st = turn.st[i];
		if (buf_len(yamux_in(st)) > 2000)
			slow.st[slow.n++] = st;
		serve(p, st);
	}
}

/* --- drive -------------------------------------------------------------- */

static void
drive_write(struct yamux_stream *st, uint32_t *random)
{
	struct job *j = yamux_arg(st);
	uint8_t b[20000];
	uint32_t state;
	ssize_t r;
	size_t n;

	while (j->sent < j->size) {
		n = 1 + xorshift(random) % sizeof(b);
		if (n > j->size - j->sent)
			n = j->size - j->sent;
		state = j->out_state;
		for (size_t i = 0; i < n; i++)
			b[i] = (uint8_t)xorshift(&state);
		if ((r = yamux_write(st, b, n)) == SKY_ERR_AGAIN)
			return;
		if (r < 0)
			errx(1, "write: %s", err_text((int)r));
		for (ssize_t i = 0; i < r; i++)
			xorshift(&j->out_state);
		j->sent += (size_t)r;
		if (j->sent == j->size && !j->gives_up)
			yamux_shutdown(st);
	}
}

/* Takes at most n bytes; SKY_ERR_EOF or SKY_ERR_AGAIN without any. */
static ssize_t
take_bytes(struct yamux_stream *st, void *p, size_t n)
{
	const struct buf *in = yamux_in(st);

	if (n > buf_len(in))
		n = buf_len(in);
	if (n == 0)
		return yamux_eof(st) ? SKY_ERR_EOF : SKY_ERR_AGAIN;
	memcpy(p, buf_ptr(in), n);
	if (yamux_consume(st, n) != 0)
		errx(1, "consume");
	return (ssize_t)n;
}

static void
drive_read(struct peer *p, struct yamux_stream *st)
{
	struct job *j = yamux_arg(st);
	uint8_t b[5000];
	ssize_t r;

	while ((r = take_bytes(st, b, sizeof(b))) > 0) {
		for (ssize_t i = 0; i < r; i++)
			if (b[i] != (uint8_t)xorshift(&j->in_state))
				errx(1, "stream %u: wrong byte at %zu", st->id,
				    j->got + (size_t)i);
		j->got += (size_t)r;
	}
	if (j->gives_up && j->got > j->size / 2) {
		yamux_kill(st);
		p->reset++;
		drop(p, st);
	} else if (r == SKY_ERR_EOF) {
		if (j->got != j->size)
			errx(1, "stream %u: %zu bytes of %zu", st->id, j->got,
			    j->size);
		p->bytes += j->got;
		drop(p, st);
	} else if (r != SKY_ERR_AGAIN)
		errx(1, "read: %s", err_text((int)r));
}

static void
drive_event(struct peer *p, const struct yamux_event *ev)
{
	if (ev->what & YAMUX_RESET)
		errx(1, "stream %u was reset", ev->stream->id);
	drive_write(ev->stream, &p->random);
	drive_read(p, ev->stream);
}

static void
drive_act(struct peer *p)
{
	struct yamux_stream *st;
	struct job *j;
	uint32_t n;

	while (
	    p->left != 0 && p->open < AT_ONCE && yamux_open(p->y, &st) == 0) {
		n = xorshift(&p->random);
		j = job_new(p, st);
		j->size = n % 5 == 0 ? n % 700000 : n % 3000 + 1;
		j->gives_up = p->left % 9 == 0;
		p->left--;
		drive_write(st, &p->random);
	}
	p->done = p->left == 0 && p->open == 0 && p->pong;
}

/* --- open, away --------------------------------------------------------- */

static void
open_event(struct peer *p, const struct yamux_event *ev)
{
	if (ev->what & YAMUX_OPENED)
		p->opened++;
	if (ev->what & YAMUX_RESET) {
		p->reset++;
		drop(p, ev->stream);
	}
}

static void
open_act(struct peer *p)
{
	struct yamux_stream *st;

	for (; p->left != 0; p->left--) {
		if (yamux_open(p->y, &st) != 0)
			errx(1, "cannot open a stream");
		job_new(p, st);
		p->rounds++;
	}
	p->done = p->opened + p->reset == p->rounds;
}

static void
away_event(struct peer *p, const struct yamux_event *ev)
{
	struct yamux_stream *st;

	if (ev->what & YAMUX_GOAWAY) {
		printf("%u, %s\n", ev->code, err_text(yamux_open(p->y, &st)));
		p->done = true;
	}
}

static void
away_act(struct peer *p)
{
	(void)p;
}

/* --- the loop ----------------------------------------------------------- */

static void
step(struct peer *p)
{
	struct yamux_event ev;
	bool more;
	int r;

	do {
		p->act(p);
		more = false;
		while (yamux_event(p->y, &ev)) {
			more = true;
			if (ev.what & YAMUX_PONG)
				p->pong = true;
			if (ev.stream != NULL || p->event == away_event)
				p->event(p, &ev);
		}
	} while (more);
	if ((r = yamux_output(p->y, &p->out)) != 0)
		errx(1, "output: %s", err_text(r));
}

/* Reads and writes once; false at the connection's end. */
static bool
transfer(struct peer *p)
{
	struct pollfd pfd = { .fd = 0, .events = POLLIN };
	ssize_t n;
	int r;

	if (buf_len(&p->out) != 0)
		pfd.events |= POLLOUT;
	if (poll(&pfd, 1, slow.n != 0 ? 1 : -1) == -1)
		err(2, "poll");
	if ((pfd.revents & POLLOUT) &&
	    (n = buf_write(&p->out, 0)) == SKY_ERR_SYS) {
		if (errno == EPIPE || errno == ECONNRESET)
			return false;
		err(2, "write");
	}
	if ((pfd.revents & (POLLIN | POLLHUP)) == 0)
		return true;
	if ((n = buf_read(&p->in, 0, WIRE_MAX)) == SKY_ERR_EOF ||
	    (n == SKY_ERR_SYS && errno == ECONNRESET))
		return false;
	if (n > 0 && (r = yamux_input(p->y, &p->in)) != 0) {
		yamux_output(p->y, &p->out);
		buf_write(&p->out, 0);
		errx(1, "input: %s", err_text(r));
	}
	return true;
}

static void
choose(struct peer *p, int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";

	if (strcmp(what, "echo") == 0) {
		p->act = echo_act;
		p->event = echo_event;
	} else if (strcmp(what, "drive") == 0 && argc > 3) {
		p->act = drive_act;
		p->event = drive_event;
	} else if (strcmp(what, "open") == 0 && argc > 3) {
		p->act = open_act;
		p->event = open_event;
	} else if (strcmp(what, "away") == 0) {
		p->act = away_act;
		p->event = away_event;
	} else
		errx(2,
		    "usage: yamux_peer client|server echo|drive|open|away "
		    "[streams]");
	p->left = argc > 3 ? (unsigned int)atoi(argv[3]) : 0;
}

int
main(int argc, char **argv)
{
	struct peer p = { .random = 1 };

	choose(&p, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	p.y = yamux_new(strcmp(argv[1], "client") == 0, NULL);
	if (p.y == NULL || fcntl(0, F_SETFL, O_NONBLOCK) == -1)
		err(2, NULL);
	buf_init(&p.in, WIRE_MAX);
	buf_init(&p.out, WIRE_MAX);
	yamux_ping(p.y);
	do
		step(&p);
	while ((!p.done || buf_len(&p.out) != 0) && transfer(&p));
	if (!p.done && p.act != echo_act)
		errx(1, "the connection ended too soon");
	if (p.act == drive_act)
		printf("%llu bytes, %u reset\n", (unsigned long long)p.bytes,
		    p.reset);
	if (p.act == open_act)
		printf("%u opened, %u reset\n", p.opened, p.reset);
	while (p.jobs != NULL)
		job_free(p.jobs);
	yamux_free(p.y);
	buf_free(&p.in);
	buf_free(&p.out);
	return 0;
}
