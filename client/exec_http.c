/* SPDX-License-Identifier: ISC */
/* A command by the original's stream over HTTP/1.1.  PROTOCOL.pty 7.2. */
#include "client/complain.h"
#include "client/conn.h"
#include "client/dest.h"
#include "client/exec.h"
#include "client/exits.h"
#include "client/options.h"
#include "client/patience.h"
#include "client/sink.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/http.h"
#include "common/pty/exec_stream.h"
#include "common/pty/mux.h"
#include "common/pty/rpc.h"

#define FRAMES_HIGH (256U * 1024) /* decoded output that stops reading */
#define TEXT_MAX    4096	  /* of a refusal that is shown */

struct exec_http {
	struct conn conn;
	struct sink sink;
	struct http_body body;
	bool head_done;
	int refused;	   /* a status other than 200 */
	struct buf frames; /* out of the body */
	struct limit limit;
};

/* Strings of JSON are UTF-8; Go would replace what is not. */
static bool
exec_http_is_utf8(const uint8_t *p, size_t n)
{
	size_t more;

	for (size_t i = 0; i < n; i += more + 1) {
		more = p[i] < 0x80		? 0 :
		    p[i] >= 0xc2 && p[i] < 0xe0 ? 1 :
		    (p[i] & 0xf0) == 0xe0	? 2 :
		    p[i] >= 0xf0 && p[i] < 0xf5 ? 3 :
						  n;
		if (more >= n - i)
			return false;
		for (size_t k = 1; k <= more; k++)
			if ((p[i + k] & 0xc0) != 0x80)
				return false;
	}
	return true;
}

static bool
exec_http_fits(const struct client_options *o)
{
	for (char **w = o->command; *w != NULL; w++)
		if (!exec_http_is_utf8((const uint8_t *)*w, strlen(*w)))
			return false;
	for (size_t i = 0; i < o->nenv; i++)
		if (!exec_http_is_utf8((const uint8_t *)o->env[i],
			strlen(o->env[i])))
			return false;
	return true;
}

/* 0 stands for the host's default there. */
static int64_t
exec_http_limit(const struct client_options *o)
{
	return o->timeout_ms == 0 || o->timeout_ms > XS_TIMEOUT_MAX_MS ?
	    XS_TIMEOUT_MAX_MS :
	    o->timeout_ms;
}

/* Whether it can be said there is told by fits; strings of JSON are UTF-8. */
static int
exec_http_describe(struct buf *json, const struct client_options *o,
    const struct buf *in, bool *fits)
{
	struct rpc_exec e;
	int r;

	if ((r = exec_describe(&e, o)) == 0) {
		buf_view(&e.in, buf_ptr(in), buf_len(in));
		e.timeout_ms = exec_http_limit(o);
		*fits = xs_put_request(json, &e) == 0 &&
		    buf_len(json) <= XS_BODY_MAX;
	}
	exec_describe_free(&e);
	return r;
}

static int
exec_http_put_request(struct buf *out, const struct buf *json)
{
	char head[256];

	snprintf(head, sizeof(head),
	    "POST " XS_PATH " HTTP/1.1\r\nHost: dmsgpty\r\n"
	    "Accept: " XS_MEDIA_TYPE "\r\nContent-Type: application/json\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    buf_len(json));
	if (buf_put(out, head, strlen(head)) != 0 ||
	    buf_put(out, buf_ptr(json), buf_len(json)) != 0)
		return EXIT_FAILED;
	return 0;
}

/* --- the response --- */

static int
exec_http_take_head(struct exec_http *s)
{
	struct http_head h;
	struct buf type;
	int r;

	do
		r = http_get_response(&s->conn.in, &h);
	while (r == 1 && h.status < 200);
	if (r == 0)
		return 0;
	if (r < 0)
		return conn_bad(&s->conn, r);
	s->head_done = true;
	http_body_init(&s->body, &h, true);
	if (h.status != 200) {
		s->refused = h.status;
		return 0;
	}
	if (http_field(&h.fields, "content-type", &type) == 1 &&
	    http_is(&type, XS_MEDIA_TYPE))
		return 0;
	complain("the host's stream is of a kind that is not known here");
	return EXIT_FAILED;
}

/* The body as it comes: frames, or the reason of a refusal. */
static int
exec_http_take_body(struct exec_http *s)
{
	struct buf piece;
	int r;

	while (buf_len(&s->frames) < FRAMES_HIGH &&
	    (r = http_get_body(&s->body, &s->conn.in, &piece)) != 0) {
		if (r < 0)
			return conn_bad(&s->conn, r);
		if (buf_put(&s->frames, buf_ptr(&piece), buf_len(&piece)) != 0)
			return conn_bad(&s->conn, SKY_ERR_LIMIT);
	}
	return 0;
}

static int
exec_http_write_frames(struct exec_http *s)
{
	enum sink_result found;
	struct buf payload;
	uint8_t tag;

	while ((found = sink_next(&s->sink, &s->frames, &tag, &payload)) ==
	    SINK_FRAME)
		if (tag != XS_KEEPALIVE) {
			complain("protocol error: unknown frame tag %u", tag);
			return EXIT_FAILED;
		}
	if (found == SINK_BAD)
		return conn_bad(&s->conn, SKY_ERR_LIMIT);
	return found == SINK_FAILED ? EXIT_FAILED : 0;
}

static int
exec_http_refused(struct exec_http *s)
{
	struct buf text = s->frames;

	while (buf_len(&text) > 0 && buf_ptr(&text)[buf_len(&text) - 1] == '\n')
		buf_view(&text, buf_ptr(&text), buf_len(&text) - 1);
	complain("the host refused the command: %d %s", s->refused,
	    complain_printable(&text));
	return EXIT_FAILED;
}

/* --- the end --- */

static int
exec_http_cut_short(struct exec_http *s)
{
	if (!s->conn.accepted)
		return conn_ended(&s->conn);
	complain("the stream ended before the command reported an exit code");
	return EXIT_FAILED;
}

static int64_t
exec_http_trailer_number(const struct buf *trailers, const char *name,
    int64_t fallback)
{
	struct buf v;
	int64_t n;

	if (http_field(trailers, name, &v) != 1 || http_number(&v, &n) != 0)
		return fallback;
	return n;
}

static int
exec_http_ended(struct exec_http *s, const struct client_options *o)
{
	const struct buf *t = &s->body.trailers;
	struct buf v;
	int64_t code;

	if (s->sink.inside || buf_len(&s->frames) != 0) {
		complain("protocol error: the stream ended inside a frame");
		return EXIT_FAILED;
	}
	if (http_field(t, XS_TRAILER_EXIT, &v) != 1)
		return exec_http_cut_short(s);
	code = -1; /* of a command that has none of its own */
	if (!http_is(&v, "-1") && http_number(&v, &code) != 0) {
		complain("protocol error: '%s' is no exit code",
		    complain_printable(&v));
		return EXIT_FAILED;
	}
	if (http_field(t, XS_TRAILER_ERROR, &v) == 1 && buf_len(&v) != 0) {
		complain("the command could not be started: %s",
		    complain_printable(&v));
		return exec_not_started(&v);
	}
	return exec_ended(o,
	    http_field(t, XS_TRAILER_TIMEDOUT, &v) == 1 && http_is(&v, "true") ?
		XS_TIMEDOUT :
		XS_EXITED,
	    code, exec_http_trailer_number(t, XS_TRAILER_DURATION, 0));
}

/* Everything that can be done now; *over when nothing is left to do. */
static int
exec_http_advance(struct exec_http *s, const struct client_options *o,
    bool *over)
{
	int r = 0;

	if (!s->head_done && (r = exec_http_take_head(s)) != 0)
		return r;
	if (s->head_done && (r = exec_http_take_body(s)) != 0)
		return r;
	if (s->refused == 0 && (r = exec_http_write_frames(s)) != 0)
		return r;
	*over = true;
	if (s->refused != 0 &&
	    (s->conn.eof || s->body.state == HTTP_DONE ||
		buf_len(&s->frames) > TEXT_MAX))
		return exec_http_refused(s);
	if (s->refused == 0 && s->head_done && s->body.state == HTTP_DONE &&
	    s->sink.blocked == NULL)
		return exec_http_ended(s, o);
	if (s->conn.eof && s->sink.blocked == NULL)
		return exec_http_cut_short(s);
	*over = false;
	return 0;
}

static int
exec_http_await(struct exec_http *s)
{
	struct pollfd p[2];
	int r;

	s->conn.hold = s->sink.blocked != NULL;
	p[0] = (struct pollfd){ .fd = s->conn.eof ? -1 : s->conn.fd,
		.events = conn_events(&s->conn) };
	p[1] = sink_poll(&s->sink);
	if ((r = conn_wait(&s->conn, p, 2, -1, NULL)) != 0 ||
	    (r = conn_check_silence(&s->conn, QUIET_MS)) != 0)
		return r;
	if (limit_passed(&s->limit, &s->conn))
		return limit_tell();
	if ((r = conn_keep(&s->conn)) != 0)
		return r;
	return p[0].revents != 0 ? conn_pump(&s->conn, p[0].revents) : 0;
}

/* An exit status, unless the host has rejected the service meanwhile. */
static int
exec_http_exchange(struct exec_http *s, const struct client_options *o)
{
	bool over = false;
	int r;

	if ((r = conn_flush(&s->conn)) != 0)
		return r;
	limit_begin(&s->limit, &s->conn, exec_http_limit(o));
	while (r == 0 && !over) {
		if ((r = exec_http_await(s)) != 0 || s->conn.rejected)
			return r;
		r = exec_http_advance(s, o, &over);
	}
	return r;
}

static bool
exec_http_try(struct keyctx *ctx, const struct client_options *o,
    const struct buf *json, const char *uri, int *status)
{
	struct exec_http s = { .refused = 0 };

	sink_init(&s.sink);
	buf_init(&s.frames, FRAMES_HIGH + XS_FRAME_MAX + 65536);
	if ((*status = conn_try(&s.conn, ctx, o, uri)) == 0 &&
	    (*status = exec_http_put_request(&s.conn.out, json)) == 0 &&
	    !s.conn.rejected)
		*status = exec_http_exchange(&s, o);
	conn_close(&s.conn);
	buf_free(&s.frames);
	return !s.conn.rejected;
}

bool
exec_http_run(struct keyctx *ctx, const struct client_options *o,
    const struct buf *in, int *status)
{
	struct buf json;
	bool fits = false, known = true;

	/* The control socket has no such service. */
	if (o->dest.kind == DEST_LOCAL || o->terminal || !exec_http_fits(o))
		return false;
	buf_init(&json, 2 * XS_BODY_MAX);
	if ((*status = exec_http_describe(&json, o, in, &fits)) == 0)
		known = fits &&
		    (exec_http_try(ctx, o, &json, MUX_URI_EXEC_STREAM,
			 status) ||
			exec_http_try(ctx, o, &json, MUX_URI_EXEC_STREAM2,
			    status));
	buf_free(&json);
	return known;
}
