/* SPDX-License-Identifier: ISC */
/* keys: the recorded identities and shared secrets, and invalid keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/err.h"
#include "common/pty/keys.h"
#include "regress/unit/keyctx_util.h"
#include "vectors.h"

#define ORDER "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
#define ORDER_1 \
	"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140"
#define ORDER_2 \
	"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364142"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define ONE  "0000000000000000000000000000000000000000000000000000000000000001"
#define FIVE "0000000000000000000000000000000000000000000000000000000000000005"
#define ONES "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
/* The prime of the field: the first x that is too large. */
#define PRIME "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f"
/* The generator's x and y. */
#define GX "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define GY "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"

/* --- recorded values --- */

static void
check_pair(struct keyctx *kc, const char *sk_text, const char *pk_text)
{
	uint8_t sk[KEY_SECRET_LEN];
	struct key_public pk, parsed;
	char text[KEY_PUBLIC_HEX];

	assert_int_equal(key_parse_secret(kc, sk_text, sk), 0);
	assert_int_equal(key_public(kc, sk, &pk), 0);
	key_text(&pk, text);
	assert_string_equal(text, pk_text);
	assert_int_equal(key_parse_public(kc, pk_text, &parsed), 0);
	assert_true(key_equal(&pk, &parsed));
	assert_true(key_valid(kc, &pk));
}

static void
check_shared(struct keyctx *kc, const char *sk_text, const char *pk_text,
    const char *want)
{
	uint8_t sk[KEY_SECRET_LEN], shared[KEY_SHARED_LEN];
	char text[2 * KEY_SHARED_LEN + 1];
	struct key_public pk;

	assert_int_equal(key_parse_secret(kc, sk_text, sk), 0);
	assert_int_equal(key_parse_public(kc, pk_text, &pk), 0);
	assert_int_equal(key_shared(kc, sk, &pk, shared), 0);
	hex_encode(shared, sizeof(shared), text);
	assert_string_equal(text, want);
}

static void
test_dmsg_vectors(void **state)
{
	struct vectors *v = vec_load("dmsg-keys.txt");
	size_t labels = 0, cases = 0;

	for (size_t i = vec_find(v, 0, "label"); i < v->n;
	     i = vec_find(v, i + 1, "label"), labels++)
		check_pair(*state, vec_value(v, i, "sk"),
		    vec_value(v, i, "pk"));
	for (size_t i = vec_find(v, 0, "case"); i < v->n;
	     i = vec_find(v, i + 1, "case"), cases++)
		check_shared(*state, vec_value(v, i, "sk"),
		    vec_value(v, i, "pk"), vec_value(v, i, "out33"));
	assert_int_equal(labels, 5);
	assert_int_equal(cases, 4);
	vec_free(v);
}

/* One DH of a transcript, from both sides: a and b name whose keys. */
static void
check_dh(struct keyctx *kc, const struct vectors *v, const char *dh,
    const char *a, const char *b)
{
	char name[4][32];

	snprintf(name[0], sizeof(name[0]), "%s.sk", a);
	snprintf(name[1], sizeof(name[1]), "%s.pk", a);
	snprintf(name[2], sizeof(name[2]), "%s.sk", b);
	snprintf(name[3], sizeof(name[3]), "%s.pk", b);
	check_pair(kc, vec_value(v, 0, name[0]), vec_value(v, 0, name[1]));
	check_pair(kc, vec_value(v, 0, name[2]), vec_value(v, 0, name[3]));
	check_shared(kc, vec_value(v, 0, name[0]), vec_value(v, 0, name[3]),
	    vec_value(v, 0, dh));
	check_shared(kc, vec_value(v, 0, name[2]), vec_value(v, 0, name[1]),
	    vec_value(v, 0, dh));
}

static void
test_pty_vectors(void **state)
{
	const char *const files[] = { "pty-noise-xk.txt", "pty-noise-kk.txt",
		"pty-noise-xk-pq.txt", "pty-noise-kk-pq.txt",
		"pty-noise-xk-pq-declined.txt" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct vectors *v = vec_load(files[i]);

		check_dh(*state, v, "dh.es", "init.eph", "resp.static");
		check_dh(*state, v, "dh.ee", "init.eph", "resp.eph");
		check_dh(*state, v, "dh.se", "init.static", "resp.eph");
		check_dh(*state, v, "dh.ss", "init.static", "resp.static");
		vec_free(v);
	}
}

/* --- secret keys --- */

static void
test_secret_range(void **state)
{
	const char *const good[] = { ONE, ORDER_1 };
	const char *const bad[] = { ZERO, ORDER, ORDER_2, ONES };
	uint8_t sk[KEY_SECRET_LEN], zero[KEY_SHARED_LEN] = { 0 };
	uint8_t shared[KEY_SHARED_LEN];
	struct key_public pk, g;

	assert_int_equal(key_parse_public(*state, "02" GX, &g), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(key_parse_secret(*state, good[i], sk), 0);
		assert_int_equal(key_public(*state, sk, &pk), 0);
		assert_int_equal(key_shared(*state, sk, &g, shared), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(key_parse_secret(*state, bad[i], sk),
		    SKY_ERR_KEY);
		assert_memory_equal(sk, zero, sizeof(sk));
		assert_int_equal(hex_decode(bad[i], sk, sizeof(sk)), 0);
		assert_int_equal(key_public(*state, sk, &pk), SKY_ERR_KEY);
		memset(shared, 0xaa, sizeof(shared));
		assert_int_equal(key_shared(*state, sk, &g, shared),
		    SKY_ERR_KEY);
		assert_memory_equal(shared, zero, sizeof(shared));
	}
}

static void
test_one_is_the_generator(void **state)
{
	check_pair(*state, ONE, "02" GX);
	check_pair(*state, ORDER_1, "03" GX);
}

static void
test_secret_text(void **state)
{
	const char upper[] =
	    "ABCDEF00000000000000000000000000000000000000000000000000000000FF";
	uint8_t sk[KEY_SECRET_LEN];

	assert_int_equal(key_parse_secret(*state, upper, sk), 0);
	assert_int_equal(sk[0], 0xab);
	assert_int_equal(sk[31], 0xff);
	assert_int_equal(key_parse_secret(*state, upper + 1, sk),
	    SKY_ERR_FORMAT);
	assert_int_equal(key_parse_secret(*state, ONE "0", sk), SKY_ERR_FORMAT);
	assert_int_equal(key_parse_secret(*state, ONE "00", sk),
	    SKY_ERR_FORMAT);
	assert_int_equal(key_parse_secret(*state, " " ONE, sk), SKY_ERR_FORMAT);
	assert_int_equal(key_parse_secret(*state, "", sk), SKY_ERR_FORMAT);
}

static void
test_generate(void **state)
{
	uint8_t a[KEY_SECRET_LEN] = { 0 }, b[KEY_SECRET_LEN] = { 0 };
	uint8_t ab[KEY_SHARED_LEN], ba[KEY_SHARED_LEN];
	struct key_public pa, pb;

	assert_int_equal(key_generate(*state, a), 0);
	assert_int_equal(key_generate(*state, b), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(key_public(*state, a, &pa), 0);
	assert_int_equal(key_public(*state, b, &pb), 0);
	assert_false(key_equal(&pa, &pb));
	assert_int_equal(key_shared(*state, a, &pb, ab), 0);
	assert_int_equal(key_shared(*state, b, &pa, ba), 0);
	assert_memory_equal(ab, ba, sizeof(ab));
	assert_int_equal(ab[KEY_SHARED_LEN - 1], 0);
}

/* --- public keys --- */

/* A point and its negative have one x; the hash must tell them apart. */
static void
test_parity_is_hashed(void **state)
{
	uint8_t sk[KEY_SECRET_LEN], even[KEY_SHARED_LEN], odd[KEY_SHARED_LEN];
	struct key_public pk;

	assert_int_equal(key_parse_secret(*state, FIVE, sk), 0);
	assert_int_equal(key_parse_public(*state, "02" GX, &pk), 0);
	assert_int_equal(key_shared(*state, sk, &pk, even), 0);
	assert_int_equal(key_parse_public(*state, "03" GX, &pk), 0);
	assert_int_equal(key_shared(*state, sk, &pk, odd), 0);
	assert_memory_not_equal(even, odd, sizeof(even));
}

static void
refuse_public(struct keyctx *kc, const char *text)
{
	uint8_t sk[KEY_SECRET_LEN] = { 1 }, shared[KEY_SHARED_LEN];
	const uint8_t zero[KEY_SHARED_LEN] = { 0 };
	struct key_public pk;

	assert_int_equal(key_parse_public(kc, text, &pk), SKY_ERR_KEY);
	assert_int_equal(hex_decode(text, pk.b, sizeof(pk.b)), 0);
	assert_false(key_valid(kc, &pk));
	memset(shared, 0xaa, sizeof(shared));
	assert_int_equal(key_shared(kc, sk, &pk, shared), SKY_ERR_KEY);
	assert_memory_equal(shared, zero, sizeof(shared));
}

static void
test_public_prefix(void **state)
{
	char text[KEY_PUBLIC_HEX];
	struct key_public pk;

	for (unsigned i = 0; i < 256; i++) {
		snprintf(text, sizeof(text), "%02x%s", i, GX);
		if (i == 2 || i == 3)
			assert_int_equal(key_parse_public(*state, text, &pk),
			    0);
		else
			refuse_public(*state, text);
	}
}

static void
test_public_off_curve(void **state)
{
	refuse_public(*state, "00" ZERO);
	refuse_public(*state, "02" ZERO);
	refuse_public(*state, "03" ZERO);
	refuse_public(*state, "02" FIVE);
	refuse_public(*state, "03" FIVE);
	refuse_public(*state, "02" PRIME);
	refuse_public(*state, "02" ONES);
}

static void
test_public_text(void **state)
{
	struct key_public pk, same;

	assert_int_equal(key_parse_public(*state, "02" GX, &pk), 0);
	assert_int_equal(key_parse_public(*state,
			     "0279BE667EF9DCBBAC55A06295CE870B07"
			     "029BFCDB2DCE28D959F2815B16F81798",
			     &same),
	    0);
	assert_true(key_equal(&pk, &same));
	assert_int_equal(key_parse_public(*state, GX, &pk), SKY_ERR_FORMAT);
	assert_int_equal(key_parse_public(*state, "2" GX, &pk), SKY_ERR_FORMAT);
	assert_int_equal(key_parse_public(*state, "02" GX "0", &pk),
	    SKY_ERR_FORMAT);
	assert_int_equal(key_parse_public(*state, "02" GX " ", &pk),
	    SKY_ERR_FORMAT);
	assert_int_equal(key_parse_public(*state, "0x02" GX, &pk),
	    SKY_ERR_FORMAT);
	assert_int_equal(key_parse_public(*state, "04" GX GY, &pk),
	    SKY_ERR_FORMAT);
	assert_int_equal(key_parse_public(*state, "", &pk), SKY_ERR_FORMAT);
}

static void
test_equal(void **state)
{
	struct key_public a = { { 0 } }, b = { { 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(a.b); i++) {
		b.b[i] = 0x80;
		assert_false(key_equal(&a, &b));
		b.b[i] = 0;
	}
	assert_true(key_equal(&a, &b));
	keyctx_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dmsg_vectors),
		cmocka_unit_test(test_pty_vectors),
		cmocka_unit_test(test_secret_range),
		cmocka_unit_test(test_one_is_the_generator),
		cmocka_unit_test(test_secret_text),
		cmocka_unit_test(test_generate),
		cmocka_unit_test(test_parity_is_hashed),
		cmocka_unit_test(test_public_prefix),
		cmocka_unit_test(test_public_off_curve),
		cmocka_unit_test(test_public_text),
		cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests_name("keys", tests, keyctx_start,
	    keyctx_stop);
}
