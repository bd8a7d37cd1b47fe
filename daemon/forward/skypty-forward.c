/* SPDX-License-Identifier: ISC */
/*
 * skypty-forward: see forward.h and common/privsep/forwarder.h.  One loop that
 * waits for the monitor, for names and for connections that are being made.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/process.h"
#include "common/base/tcp.h"
#include "common/privsep/sandbox.h"
#include "daemon/forward/forward.h"

#define FORWARD_MEMORY (64U * 1024 * 1024)
#define FORWARD_FDS    (PRIV_FORWARDS_MAX + 16)
#define FORWARD_UMASK  0177 /* a socket that is the user's alone */
#define AGAIN_MS       50   /* until a full queue of a Unix socket is tried */

/* A connection that is being made.  A free one is all zero, but for fd. */
struct attempt {
	enum {
		ATTEMPT_FREE,
		ATTEMPT_WAITS, /* for its turn to be looked up */
		ATTEMPT_NAMED, /* is being looked up */
		ATTEMPT_CONNECTS,
		ATTEMPT_AGAIN /* the listener's queue was full */
	} state;
	uint16_t id;
	uint16_t port;
	uint32_t serial;
	int fd; /* -1: none */
	int64_t deadline;
	size_t n, next; /* addresses, and the one behind that which is tried */
	struct forward_address at[FORWARDER_ADDRESSES];
	char host[PRIV_FORWARD_NAME + 1];
};

static struct attempt attempts[PRIV_FORWARDS_MAX];
static struct pollfd polled[2 + PRIV_FORWARDS_MAX];
static struct attempt *polled_for[2 + PRIV_FORWARDS_MAX];
static uint32_t serial;
static int names = -1; /* socket to the process for names, -1: it is gone */

/* --- answers --- */

/* Who takes no answer is gone, and so are we. */
__attribute__((noreturn)) static void
forward_leave(void)
{
	forward_listen_end();
	_exit(0);
}

static void
forward_answer(unsigned type, uint16_t id, const char *why,
    const uint16_t *port, const int *fds, size_t nfd)
{
	struct buf b;

	buf_init(&b, PRIVMSG_TEXT_MAX);
	if (buf_put_cstring(&b, why) != 0 ||
	    (port != NULL && buf_put_u16(&b, *port) != 0) ||
	    privmsg_send(FORWARDER_FD, type + 1, id, &b, fds, nfd) != 0)
		forward_leave();
	buf_free(&b);
}

static void
attempt_end(struct attempt *a, const char *why, int fd)
{
	forward_answer(PM_FORWARD_OPEN, a->id, why, NULL, &fd, fd != -1);
	if (a->fd != -1)
		close(a->fd);
	memset(a, 0, sizeof(*a));
	a->fd = -1;
}

/* --- connecting --- */

/*
 * The next address, if there is one.  What went wrong with the last is told,
 * whatever it was with those before.
 */
static void
attempt_next(struct attempt *a, int error)
{
	const struct forward_address *to;

	if (a->fd != -1)
		close(a->fd);
	a->fd = -1;
	if (a->next == a->n) {
		attempt_end(a, strerror(error), -1);
		return;
	}
	to = &a->at[a->next++];
	a->state = ATTEMPT_CONNECTS;
	a->deadline = now_ms() + FORWARDER_ADDRESS_S * INT64_C(1000);
	a->fd = socket(to->sa.ss_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->fd == -1)
		attempt_end(a, strerror(errno), -1);
}

/*
 * As tcp_open(): connect(2) is called again when it is through.  Whether the
 * kernel takes the socket for a connected one is what the monitor looks at.
 */
static void
attempt_connect(struct attempt *a)
{
	const struct forward_address *to;

	while (a->state == ATTEMPT_CONNECTS || a->state == ATTEMPT_AGAIN) {
		to = &a->at[a->next - 1];
		if (connect(a->fd, (const struct sockaddr *)&to->sa, to->len) ==
			0 ||
		    errno == EISCONN) {
			if (to->sa.ss_family != AF_UNIX)
				tcp_set_options(a->fd);
			attempt_end(a, "", a->fd);
			return;
		}
		a->state = ATTEMPT_CONNECTS;
		if (errno == EINPROGRESS || errno == EALREADY)
			return;
		if (errno == EAGAIN) {
			a->state = ATTEMPT_AGAIN;
			return;
		}
		attempt_next(a, errno);
	}
}

/* Its addresses are known. */
static void
attempt_begin(struct attempt *a)
{
	a->next = 0;
	attempt_next(a, EHOSTUNREACH);
	attempt_connect(a);
}

/* --- names --- */

static void
names_gone(void)
{
	close(names);
	names = -1;
	for (size_t i = 0; i < PRIV_FORWARDS_MAX; i++)
		if (attempts[i].state == ATTEMPT_NAMED ||
		    attempts[i].state == ATTEMPT_WAITS)
			attempt_end(&attempts[i],
			    "names cannot be looked up: the process for that "
			    "has ended",
			    -1);
}

/*
 * So many at once, the oldest first.  Each is given longer than its process
 * has, which so never are more.
 */
static void
names_go_on(void)
{
	struct attempt *first;
	size_t busy;

	for (;;) {
		first = NULL;
		busy = 0;
		for (size_t i = 0; i < PRIV_FORWARDS_MAX; i++) {
			struct attempt *a = &attempts[i];

			busy += a->state == ATTEMPT_NAMED;
			if (a->state == ATTEMPT_WAITS &&
			    (first == NULL || a->serial < first->serial))
				first = a;
		}
		if (first == NULL || busy >= NAMES_AT_ONCE)
			return;
		if (!forward_names_ask(names, first->serial, first->host)) {
			names_gone();
			return;
		}
		first->state = ATTEMPT_NAMED;
		first->deadline = now_ms() + (FORWARDER_NAME_S + 5) * 1000;
	}
}

static void
names_take(const struct forward_names *said)
{
	for (size_t i = 0; i < PRIV_FORWARDS_MAX; i++) {
		struct attempt *a = &attempts[i];

		if (a->state != ATTEMPT_NAMED || a->serial != said->serial)
			continue;
		if (said->n == 0) {
			attempt_end(a, said->why, -1);
			return;
		}
		a->n = said->n;
		memcpy(a->at, said->at, sizeof(a->at));
		for (size_t j = 0; j < a->n; j++)
			forward_address_port(&a->at[j], a->port);
		attempt_begin(a);
		return;
	}
}

static void
names_hear(void)
{
	static struct forward_names said;
	int r;

	while ((r = forward_names_hear(names, &said)) == 1)
		names_take(&said);
	if (r == -1)
		names_gone();
}

/* --- what the monitor asks --- */

struct wish {
	uint8_t kind, flags;
	char *name;
	uint16_t port;
};

static int
wish_read(struct wish *w, struct buf *b, bool listens)
{
	int r;

	memset(w, 0, sizeof(*w));
	if ((r = buf_get_u8(b, &w->kind)) == 0 &&
	    (r = buf_get_cstring(b, &w->name, PRIV_FORWARD_NAME)) == 0 &&
	    (r = buf_get_u16(b, &w->port)) == 0 && listens)
		r = buf_get_u8(b, &w->flags);
	return r == 0 ? buf_at_end(b) : r;
}

static void
forward_open(uint16_t id, const struct wish *w)
{
	struct attempt *a = NULL;

	for (size_t i = 0; a == NULL && i < PRIV_FORWARDS_MAX; i++)
		if (attempts[i].state == ATTEMPT_FREE)
			a = &attempts[i];
	if (a == NULL) {
		forward_answer(PM_FORWARD_OPEN, id,
		    "too many connections are being made", NULL, NULL, 0);
		return;
	}
	a->id = id;
	a->port = w->port;
	a->serial = ++serial;
	strlcpy(a->host, w->name, sizeof(a->host));
	if (w->kind == PRIV_FORWARD_UNIX) {
		a->n = 1;
		if (forward_address_path(&a->at[0], w->name) == -1)
			attempt_end(a, strerror(errno), -1);
		else
			attempt_begin(a);
	} else if ((a->n = forward_names_known(w->name, w->port, a->at)) != 0)
		attempt_begin(a);
	else if (strchr(w->name, '%') != NULL)
		attempt_end(a, "an address with a zone is not connected to",
		    -1);
	else {
		a->state = ATTEMPT_WAITS;
		a->deadline = INT64_MAX;
		if (names == -1)
			attempt_end(a, "names cannot be looked up", -1);
		else
			names_go_on();
	}
}

static void
forward_listen(uint16_t id, const struct wish *w)
{
	struct forward_listeners l;
	int r;

	if (w->kind == PRIV_FORWARD_UNIX)
		r = forward_listen_path(&l, w->name,
		    w->flags & PRIV_LISTEN_UNLINK);
	else
		r = forward_listen_tcp(&l, w->name, w->port);
	if (r == -1) {
		forward_answer(PM_FORWARD_LISTEN, id, strerror(errno), NULL,
		    NULL, 0);
		return;
	}
	forward_answer(PM_FORWARD_LISTEN, id, "", &l.port, l.fd, l.n);
	for (size_t i = 0; i < l.n; i++)
		close(l.fd[i]);
}

static void
forward_hear(void)
{
	static struct privmsg m;
	struct wish w;
	int r;

	if ((r = privmsg_recv(FORWARDER_FD, &m, false)) == SKY_ERR_AGAIN)
		return;
	if (r != 1 ||
	    (m.type != PM_FORWARD_OPEN && m.type != PM_FORWARD_LISTEN) ||
	    wish_read(&w, &m.body, m.type == PM_FORWARD_LISTEN) != 0)
		forward_leave();
	if (m.type == PM_FORWARD_OPEN)
		forward_open(m.id, &w);
	else
		forward_listen(m.id, &w);
	free(w.name);
	privmsg_clear(&m);
}

/* --- the loop --- */

/* How many there are, and when something is late. */
static nfds_t
forward_gather(int64_t *until)
{
	nfds_t n = 2;

	polled[0] = (struct pollfd){ .fd = FORWARDER_FD, .events = POLLIN };
	polled[1] = (struct pollfd){ .fd = names, .events = POLLIN };
	*until = INT64_MAX;
	for (size_t i = 0; i < PRIV_FORWARDS_MAX; i++) {
		struct attempt *a = &attempts[i];

		if (a->state == ATTEMPT_FREE)
			continue;
		if (a->deadline < *until)
			*until = a->deadline;
		if (a->state == ATTEMPT_AGAIN && now_ms() + AGAIN_MS < *until)
			*until = now_ms() + AGAIN_MS;
		if (a->state != ATTEMPT_CONNECTS)
			continue;
		polled_for[n] = a;
		polled[n++] = (struct pollfd){ .fd = a->fd, .events = POLLOUT };
	}
	return n;
}

static void
forward_be_late(void)
{
	int64_t now = now_ms();

	for (size_t i = 0; i < PRIV_FORWARDS_MAX; i++) {
		struct attempt *a = &attempts[i];

		if (a->state == ATTEMPT_FREE)
			continue;
		if (a->deadline > now) {
			if (a->state == ATTEMPT_AGAIN)
				attempt_connect(a);
			continue;
		}
		if (a->state == ATTEMPT_NAMED) {
			attempt_end(a, "the name servers do not answer", -1);
			continue;
		}
		attempt_next(a, ETIMEDOUT);
		attempt_connect(a);
	}
	if (names != -1)
		names_go_on();
}

static void
forward_round(void)
{
	int64_t until, left;
	nfds_t n = forward_gather(&until);

	left = until == INT64_MAX ? -1 : until - now_ms();
	if (left < -1)
		left = 0;
	if (poll(polled, n, until == INT64_MAX ? -1 : (int)left) == -1 &&
	    errno != EINTR)
		forward_leave();
	for (nfds_t i = 2; i < n; i++)
		if (polled[i].revents != 0)
			attempt_connect(polled_for[i]);
	if (polled[1].revents != 0 && names != -1)
		names_hear();
	if (polled[0].revents != 0)
		forward_hear();
	forward_be_late();
}

/* --- the beginning --- */

static void
forward_on_step(void *arg, const char *step, const char *detail, int error)
{
	char *why = arg;

	if (error != 0)
		snprintf(why, FORWARD_WHY_MAX,
		    FORWARDER_PROGRAM " cannot be confined: %s (%s): %s", step,
		    detail, strerror(error));
}

void
forward_confine(struct sandbox *sb)
{
	char why[FORWARD_WHY_MAX] = "";

	if (sandbox_enter(sb, forward_on_step, why) == 0)
		return;
	forward_answer(PM_FORWARD_OPEN, 0, why, NULL, NULL, 0);
	_exit(1);
}

int
main(int argc, char **argv)
{
	struct sandbox sb = { 0 }, its;

	process_standard_fds();
	if (argc < 1 || fcntl(FORWARDER_FD, F_GETFD) == -1) {
		fputs(FORWARDER_PROGRAM " is run by skyptyd-monitor\n", stderr);
		return 64;
	}
	closefrom(FORWARDER_FD + 1);
	(void)prctl(PR_SET_NAME, FORWARDER_PROGRAM); /* it was a descriptor */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	umask(FORWARD_UMASK);
	for (size_t i = 0; i < PRIV_FORWARDS_MAX; i++)
		attempts[i].fd = -1;
	sb.best_effort =
	    argc > 1 && strcmp(argv[1], FORWARDER_BEST_EFFORT) == 0;
	its = sb;
	names = forward_names_start(&its);
	sb.program = SANDBOX_FORWARD;
	sb.nobodys = true; /* it removes its sockets when the monitor is gone */
	sb.sockets = true;
	sb.memory = FORWARD_MEMORY;
	sb.nofile = FORWARD_FDS;
	forward_confine(&sb);
	for (;;)
		forward_round();
}
