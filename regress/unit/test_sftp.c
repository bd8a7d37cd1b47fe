/* SPDX-License-Identifier: ISC */
/*
 * sftp: what is asked, and answers: whole, in pieces, cut off at every byte,
 * with lengths that lie, and such that nobody has asked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A program's parts, not in the library that tests are linked with. */
#include "client/sftp/sftp.c"
#include "client/sftp/sftp_put.c"

struct peer {
	struct buf in, out;
	struct sftp s;
	unsigned calls;
	uint32_t status, count;
	size_t data;
	struct sftp_attrs attrs;
	struct sftp_handle handle;
	int result; /* of the function that is called */
};

static int
on_answer(void *owner, struct sftp_reply *reply)
{
	struct peer *p = owner;

	p->calls++;
	p->status = reply->status;
	if (reply->status == SFTP_OK) {
		p->count = reply->count;
		p->handle = reply->handle;
	}
	return p->result;
}

static int
on_data(void *owner, struct sftp_reply *reply)
{
	struct peer *p = owner;

	p->data = reply->status == SFTP_OK ? buf_len(&reply->data) : 0;
	return on_answer(owner, reply);
}

static int
on_attrs(void *owner, struct sftp_reply *reply)
{
	struct peer *p = owner;

	if (reply->status == SFTP_OK)
		p->attrs = reply->attrs;
	return on_answer(owner, reply);
}

static void
put(struct peer *p, const void *bytes, size_t n)
{
	assert_int_equal(buf_put(&p->in, bytes, n), 0);
}

/* A packet: its length, type, id and content. */
static void
say(struct peer *p, uint8_t type, uint32_t id, const void *content, size_t n)
{
	assert_int_equal(buf_put_u32(&p->in, (uint32_t)(1 + 4 + n)), 0);
	assert_int_equal(buf_put_u8(&p->in, type), 0);
	assert_int_equal(buf_put_u32(&p->in, id), 0);
	put(p, content, n);
}

static void
fresh(struct peer *p)
{
	memset(p, 0, sizeof(*p));
	buf_init(&p->in, 1024 * 1024);
	buf_init(&p->out, 1024 * 1024);
	assert_int_equal(sftp_init(&p->s, &p->in, &p->out), 0);
}

/* Greeted, with nothing under way. */
static void
greet(struct peer *p)
{
	fresh(p);
	say(p, SFTP_VERSION_ANSWER, SFTP_VERSION, "", 0);
	assert_int_equal(sftp_take(&p->s), 0);
	assert_true(sftp_ready(&p->s));
	buf_reset(&p->out);
}

static void
end(struct peer *p)
{
	buf_free(&p->in);
	buf_free(&p->out);
}

/* The id of the request that was put last, which is taken away. */
static uint32_t
asked(struct peer *p, uint8_t want)
{
	uint32_t n, id;
	uint8_t type;

	assert_int_equal(buf_get_u32(&p->out, &n), 0);
	assert_int_equal(n, buf_len(&p->out));
	assert_int_equal(buf_get_u8(&p->out, &type), 0);
	assert_int_equal(type, want);
	assert_int_equal(buf_get_u32(&p->out, &id), 0);
	return id;
}

static uint32_t
ask_stat(struct peer *p)
{
	uint32_t id;

	assert_int_equal(sftp_stat(&p->s, "x", on_attrs, p), 0);
	id = asked(p, SFTP_STAT);
	buf_reset(&p->out);
	return id;
}

static uint32_t
ask_read(struct peer *p, uint32_t n)
{
	struct sftp_handle h = { .len = 1, .b = "h" };
	uint32_t id;

	assert_int_equal(sftp_read(&p->s, &h, 5, n, on_data, p), 0);
	id = asked(p, SFTP_READ);
	buf_reset(&p->out);
	return id;
}

/* --- the greeting --- */

static void
test_greeting(void **state)
{
	static const uint8_t want[] = { 0, 0, 0, 5, 1, 0, 0, 0, 3 };
	struct peer p;

	(void)state;
	fresh(&p);
	assert_int_equal(buf_len(&p.out), sizeof(want));
	assert_memory_equal(buf_ptr(&p.out), want, sizeof(want));
	assert_false(sftp_ready(&p.s));
	assert_false(sftp_room(&p.s));
	/* With extensions, and byte by byte. */
	for (size_t i = 0; i < 14; i++) {
		assert_int_equal(sftp_take(&p.s), 0);
		assert_false(sftp_ready(&p.s));
		put(&p, &"\0\0\0\x11\2\0\0\0\3\0\0\0\1xy\0\0\0\1z"[i], 1);
	}
	put(&p, "y\0\0\0\1z0", 7);
	assert_int_equal(sftp_take(&p.s), 0);
	assert_true(sftp_ready(&p.s));
	end(&p);
}

static void
test_other_greetings(void **state)
{
	struct peer p;

	(void)state;
	fresh(&p);
	say(&p, SFTP_VERSION_ANSWER, 2, "", 0);
	assert_int_equal(sftp_take(&p.s), SKY_ERR_RANGE);
	end(&p);
	fresh(&p);
	say(&p, SFTP_STATUS, 3, "", 0);
	assert_int_equal(sftp_take(&p.s), SKY_ERR_TYPE);
	end(&p);
	fresh(&p);
	put(&p, "\0\0\0\3\2\0\0", 7);
	assert_int_equal(sftp_take(&p.s), SKY_ERR_SHORT);
	end(&p);
}

/* --- requests --- */

static void
test_requests(void **state)
{
	static const uint8_t want[] = { 0, 0, 0, 22, 3, 0, 0, 0, 0, 0, 0, 0, 1,
		'x', 0, 0, 0, 26, 0, 0, 0, 4, 0, 0, 1, 0xa4 };
	const struct sftp_attrs a = { .has = SFTP_ATTR_MODE | SFTP_ATTR_SIZE,
		.mode = 0644 };
	struct sftp_handle h = { .len = 2, .b = "hh" };
	struct peer p;
	struct buf text;
	uint64_t at;

	(void)state;
	greet(&p);
	assert_int_equal(
	    sftp_open(&p.s, "x",
		SFTP_OPEN_WRITE | SFTP_OPEN_CREATE | SFTP_OPEN_TRUNCATE, &a,
		on_answer, &p),
	    0);
	/* A size is never set. */
	assert_int_equal(buf_len(&p.out), sizeof(want));
	assert_memory_equal(buf_ptr(&p.out), want, sizeof(want));
	buf_reset(&p.out);
	assert_int_equal(
	    sftp_write(&p.s, &h, UINT64_MAX - 1, "abc", 3, on_answer, &p), 0);
	assert_int_equal(asked(&p, SFTP_WRITE), 1);
	assert_int_equal(buf_get_string(&p.out, &text), 0);
	assert_int_equal(buf_len(&text), 2);
	assert_int_equal(buf_get_u64(&p.out, &at), 0);
	assert_true(at == UINT64_MAX - 1);
	assert_int_equal(buf_get_string(&p.out, &text), 0);
	assert_memory_equal(buf_ptr(&text), "abc", 3);
	assert_int_equal(sftp_busy(&p.s), 2);
	end(&p);
}

static void
test_no_more_requests(void **state)
{
	struct peer p;
	size_t before;

	(void)state;
	greet(&p);
	for (unsigned i = 0; i < SFTP_REQUESTS; i++)
		assert_int_equal(sftp_stat(&p.s, "x", on_answer, &p), 0);
	assert_false(sftp_room(&p.s));
	before = buf_len(&p.out);
	assert_int_equal(sftp_stat(&p.s, "x", on_answer, &p), SKY_ERR_LIMIT);
	assert_int_equal(buf_len(&p.out), before);
	end(&p);
}

/* A packet that does not fit is not begun. */
static void
test_no_room(void **state)
{
	struct peer p;

	(void)state;
	greet(&p);
	buf_free(&p.out);
	buf_init(&p.out, 20);
	assert_int_equal(
	    sftp_stat(&p.s, "a path that is too long", on_answer, &p),
	    SKY_ERR_LIMIT);
	assert_int_equal(buf_len(&p.out), 0);
	assert_int_equal(sftp_busy(&p.s), 0);
	assert_int_equal(sftp_stat(&p.s, "x", on_answer, &p), 0);
	end(&p);
}

static void
test_window(void **state)
{
	struct sftp_handle h = { .len = 1, .b = "h" };
	struct peer p;

	(void)state;
	greet(&p);
	for (uint64_t at = 0; at < SFTP_WINDOW; at += SFTP_CHUNK) {
		assert_true(sftp_data_room(&p.s, SFTP_CHUNK));
		assert_int_equal(
		    sftp_read(&p.s, &h, 100 + at, SFTP_CHUNK, on_data, &p), 0);
		buf_reset(&p.out);
	}
	assert_false(sftp_data_room(&p.s, 1));
	assert_true(sftp_room(&p.s));
	assert_true(sftp_lowest(&p.s, &p, UINT64_MAX) == 100);
	assert_true(sftp_lowest(&p.s, &p, 99) == 99);
	assert_true(sftp_lowest(&p.s, &h, 7) == 7);
	end(&p);
}

/* --- answers --- */

static void
test_status(void **state)
{
	struct peer p;

	(void)state;
	greet(&p);
	say(&p, SFTP_STATUS, ask_stat(&p), "\0\0\0\2\0\0\0\3abc\0\0\0\2en", 17);
	assert_int_equal(sftp_take(&p.s), 0);
	assert_int_equal(p.status, SFTP_NO_SUCH_FILE);
	/* Old servers send no texts. */
	say(&p, SFTP_STATUS, ask_stat(&p), "\0\0\0\3", 4);
	assert_int_equal(sftp_take(&p.s), 0);
	assert_int_equal(p.status, SFTP_PERMISSION_DENIED);
	assert_int_equal(p.calls, 2);
	assert_int_equal(sftp_busy(&p.s), 0);
	/* "Fine" is no answer to STAT. */
	say(&p, SFTP_STATUS, ask_stat(&p), "\0\0\0\0", 4);
	assert_int_equal(sftp_take(&p.s), SKY_ERR_TYPE);
	assert_int_equal(p.calls, 2);
	end(&p);
}

static const uint8_t some_attrs[] = { 0x80, 0, 0, 0x0f, /* has */
	0, 0, 0, 1, 0, 0, 0, 2,				/* size */
	0, 0, 0, 7, 0, 0, 0, 8,				/* uid, gid */
	0, 0, 0x81, 0xa4,				/* mode */
	0, 0, 0, 9, 0, 0, 0, 10,			/* times */
	0, 0, 0, 1, 0, 0, 0, 1, 'k', 0, 0, 0, 2, 'v', 'w' };

static void
test_attributes(void **state)
{
	struct peer p;

	(void)state;
	greet(&p);
	say(&p, SFTP_ATTRS, ask_stat(&p), some_attrs, sizeof(some_attrs));
	assert_int_equal(sftp_take(&p.s), 0);
	assert_true(p.attrs.size == 0x100000002);
	assert_int_equal(p.attrs.mode, 0100644);
	assert_int_equal(p.attrs.atime, 9);
	assert_int_equal(p.attrs.mtime, 10);
	end(&p);
	/* Cut off everywhere, and followed by something. */
	for (size_t n = 0; n < sizeof(some_attrs); n++) {
		greet(&p);
		say(&p, SFTP_ATTRS, ask_stat(&p), some_attrs, n);
		assert_int_equal(sftp_take(&p.s), SKY_ERR_SHORT);
		assert_int_equal(p.calls, 0);
		end(&p);
	}
	greet(&p);
	say(&p, SFTP_ATTRS, ask_stat(&p), "\0\0\0\0x", 5);
	assert_int_equal(sftp_take(&p.s), SKY_ERR_TRAILING);
	end(&p);
}

/* The other end may count to four thousand million. */
static void
test_extended_count(void **state)
{
	struct peer p;

	(void)state;
	greet(&p);
	say(&p, SFTP_ATTRS, ask_stat(&p), "\x80\0\0\0\xff\xff\xff\xff", 8);
	assert_int_equal(sftp_take(&p.s), SKY_ERR_SHORT);
	end(&p);
}

static void
test_data(void **state)
{
	struct peer p;

	(void)state;
	greet(&p);
	say(&p, SFTP_DATA, ask_read(&p, 4), "\0\0\0\4abcd", 8);
	assert_int_equal(sftp_take(&p.s), 0);
	assert_int_equal(p.data, 4);
	say(&p, SFTP_DATA, ask_read(&p, 4), "\0\0\0\1a", 5);
	assert_int_equal(sftp_take(&p.s), 0);
	assert_int_equal(p.data, 1);
	assert_true(sftp_lowest(&p.s, &p, 1000) == 1000);
	say(&p, SFTP_STATUS, ask_read(&p, 4), "\0\0\0\1", 4);
	assert_int_equal(sftp_take(&p.s), 0);
	assert_int_equal(p.status, SFTP_EOF);
	end(&p);
}

static void
test_bad_data(void **state)
{
	static const struct {
		const char *content;
		size_t n;
		int error;
	} bad[] = {
		{ "\0\0\0\5abcde", 9, SKY_ERR_RANGE }, /* more than asked */
		{ "\0\0\0\0", 4, SKY_ERR_RANGE },
		{ "\0\0\0\4abc", 7, SKY_ERR_SHORT },
		{ "\xff\xff\xff\xff", 4, SKY_ERR_SHORT },
		{ "\0\0\0\3abcd", 8, SKY_ERR_TRAILING },
		{ "\0\0\0", 3, SKY_ERR_SHORT },
	};
	struct peer p;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		greet(&p);
		say(&p, SFTP_DATA, ask_read(&p, 4), bad[i].content, bad[i].n);
		assert_int_equal(sftp_take(&p.s), bad[i].error);
		assert_int_equal(p.calls, 0);
		end(&p);
	}
}

static void
test_handle(void **state)
{
	uint8_t content[4 + SFTP_HANDLE_MAX + 1] = { 0, 0, 1, 0 };
	struct peer p;

	(void)state;
	greet(&p);
	assert_int_equal(sftp_opendir(&p.s, "d", on_answer, &p), 0);
	say(&p, SFTP_HANDLE, asked(&p, SFTP_OPENDIR), content, 4 + 256);
	assert_int_equal(sftp_take(&p.s), 0);
	assert_int_equal(p.handle.len, SFTP_HANDLE_MAX);
	end(&p);
	greet(&p);
	content[3] = 1;
	assert_int_equal(sftp_opendir(&p.s, "d", on_answer, &p), 0);
	say(&p, SFTP_HANDLE, asked(&p, SFTP_OPENDIR), content, 4 + 257);
	assert_int_equal(sftp_take(&p.s), SKY_ERR_LIMIT);
	end(&p);
}

static int
answer_names(struct peer *p, bool realpath, const void *content, size_t n)
{
	struct sftp_handle h = { .len = 0 };

	greet(p);
	if (realpath)
		sftp_realpath(&p->s, ".", on_answer, p);
	else
		sftp_readdir(&p->s, &h, on_answer, p);
	say(p, SFTP_NAME, asked(p, realpath ? SFTP_REALPATH : SFTP_READDIR),
	    content, n);
	return sftp_take(&p->s);
}

static void
test_names(void **state)
{
	static const char two[] = "\0\0\0\2\0\0\0\1a\0\0\0\1A\0\0\0\0"
				  "\0\0\0\0\0\0\0\0\0\0\0\4\0\0\1\xff";
	static const size_t n = sizeof(two) - 1;
	struct peer p;

	(void)state;
	assert_int_equal(answer_names(&p, false, two, n), 0);
	assert_int_equal(p.count, 2);
	end(&p);
	assert_int_equal(answer_names(&p, true, two, n), SKY_ERR_RANGE);
	end(&p);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(answer_names(&p, false, two, i),
		    SKY_ERR_SHORT);
		assert_int_equal(p.calls, 0);
		end(&p);
	}
	assert_int_equal(answer_names(&p, false, "\0\0\0\0", 4), SKY_ERR_RANGE);
	end(&p);
	assert_int_equal(answer_names(&p, false, "\xff\xff\xff\xff", 4),
	    SKY_ERR_SHORT);
	end(&p);
	assert_int_equal(answer_names(&p, false, two, n + 1), SKY_ERR_TRAILING);
	end(&p);
}

static void
test_next_name(void **state)
{
	static const uint8_t entry[] = { 0, 0, 0, 2, 'a', 0, 0, 0, 0, 0, 0, 0,
		0, 4, 0, 0, 1, 0xff };
	struct sftp_attrs a;
	struct buf b, name;

	(void)state;
	buf_view(&b, entry, sizeof(entry));
	assert_int_equal(sftp_next_name(&b, &name, &a), 0);
	assert_int_equal(buf_len(&name), 2);
	assert_int_equal(a.mode, 0777);
	assert_int_equal(buf_len(&b), 0);
}

/* --- what was not asked for --- */

static void
test_unasked(void **state)
{
	struct peer p;
	uint32_t id;

	(void)state;
	greet(&p);
	say(&p, SFTP_STATUS, 0, "\0\0\0\0", 4);
	assert_int_equal(sftp_take(&p.s), SKY_ERR_NOTFOUND);
	end(&p);
	/* The same place in the table, another time. */
	greet(&p);
	id = ask_stat(&p);
	say(&p, SFTP_STATUS, id + SFTP_REQUESTS, "\0\0\0\2", 4);
	assert_int_equal(sftp_take(&p.s), SKY_ERR_NOTFOUND);
	end(&p);
	/* Twice. */
	greet(&p);
	id = ask_stat(&p);
	say(&p, SFTP_STATUS, id, "\0\0\0\2", 4);
	say(&p, SFTP_STATUS, id, "\0\0\0\2", 4);
	assert_int_equal(sftp_take(&p.s), SKY_ERR_NOTFOUND);
	assert_int_equal(p.calls, 1);
	end(&p);
	/* Another kind of answer. */
	greet(&p);
	say(&p, SFTP_HANDLE, ask_stat(&p), "\0\0\0\1h", 5);
	assert_int_equal(sftp_take(&p.s), SKY_ERR_TYPE);
	end(&p);
	greet(&p);
	say(&p, SFTP_VERSION_ANSWER, ask_stat(&p), "", 0);
	assert_int_equal(sftp_take(&p.s), SKY_ERR_TYPE);
	end(&p);
}

static void
test_length(void **state)
{
	struct peer p;

	(void)state;
	greet(&p);
	put(&p, "\0\0\0\0", 4);
	assert_int_equal(sftp_take(&p.s), SKY_ERR_SHORT);
	end(&p);
	greet(&p);
	buf_put_u32(&p.in, SFTP_PACKET_MAX);
	assert_int_equal(sftp_take(&p.s), 0);
	end(&p);
	greet(&p);
	buf_put_u32(&p.in, SFTP_PACKET_MAX + 1);
	assert_int_equal(sftp_take(&p.s), SKY_ERR_LIMIT);
	end(&p);
}

/* Several in one go, one in several, and an owner that has had enough. */
static void
test_pieces(void **state)
{
	uint8_t bytes[64];
	struct peer p;
	uint32_t first, second;
	size_t n;

	(void)state;
	greet(&p);
	first = ask_stat(&p);
	second = ask_stat(&p);
	say(&p, SFTP_STATUS, second, "\0\0\0\2", 4);
	say(&p, SFTP_STATUS, first, "\0\0\0\2", 4);
	n = buf_len(&p.in);
	assert_int_equal(buf_get(&p.in, bytes, n), 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(p.calls, i / (n / 2));
		put(&p, bytes + i, 1);
		assert_int_equal(sftp_take(&p.s), 0);
	}
	assert_int_equal(p.calls, 2);
	p.result = 255;
	say(&p, SFTP_STATUS, ask_stat(&p), "\0\0\0\2", 4);
	assert_int_equal(sftp_take(&p.s), 255);
	end(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_greeting),
		cmocka_unit_test(test_other_greetings),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_no_more_requests),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_extended_count),
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_bad_data),
		cmocka_unit_test(test_handle),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_next_name),
		cmocka_unit_test(test_unasked),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
