/* SPDX-License-Identifier: ISC */
/* The original's request for a streamed command, as JSON.  PROTOCOL.pty 7.2 */
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/json.h"
#include "common/pty/exec_stream.h"

#define BASE64	 sodium_base64_VARIANT_ORIGINAL
#define LIST_MAX (2 * XS_BODY_MAX)

/* --- parsing --- */

static bool
exec_request_key_is(const struct json_event *ev, const char *key)
{
	return ev->key != NULL && strcmp(ev->key, key) == 0;
}

static int
take_input(struct xs_request *q, const struct json_event *ev)
{
	size_t room = ev->len / 4 * 3 + 3, n;
	uint8_t *p;
	int r;

	if ((r = buf_extend(&q->input, room, &p)) != 0)
		return r;
	if (sodium_base642bin(p, room, ev->text, ev->len, "\r\n", &n, NULL,
		BASE64) != 0)
		return SKY_ERR_FORMAT;
	return buf_trim(&q->input, room - n);
}

static int
take_timeout(struct xs_request *q, const struct json_event *ev)
{
	char *end;

	errno = 0;
	q->e.timeout_ms = strtoll(ev->text, &end, 10);
	if (*end != '\0')
		return SKY_ERR_TYPE;
	return errno == ERANGE ? SKY_ERR_RANGE : 0;
}

/* A member of the outermost object.  Go reads null as absent. */
static int
exec_request_take_member(struct xs_request *q, const struct json_event *ev)
{
	q->in_arg = q->in_env = false;
	if (ev->type == JSON_NULL)
		return 0;
	if (exec_request_key_is(ev, "name"))
		return ev->type == JSON_STRING ?
		    buf_put(&q->name, ev->text, ev->len) :
		    SKY_ERR_TYPE;
	if (exec_request_key_is(ev, "stdin"))
		return ev->type == JSON_STRING ? take_input(q, ev) :
						 SKY_ERR_TYPE;
	if (exec_request_key_is(ev, "timeout_ms"))
		return ev->type == JSON_NUMBER ? take_timeout(q, ev) :
						 SKY_ERR_TYPE;
	q->in_arg = exec_request_key_is(ev, "arg");
	q->in_env = exec_request_key_is(ev, "env");
	if ((q->in_arg || q->in_env) && ev->type != JSON_ARRAY &&
	    ev->type != JSON_END)
		return SKY_ERR_TYPE;
	return 0;
}

static int
exec_request_take(void *arg, const struct json_event *ev)
{
	struct xs_request *q = arg;

	if (ev->depth == 0)
		return ev->type == JSON_OBJECT || ev->type == JSON_END ?
		    0 :
		    SKY_ERR_TYPE;
	if (ev->depth == 1)
		return ev->type == JSON_END ? 0 :
					      exec_request_take_member(q, ev);
	if (!q->in_arg && !q->in_env)
		return 0; /* inside something unknown */
	if (ev->type != JSON_STRING || ev->depth != 2)
		return SKY_ERR_TYPE;
	return gob_list_add(q->in_arg ? &q->e.arg : &q->e.env, ev->text,
	    ev->len);
}

/* The parser's own problems have a text, ours a code: "line 1: " so far. */
static void
exec_request_complete(char *why, size_t len, int error)
{
	size_t n = strlen(why);

	if (n == 0 || why[n - 1] == ' ')
		snprintf(why + n, len - n, "%s", err_text(error));
}

int
xs_get_request(const struct buf *json, struct xs_request *q, char *why,
    size_t whylen)
{
	int r;

	memset(q, 0, sizeof(*q));
	snprintf(why, whylen, "%s", "");
	buf_init(&q->name, XS_BODY_MAX);
	buf_init(&q->input, XS_BODY_MAX);
	buf_init(&q->e.arg.raw, LIST_MAX);
	buf_init(&q->e.env.raw, LIST_MAX);
	r = json_parse((const char *)buf_ptr(json), buf_len(json),
	    exec_request_take, q, why, whylen);
	buf_view(&q->e.name, buf_ptr(&q->name), buf_len(&q->name));
	buf_view(&q->e.in, buf_ptr(&q->input), buf_len(&q->input));
	if (r != 0)
		exec_request_complete(why, whylen, r);
	return r;
}

void
xs_request_free(struct xs_request *q)
{
	buf_free(&q->name);
	buf_free(&q->input);
	buf_free(&q->e.arg.raw);
	buf_free(&q->e.env.raw);
}

/* --- writing --- */

static int
exec_request_put_text(struct buf *b, const char *text)
{
	return buf_put(b, text, strlen(text));
}

static int
exec_request_put_string(struct buf *b, const char *key, const struct buf *value)
{
	int r;

	if ((r = exec_request_put_text(b, key)) != 0)
		return r;
	return json_put_string(b, (const char *)buf_ptr(value), buf_len(value));
}

static int
exec_request_put_list(struct buf *b, const char *key, struct gob_list list)
{
	struct buf s;
	int r;

	if (list.count == 0)
		return 0;
	r = exec_request_put_text(b, key);
	for (const char *before = "["; r == 0; before = ",") {
		if ((r = gob_list_next(&list, &s)) != 1)
			break;
		r = exec_request_put_string(b, before, &s);
	}
	return r == 0 ? exec_request_put_text(b, "]") : r;
}

static int
put_input(struct buf *b, const struct buf *in)
{
	size_t n = sodium_base64_encoded_len(buf_len(in), BASE64);
	uint8_t *p;
	int r;

	if (buf_len(in) == 0)
		return 0;
	if ((r = exec_request_put_text(b, ",\"stdin\":\"")) != 0 ||
	    (r = buf_extend(b, n, &p)) != 0)
		return r;
	sodium_bin2base64((char *)p, n, buf_ptr(in), buf_len(in), BASE64);
	buf_trim(b, 1); /* its NUL */
	return exec_request_put_text(b, "\"");
}

int
xs_put_request(struct buf *b, const struct rpc_exec *e)
{
	char timeout[48];
	int r;

	snprintf(timeout, sizeof(timeout), ",\"timeout_ms\":%" PRId64 "}",
	    e->timeout_ms);
	if ((r = exec_request_put_string(b, "{\"name\":", &e->name)) != 0 ||
	    (r = exec_request_put_list(b, ",\"arg\":", e->arg)) != 0 ||
	    (r = exec_request_put_list(b, ",\"env\":", e->env)) != 0 ||
	    (r = put_input(b, &e->in)) != 0)
		return r;
	return exec_request_put_text(b, timeout);
}
