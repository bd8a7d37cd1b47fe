/* SPDX-License-Identifier: ISC */
/* start: a monitor's first message, whole, cut off and made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/privsep/start.h"

#define PATH_LIMIT 4096
/* Where things stand in the message, its head included. */
#define AT_VERSION PRIVMSG_HEAD_LEN
#define AT_CARRIER (AT_VERSION + 4)
#define AT_PEER	   (AT_CARRIER + 1 + 1 + 1 + 1 + 1 + 2 + 1 + 2 * 4)
#define AT_SK_LEN                                                              \
	(AT_PEER + 4 + sizeof(peer) - 1 + 4 + sizeof(chroot_dir) - 1 + 2 + 8 + \
	    KEY_PUBLIC_LEN)

static uint8_t the_sk[KEY_SECRET_LEN];
static struct key_public the_wl[START_WL_MAX + 1];
static char peer[] = "192.0.2.1 port 4711", conf[] = "/etc/x.json",
	    chroot_dir[] = "/run/x", sftp[] = "/usr/lib/sftp-server",
	    accepted[] = "LANG", recordings[] = "/r", jobs[] = "~/jobs",
	    authorized[] = "/etc/a", revoked[] = "/etc/r", disc[] = "http://x",
	    servers[] = "02@a:1", opens[] = "db:5432\n/run/x",
	    listens[] = "8080";

static const struct start model = {
	.carrier = PRIV_KK,
	.log_level = 3,
	.use_syslog = true,
	.log_format = 1,
	.quiet = true,
	.handshake_timeout = 600,
	.welcome = PRIV_DROP | PRIV_BEST_EFFORT,
	.uid = 4000000000,
	.gid = 65534,
	.cligroup = (gid_t)-1,
	.peer = peer,
	.conf = conf,
	.chroot_dir = chroot_dir,
	.sftp_server = sftp,
	.sftp_readonly = true,
	.sftp_log = 3,
	.authorized = authorized,
	.authorized_given = true,
	.revoked = revoked,
	.revoked_given = true,
	.id = UINT64_C(0x0123456789abcdef),
	.oom_score = 300,
	.accept_env = accepted,
	.record = recordings,
	.record_all = true,
	.pam = true,
	.require_pq = true,
	.max_jobs = 64,
	.job_output = 16,
	.job_age = 70000,
	.job_dir = jobs,
	.permitopen = opens,
	.permitlisten = listens,
	.sk = the_sk,
	.pk = { .b = { 2, 3, 5, 7, [KEY_PUBLIC_LEN - 1] = 9 } },
};

/* As dmsg's monitor is told: the rest is not its business. */
static struct start
of_dmsg(void)
{
	struct start s = model;

	s.carrier = PRIV_DMSG;
	s.dmsgport = 22;
	s.dmsgsessions = 3;
	s.dmsgdisc = disc;
	s.dmsg_servers = servers;
	s.accept_env = s.record = NULL;
	s.record_all = false;
	s.conf = s.sftp_server = s.authorized = s.revoked = NULL;
	s.sftp_readonly = s.authorized_given = s.revoked_given = false;
	s.conf = s.sftp_server = NULL;
	s.sftp_readonly = s.pam = s.require_pq = false;
	s.sftp_log = 0;
	return s;
}

static int
set_up(void **state)
{
	(void)state;
	if (sodium_init() == -1)
		return -1;
	for (size_t i = 0; i < sizeof(the_sk); i++)
		the_sk[i] = (uint8_t)(i + 1);
	for (size_t i = 0; i <= START_WL_MAX; i++)
		for (size_t j = 0; j < KEY_PUBLIC_LEN; j++)
			the_wl[i].b[j] = (uint8_t)(i * 3 + j);
	return 0;
}

static void
check_text(const char *a, const char *b)
{
	if (b == NULL)
		assert_null(a);
	else
		assert_string_equal(a, b);
}

static void
check_equal(const struct start *a, const struct start *b)
{
	assert_int_equal(a->carrier, b->carrier);
	assert_int_equal(a->log_level, b->log_level);
	assert_int_equal(a->use_syslog, b->use_syslog);
	assert_int_equal(a->log_format, b->log_format);
	assert_int_equal(a->sftp_log, b->sftp_log);
	assert_int_equal(a->quiet, b->quiet);
	assert_int_equal(a->handshake_timeout, b->handshake_timeout);
	assert_int_equal(a->welcome, b->welcome);
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->gid, b->gid);
	assert_int_equal(a->cligroup, b->cligroup);
	assert_string_equal(a->peer, b->peer);
	check_text(a->conf, b->conf);
	assert_string_equal(a->chroot_dir, b->chroot_dir);
	check_text(a->sftp_server, b->sftp_server);
	check_text(a->authorized, b->authorized);
	check_text(a->revoked, b->revoked);
	assert_int_equal(a->authorized_given, b->authorized_given);
	assert_int_equal(a->revoked_given, b->revoked_given);
	check_text(a->dmsgdisc, b->dmsgdisc);
	check_text(a->dmsg_servers, b->dmsg_servers);
	assert_int_equal(a->dmsgport, b->dmsgport);
	assert_int_equal(a->dmsgsessions, b->dmsgsessions);
	assert_int_equal(a->sftp_readonly, b->sftp_readonly);
	assert_true(a->id == b->id);
	assert_int_equal(a->oom_score, b->oom_score);
	if (a->accept_env != NULL)
		assert_string_equal(a->accept_env, b->accept_env);
	if (a->record != NULL)
		assert_string_equal(a->record, b->record);
	if (a->job_dir != NULL && b->job_dir != NULL)
		assert_string_equal(a->job_dir, b->job_dir);
	if (a->permitopen != NULL && b->permitopen != NULL) {
		assert_string_equal(a->permitopen, b->permitopen);
		assert_string_equal(a->permitlisten, b->permitlisten);
	}
	assert_int_equal(a->record_all, b->record_all);
	assert_int_equal(a->pam, b->pam);
	assert_int_equal(a->require_pq, b->require_pq);
	assert_int_equal(a->nwl, b->nwl);
	if (a->nwl != 0)
		assert_memory_equal(a->wl, b->wl, a->nwl * sizeof(*a->wl));
	assert_true(key_equal(&a->pk, &b->pk));
	assert_int_equal(a->sk == NULL, b->sk == NULL);
	if (a->sk != NULL)
		assert_memory_equal(a->sk, b->sk, KEY_SECRET_LEN);
}

static void
round_trip(const struct start *s)
{
	struct start got;
	int sv[2];

	assert_int_equal(privmsg_pair(sv), 0);
	assert_int_equal(start_send(sv[0], s), 0);
	assert_int_equal(start_recv(sv[1], &got), 0);
	check_equal(&got, s);
	/* Copies, not what was sent. */
	assert_ptr_not_equal(got.peer, s->peer);
	start_free(&got);
	close(sv[0]);
	close(sv[1]);
}

/* The message as it is sent; malloc'ed. */
static uint8_t *
raw_message(const struct start *s, size_t *n)
{
	uint8_t *raw = malloc(PRIVMSG_MAX + 1);
	ssize_t r;
	int sv[2];

	assert_non_null(raw);
	assert_int_equal(privmsg_pair(sv), 0);
	assert_int_equal(start_send(sv[0], s), 0);
	r = recv(sv[1], raw, PRIVMSG_MAX, 0);
	assert_true(r > 0);
	close(sv[0]);
	close(sv[1]);
	*n = (size_t)r;
	return raw;
}

/* What start_recv says of these bytes. */
static int
receive(struct start *got, const void *raw, size_t n)
{
	int sv[2], r;

	assert_int_equal(privmsg_pair(sv), 0);
	assert_int_equal(send(sv[0], raw, n, 0), n);
	r = start_recv(sv[1], got);
	close(sv[0]);
	close(sv[1]);
	return r;
}

static void
refuse(const void *raw, size_t n, int error)
{
	struct start got;

	assert_int_equal(receive(&got, raw, n), error);
	start_free(&got);
}

/* --- good ------------------------------------------------------------- */

static void
test_round_trip(void **state)
{
	static const size_t counts[] = { 0, 1, 2, START_WL_MAX - 1,
		START_WL_MAX };
	struct start s = model;

	(void)state;
	round_trip(&s);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		s.wl = the_wl;
		s.nwl = counts[i];
		round_trip(&s);
	}
	s = model;
	s.carrier = PRIV_XK;
	s.use_syslog = false;
	s.quiet = false;
	s.uid = s.gid = s.cligroup = 0;
	round_trip(&s);
	s = of_dmsg();
	round_trip(&s);
}

/* Each is told what it needs, whatever there is. */
static void
test_no_more_than_needed(void **state)
{
	struct start all = of_dmsg(), want = of_dmsg(), got;
	uint8_t *raw;
	size_t n;

	(void)state;
	all.cligroup = 0;
	all.conf = conf;
	all.sftp_server = sftp;
	all.accept_env = accepted;
	all.record = recordings;
	all.sftp_readonly = true;
	all.authorized = authorized;
	all.revoked = revoked;
	all.revoked_given = true;
	all.wl = the_wl;
	all.nwl = 3;
	raw = raw_message(&all, &n);
	assert_int_equal(receive(&got, raw, n), 0);
	check_equal(&got, &want);
	start_free(&got);
	free(raw);
	all.carrier = PRIV_XK;
	want = all;
	want.dmsgport = 0;
	want.dmsgsessions = 0;
	want.dmsgdisc = want.dmsg_servers = NULL;
	raw = raw_message(&all, &n);
	assert_int_equal(receive(&got, raw, n), 0);
	check_equal(&got, &want);
	start_free(&got);
	free(raw);
}

/* The control socket needs no key, the others do. */
static void
test_without_key(void **state)
{
	struct start s = model, got;
	int sv[2];

	(void)state;
	s.sk = NULL;
	s.carrier = PRIV_CONTROL;
	round_trip(&s);
	s.sk = the_sk;
	round_trip(&s);
	s.sk = NULL;
	for (s.carrier = PRIV_XK; s.carrier <= PRIV_KK; s.carrier++) {
		assert_int_equal(privmsg_pair(sv), 0);
		assert_int_equal(start_send(sv[0], &s), 0);
		assert_int_equal(start_recv(sv[1], &got), SKY_ERR_FORMAT);
		start_free(&got);
		close(sv[0]);
		close(sv[1]);
	}
}

/* A text of the message, none and as long as may be, and longer. */
static void
check_lengths(const struct start *s, char **text)
{
	char longest[PATH_LIMIT + 2], none[] = "", *kept = *text;
	struct start got;
	uint8_t *raw;
	size_t n;

	memset(longest, 'x', sizeof(longest));
	*text = none;
	round_trip(s);
	*text = longest;
	longest[PATH_LIMIT] = '\0';
	round_trip(s);
	longest[PATH_LIMIT] = 'x';
	longest[PATH_LIMIT + 1] = '\0';
	raw = raw_message(s, &n);
	assert_int_equal(receive(&got, raw, n), SKY_ERR_LIMIT);
	start_free(&got);
	free(raw);
	*text = kept;
}

static void
test_strings(void **state)
{
	struct start s = model, d = of_dmsg();

	(void)state;
	check_lengths(&s, &s.peer);
	check_lengths(&s, &s.conf);
	check_lengths(&s, &s.chroot_dir);
	check_lengths(&s, &s.sftp_server);
	check_lengths(&d, &d.dmsgdisc);
}

/* --- bad -------------------------------------------------------------- */

static void
test_too_many_keys(void **state)
{
	struct start s = model;
	uint8_t *raw, *more;
	int sv[2];
	size_t n;

	(void)state;
	s.wl = the_wl;
	s.nwl = START_WL_MAX + 1;
	assert_int_equal(privmsg_pair(sv), 0);
	assert_int_equal(start_send(sv[0], &s), SKY_ERR_LIMIT);
	close(sv[0]);
	close(sv[1]);
	/* One more than allowed by hand. */
	s.nwl = START_WL_MAX;
	raw = raw_message(&s, &n);
	assert_non_null(more = calloc(1, n + KEY_PUBLIC_LEN));
	memcpy(more, raw, n);
	refuse(more, n + KEY_PUBLIC_LEN, SKY_ERR_FORMAT);
	free(more);
	free(raw);
}

/* The list is what is left, so it may end behind any key. */
static void
test_truncated(void **state)
{
	struct start s = of_dmsg(), got;
	size_t n, full;
	uint8_t *raw;
	int r;

	(void)state;
	for (int i = 0; i < 2; i++) {
		raw = raw_message(&s, &full);
		for (size_t j = 1; j < full; j++)
			refuse(raw, j,
			    j < PRIVMSG_HEAD_LEN ? SKY_ERR_FORMAT :
						   SKY_ERR_SHORT);
		raw[full] = 0;
		refuse(raw, full + 1,
		    s.carrier == PRIV_DMSG ? SKY_ERR_TRAILING : SKY_ERR_FORMAT);
		free(raw);
		s = model;
	}
	s.wl = the_wl;
	s.nwl = 3;
	raw = raw_message(&s, &n);
	assert_int_equal(n, full + 3 * KEY_PUBLIC_LEN);
	for (size_t i = full; i < n; i++) {
		r = receive(&got, raw, i);
		if ((i - full) % KEY_PUBLIC_LEN != 0)
			assert_int_equal(r, SKY_ERR_FORMAT);
		else {
			assert_int_equal(r, 0);
			assert_int_equal(got.nwl, (i - full) / KEY_PUBLIC_LEN);
		}
		start_free(&got);
	}
	free(raw);
}

static void
test_version(void **state)
{
	uint8_t *raw;
	size_t n;

	(void)state;
	raw = raw_message(&model, &n);
	for (size_t i = 0; i < 4; i++) {
		raw[AT_VERSION + i] ^= 1;
		refuse(raw, n, SKY_ERR_FORMAT);
		raw[AT_VERSION + i] ^= 1;
	}
	/* An old one may be shorter, and is of another version first. */
	raw[AT_VERSION + 3]++;
	refuse(raw, AT_VERSION + 4, SKY_ERR_FORMAT);
	free(raw);
}

static void
test_other_messages(void **state)
{
	uint8_t *raw;
	size_t n;

	(void)state;
	raw = raw_message(&model, &n);
	raw[1] = PM_LOG;
	refuse(raw, n, SKY_ERR_STATE);
	raw[1] = (uint8_t)PM_START;
	for (unsigned i = PRIV_DMSG + 1; i < 256; i++) {
		raw[AT_CARRIER] = (uint8_t)i;
		refuse(raw, n, SKY_ERR_RANGE);
	}
	raw[AT_CARRIER] = PRIV_XK;
	/* A NUL within a text, lengths that lie. */
	raw[AT_PEER + 4] = '\0';
	refuse(raw, n, SKY_ERR_FORMAT);
	raw[AT_PEER + 4] = '1';
	raw[AT_PEER] = 0xff;
	refuse(raw, n, SKY_ERR_SHORT);
	raw[AT_PEER] = 0;
	free(raw);
	/* A secret key of another length. */
	raw = raw_message(&model, &n);
	assert_int_equal(raw[AT_SK_LEN + 3], KEY_SECRET_LEN);
	raw[AT_SK_LEN + 3]--;
	refuse(raw, n, SKY_ERR_FORMAT);
	raw[AT_SK_LEN + 3] += 2;
	refuse(raw, n, SKY_ERR_FORMAT);
	free(raw);
}

static void
test_no_message(void **state)
{
	struct start got;
	int sv[2];

	(void)state;
	assert_int_equal(privmsg_pair(sv), 0);
	assert_int_equal(fcntl(sv[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(start_recv(sv[1], &got), SKY_ERR_AGAIN);
	close(sv[0]);
	assert_int_equal(start_recv(sv[1], &got), SKY_ERR_EOF);
	assert_int_equal(start_send(sv[1], &model), SKY_ERR_SYS);
	assert_int_equal(errno, EPIPE);
	close(sv[1]);
}

/* Descriptors have no business in it. */
static void
test_with_descriptor(void **state)
{
	struct start got;
	struct buf b;
	uint8_t *raw;
	size_t n;
	int sv[2];

	(void)state;
	raw = raw_message(&model, &n);
	buf_view(&b, raw + PRIVMSG_HEAD_LEN, n - PRIVMSG_HEAD_LEN);
	assert_int_equal(privmsg_pair(sv), 0);
	assert_int_equal(privmsg_send(sv[0], PM_START, 0, &b, &sv[0], 1), 0);
	assert_int_equal(start_recv(sv[1], &got), SKY_ERR_FORMAT);
	/* Its only copy was ours: the peer's end shows. */
	close(sv[0]);
	assert_int_equal(start_recv(sv[1], &got), SKY_ERR_EOF);
	close(sv[1]);
	free(raw);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_no_more_than_needed),
		cmocka_unit_test(test_without_key),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_too_many_keys),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_other_messages),
		cmocka_unit_test(test_no_message),
		cmocka_unit_test(test_with_descriptor),
	};

	return cmocka_run_group_tests_name("start", tests, set_up, NULL);
}
