/* SPDX-License-Identifier: ISC */
/*
 * What a host says to a program that speaks SFTP through us, cut into pieces
 * anywhere: all of it comes through but the answer to our one question, and
 * our question goes between packets of the program's only.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/conn.h"
#include "client/dest.h"
#include "client/sftp/sftp_asker.h"
#include "common/base/buf.h"

#define ROOM	(1U << 20)
#define HEAD	9 /* length, type, id */
#define OUR_ID	"\xff\xff\xff\xff"
#define MODULUS 251

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const struct dest dmsg = { .kind = DEST_DMSG };

static void
check(bool ok)
{
	if (!ok)
		abort();
}

/* Bytes of the packet that begins there, and of its length. */
static uint64_t
packet_len(const uint8_t *p)
{
	return 4 +
	    ((uint64_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
		p[3]);
}

/* The packets but the first with our id that is not the first of all. */
static void
expect(const uint8_t *p, size_t n, struct buf *out)
{
	bool first = true, asked = true;
	size_t len;

	for (; n >= 4; p += len, n -= len, first = false) {
		len = packet_len(p) < n ? (size_t)packet_len(p) : n;
		if (!first && asked && n >= HEAD && packet_len(p) >= HEAD &&
		    memcmp(p + 5, OUR_ID, 4) == 0)
			asked = false;
		else
			check(buf_put(out, p, len) == 0);
	}
	check(buf_put(out, p, n) == 0);
}

/* The same by sftp_asker.c, in pieces of 1 to so many bytes. */
static void
hear(struct sftp_asker *a, const uint8_t *p, size_t n, size_t piece,
    struct buf *out)
{
	struct buf in, question;
	size_t some;

	buf_init(&in, ROOM);
	buf_init(&question, HEAD * 2);
	for (size_t at = 0;; at += some) {
		some = n - at < piece ? n - at : piece;
		check(buf_put(&in, p + at, some) == 0);
		for (size_t mine;
		     (mine = sftp_asker_filter(a, &in, at + some == n)) != 0;) {
			mine = mine < piece ? mine : piece;
			check(buf_put(out, buf_ptr(&in), mine) == 0);
			check(buf_skip(&in, mine) == 0);
			sftp_asker_passed(a, mine);
			if (buf_len(&question) != 0)
				continue;
			a->at = 0;
			check(sftp_asker_ask(a, &question) == 0);
		}
		if (at + some == n)
			break;
	}
	check(buf_len(&in) == 0);
	buf_free(&in);
	buf_free(&question);
}

/* Whether what was said ends where a packet does. */
static bool
is_between(const uint8_t *p, size_t n)
{
	size_t len;

	for (; n >= 4 && packet_len(p) <= n; p += len, n -= len)
		len = (size_t)packet_len(p);
	return n == 0;
}

static void
begin(struct sftp_asker *a)
{
	struct conn c = { .is_sftp = true, .dest = &dmsg };

	sftp_asker_init(a, &c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf wanted, out;
	struct sftp_asker a;
	size_t piece, some;

	if (n == 0 || n > ROOM / 2)
		return 0;
	piece = 1 + *data++ % MODULUS;
	n--;
	buf_init(&wanted, ROOM);
	buf_init(&out, ROOM);
	begin(&a);
	expect(data, n, &wanted);
	hear(&a, data, n, piece, &out);
	check(buf_len(&out) == buf_len(&wanted));
	check(buf_len(&out) == 0 ||
	    memcmp(buf_ptr(&out), buf_ptr(&wanted), buf_len(&out)) == 0);
	buf_free(&wanted);
	buf_free(&out);

	begin(&a);
	a.begun = true;
	for (size_t i = 0; i < n; i += some) {
		some = n - i < piece ? n - i : piece;
		sftp_asker_sent(&a, data + i, some);
		a.at = 0;
		check((sftp_asker_wait(&a, 7) == 0) ==
		    is_between(data, i + some));
	}
	return 0;
}
