/* SPDX-License-Identifier: ISC */
/* The request that opens a service: u8 length, URI.  PROTOCOL.pty 4. */
#include "common/pty/mux.h"

#include <stdio.h>
#include <string.h>

#include "common/base/err.h"
#include "common/pty/mux_text.h"

int
mux_put_request(struct buf *out, const char *uri)
{
	size_t n = strlen(uri);
	int r;

	if (n > MUX_URI_MAX || buf_room(out) < 1 + n)
		return SKY_ERR_LIMIT;
	if ((r = buf_put_u8(out, (uint8_t)n)) != 0)
		return r;
	if ((r = buf_put(out, uri, n)) != 0)
		buf_trim(out, 1);
	return r;
}

int
mux_get_request(struct buf *in, struct buf *uri)
{
	struct buf peek = *in;
	uint8_t n;
	int r;

	if (buf_get_u8(&peek, &n) != 0 || buf_len(&peek) < n)
		return 0;
	if ((r = buf_skip(in, 1)) == 0)
		r = buf_get_view(in, n, uri);
	return r == 0 ? 1 : r;
}

/* What /etc/passwd can hold, and no byte that a URI gives a meaning. */
static bool
mux_is_user(const char *name, size_t n)
{
	if (n == 0 || n > MUX_USER_MAX || *name == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (name[i] <= ' ' || name[i] == 0x7f ||
		    strchr("/?#%:", name[i]) != NULL)
			return false;
	return true;
}

int
mux_get_user(struct buf *uri, struct buf *name)
{
	size_t n = strlen(MUX_AS);

	if (buf_len(uri) < n || memcmp(buf_ptr(uri), MUX_AS, n) != 0)
		return 0;
	buf_skip(uri, n);
	*name = mux_cut(uri, '/');
	return mux_is_user((const char *)buf_ptr(name), buf_len(name)) ?
	    1 :
	    SKY_ERR_FORMAT;
}

int
mux_put_user(char to[MUX_URI_MAX + 1], const char *name, const char *uri)
{
	int n;

	if (!mux_is_user(name, strlen(name)))
		return SKY_ERR_FORMAT;
	n = snprintf(to, MUX_URI_MAX + 1, MUX_AS "%s/%s", name, uri);
	return n > MUX_URI_MAX ? SKY_ERR_LIMIT : 0;
}

static bool
mux_has_control(struct buf b)
{
	uint8_t c;

	while (buf_get_u8(&b, &c) == 0)
		if (c < ' ' || c == 0x7f)
			return true;
	return false;
}

static bool
mux_escapes_ok(struct buf b)
{
	uint8_t c;
	int r;

	while ((r = mux_unescape(&b, &c)) == 1)
		;
	return r == 0;
}

/*
 * Of all references that Go parses only one without scheme, host and escapes
 * in its path has an escaped path equal to one of ours, so the path is compared
 * as it stands.  What is left of the parsing is what makes Go refuse the rest:
 * control bytes outside the fragment and bad escapes in it.
 */
bool
mux_match(const struct buf *uri, const char *service, struct buf *query)
{
	struct buf ref, fragment = *uri, path;

	if (buf_len(&fragment) != 0 && *buf_ptr(&fragment) == '/')
		buf_skip(&fragment, 1);
	ref = mux_cut(&fragment, '#');
	if (mux_has_control(ref) || !mux_escapes_ok(fragment))
		return false;
	path = mux_cut(&ref, '?');
	if (query != NULL)
		*query = ref;
	return strlen(service) == buf_len(&path) &&
	    memcmp(service, buf_ptr(&path), buf_len(&path)) == 0;
}
