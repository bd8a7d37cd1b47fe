/* SPDX-License-Identifier: ISC */
/*
 * json and config: first byte even, the parser's events, which must nest and
 * lie where they say; odd, a configuration, whose values must be in range.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/privsep/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

/* --- events ----------------------------------------------------------- */

struct walk {
	const char *text;
	size_t n;
	int depth;
	size_t end; /* of the last event */
	size_t events;
	size_t left; /* events until we have had enough, 0 for never */
	char open[JSON_DEPTH_MAX + 1];
};

static void
check_text(const struct json_event *e)
{
	if (e->type != JSON_STRING && e->type != JSON_NUMBER) {
		require(e->text == NULL);
		return;
	}
	require(e->text != NULL && strlen(e->text) == e->len);
	if (e->type == JSON_NUMBER)
		require(strspn(e->text, "0123456789+-.eE") == e->len);
}

/* A value's place, as far as it is told. */
static void
check_place(struct walk *w, const struct json_event *e)
{
	require(e->end > w->end && e->end <= w->n);
	w->end = e->end;
	if (e->type == JSON_NULL)
		require(e->end - e->start == 4 &&
		    memcmp(w->text + e->start, "null", 4) == 0);
	if (e->type == JSON_OBJECT || e->type == JSON_ARRAY)
		require(e->end - e->start == 1 &&
		    w->text[e->start] == (e->type == JSON_OBJECT ? '{' : '['));
	if (e->type == JSON_END)
		require(strchr("]}", w->text[e->end - 1]) != NULL);
	if (e->type == JSON_STRING)
		require(w->text[e->end - 1] == '"');
}

static int
on_event(void *arg, const struct json_event *e)
{
	struct walk *w = arg;

	if (e->type == JSON_END)
		w->depth--;
	require(e->depth == w->depth && w->depth >= 0);
	require(
	    (e->key != NULL) == (w->depth > 0 && w->open[w->depth - 1] == '{'));
	require(e->path != NULL && (*e->path == '\0' || e->depth > 0));
	check_text(e);
	check_place(w, e);
	if (e->type == JSON_OBJECT || e->type == JSON_ARRAY) {
		require(w->depth < JSON_DEPTH_MAX);
		w->open[w->depth++] = e->type == JSON_OBJECT ? '{' : '[';
	}
	return ++w->events == w->left ? SKY_ERR_DENIED : 0;
}

/* What json_put_string writes is read back, if it is UTF-8. */
static int
on_string(void *arg, const struct json_event *e)
{
	const struct buf *want = arg;

	require(e->type == JSON_STRING && e->len == buf_len(want));
	require(memcmp(e->text, buf_ptr(want), e->len) == 0);
	return 0;
}

static void
try_put(const char *text, size_t n)
{
	struct buf in, out;

	buf_view(&in, text, n);
	buf_init(&out, 6 * n + 2);
	require(json_put_string(&out, text, n) == 0);
	(void)json_parse((const char *)buf_ptr(&out), buf_len(&out), on_string,
	    &in, NULL, 0);
	buf_free(&out);
}

static void
try_json(const char *text, size_t n)
{
	struct walk w = { .text = text, .n = n };
	char why[128] = "";
	size_t all;
	int r;

	r = json_parse(text, n, on_event, &w, why, sizeof(why));
	require((r == 0) == (*why == '\0'));
	require(r != 0 || (w.depth == 0 && w.events > 0));
	if ((all = w.events) == 0)
		return;
	/* Stopped on the way it says no more. */
	w = (struct walk){ .text = text, .n = n, .left = (all + 1) / 2 };
	require(json_parse(text, n, on_event, &w, NULL, 0) == SKY_ERR_DENIED);
	require(w.events == (all + 1) / 2);
}

/* --- configurations --------------------------------------------------- */

struct heard {
	size_t fatal;
};

static void
hear(void *arg, bool fatal, const char *text)
{
	struct heard *h = arg;

	require(strncmp(text, "conf: ", 6) == 0);
	require(strchr(text, '\n') == NULL);
	h->fatal += fatal;
}

static void
check_config(struct keyctx *ctx, const struct config *c)
{
	require(c->maxstartups.begin >= 1 &&
	    c->maxstartups.begin <= c->maxstartups.full);
	require(c->maxstartups.rate >= 1 && c->maxstartups.rate <= 100);
	require(c->handshake_timeout >= 1 && c->handshake_timeout <= 600);
	require(c->tcp_keepalive >= 1 && c->tcp_keepalive <= 600);
	require(c->maxperkey >= 1 && c->maxperaddr >= 1);
	require(c->nwl <= CONFIG_WL_MAX);
	for (size_t i = 0; i < c->nwl; i++)
		require(key_valid(ctx, &c->wl[i]));
	require(((c->given & CONFIG_SK) != 0) == (c->sk != NULL));
}

static void
try_config(const char *text, size_t n)
{
	static struct keyctx *ctx;
	struct heard heard = { 0 };
	struct config_report report = { .say = hear, .arg = &heard };
	struct config c;
	int r;

	if (ctx == NULL)
		require((ctx = keyctx_new()) != NULL);
	require(config_defaults(&c) == 0);
	r = config_parse(&c, ctx, text, n, "conf", &report);
	require((r == 0) == (heard.fatal == 0));
	if (r == 0)
		check_config(ctx, &c);
	config_free(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *text = (const char *)data + 1;

	if (n < 1)
		return 0;
	if (data[0] & 1)
		try_config(text, n - 1);
	else {
		try_json(text, n - 1);
		try_put(text, n - 1);
	}
	return 0;
}
