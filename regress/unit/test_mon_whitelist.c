/* SPDX-License-Identifier: ISC */
/*
 * whitelist: who is let in, and what the service on the control socket changes
 * and says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "regress/unit/conf_util.h"
#include "monitor/whitelist.h"
#include "regress/unit/mon_world.h"

#define ROOM 262144

static struct key_public key[3];
static struct buf req;
static char conf[256];

/* The file has the first two keys; the flags give the peer's. */
static void
begin(void)
{
	mw_begin(PRIV_CONTROL);
	snprintf(conf, sizeof(conf), "%s", put_file("skypty.json", conf_full));
	mon.half.start.conf = conf;
	buf_init(&req, ROOM);
	assert_int_equal(key_parse_public(mw.keys, PK1, &key[0]), 0);
	assert_int_equal(key_parse_public(mw.keys, PK2, &key[1]), 0);
	assert_int_equal(key_parse_public(mw.keys, PK3, &key[2]), 0);
}

static void
end(void)
{
	buf_free(&req);
	keyctx_free(mon.half.keyctx);
	mon.half.keyctx = NULL;
	mw_end();
}

static int
ask(const struct key_public *pk)
{
	char why[RIGHTS_WHY_MAX];
	struct rights r;
	int e = whitelist_check(&mon, pk, &r, why, sizeof(why));

	assert_int_equal(*why == '\0', e == 0);
	assert_int_equal(r.full, e == 0);
	rights_free(&r);
	return e;
}

static void
put_keys(const struct key_public *list, uint32_t n)
{
	buf_reset(&req);
	assert_int_equal(buf_put_u32(&req, n), 0);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(buf_put(&req, list[i].b, KEY_PUBLIC_LEN), 0);
}

static struct buf *
change(unsigned type, const struct key_public *list, uint32_t n)
{
	put_keys(list, n);
	return mw_answered(type, buf_ptr(&req), buf_len(&req));
}

static void
expect_list(const struct key_public *const *want, uint32_t n)
{
	struct buf *b = mw_answered(PM_WL_LIST, NULL, 0);
	struct key_public pk;
	uint32_t count;

	mw_text(b, "");
	assert_int_equal(buf_get_u32(b, &count), 0);
	assert_int_equal(count, n);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(buf_get(b, pk.b, sizeof(pk.b)), 0);
		assert_true(key_equal(&pk, want[i]));
	}
	assert_int_equal(buf_len(b), 0);
}

static void
test_check(void **state)
{
	(void)state;
	begin();
	assert_int_equal(ask(&key[0]), 0);
	assert_int_equal(ask(&key[1]), 0);
	assert_int_equal(ask(&key[2]), SKY_ERR_DENIED);
	assert_int_equal(ask(&mw.peer_pk), 0);
	assert_int_equal(ask(&mw.own_pk), 0);
	/* Read anew each time. */
	put_file("skypty.json", "{\"wl\": [\"" PK3 "\"]}");
	assert_int_equal(ask(&key[0]), SKY_ERR_DENIED);
	assert_int_equal(ask(&key[2]), 0);
	mon.half.start.nwl = 0;
	assert_int_equal(ask(&mw.peer_pk), SKY_ERR_DENIED);
	/* Without a file the flags' alone; the null key is nobody's. */
	mon.half.start.conf = mw.none;
	assert_int_equal(ask(&key[2]), SKY_ERR_DENIED);
	assert_int_equal(ask(&(struct key_public){ 0 }), SKY_ERR_DENIED);
	assert_int_equal(ask(&mw.own_pk), 0);
	end();
}

/* What is broken or not to be trusted lets nobody in, the host's own key too.
 */
static void
test_check_bad_file(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "{\"wl\": 5}",
		"{\"wl\": [\"" PK_BAD "\"]}",
		"{\"wl\": [\"" PK1 "\", \"x\"]}" };

	(void)state;
	begin();
	for (size_t i = 0; i < COUNT(texts); i++) {
		put_file("skypty.json", texts[i]);
		assert_int_not_equal(ask(&key[0]), 0);
		assert_int_not_equal(ask(&mw.peer_pk), 0);
		assert_int_not_equal(ask(&mw.own_pk), 0);
		mw_text(mw_answered(PM_WL_LIST, NULL, 0),
		    "the whitelist cannot be read");
	}
	put_file("skypty.json", conf_full);
	assert_int_equal(chmod(conf, 0666), 0);
	assert_int_not_equal(ask(&key[0]), 0);
	assert_int_equal(chmod(conf, 0600), 0);
	assert_int_equal(ask(&key[0]), 0);
	end();
}

static void
test_list(void **state)
{
	(void)state;
	begin();
	expect_list(
	    (const struct key_public *[]){ &key[0], &key[1], &mw.peer_pk }, 3);
	/* One that stands in both lists, or twice in one, is one. */
	mw.list[1] = key[1];
	mw.list[2] = mw.peer_pk;
	mon.half.start.nwl = 3;
	expect_list(
	    (const struct key_public *[]){ &key[0], &key[1], &mw.peer_pk }, 3);
	end();
}

static void
test_add(void **state)
{
	struct key_public two[2];

	(void)state;
	begin();
	mw_text(change(PM_WL_ADD, &key[2], 1), "");
	assert_int_equal(ask(&key[2]), 0);
	mw_text(change(PM_WL_ADD, key, 3),
	    "skipping append for " PK1 "," PK2 "," PK3 ". Already exists");
	two[0] = two[1] = mw.peer_pk;
	mw_text_part(change(PM_WL_ADD, two, 2), "Already exists");
	expect_list((const struct key_public *[]){ &key[0], &key[1], &key[2],
			&mw.peer_pk },
	    4);
	end();
}

/* A revocation that leaves the key where it gets in all the same is told. */
static void
test_remove(void **state)
{
	char *text;

	(void)state;
	begin();
	mw_text(change(PM_WL_REMOVE, &key[0], 1), "");
	assert_int_equal(ask(&key[0]), SKY_ERR_DENIED);
	assert_int_equal(ask(&key[1]), 0);
	mw_text_part(change(PM_WL_REMOVE, &mw.peer_pk, 1), "still gets in");
	mw_text_part(change(PM_WL_REMOVE, &mw.own_pk, 1), "the host's own key");
	mon.half.start.authorized =
	    (char *)(uintptr_t)put_file("pks", "# " PK2 "\nrestrict " PK1 "\n");
	mw_text_part(change(PM_WL_REMOVE, &key[0], 1),
	    "still gets in: it has a line of its own, pks:2");
	mw_text(change(PM_WL_REMOVE, &key[1], 1), "");
	expect_list((const struct key_public *[]){ &mw.peer_pk }, 1);
	/* All of that in the file, where nothing else has changed. */
	mw_text(change(PM_WL_ADD, key, 2), "");
	text = read_text(conf);
	assert_non_null(strstr(text, "  \"sk\": \"" SECRET "\","));
	assert_non_null(strstr(text, "  \"maxstartups\": \"1:2:3\"\n}"));
	assert_non_null(strstr(text, PK1));
	assert_null(strstr(text, PK3));
	free(text);
	end();
}

/* The text of many keys is cut at a whole one, and says how many more. */
static void
test_many(void **state)
{
	struct key_public *many = calloc(PRIV_WL_MAX, sizeof(*many));
	uint8_t sk[KEY_SECRET_LEN] = { 0 };

	(void)state;
	begin();
	for (unsigned i = 0; i < 200; i++) {
		sk[30] = (uint8_t)(i + 1);
		assert_int_equal(key_public(mw.keys, sk, &many[i]), 0);
	}
	mw_text(change(PM_WL_ADD, many, 200), "");
	mw_text_part(change(PM_WL_ADD, many, 200), " more)");
	mw_text(change(PM_WL_REMOVE, many, 200), "");
	expect_list(
	    (const struct key_public *[]){ &key[0], &key[1], &mw.peer_pk }, 3);
	free(many);
	end();
}

static void
test_bad_requests(void **state)
{
	static const unsigned types[] = { PM_WL_ADD, PM_WL_REMOVE };
	struct key_public bad = { .b = { [0] = 2, [32] = 5 } };
	size_t n;

	(void)state;
	begin();
	for (size_t t = 0; t < COUNT(types); t++) {
		put_keys(key, 3);
		n = buf_len(&req);
		for (size_t i = 0; i < n; i++)
			mw_refused(types[t], buf_ptr(&req), i);
		assert_int_equal(buf_put_u8(&req, 0), 0);
		mw_refused(types[t], buf_ptr(&req), buf_len(&req));
		/* More than there are, less, and 2^32 in bytes. */
		put_keys(key, 2);
		assert_int_equal(buf_poke(&req, 0, "\0\0\0\3", 4), 0);
		mw_refused(types[t], buf_ptr(&req), buf_len(&req));
		assert_int_equal(buf_poke(&req, 0, "\0\0\0\1", 4), 0);
		mw_refused(types[t], buf_ptr(&req), buf_len(&req));
		assert_int_equal(buf_poke(&req, 0, "\x07\xc1\xf0\x82", 4), 0);
		mw_refused(types[t], buf_ptr(&req), buf_len(&req));
		mw_text(change(types[t], &bad, 1), "not a public key");
	}
	expect_list(
	    (const struct key_public *[]){ &key[0], &key[1], &mw.peer_pk }, 3);
	/* Without a file there is nothing to change. */
	mon.half.start.conf = mw.none;
	mw_text_part(change(PM_WL_ADD, key, 1), "no configuration file");
	/* And without the grant nothing at all. */
	mon.half.grants &= ~(uint32_t)PRIV_GRANT_WHITELIST;
	mw_refused(PM_WL_LIST, NULL, 0);
	mw_refused(PM_WL_ADD, buf_ptr(&req), buf_len(&req));
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_check_bad_file),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_bad_requests),
	};

	return cmocka_run_group_tests_name("mon_whitelist", tests, set_up,
	    tear_down);
}
