/* SPDX-License-Identifier: ISC */
/* Rates: what a span holds and where it ends, what is owed and paid off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/rate.h"

static void
test_span(void **state)
{
	struct rate_span r = { 0 };

	(void)state;
	for (unsigned i = 1; i <= 100; i++)
		assert_int_equal(rate_count(&r, i % 10, 10), i);
	assert_int_equal(rate_count(&r, 10, 10), 1);
	assert_int_equal(rate_count(&r, 19, 10), 2);
	assert_int_equal(rate_count(&r, 20, 10), 1);
	/* Those in which nothing was are over, too. */
	assert_int_equal(rate_count(&r, 1000, 10), 1);
	assert_int_equal(rate_count(&r, INT64_MAX, 1), 1);
	assert_int_equal(rate_count(&r, INT64_MAX, 1), 2);
}

/* The first of all may be in any span. */
static void
test_first_span(void **state)
{
	(void)state;
	for (int64_t now = 0; now < 100; now += 7) {
		struct rate_span r = { 0 };

		assert_int_equal(rate_count(&r, now, 10), 1);
	}
}

static void
test_debt(void **state)
{
	int64_t debt = 0;

	(void)state;
	assert_int_equal(rate_owed(debt, 0), 0);
	assert_int_equal(rate_owed(debt, 500), 0);
	rate_owe(&debt, 500, 30);
	assert_int_equal(rate_owed(debt, 500), 30);
	assert_int_equal(rate_owed(debt, 529), 1);
	assert_int_equal(rate_owed(debt, 530), 0);
	assert_int_equal(rate_owed(debt, 531), 0);
	/* What is there is added to. */
	rate_owe(&debt, 510, 30);
	assert_int_equal(rate_owed(debt, 510), 50);
	/* What was paid off long ago is no credit. */
	rate_owe(&debt, 100000, 30);
	assert_int_equal(rate_owed(debt, 100000), 30);
}

/* So many at once, then one a while, for ever. */
static void
test_bucket(void **state)
{
	const int64_t each = 10, credit = 4 * each; /* five */
	int64_t debt = 0, now;
	unsigned n = 0;

	(void)state;
	for (now = 1000; now < 2000; now++) {
		for (int i = 0; i < 3; i++) {
			if (rate_owed(debt, now) > credit)
				continue;
			rate_owe(&debt, now, each);
			n++;
		}
	}
	assert_in_range(n, 5 + 1000 / each - 1, 5 + 1000 / each);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_span),
		cmocka_unit_test(test_first_span),
		cmocka_unit_test(test_debt),
		cmocka_unit_test(test_bucket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
