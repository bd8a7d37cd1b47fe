/* SPDX-License-Identifier: ISC */
/* Frames of streamed commands, and our own request.  See PROTOCOL. */
#include "common/pty/exec_stream.h"

#include <signal.h>
#include <string.h>

#include "common/base/err.h"

#define LIST_MAX (2 * XS_START_MAX)

/* --- frames --- */

void
xs_head(uint8_t *p, enum xs_tag tag, uint32_t len)
{
	p[0] = (uint8_t)tag;
	p[1] = (uint8_t)(len >> 24);
	p[2] = (uint8_t)(len >> 16);
	p[3] = (uint8_t)(len >> 8);
	p[4] = (uint8_t)len;
}

int
xs_put_frame(struct buf *b, enum xs_tag tag, const void *p, size_t n)
{
	uint8_t head[XS_HEAD_LEN];
	int r;

	if (n > XS_FRAME_MAX || buf_room(b) < n + sizeof(head))
		return SKY_ERR_LIMIT;
	xs_head(head, tag, (uint32_t)n);
	if ((r = buf_put(b, head, sizeof(head))) != 0)
		return r;
	return buf_put(b, p, n);
}

/* 1 with the head taken, 0 when it is not complete. */
static int
xs_get_head(struct buf *in, size_t max, uint8_t *tag, uint32_t *len)
{
	int r;

	if (buf_len(in) < XS_HEAD_LEN)
		return 0;
	if ((r = buf_get_u8(in, tag)) != 0 || (r = buf_get_u32(in, len)) != 0)
		return r;
	return *len > max ? SKY_ERR_LIMIT : 1;
}

int
xs_get_piece(struct xs_reader *x, struct buf *in, struct buf *piece)
{
	size_t n;
	int r;

	if (!x->inside &&
	    (r = xs_get_head(in, XS_FRAME_MAX, &x->tag, &x->left)) != 1)
		return r;
	x->inside = true;
	n = buf_len(in) < x->left ? buf_len(in) : x->left;
	if (n == 0 && x->left != 0)
		return 0;
	if ((r = buf_get_view(in, n, piece)) != 0)
		return r;
	x->left -= (uint32_t)n;
	x->inside = x->left != 0;
	return 1;
}

int
xs_get_frame(struct buf *in, size_t max, uint8_t *tag, struct buf *payload)
{
	struct buf peek;
	uint32_t len;
	int r;

	buf_view(&peek, buf_ptr(in), buf_len(in));
	if ((r = xs_get_head(&peek, max, tag, &len)) != 1)
		return r;
	if (buf_len(&peek) < len)
		return 0;
	if ((r = buf_skip(in, XS_HEAD_LEN)) != 0)
		return r;
	r = buf_get_view(in, len, payload);
	return r == 0 ? 1 : r;
}

/* --- our request --- */

static int
xs_get_list(struct buf *b, struct gob_list *list)
{
	struct buf s;
	uint32_t count;
	int r;

	if ((r = buf_get_u32(b, &count)) != 0)
		return r;
	for (; r == 0 && count > 0; count--)
		if ((r = buf_get_string(b, &s)) == 0)
			r = gob_list_add(list, buf_ptr(&s), buf_len(&s));
	return r;
}

static int
get_u16(struct buf *b, uint64_t *v)
{
	uint16_t x = 0;
	int r = buf_get_u16(b, &x);

	*v = x;
	return r;
}

static int
xs_get_size(struct buf *b, struct rpc_winsize *ws)
{
	int r;

	if ((r = get_u16(b, &ws->rows)) != 0 ||
	    (r = get_u16(b, &ws->cols)) != 0 || (r = get_u16(b, &ws->x)) != 0)
		return r;
	return get_u16(b, &ws->y);
}

int
xs_get_start(struct buf *b, struct xs_start *s)
{
	int r;

	memset(s, 0, sizeof(*s));
	buf_init(&s->arg.raw, LIST_MAX);
	buf_init(&s->env.raw, LIST_MAX);
	if ((r = buf_get_u8(b, &s->flags)) != 0 ||
	    (r = buf_get_u32(b, &s->timeout_ms)) != 0 ||
	    (r = xs_get_size(b, &s->size)) != 0 ||
	    (r = buf_get_string(b, &s->name)) != 0 ||
	    (r = xs_get_list(b, &s->arg)) != 0 ||
	    (r = xs_get_list(b, &s->env)) != 0)
		return r == SKY_ERR_SHORT ? SKY_ERR_FORMAT : r;
	if (s->flags & ~(XS_HAS_STDIN | XS_TERMINAL))
		return SKY_ERR_RANGE;
	return buf_at_end(b);
}

void
xs_start_free(struct xs_start *s)
{
	buf_free(&s->arg.raw);
	buf_free(&s->env.raw);
}

static int
xs_put_list(struct buf *b, struct gob_list list)
{
	struct buf s;
	int r;

	if ((r = buf_put_u32(b, (uint32_t)list.count)) != 0)
		return r;
	while ((r = gob_list_next(&list, &s)) == 1)
		if ((r = buf_put_string(b, buf_ptr(&s), buf_len(&s))) != 0)
			return r;
	return r;
}

int
xs_put_start(struct buf *b, const struct xs_start *s)
{
	const struct rpc_winsize *ws = &s->size;
	int r;

	if ((r = buf_put_u8(b, s->flags)) != 0 ||
	    (r = buf_put_u32(b, s->timeout_ms)) != 0 ||
	    (r = buf_put_u16(b, (uint16_t)ws->rows)) != 0 ||
	    (r = buf_put_u16(b, (uint16_t)ws->cols)) != 0 ||
	    (r = buf_put_u16(b, (uint16_t)ws->x)) != 0 ||
	    (r = buf_put_u16(b, (uint16_t)ws->y)) != 0 ||
	    (r = buf_put_string(b, buf_ptr(&s->name), buf_len(&s->name))) !=
		0 ||
	    (r = xs_put_list(b, s->arg)) != 0)
		return r;
	return xs_put_list(b, s->env);
}

/* --- keys --- */

int
xs_get_keys(struct buf *payload, struct xs_keys *k)
{
	uint8_t n;

	if (buf_len(payload) != XS_KEYS_LEN ||
	    buf_get_u8(payload, &k->answer_ms) != 0 ||
	    buf_get_u8(payload, &n) != 0 || k->answer_ms > XS_ANSWER_MAX ||
	    n > XS_KEYS_MAX)
		return SKY_ERR_FORMAT;
	return buf_get_view(payload, n, &k->bytes);
}

int
xs_put_keys(struct buf *b, const struct xs_keys *k)
{
	uint8_t payload[XS_KEYS_LEN] = { k->answer_ms };
	size_t n = buf_len(&k->bytes);

	if (n > XS_KEYS_MAX)
		return SKY_ERR_LIMIT;
	payload[1] = (uint8_t)n;
	if (n != 0)
		memcpy(payload + 2, buf_ptr(&k->bytes), n);
	return xs_put_frame(b, XS_KEYS, payload, sizeof(payload));
}

/* --- ends --- */

int
xs_get_exit(struct buf *payload, struct xs_exit *e)
{
	uint8_t how;

	if (buf_get_u8(payload, &how) != 0 ||
	    buf_get_u32(payload, &e->status) != 0 ||
	    buf_get_u64(payload, &e->duration_ms) != 0 || how > XS_TIMEDOUT)
		return SKY_ERR_FORMAT;
	e->how = (enum xs_how)how;
	return 0;
}

int
xs_put_exit(struct buf *b, const struct xs_exit *e)
{
	int r;

	if ((r = buf_put_u8(b, (uint8_t)e->how)) != 0 ||
	    (r = buf_put_u32(b, e->status)) != 0)
		return r;
	return buf_put_u64(b, e->duration_ms);
}

/* --- signals --- */

/* Numbers differ between systems, names do not. */
static const struct {
	const char *name;
	int number;
	bool sendable;
} signals[] = {
	{ "HUP", SIGHUP, true },
	{ "INT", SIGINT, true },
	{ "QUIT", SIGQUIT, true },
	{ "TERM", SIGTERM, true },
	{ "KILL", SIGKILL, true },
	{ "USR1", SIGUSR1, true },
	{ "USR2", SIGUSR2, true },
	{ "CONT", SIGCONT, true },
	{ "ABRT", SIGABRT, false },
	{ "ALRM", SIGALRM, false },
	{ "BUS", SIGBUS, false },
	{ "FPE", SIGFPE, false },
	{ "ILL", SIGILL, false },
	{ "PIPE", SIGPIPE, false },
	{ "SEGV", SIGSEGV, false },
	{ "SYS", SIGSYS, false },
	{ "TRAP", SIGTRAP, false },
	{ "XCPU", SIGXCPU, false },
	{ "XFSZ", SIGXFSZ, false },
};

#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

int
xs_signal(const struct buf *name)
{
	for (size_t i = 0; i < SIGNALS; i++)
		if (signals[i].sendable &&
		    buf_len(name) == strlen(signals[i].name) &&
		    memcmp(buf_ptr(name), signals[i].name, buf_len(name)) == 0)
			return signals[i].number;
	return 0;
}

const char *
xs_signal_name(int number)
{
	for (size_t i = 0; i < SIGNALS; i++)
		if (signals[i].number == number)
			return signals[i].name;
	return "?";
}
