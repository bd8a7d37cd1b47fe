/* SPDX-License-Identifier: ISC */
/* gob: values of Go's own, whole and broken, and what we encode. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regress/unit/gob_world.h"

/* --- Go's own bytes --- */

/*
 * encoding/gob of Go 1.26: a CommandReq of bool, int8, uint64, float32,
 * complex128, []byte, string, [3]int16, [2]string, map[string]int,
 * map[int][]map[string]struct, struct, *struct, recursive struct, time.Time,
 * netip.Addr, *big.Int, [][]uint, []int and, of ours, Name and Arg.
 */
static const char go_kinds[] =
    "ffdd7f0301010a436f6d6d616e6452657101ff800001150104426f6f6c010200"
    "0103496e74010400010455696e740106000105466c6f6174010800010443706c"
    "78010e0001054279746573010a000103537472010c00010341727201ff820001"
    "0641727253747201ff840001034d617001ff860001044465657001ff90000102"
    "496e01ff8800010350747201ff880001044e6f646501ff920001045768656e01"
    "ff960001044164647201ff9800010342696701ff9a0001044772696401ff9e00"
    "0105456d70747901ffa00001044e616d65010c00010341726701ff8a00000018"
    "ff81010101085b335d696e74313601ff820001040106000019ff83010101095b"
    "325d737472696e6701ff8400010c010400001eff850401010e6d61705b737472"
    "696e675d696e7401ff8600010c0104000030ff8f0401011f6d61705b696e745d"
    "5b5d6d61705b737472696e675d6d61696e2e496e6e657201ff9000010401ff8e"
    "00000dff8d020102ff8e0001ff8c00000fff8b040102ff8c00010c01ff880000"
    "1fff87030102ff8800010301014201020001014601080001015301ff8a000000"
    "16ff89020101085b5d737472696e6701ff8a00010c00002eff91030101044e6f"
    "646501ff92000103010356616c01040001044e65787401ff920001044b696473"
    "01ff940000001aff930201010b5b5d6d61696e2e4e6f646501ff940001ff9200"
    "0010ff950501010454696d6501ff9600000010ff97060101044164647201ff98"
    "0000000aff99050102ffa200000017ff9d020101085b5d5b5d75696e7401ff9e"
    "0001ff9c00000cff9b020102ff9c000106000013ff9f020101055b5d696e7401"
    "ffa00001040000ff99ff800101010901f8800000000000000001fe044001fef0"
    "3fffc00102627901037374720103020005010200017a0101016b0e0101010201"
    "0171010101fef83f0102016100000001010101fef83f01020161000001000101"
    "020101040001020106000000010f010000000edce5e80000000005ffff0104c0"
    "000201010603174876e7ff01030201020001fe012c020273680102022d630269"
    "6400";

/* struct { R Rec; Name string } with type Rec []Rec. */
static const char go_recursive[] =
    "27ffa503010109526563486f6c64657201ffa600010201015201ffa80001044e"
    "616d65010c00000012ffa70201010352656301ffa80001ffa800000cffa60102"
    "0001000102736800";

/* struct { Any any; Name string }: with a struct, and with nil. */
static const char go_interface[] =
    "26ffa30301010757697468416e7901ffa40001020103416e7901100001044e61"
    "6d65010c0000002dffa4010a6d61696e2e496e6e6572ff87030102ff88000103"
    "01014201020001014601080001015301ff8a00000016ff89020101085b5d7374"
    "72696e6701ff8a00010c000014ff880c010101fef83f01020161000001027368"
    "00";
static const char go_nil_interface[] =
    "26ffa30301010757697468416e7901ffa40001020103416e7901100001044e61"
    "6d65010c00000007ffa40202736800";

static void
assert_go_kinds(struct stream *s)
{
	struct outer out;

	assert_int_equal(next(s, &outer_type, &out), 0);
	assert_view(&out.name, "sh");
	assert_int_equal(out.arg.count, 2);
	assert_item(&out.arg, "-c");
	assert_item(&out.arg, "id");
	assert_list_end(&out.arg);
	assert_int_equal(buf_len(&s->in), 0);
}

static void
test_go_values(void **state)
{
	struct stream s = stream_new();
	struct outer out;

	(void)state;
	add_raw(&s, go_kinds);
	assert_go_kinds(&s);
	stream_free(&s);
	s = stream_new();
	add_raw(&s, go_recursive);
	assert_int_equal(next(&s, &outer_type, &out), 0);
	assert_view(&out.name, "sh");
	stream_free(&s);
	assert_int_equal(verdict_raw(go_interface, &outer_type),
	    SKY_ERR_FORMAT);
	assert_int_equal(verdict_raw(go_nil_interface, &outer_type), 0);
}

static void
test_go_in_pieces(void **state)
{
	struct blob b = blob_hex(go_kinds);
	struct outer out;
	struct stream s;

	(void)state;
	for (size_t piece = 1; piece < b.n; piece++) {
		s = stream_new();
		for (size_t at = 0; at + piece < b.n; at += piece) {
			assert_int_equal(buf_put(&s.in, b.p + at, piece), 0);
			if (at + piece < b.n)
				assert_int_equal(next(&s, &outer_type, &out),
				    SKY_ERR_AGAIN);
		}
		assert_int_equal(buf_put(&s.in, b.p + (b.n - 1) / piece * piece,
				     b.n - (b.n - 1) / piece * piece),
		    0);
		assert_go_kinds(&s);
		stream_free(&s);
	}
	free(b.p);
}

/* Cut anywhere: incomplete, and nothing is read behind the end. */
static void
test_go_truncated(void **state)
{
	struct blob b = blob_hex(go_kinds), cut;
	struct outer out;
	struct stream s;

	(void)state;
	for (size_t n = 0; n < b.n; n++) {
		s = (struct stream){ .dec = gob_dec_new(4096) };
		cut = blob_new(b.p, n);
		buf_view(&s.in, cut.p, cut.n);
		assert_int_equal(next(&s, &outer_type, &out), SKY_ERR_AGAIN);
		gob_dec_free(s.dec);
		free(cut.p);
	}
	free(b.p);
}

/* Whatever it says, it says it without harm, and never that all is well. */
static void
decode_damaged(const struct blob *b)
{
	struct stream s = { .dec = gob_dec_new(4096) };
	struct outer out;
	int r;

	buf_view(&s.in, b->p, b->n);
	do {
		r = next(&s, &outer_type, &out);
		assert_true(r == 0 || r == SKY_ERR_AGAIN ||
		    r == SKY_ERR_FORMAT || r == SKY_ERR_LIMIT ||
		    r == SKY_ERR_TYPE || r == SKY_ERR_RANGE);
	} while (r == 0 || r == SKY_ERR_TYPE || r == SKY_ERR_RANGE);
	gob_dec_free(s.dec);
}

static void
test_go_flipped(void **state)
{
	struct blob b = blob_hex(go_kinds);

	(void)state;
	for (size_t i = 0; i < b.n; i++)
		for (unsigned v = 1; v < 256; v++) {
			b.p[i] ^= (uint8_t)v;
			decode_damaged(&b);
			b.p[i] ^= (uint8_t)v;
		}
	free(b.p);
}

/* --- encoding --- */

static struct outer
outer_example(void)
{
	struct outer v = { .yes = true,
		.num = -300,
		.count = UINT64_MAX,
		.size = { .cols = 80 },
		.has_size = true };

	buf_view(&v.data, "\x00\xff", 2);
	buf_view(&v.name, "sh", 2);
	buf_init(&v.arg.raw, 100);
	assert_int_equal(gob_list_add(&v.arg, "", 0), 0);
	assert_int_equal(gob_list_add(&v.arg, "x y", 3), 0);
	buf_init(&v.keys.raw, 100);
	assert_int_equal(gob_list_add(&v.keys, "KEY", 3), 0);
	return v;
}

static void
outer_free(struct outer *v)
{
	buf_free(&v->arg.raw);
	buf_free(&v->keys.raw);
}

static void
assert_outer_example(struct outer *v)
{
	assert_true(v->yes);
	assert_int_equal(v->num, -300);
	assert_true(v->count == UINT64_MAX);
	assert_int_equal(buf_len(&v->data), 2);
	assert_memory_equal(buf_ptr(&v->data), "\x00\xff", 2);
	assert_view(&v->name, "sh");
	assert_item(&v->arg, "");
	assert_item(&v->arg, "x y");
	assert_list_end(&v->arg);
	assert_item(&v->keys, "KEY");
	assert_list_end(&v->keys);
	assert_true(v->has_size);
	assert_int_equal(v->size.rows, 0);
	assert_int_equal(v->size.cols, 80);
}

static int
encode_one(struct gob_enc *enc, struct buf *out, const struct gob_type *type,
    const void *v)
{
	struct gob_item item = { .type = type, .value = v };

	return gob_enc_values(enc, out, &item, 1);
}

static void
test_encode_struct(void **state)
{
	struct gob_enc *enc = gob_enc_new();
	struct stream s = stream_new();
	struct outer v = outer_example(), zero = { 0 }, out;
	size_t first;

	(void)state;
	assert_int_equal(encode_one(enc, &s.in, &outer_type, &v), 0);
	first = buf_len(&s.in);
	assert_int_equal(encode_one(enc, &s.in, &outer_type, &v), 0);
	assert_true(buf_len(&s.in) < 2 * first - 100);
	assert_int_equal(encode_one(enc, &s.in, &outer_type, &zero), 0);
	assert_int_equal(next(&s, &outer_type, &out), 0);
	assert_outer_example(&out);
	assert_int_equal(next(&s, &outer_type, &out), 0);
	assert_outer_example(&out);
	assert_int_equal(buf_len(&s.in), 4); /* 03 ff80 00 */
	assert_int_equal(next(&s, &outer_type, &out), 0);
	assert_memory_equal(&out.num, &zero.num, sizeof(out.num));
	assert_false(out.has_size);
	assert_int_equal(out.arg.count, 0);
	outer_free(&v);
	stream_free(&s);
	gob_enc_free(enc);
}

static void
assert_encoded(struct gob_enc *enc, const struct gob_type *type, const void *v,
    const char *hex)
{
	struct buf out;
	struct gob_sink sink = { .out = &out };

	buf_init(&out, 4096);
	assert_int_equal(encode_one(enc, &out, type, v), 0);
	sink.n = buf_len(&out);
	assert_put(&sink, hex);
	buf_free(&out);
}

/* Bytes from PROTOCOL.pty 5.2 and the vectors. */
static void
test_encode_known(void **state)
{
	struct gob_enc *enc = gob_enc_new();
	struct inner in = { .rows = 40, .cols = 132 };
	int64_t num = 32768, zero = 0;
	struct buf b;

	(void)state;
	assert_encoded(enc, &singles[GOB_INT], &num, "060400fd010000");
	assert_encoded(enc, &singles[GOB_INT], &zero, "03040000");
	buf_view(&b, "ls\n", 3);
	assert_encoded(enc, &singles[GOB_BYTES], &b, "060a00036c730a");
	buf_view(&b, "", 0);
	assert_encoded(enc, &singles[GOB_BYTES], &b, "030a0000");
	assert_encoded(enc, &singles[GOB_STRING], &b, "030c0000");
	assert_encoded(enc, &inner_type, &in,
	    "24 7f 03 01 01 05496e6e6572 01 ff80 00"
	    "01 02 01 04526f7773 01 06 00 01 04436f6c73 01 06 00 00 00"
	    "08 ff80 01 28 01 ff84 00");
	assert_encoded(enc, &empty_type, NULL,
	    "0a ff81 03 01 02 ff82 00 00 00  03 ff82 00");
	assert_encoded(enc, &empty_type, NULL, "03 ff82 00");
	gob_enc_free(enc);
}

static void
test_encode_lists(void **state)
{
	struct gob_enc *enc = gob_enc_new();
	struct gob_list list = { 0 };

	(void)state;
	assert_encoded(enc, &singles[GOB_STRINGS], &list,
	    "15 7f 02 01 01 085b5d737472696e67 01 ff80 00 01 0c 00 00"
	    "04 ff80 00 00");
	buf_init(&list.raw, 100);
	assert_int_equal(gob_list_add(&list, "K", 1), 0);
	assert_encoded(enc, &singles[GOB_OPAQUES], &list,
	    "0d ff83 02 01 02 ff84 00 01 ff82 00 00"
	    "12 ff81 06 01 01 065075624b6579 01 ff82 00 00 00"
	    "06 ff84 00 01 01 4b");
	buf_free(&list.raw);
	gob_enc_free(enc);
}

/* Without room nothing is appended and no definition counts as sent. */
static void
test_encode_no_room(void **state)
{
	struct gob_enc *enc = gob_enc_new();
	struct outer v = outer_example(), out;
	struct stream s = stream_new();
	size_t need;

	(void)state;
	assert_int_equal(encode_one(enc, &s.in, &outer_type, &v), 0);
	need = buf_len(&s.in);
	gob_enc_free(enc);
	enc = gob_enc_new();
	for (size_t room = 1; room <= need; room++) {
		buf_free(&s.in);
		buf_init(&s.in, room);
		assert_int_equal(encode_one(enc, &s.in, &outer_type, &v),
		    room < need ? SKY_ERR_LIMIT : 0);
		assert_int_equal(buf_len(&s.in), room < need ? 0 : need);
	}
	assert_int_equal(next(&s, &outer_type, &out), 0);
	assert_outer_example(&out);
	outer_free(&v);
	stream_free(&s);
	gob_enc_free(enc);
}

static void
test_encode_together(void **state)
{
	struct gob_enc *enc = gob_enc_new();
	struct inner in = { .rows = 1 }, out;
	int64_t num = 5;
	struct gob_item items[] = { { &inner_type, &in },
		{ &singles[GOB_INT], &num } };
	struct stream s = stream_new();

	(void)state;
	buf_init(&s.in, 40);
	assert_int_equal(gob_enc_values(enc, &s.in, items, 2), SKY_ERR_LIMIT);
	assert_int_equal(buf_len(&s.in), 0);
	buf_init(&s.in, 100);
	assert_int_equal(gob_enc_values(enc, &s.in, items, 2), 0);
	assert_int_equal(next(&s, &inner_type, &out), 0);
	assert_int_equal(out.rows, 1);
	assert_int_equal(next(&s, &singles[GOB_INT], &num), 0);
	assert_int_equal(num, 5);
	stream_free(&s);
	gob_enc_free(enc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_go_values),
		cmocka_unit_test(test_go_in_pieces),
		cmocka_unit_test(test_go_truncated),
		cmocka_unit_test(test_go_flipped),
		cmocka_unit_test(test_encode_struct),
		cmocka_unit_test(test_encode_known),
		cmocka_unit_test(test_encode_lists),
		cmocka_unit_test(test_encode_no_room),
		cmocka_unit_test(test_encode_together),
	};

	return cmocka_run_group_tests_name("gob_go", tests, NULL, NULL);
}
