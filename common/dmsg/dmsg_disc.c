/* SPDX-License-Identifier: ISC */
/* Questions to the dmsg discovery and its answers. */
#include "common/dmsg/dmsg_disc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/hex.h"

#define PREFIX "/dmsg-discovery"

/* --- where it is --- */

static const struct {
	const char *prefix;
	const char *port;
} schemes[] = {
	[DMSG_URL_HTTP] = { "http://", "80" },
	[DMSG_URL_HTTPS] = { "https://", "443" },
	[DMSG_URL_DMSG] = { "dmsg://", "80" },
};

static int
disc_set_port(struct dmsg_url *u, const char *port)
{
	unsigned long n;

	if (*port == '\0' || strspn(port, "0123456789") != strlen(port))
		return SKY_ERR_FORMAT;
	if ((n = strtoul(port, NULL, 10)) == 0 || n > UINT16_MAX)
		return SKY_ERR_FORMAT;
	u->port = (uint16_t)n;
	return 0;
}

/* "<66 hex>" or "<66 hex>:port". */
static int
split_key(struct dmsg_url *u)
{
	const char *port = schemes[u->scheme].port;
	char hex[KEY_PUBLIC_HEX];
	int r;

	memcpy(hex, u->authority, sizeof(hex));
	hex[sizeof(hex) - 1] = '\0';
	if (hex_decode(hex, u->pk.b, KEY_PUBLIC_LEN) != 0 ||
	    (u->pk.b[0] != 2 && u->pk.b[0] != 3))
		return SKY_ERR_FORMAT;
	if (u->authority[sizeof(hex) - 1] == ':')
		port = u->authority + sizeof(hex);
	else if (u->authority[sizeof(hex) - 1] != '\0')
		return SKY_ERR_FORMAT;
	if ((r = disc_set_port(u, port)) != 0)
		return r;
	snprintf(u->authority, sizeof(u->authority), "%s:%u", hex, u->port);
	return 0;
}

static int
split_host(struct dmsg_url *u)
{
	char port[ADDR_PORT_MAX];
	int r;

	if ((r = addr_split(u->authority, schemes[u->scheme].port, u->host,
		 port)) != 0)
		return r;
	/* An address with colons wants brackets, in a Host field too. */
	if (*u->host == '\0' ||
	    (strchr(u->host, ':') != NULL && *u->authority != '['))
		return SKY_ERR_FORMAT;
	return disc_set_port(u, port);
}

/* Printable, and nothing that would have a meaning of its own. */
static bool
is_clean(const char *text)
{
	for (const char *s = text; *s != '\0'; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return strpbrk(text, "?#\\") == NULL;
}

int
dmsg_disc_url(const char *text, struct dmsg_url *u)
{
	size_t i = 0, n, len;

	memset(u, 0, sizeof(*u));
	while (strncmp(text, schemes[i].prefix, strlen(schemes[i].prefix)) != 0)
		if (++i == sizeof(schemes) / sizeof(schemes[0]))
			return SKY_ERR_FORMAT;
	u->scheme = i;
	text += strlen(schemes[i].prefix);
	n = strcspn(text, "/");
	len = strlen(text);
	/* Paths begin with a slash of their own. */
	while (len > n && text[len - 1] == '/')
		len--;
	if (!is_clean(text))
		return SKY_ERR_FORMAT;
	if (n >= sizeof(u->authority) || len - n >= sizeof(u->base))
		return SKY_ERR_LIMIT;
	memcpy(u->authority, text, n);
	memcpy(u->base, text + n, len - n);
	if (strchr(u->authority, '@') != NULL)
		return SKY_ERR_FORMAT;
	return u->scheme == DMSG_URL_DMSG ? split_key(u) : split_host(u);
}

/* --- questions --- */

static int
disc_put_request(struct buf *b, const struct dmsg_url *u, const char *method,
    const char *path, const struct buf *json)
{
	char head[DMSG_REQUEST_HEAD_MAX], body[128] = "";
	size_t n;
	int r;

	if (json != NULL)
		snprintf(body, sizeof(body),
		    "Content-Type: application/json\r\nContent-Length: %zu\r\n",
		    buf_len(json));
	snprintf(head, sizeof(head),
	    "%s %s" PREFIX "%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
	    "%s\r\n",
	    method, u->base, path, u->authority, body);
	n = strlen(head);
	if ((r = buf_put(b, head, n)) != 0 || json == NULL)
		return r;
	if ((r = buf_put(b, buf_ptr(json), buf_len(json))) != 0)
		(void)buf_trim(b, n);
	return r;
}

int
dmsg_disc_available_servers(struct buf *b, const struct dmsg_url *u)
{
	return disc_put_request(b, u, "GET", "/available_servers", NULL);
}

int
dmsg_disc_get_entry(struct buf *b, const struct dmsg_url *u,
    const struct key_public *pk)
{
	char path[KEY_PUBLIC_HEX + 16], hex[KEY_PUBLIC_HEX];

	hex_encode(pk->b, KEY_PUBLIC_LEN, hex);
	snprintf(path, sizeof(path), "/entry/%s", hex);
	return disc_put_request(b, u, "GET", path, NULL);
}

int
dmsg_disc_put_entry(struct buf *b, const struct dmsg_url *u,
    const struct buf *json)
{
	return disc_put_request(b, u, "POST", "/entry/", json);
}

int
dmsg_disc_delete_entry(struct buf *b, const struct dmsg_url *u,
    const struct buf *json)
{
	return disc_put_request(b, u, "DELETE", "/entry", json);
}

/* --- answers --- */

void
dmsg_answer_init(struct dmsg_answer *a)
{
	memset(a, 0, sizeof(*a));
	buf_init(&a->body, DMSG_BODY_MAX);
}

void
dmsg_answer_free(struct dmsg_answer *a)
{
	buf_free(&a->body);
}

/* 101 would go on in another protocol. */
static int
read_head(struct dmsg_answer *a, struct buf *in)
{
	struct http_head h;
	int r;

	while ((r = http_get_response(in, &h)) == 1 && h.status < 200)
		if (h.status == 101)
			return SKY_ERR_FORMAT;
		else if (++a->interim > DMSG_INTERIM_MAX)
			return SKY_ERR_LIMIT;
	if (r != 1)
		return r;
	a->status = h.status;
	a->head_done = true;
	http_body_init(&a->framing, &h, true);
	return a->framing.state == HTTP_LENGTH &&
		a->framing.left > DMSG_BODY_MAX ?
	    SKY_ERR_LIMIT :
	    1;
}

static int
read_body(struct dmsg_answer *a, struct buf *in, bool eof)
{
	struct buf piece;
	int r;

	while ((r = http_get_body(&a->framing, in, &piece)) == 1)
		if ((r = buf_put(&a->body, buf_ptr(&piece), buf_len(&piece))) !=
		    0)
			return r;
	if (r < 0)
		return r;
	return a->framing.state == HTTP_DONE ||
	    (eof && a->framing.state == HTTP_UNTIL_EOF);
}

int
dmsg_answer_read(struct dmsg_answer *a, struct buf *in, bool eof)
{
	int r;

	if (a->error != 0)
		return a->error;
	if (a->head_done || (r = read_head(a, in)) == 1)
		r = read_body(a, in, eof);
	if (r == 0 && eof)
		r = SKY_ERR_SHORT;
	if (r < 0)
		a->error = r;
	return r;
}
