/* SPDX-License-Identifier: ISC */
/* Requests and responses of dmsg streams, in gob.  PROTOCOL.dmsg 4.3, 4.4. */
#include "common/dmsg/dmsg_object.h"

#include <sodium.h>
#include <string.h>

#include "common/base/err.h"
#include "common/pty/gob.h"
#include "common/pty/gob_wire.h"

/* Definitions of the types as a peer of 2024 sends them. */
static const uint8_t request_defs[] =
    "\x4f\x7f\x03\x01\x01\x0dStreamRequest\x01\xff\x80\x00\x01\x04"
    "\x01\x09Timestamp\x01\x04\x00\x01\x07SrcAddr\x01\xff\x82\x00"
    "\x01\x07"
    "DstAddr\x01\xff\x82\x00\x01\x08NoiseMsg\x01\x0a\x00\x00\x00"
    "\x23\xff\x81\x03\x01\x01\x04"
    "Addr\x01\xff\x82\x00\x01\x02\x01\x02PK\x01\xff\x84\x00"
    "\x01\x04Port\x01\x06\x00\x00\x00"
    "\x12\xff\x83\x06\x01\x01\x06PubKey\x01\xff\x84\x00\x00\x00";
static const uint8_t response_defs[] =
    "\x4f\xff\x85\x03\x01\x01\x0eStreamResponse\x01\xff\x86\x00\x01\x04"
    "\x01\x07ReqHash\x01\xff\x88\x00\x01\x08"
    "Accepted\x01\x02\x00"
    "\x01\x07"
    "ErrCode\x01\x06\x00\x01\x08NoiseMsg\x01\x0a\x00\x00\x00"
    "\x16\xff\x87\x01\x01\x01\x06SHA256\x01\xff\x88\x00\x01\x06\x01\x40"
    "\x00\x00";

#define REQUEST_ID  64
#define RESPONSE_ID 67
#define VALUE_MAX   (2 * FIELD_MAX)
#define FIELD_MAX   8192 /* of a handshake message, with all around it */

/* --- writing --- */

/* Definitions, then the value behind its length. */
static int
object_put_message(struct buf *b, const uint8_t *defs, size_t n,
    const struct gob_sink *value)
{
	struct gob_sink out = { .out = b };
	size_t before = buf_len(b);

	if (value->err != 0)
		return value->err;
	gob_put_raw(&out, defs, n - 1 /* C's NUL */);
	gob_put_bytes(&out, buf_ptr(value->out), buf_len(value->out));
	if (out.err != 0)
		buf_trim(b, buf_len(b) - before);
	return out.err;
}

static void
put_addr(struct gob_sink *s, const struct dmsg_addr *a)
{
	gob_put_uint(s, 1);
	gob_put_uint(s, 1);
	gob_put_bytes(s, a->pk.b, sizeof(a->pk.b));
	gob_put_uint(s, 1);
	gob_put_uint(s, a->port);
	gob_put_uint(s, 0);
}

int
dmsg_put_request(struct buf *b, const struct dmsg_request *q)
{
	struct buf value;
	struct gob_sink s = { .out = &value };
	int r;

	if (q->timestamp <= 0 || q->src.port == 0 || q->dst.port == 0)
		return SKY_ERR_RANGE;
	buf_init(&value, VALUE_MAX);
	gob_put_int(&s, REQUEST_ID);
	gob_put_uint(&s, 1);
	gob_put_int(&s, q->timestamp);
	put_addr(&s, &q->src);
	put_addr(&s, &q->dst);
	gob_put_uint(&s, 1);
	gob_put_bytes(&s, buf_ptr(&q->noise), buf_len(&q->noise));
	gob_put_uint(&s, 0);
	r = object_put_message(b, request_defs, sizeof(request_defs), &s);
	buf_free(&value);
	return r;
}

/* A field that is zero does not travel; the next one counts from before it. */
int
dmsg_put_response(struct buf *b, const struct dmsg_response *p)
{
	struct buf value;
	struct gob_sink s = { .out = &value };
	int r;

	buf_init(&value, VALUE_MAX);
	gob_put_int(&s, RESPONSE_ID);
	gob_put_uint(&s, 1);
	gob_put_uint(&s, DMSG_HASH_LEN);
	for (size_t i = 0; i < DMSG_HASH_LEN; i++)
		gob_put_uint(&s, p->req_hash[i]);
	if (p->accepted) {
		gob_put_uint(&s, 1);
		gob_put_uint(&s, 1);
		gob_put_uint(&s, 2);
		gob_put_bytes(&s, buf_ptr(&p->noise), buf_len(&p->noise));
	} else if (p->code != 0) {
		gob_put_uint(&s, 2);
		gob_put_uint(&s, p->code);
	}
	gob_put_uint(&s, 0);
	r = object_put_message(b, response_defs, sizeof(response_defs), &s);
	buf_free(&value);
	return r;
}

/* --- reading --- */

struct wire_addr {
	struct buf pk;
	uint64_t port;
};

struct wire_request {
	int64_t timestamp;
	struct wire_addr src, dst;
	bool has_src, has_dst;
	struct buf noise;
};

struct wire_response {
	uint8_t hash[GOB_HASH_LEN];
	bool accepted;
	uint64_t code;
	struct buf noise;
};

#define AT(type, field) offsetof(struct type, field)

static const struct gob_field addr_fields[] = {
	{ "PK", GOB_OPAQUE, AT(wire_addr, pk), 0, 0, NULL },
	{ "Port", GOB_UINT, AT(wire_addr, port), 0, UINT16_MAX, NULL },
};

static const struct gob_type addr_type = { "Addr", true, 0, addr_fields, 2,
	sizeof(struct wire_addr) };

static const struct gob_field request_fields[] = {
	{ "Timestamp", GOB_INT, AT(wire_request, timestamp), 0, 0, NULL },
	{ "SrcAddr", GOB_STRUCT, AT(wire_request, src),
	    AT(wire_request, has_src), 0, &addr_type },
	{ "DstAddr", GOB_STRUCT, AT(wire_request, dst),
	    AT(wire_request, has_dst), 0, &addr_type },
	{ "NoiseMsg", GOB_BYTES, AT(wire_request, noise), 0, 0, NULL },
};

static const struct gob_type request_type = { "StreamRequest", true, 0,
	request_fields, 4, sizeof(struct wire_request) };

static const struct gob_field response_fields[] = {
	{ "ReqHash", GOB_HASH, AT(wire_response, hash), 0, 0, NULL },
	{ "Accepted", GOB_BOOL, AT(wire_response, accepted), 0, 0, NULL },
	{ "ErrCode", GOB_UINT, AT(wire_response, code), 0, UINT16_MAX, NULL },
	{ "NoiseMsg", GOB_BYTES, AT(wire_response, noise), 0, 0, NULL },
};

static const struct gob_type response_type = { "StreamResponse", true, 0,
	response_fields, 4, sizeof(struct wire_response) };

/* One value behind its definitions; nothing more is to come. */
static int
get_value(struct buf *b, const struct gob_type *type, void *out)
{
	struct gob_dec *dec = gob_dec_new(DMSG_OBJECT_MAX);
	struct buf value;
	int64_t id;
	int r;

	if (dec == NULL)
		return SKY_ERR_NOMEM;
	if ((r = gob_dec_next(dec, b, &id, &value)) == 1)
		r = gob_dec_value(dec, id, &value, type, out);
	else if (r == 0)
		r = SKY_ERR_FORMAT;
	gob_dec_free(dec);
	return r;
}

static int
get_addr(const struct wire_addr *w, struct dmsg_addr *a)
{
	const uint8_t *p = buf_ptr(&w->pk);

	if (buf_len(&w->pk) != KEY_PUBLIC_LEN || (p[0] != 2 && p[0] != 3))
		return SKY_ERR_KEY;
	if (w->port == 0)
		return SKY_ERR_RANGE;
	memcpy(a->pk.b, p, KEY_PUBLIC_LEN);
	a->port = (uint16_t)w->port;
	return 0;
}

int
dmsg_get_request(struct buf *b, struct dmsg_request *q)
{
	struct wire_request w;
	int r;

	if ((r = get_value(b, &request_type, &w)) != 0 ||
	    (r = get_addr(&w.src, &q->src)) != 0 ||
	    (r = get_addr(&w.dst, &q->dst)) != 0)
		return r;
	q->timestamp = w.timestamp;
	q->noise = w.noise;
	return w.timestamp > 0 ? 0 : SKY_ERR_RANGE;
}

int
dmsg_get_response(struct buf *b, struct dmsg_response *p)
{
	struct wire_response w;
	int r;

	if ((r = get_value(b, &response_type, &w)) != 0)
		return r;
	memcpy(p->req_hash, w.hash, sizeof(p->req_hash));
	p->accepted = w.accepted;
	p->code = (uint16_t)w.code;
	p->noise = w.noise;
	return 0;
}

int
dmsg_split_signed(const struct buf *object, struct buf *sig, struct buf *gob)
{
	if (buf_len(object) <= DMSG_SIG_LEN)
		return SKY_ERR_SHORT;
	buf_view(sig, buf_ptr(object), DMSG_SIG_LEN);
	buf_view(gob, buf_ptr(object) + DMSG_SIG_LEN,
	    buf_len(object) - DMSG_SIG_LEN);
	return 0;
}

void
dmsg_hash(const void *p, size_t n, uint8_t hash[DMSG_HASH_LEN])
{
	crypto_hash_sha256(hash, p, n);
}

/* --- codes --- */

const char *
dmsg_code_text(unsigned code)
{
	static const struct {
		unsigned code;
		const char *text;
	} codes[] = {
		{ 100, "entry is not found in discovery" },
		{ 101, "entry is not of server in discovery" },
		{ 102, "entry is not of client in discovery" },
		{ 103, "client entry in discovery has no delegated servers" },
		{ 200, "local entity closed" },
		{ 201, "local session closed" },
		{ 202, "cannot connect to delegated server" },
		{ 203, "extra bytes received during session handshake" },
		{ 300, "request has invalid signature" },
		{ 301, "request timestamp should be higher than last" },
		{ 302, "request has invalid source public key" },
		{ 303, "request has invalid destination public key" },
		{ 304, "request has invalid source port" },
		{ 305, "request has invalid destination port" },
		{ 306, "request has no associated listener" },
		{ 307,
		    "request cannot be forwarded because the next session "
		    "is non-existent" },
		{ 308, "server is at its peer-relay stream capacity" },
		{ 350, "response has invalid signature" },
		{ 351, "response has invalid hash of associated request" },
		{ 370, "signed object is invalid" },
		{ 400, "port already occupied" },
		{ 401, "listener accept chan maxed" },
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == code)
			return codes[i].text;
	return "response rejected associated request without reason"; /* 352 */
}
