/* SPDX-License-Identifier: ISC */
/*
 * The whole process of skyptyd-net: which services it offers to whom, answers
 * of its monitor that nobody asked for, and memory that is refused once, at
 * each place in turn.  What may end the process is tried in another one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "common/pty/yamux.h"
#include "daemon/net/net_channels.h"
#include "regress/unit/net_world.h"

#if SKYPTY_SANITIZE
#include <sanitizer/lsan_interface.h>

/* Status 1 is how the process itself gives up. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "abort_on_error=1";
}
#endif

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define GOES_ON	  7    /* status of a process that has not ended */
#define NO_SUCH	  8    /* of one that had no such allocation */
#define LAST_MAX  5000 /* allocations of a life, more than there are */
#define PROXY	  MUX_URI_PROXY "?pk=" NW_KEY "&port=22"
#define DIAL	  MUX_URI_DIAL "?pk=" NW_KEY

static unsigned long allocations, refused_at;

static bool
is_refused(void)
{
	return nw_inside && ++allocations == refused_at;
}

#include "refused_memory.h"

/* What became of a child of ours; -1: a signal ended it. */
static int
status_of(pid_t pid)
{
	int status;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* --- what is offered --- */

#define KILL MUX_URI_KILL "?id=0123456789abcdef"

#define ANY  (1U << PRIV_XK | 1U << PRIV_KK | 1U << PRIV_CONTROL)
#define FAR  (1U << PRIV_XK | 1U << PRIV_KK)
#define NEAR (1U << PRIV_CONTROL)

/* spec: pty.md 4; PROTOCOL */
static const struct {
	const char *uri;
	unsigned carriers;
	uint32_t grant; /* all of it is needed */
	uint32_t any;	/* and one of these, if there are some */
} services[] = {
	{ MUX_URI_PTY, ANY, 0, 0 },
	{ MUX_URI_WHITELIST, NEAR, PRIV_GRANT_WHITELIST, 0 },
	{ MUX_URI_SFTP, FAR, PRIV_GRANT_SFTP, 0 },
	{ MUX_URI_EXEC_STREAM, FAR, PRIV_GRANT_EXEC, 0 },
	{ MUX_URI_EXEC, ANY, 0, PRIV_GRANT_PTY | PRIV_GRANT_EXEC },
	{ MUX_URI_JOB, ANY, PRIV_GRANT_EXEC | PRIV_GRANT_DETACH, 0 },
	{ MUX_URI_SESSION, ANY, PRIV_GRANT_PTY | PRIV_GRANT_DETACH, 0 },
	{ MUX_URI_STATUS, NEAR, PRIV_GRANT_WHITELIST, 0 },
	{ MUX_URI_CONNS, NEAR, PRIV_GRANT_WHITELIST, 0 },
	{ MUX_URI_METRICS, NEAR, PRIV_GRANT_WHITELIST, 0 },
	{ KILL, NEAR, PRIV_GRANT_WHITELIST, 0 },
	{ MUX_URI_FILES, ANY, PRIV_GRANT_SFTP, 0 },
	{ MUX_URI_CHANNELS, FAR, 0, 0 },
	{ PROXY, NEAR, PRIV_GRANT_DIAL, 0 },
	{ DIAL, NEAR, PRIV_GRANT_DIAL, 0 },
	{ "dmsgpty/nothing", 0, 0, 0 },
	{ "", 0, 0, 0 },
};

static bool told_why; /* the refusal had a sentence */

/* The first byte that a peer gets; a monitor's log line is no answer. */
static int
answer_to(const char *uri, enum priv_carrier carrier, uint32_t grants)
{
	struct net_world w;
	uint8_t byte = 0xff;
	unsigned asked;

	assert_true(nw_begin(&w, carrier));
	nw_authenticate(&w);
	assert_int_equal(w.n->state, NET_MUX);
	w.n->peer.grants = grants;
	nw_ask(&w, uri);
	asked = w.asked[PM_SFTP_START] + w.asked[PM_PROXY_DIAL] +
	    w.asked[PM_STATUS] + w.asked[PM_KILL] + w.asked[PM_CONNS] +
	    w.asked[PM_COUNTS];
	if (strcmp(uri, PROXY) == 0 && asked != 0)
		nw_far_say(&w, "\0", 1); /* it is there that is answered */
	nw_loop(&w);
	assert_int_equal(buf_get_u8(&w.heard, &byte), 0);
	if (byte != MUX_ACCEPT) {
		assert_int_equal(byte, MUX_REJECT);
		assert_int_equal(asked, 0);
		assert_int_not_equal(w.n->state, NET_SERVICE);
	}
	told_why = byte != MUX_ACCEPT && buf_len(&w.heard) != 0;
	nw_over(&w);
	return byte;
}

static void
test_offers(void **state)
{
	const uint32_t all = ~0U;

	(void)state;
	for (size_t i = 0; i < LENGTH(services); i++)
		for (int c = PRIV_XK; c <= PRIV_CONTROL; c++) {
			bool here = services[i].carriers >> c & 1;

			assert_int_equal(answer_to(services[i].uri, c, all),
			    here ? MUX_ACCEPT : MUX_REJECT);
			assert_false(told_why);
			if (services[i].grant != 0) {
				assert_int_equal(answer_to(services[i].uri, c,
						     all & ~services[i].grant),
				    MUX_REJECT);
				assert_int_equal(told_why, here);
			}
			if (services[i].any != 0) {
				assert_int_equal(answer_to(services[i].uri, c,
						     all & ~services[i].any),
				    MUX_REJECT);
				assert_int_equal(told_why, here);
			}
			if (here)
				assert_int_equal(
				    answer_to(services[i].uri, c,
					services[i].grant | services[i].any),
				    MUX_ACCEPT);
		}
}

/* --- what is told of it --- */

static const char *
right(uint32_t grant)
{
	switch (grant) {
	case PRIV_GRANT_EXEC:
		return "exec";
	case PRIV_GRANT_EXEC | PRIV_GRANT_DETACH:
		return "exec, detach";
	case PRIV_GRANT_SFTP:
		return "sftp";
	case PRIV_GRANT_FORWARD:
		return "forwarding";
	case PRIV_GRANT_WHITELIST:
		return "whitelist";
	case PRIV_GRANT_DIAL:
		return "dial";
	case PRIV_GRANTS_SESSION:
		return "terminal, detach";
	}
	return grant == 0 ? "none" : "?";
}

/* The next row of the manual page's table; its head is none. */
static bool
next_told(FILE *f, char *line, int size)
{
	while (fgets(line, size, f) != NULL && strncmp(line, ".Ss ", 4) != 0)
		if (strncmp(line, ".It Li ", 7) == 0 &&
		    strstr(line, " Ta ") != NULL)
			return true;
	return false;
}

/* The manual page has the rows of the program's table, and no other. */
static void
test_manual(void **state)
{
	FILE *f = fopen("daemon/skyptyd.8", "r");
	char want[256], line[256];

	(void)state;
	assert_non_null(f);
	do
		assert_non_null(fgets(line, sizeof(line), f));
	while (strcmp(line, ".Ss Services\n") != 0);
	for (const struct service *s = net_services; s->uri != NULL; s++) {
		snprintf(want, sizeof(want),
		    ".It Li %s Ta %s Ta %s Ta %s Ta %s\n", s->uri,
		    right(s->grant), s->remote ? "yes" : "no",
		    s->control ? "yes" : "no", s->channel ? "yes" : "no");
		assert_true(next_told(f, line, sizeof(line)));
		assert_string_equal(line, want);
	}
	assert_false(next_told(f, line, sizeof(line)));
	fclose(f);
}

static void
come_to_handshake(struct net_world *w, enum priv_carrier carrier,
    enum nw_how (*how)(struct net_world *, unsigned, uint16_t))
{
	if (!nw_begin(w, carrier))
		_exit(1);
	w->how = how;
	nw_handshake(w, "message 1", 9);
	nw_serve(w);
	nw_handshake(w, "message 3", 9);
	nw_serve(w);
}

static enum nw_how
no_word_of_a_frame(struct net_world *w, unsigned type, uint16_t id)
{
	(void)w, (void)id;
	return type == PM_FIRST_FRAME ? NW_SILENT : NW_DO;
}

/* Who is turned away hears it, whatever he has said in the meantime. */
static void
test_turned_away(void **state)
{
	static const uint8_t zero[32];
	struct net_world w;
	uint8_t byte = 0xff;
	pid_t pid;

	(void)state;
	if ((pid = fork()) == 0) {
		come_to_handshake(&w, PRIV_KK, no_word_of_a_frame);
		nw_handshake(&w, "his request", 11);
		nw_loop(&w);
		frame_key_init(&w.rx, zero);
		nw_do(&w, PM_FIRST_FRAME, 0, NW_REFUSE);
		nw_loop(&w);
		nw_handshake(&w, "and more", 8);
		nw_loop(&w);
		if (buf_get_u8(&w.heard, &byte) != 0 || byte != MUX_REJECT ||
		    buf_len(&w.heard) != strlen("full"))
			_exit(1);
		_exit(GOES_ON);
	}
	assert_int_equal(status_of(pid), GOES_ON);
}

/* Before the monitor has said who it is nothing is asked for. */
static void
test_nothing_before_authentication(void **state)
{
	static const char uri[] = "\x0b" MUX_URI_PTY;
	struct net_world w;

	(void)state;
	for (int c = PRIV_XK; c <= PRIV_CONTROL; c++) {
		assert_true(nw_begin(&w, c));
		nw_raw(&w, uri, sizeof(uri) - 1);
		nw_serve(&w);
		assert_int_equal(w.n->state, NET_HANDSHAKE);
		assert_null(w.n->channel.service);
		for (unsigned t = PM_PTY_START; t <= PM_PROXY_DIAL; t++)
			if (t != PM_KK_REQUEST)
				assert_int_equal(w.asked[t], 0);
		nw_over(&w);
	}
}

/* --- answers out of turn --- */

static const unsigned requests[] = { PM_HANDSHAKE, PM_FIRST_FRAME, PM_PTY_START,
	PM_PTY_STOP, PM_EXEC_START, PM_WL_LIST, PM_WL_ADD, PM_WL_REMOVE,
	PM_SFTP_START, PM_KK_REQUEST, PM_STATUS, PM_PROXY_DIAL, PM_KILL,
	PM_CONNS, PM_COUNTS };

static void
come_to(struct net_world *w, enum priv_carrier carrier, const char *uri)
{
	if (!nw_begin(w, carrier))
		_exit(1);
	nw_authenticate(w);
	if (uri != NULL)
		nw_ask(w, uri);
}

/* Status of a process that is told so, where it has asked for nothing. */
static int
told(enum priv_carrier carrier, const char *uri, unsigned type)
{
	struct net_world w;
	pid_t pid;

	if ((pid = fork()) == 0) {
		come_to(&w, carrier, uri);
		nw_do(&w, type, 0, NW_DO);
		nw_loop(&w);
		_exit(GOES_ON);
	}
	return status_of(pid);
}

static void
test_unasked_answers(void **state)
{
	int status;

	(void)state;
	for (size_t i = 0; i <= LENGTH(services); i++)
		for (size_t k = 0; k < LENGTH(requests); k++) {
			const char *uri = i == 0 ? NULL : services[i - 1].uri;

			/* Its word is awaited behind the far side's. */
			if (uri != NULL && *uri == '\0')
				continue;
			status = told(PRIV_CONTROL, uri, requests[k]);
			if (status != PRIV_END_FAULT)
				fail_msg("status %d of %s, told %u", status,
				    uri == NULL ? "none" : uri,
				    requests[k] + 1);
		}
}

static enum nw_how
do_not_answer(struct net_world *w, unsigned type, uint16_t id)
{
	(void)w, (void)id;
	return type == PM_HANDSHAKE ? NW_DO : NW_SILENT;
}

/* Where it has asked for that service, and nobody has said a word. */
static void
come_to_asked(struct net_world *w, const char *uri)
{
	bool far = strcmp(uri, MUX_URI_SFTP) == 0;

	if (!nw_begin(w, far ? PRIV_XK : PRIV_CONTROL))
		_exit(1);
	w->how = do_not_answer;
	nw_authenticate(w);
	nw_ask(w, uri);
}

/* An answer is for the channel that has asked, which its id is the number of.
 */
static void
test_answer_of_another(void **state)
{
	static const struct {
		const char *uri;
		unsigned type;
	} asks[] = {
		{ MUX_URI_SFTP, PM_SFTP_START },
		{ MUX_URI_FILES, PM_SFTP_START },
		{ MUX_URI_STATUS, PM_STATUS },
		{ MUX_URI_CONNS, PM_CONNS },
		{ MUX_URI_METRICS, PM_COUNTS },
		{ KILL, PM_KILL },
		{ PROXY, PM_PROXY_DIAL },
	};
	struct net_world w;
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < LENGTH(asks); i++)
		for (uint16_t id = 0; id < 2; id++) {
			if ((pid = fork()) == 0) {
				come_to_asked(&w, asks[i].uri);
				if (w.asked[asks[i].type] != 1)
					_exit(1);
				nw_do(&w, asks[i].type, id, NW_DO);
				nw_loop(&w);
				_exit(GOES_ON);
			}
			assert_int_equal(status_of(pid),
			    id == 0 ? GOES_ON : PRIV_END_FAULT);
		}
}

/* The keys of a connection are set once. */
static void
test_no_second_authentication(void **state)
{
	struct net_world w;
	pid_t pid;

	(void)state;
	assert_int_equal(told(PRIV_XK, NULL, PM_HANDSHAKE), PRIV_END_FAULT);
	assert_int_equal(told(PRIV_XK, MUX_URI_PTY, PM_HANDSHAKE),
	    PRIV_END_FAULT);
	assert_int_equal(told(PRIV_KK, MUX_URI_PTY, PM_FIRST_FRAME),
	    PRIV_END_FAULT);
	for (int c = PRIV_XK; c <= PRIV_CONTROL; c++) {
		if ((pid = fork()) == 0) {
			come_to(&w, c, NULL);
			nw_control_ok(&w);
			_exit(GOES_ON);
		}
		assert_int_equal(status_of(pid), PRIV_END_FAULT);
		if ((pid = fork()) == 0) {
			if (!nw_begin(&w, c))
				_exit(1);
			nw_control_ok(&w);
			_exit(w.n->link.link.plain ? GOES_ON : 1);
		}
		assert_int_equal(status_of(pid),
		    c == PRIV_CONTROL ? GOES_ON : PRIV_END_FAULT);
	}
}

/* --- a peer that reads late --- */

static void
start_terminal(struct net_world *w)
{
	struct xs_start s = { .flags = XS_TERMINAL };
	struct buf b, out;

	buf_init(&b, 1000);
	buf_init(&out, 1000);
	buf_view(&s.name, "sh", 2);
	assert_int_equal(xs_put_start(&b, &s), 0);
	assert_int_equal(xs_put_frame(&out, XS_START, buf_ptr(&b), buf_len(&b)),
	    0);
	nw_say(w, buf_ptr(&out), buf_len(&out));
	nw_serve(w);
	buf_free(&b);
	buf_free(&out);
}

/* All that the terminal takes, while nobody reads at the other end. */
static size_t
fill_terminal(struct net_world *w)
{
	static const uint8_t some[4096];
	size_t all = 0;
	ssize_t n;

	do {
		n = send(w->end[0], some, sizeof(some), MSG_DONTWAIT);
		if (n > 0)
			all += (size_t)n;
		nw_loop(w);
	} while (n > 0);
	return all;
}

/* The loop sleeps between what happens, and what was held back follows. */
static int
read_late(enum priv_carrier carrier)
{
	struct net_world w;
	size_t all;
	pid_t pid;

	if ((pid = fork()) == 0) {
		come_to(&w, carrier, MUX_URI_EXEC);
		start_terminal(&w);
		w.deaf = true;
		all = fill_terminal(&w);
		w.deaf = false;
		alarm(30); /* before the loop wakes up anyway, XS_KEEPALIVE_S */
		for (nw_hear(&w); buf_len(&w.heard) < all; nw_hear(&w))
			net_round(w.n, EVLOOP_ONCE);
		_exit(GOES_ON);
	}
	return status_of(pid);
}

static void
test_late_reader(void **state)
{
	for (int c = PRIV_XK; c <= PRIV_CONTROL; c++)
		assert_int_equal(read_late(c), GOES_ON);
}

/* As much as the far side can say while nobody reads; then its end. */
static size_t
say_and_end(struct net_world *w, bool sealed)
{
	static const uint8_t some[4096];
	size_t all = 0;

	for (int i = 0; i < 100; i++) {
		if (sealed)
			nw_far_say(w, some, sizeof(some));
		else
			nw_end_say(w, 0, some, sizeof(some));
		all += sizeof(some);
		nw_loop(w);
	}
	nw_end_close(w, w->nends - 1);
	nw_loop(w);
	return all;
}

/* What a stream's far side has said before its end arrives before ours. */
static int
end_late(const char *uri)
{
	bool far = strcmp(uri, MUX_URI_FILES) != 0;
	struct net_world w;
	size_t all;
	pid_t pid;

	if ((pid = fork()) == 0) {
		come_to(&w, PRIV_CONTROL, uri);
		w.deaf = true;
		if (strcmp(uri, PROXY) == 0)
			nw_far_say(&w, "\0", 1);
		all = say_and_end(&w, far);
		w.deaf = false;
		alarm(30);
		for (nw_hear(&w); buf_len(&w.heard) < all; nw_hear(&w))
			net_round(w.n, EVLOOP_ONCE);
		while (w.n->state < NET_LINGERING)
			net_round(w.n, EVLOOP_ONCE);
		_exit(GOES_ON);
	}
	return status_of(pid);
}

static void
test_late_end(void **state)
{
	assert_int_equal(end_late(MUX_URI_FILES), GOES_ON);
	assert_int_equal(end_late(DIAL), GOES_ON);
	assert_int_equal(end_late(PROXY), GOES_ON);
}

/* What is said right behind the request arrives, however late it is taken. */
static int
say_early(const char *uri)
{
	static const uint8_t some[100000];
	bool far = strcmp(uri, MUX_URI_FILES) != 0;
	size_t n = 0, least = sizeof(some);
	struct net_world w;
	struct buf b;
	pid_t pid;

	if ((pid = fork()) == 0) {
		if (!nw_begin(&w, PRIV_CONTROL))
			_exit(1);
		nw_control_ok(&w);
		buf_init(&b, NW_ROOM);
		if (mux_put_request(&b, uri) != 0 ||
		    buf_put(&b, some, sizeof(some)) != 0)
			_exit(1);
		nw_say(&w, buf_ptr(&b), buf_len(&b));
		nw_serve(&w);
		if (strcmp(uri, PROXY) == 0)
			nw_far_say(&w, "\0", 1);
		for (int i = 0; i < 2; i++) {
			nw_loop(&w);
			nw_say(&w, some, sizeof(some));
			least += sizeof(some);
		}
		alarm(30);
		while (n < least) {
			n += nw_end_take(&w, 0);
			if (n < least)
				net_round(w.n, EVLOOP_ONCE);
		}
		/* Frames have heads, and the request may stand before it. */
		nw_loop(&w);
		n += nw_end_take(&w, 0);
		_exit(far == (n > least) ? GOES_ON : 1);
	}
	return status_of(pid);
}

static void
test_early_words(void **state)
{
	assert_int_equal(say_early(MUX_URI_FILES), GOES_ON);
	assert_int_equal(say_early(DIAL), GOES_ON);
	assert_int_equal(say_early(PROXY), GOES_ON);
}

/* Who has no right to a terminal hears it, whatever he has typed already. */
static void
test_terminal_denied(void **state)
{
	struct xs_start s = { .flags = XS_TERMINAL };
	struct buf b, out, why;
	struct net_world w;
	uint8_t tag;
	pid_t pid;

	if ((pid = fork()) == 0) {
		if (!nw_begin(&w, PRIV_XK))
			_exit(1);
		nw_authenticate(&w);
		w.n->peer.grants = PRIV_GRANT_EXEC;
		nw_ask(&w, MUX_URI_EXEC);
		buf_init(&b, 1000);
		buf_init(&out, 1000);
		buf_view(&s.name, "sh", 2);
		if (xs_put_start(&b, &s) != 0 ||
		    xs_put_frame(&out, XS_START, buf_ptr(&b), buf_len(&b)) !=
			0 ||
		    xs_put_frame(&out, XS_STDIN, "ls\r", 3) != 0)
			_exit(1);
		nw_say(&w, buf_ptr(&out), buf_len(&out));
		nw_serve(&w);
		if (buf_get_u8(&w.heard, &tag) != 0 || tag != MUX_ACCEPT ||
		    xs_get_frame(&w.heard, 1000, &tag, &why) != 1 ||
		    tag != XS_FAILED)
			_exit(1);
		_exit(GOES_ON);
	}
	assert_int_equal(status_of(pid), GOES_ON);
}

/* --- without memory --- */

static void
call(struct net_world *w, struct rpc_client *c, enum rpc_method m,
    const union rpc_value *v)
{
	struct buf out;

	buf_init(&out, NW_ROOM);
	assert_int_equal(rpc_client_call(c, &out, m, v, NULL), 0);
	nw_say(w, buf_ptr(&out), buf_len(&out));
	nw_serve(w);
	buf_free(&out);
}

static void
use_rpc(struct net_world *w, bool whitelist)
{
	static const uint8_t key[KEY_PUBLIC_LEN] = { 2 }, big[8192];
	struct rpc_client *c = rpc_client_new();
	union rpc_value v = { .number = 100 };

	if (whitelist) {
		call(w, c, RPC_WL_LIST, NULL);
		buf_init(&v.keys.raw, 100);
		v.keys.count = 0;
		assert_int_equal(gob_list_add(&v.keys, key, sizeof(key)), 0);
		call(w, c, RPC_WL_ADD, &v);
		buf_free(&v.keys.raw);
		rpc_client_free(c);
		return;
	}
	memset(&v, 0, sizeof(v));
	buf_view(&v.command.name, "sh", 2);
	call(w, c, RPC_PTY_START, &v);
	v.number = 100;
	call(w, c, RPC_PTY_READ, &v);
	nw_end_say(w, 0, "output", 6);
	nw_serve(w);
	buf_view(&v.bytes, big, sizeof(big));
	for (int i = 0; i < 40; i++) /* until the terminal takes no more */
		call(w, c, RPC_PTY_WRITE, &v);
	(void)nw_end_take(w, 0);
	nw_serve(w);
	call(w, c, RPC_PTY_STOP, NULL);
	memset(&v, 0, sizeof(v));
	buf_view(&v.exec.name, "ls", 2);
	buf_view(&v.exec.in, "input", 5);
	call(w, c, RPC_PTY_EXEC, &v);
	call(w, c, RPC_PTY_EXEC, &v);
	nw_end_say(w, 1, "output", 6);
	nw_serve(w);
	nw_exited(w, 2, PRIV_TIMEDOUT, 0);
	nw_exited(w, 3, PRIV_EXITED, 0);
	nw_serve(w);
	for (size_t i = 0; i < w->nends; i++)
		nw_end_close(w, i);
	nw_serve(w);
	rpc_client_free(c);
}

static void
use_exec(struct net_world *w)
{
	struct xs_start s = { .flags = XS_HAS_STDIN };
	struct buf b, out;

	buf_init(&b, 1000);
	buf_init(&out, NW_ROOM);
	buf_view(&s.name, "ls", 2);
	assert_int_equal(xs_put_start(&b, &s), 0);
	assert_int_equal(xs_put_frame(&out, XS_START, buf_ptr(&b), buf_len(&b)),
	    0);
	assert_int_equal(xs_put_frame(&out, XS_STDIN, "input", 5), 0);
	assert_int_equal(xs_put_frame(&out, XS_SIGNAL, "INT", 3), 0);
	assert_int_equal(xs_put_frame(&out, XS_STDIN_END, NULL, 0), 0);
	nw_say(w, buf_ptr(&out), buf_len(&out));
	nw_serve(w);
	buf_free(&b);
	buf_free(&out);
	nw_end_say(w, 0, "output", 6);
	nw_end_say(w, 1, "error", 5);
	nw_serve(w);
	nw_exited(w, 1, PRIV_TIMEDOUT, 0);
	nw_serve(w);
	nw_fire(w, 0);
}

/* What is sent behind it is its keeper's, and what that says the peer's. */
static void
use_kept(struct net_world *w, uint8_t flags)
{
	struct xs_start s = { .flags = flags };
	struct buf b, out;

	buf_init(&b, 1000);
	buf_init(&out, NW_ROOM);
	buf_view(&s.name, "ls", 2);
	assert_int_equal(xs_put_start(&b, &s), 0);
	assert_int_equal(xs_put_frame(&out, XS_START, buf_ptr(&b), buf_len(&b)),
	    0);
	assert_int_equal(xs_put_frame(&out, XS_STDIN_END, NULL, 0), 0);
	nw_say(w, buf_ptr(&out), buf_len(&out));
	nw_serve(w);
	buf_free(&b);
	buf_free(&out);
	nw_end_say(w, 0, "from there", 10);
	nw_serve(w);
	nw_end_close(w, 0);
	nw_serve(w);
}

static void
use_job(struct net_world *w)
{
	use_kept(w, XS_HAS_STDIN);
}

static void
use_session(struct net_world *w)
{
	use_kept(w, XS_HAS_STDIN | XS_TERMINAL);
}

static void
use_http(struct net_world *w)
{
	static const char request[] =
	    "POST /exec HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
	    "Accept: " XS_MEDIA_TYPE "\r\nContent-Length: 40\r\n\r\n"
	    "{\"name\":\"ls\",\"arg\":[\"a\"],\"stdin\":\"QQ==\"}";

	nw_say(w, request, sizeof(request) - 1);
	nw_serve(w);
	nw_end_say(w, 0, "output", 6);
	nw_serve(w);
	nw_exited(w, 1, PRIV_EXITED, 3);
	for (size_t i = 0; i < w->nends; i++)
		nw_end_close(w, i);
	nw_serve(w);
}

static void
use_stream(struct net_world *w)
{
	nw_far_say(w, "\0", 1);
	nw_say(w, "to there", 8);
	nw_serve(w);
	if (w->far)
		nw_far_say(w, "from there", 10);
	else
		nw_end_say(w, 0, "from there", 10);
	nw_serve(w);
	nw_end_close(w, 0);
	nw_serve(w);
}

/* What was put is said, and what was heard taken. */
static void
turn_channels(struct net_world *w, struct yamux *y)
{
	struct buf out;

	buf_init(&out, NW_ROOM);
	if (yamux_output(y, &out) == 0)
		nw_say(w, buf_ptr(&out), buf_len(&out));
	nw_serve(w);
	(void)yamux_input(y, &w->heard);
	buf_free(&out);
}

/* Two of theirs, of which one is left, and one of ours. */
static void
use_channels(struct net_world *w)
{
	static const char request[] = "\x0d" MUX_URI_FILES "to there";
	struct yamux *y = yamux_new(true, NULL);
	struct yamux_stream *st[2];
	int sv[2];

	(void)buf_skip(&w->heard, 1);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(yamux_open(y, &st[i]), 0);
		(void)yamux_write(st[i], request, sizeof(request) - 1);
	}
	turn_channels(w, y);
	nw_end_say(w, 0, "from there", 10);
	turn_channels(w, y);
	yamux_close(st[1]);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv), 0);
	nw_inside = true;
	(void)net_channels_open(&w->n->channel, "accepted", sv[0]);
	nw_inside = false;
	turn_channels(w, y);
	if ((st[1] = yamux_accept(y)) != NULL)
		(void)yamux_write(st[1], "\0ours", 5);
	turn_channels(w, y);
	close(sv[1]);
	turn_channels(w, y);
	nw_end_close(w, 0);
	turn_channels(w, y);
	yamux_free(y);
}

/* One of each service; what has failed does not hold it up. */
static void
live(struct net_world *w, const char *uri)
{
	nw_authenticate(w);
	nw_ask(w, uri);
	if (strcmp(uri, MUX_URI_PTY) == 0)
		use_rpc(w, false);
	else if (strcmp(uri, MUX_URI_WHITELIST) == 0)
		use_rpc(w, true);
	else if (strcmp(uri, MUX_URI_EXEC) == 0)
		use_exec(w);
	else if (strcmp(uri, MUX_URI_EXEC_STREAM) == 0)
		use_http(w);
	else if (strcmp(uri, MUX_URI_JOB) == 0)
		use_job(w);
	else if (strcmp(uri, MUX_URI_CHANNELS) == 0)
		use_channels(w);
	else if (strcmp(uri, MUX_URI_SESSION) == 0)
		use_session(w);
	else
		use_stream(w);
}

static enum priv_carrier
some_carrier(unsigned carriers)
{
	if (carriers == ANY)
		return PRIV_KK;
	return carriers == NEAR ? PRIV_CONTROL : PRIV_XK;
}

/* They are what they are meant to be. */
static void
test_lives(void **state)
{
	struct net_world w;
	const char *uri;

	(void)state;
	refused_at = 0;
	for (size_t i = 0; i < LENGTH(services); i++) {
		if (services[i].carriers == 0)
			continue;
		uri = services[i].uri;
		assert_true(nw_begin(&w, some_carrier(services[i].carriers)));
		live(&w, uri);
		assert_int_equal(w.asked[PM_EXEC_END], w.asked[PM_EXEC_START]);
		if (strcmp(uri, MUX_URI_PTY) == 0) {
			assert_int_equal(w.asked[PM_PTY_STOP], 1);
			assert_int_equal(w.asked[PM_EXEC_END], 2);
		} else if (strcmp(uri, MUX_URI_WHITELIST) == 0) {
			assert_int_equal(w.asked[PM_WL_LIST], 1);
			assert_int_equal(w.asked[PM_WL_ADD], 1);
		} else if (strcmp(uri, MUX_URI_CHANNELS) == 0) {
			assert_int_equal(w.asked[PM_SFTP_START], 2);
			assert_int_equal(w.n->state, NET_SERVICE);
		} else
			assert_int_equal(w.n->state, NET_LINGERING);
		nw_over(&w);
	}
}

static void
live_without(const char *uri, unsigned carriers, unsigned long n)
{
	unsigned long used;
	struct net_world w;

	allocations = 0;
	refused_at = n;
	if (!nw_begin(&w, some_carrier(carriers)))
		_exit(1);
	live(&w, uri);
	used = allocations;
	nw_over(&w);
#if SKYPTY_SANITIZE
	if (__lsan_do_recoverable_leak_check() != 0)
		abort();
#endif
	_exit(used < n ? NO_SUCH : GOES_ON);
}

static void
test_without_memory(void **state)
{
	unsigned long n, went_on;
	pid_t pid;
	int s;

	(void)state;
	for (size_t i = 0; i < LENGTH(services); i++) {
		if (services[i].carriers == 0)
			continue;
		went_on = 0;
		for (n = 1, s = 0; s != NO_SUCH && n < LAST_MAX; n++) {
			if ((pid = fork()) == 0)
				live_without(services[i].uri,
				    services[i].carriers, n);
			if ((s = status_of(pid)) == -1)
				fail_msg("%s: killed without allocation %lu",
				    services[i].uri, n);
			went_on += s == GOES_ON;
		}
		assert_int_equal(s, NO_SUCH);
		assert_true(n > 20);
		assert_true(went_on < n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offers),
		cmocka_unit_test(test_manual),
		cmocka_unit_test(test_turned_away),
		cmocka_unit_test(test_nothing_before_authentication),
		cmocka_unit_test(test_unasked_answers),
		cmocka_unit_test(test_answer_of_another),
		cmocka_unit_test(test_no_second_authentication),
		cmocka_unit_test(test_late_reader),
		cmocka_unit_test(test_late_end),
		cmocka_unit_test(test_early_words),
		cmocka_unit_test(test_terminal_denied),
		cmocka_unit_test(test_lives),
		cmocka_unit_test(test_without_memory),
	};

	/* libevent's are refused, too. */
	event_set_mem_functions(__wrap_malloc, __wrap_realloc, free);
	return cmocka_run_group_tests_name("net_life", tests, NULL, NULL);
}
