/* SPDX-License-Identifier: ISC */
/*
 * Streams that dmsg's child may dial: a slot is somebody else's once it
 * has been held for too long, and what is said of the one before then neither
 * ends anything nor acts on the next.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "common/dmsg/dmsg_object.h"
#include "regress/unit/clock.h"
#include "regress/unit/half_world.h"

/* With it, to free what a monitor keeps until it exits. */
#include "monitor/dmsg/dials.c"

#define WHY "\0\0\0\4gone"

static time_t ahead;
static struct dmsg_monitor mon;
static const struct half_role role = { .child = "dmsg",
	.requests = &dmsg_requests };

/* The program's, which has its main function beside it. */
void
dmsg_monitor_forget(struct half *h)
{
	(void)h;
}

int
wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	int r = real_clock_gettime(id, ts);

	ts->tv_sec += id == CLOCK_MONOTONIC ? ahead : 0;
	return r;
}

static int
begin(void **state)
{
	static char discovery[] = "http://192.0.2.1";

	(void)state;
	ahead = 0;
	memset(&mon, 0, sizeof(mon));
	mw_begin_half(&mon.half, &role, PRIV_DMSG);
	mon.own = mw.own_pk;
	mon.half.start.dmsgdisc = discovery;
	mon.half.start.dmsgport = 22;
	mon.half.phase = DMSG_SERVING;
	assert_int_equal(dials_begin(&mon), 0);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	dials_forget(&mon);
	event_free(mon.dials->parent_ev);
	free(mon.dials);
	mw_end_half();
	return 0;
}

/* skyptyd passes a wish on; the end that the result comes by. */
static int
wish(void)
{
	struct privmsg msg = { .type = PM_DIAL_OUT, .nfd = 2 };
	struct buf b;
	int stream, result;

	msg.fd[0] = mw_pair(&stream);
	msg.fd[1] = mw_pair(&result);
	buf_init(&b, KEY_PUBLIC_LEN + 2);
	assert_int_equal(buf_put(&b, mw.peer_pk.b, KEY_PUBLIC_LEN), 0);
	assert_int_equal(buf_put_u16(&b, 22), 0);
	buf_view(&msg.body, buf_ptr(&b), buf_len(&b));
	dials_wish(&mon, &msg);
	buf_free(&b);
	close(stream);
	return result;
}

static uint16_t
heard_id(void)
{
	uint16_t id;

	assert_int_equal(mw_hear(), PM_DMSG_DIAL);
	id = mw.got.id;
	privmsg_clear(&mw.got);
	return id;
}

static int
say(unsigned type, uint16_t id, const void *p, size_t n)
{
	int r = mw_ask_as(type, id, p, n);

	assert_true(r == 0 || r == SKY_ERR_DENIED);
	return r;
}

static bool
was_told(int result)
{
	struct privmsg got = { 0 };
	bool told = privmsg_recv(result, &got, false) == 1;

	privmsg_free(&got);
	return told;
}

static void
test_late_word(void **state)
{
	int first, second, others[PRIV_DIALS_MAX];
	uint16_t old, new;

	(void)state;
	first = wish();
	old = heard_id();
	for (size_t i = 1; i < PRIV_DIALS_MAX; i++) {
		others[i] = wish();
		(void)heard_id();
	}
	/* All are taken. */
	others[0] = wish();
	assert_true(was_told(others[0]));
	assert_int_equal(mw_hear(), 0);
	ahead = PRIV_DIAL_S + 1;
	second = wish();
	new = heard_id();
	assert_int_not_equal(old, new);
	assert_int_equal(say(PM_DMSG_DIAL_REQUEST, old, "\303\120", 2), 0);
	assert_int_equal(say(PM_DMSG_DIAL_RESPONSE, old, "noise", 5), 0);
	assert_int_equal(say(PM_DMSG_DIAL_FAILED, old, WHY, 8), 0);
	assert_int_equal(mw_hear(), 0);
	assert_false(was_told(second));
	/* The one whose slot it is has the word, once. */
	assert_int_equal(say(PM_DMSG_DIAL_REQUEST, new, "\303\120", 2), 0);
	assert_int_equal(mw_hear(), PM_DMSG_DIAL_REQUEST + 1);
	assert_int_equal(say(PM_DMSG_DIAL_FAILED, new, WHY, 8), 0);
	assert_true(was_told(second));
	assert_int_equal(say(PM_DMSG_DIAL_FAILED, new, WHY, 8), SKY_ERR_DENIED);
	close(first);
	close(second);
	for (size_t i = 0; i < PRIV_DIALS_MAX; i++)
		close(others[i]);
}

static void
test_nobodys(void **state)
{
	(void)state;
	for (uint16_t id = 0; id < 200; id++) {
		assert_int_equal(say(PM_DMSG_DIAL_REQUEST, id, "\303\120", 2),
		    SKY_ERR_DENIED);
		assert_int_equal(say(PM_DMSG_DIAL_RESPONSE, id, "noise", 5),
		    SKY_ERR_DENIED);
		assert_int_equal(say(PM_DMSG_DIAL_FAILED, id, WHY, 8),
		    SKY_ERR_DENIED);
	}
	assert_int_equal(mw_hear(), 0);
}

/* To ourselves, but where nobody listens, and no answer is ever read. */
static void
test_probe(void **state)
{
	const uint16_t served[] = { 22, 1 }, dialed[] = { 1, 2 };
	struct dmsg_request q;
	struct buf sig, gob;
	int r = 0;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		mon.half.start.dmsgport = served[i];
		assert_int_equal(say(PM_DMSG_PROBE, 7, "\303\120", 2), 0);
		assert_int_equal(mw_hear(), PM_DMSG_PROBE + 1);
		assert_int_equal(mw.got.id, 7);
		assert_int_equal(dmsg_split_signed(&mw.got.body, &sig, &gob),
		    0);
		assert_int_equal(dmsg_get_request(&gob, &q), 0);
		assert_true(key_equal(&q.src.pk, &mw.own_pk));
		assert_true(key_equal(&q.dst.pk, &mw.own_pk));
		assert_int_equal(q.src.port, 50000);
		assert_int_equal(q.dst.port, dialed[i]);
		privmsg_clear(&mw.got);
	}
	assert_int_equal(say(PM_DMSG_DIAL_RESPONSE, 0, "noise", 5),
	    SKY_ERR_DENIED);
	assert_int_equal(say(PM_DMSG_DIAL_RESPONSE, 7, "noise", 5),
	    SKY_ERR_DENIED);
	assert_int_equal(say(PM_DMSG_PROBE, 0, "\0\0", 2), SKY_ERR_DENIED);
	/* So many in a minute, and it is no mistake any more. */
	ahead = 60;
	for (int i = 0; r == 0 && i < 2 * PRIV_PROBES_PER_MIN + 1; i++) {
		r = say(PM_DMSG_PROBE, 0, "\303\120", 2);
		(void)mw_hear();
		privmsg_clear(&mw.got);
	}
	assert_int_equal(r, SKY_ERR_DENIED);
}

/* A flood of reports is one a second for skyptyd. */
static void
test_reports(void **state)
{
	struct privmsg m = { 0 };
	unsigned n = 0;

	(void)state;
	for (ahead = 0; ahead < 3; ahead++) {
		for (int i = 0; i < 1000; i++)
			assert_int_equal(say(PM_DMSG_STATUS, 0, "{}", 2), 0);
		while (mw_parent_hears(&m) != 0) {
			assert_int_equal(m.type, PM_DMSG_REPORT);
			n++;
		}
	}
	/* The clock goes on meanwhile. */
	assert_in_range(n, 3, 100);
	privmsg_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_late_word, begin, end),
		cmocka_unit_test_setup_teardown(test_nobodys, begin, end),
		cmocka_unit_test_setup_teardown(test_probe, begin, end),
		cmocka_unit_test_setup_teardown(test_reports, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
