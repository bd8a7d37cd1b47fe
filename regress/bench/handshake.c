/* SPDX-License-Identifier: ISC */
/*
 * What ML-KEM adds to a handshake: both sides of XK in one process, with it and
 * without in turn, and the ratio of their processor time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/pty/noise.h"

#define ROUNDS 400

static void
must(int r)
{
	if (r != 0) {
		fputs("handshake: it fails\n", stderr);
		exit(1);
	}
}

static double
used(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static double
shake(struct keyctx *kc, uint8_t sk[2][KEY_SECRET_LEN], bool classical)
{
	struct key_public pk;
	struct noise *n[2];
	struct noise_keys keys[2];
	struct buf msg;
	double begun = used();

	must(key_public(kc, sk[1], &pk));
	must(noise_new(&n[0], kc, NOISE_XK, NOISE_INITIATOR, sk[0], &pk));
	must(noise_new(&n[1], kc, NOISE_XK, NOISE_RESPONDER, sk[1], NULL));
	if (classical)
		noise_set_classical(n[0]);
	for (int i = 0; i < 3; i++) {
		buf_init(&msg, NOISE_MSG_MAX);
		must(noise_write(n[i % 2], NULL, &msg));
		must(noise_read(n[!(i % 2)], &msg, NULL));
		buf_free(&msg);
	}
	for (int i = 0; i < 2; i++) {
		must(noise_split(n[i], &keys[i]));
		noise_free(n[i]);
	}
	must(keys[0].hybrid == classical);
	must(memcmp(keys[0].send, keys[1].recv, NOISE_KEY_LEN));
	return used() - begun;
}

int
main(void)
{
	uint8_t sk[2][KEY_SECRET_LEN];
	struct keyctx *kc = keyctx_new();
	double with = 0, without = 0;

	if (kc == NULL)
		return 1;
	must(key_generate(kc, sk[0]));
	must(key_generate(kc, sk[1]));
	for (int i = 0; i < ROUNDS; i++) {
		without += shake(kc, sk, true);
		with += shake(kc, sk, false);
	}
	printf("handshake, both sides, processor time with ML-KEM / without: "
	       "%.2f (%.0f us more)\n",
	    with / without, (with - without) / ROUNDS);
	keyctx_free(kc);
	return 0;
}
