/* SPDX-License-Identifier: ISC */
/* Lists of byte strings, kept as they travel. */
#include "common/base/err.h"
#include "common/pty/gob.h"
#include "common/pty/gob_wire.h"

int
gob_list_next(struct gob_list *list, struct buf *item)
{
	int r;

	if (list->count == 0)
		return 0;
	if ((r = gob_get_bytes(&list->raw, item)) != 0)
		return r == SKY_ERR_SHORT ? SKY_ERR_FORMAT : r;
	list->count--;
	return 1;
}

int
gob_list_add(struct gob_list *list, const void *p, size_t n)
{
	struct gob_sink sink = { .out = &list->raw };
	size_t before = buf_len(&list->raw);

	gob_put_bytes(&sink, p, n);
	if (sink.err == 0)
		list->count++;
	else
		buf_trim(&list->raw, buf_len(&list->raw) - before);
	return sink.err;
}
