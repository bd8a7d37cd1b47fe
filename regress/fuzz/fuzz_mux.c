/* SPDX-License-Identifier: ISC */
/* mux: any request, its URI and, as the proxy's query, what is behind "?". */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/pty/keys.h"
#include "common/pty/mux.h"
#include "common/pty/mux_forward.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static bool
same_place(const struct mux_place *a, const struct mux_place *b)
{
	return a->is_path == b->is_path && a->port == b->port &&
	    strcmp(a->name, b->name) == 0;
}

/* What was understood is written, if it can be, and understood again. */
static void
forwards(struct buf query)
{
	struct mux_place p, again;
	struct mux_accepted a;
	char uri[MUX_URI_MAX + 1];
	struct buf b, q;
	uint32_t id, same;

	(void)mux_accepted_query(&query, &a);
	if (mux_forward_query(&query, &p) == 0 &&
	    mux_forward_uri(uri, &p) == 0) {
		buf_view(&b, uri, strlen(uri));
		check(mux_match(&b, MUX_URI_FORWARD, &q));
		check(mux_forward_query(&q, &again) == 0);
		check(same_place(&p, &again));
	}
	if (mux_listen_query(&query, &id, &p) == 0 &&
	    mux_listen_uri(uri, id, &p) == 0) {
		buf_view(&b, uri, strlen(uri));
		check(mux_match(&b, MUX_URI_LISTEN, &q));
		check(mux_listen_query(&q, &same, &again) == 0);
		check(same == id && same_place(&p, &again));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct mux_session wishes;
	struct key_public pk;
	struct mux_kill kill;
	struct buf in, uri, query;
	uint16_t port;

	buf_view(&in, data, n);
	while (mux_get_request(&in, &uri) == 1) {
		check(buf_len(&uri) <= MUX_URI_MAX);
		if (!mux_match(&uri, MUX_URI_PROXY, &query) &&
		    !mux_match(&uri, MUX_URI_EXEC, &query))
			continue;
		check(buf_len(&query) < buf_len(&uri));
		(void)mux_proxy_query(&query, &pk, &port);
		(void)mux_session_query(&query, &wishes);
		(void)mux_kill_query(&query, &kill);
		forwards(query);
	}
	return 0;
}
