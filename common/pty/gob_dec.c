/* SPDX-License-Identifier: ISC */
/* Reads a gob stream message by message. */
#include <stdlib.h>

#include "common/base/err.h"
#include "common/pty/gob_def.h"

struct gob_dec {
	size_t max_msg;
	struct gob_defs defs;
};

struct gob_dec *
gob_dec_new(size_t max_msg)
{
	struct gob_dec *dec;

	if ((dec = calloc(1, sizeof(*dec))) != NULL)
		dec->max_msg = max_msg;
	return dec;
}

void
gob_dec_free(struct gob_dec *dec)
{
	if (dec == NULL)
		return;
	gob_defs_free(&dec->defs);
	free(dec);
}

/* Inside a message whose length is known, missing bytes are a lie. */
static int
gob_inside(int r)
{
	return r == SKY_ERR_SHORT || r == SKY_ERR_TRAILING ? SKY_ERR_FORMAT : r;
}

/* uint length, bytes; the length is judged before the bytes are there. */
static int
next_message(const struct gob_dec *dec, struct buf *in, struct buf *msg)
{
	struct buf peek = *in;
	uint64_t n;
	int r;

	if ((r = gob_get_uint(&peek, &n)) != 0)
		return r == SKY_ERR_SHORT ? 0 : r;
	if (n > dec->max_msg)
		return SKY_ERR_LIMIT;
	if (n > buf_len(&peek))
		return 0;
	if ((r = buf_skip(in, buf_len(in) - buf_len(&peek))) == 0)
		r = buf_get_view(in, (size_t)n, msg);
	return r == 0 ? 1 : r;
}

/* Go's type ids have 32 bits. */
static int
get_id(struct buf *msg, int64_t *id)
{
	int r;

	if ((r = gob_get_int(msg, id)) != 0)
		return r;
	return *id < -INT32_MAX || *id > INT32_MAX ? SKY_ERR_FORMAT : 0;
}

int
gob_dec_next(struct gob_dec *dec, struct buf *in, int64_t *id,
    struct buf *value)
{
	int r;

	while ((r = next_message(dec, in, value)) == 1) {
		if ((r = get_id(value, id)) != 0)
			return gob_inside(r);
		if (*id >= 0)
			return 1;
		if ((r = gob_defs_add(&dec->defs, -*id, value)) != 0)
			return gob_inside(r);
	}
	return r;
}

int
gob_dec_value(struct gob_dec *dec, int64_t id, struct buf *value,
    const struct gob_type *type, void *out)
{
	return gob_inside(gob_value(&dec->defs, id, value, type, out));
}
