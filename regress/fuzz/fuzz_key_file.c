/* SPDX-License-Identifier: ISC */
/* The file of a key: what is taken is in bounds, and is written as it was. */
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/hex.h"
#include "common/pty/key_file.h"

static void
require(int true_it_is)
{
	if (!true_it_is)
		abort();
}

static void
look(const struct key_file *f, const uint8_t *text, size_t n)
{
	char box[2 * KEY_BOX_LEN + 1];

	require(f->cost.passes >= 1 && f->cost.passes <= KEY_PASSES_MAX);
	require(f->cost.memory >= KEY_MEMORY_MIN &&
	    f->cost.memory <= KEY_MEMORY_MAX);
	require(f->head + 2 * KEY_BOX_LEN + 1 == n && text[n - 1] == '\n');
	hex_encode(f->box, sizeof(f->box), box);
	for (size_t i = 0; i < 2 * KEY_BOX_LEN; i++)
		require((text[f->head + i] | 0x20) == (box[i] | 0x20));
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct keyctx *kc;
	uint8_t sk[KEY_SECRET_LEN];
	struct key_file f;

	if (kc == NULL)
		require((kc = keyctx_new()) != NULL);
	if (key_file_parse(&f, kc, data, n) != 0)
		return 0;
	require(n <= KEY_FILE_MAX);
	require(f.kind == KEY_FILE_PLAIN || key_valid(kc, &f.pk));
	if (f.kind != KEY_FILE_SEALED)
		return 0;
	look(&f, data, n);
	/* What it costs is bounded, but too much for each of many inputs. */
	if (f.cost.passes == 1 && f.cost.memory <= 64) {
		int r = key_file_open(&f, kc, data, "passphrase", sk);

		require(r == 0 || r == SKY_ERR_AUTH || r == SKY_ERR_KEY);
	}
	return 0;
}
