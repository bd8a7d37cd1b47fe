/* SPDX-License-Identifier: ISC */
/* The request that opens a service: u8 length, URI.  PROTOCOL.pty 4. */
#include "common/pty/mux.h"

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

static bool
has_control(struct buf b)
{
	uint8_t c;

	while (buf_get_u8(&b, &c) == 0)
		if (c < ' ' || c == 0x7f)
			return true;
	return false;
}

static bool
escapes_ok(struct buf b)
{
	uint8_t c;
	int r;

	while ((r = mux_unescape(&b, &c)) == 1)
		;
	return r == 0;
}

static enum mux_service
find_service(const struct buf *path)
{
	static const struct {
		const char *uri;
		enum mux_service service;
	} known[] = {
		{ MUX_URI_PTY, MUX_PTY },
		{ MUX_URI_WHITELIST, MUX_WHITELIST },
		{ MUX_URI_PROXY, MUX_PROXY },
		{ MUX_URI_SFTP, MUX_SFTP },
		{ MUX_URI_EXEC_STREAM, MUX_EXEC_STREAM },
		{ MUX_URI_EXEC_STREAM2, MUX_EXEC_STREAM },
		{ MUX_URI_EXEC, MUX_EXEC },
		{ MUX_URI_STATUS, MUX_STATUS },
		{ MUX_URI_FILES, MUX_FILES },
		{ MUX_URI_DIAL, MUX_DIAL },
	};
	size_t n = buf_len(path);

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].uri) == n &&
		    memcmp(known[i].uri, buf_ptr(path), n) == 0)
			return known[i].service;
	return MUX_NONE;
}

/*
 * Of all references that Go parses only one without scheme, host and escapes
 * in its path has an escaped path equal to one of ours, so the path is compared
 * as it stands.  What is left of the parsing is what makes Go refuse the rest:
 * control bytes outside the fragment and bad escapes in it.
 */
enum mux_service
mux_match(struct buf *uri, struct buf *query)
{
	struct buf ref, fragment = *uri, path;

	if (buf_len(&fragment) != 0 && *buf_ptr(&fragment) == '/')
		buf_skip(&fragment, 1);
	ref = mux_cut(&fragment, '#');
	if (has_control(ref) || !escapes_ok(fragment))
		return MUX_NONE;
	path = mux_cut(&ref, '?');
	if (query != NULL)
		*query = ref;
	return find_service(&path);
}
