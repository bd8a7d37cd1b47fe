/* SPDX-License-Identifier: ISC */
/*
 * dmsgpty/exec-stream: one HTTP/1.1 request, one response.  PROTOCOL.pty 7.2.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/http.h"
#include "common/pty/exec_stream.h"
#include "daemon/net/net_flow.h"
#include "daemon/net/net_service.h"

#define HEAD_S	   10 /* seconds for the head, and for the whole request */
#define REQUEST_S  30
#define PATH_SHOWN 200

struct net_http {
	struct channel *ch;
	enum { HTTP_HEAD, HTTP_BODY, HTTP_RUNNING } state;
	bool framed;
	struct http_body framing;
	struct buf body;
	struct net_flow flow;
};

static int
net_http_begin(struct channel *ch, struct buf *query)
{
	struct net_http *h;

	if ((ch->state = h = calloc(1, sizeof(*h))) == NULL)
		return SKY_ERR_NOMEM;
	h->ch = ch;
	buf_init(&h->body, XS_BODY_MAX);
	net_flow_init(&h->flow, ch);
	channel_accept(ch);
	return 0;
}

static size_t
net_http_held(const struct channel *ch)
{
	const struct net_http *h = ch->state;

	return buf_len(&h->body) + buf_len(&h->flow.in.data);
}

static void
net_http_end(struct channel *ch)
{
	struct net_http *h = ch->state;

	net_flow_free(&h->flow);
	buf_free(&h->body);
	free(h);
}

/* --- responses --- */

static void net_http_put(struct net_http *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
net_http_put(struct net_http *h, const char *fmt, ...)
{
	char text[1024 + PRIVMSG_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	channel_put(h->ch, text, strlen(text));
}

static void
net_http_put_date(struct net_http *h)
{
	char date[HTTP_DATE_LEN];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	http_date(now.tv_sec, date);
	net_http_put(h, "Date: %s\r\nConnection: close\r\n", date);
}

/* Nothing is run: says why and ends. */
static void
net_http_refuse(struct net_http *h, const char *status, const char *extra,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void
net_http_refuse(struct net_http *h, const char *status, const char *extra,
    const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	channel_timer(h->ch, 0);
	h->state = HTTP_RUNNING;
	buf_free(&h->body);
	net_http_put(h,
	    "HTTP/1.1 %s\r\n%s"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "X-Content-Type-Options: nosniff\r\n",
	    status, extra);
	net_http_put_date(h);
	net_http_put(h, "Content-Length: %zu\r\n\r\nexec-stream: %s\n",
	    strlen(text) + strlen("exec-stream: \n"), text);
	channel_end(h->ch);
}

#define net_http_refuse_request(h, ...) \
	net_http_refuse(h, "400 Bad Request", "", __VA_ARGS__)

static void
net_http_put_response(struct net_http *h)
{
	net_http_put(h,
	    "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n"
	    "Trailer: " XS_TRAILER_EXIT ", " XS_TRAILER_TIMEDOUT
	    ", " XS_TRAILER_DURATION ", " XS_TRAILER_ERROR "\r\n",
	    h->framed ? XS_MEDIA_TYPE : "text/plain; charset=utf-8");
	net_http_put_date(h);
	net_http_put(h, "Transfer-Encoding: chunked\r\n\r\n");
}

/* What the command has come to, behind its output. */
static void
net_http_put_trailer(struct net_http *h)
{
	struct net_flow *f = &h->flow;
	bool own = f->failure == NULL && f->how == PRIV_EXITED;

	net_http_put(h, "0\r\n" XS_TRAILER_DURATION ": %" PRId64 "\r\n",
	    now_ms() - f->begun_ms);
	/* In a field's value: one line, nothing that a terminal obeys. */
	for (char *p = f->failure; p != NULL && *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	if (f->failure != NULL)
		net_http_put(h, XS_TRAILER_ERROR ": %s\r\n", f->failure);
	net_http_put(h,
	    XS_TRAILER_EXIT ": %d\r\n" XS_TRAILER_TIMEDOUT ": %s\r\n\r\n",
	    own ? (int)f->status : -1,
	    f->how == PRIV_TIMEDOUT ? "true" : "false");
}

/* --- the request --- */

static uint32_t
net_http_timeout(const struct rpc_exec *e)
{
	if (e->timeout_ms <= 0)
		return XS_TIMEOUT_MS;
	return e->timeout_ms > XS_TIMEOUT_MAX_MS ? XS_TIMEOUT_MAX_MS :
						   (uint32_t)e->timeout_ms;
}

static void
net_http_run(struct net_http *h, struct xs_request *q)
{
	const struct mux_session none = { 0 };
	struct net_flow *f = &h->flow;

	f->format = h->framed ? FLOW_HTTP : FLOW_TEXT;
	f->has_stdin = buf_len(&q->e.in) != 0;
	net_http_put_response(h);
	if (net_flow_input(f, &q->e.in) != 0)
		channel_fatal(h->ch, "out of memory");
	net_flow_input_end(f);
	if (net_flow_start(f, &q->e, net_http_timeout(&q->e), &none) != 0)
		net_flow_fail(f, "argument list too long");
}

static void
net_http_carry_out(struct net_http *h)
{
	struct xs_request q;
	char why[256];

	channel_timer(h->ch, 0);
	h->state = HTTP_RUNNING;
	if (xs_get_request(&h->body, &q, why, sizeof(why)) != 0)
		net_http_refuse_request(h, "decoding request: %s", why);
	else if (buf_len(&q.e.name) == 0)
		net_http_refuse_request(h, "empty command name");
	else if (buf_len(&q.e.in) > XS_STDIN_MAX)
		net_http_refuse(h, "413 Request Entity Too Large", "",
		    "stdin %zu > max %u", buf_len(&q.e.in), XS_STDIN_MAX);
	else
		net_http_run(h, &q);
	xs_request_free(&q);
	buf_free(&h->body);
}

static void
net_http_take_body(struct net_http *h)
{
	struct buf piece;
	int r;

	while ((r = http_get_body(&h->framing, h->ch->in, &piece)) == 1)
		if (buf_put(&h->body, buf_ptr(&piece), buf_len(&piece)) != 0) {
			/* The original cuts it, so that it makes no sense. */
			net_http_refuse_request(h,
			    "decoding request: over %u bytes", XS_BODY_MAX);
			return;
		}
	if (r < 0)
		net_http_refuse_request(h, "reading request: %s", err_text(r));
	else if (h->framing.state == HTTP_DONE)
		net_http_carry_out(h);
}

/* The path of a target, absolute or not, without its query. */
static struct buf
net_http_path_of(const struct buf *target)
{
	const char *p = (const char *)buf_ptr(target), *end, *slash;
	struct buf path;

	end = p + buf_len(target);
	if (buf_len(target) > 7 && strncasecmp(p, "http://", 7) == 0) {
		slash = memchr(p + 7, '/', (size_t)(end - p) - 7);
		p = slash != NULL ? slash : end;
	}
	slash = memchr(p, '?', (size_t)(end - p));
	buf_view(&path, p, (size_t)((slash != NULL ? slash : end) - p));
	return path;
}

static unsigned
net_http_count_hosts(const struct http_head *head)
{
	struct buf rest = head->fields, name, value;
	unsigned n = 0;

	while (http_next_field(&rest, &name, &value) == 1)
		n += http_is_nocase(&name, "host");
	return n;
}

static bool
net_http_acceptable(struct net_http *h, const struct http_head *head)
{
	struct buf path = net_http_path_of(&head->target), value;
	int shown = (int)buf_len(&path);

	if (head->minor == 0)
		net_http_refuse(h, "505 HTTP Version Not Supported", "",
		    "HTTP/1.1 only");
	else if (net_http_count_hosts(head) != 1)
		net_http_refuse_request(h, "exactly one Host is needed");
	else if (!http_is(&head->method, "POST"))
		net_http_refuse(h, "405 Method Not Allowed", "Allow: POST\r\n",
		    "POST /exec only");
	else if (!http_is(&path, XS_PATH))
		net_http_refuse(h, "404 Not Found", "", "unknown path %.*s",
		    shown > PATH_SHOWN ? PATH_SHOWN : shown,
		    (const char *)buf_ptr(&path));
	else if (http_field(&head->fields, "expect", &value) == 1 &&
	    !http_is_nocase(&value, "100-continue"))
		net_http_refuse(h, "417 Expectation Failed", "",
		    "what is expected?");
	else
		return true;
	return false;
}

static void
net_http_take_head(struct net_http *h)
{
	struct http_head head;
	struct buf value;
	int r;

	if ((r = http_get_request(h->ch->in, &head)) == 0)
		return;
	if (r == SKY_ERR_LIMIT)
		net_http_refuse(h, "431 Request Header Fields Too Large", "",
		    "head over %d bytes", HTTP_HEAD_MAX);
	else if (r < 0)
		net_http_refuse_request(h, "malformed head");
	if (r < 0 || !net_http_acceptable(h, &head))
		return;
	h->framed = http_field(&head.fields, "accept", &value) == 1 &&
	    http_is(&value, XS_MEDIA_TYPE);
	if (http_field(&head.fields, "expect", &value) == 1)
		net_http_put(h, "HTTP/1.1 100 Continue\r\n\r\n");
	http_body_init(&h->framing, &head, false);
	h->state = HTTP_BODY;
	channel_timer(h->ch, REQUEST_S);
}

static void
net_http_input(struct channel *ch)
{
	struct net_http *h = ch->state;

	if (h->state == HTTP_HEAD)
		net_http_take_head(h);
	if (h->state == HTTP_BODY)
		net_http_take_body(h);
	/* One request a connection; what follows it is nobody's. */
	if (h->state == HTTP_RUNNING)
		buf_reset(ch->in);
}

static void
net_http_room(struct channel *ch)
{
	struct net_http *h = ch->state;

	net_flow_room(&h->flow);
	if (h->flow.state == FLOW_OVER) {
		net_http_put_trailer(h);
		channel_end(ch);
	}
}

static int
net_http_told(struct channel *ch, struct privmsg *m)
{
	struct net_http *h = ch->state;

	return net_flow_told(&h->flow, m);
}

const struct service_ops net_http_ops = {
	.begin = net_http_begin,
	.input = net_http_input,
	.room = net_http_room,
	.told = net_http_told,
	.held = net_http_held,
	.end = net_http_end,
	.request_s = HEAD_S,
	.duplex = true,
};
