/* SPDX-License-Identifier: ISC */
/*
 * What says where a connection is to go: a specification of -L, -R, -D or -W,
 * and a request by SOCKS.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/forward/forward_spec.h"
#include "client/forward/socks.h"
#include "common/base/buf.h"

#define INPUT_MAX 2048

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
specification(const char *text, enum forward_way way)
{
	struct forward_spec s, again;
	char said[FORWARD_TEXT_MAX];

	if (forward_spec_parse(&s, way, text, false) != NULL)
		return;
	check(s.listen.port != 0 || s.listen.is_path || way == FORWARD_REMOTE);
	check(
	    way == FORWARD_DYNAMIC || s.connect.is_path || s.connect.port != 0);
	/* A bracket cannot be escaped within brackets, which have the rest. */
	if (strpbrk(text, "[]\\") != NULL)
		return;
	forward_spec_text(&s, said);
	check(forward_spec_parse(&again, way, said, false) == NULL);
	check(memcmp(&s, &again, sizeof(s)) == 0);
}

static void
socks(const uint8_t *data, size_t n)
{
	struct socks s = { 0 };
	struct buf in, out;
	size_t used = 0;
	int r;

	buf_init(&in, SOCKS_MAX);
	buf_init(&out, SOCKS_ANSWER_MAX);
	while ((r = socks_take(&s, &in, &out)) > 0 && (size_t)r <= n - used) {
		check(buf_put(&in, data + used, (size_t)r) == 0);
		used += (size_t)r;
	}
	if (r == 0) {
		check(buf_len(&in) == 0);
		check(*s.to.name != '\0' && s.to.port != 0);
		check(strlen(s.to.name) < MUX_URI_MAX);
	}
	check(socks_answer(&s, r == 0, &out) == 0);
	buf_free(&in);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct mux_place target;
	char *text;

	if (n > INPUT_MAX)
		return 0;
	socks(data, n);
	check((text = strndup((const char *)data, n)) != NULL);
	specification(text, FORWARD_LOCAL);
	specification(text, FORWARD_REMOTE);
	specification(text, FORWARD_DYNAMIC);
	(void)forward_target_parse(&target, text);
	free(text);
	return 0;
}
