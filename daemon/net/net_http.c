/* SPDX-License-Identifier: ISC */
/* The exec stream: one HTTP/1.1 request, one response.  PROTOCOL.pty 7.2. */
#include "daemon/net/net.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/err.h"

#define HEAD_S	   10 /* seconds for the head, and for the whole request */
#define REQUEST_S  30
#define PATH_SHOWN 200

void
http_begin(struct net *n)
{
	n->http.state = HTTP_HEAD;
	buf_init(&n->http.body, XS_BODY_MAX);
	net_timer(n, HEAD_S);
}

void
http_timeout(struct net *n)
{
	mon_log(n, LOG_LEVEL_INFO, "the request did not come within %d seconds",
	    n->http.state == HTTP_HEAD ? HEAD_S : REQUEST_S);
	net_leave(n, PRIV_END_IDLE);
}

/* --- responses --- */

static void
put(struct net *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
put(struct net *n, const char *fmt, ...)
{
	char text[1024 + PRIVMSG_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (buf_put(&n->link.out, text, strlen(text)) != 0)
		net_end(n, "out of memory");
}

static void
put_date(struct net *n)
{
	char date[HTTP_DATE_LEN];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	http_date(now.tv_sec, date);
	put(n, "Date: %s\r\nConnection: close\r\n", date);
}

/* Nothing is run: says why and ends. */
static void refuse(struct net *n, const char *status, const char *extra,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void
refuse(struct net *n, const char *status, const char *extra, const char *fmt,
    ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	net_timer(n, 0);
	n->http.state = HTTP_RUNNING;
	buf_free(&n->http.body);
	put(n,
	    "HTTP/1.1 %s\r\n%s"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "X-Content-Type-Options: nosniff\r\n",
	    status, extra);
	put_date(n);
	put(n, "Content-Length: %zu\r\n\r\nexec-stream: %s\n",
	    strlen(text) + strlen("exec-stream: \n"), text);
	net_finish(n);
}

#define refuse_request(n, ...) refuse(n, "400 Bad Request", "", __VA_ARGS__)

static void
put_response(struct net *n)
{
	put(n,
	    "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n"
	    "Trailer: " XS_TRAILER_EXIT ", " XS_TRAILER_TIMEDOUT
	    ", " XS_TRAILER_DURATION ", " XS_TRAILER_ERROR "\r\n",
	    n->http.framed ? XS_MEDIA_TYPE : "text/plain; charset=utf-8");
	put_date(n);
	put(n, "Transfer-Encoding: chunked\r\n\r\n");
	link_flush(n);
}

/* A reason in a field's value: one line, nothing that a terminal obeys. */
static void
put_error(struct net *n, char *text)
{
	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	put(n, XS_TRAILER_ERROR ": %s\r\n", text);
}

void
http_ended(struct net *n)
{
	struct flow *f = &n->flow;
	bool own = f->failure == NULL && f->how == PRIV_EXITED;

	put(n, "0\r\n" XS_TRAILER_DURATION ": %" PRId64 "\r\n",
	    elapsed_ms(&f->begun));
	if (f->failure != NULL)
		put_error(n, f->failure);
	put(n, XS_TRAILER_EXIT ": %d\r\n" XS_TRAILER_TIMEDOUT ": %s\r\n\r\n",
	    own ? (int)f->status : -1,
	    f->how == PRIV_TIMEDOUT ? "true" : "false");
}

/* --- the request --- */

static uint32_t
timeout_of(const struct rpc_exec *e)
{
	if (e->timeout_ms <= 0)
		return XS_TIMEOUT_MS;
	return e->timeout_ms > XS_TIMEOUT_MAX_MS ? XS_TIMEOUT_MAX_MS :
						   (uint32_t)e->timeout_ms;
}

static void
run(struct net *n, struct xs_request *q)
{
	struct flow *f = &n->flow;

	f->format = n->http.framed ? FLOW_HTTP : FLOW_TEXT;
	f->has_stdin = buf_len(&q->e.in) != 0;
	put_response(n);
	if (flow_input(n, &q->e.in) != 0)
		net_end(n, "out of memory");
	flow_input_end(n);
	if (flow_start(n, &q->e, timeout_of(&q->e)) == 0)
		return;
	f->failure = strdup("argument list too long");
	f->state = FLOW_OVER;
	http_ended(n);
	net_finish(n);
}

static void
carry_out(struct net *n)
{
	struct xs_request q;
	char why[256];

	net_timer(n, 0);
	n->http.state = HTTP_RUNNING;
	if (xs_get_request(&n->http.body, &q, why, sizeof(why)) != 0)
		refuse_request(n, "decoding request: %s", why);
	else if (buf_len(&q.e.name) == 0)
		refuse_request(n, "empty command name");
	else if (buf_len(&q.e.in) > XS_STDIN_MAX)
		refuse(n, "413 Request Entity Too Large", "",
		    "stdin %zu > max %u", buf_len(&q.e.in), XS_STDIN_MAX);
	else
		run(n, &q);
	xs_request_free(&q);
	buf_free(&n->http.body);
}

static void
take_body(struct net *n)
{
	struct http *h = &n->http;
	struct buf piece;
	int r;

	while ((r = http_get_body(&h->framing, &n->link.in, &piece)) == 1)
		if (buf_put(&h->body, buf_ptr(&piece), buf_len(&piece)) != 0) {
			/* The original cuts it, so that it makes no sense. */
			refuse_request(n, "decoding request: over %u bytes",
			    XS_BODY_MAX);
			return;
		}
	if (r < 0)
		refuse_request(n, "reading request: %s", err_text(r));
	else if (h->framing.state == HTTP_DONE)
		carry_out(n);
}

/* The path of a target, absolute or not, without its query. */
static struct buf
path_of(const struct buf *target)
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
count_hosts(const struct http_head *head)
{
	struct buf rest = head->fields, name, value;
	unsigned n = 0;

	while (http_next_field(&rest, &name, &value) == 1)
		n += http_is_nocase(&name, "host");
	return n;
}

static bool
acceptable(struct net *n, const struct http_head *head)
{
	struct buf path = path_of(&head->target), value;
	int shown = (int)buf_len(&path);

	if (head->minor == 0)
		refuse(n, "505 HTTP Version Not Supported", "",
		    "HTTP/1.1 only");
	else if (count_hosts(head) != 1)
		refuse_request(n, "exactly one Host is needed");
	else if (!http_is(&head->method, "POST"))
		refuse(n, "405 Method Not Allowed", "Allow: POST\r\n",
		    "POST /exec only");
	else if (!http_is(&path, XS_PATH))
		refuse(n, "404 Not Found", "", "unknown path %.*s",
		    shown > PATH_SHOWN ? PATH_SHOWN : shown,
		    (const char *)buf_ptr(&path));
	else if (http_field(&head->fields, "expect", &value) == 1 &&
	    !http_is_nocase(&value, "100-continue"))
		refuse(n, "417 Expectation Failed", "", "what is expected?");
	else
		return true;
	return false;
}

static void
take_head(struct net *n)
{
	struct http *h = &n->http;
	struct http_head head;
	struct buf value;
	int r;

	if ((r = http_get_request(&n->link.in, &head)) == 0)
		return;
	if (r == SKY_ERR_LIMIT)
		refuse(n, "431 Request Header Fields Too Large", "",
		    "head over %d bytes", HTTP_HEAD_MAX);
	else if (r < 0)
		refuse_request(n, "malformed head");
	if (r < 0 || !acceptable(n, &head))
		return;
	h->framed = http_field(&head.fields, "accept", &value) == 1 &&
	    http_is(&value, XS_MEDIA_TYPE);
	if (http_field(&head.fields, "expect", &value) == 1)
		put(n, "HTTP/1.1 100 Continue\r\n\r\n");
	http_body_init(&h->framing, &head, false);
	h->state = HTTP_BODY;
	net_timer(n, REQUEST_S);
	link_flush(n);
}

void
http_process(struct net *n)
{
	if (n->http.state == HTTP_HEAD)
		take_head(n);
	if (n->http.state == HTTP_BODY)
		take_body(n);
	/* One request a connection; what follows it is nobody's. */
	if (n->http.state == HTTP_RUNNING)
		buf_reset(&n->link.in);
}
