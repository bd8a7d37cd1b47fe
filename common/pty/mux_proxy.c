/* SPDX-License-Identifier: ISC */
/* Reads queries: the proxy's, pk=HEX&port=N (PROTOCOL.pty 9), and kill's. */
#include "common/pty/mux.h"

#include <string.h>

#include "common/base/err.h"
#include "common/base/hex.h"
#include "common/pty/mux_text.h"

#define DEFAULT_PORT 22

/* Unescapes into a C string. */
static int
read_text(struct buf b, char text[MUX_TEXT_MAX])
{
	size_t n = 0;
	uint8_t c;
	int r;

	while ((r = mux_unescape(&b, &c)) == 1) {
		if (c == '\0' || n == MUX_TEXT_MAX - 1)
			return SKY_ERR_FORMAT;
		text[n++] = (char)c;
	}
	text[n] = '\0';
	return r;
}

int
mux_setting(struct buf query, const char *name, char value[MUX_TEXT_MAX])
{
	char key[MUX_TEXT_MAX];
	struct buf part, k;

	while (buf_len(&query) != 0) {
		part = mux_cut(&query, '&');
		if (memchr(buf_ptr(&part), ';', buf_len(&part)) != NULL)
			continue;
		k = mux_cut(&part, '=');
		if (read_text(k, key) == 0 && read_text(part, value) == 0 &&
		    strcmp(key, name) == 0)
			return 0;
	}
	return SKY_ERR_NOTFOUND;
}

static int
read_port(const char *text, uint16_t *port)
{
	unsigned n = 0;

	if (*text == '\0')
		return SKY_ERR_FORMAT;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return SKY_ERR_FORMAT;
		if ((n = n * 10 + (unsigned)(*text - '0')) > UINT16_MAX)
			return SKY_ERR_FORMAT;
	}
	*port = (uint16_t)n;
	return 0;
}

int
mux_proxy_query(struct buf *query, struct key_public *pk, uint16_t *port)
{
	char value[MUX_TEXT_MAX];

	*port = DEFAULT_PORT;
	if (mux_setting(*query, "port", value) == 0 &&
	    read_port(value, port) != 0)
		return SKY_ERR_FORMAT;
	if (mux_setting(*query, "pk", value) != 0)
		return SKY_ERR_FORMAT;
	return hex_decode(value, pk->b, sizeof(pk->b));
}

int
mux_kill_query(struct buf *query, struct mux_kill *k)
{
	char value[MUX_TEXT_MAX];

	k->by_key = mux_setting(*query, "key", value) == 0;
	if (k->by_key)
		return hex_decode(value, k->pk.b, sizeof(k->pk.b));
	if (mux_setting(*query, "id", value) != 0)
		return SKY_ERR_FORMAT;
	return hex_decode(value, k->id, sizeof(k->id));
}
