/* SPDX-License-Identifier: ISC */
/*
 * Peers and servers of dmsg end a stream that is quiet for some minutes, and a
 * program that speaks SFTP through us may say nothing for hours.  Then the host
 * is asked something harmless between two of its packets, and what comes of it
 * is kept from the program.
 */
#include "client/sftp/sftp_asker.h"
#include "client/conn.h"
#include "client/dest.h"
#include "client/sftp/sftp.h"

#include "common/base/buf.h"
#include "common/base/clock.h"

#define ASK_MS 45000
#define ASK_ID UINT32_MAX /* programs count from 0 or 1 on */
#define LENGTH 4
#define HEAD   (LENGTH + 1 + 4) /* length, type, id */

void
sftp_asker_init(struct sftp_asker *a, const struct conn *c)
{
	*a =
	    (struct sftp_asker){ .on = c->is_sftp && c->dest->kind == DEST_DMSG,
		    .at = now_ms() + ASK_MS };
}

static uint32_t
sftp_asker_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

void
sftp_asker_sent(struct sftp_asker *a, const uint8_t *p, size_t n)
{
	size_t some;

	if (!a->on || n == 0)
		return;
	a->at = now_ms() + ASK_MS;
	while (n > 0) {
		if (a->sending == 0) {
			a->length[a->nlength++] = *p++;
			n--;
			if (a->nlength == LENGTH) {
				a->sending = sftp_asker_u32(a->length);
				a->nlength = 0;
			}
			continue;
		}
		some = n < a->sending ? n : a->sending;
		a->sending -= (uint32_t)some;
		p += some;
		n -= some;
	}
}

/* Not before the version is known, nor into a packet. */
static bool
sftp_asker_may_ask(const struct sftp_asker *a)
{
	return a->on && a->begun && !a->asked && a->sending == 0 &&
	    a->nlength == 0;
}

int
sftp_asker_wait(const struct sftp_asker *a, int ms)
{
	int64_t left = a->at - now_ms();

	if (!sftp_asker_may_ask(a) || (ms >= 0 && ms <= left))
		return ms;
	return left > 0 ? (int)left : 0;
}

int
sftp_asker_ask(struct sftp_asker *a, struct buf *out)
{
	int r;

	if (!sftp_asker_may_ask(a) || now_ms() < a->at)
		return 0;
	a->asked = true;
	a->at = now_ms() + ASK_MS;
	if ((r = buf_put_u32(out, 1 + 4 + 4 + 1)) != 0 ||
	    (r = buf_put_u8(out, SFTP_STAT)) != 0 ||
	    (r = buf_put_u32(out, ASK_ID)) != 0 ||
	    (r = buf_put_string(out, ".", 1)) != 0)
		return r;
	return 0;
}

/* The next packet of the host begins: true once it is known whose it is. */
static bool
sftp_asker_begin(struct sftp_asker *a, const uint8_t *p, size_t n)
{
	uint64_t whole;

	if (n < LENGTH)
		return false;
	whole = (uint64_t)LENGTH + sftp_asker_u32(p);
	if (a->asked && whole >= HEAD) {
		if (n < HEAD)
			return false;
		if (sftp_asker_u32(p + LENGTH + 1) == ASK_ID) {
			a->asked = false;
			a->dropping = whole;
			return true;
		}
	}
	a->begun = true;
	a->passing = whole;
	return true;
}

size_t
sftp_asker_filter(struct sftp_asker *a, struct buf *in, bool eof)
{
	size_t n;

	if (!a->on)
		return buf_len(in);
	while (a->passing == 0) {
		if (a->dropping == 0 &&
		    !sftp_asker_begin(a, buf_ptr(in), buf_len(in)))
			return eof ? buf_len(in) : 0;
		n = buf_len(in) < a->dropping ? buf_len(in) :
						(size_t)a->dropping;
		(void)buf_skip(in, n);
		a->dropping -= n;
		if (a->dropping != 0)
			return 0;
	}
	return buf_len(in) < a->passing ? buf_len(in) : (size_t)a->passing;
}

void
sftp_asker_passed(struct sftp_asker *a, size_t n)
{
	a->passing -= n < a->passing ? n : a->passing;
}
