/* SPDX-License-Identifier: ISC */
/* gob: what of a peer's types fits ours, and what is skipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regress/unit/gob_world.h"

/* --- what fits what --- */

/* Values of the built-in types, by id, with the zero before them. */
static const char *const builtin[] = { NULL, "02 00 01", "04 00 01", "06 00 01",
	"08 00 01", "0a 00 0161", "0c 00 0161", "0e 00 01 01" };

/* Which id goes into which of our kinds. */
static const size_t fitting[] = { [GOB_BOOL] = 1,
	[GOB_INT] = 2,
	[GOB_UINT] = 3,
	[GOB_BYTES] = 5,
	[GOB_STRING] = 6,
	[GOB_STRINGS] = 0,
	[GOB_OPAQUES] = 0 };

static void
test_kinds_do_not_mix(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < COUNT(singles); kind++)
		for (size_t id = 1; id < COUNT(builtin); id++)
			assert_int_equal(
			    verdict(NULL, NULL, builtin[id], &singles[kind]),
			    fitting[kind] == id ? 0 : SKY_ERR_TYPE);
	assert_int_equal(verdict(NULL, NULL, "10 00 00", &singles[GOB_BYTES]),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(NULL, NULL, builtin[2], &inner_type),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(NULL, NULL, builtin[2], &empty_type),
	    SKY_ERR_TYPE);
}

static void
test_lists(void **state)
{
	const struct gob_type *texts = &singles[GOB_STRINGS];
	const struct gob_type *keys = &singles[GOB_OPAQUES];
	static const char value[] = "ff80 00 02 0161 00";
	static const char binary[] = "ff81 06 01 02 ff82 00 00 00";
	static const char text[] = "ff81 07 01 02 ff82 00 00 00";

	(void)state;
	assert_int_equal(verdict(DEF64_SLICE("0c"), NULL, value, texts), 0);
	assert_int_equal(verdict(DEF64_SLICE("0a"), NULL, value, texts),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(DEF64_SLICE("ff82"), binary, value, texts),
	    SKY_ERR_TYPE);
	assert_int_equal(
	    verdict("7f 01" COMMON64 "01 0c 01 04 00 00", NULL, value, texts),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(DEF64_SLICE("ff82"), binary, value, keys), 0);
	assert_int_equal(verdict(DEF64_SLICE("ff82"), text, value, keys),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(DEF64_SLICE("ff82"), NULL, value, keys),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(DEF64_SLICE("0c"), NULL, value, keys),
	    SKY_ERR_TYPE);
}

static void
test_list_counts(void **state)
{
	static const char *const bad[] = { "ff80 00 03 0161 00",
		"ff80 00 01 0161 00", "ff80 00 02 0161 01",
		"ff80 00 f8ffffffffffffffff 0161",
		"ff80 00 f88000000000000000 0161", "ff80 00 01",
		"ff80 00 02 fcffffffff 00" };
	const struct gob_type *t = &singles[GOB_STRINGS];

	(void)state;
	assert_int_equal(verdict(DEF64_SLICE("0c"), NULL, "ff80 00 00", t), 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(verdict(DEF64_SLICE("0c"), NULL, bad[i], t),
		    SKY_ERR_FORMAT);
}

static void
test_fields_by_name(void **state)
{
	struct stream s = stream_new();
	struct inner out;

	(void)state;
	/* struct { Extra string; Cols uint; Rows uint } */
	add(&s,
	    DEF64_STRUCT("01 03 01 054578747261 01 0c 00"
			 "01 04436f6c73 01 06 00 01 04526f7773 01 06 00"));
	add(&s, "ff80 01 027a7a 01 50 01 18 00");
	assert_int_equal(next(&s, &inner_type, &out), 0);
	assert_int_equal(out.rows, 24);
	assert_int_equal(out.cols, 80);
	add(&s, "ff80 02 50 00");
	assert_int_equal(next(&s, &inner_type, &out), 0);
	assert_int_equal(out.rows, 0);
	assert_int_equal(out.cols, 80);
	add(&s, "ff80 00");
	assert_int_equal(next(&s, &inner_type, &out), 0);
	assert_int_equal(out.rows + out.cols, 0);
	stream_free(&s);
}

static void
test_field_numbers(void **state)
{
	static const char *const bad[] = { "ff80 03 18 00",
		"ff80 01 18 02 18 00", "ff80 01 18 01 50 01 18 00",
		"ff80 01 18", "ff80 01", "ff80", "ff80 01 18 00 00",
		"ff80 f8ffffffffffffffff 18 00", "ff80 01 80 00" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(
		    verdict(DEF64_INNER, NULL, bad[i], &inner_type),
		    SKY_ERR_FORMAT);
}

/* As Go: nothing in common is a mistake unless one side has no fields. */
static void
test_no_common_field(void **state)
{
	static const char nope[] = DEF64_STRUCT("01 01 01 044e6f7065 01 06 00");

	(void)state;
	assert_int_equal(verdict(nope, NULL, "ff80 01 05 00", &inner_type),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(nope, NULL, "ff80 00", &inner_type),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(nope, NULL, "ff80 01 05 00", &empty_type), 0);
	assert_int_equal(
	    verdict(DEF64_STRUCT(""), NULL, "ff80 00", &inner_type), 0);
	assert_int_equal(
	    verdict(DEF64_STRUCT(""), NULL, "ff80 00", &empty_type), 0);
	assert_int_equal(
	    verdict(DEF64_SLICE("0c"), NULL, "ff80 00 00", &empty_type),
	    SKY_ERR_TYPE);
}

/* The type of a field matters even when the value does not set it. */
static void
test_field_type(void **state)
{
	static const char def[] =
	    DEF64_STRUCT("01 02 01 04526f7773 01 04 00 01 04436f6c73 01 06 00");

	(void)state;
	assert_int_equal(verdict(def, NULL, "ff80 01 30 00", &inner_type),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(def, NULL, "ff80 02 50 00", &inner_type),
	    SKY_ERR_TYPE);
}

static void
test_range(void **state)
{
	struct stream s = stream_new();
	struct inner out;

	(void)state;
	add(&s, DEF64_INNER);
	add(&s, "ff80 01 feffff 01 fd010000 00");
	add(&s, "ff80 01 fd010000 00");
	add(&s, "ff80 01 f8ffffffffffffffff 00");
	add(&s, "ff80 01 18 00");
	assert_int_equal(next(&s, &inner_type, &out), 0);
	assert_int_equal(out.rows, 65535);
	assert_int_equal(out.cols, 65536);
	assert_int_equal(next(&s, &inner_type, &out), SKY_ERR_RANGE);
	assert_int_equal(next(&s, &inner_type, &out), SKY_ERR_RANGE);
	assert_int_equal(next(&s, &inner_type, &out), 0);
	assert_int_equal(out.rows, 24);
	stream_free(&s);
}

static void
test_nested_struct(void **state)
{
	/* struct { Size #65 } and what #65 may be. */
	static const char def[] =
	    DEF64_STRUCT("01 01 01 0453697a65 01 ff82 00");
	static const char size[] =
	    "ff81 03 01 02 ff82 00 01 01 01 04436f6c73 01 06 00 00 00";
	static const char nope[] =
	    "ff81 03 01 02 ff82 00 01 01 01 044e6f7065 01 06 00 00 00";
	static const char slice[] = "ff81 02 01 02 ff82 00 01 06 00 00";
	static const char wrong[] =
	    "ff81 03 01 02 ff82 00 01 01 01 04436f6c73 01 04 00 00 00";
	struct stream s = stream_new();
	struct outer out;

	(void)state;
	add(&s, def);
	add(&s, size);
	add(&s, "ff80 01 01 50 00 00");
	add(&s, "ff80 01 00 00");
	add(&s, "ff80 00");
	assert_int_equal(next(&s, &outer_type, &out), 0);
	assert_true(out.has_size);
	assert_int_equal(out.size.cols, 80);
	assert_int_equal(next(&s, &outer_type, &out), 0);
	assert_true(out.has_size);
	assert_int_equal(out.size.cols, 0);
	assert_int_equal(next(&s, &outer_type, &out), 0);
	assert_false(out.has_size);
	stream_free(&s);
	assert_int_equal(verdict(def, nope, "ff80 01 01 50 00 00", &outer_type),
	    0);
	assert_int_equal(verdict(def, slice, "ff80 01 01 50 00", &outer_type),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(def, wrong, "ff80 01 00 00", &outer_type),
	    SKY_ERR_TYPE);
	assert_int_equal(verdict(def, NULL, "ff80 00", &outer_type),
	    SKY_ERR_TYPE);
}

/* --- skipping --- */

struct skipped {
	const char *type;  /* id, as hex */
	const char *def;   /* of id 65, or NULL */
	const char *value; /* as hex */
	int want;
};

#define COMMON65 "01 02ff82 00"

static const struct skipped skipped[] = {
	{ "02", NULL, "01", 0 },		/* bool */
	{ "04", NULL, "fe0100", 0 },		/* int */
	{ "06", NULL, "ffc8", 0 },		/* uint */
	{ "08", NULL, "fef03f", 0 },		/* float */
	{ "0a", NULL, "0161", 0 },		/* []byte */
	{ "0c", NULL, "00", 0 },		/* string */
	{ "0e", NULL, "fef03f 40", 0 },		/* complex */
	{ "10", NULL, "00", SKY_ERR_FORMAT },	/* interface, nil */
	{ "08", NULL, "80", SKY_ERR_FORMAT },	/* no float */
	{ "0c", NULL, "2061", SKY_ERR_FORMAT }, /* too short */
	{ "ff82", NULL, "00", SKY_ERR_TYPE },	/* never defined */
	{ "00", NULL, "00", SKY_ERR_TYPE },
	{ "01", NULL, "00", SKY_ERR_TYPE }, /* id below zero */
	{ "2e", NULL, "00", SKY_ERR_TYPE }, /* wireType's mapType */
	/* [2]int */
	{ "ff82", "ff81 01" COMMON65 "01 04 01 04 00 00", "02 02 04", 0 },
	{ "ff82", "ff81 01" COMMON65 "01 04 01 04 00 00", "01 02",
	    SKY_ERR_FORMAT },
	/* [-1]int, and a count to go with it */
	{ "ff82", "ff81 01" COMMON65 "01 04 01 01 00 00", "f8ffffffffffffffff",
	    SKY_ERR_FORMAT },
	/* []float64 */
	{ "ff82", "ff81 02" COMMON65 "01 08 00 00", "02 00 fef03f", 0 },
	{ "ff82", "ff81 02" COMMON65 "01 08 00 00", "00", 0 },
	{ "ff82", "ff81 02" COMMON65 "01 08 00 00", "20 00 00",
	    SKY_ERR_FORMAT },
	{ "ff82", "ff81 02" COMMON65 "01 08 00 00", "f8ffffffffffffffff 00",
	    SKY_ERR_FORMAT },
	/* [] of something undefined, with and without an element */
	{ "ff82", "ff81 02" COMMON65 "01 ff84 00 00", "00", 0 },
	{ "ff82", "ff81 02" COMMON65 "01 ff84 00 00", "01 00", SKY_ERR_TYPE },
	/* map[string]bool */
	{ "ff82", "ff81 04" COMMON65 "01 0c 01 02 00 00", "02 0161 01 0162 00",
	    0 },
	{ "ff82", "ff81 04" COMMON65 "01 0c 01 02 00 00", "7f 0161 01",
	    SKY_ERR_FORMAT },
	{ "ff82", "ff81 04" COMMON65 "01 0c 01 02 00 00",
	    "f88000000000000000 0161 01", SKY_ERR_FORMAT },
	/* struct { A int } */
	{ "ff82", "ff81 03" COMMON65 "01 01 01 0141 01 04 00 00 00", "01 06 00",
	    0 },
	{ "ff82", "ff81 03" COMMON65 "01 01 01 0141 01 04 00 00 00", "00", 0 },
	{ "ff82", "ff81 03" COMMON65 "01 01 01 0141 01 04 00 00 00", "02 06 00",
	    SKY_ERR_FORMAT },
	{ "ff82", "ff81 03" COMMON65 "01 01 01 0141 01 04 00 00 00",
	    "01 06 01 06 00", SKY_ERR_FORMAT },
	/* GobEncoder, BinaryMarshaler, TextMarshaler */
	{ "ff82", "ff81 05" COMMON65 "00 00", "03 616263", 0 },
	{ "ff82", "ff81 06" COMMON65 "00 00", "03 616263", 0 },
	{ "ff82", "ff81 07" COMMON65 "00 00", "03 616263", 0 },
	{ "ff82", "ff81 07" COMMON65 "00 00", "20 616263", SKY_ERR_FORMAT },
};

/* struct { X of some type; Name string } with Name "sh". */
static void
add_skipped(struct stream *s, const struct skipped *k)
{
	char hex[512];

	snprintf(hex, sizeof(hex), DEF64_SKIP("%s"), k->type);
	add(s, hex);
	if (k->def != NULL)
		add(s, k->def);
	snprintf(hex, sizeof(hex), VALUE64_SKIP("%s"), k->value);
	add(s, hex);
}

static void
test_skip(void **state)
{
	struct outer out;
	struct stream s;

	(void)state;
	for (size_t i = 0; i < COUNT(skipped); i++) {
		s = stream_new();
		add_skipped(&s, &skipped[i]);
		assert_int_equal(next(&s, &outer_type, &out), skipped[i].want);
		if (skipped[i].want == 0)
			assert_view(&out.name, "sh");
		stream_free(&s);
	}
}

/* X of a recursive type, n values deep, the outer struct not counted. */
static int
nested_verdict(const char *def, size_t n, bool closed)
{
	char hex[2048] = "";
	const struct skipped k = { "ff82", def, hex, 0 };
	struct stream s = stream_new();
	struct outer out;
	int r;

	for (size_t i = 1; i < n; i++)
		strcat(hex, "01");
	for (size_t i = closed ? 0 : n - 1; i < n; i++)
		strcat(hex, "00");
	add_skipped(&s, &k);
	r = next(&s, &outer_type, &out);
	stream_free(&s);
	return r;
}

static void
test_recursive(void **state)
{
	/* type T []T; type T struct { A *T }; type T map[...]T */
	static const char slice[] = "ff81 02" COMMON65 "01 ff82 00 00";
	static const char self[] =
	    "ff81 03" COMMON65 "01 01 01 0141 01 ff82 00 00 00";

	(void)state;
	assert_int_equal(nested_verdict(slice, 3, false), 0);
	assert_int_equal(nested_verdict(slice, GOB_NESTING_MAX - 1, false), 0);
	assert_int_equal(nested_verdict(slice, GOB_NESTING_MAX, false),
	    SKY_ERR_LIMIT);
	assert_int_equal(nested_verdict(slice, 500, false), SKY_ERR_LIMIT);
	assert_int_equal(nested_verdict(self, GOB_NESTING_MAX - 1, true), 0);
	assert_int_equal(nested_verdict(self, GOB_NESTING_MAX, true),
	    SKY_ERR_LIMIT);
}

/* A struct whose field "Size" is that struct again. */
static void
test_recursive_known(void **state)
{
	static const char def[] =
	    DEF64_STRUCT("01 01 01 0453697a65 01 ff80 00");
	static const char list[] = DEF64_SLICE("ff80");

	(void)state;
	assert_int_equal(
	    verdict(def, NULL, "ff80 01 01 01 00 00 00 00", &outer_type), 0);
	assert_int_equal(
	    verdict(list, NULL, "ff80 00 01 00", &singles[GOB_STRINGS]),
	    SKY_ERR_TYPE);
	assert_int_equal(
	    verdict(list, NULL, "ff80 00 01 00", &singles[GOB_OPAQUES]),
	    SKY_ERR_TYPE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds_do_not_mix),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_list_counts),
		cmocka_unit_test(test_fields_by_name),
		cmocka_unit_test(test_field_numbers),
		cmocka_unit_test(test_no_common_field),
		cmocka_unit_test(test_field_type),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_nested_struct),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_recursive),
		cmocka_unit_test(test_recursive_known),
	};

	return cmocka_run_group_tests_name("gob_types", tests, NULL, NULL);
}
