/* SPDX-License-Identifier: ISC */
/*
 * SOCKS 4, 4a and 5 (RFC 1928), as far as it is about connecting to a host's
 * port, without a password.
 */
#include "client/forward/socks.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/base/err.h"

#define V4	     4
#define V5	     5
#define CONNECT	     1
#define V4_HEAD	     8	 /* version, command, port, address */
#define USER_MAX     255 /* of version 4 */
#define HOST_MAX     254
#define V5_NONE	     0x00 /* no password */
#define V5_NO_METHOD 0xff
#define V5_IPV4	     1
#define V5_NAME	     3
#define V5_IPV6	     4
#define V5_FAILED    1 /* general failure */
#define V5_COMMAND   7 /* command not supported */
#define V5_TYPE	     8 /* address type not supported */
#define V4_GRANTED   90
#define V4_REJECTED  91

/* --- version 4 --- */

/*
 * A text that ends with a NUL: 0, SKY_ERR_SHORT if that has not come yet.  to
 * may be NULL.
 */
static int
socks_text(struct buf *in, char *to, size_t max)
{
	const uint8_t *p = buf_ptr(in), *end = memchr(p, '\0', buf_len(in));
	size_t n = end != NULL ? (size_t)(end - p) : buf_len(in);

	if (n > max)
		return SKY_ERR_LIMIT;
	if (end == NULL)
		return SKY_ERR_SHORT;
	if (to != NULL)
		return buf_get(in, to, n + 1);
	return buf_skip(in, n + 1);
}

static int
socks_address(struct buf *in, int family, char to[MUX_URI_MAX + 1])
{
	uint8_t raw[sizeof(struct in6_addr)];
	size_t n = family == AF_INET ? sizeof(struct in_addr) : sizeof(raw);
	int r;

	if ((r = buf_get(in, raw, n)) != 0)
		return r;
	return inet_ntop(family, raw, to, MUX_URI_MAX) != NULL ? 0 :
								 SKY_ERR_FORMAT;
}

/* An address of 0.0.0.x announces a name: 4a. */
static bool
socks_is_4a(const char *address)
{
	return strncmp(address, "0.0.0.", 6) == 0 &&
	    strcmp(address, "0.0.0.0") != 0;
}

static int
socks_take_4(struct socks *s, struct buf *in)
{
	struct buf b = *in;
	uint8_t version, command;
	int r;

	if (buf_len(in) < V4_HEAD)
		return (int)(V4_HEAD - buf_len(in));
	if ((r = buf_get_u8(&b, &version)) != 0 ||
	    (r = buf_get_u8(&b, &command)) != 0 ||
	    (r = buf_get_u16(&b, &s->to.port)) != 0 ||
	    (r = socks_address(&b, AF_INET, s->to.name)) != 0)
		return r;
	if (command != CONNECT)
		return SKY_ERR_FORMAT;
	if ((r = socks_text(&b, NULL, USER_MAX)) == 0 &&
	    socks_is_4a(s->to.name))
		r = socks_text(&b, s->to.name, HOST_MAX);
	if (r == SKY_ERR_SHORT)
		return 1; /* one by one, up to its end */
	if (r == 0)
		*in = b;
	return r;
}

/* --- version 5 --- */

static int
socks_say(struct buf *out, const uint8_t *bytes, size_t n, int r)
{
	int said = buf_put(out, bytes, n);

	return said != 0 ? said : r;
}

static int
socks_say_5(struct buf *out, uint8_t how, int r)
{
	/* The address that it is connected from is nobody's business. */
	const uint8_t reply[] = { V5, how, 0, V5_IPV4, 0, 0, 0, 0, 0, 0 };

	return socks_say(out, reply, sizeof(reply), r);
}

/* Which ways to prove who it is it knows: none has to be among them. */
static int
socks_greet(struct socks *s, struct buf *in, struct buf *out)
{
	const uint8_t none[] = { V5, V5_NONE }, no[] = { V5, V5_NO_METHOD };
	struct buf b = *in, methods;
	uint8_t version, n;
	int r;

	if (buf_len(&b) < 2)
		return (int)(2 - buf_len(&b));
	if ((r = buf_get_u8(&b, &version)) != 0 ||
	    (r = buf_get_u8(&b, &n)) != 0)
		return r;
	if (buf_len(&b) < n)
		return (int)(n - buf_len(&b));
	if ((r = buf_get_view(&b, n, &methods)) != 0)
		return r;
	if (memchr(buf_ptr(&methods), V5_NONE, n) == NULL)
		return socks_say(out, no, sizeof(no), SKY_ERR_FORMAT);
	*in = b;
	s->greeted = true;
	return socks_say(out, none, sizeof(none), 0);
}

/* How many bytes the address and the port have; 0: it has not come so far. */
static size_t
socks_rest(uint8_t type, const struct buf *in)
{
	if (type == V5_IPV4)
		return sizeof(struct in_addr) + 2;
	if (type == V5_IPV6)
		return sizeof(struct in6_addr) + 2;
	return buf_len(in) != 0 ? 1 + (size_t)*buf_ptr(in) + 2 : 0;
}

static int
socks_name(struct buf *in, char to[MUX_URI_MAX + 1])
{
	uint8_t n;
	int r;

	if ((r = buf_get_u8(in, &n)) != 0)
		return r;
	if (n == 0 || n > HOST_MAX)
		return SKY_ERR_FORMAT;
	if ((r = buf_get(in, to, n)) != 0)
		return r;
	to[n] = '\0';
	return strlen(to) == n ? 0 : SKY_ERR_FORMAT;
}

static int
socks_take_5(struct socks *s, struct buf *in, struct buf *out)
{
	struct buf b = *in;
	uint8_t head[4], type;
	size_t rest;
	int r;

	if (buf_len(&b) < sizeof(head))
		return (int)(sizeof(head) - buf_len(&b));
	if ((r = buf_get(&b, head, sizeof(head))) != 0)
		return r;
	type = head[3];
	if (head[0] != V5)
		return SKY_ERR_FORMAT;
	if (head[1] != CONNECT)
		return socks_say_5(out, V5_COMMAND, SKY_ERR_FORMAT);
	if (type != V5_IPV4 && type != V5_NAME && type != V5_IPV6)
		return socks_say_5(out, V5_TYPE, SKY_ERR_FORMAT);
	if ((rest = socks_rest(type, &b)) == 0)
		return 1;
	if (buf_len(&b) < rest)
		return (int)(rest - buf_len(&b));
	if (type == V5_NAME)
		r = socks_name(&b, s->to.name);
	else
		r = socks_address(&b, type == V5_IPV4 ? AF_INET : AF_INET6,
		    s->to.name);
	if (r == 0 && (r = buf_get_u16(&b, &s->to.port)) == 0)
		*in = b;
	return r;
}

/* --- either --- */

static int
socks_request(struct socks *s, struct buf *in, struct buf *out)
{
	int r = 0;

	if (s->version == V4)
		return socks_take_4(s, in);
	if (!s->greeted)
		r = socks_greet(s, in, out);
	return r == 0 ? socks_take_5(s, in, out) : r;
}

int
socks_take(struct socks *s, struct buf *in, struct buf *out)
{
	int r;

	if (s->version == 0 && buf_len(in) == 0)
		return 1;
	if (s->version == 0)
		s->version = *buf_ptr(in);
	if (s->version != V4 && s->version != V5)
		return SKY_ERR_FORMAT;
	r = socks_request(s, in, out);
	if (r == 0 && (*s->to.name == '\0' || s->to.port == 0))
		r = SKY_ERR_FORMAT;
	return r;
}

int
socks_answer(const struct socks *s, bool connected, struct buf *out)
{
	const uint8_t reply[V4_HEAD] = { 0,
		connected ? V4_GRANTED : V4_REJECTED };

	if (s->version == V5)
		return socks_say_5(out, connected ? 0 : V5_FAILED, 0);
	return s->version == V4 ? socks_say(out, reply, sizeof(reply), 0) : 0;
}
