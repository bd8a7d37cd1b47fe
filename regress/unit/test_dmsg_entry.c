/* SPDX-License-Identifier: ISC */
/* dmsg_entry: what is signed and posted, what is read, known answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "common/base/err.h"
#include "common/dmsg/dmsg_entry.h"
#include "gobvec.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define VECTORS	 "dmsg-entry.txt"
#define ROOM	 16384
#define PK_A \
	"024769014d733735239f757ac2f250b07fae105bc2f7cd20ba3f73fa07ceb61695"
#define PK_B \
	"03b21a3482b34a5c59bf26def3c77b10d464b4f722347b05752a8e4fd46529f8dd"
#define PK_S \
	"0324eb6d9d3a3cb632ad2293832618e1ee919ef9cc4365d399d42a2ac93c8e278c"
#define STATIC_A "\"static\":\"" PK_A "\""

static struct key_public
key(const char *hex)
{
	struct key_public pk;

	assert_int_equal(hex_decode(hex, pk.b, sizeof(pk.b)), 0);
	return pk;
}

static void
assert_key(const struct key_public *pk, const char *hex)
{
	struct key_public want = key(hex);

	assert_memory_equal(pk->b, want.b, sizeof(want.b));
}

/* Exactly as long as it is said to be, for the sanitizer. */
static int
get_n(const char *json, size_t n, struct dmsg_entry *e)
{
	struct blob copy = blob_new(json, n);
	struct buf b;
	int r;

	buf_view(&b, copy.p, n);
	r = dmsg_get_entry(&b, e);
	assert_int_equal(buf_len(&b), n);
	free(copy.p);
	return r;
}

static int
get(const char *json, struct dmsg_entry *e)
{
	return get_n(json, strlen(json), e);
}

/* --- known answers --- */

/* What the vectors' client entries hold; none has a client_type. */
static const struct {
	const char *name;
	uint64_t sequence;
	int64_t timestamp;
	const char *delegated[2];
} cases[] = {
	{ "client-one-server", 0, 1700000000123456789, { PK_S } },
	{ "client-no-server-empty-array", 0, 1700000000123456789, { NULL } },
};

static size_t
find_case(const struct vectors *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->line[i].name, "case") == 0 &&
		    strcmp(v->line[i].value, name) == 0)
			return i;
	fail_msg("no case %s", name);
	return 0;
}

static void
make(struct dmsg_entry *e, size_t i)
{
	memset(e, 0, sizeof(*e));
	e->pk = key(PK_A);
	e->sequence = cases[i].sequence;
	e->timestamp = cases[i].timestamp;
	for (size_t j = 0; j < 2 && cases[i].delegated[j] != NULL; j++)
		e->delegated[e->ndelegated++] = key(cases[i].delegated[j]);
}

static void
assert_written(const struct dmsg_entry *e, const uint8_t *sig, const char *want)
{
	struct buf b;

	buf_init(&b, ROOM);
	assert_int_equal(dmsg_put_entry(&b, e, sig), 0);
	assert_int_equal(buf_len(&b), strlen(want));
	assert_memory_equal(buf_ptr(&b), want, strlen(want));
	buf_free(&b);
}

static void
test_written(void **state)
{
	struct vectors *v = vec_load(VECTORS);
	uint8_t sig[KEY_SIGNATURE_LEN];
	struct dmsg_entry e;
	size_t at;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		at = find_case(v, cases[i].name);
		make(&e, i);
		vec_bytes(v, at, "signature", sig, sizeof(sig));
		assert_written(&e, NULL, vec_value(v, at, "signed_bytes"));
		assert_written(&e, sig, vec_value(v, at, "posted_json"));
	}
	vec_free(v);
}

/* The signature is of what we write: digest and key as the vectors have it. */
static void
test_signature(void **state)
{
	struct vectors *v = vec_load(VECTORS);
	uint8_t sig[KEY_SIGNATURE_LEN], digest[32], want[32];
	struct keyctx *ctx = keyctx_new();
	struct dmsg_entry e;
	struct buf b;
	size_t at;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		at = find_case(v, cases[i].name);
		make(&e, i);
		buf_init(&b, ROOM);
		assert_int_equal(dmsg_put_entry(&b, &e, NULL), 0);
		crypto_hash_sha256(digest, buf_ptr(&b), buf_len(&b));
		vec_bytes(v, at, "sha256", want, sizeof(want));
		assert_memory_equal(digest, want, sizeof(want));
		vec_bytes(v, at, "signature", sig, sizeof(sig));
		assert_int_equal(
		    key_verify(ctx, &e.pk, buf_ptr(&b), buf_len(&b), sig), 0);
		buf_free(&b);
	}
	keyctx_free(ctx);
	vec_free(v);
}

/* Of two servers there is only a vector with a client_type. */
static void
test_two_servers(void **state)
{
	static const char type[] = ",\"client_type\":\"visor\"";
	struct vectors *v = vec_load(VECTORS);
	const char *text = vec_value(v,
	    find_case(v, "client-two-servers-type-seq7"), "signed_bytes");
	const char *at = strstr(text, type);
	struct dmsg_entry e;
	char want[1024];

	(void)state;
	assert_non_null(at);
	snprintf(want, sizeof(want), "%.*s%s", (int)(at - text), text,
	    at + strlen(type));
	assert_int_equal(get(text, &e), 0);
	assert_int_equal(e.sequence, 7);
	assert_int_equal(e.timestamp, 1700000060123456789);
	assert_int_equal(e.ndelegated, 2);
	assert_key(&e.delegated[0], PK_S);
	assert_key(&e.delegated[1], PK_B);
	assert_written(&e, NULL, want);
	vec_free(v);
}

static void
test_clients_read(void **state)
{
	static const char *const names[] = { "client-one-server",
		"client-no-server-empty-array", "client-no-server-null",
		"unknown-field-protocol-against-2024" };
	struct vectors *v = vec_load(VECTORS);
	struct dmsg_entry e;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_int_equal(
		    get(vec_value(v, find_case(v, names[i]), "signed_bytes"),
			&e),
		    0);
		assert_key(&e.pk, PK_A);
		assert_int_equal(e.sequence, 0);
		assert_int_equal(e.timestamp, 1700000000123456789);
		assert_true(e.is_client);
		assert_false(e.is_server);
		assert_string_equal(e.address, "");
		assert_int_equal(e.ndelegated, i == 0 || i == 3);
		if (e.ndelegated == 1)
			assert_key(&e.delegated[0], PK_S);
	}
	vec_free(v);
}

static void
test_servers_read(void **state)
{
	static const char *const names[] = { "server", "server-with-type" };
	struct vectors *v = vec_load(VECTORS);
	struct dmsg_entry e;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_int_equal(
		    get(vec_value(v, find_case(v, names[i]), "posted_json"),
			&e),
		    0);
		assert_key(&e.pk, PK_S);
		assert_int_equal(e.sequence, 3 + i);
		assert_false(e.is_client);
		assert_true(e.is_server);
		assert_string_equal(e.address, "127.0.0.1:18080");
		assert_int_equal(e.ndelegated, 0);
	}
	vec_free(v);
}

/* --- writing --- */

static void
test_extremes_written(void **state)
{
	struct dmsg_entry e = { .sequence = UINT64_MAX,
		.timestamp = INT64_MIN };

	(void)state;
	e.pk = key(PK_B);
	/* What only a reader sets is not written. */
	e.is_server = true;
	snprintf(e.address, sizeof(e.address), "192.0.2.1:1");
	assert_written(&e, NULL,
	    "{\"version\":\"0.0.1\",\"sequence\":18446744073709551615,"
	    "\"timestamp\":-9223372036854775808,\"static\":\"" PK_B
	    "\",\"client\":{\"delegated_servers\":[]}}");
}

/* All that fit are written and read back; a buffer too small is told. */
static void
test_full(void **state)
{
	struct dmsg_entry e = { .sequence = UINT64_MAX,
		.timestamp = INT64_MAX };
	uint8_t sig[KEY_SIGNATURE_LEN] = { 0xff };
	struct dmsg_entry back;
	struct buf b, small;

	(void)state;
	e.pk = key(PK_A);
	for (; e.ndelegated < DMSG_DELEGATED_MAX; e.ndelegated++) {
		e.delegated[e.ndelegated] = key(PK_S);
		e.delegated[e.ndelegated].b[32] = (uint8_t)e.ndelegated;
	}
	buf_init(&b, ROOM);
	assert_int_equal(dmsg_put_entry(&b, &e, sig), 0);
	assert_in_range(buf_len(&b), 64 * 69, 5120);
	assert_int_equal(dmsg_get_entry(&b, &back), 0);
	assert_int_equal(back.sequence, UINT64_MAX);
	assert_int_equal(back.timestamp, INT64_MAX);
	assert_int_equal(back.ndelegated, DMSG_DELEGATED_MAX);
	assert_memory_equal(back.delegated, e.delegated, sizeof(e.delegated));
	for (size_t n = 1; n < buf_len(&b); n += 7) {
		buf_init(&small, n);
		assert_int_equal(dmsg_put_entry(&small, &e, sig),
		    SKY_ERR_LIMIT);
		buf_free(&small);
	}
	buf_free(&b);
}

/* --- reading --- */

/* Further servers than are kept do no harm. */
static void
test_many_delegated(void **state)
{
	struct dmsg_entry e;
	struct buf b;

	(void)state;
	buf_init(&b, 64 * ROOM);
	assert_int_equal(buf_put(&b, "{" STATIC_A ",", strlen(STATIC_A) + 2),
	    0);
	assert_int_equal(buf_put(&b, "\"client\":{\"delegated_servers\":[", 31),
	    0);
	for (size_t i = 0; i < 3 * DMSG_DELEGATED_MAX; i++) {
		assert_int_equal(buf_put(&b, i == 0 ? "" : ",", i != 0), 0);
		assert_int_equal(buf_put(&b, "\"" PK_S "\"", 68), 0);
	}
	assert_int_equal(buf_put(&b, "]}}", 3), 0);
	assert_int_equal(dmsg_get_entry(&b, &e), 0);
	assert_int_equal(e.ndelegated, DMSG_DELEGATED_MAX);
	assert_key(&e.delegated[DMSG_DELEGATED_MAX - 1], PK_S);
	buf_free(&b);
}

/* Unknown members, whatever they are and wherever. */
static void
test_unknown_members(void **state)
{
	static const char *const values[] = { "null", "true", "-1.5e9", "\"\"",
		"[]", "{}", "[[1,{\"static\":\"" PK_B "\"}]]",
		"{\"static\":\"" PK_B "\",\"delegated_servers\":[\"" PK_B
		"\"],\"address\":\"x:1\",\"server\":{\"address\":\"x:1\"}}" };
	struct dmsg_entry e;
	char text[2048];

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		snprintf(text, sizeof(text),
		    " { \"x\":%s,\"server\":{\"y\":%s,\"address\":"
		    "\"192.0.2.1:1\",\"z\":%s},\"client\":{\"a\":%s,"
		    "\"delegated_servers\":[%s,\"" PK_S "\"],\"b\":%s},"
		    "\"sequence\":5," STATIC_A ",\"w\":%s}\n",
		    values[i], values[i], values[i], values[i], values[i],
		    values[i], values[i]);
		assert_int_equal(get(text, &e), 0);
		assert_key(&e.pk, PK_A);
		assert_int_equal(e.sequence, 5);
		assert_true(e.is_client && e.is_server);
		assert_string_equal(e.address, "192.0.2.1:1");
		assert_int_equal(e.ndelegated, 1);
		assert_key(&e.delegated[0], PK_S);
	}
}

/* Known members of another type say nothing. */
static void
test_wrong_types(void **state)
{
	static const char *const texts[] = {
		"{" STATIC_A ",\"client\":null,\"server\":null}",
		"{" STATIC_A ",\"client\":[],\"server\":\"192.0.2.1:1\"}",
		"{" STATIC_A ",\"client\":[\"" PK_S "\"],\"server\":7}",
		"{" STATIC_A ",\"delegated_servers\":[\"" PK_S
		"\"],\"address\":\"192.0.2.1:1\"}",
	};
	static const char *const inner[] = { "null", "1", "{}", "[[]]",
		"[\"\"]", "[\"" PK_S "00\"]", "\"" PK_S "\"", "[null,{},1]",
		"[[\"" PK_S "\"]]", "{\"x\":\"" PK_S "\"}" };
	struct dmsg_entry e;
	char text[1024];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_int_equal(get(texts[i], &e), 0);
		assert_false(e.is_client || e.is_server);
		assert_int_equal(e.ndelegated, 0);
		assert_string_equal(e.address, "");
	}
	for (size_t i = 0; i < COUNT(inner); i++) {
		snprintf(text, sizeof(text),
		    "{" STATIC_A ",\"client\":{\"delegated_servers\":%s},"
		    "\"server\":{\"address\":[%s]}}",
		    inner[i], inner[i]);
		assert_int_equal(get(text, &e), 0);
		assert_true(e.is_client && e.is_server);
		assert_int_equal(e.ndelegated, 0);
		assert_string_equal(e.address, "");
	}
}

static void
test_keys(void **state)
{
	static const char *const bad[] = { "{}", "{\"static\":null}",
		"{\"static\":7}", "{\"static\":[\"" PK_A "\"]}",
		"{\"static\":\"\"}", "{\"static\":\"" PK_A "0\"}",
		"{\"static\":\"" PK_A "00\"}", "{\"static\":\" " PK_A "\"}",
		"{\"x\":{" STATIC_A "}}", "[{" STATIC_A "}]", "[" STATIC_A "]",
		"\"" PK_A "\"", "null", "7", "", " ", "{" STATIC_A "}x",
		"{" STATIC_A "," STATIC_A "}" };
	static const char *const first[] = { "00", "01", "04", "82", "g2" };
	struct dmsg_entry e;
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (get(bad[i], &e) >= 0)
			fail_msg("taken: %s", bad[i]);
	for (size_t i = 0; i < COUNT(first); i++) {
		snprintf(text, sizeof(text), "{\"static\":\"%s%s\"}", first[i],
		    PK_A + 2);
		assert_int_equal(get(text, &e), SKY_ERR_FORMAT);
	}
	assert_int_equal(get("{" STATIC_A "}", &e), 0);
	assert_key(&e.pk, PK_A);
}

/* Nothing that was cut off is an entry. */
static void
test_truncated(void **state)
{
	static const char *const names[] = { "client-one-server", "server",
		"client-two-servers-type-seq7" };
	struct vectors *v = vec_load(VECTORS);
	struct dmsg_entry e;
	const char *text;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		text = vec_value(v, find_case(v, names[i]), "posted_json");
		for (size_t n = 0; n < strlen(text); n++)
			assert_int_equal(get_n(text, n, &e), SKY_ERR_FORMAT);
		assert_int_equal(get(text, &e), 0);
	}
	vec_free(v);
}

/* --- lists of servers --- */

struct list {
	size_t n, stop_at;
	struct dmsg_entry last;
};

static int
take(void *arg, const struct dmsg_entry *e)
{
	struct list *l = arg;

	l->last = *e;
	return ++l->n == l->stop_at ? SKY_ERR_DENIED : 0;
}

static int
list(const char *json, size_t n, struct list *l)
{
	struct blob copy = blob_new(json, n);
	struct buf b;
	int r;

	*l = (struct list){ .stop_at = l->stop_at };
	buf_view(&b, copy.p, n);
	r = dmsg_get_servers(&b, take, l);
	free(copy.p);
	return r;
}

#define SERVER(pk, port)                                                   \
	"{\"static\":\"" pk "\",\"server\":{\"address\":\"192.0.2.1:" port \
	"\"}}"

static void
test_list(void **state)
{
	static const char three[] = "[" SERVER(PK_A, "1") "," SERVER(PK_B,
	    "2") "," SERVER(PK_S, "3") "]";
	struct list l = { 0 };

	(void)state;
	assert_int_equal(list(three, strlen(three), &l), 0);
	assert_int_equal(l.n, 3);
	assert_key(&l.last.pk, PK_S);
	assert_string_equal(l.last.address, "192.0.2.1:3");
	assert_int_equal(list("[]", 2, &l), 0);
	assert_int_equal(l.n, 0);
	/* Cut off it is never said to be whole. */
	for (size_t n = 0; n < strlen(three); n++)
		assert_int_equal(list(three, n, &l), SKY_ERR_FORMAT);
	/* Who takes may have had enough. */
	l.stop_at = 2;
	assert_int_equal(list(three, strlen(three), &l), SKY_ERR_DENIED);
	assert_int_equal(l.n, 2);
	assert_key(&l.last.pk, PK_B);
}

/* What is no usable server is passed over, and leaves nothing behind. */
static void
test_list_skips(void **state)
{
	static const char *const useless[] = { "{}", "null", "7", "\"x\"",
		"{\"static\":\"" PK_B "\"}",
		"{\"static\":\"" PK_B "\",\"server\":null}",
		"{\"static\":\"" PK_B "\",\"server\":{}}",
		"{\"static\":\"" PK_B "\",\"server\":{\"address\":\"\"}}",
		"{\"static\":\"" PK_B "\",\"client\":{\"address\":\"x:1\"}}",
		"{\"static\":\"zz\",\"server\":{\"address\":\"192.0.2.1:1\"}}",
		"{\"server\":{\"address\":\"192.0.2.1:1\"}}" };
	struct list l = { 0 };
	char text[1024];

	(void)state;
	for (size_t i = 0; i < COUNT(useless); i++) {
		snprintf(text, sizeof(text), "[%s,%s,%s]", useless[i],
		    SERVER(PK_A, "1"), useless[i]);
		assert_int_equal(list(text, strlen(text), &l), 0);
		assert_int_equal(l.n, 1);
		assert_key(&l.last.pk, PK_A);
	}
}

/* --- refusals --- */

static void
test_refusals(void **state)
{
	static const struct {
		const char *json;
		enum dmsg_error error;
	} t[] = {
		{ "{\"message\":\"entry of public key is not found\","
		  "\"code\":404}",
		    DMSG_ERROR_NOT_FOUND },
		{ "{\"code\":422,\"message\":\"entry validation error: "
		  "sequence field of new entry is not sequence of old entry "
		  "+ 1\"}",
		    DMSG_ERROR_SEQUENCE },
		{ "{\"message\":\"no delegated dmsg servers available for "
		  "remote\",\"code\":404}",
		    DMSG_ERROR_OTHER },
		{ "{\"message\":\"invalid signature\",\"code\":401}",
		    DMSG_ERROR_OTHER },
		{ "rate limit exceeded", DMSG_ERROR_OTHER },
		{ "", DMSG_ERROR_OTHER },
		{ "\"entry of public key is not found\"", DMSG_ERROR_OTHER },
		{ "[\"entry of public key is not found\"]", DMSG_ERROR_OTHER },
		{ "{\"x\":{\"message\":\"entry of public key is not found\"}}",
		    DMSG_ERROR_OTHER },
		{ "{\"message\":[\"entry of public key is not found\"]}",
		    DMSG_ERROR_OTHER },
		{ "{\"message\":null}", DMSG_ERROR_OTHER },
	};
	char message[64];
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		buf_view(&b, t[i].json, strlen(t[i].json));
		assert_int_equal(dmsg_get_error(&b, NULL, 0), t[i].error);
		memset(message, 'x', sizeof(message));
		assert_int_equal(dmsg_get_error(&b, message, sizeof(message)),
		    t[i].error);
		assert_non_null(memchr(message, '\0', sizeof(message)));
	}
}

static void
test_refusal_text(void **state)
{
	static const char json[] = "{\"message\":\"invalid signature\"}";
	char message[32];
	struct buf b;

	(void)state;
	buf_view(&b, json, strlen(json));
	(void)dmsg_get_error(&b, message, sizeof(message));
	assert_string_equal(message, "invalid signature");
	(void)dmsg_get_error(&b, message, 8);
	assert_string_equal(message, "invalid");
	(void)dmsg_get_error(&b, message, 1);
	assert_string_equal(message, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_signature),
		cmocka_unit_test(test_two_servers),
		cmocka_unit_test(test_clients_read),
		cmocka_unit_test(test_servers_read),
		cmocka_unit_test(test_extremes_written),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_many_delegated),
		cmocka_unit_test(test_unknown_members),
		cmocka_unit_test(test_wrong_types),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_list_skips),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_refusal_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
