/* SPDX-License-Identifier: ISC */
/* Entries of the dmsg discovery, as JSON.  PROTOCOL.dmsg 6.4, 6.5. */
#include "common/dmsg/dmsg_entry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/hex.h"
#include "common/base/json.h"

/* --- writing --- */

static int
entry_put_text(struct buf *b, const char *text)
{
	return buf_put(b, text, strlen(text));
}

static int
put_hex(struct buf *b, const uint8_t *p, size_t n)
{
	char text[2 * KEY_SIGNATURE_LEN + 1];

	hex_encode(p, n, text);
	return entry_put_text(b, text);
}

static int
put_delegated(struct buf *b, const struct dmsg_entry *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->ndelegated; i++)
		if ((r = entry_put_text(b, i == 0 ? "\"" : ",\"")) == 0 &&
		    (r = put_hex(b, e->delegated[i].b, KEY_PUBLIC_LEN)) == 0)
			r = entry_put_text(b, "\"");
	return r;
}

static int
put_signature(struct buf *b, const uint8_t *sig)
{
	int r;

	if (sig == NULL)
		return 0;
	if ((r = entry_put_text(b, ",\"signature\":\"")) != 0 ||
	    (r = put_hex(b, sig, KEY_SIGNATURE_LEN)) != 0)
		return r;
	return entry_put_text(b, "\"");
}

int
dmsg_put_entry(struct buf *b, const struct dmsg_entry *e, const uint8_t *sig)
{
	char head[160];
	int r;

	if (e->ndelegated > DMSG_DELEGATED_MAX)
		return SKY_ERR_LIMIT;
	snprintf(head, sizeof(head),
	    "{\"version\":\"0.0.1\",\"sequence\":%" PRIu64
	    ",\"timestamp\":%" PRId64 ",\"static\":\"",
	    e->sequence, e->timestamp);
	if ((r = entry_put_text(b, head)) != 0 ||
	    (r = put_hex(b, e->pk.b, KEY_PUBLIC_LEN)) != 0 ||
	    (r = entry_put_text(b, "\",\"client\":{\"delegated_servers\":[")) !=
		0 ||
	    (r = put_delegated(b, e)) != 0 ||
	    (r = entry_put_text(b, "]}")) != 0 ||
	    (r = put_signature(b, sig)) != 0)
		return r;
	return entry_put_text(b, "}");
}

/* --- reading --- */

/* Entries, one at a time. */
struct entry_reader {
	struct dmsg_entry e;
	bool open, has_key;
	int error;				/* what is wrong with it */
	enum { OTHER, CLIENT, SERVER } section; /* the member that is open */
	bool in_list;				/* of delegated servers */
	int depth; /* of entries, -1 where there are none */
	/* Of a list of entries. */
	bool is_list;
	size_t taken;
	int (*take)(void *, const struct dmsg_entry *);
	void *arg;
};

static bool
entry_key_is(const struct json_event *ev, const char *key)
{
	return ev->key != NULL && strcmp(ev->key, key) == 0;
}

static bool
entry_read_key(const struct json_event *ev, struct key_public *pk)
{
	return ev->type == JSON_STRING &&
	    ev->len == 2 * (size_t)KEY_PUBLIC_LEN &&
	    hex_decode(ev->text, pk->b, KEY_PUBLIC_LEN) == 0 &&
	    (pk->b[0] == 2 || pk->b[0] == 3);
}

/* Null is zero, as for Go. */
static int
read_u64(const struct json_event *ev, uint64_t *n)
{
	if (ev->type == JSON_NULL)
		return 0;
	if (ev->type != JSON_NUMBER)
		return SKY_ERR_FORMAT;
	errno = 0;
	if (strspn(ev->text, "0123456789") == ev->len)
		*n = strtoull(ev->text, NULL, 10);
	else
		errno = ERANGE;
	return errno == 0 ? 0 : SKY_ERR_RANGE;
}

static int
read_i64(const struct json_event *ev, int64_t *n)
{
	if (ev->type == JSON_NULL)
		return 0;
	if (ev->type != JSON_NUMBER)
		return SKY_ERR_FORMAT;
	errno = 0;
	if (strspn(ev->text, "-0123456789") == ev->len)
		*n = strtoll(ev->text, NULL, 10);
	else
		errno = ERANGE;
	return errno == 0 ? 0 : SKY_ERR_RANGE;
}

static bool
is_address(const char *text)
{
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];
	unsigned long n;

	for (const char *s = text; *s != '\0'; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	if (addr_split(text, NULL, host, port) != 0 || *host == '\0' ||
	    strspn(port, "0123456789") != strlen(port))
		return false;
	n = strtoul(port, NULL, 10);
	return n > 0 && n <= UINT16_MAX;
}

static void
read_address(const struct json_event *ev, char address[ADDR_TEXT_MAX])
{
	if (ev->type == JSON_STRING && ev->len < ADDR_TEXT_MAX &&
	    is_address(ev->text))
		memcpy(address, ev->text, ev->len + 1);
}

static void
entry_take_server(struct dmsg_entry *e, const struct json_event *ev)
{
	if (entry_key_is(ev, "address"))
		read_address(ev, e->address);
	else if (entry_key_is(ev, "address_v6"))
		read_address(ev, e->address_v6);
	else if (entry_key_is(ev, "availableSessions") &&
	    (read_i64(ev, &e->available) != 0 || e->available < 0))
		e->available = 0;
}

static void
entry_take_member(struct entry_reader *r, const struct json_event *ev)
{
	int error = 0;

	r->section = OTHER;
	if (entry_key_is(ev, "client") && ev->type == JSON_OBJECT) {
		r->section = CLIENT;
		r->e.is_client = true;
	} else if (entry_key_is(ev, "server") && ev->type == JSON_OBJECT) {
		r->section = SERVER;
		r->e.is_server = true;
	} else if (entry_key_is(ev, "static"))
		r->has_key = entry_read_key(ev, &r->e.pk);
	else if (entry_key_is(ev, "sequence"))
		error = read_u64(ev, &r->e.sequence);
	else if (entry_key_is(ev, "timestamp"))
		error = read_i64(ev, &r->e.timestamp);
	if (error != 0)
		r->error = error;
}

/* What stands in an entry, so many levels below it. */
static void
take_inner(struct entry_reader *r, const struct json_event *ev, int level)
{
	if (level == 1)
		entry_take_member(r, ev);
	else if (level == 2) {
		r->in_list = r->section == CLIENT && ev->type == JSON_ARRAY &&
		    entry_key_is(ev, "delegated_servers");
		if (r->section == SERVER)
			entry_take_server(&r->e, ev);
	} else if (level == 3 && r->in_list &&
	    r->e.ndelegated < DMSG_DELEGATED_MAX &&
	    entry_read_key(ev, &r->e.delegated[r->e.ndelegated]))
		r->e.ndelegated++;
}

static void
begin_entry(struct entry_reader *r)
{
	memset(&r->e, 0, sizeof(r->e));
	r->open = true;
	r->has_key = r->in_list = false;
	r->error = 0;
	r->section = OTHER;
}

static int
end_entry(struct entry_reader *r)
{
	r->open = false;
	if (r->take == NULL || !r->has_key || r->error != 0 ||
	    *r->e.address == '\0' || r->taken == DMSG_SERVERS_MAX)
		return 0;
	r->taken++;
	return r->take(r->arg, &r->e);
}

static int
entry_on_event(void *arg, const struct json_event *ev)
{
	struct entry_reader *r = arg;
	int level = ev->depth - r->depth;

	if (level == 0 && ev->type == JSON_OBJECT)
		begin_entry(r);
	else if (level == 0 && ev->type == JSON_END && r->open)
		return end_entry(r);
	else if (level > 0 && ev->type != JSON_END && r->open)
		take_inner(r, ev, level);
	return 0;
}

/* Finds the list, then entries are one level deeper. */
static int
on_list_event(void *arg, const struct json_event *ev)
{
	struct entry_reader *r = arg;

	if (r->depth != -1 && ev->depth >= r->depth)
		return entry_on_event(r, ev);
	r->depth = -1;
	if (ev->depth != 0 &&
	    (ev->depth != 1 || !entry_key_is(ev, "dmsg_servers")))
		return 0;
	if (ev->type == JSON_ARRAY || ev->type == JSON_NULL)
		r->is_list = true;
	if (ev->type == JSON_ARRAY)
		r->depth = ev->depth + 1;
	return 0;
}

static int
entry_parse(const struct buf *json, json_handler *handle, void *arg)
{
	return json_parse((const char *)buf_ptr(json), buf_len(json), handle,
	    arg, NULL, 0);
}

int
dmsg_get_entry(const struct buf *json, struct dmsg_entry *e)
{
	struct entry_reader r = { .depth = 0 };
	int error;

	if ((error = entry_parse(json, entry_on_event, &r)) == 0)
		error = r.has_key ? r.error : SKY_ERR_FORMAT;
	if (error != 0)
		memset(&r.e, 0, sizeof(r.e));
	*e = r.e;
	return error;
}

int
dmsg_get_servers(const struct buf *json,
    int (*take)(void *, const struct dmsg_entry *), void *arg)
{
	struct entry_reader r = { .depth = -1, .take = take, .arg = arg };
	int error = entry_parse(json, on_list_event, &r);

	return error != 0 ? error : r.is_list ? 0 : SKY_ERR_FORMAT;
}

/* --- refusals --- */

#define MESSAGE_MAX 256

/* PROTOCOL.dmsg 6.3; some have a prefix. */
static const struct {
	const char *text;
	enum dmsg_error error;
} refusals[] = {
	{ "entry of public key is not found", DMSG_ERROR_NOT_FOUND },
	{ "sequence field of new entry is not", DMSG_ERROR_SEQUENCE },
	{ "entry timestamp is not greater than previous",
	    DMSG_ERROR_TIMESTAMP },
};

static int
on_refusal(void *arg, const struct json_event *ev)
{
	char *message = arg;

	if (ev->depth == 1 && entry_key_is(ev, "message") &&
	    ev->type == JSON_STRING)
		snprintf(message, MESSAGE_MAX, "%s", ev->text);
	return 0;
}

enum dmsg_error
dmsg_get_error(const struct buf *json, char *message, size_t len)
{
	char text[MESSAGE_MAX] = "";

	if (entry_parse(json, on_refusal, text) != 0 || *text == '\0')
		snprintf(text, sizeof(text),
		    "an answer that is not understood");
	/* It may go to somebody's terminal. */
	for (char *p = text; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	if (len != 0)
		snprintf(message, len, "%s", text);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (strstr(text, refusals[i].text) != NULL)
			return refusals[i].error;
	return DMSG_ERROR_OTHER;
}
