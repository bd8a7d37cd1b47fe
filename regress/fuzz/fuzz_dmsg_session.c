/* SPDX-License-Identifier: ISC */
/*
 * dmsg_session, dmsg_seal: a session's whole life.  The input says what the
 * server sends, a frame each, what its user does, and how time passes.  The
 * keys are zero, so that sealed objects are made here: what is told must be
 * one of them, whole and never told before.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/dmsg/dmsg_object.h"
#include "common/dmsg/dmsg_session.h"
#include "common/pty/yamux.h"

#define ROOM	  (1024U * 1024)
#define STREAMS	  24   /* that the user holds */
#define OBJECTS	  1024 /* that the server seals */
#define INPUT_MAX 600

enum { F_DATA, F_WINDOW, F_PING, F_GOAWAY };
enum { F_SYN = 1, F_ACK = 2, F_FIN = 4, F_RST = 8 };

struct life {
	const uint8_t *input;
	size_t left;
	struct dmsg_session *s;
	struct dmsg_seal seal; /* the server's */
	struct buf last;       /* what was sealed last */
	uint32_t sealed;
	bool told[OBJECTS];
	int64_t now;
	bool over;
	/* What the user holds. */
	struct dmsg_stream *st[STREAMS];
	bool ended[STREAMS], dialed[STREAMS], open[STREAMS];
};

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static uint8_t
next(struct life *l)
{
	if (l->left == 0)
		return 0;
	l->left--;
	return *l->input++;
}

/* --- the user --- */

static size_t
place(const struct life *l, const struct dmsg_stream *st)
{
	size_t i = 0;

	while (i < STREAMS && l->st[i] != st)
		i++;
	return i;
}

static void
give_back(struct life *l, size_t i)
{
	dmsg_stream_close(l->st[i]);
	l->st[i] = NULL;
}

static void
hold(struct life *l, struct dmsg_stream *st, bool dialed)
{
	size_t i = place(l, NULL);

	if (i == STREAMS) {
		dmsg_stream_close(st);
		return;
	}
	l->st[i] = st;
	l->dialed[i] = dialed;
	l->ended[i] = l->open[i] = false;
}

/* Its number stands in front, and so often behind as it is long. */
static void
check_object(struct life *l, struct buf b)
{
	uint32_t number;
	uint8_t c;

	require(buf_get_u32(&b, &number) == 0);
	require(number < l->sealed && !l->told[number]);
	l->told[number] = true;
	require(buf_len(&b) == number % 7 * 100);
	while (buf_get_u8(&b, &c) == 0)
		require(c == (uint8_t)number);
}

static void
handle(struct life *l, const struct dmsg_event *ev)
{
	size_t i = place(l, ev->stream);

	if (ev->what == DMSG_REQUEST) {
		require(i == STREAMS);
		check_object(l, ev->object);
		hold(l, ev->stream, false);
		return;
	}
	require(i < STREAMS && !l->ended[i]);
	switch (ev->what) {
	case DMSG_ANSWER:
		require(l->dialed[i] && !l->open[i]);
		check_object(l, ev->object);
		l->open[i] = true;
		break;
	case DMSG_END:
		l->ended[i] = true;
		break;
	default:
		/* A dial's bytes begin behind its answer. */
		require(l->open[i] || !l->dialed[i]);
	}
}

static void
take_events(struct life *l)
{
	struct dmsg_event ev;

	while (dmsg_session_event(l->s, &ev)) {
		handle(l, &ev);
		if (next(l) % 8 == 7)
			break; /* asked again later */
	}
}

static void
use(struct life *l, size_t i, uint8_t how)
{
	static const uint8_t bytes[YAMUX_OUT_MAX];
	struct dmsg_stream *st = l->st[i];
	size_t n = buf_len(dmsg_stream_in(st)), room = dmsg_stream_room(st);
	struct buf answer;
	int r;

	switch (how % 5) {
	case 0:
		buf_view(&answer, "answer", 6);
		r = dmsg_stream_answer(st, &answer);
		require(r != 0 || (!l->dialed[i] && !l->open[i]));
		l->open[i] |= r == 0;
		break;
	case 1:
		require(dmsg_stream_consume(st, n + 1) != 0);
		require(dmsg_stream_consume(st, n) == 0);
		require(buf_len(dmsg_stream_in(st)) == 0);
		(void)dmsg_stream_eof(st);
		break;
	case 2:
		if (l->open[i])
			(void)dmsg_stream_consume(st, n / 2);
		break;
	case 3:
		n = how * 512U % sizeof(bytes) + 1;
		require(dmsg_stream_write(st, bytes, n) <= (ssize_t)room);
		break;
	default:
		give_back(l, i);
	}
}

static void
dial(struct life *l)
{
	struct dmsg_stream *st;
	struct buf object;

	buf_view(&object, "request", 7);
	if ((st = dmsg_session_dial(l->s, l->now, &object)) != NULL)
		hold(l, st, true);
}

/* --- the server --- */

static void
input(struct life *l, const void *p, size_t n)
{
	struct buf in;

	if (l->over)
		return;
	buf_init(&in, ROOM);
	require(buf_put(&in, p, n) == 0);
	l->over = dmsg_session_input(l->s, &in) != 0;
	require(l->over || buf_len(&in) == 0);
	buf_free(&in);
	take_events(l);
}

static void
frame(struct life *l, uint8_t type, uint8_t flags, uint32_t id, uint32_t len,
    const void *p)
{
	struct buf b;

	buf_init(&b, ROOM);
	require(buf_put_u8(&b, 0) == 0 && buf_put_u8(&b, type) == 0 &&
	    buf_put_u16(&b, flags) == 0 && buf_put_u32(&b, id) == 0 &&
	    buf_put_u32(&b, len) == 0);
	require(p == NULL || buf_put(&b, p, len) == 0);
	input(l, buf_ptr(&b), buf_len(&b));
	buf_free(&b);
}

/* The next object, sealed. */
static void
seal(struct life *l)
{
	struct buf object;

	buf_init(&object, ROOM);
	require(buf_put_u32(&object, l->sealed) == 0);
	for (size_t i = l->sealed % 7 * 100; i > 0; i--)
		require(buf_put_u8(&object, (uint8_t)l->sealed) == 0);
	buf_reset(&l->last);
	require(dmsg_put_sealed(&l->seal, &object, &l->last) == 0);
	if (l->sealed < OBJECTS - 1)
		l->sealed++;
	buf_free(&object);
}

/* One behind the other, in two frames, changed, or what was there before. */
static void
send_object(struct life *l, uint8_t how, uint8_t flags, uint32_t id)
{
	size_t n, cut;
	uint8_t *p;

	if (how % 8 == 5) /* some were lost */
		l->seal.counter += next(l) * 16U;
	if (how % 8 != 7 || buf_len(&l->last) == 0)
		seal(l);
	n = buf_len(&l->last);
	require((p = malloc(n)) != NULL);
	memcpy(p, buf_ptr(&l->last), n);
	if (how % 8 == 6)
		p[next(l) * 3U % n] ^= 1;
	cut = how & 8 ? next(l) % n : 0;
	if (cut != 0) {
		frame(l, F_DATA, flags, id, (uint32_t)cut, p);
		flags &= (uint8_t)~F_SYN;
	}
	frame(l, F_DATA, flags, id, (uint32_t)(n - cut), p + cut);
	free(p);
}

static void
send_bytes(struct life *l, uint8_t how)
{
	size_t n = how < l->left ? how : l->left;
	const uint8_t *p = l->input;

	l->input += n;
	l->left -= n;
	input(l, p, n);
}

/* --- both --- */

static void
drain(struct life *l, uint8_t how)
{
	struct buf out;

	buf_init(&out, how & 1 ? ROOM : 13U + how);
	require(dmsg_session_output(l->s, &out) == 0);
	require(how % 2 == 0 || !dmsg_session_pending(l->s));
	buf_free(&out);
}

/* Those that are not open go first. */
static void
shed(struct life *l)
{
	size_t all = dmsg_session_buffered(l->s);
	size_t unopened = dmsg_session_unopened(l->s);

	require(dmsg_session_shed(l->s) == (all != 0));
	require(all == 0 || dmsg_session_buffered(l->s) < all);
	require(unopened == 0 ||
	    all - dmsg_session_buffered(l->s) ==
		unopened - dmsg_session_unopened(l->s));
	take_events(l);
}

static void
act(struct life *l)
{
	static const uint8_t bytes[8192];
	uint8_t what = next(l), how = next(l), flags = next(l) & 15;
	uint32_t id = next(l) % 32;
	size_t i = how / 8 % STREAMS;

	switch (what % 14) {
	case 0:
		send_bytes(l, how);
		break;
	case 1:
		frame(l, how % 5, flags, id, next(l) * 4096U, NULL);
		break;
	case 2:
	case 3: /* a peer's */
		send_object(l, how, F_SYN, id | 1);
		break;
	case 4:
		frame(l, F_WINDOW, F_SYN, id & ~1U, next(l) * 1024U, NULL);
		break;
	case 5:
	case 6:
		send_object(l, how, flags & ~F_SYN, id);
		break;
	case 7:
		frame(l, F_DATA, flags, id, how * 32U, bytes);
		break;
	case 8:
		frame(l, F_WINDOW, flags, id, how * 256U, NULL);
		break;
	case 9:
		l->now += how;
		(void)dmsg_session_tick(l->s, l->now);
		take_events(l);
		break;
	case 10:
		dial(l);
		break;
	case 11:
	case 12:
		if (l->st[i] != NULL)
			use(l, i, how);
		break;
	case 13:
		drain(l, how);
		(void)dmsg_session_answered(l->s);
		if (how > 200)
			shed(l);
	}
	require(dmsg_session_unopened(l->s) <= dmsg_session_buffered(l->s));
	require(dmsg_session_streams(l->s) <= yamux_default_limits().streams);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint8_t key[32];
	static struct life l;

	if (n > INPUT_MAX)
		return 0;
	memset(&l, 0, sizeof(l));
	l.input = data;
	l.left = n;
	l.now = 1;
	require((l.s = dmsg_session_new(key, key, 1)) != NULL);
	dmsg_seal_init(&l.seal, key, key);
	buf_init(&l.last, ROOM);
	while (l.left != 0)
		act(&l);
	/* Some are given back, the session has the rest. */
	for (size_t i = 0; i < STREAMS; i += 2)
		if (l.st[i] != NULL)
			give_back(&l, i);
	dmsg_session_free(l.s);
	dmsg_seal_wipe(&l.seal);
	buf_free(&l.last);
	return 0;
}
