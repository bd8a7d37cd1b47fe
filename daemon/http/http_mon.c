/* SPDX-License-Identifier: ISC */
/*
 * What skyptyd-http asks of its monitor.  Who a browser is, is for the monitor
 * to say: what is asked of it is waited for, and meanwhile nothing goes on.
 */
#include "daemon/http/http_main.h"
#include "daemon/http/http_host.h"
#include "daemon/http/http_mon.h"
#include "daemon/http/http_tls.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/err.h"

/* Its end, or its silence, is ours. */
static void
mon_wait(struct http *h, short events)
{
	struct pollfd p = { .fd = h->monitor, .events = events };

	while (poll(&p, 1, -1) == -1)
		if (errno != EINTR)
			_exit(1);
}

static void
mon_tell(struct http *h, unsigned type, uint16_t id, struct buf *body)
{
	int r;

	while ((r = privmsg_send(h->monitor, type, id, body, NULL, 0)) ==
		SKY_ERR_SYS &&
	    (errno == EAGAIN || errno == EWOULDBLOCK))
		mon_wait(h, POLLOUT);
	if (r != 0)
		_exit(1);
}

void
http_log(struct http *h, enum log_level level, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	struct buf b;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_init(&b, LOG_LINE_MAX + 8);
	if (buf_put_u8(&b, (uint8_t)level) == 0 &&
	    buf_put_cstring(&b, text) == 0)
		mon_tell(h, PM_LOG, 0, &b);
	buf_free(&b);
}

static int
mon_connected(struct http *h)
{
	char *why;
	int r;

	if ((r = buf_get_cstring(&h->msg.body, &why, PRIVMSG_TEXT_MAX)) != 0)
		return r;
	client_connected(h, h->msg.id, privmsg_take_fd(&h->msg, 0), why);
	free(why);
	return 0;
}

static int
mon_certificate(struct http *h)
{
	struct buf cert, key;
	int r;

	if ((r = buf_get_string(&h->msg.body, &cert)) != 0 ||
	    (r = buf_get_string(&h->msg.body, &key)) != 0 ||
	    (r = buf_at_end(&h->msg.body)) != 0)
		return r;
	(void)http_tls_renew(h, &cert, &key);
	return 0;
}

/* What comes while nothing else is waited for, or something else is. */
static int
mon_unasked(struct http *h)
{
	switch (h->msg.type) {
	case HTTP_CONNECT + 1:
		return mon_connected(h);
	case HTTP_CERTIFICATE:
		return mon_certificate(h);
	default:
		return SKY_ERR_FORMAT;
	}
}

int
http_mon_message(struct http *h)
{
	int r = privmsg_recv(h->monitor, &h->msg, true);

	if (r == SKY_ERR_AGAIN)
		return 0;
	if (r < 0)
		return r;
	r = mon_unasked(h);
	privmsg_clear(&h->msg);
	return r;
}

/* The answer is in h->msg, for the caller to clear. */
static void
mon_ask(struct http *h, unsigned type, struct buf *body)
{
	uint16_t id = h->last_ask++;
	int r;

	mon_tell(h, type, id, body);
	for (;;) {
		mon_wait(h, POLLIN);
		r = privmsg_recv(h->monitor, &h->msg, true);
		if (r == SKY_ERR_AGAIN)
			continue;
		if (r < 0)
			_exit(1);
		if (h->msg.type == type + 1 && h->msg.id == id)
			return;
		if (mon_unasked(h) != 0)
			_exit(1);
		privmsg_clear(&h->msg);
	}
}

enum http_entry
http_enter(struct http *h, const uint8_t token[HTTP_TOKEN_LEN],
    const uint8_t *cookie, const char *address, uint8_t fresh[HTTP_TOKEN_LEN])
{
	uint8_t entry = HTTP_REFUSED;
	struct buf b;

	buf_init(&b, 2 * HTTP_TOKEN_LEN + 5 + HTTP_ADDRESS_MAX);
	if (buf_put(&b, token, HTTP_TOKEN_LEN) != 0 ||
	    buf_put_u8(&b, cookie != NULL) != 0 ||
	    (cookie != NULL && buf_put(&b, cookie, HTTP_TOKEN_LEN) != 0) ||
	    buf_put_cstring(&b, address) != 0)
		_exit(1);
	mon_ask(h, HTTP_ENTER, &b);
	buf_free(&b);
	if (buf_get_u8(&h->msg.body, &entry) != 0 ||
	    (entry == HTTP_ENTERED &&
		buf_get(&h->msg.body, fresh, HTTP_TOKEN_LEN) != 0))
		_exit(1);
	privmsg_clear(&h->msg);
	return entry;
}

bool
http_check(struct http *h, const uint8_t cookie[HTTP_TOKEN_LEN])
{
	uint8_t good = 0;
	struct buf b;

	buf_init(&b, HTTP_TOKEN_LEN);
	if (buf_put(&b, cookie, HTTP_TOKEN_LEN) != 0)
		_exit(1);
	mon_ask(h, HTTP_CHECK, &b);
	buf_free(&b);
	if (buf_get_u8(&h->msg.body, &good) != 0)
		_exit(1);
	privmsg_clear(&h->msg);
	return good;
}

enum http_admission
http_admit(struct http *h, enum http_kind kind, const uint8_t *cookie,
    uint32_t *ticket)
{
	uint8_t admission;
	struct buf b;

	buf_init(&b, 1 + HTTP_TOKEN_LEN);
	if (buf_put_u8(&b, (uint8_t)kind) != 0 ||
	    (cookie != NULL && buf_put(&b, cookie, HTTP_TOKEN_LEN) != 0))
		_exit(1);
	mon_ask(h, HTTP_ADMIT, &b);
	buf_free(&b);
	if (buf_get_u8(&h->msg.body, &admission) != 0 ||
	    buf_get_u32(&h->msg.body, ticket) != 0)
		_exit(1);
	privmsg_clear(&h->msg);
	return admission;
}

static void
mon_tell_ticket(struct http *h, unsigned type, uint16_t id, uint32_t ticket)
{
	struct buf b;

	buf_init(&b, 4);
	if (buf_put_u32(&b, ticket) != 0)
		_exit(1);
	mon_tell(h, type, id, &b);
	buf_free(&b);
}

void
http_connect(struct http *h, uint16_t id, uint32_t ticket)
{
	mon_tell_ticket(h, HTTP_CONNECT, id, ticket);
}

void
http_leave(struct http *h, uint32_t ticket)
{
	mon_tell_ticket(h, HTTP_LEAVE, 0, ticket);
}

void
http_tell_ended(struct http *h)
{
	mon_tell(h, HTTP_ENDED, 0, NULL);
}
