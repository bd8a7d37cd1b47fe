/* SPDX-License-Identifier: ISC */
/* Signatures, and the two objects at the beginning of a dmsg stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/base/err.h"
#include "common/dmsg/dmsg_object.h"
#include "regress/unit/vectors.h"

#define ROOM 65536

static struct keyctx *ctx;

static int
set_up(void **state)
{
	(void)state;
	return (ctx = keyctx_new()) != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	keyctx_free(ctx);
	return 0;
}

/* --- signatures --- */

static void
test_signature_vectors(void **state)
{
	struct vectors *v = vec_load("dmsg-sig.txt");
	uint8_t sig[KEY_SIGNATURE_LEN];
	struct key_public pk;
	size_t good = 0, bad = 0;
	const char *verdict;
	struct buf payload;
	bool accepted;
	int r;

	(void)state;
	for (size_t i = vec_find(v, 0, "payload_hex"); i < v->n;
	     i = vec_find(v, i + 1, "payload_hex")) {
		vec_buf(v, i, "payload_hex", &payload);
		vec_bytes(v, i, "pk", pk.b, sizeof(pk.b));
		vec_bytes(v, i, "sig", sig, sizeof(sig));
		verdict = vec_value(v, i, "verify");
		accepted =
		    strcmp(verdict, "ok") == 0 || strcmp(verdict, "<nil>") == 0;
		r = key_verify(ctx, &pk, buf_ptr(&payload), buf_len(&payload),
		    sig);
		assert_int_equal(r, accepted ? 0 : SKY_ERR_AUTH);
		good += accepted;
		bad += !accepted;
		buf_free(&payload);
	}
	assert_true(good >= 7);
	assert_true(bad >= 4);
	vec_free(v);
}

static void
test_sign(void **state)
{
	uint8_t sk[KEY_SECRET_LEN], sig[KEY_SIGNATURE_LEN], again[sizeof(sig)];
	struct key_public pk;

	(void)state;
	memset(sk, 7, sizeof(sk));
	assert_int_equal(key_public(ctx, sk, &pk), 0);
	assert_int_equal(key_sign(ctx, sk, "text", 4, sig), 0);
	assert_int_equal(key_sign(ctx, sk, "text", 4, again), 0);
	assert_memory_equal(sig, again, sizeof(sig));
	assert_int_equal(key_verify(ctx, &pk, "text", 4, sig), 0);
	assert_int_equal(key_verify(ctx, &pk, "texT", 4, sig), SKY_ERR_AUTH);
	assert_int_equal(key_verify(ctx, &pk, "text", 3, sig), SKY_ERR_AUTH);
	/* Every bit counts, the recovery id's too. */
	for (size_t i = 0; i < 8 * sizeof(sig); i++) {
		memcpy(again, sig, sizeof(sig));
		again[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(key_verify(ctx, &pk, "text", 4, again),
		    SKY_ERR_AUTH);
	}
	memset(again, 0, sizeof(again));
	assert_int_equal(key_verify(ctx, &pk, "text", 4, again), SKY_ERR_AUTH);
	memset(again, 0xff, sizeof(again));
	assert_int_equal(key_verify(ctx, &pk, "text", 4, again), SKY_ERR_AUTH);
	memset(&pk, 0, sizeof(pk));
	assert_int_equal(key_verify(ctx, &pk, "text", 4, sig), SKY_ERR_AUTH);
	memset(sk, 0, sizeof(sk));
	assert_int_equal(key_sign(ctx, sk, "text", 4, sig), SKY_ERR_KEY);
	memset(sk, 0xff, sizeof(sk));
	assert_int_equal(key_sign(ctx, sk, "text", 4, sig), SKY_ERR_KEY);
}

/* --- objects --- */

/* The line with that case, or the test fails. */
static size_t
find_case(const struct vectors *v, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = vec_find(v, 0, "case"); i < v->n;
	     i = vec_find(v, i + 1, "case"))
		if (strncmp(v->line[i].value, name, n) == 0)
			return i;
	fail_msg("no case %s", name);
	return 0;
}

/* "<pk> xxx_port=N" */
static void
expect_addr(const struct vectors *v, size_t i, const char *name,
    const struct dmsg_addr *a)
{
	const char *text = vec_value(v, i, name), *port = strchr(text, '=');
	char pk[KEY_PUBLIC_HEX];

	key_text(&a->pk, pk);
	assert_memory_equal(text, pk, sizeof(pk) - 1);
	assert_non_null(port);
	assert_int_equal(a->port, strtol(port + 1, NULL, 10));
}

static void
expect_buf(const struct vectors *v, size_t i, const char *name,
    const struct buf *b)
{
	struct buf want;

	vec_buf(v, i, name, &want);
	assert_int_equal(buf_len(b), buf_len(&want));
	assert_memory_equal(buf_ptr(b), buf_ptr(&want), buf_len(&want));
	buf_free(&want);
}

static void
test_request_vector(void **state)
{
	struct vectors *v = vec_load("dmsg-gob.txt");
	size_t i = find_case(v, "request");
	uint8_t hash[DMSG_HASH_LEN], want[DMSG_HASH_LEN];
	struct buf object, sig, gob, copy;
	struct dmsg_request q;
	struct key_public pk;

	(void)state;
	vec_buf(v, i, "signed_object", &object);
	assert_int_equal(dmsg_split_signed(&object, &sig, &gob), 0);
	expect_buf(v, i, "signature", &sig);
	expect_buf(v, i, "gob", &gob);
	copy = gob;
	assert_int_equal(dmsg_get_request(&gob, &q), 0);
	assert_int_equal(buf_len(&gob), 0);
	assert_true(q.timestamp == INT64_C(1700000000123456789));
	expect_addr(v, i, "src_pk", &q.src);
	expect_addr(v, i, "dst_pk", &q.dst);
	expect_buf(v, i, "noise_msg", &q.noise);
	assert_int_equal(key_verify(ctx, &q.src.pk, buf_ptr(&copy),
			     buf_len(&copy), buf_ptr(&sig)),
	    0);
	assert_int_equal(key_verify(ctx, &q.dst.pk, buf_ptr(&copy),
			     buf_len(&copy), buf_ptr(&sig)),
	    SKY_ERR_AUTH);
	dmsg_hash(buf_ptr(&object), buf_len(&object), hash);
	vec_bytes(v, i, "sha256_of_signed_object", want, sizeof(want));
	assert_memory_equal(hash, want, sizeof(want));
	pk = q.src.pk;
	assert_true(key_valid(ctx, &pk));
	buf_free(&object);
	vec_free(v);
}

static void
test_response_vectors(void **state)
{
	struct vectors *v = vec_load("dmsg-gob.txt");
	size_t i = find_case(v, "response-accepted");
	uint8_t want[DMSG_HASH_LEN];
	struct dmsg_response resp;
	struct buf gob;

	(void)state;
	vec_buf(v, i, "gob", &gob);
	assert_int_equal(dmsg_get_response(&gob, &resp), 0);
	vec_bytes(v, i, "req_hash", want, sizeof(want));
	assert_memory_equal(resp.req_hash, want, sizeof(want));
	assert_true(resp.accepted);
	assert_int_equal(resp.code, 0);
	expect_buf(v, i, "noise_msg", &resp.noise);
	buf_free(&gob);
	vec_buf(v, find_case(v, "response-rejected-306"), "gob", &gob);
	assert_int_equal(dmsg_get_response(&gob, &resp), 0);
	assert_false(resp.accepted);
	assert_int_equal(resp.code, 306);
	assert_int_equal(buf_len(&resp.noise), 0);
	buf_free(&gob);
	vec_buf(v, find_case(v, "response-rejected-no-code"), "gob", &gob);
	assert_int_equal(dmsg_get_response(&gob, &resp), 0);
	assert_false(resp.accepted);
	assert_int_equal(resp.code, 0);
	buf_free(&gob);
	vec_free(v);
}

/* Newer peers declare more fields, and sometimes fill them. */
static void
test_newer_shapes(void **state)
{
	static const char *const names[] = { "request-newest-shape (",
		"request-newest-shape-ipinfo", "response-newest-shape",
		"response-newest-shape-ip-geo" };
	struct vectors *v = vec_load("dmsg-gob.txt");
	struct dmsg_response resp;
	struct dmsg_request q;
	struct buf gob;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		vec_buf(v, find_case(v, names[i]), "gob", &gob);
		if (i < 2) {
			int r = dmsg_get_request(&gob, &q);

			/* One without a message is no request for us. */
			assert_true(r == 0 || i == 1);
			if (r == 0)
				assert_int_equal(q.src.port, 49153);
		} else
			assert_int_equal(dmsg_get_response(&gob, &resp), 0);
		buf_free(&gob);
	}
	vec_free(v);
}

static struct dmsg_request
a_request(const char *noise)
{
	struct dmsg_request q = { .timestamp = 1,
		.src.port = 1,
		.dst.port = 2 };

	q.src.pk.b[0] = 2;
	q.dst.pk.b[0] = 3;
	buf_view(&q.noise, noise, strlen(noise));
	return q;
}

static void
test_round_trip(void **state)
{
	struct dmsg_request q = a_request("noise"), got;
	struct dmsg_response resp = { .accepted = true }, back;
	struct buf gob;

	(void)state;
	buf_init(&gob, ROOM);
	assert_int_equal(dmsg_put_request(&gob, &q), 0);
	assert_int_equal(dmsg_get_request(&gob, &got), 0);
	assert_true(key_equal(&got.src.pk, &q.src.pk));
	assert_true(key_equal(&got.dst.pk, &q.dst.pk));
	assert_true(got.timestamp == 1);
	assert_int_equal(got.dst.port, 2);
	assert_int_equal(buf_len(&got.noise), 5);
	buf_reset(&gob);
	for (int i = 0; i < DMSG_HASH_LEN; i++)
		resp.req_hash[i] = (uint8_t)(i * 9);
	buf_view(&resp.noise, "n", 1);
	assert_int_equal(dmsg_put_response(&gob, &resp), 0);
	assert_int_equal(dmsg_get_response(&gob, &back), 0);
	assert_memory_equal(back.req_hash, resp.req_hash, DMSG_HASH_LEN);
	assert_true(back.accepted);
	buf_free(&gob);
}

/* Cut anywhere, with any byte changed: an error or a value, never more. */
static void
test_damage(void **state)
{
	struct vectors *v = vec_load("dmsg-gob.txt");
	size_t i = find_case(v, "request"), n;
	struct dmsg_response resp;
	struct dmsg_request q;
	struct buf gob, view;
	uint8_t *copy;

	(void)state;
	vec_buf(v, i, "gob", &gob);
	n = buf_len(&gob);
	for (size_t len = 0; len < n; len++) {
		copy = malloc(len + 1); /* its end is a fence for ASan */
		memcpy(copy, buf_ptr(&gob), len);
		buf_view(&view, copy, len);
		assert_int_not_equal(dmsg_get_request(&view, &q), 0);
		buf_view(&view, copy, len);
		assert_int_not_equal(dmsg_get_response(&view, &resp), 0);
		free(copy);
	}
	for (size_t at = 0; at < n; at++)
		for (int bit = 0; bit < 8; bit++) {
			copy = malloc(n);
			memcpy(copy, buf_ptr(&gob), n);
			copy[at] ^= (uint8_t)(1 << bit);
			buf_view(&view, copy, n);
			if (dmsg_get_request(&view, &q) == 0) {
				assert_true(q.timestamp > 0);
				assert_int_not_equal(q.src.port, 0);
				assert_int_not_equal(q.dst.port, 0);
				assert_in_range(q.src.pk.b[0], 2, 3);
				assert_in_range(q.dst.pk.b[0], 2, 3);
			}
			free(copy);
		}
	buf_free(&gob);
	vec_free(v);
}

static void
test_bad_fields(void **state)
{
	struct dmsg_request q, got;
	struct buf gob, sig, rest;

	(void)state;
	for (int i = 0; i < 5; i++) {
		q = a_request("noise");
		switch (i) {
		case 0:
			q.timestamp = 0;
			break;
		case 1:
			q.timestamp = -1;
			break;
		case 2:
			q.src.port = 0;
			break;
		case 3:
			q.dst.port = 0;
			break;
		default:
			q.src.pk.b[0] = 4;
		}
		buf_init(&gob, ROOM);
		if (dmsg_put_request(&gob, &q) == 0)
			assert_int_not_equal(dmsg_get_request(&gob, &got), 0);
		buf_free(&gob);
	}
	buf_view(&gob, "too short", 9);
	assert_int_equal(dmsg_split_signed(&gob, &sig, &rest), SKY_ERR_SHORT);
}

/* --- sealed --- */

static void
pair(struct dmsg_seal *a, struct dmsg_seal *b)
{
	uint8_t k1[32], k2[32];

	memset(k1, 1, sizeof(k1));
	memset(k2, 2, sizeof(k2));
	dmsg_seal_init(a, k1, k2);
	dmsg_seal_init(b, k2, k1);
}

static int
open_copy(struct dmsg_seal *s, const struct buf *wire, size_t skip, size_t n,
    struct buf *object)
{
	struct buf in;
	int r;

	buf_init(&in, ROOM);
	assert_int_equal(buf_put(&in, buf_ptr(wire) + skip, n), 0);
	buf_reset(object);
	r = dmsg_get_sealed(s, &in, object);
	buf_free(&in);
	return r;
}

static void
test_seal(void **state)
{
	struct dmsg_seal a, b, fresh;
	struct buf object, wire, out;
	size_t one;

	(void)state;
	pair(&a, &b);
	buf_view(&object, "object", 6);
	buf_init(&wire, 4 * ROOM);
	buf_init(&out, ROOM);
	assert_int_equal(dmsg_put_sealed(&a, &object, &wire), 0);
	one = buf_len(&wire);
	assert_int_equal(one, 2 + 8 + 6 + 16);
	assert_int_equal(dmsg_put_sealed(&a, &object, &wire), 0);
	/* In pieces nothing happens before the last byte. */
	for (size_t n = 0; n < one; n++)
		assert_int_equal(open_copy(&b, &wire, 0, n, &out), 0);
	/* Streams overtake each other: out of order is fine, twice is not. */
	assert_int_equal(open_copy(&b, &wire, one, one, &out), 1);
	assert_int_equal(buf_len(&out), 6);
	assert_memory_equal(buf_ptr(&out), "object", 6);
	assert_int_equal(open_copy(&b, &wire, 0, one, &out), 1);
	assert_int_equal(open_copy(&b, &wire, 0, one, &out), SKY_ERR_NONCE);
	assert_int_equal(open_copy(&b, &wire, one, one, &out), SKY_ERR_NONCE);
	/* Another's key, and our own words thrown back. */
	assert_int_equal(open_copy(&a, &wire, 0, one, &out), SKY_ERR_AUTH);
	/* Every bit counts, and a forgery uses up no counter. */
	pair(&a, &fresh);
	for (size_t i = 16; i < 8 * one; i++) {
		struct buf bent;

		buf_init(&bent, ROOM);
		assert_int_equal(buf_put(&bent, buf_ptr(&wire), one), 0);
		((uint8_t *)(uintptr_t)buf_ptr(&bent))[i / 8] ^=
		    (uint8_t)(1 << i % 8);
		assert_true(open_copy(&fresh, &bent, 0, one, &out) < 0);
		assert_int_equal(buf_len(&out), 0);
		buf_free(&bent);
	}
	assert_int_equal(open_copy(&fresh, &wire, 0, one, &out), 1);
	buf_free(&wire);
	buf_free(&out);
}

/* 1024 back are remembered; what is older is refused. */
static void
test_window(void **state)
{
	struct dmsg_seal a, b;
	struct buf object, wire, out;
	size_t one = 0;

	(void)state;
	pair(&a, &b);
	buf_view(&object, "x", 1);
	buf_init(&wire, 16 * ROOM);
	buf_init(&out, ROOM);
	for (int i = 0; i < 1100; i++) {
		assert_int_equal(dmsg_put_sealed(&a, &object, &wire), 0);
		if (i == 0)
			one = buf_len(&wire);
	}
	assert_int_equal(open_copy(&b, &wire, 1099 * one, one, &out), 1);
	assert_int_equal(open_copy(&b, &wire, 0, one, &out), SKY_ERR_NONCE);
	assert_int_equal(open_copy(&b, &wire, 75 * one, one, &out),
	    SKY_ERR_NONCE);
	assert_int_equal(open_copy(&b, &wire, 76 * one, one, &out), 1);
	assert_int_equal(open_copy(&b, &wire, 76 * one, one, &out),
	    SKY_ERR_NONCE);
	assert_int_equal(open_copy(&b, &wire, 1098 * one, one, &out), 1);
	for (size_t i = 77; i < 1098; i++)
		assert_int_equal(open_copy(&b, &wire, i * one, one, &out), 1);
	for (size_t i = 0; i < 1100; i++)
		assert_int_equal(open_copy(&b, &wire, i * one, one, &out),
		    SKY_ERR_NONCE);
	buf_free(&wire);
	buf_free(&out);
}

static void
test_seal_limits(void **state)
{
	static uint8_t big[DMSG_OBJECT_MAX + 1];
	struct dmsg_seal a, b;
	struct buf object, wire, out;

	(void)state;
	pair(&a, &b);
	buf_init(&wire, 4 * ROOM);
	buf_init(&out, 2 * ROOM);
	buf_view(&object, big, sizeof(big));
	assert_int_equal(dmsg_put_sealed(&a, &object, &wire), SKY_ERR_LIMIT);
	assert_int_equal(buf_len(&wire), 0);
	buf_view(&object, big, DMSG_OBJECT_MAX);
	assert_int_equal(dmsg_put_sealed(&a, &object, &wire), 0);
	assert_int_equal(dmsg_get_sealed(&b, &wire, &out), 1);
	assert_int_equal(buf_len(&out), DMSG_OBJECT_MAX);
	/* Shorter than a counter and a tag. */
	buf_reset(&wire);
	assert_int_equal(buf_put(&wire, "\0\5abcde", 7), 0);
	assert_true(dmsg_get_sealed(&b, &wire, &out) < 0);
	buf_free(&wire);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signature_vectors),
		cmocka_unit_test(test_sign),
		cmocka_unit_test(test_request_vector),
		cmocka_unit_test(test_response_vectors),
		cmocka_unit_test(test_newer_shapes),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_bad_fields),
		cmocka_unit_test(test_seal),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_seal_limits),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
