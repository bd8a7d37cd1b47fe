/* SPDX-License-Identifier: ISC */
/* buf: views, wiping, no memory, descriptors. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regress/unit/watched_buf.h"

/* --- views --- */

/* Nothing writes to a view, empty or not, nor allocates for it. */
static void
check_read_only(struct buf *b)
{
	size_t n = buf_len(b);
	uint8_t *p;

	assert_int_equal(buf_room(b), 0);
	assert_int_equal(buf_put(b, "x", 1), SKY_ERR_RDONLY);
	assert_int_equal(buf_put(b, "", 0), SKY_ERR_RDONLY);
	assert_int_equal(buf_put_u8(b, 1), SKY_ERR_RDONLY);
	assert_int_equal(buf_put_u16(b, 1), SKY_ERR_RDONLY);
	assert_int_equal(buf_put_u32(b, 1), SKY_ERR_RDONLY);
	assert_int_equal(buf_put_u64(b, 1), SKY_ERR_RDONLY);
	assert_int_equal(buf_put_string(b, "x", 1), SKY_ERR_RDONLY);
	assert_int_equal(buf_put_cstring(b, "x"), SKY_ERR_RDONLY);
	assert_int_equal(buf_extend(b, 1, &p), SKY_ERR_RDONLY);
	assert_int_equal(buf_poke(b, 0, "x", 1), SKY_ERR_RDONLY);
	assert_int_equal(buf_len(b), n);
	assert_int_equal(heap.live, 0);
}

static void
test_views_are_read_only(void **state)
{
	struct buf b = { 0 };

	(void)state;
	check_read_only(&b);
	buf_view(&b, bytes, sizeof(bytes));
	check_read_only(&b);
	assert_int_equal(buf_skip(&b, 1), 0);
	check_read_only(&b);
	assert_int_equal(buf_skip(&b, sizeof(bytes) - 1), 0);
	check_read_only(&b);
	buf_view(&b, bytes, 0);
	check_read_only(&b);
	buf_view(&b, NULL, 0);
	check_read_only(&b);
	assert_int_equal(bytes[0], 1);
}

static void
test_freeing_a_view(void **state)
{
	uint8_t mine[4] = { 1, 2, 3, 4 };
	struct buf b;

	(void)state;
	buf_view(&b, mine, sizeof(mine));
	buf_reset(&b);
	assert_int_equal(buf_len(&b), 0);
	buf_view(&b, mine, sizeof(mine));
	assert_int_equal(buf_trim(&b, 1), 0);
	assert_int_equal(buf_len(&b), 3);
	buf_free(&b);
	assert_int_equal(buf_len(&b), 0);
	assert_memory_equal(mine, "\1\2\3\4", 4);
	assert_int_equal(heap.frees, 0);
}

/* --- wiping --- */

/* stop() looks at every block that was freed on the way. */
static void
test_wiped_when_freed(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100000);
	put_pattern(&b, 70000);
	assert_int_equal(buf_skip(&b, 10), 0);
	buf_free(&b);
	assert_true(heap.frees > 5);
	assert_int_equal(heap.unwiped, 0);
}

static void
test_wiped_when_outgrown(void **state)
{
	struct buf b;
	uint8_t *p;

	(void)state;
	/* What was read or trimmed is as secret as what is still there. */
	for (int trim = 0; trim < 2; trim++) {
		buf_init(&b, 100000);
		put_pattern(&b, 200);
		if (trim)
			assert_int_equal(buf_trim(&b, 200), 0);
		else
			assert_int_equal(buf_skip(&b, 200), 0);
		assert_int_equal(buf_extend(&b, 5000, &p), 0);
		memset(p, 1, 5000);
		assert_int_equal(heap.frees, (size_t)trim * 2 + 1);
		assert_int_equal(heap.unwiped, 0);
		buf_free(&b);
	}
}

static void
test_wiped_when_reset(void **state)
{
	struct buf b;
	uint8_t *p;

	(void)state;
	for (int how = 0; how < 3; how++) {
		buf_init(&b, 1000);
		put_pattern(&b, 200);
		if (how == 1)
			assert_int_equal(buf_skip(&b, 200), 0);
		if (how == 2)
			assert_int_equal(buf_trim(&b, 150), 0);
		buf_reset(&b);
		assert_int_equal(buf_len(&b), 0);
		assert_int_equal(buf_room(&b), 1000);
		assert_int_equal(buf_extend(&b, 200, &p), 0);
		for (size_t i = 0; i < 200; i++)
			assert_int_equal(p[i], 0);
		assert_int_equal(heap.frees, how);
		buf_free(&b);
	}
}

/* --- no memory --- */

static void
test_no_memory(void **state)
{
	struct buf b;
	uint8_t *p;
	char *s;

	(void)state;
	buf_init(&b, 100000);
	heap.deny = true;
	assert_int_equal(buf_put(&b, "x", 1), SKY_ERR_NOMEM);
	assert_int_equal(buf_put_string(&b, "x", 1), SKY_ERR_NOMEM);
	assert_int_equal(buf_len(&b), 0);
	heap.deny = false;
	put_pattern(&b, 200);
	heap.deny = true;
	assert_int_equal(buf_extend(&b, 5000, &p), SKY_ERR_NOMEM);
	check_pattern(&b, 0, 200);
	heap.deny = false;
	buf_reset(&b);
	assert_int_equal(buf_put_cstring(&b, "hello"), 0);
	heap.deny = true;
	assert_int_equal(buf_get_cstring(&b, &s, 10), SKY_ERR_NOMEM);
	heap.deny = false;
	buf_free(&b);
}

/* The head of a string is taken back when there is no memory for its bytes. */
static void
test_no_memory_within_string(void **state)
{
	uint8_t big[1000] = { 0 };
	struct buf b;

	(void)state;
	buf_init(&b, 100000);
	put_pattern(&b, 200);
	heap.deny = true;
	assert_int_equal(buf_put_string(&b, big, sizeof(big)), SKY_ERR_NOMEM);
	check_pattern(&b, 0, 200);
	heap.deny = false;
	buf_free(&b);
}

/* --- descriptors --- */

static void
make_pipe(int fd[2])
{
	assert_int_equal(pipe2(fd, O_CLOEXEC | O_NONBLOCK), 0);
}

static void
test_read(void **state)
{
	struct buf b;
	int fd[2];

	(void)state;
	make_pipe(fd);
	buf_init(&b, 8);
	assert_int_equal(buf_read(&b, fd[0], 4), SKY_ERR_AGAIN);
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(write(fd[1], "0123456789", 10), 10);
	assert_int_equal(buf_read(&b, fd[0], 3), 3);
	assert_int_equal(buf_read(&b, fd[0], 100), 5);
	assert_memory_equal(buf_ptr(&b), "01234567", 8);
	assert_int_equal(buf_read(&b, fd[0], 100), SKY_ERR_LIMIT);
	assert_int_equal(buf_skip(&b, 6), 0);
	assert_int_equal(buf_read(&b, fd[0], 0), SKY_ERR_LIMIT);
	assert_int_equal(buf_read(&b, fd[0], 100), 2);
	assert_int_equal(buf_len(&b), 4);
	assert_memory_equal(buf_ptr(&b), "6789", 4);
	close(fd[1]);
	assert_int_equal(buf_read(&b, fd[0], 100), SKY_ERR_EOF);
	close(fd[0]);
	assert_int_equal(buf_read(&b, -1, 100), SKY_ERR_SYS);
	assert_int_equal(errno, EBADF);
	assert_int_equal(buf_len(&b), 4);
	buf_free(&b);
}

static void
test_write(void **state)
{
	char got[8];
	struct buf b;
	int fd[2];

	(void)state;
	make_pipe(fd);
	buf_init(&b, 1024U * 1024);
	assert_int_equal(buf_write(&b, fd[1]), 0);
	assert_int_equal(buf_write(&b, -1), 0);
	assert_int_equal(buf_put(&b, "xhello", 6), 0);
	assert_int_equal(buf_skip(&b, 1), 0);
	assert_int_equal(buf_write(&b, fd[1]), 5);
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(read(fd[0], got, sizeof(got)), 5);
	assert_memory_equal(got, "hello", 5);
	assert_int_equal(buf_put(&b, "again", 5), 0);
	assert_int_equal(buf_write(&b, -1), SKY_ERR_SYS);
	assert_int_equal(buf_len(&b), 5);
	close(fd[0]);
	close(fd[1]);
	buf_free(&b);
}

/* A full pipe takes a part, then nothing; the rest stays in order. */
static void
test_write_partly(void **state)
{
	uint8_t got[4096];
	struct buf b;
	ssize_t n;
	int fd[2];

	(void)state;
	make_pipe(fd);
	buf_init(&b, 1024U * 1024);
	put_pattern(&b, 300000);
	n = buf_write(&b, fd[1]);
	assert_true(n > 0 && n < 300000);
	check_pattern(&b, (size_t)n, 300000 - (size_t)n);
	assert_int_equal(buf_write(&b, fd[1]), SKY_ERR_AGAIN);
	assert_int_equal(buf_len(&b), 300000 - n);
	assert_int_equal(read(fd[0], got, sizeof(got)), sizeof(got));
	assert_int_equal(buf_write(&b, fd[1]), sizeof(got));
	close(fd[0]);
	close(fd[1]);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_views_are_read_only),
		TEST(test_freeing_a_view),
		TEST(test_wiped_when_freed),
		TEST(test_wiped_when_outgrown),
		TEST(test_wiped_when_reset),
		TEST(test_no_memory),
		TEST(test_no_memory_within_string),
		TEST(test_read),
		TEST(test_write),
		TEST(test_write_partly),
	};

	return cmocka_run_group_tests_name("buf_memory", tests, NULL, NULL);
}
