/* SPDX-License-Identifier: ISC */
/* Questions to the dmsg discovery and its answers. */
#include "dmsg_disc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "hex.h"

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

/* "<66 hex>" or "<66 hex>:port". */
static int
split_key(const char *text, struct dmsg_url *u, char port[ADDR_PORT_MAX])
{
	char hex[KEY_PUBLIC_HEX];

	if (strlcpy(hex, text, sizeof(hex)) < sizeof(hex) - 1 ||
	    hex_decode(hex, u->pk.b, KEY_PUBLIC_LEN) != 0)
		return ERR_FORMAT;
	text += sizeof(hex) - 1;
	if (*text == '\0')
		return 0;
	if (*text != ':' ||
	    strlcpy(port, text + 1, ADDR_PORT_MAX) >= ADDR_PORT_MAX)
		return ERR_FORMAT;
	return 0;
}

static int
set_port(struct dmsg_url *u, const char *port)
{
	unsigned long n;

	if (*port == '\0' || strspn(port, "0123456789") != strlen(port))
		return ERR_FORMAT;
	if ((n = strtoul(port, NULL, 10)) == 0 || n > UINT16_MAX)
		return ERR_FORMAT;
	u->port = (uint16_t)n;
	return 0;
}

/* Bytes that would end the request's line or the field. */
static bool
is_clean(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return false;
	return true;
}

static int
split_authority(struct dmsg_url *u)
{
	char port[ADDR_PORT_MAX];
	int r;

	strlcpy(port, schemes[u->scheme].port, sizeof(port));
	if (u->scheme == DMSG_URL_DMSG)
		r = split_key(u->authority, u, port);
	else
		r = addr_split(u->authority, schemes[u->scheme].port, u->host,
		    port);
	return r == 0 ? set_port(u, port) : r;
}

int
dmsg_disc_url(const char *text, struct dmsg_url *u)
{
	size_t n;

	memset(u, 0, sizeof(*u));
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		n = strlen(schemes[i].prefix);
		if (strncmp(text, schemes[i].prefix, n) != 0)
			continue;
		u->scheme = i;
		text += n;
		n = strcspn(text, "/");
		if (!is_clean(text) || n == 0)
			return ERR_FORMAT;
		if (n >= sizeof(u->authority) ||
		    strlcpy(u->base, text + n, sizeof(u->base)) >=
			sizeof(u->base))
			return ERR_LIMIT;
		memcpy(u->authority, text, n);
		/* Paths begin with a slash of their own. */
		n = strlen(u->base);
		if (n > 0 && u->base[n - 1] == '/')
			u->base[n - 1] = '\0';
		return split_authority(u);
	}
	return ERR_FORMAT;
}

/* --- questions --- */

static int
put_request(struct buf *b, const struct dmsg_url *u, const char *method,
    const char *path, const struct buf *json)
{
	char head[DMSG_PATH_MAX + ADDR_TEXT_MAX + 512], length[128];
	int r;

	*length = '\0';
	if (json != NULL)
		snprintf(length, sizeof(length),
		    "Content-Type: application/json\r\nContent-Length: %zu\r\n",
		    buf_len(json));
	snprintf(head, sizeof(head),
	    "%s %s" PREFIX "%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
	    "%s\r\n",
	    method, u->base, path, u->authority, length);
	if ((r = buf_put(b, head, strlen(head))) != 0 || json == NULL)
		return r;
	return buf_put(b, buf_ptr(json), buf_len(json));
}

int
dmsg_disc_available_servers(struct buf *b, const struct dmsg_url *u)
{
	return put_request(b, u, "GET", "/available_servers", NULL);
}

int
dmsg_disc_get_entry(struct buf *b, const struct dmsg_url *u,
    const struct key_public *pk)
{
	char path[KEY_PUBLIC_HEX + 16], hex[KEY_PUBLIC_HEX];

	hex_encode(pk->b, KEY_PUBLIC_LEN, hex);
	snprintf(path, sizeof(path), "/entry/%s", hex);
	return put_request(b, u, "GET", path, NULL);
}

int
dmsg_disc_put_entry(struct buf *b, const struct dmsg_url *u,
    const struct buf *json)
{
	return put_request(b, u, "POST", "/entry/", json);
}

int
dmsg_disc_delete_entry(struct buf *b, const struct dmsg_url *u,
    const struct buf *json)
{
	return put_request(b, u, "DELETE", "/entry", json);
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

static int
read_head(struct dmsg_answer *a, struct buf *in)
{
	struct http_head h;
	int r;

	do
		r = http_get_response(in, &h);
	while (r == 1 && h.status < 200);
	if (r != 1)
		return r;
	a->status = h.status;
	a->head_done = true;
	http_body_init(&a->framing, &h, true);
	return 1;
}

int
dmsg_answer_read(struct dmsg_answer *a, struct buf *in, bool eof)
{
	struct buf piece;
	int r;

	if (!a->head_done && (r = read_head(a, in)) != 1)
		return r;
	while ((r = http_get_body(&a->framing, in, &piece)) == 1)
		if ((r = buf_put(&a->body, buf_ptr(&piece), buf_len(&piece))) !=
		    0)
			return r;
	if (r < 0)
		return r;
	return a->framing.state == HTTP_DONE ||
	    (eof && a->framing.state == HTTP_UNTIL_EOF);
}
