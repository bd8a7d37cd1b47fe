/* SPDX-License-Identifier: ISC */
/* Entries of the dmsg discovery, as JSON.  spec: dmsg.md 6.4, 6.5. */
#include "dmsg_entry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "hex.h"
#include "json.h"

/* --- writing --- */

static int
put_text(struct buf *b, const char *text)
{
	return buf_put(b, text, strlen(text));
}

static int
put_hex(struct buf *b, const uint8_t *p, size_t n)
{
	char text[2 * KEY_SIGNATURE_LEN + 1];

	hex_encode(p, n, text);
	return put_text(b, text);
}

static int
put_delegated(struct buf *b, const struct dmsg_entry *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->ndelegated; i++)
		if ((r = put_text(b, i == 0 ? "\"" : ",\"")) == 0 &&
		    (r = put_hex(b, e->delegated[i].b, KEY_PUBLIC_LEN)) == 0)
			r = put_text(b, "\"");
	return r;
}

static int
put_signature(struct buf *b, const uint8_t *sig)
{
	int r;

	if (sig == NULL)
		return 0;
	if ((r = put_text(b, ",\"signature\":\"")) != 0 ||
	    (r = put_hex(b, sig, KEY_SIGNATURE_LEN)) != 0)
		return r;
	return put_text(b, "\"");
}

int
dmsg_put_entry(struct buf *b, const struct dmsg_entry *e, const uint8_t *sig)
{
	char head[160];
	int r;

	snprintf(head, sizeof(head),
	    "{\"version\":\"0.0.1\",\"sequence\":%" PRIu64
	    ",\"timestamp\":%" PRId64 ",\"static\":\"",
	    e->sequence, e->timestamp);
	if ((r = put_text(b, head)) != 0 ||
	    (r = put_hex(b, e->pk.b, KEY_PUBLIC_LEN)) != 0 ||
	    (r = put_text(b, "\",\"client\":{\"delegated_servers\":[")) != 0 ||
	    (r = put_delegated(b, e)) != 0 || (r = put_text(b, "]}")) != 0 ||
	    (r = put_signature(b, sig)) != 0)
		return r;
	return put_text(b, "}");
}

/* --- reading --- */

/* One entry, at the outermost level or in the array. */
struct reader {
	struct dmsg_entry e;
	bool has_key, in_client, in_server, in_list;
	int depth; /* of the entry's members */
	int (*take)(void *, const struct dmsg_entry *);
	void *arg;
	bool whole; /* the outermost value was an object or array */
};

static bool
key_is(const struct json_event *ev, const char *key)
{
	return ev->key != NULL && strcmp(ev->key, key) == 0;
}

static bool
read_key(const struct json_event *ev, struct key_public *pk)
{
	return ev->type == JSON_STRING &&
	    ev->len == 2 * (size_t)KEY_PUBLIC_LEN &&
	    hex_decode(ev->text, pk->b, KEY_PUBLIC_LEN) == 0 &&
	    (pk->b[0] == 2 || pk->b[0] == 3);
}

static void
take_member(struct reader *r, const struct json_event *ev)
{
	r->in_client = key_is(ev, "client") && ev->type == JSON_OBJECT;
	r->in_server = key_is(ev, "server") && ev->type == JSON_OBJECT;
	r->e.is_client |= r->in_client;
	r->e.is_server |= r->in_server;
	if (key_is(ev, "static"))
		r->has_key = read_key(ev, &r->e.pk);
	else if (key_is(ev, "sequence") && ev->type == JSON_NUMBER)
		r->e.sequence = strtoull(ev->text, NULL, 10);
	else if (key_is(ev, "timestamp") && ev->type == JSON_NUMBER)
		r->e.timestamp = strtoll(ev->text, NULL, 10);
}

static void
take_inner(struct reader *r, const struct json_event *ev)
{
	r->in_list = r->in_client && key_is(ev, "delegated_servers") &&
	    ev->type == JSON_ARRAY;
	if (r->in_server && key_is(ev, "address") && ev->type == JSON_STRING &&
	    ev->len < sizeof(r->e.address) &&
	    strpbrk(ev->text, " \t\r\n") == NULL)
		strlcpy(r->e.address, ev->text, sizeof(r->e.address));
}

static void
take_delegated(struct reader *r, const struct json_event *ev)
{
	struct dmsg_entry *e = &r->e;

	if (e->ndelegated < DMSG_DELEGATED_MAX &&
	    read_key(ev, &e->delegated[e->ndelegated]))
		e->ndelegated++;
}

static void
begin_entry(struct reader *r)
{
	memset(&r->e, 0, sizeof(r->e));
	r->has_key = r->in_client = r->in_server = r->in_list = false;
}

static int
on_event(void *arg, const struct json_event *ev)
{
	struct reader *r = arg;
	int at = ev->depth - r->depth;

	if (ev->depth == 0 && ev->type != JSON_END)
		r->whole =
		    ev->type == (r->depth == 1 ? JSON_OBJECT : JSON_ARRAY);
	if (at == -1 && ev->type == JSON_OBJECT)
		begin_entry(r);
	else if (at == -1 && ev->type == JSON_END && r->take != NULL &&
	    r->has_key && *r->e.address != '\0')
		return r->take(r->arg, &r->e);
	else if (at == 0 && ev->type != JSON_END)
		take_member(r, ev);
	else if (at == 1 && ev->type != JSON_END)
		take_inner(r, ev);
	else if (at == 2 && r->in_list)
		take_delegated(r, ev);
	return 0;
}

static int
parse(const struct buf *json, struct reader *r)
{
	int e = json_parse((const char *)buf_ptr(json), buf_len(json), on_event,
	    r, NULL, 0);

	return e != 0 ? e : r->whole ? 0 : ERR_FORMAT;
}

int
dmsg_get_entry(const struct buf *json, struct dmsg_entry *e)
{
	struct reader r = { .depth = 1 };
	int error = parse(json, &r);

	*e = r.e;
	return error != 0 ? error : r.has_key ? 0 : ERR_FORMAT;
}

int
dmsg_get_servers(const struct buf *json,
    int (*take)(void *, const struct dmsg_entry *), void *arg)
{
	struct reader r = { .depth = 2, .take = take, .arg = arg };

	return parse(json, &r);
}

/* --- refusals --- */

struct refusal {
	char message[256];
};

static int
on_refusal(void *arg, const struct json_event *ev)
{
	struct refusal *f = arg;

	if (ev->depth == 1 && key_is(ev, "message") && ev->type == JSON_STRING)
		strlcpy(f->message, ev->text, sizeof(f->message));
	return 0;
}

enum dmsg_error
dmsg_get_error(const struct buf *json, char *message, size_t len)
{
	struct refusal f = { .message = "an answer that is not understood" };

	(void)json_parse((const char *)buf_ptr(json), buf_len(json), on_refusal,
	    &f, NULL, 0);
	if (len != 0)
		strlcpy(message, f.message, len);
	if (strcmp(f.message, "entry of public key is not found") == 0)
		return DMSG_ERROR_NOT_FOUND;
	if (strstr(f.message, "sequence field of new entry") != NULL)
		return DMSG_ERROR_SEQUENCE;
	return DMSG_ERROR_OTHER;
}
