/* SPDX-License-Identifier: ISC */
/* mux: any request, its URI and, as the proxy's query, what is behind "?". */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/pty/keys.h"
#include "common/pty/mux.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(bool ok)
{
	if (!ok)
		abort();
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
	}
	return 0;
}
