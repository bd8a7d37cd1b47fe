/* SPDX-License-Identifier: ISC */
/*
 * Sockets for dmsg's confined child.  Names are resolved and connections
 * made by a program of its own for each, skyptyd-connect, which is confined:
 * an answer of the name service is a stranger's word.  What comes back is
 * looked at here before the child gets it.
 */
#include "monitor/dmsg/connect.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/base/connector.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/paths.h"
#include "common/base/process.h"
#include "common/base/tcp.h"
#include "common/base/tls.h"
#include "common/dmsg/dmsg_session.h"
#include "common/privsep/privmsg.h"
#include "monitor/dmsg/dmsg_monitor.h"

#define NUMBER_MAX 8  /* of a port, as text */
#define RELAYS_MAX 64 /* of TLS, that live */
#define STAY_S	   10 /* to end in, for one that has nothing to say */

/*
 * One connection to be made.  First fd is the connector's, then, where TLS is
 * wanted, the plain side of skypty-tls.  Its slot is free when both the process
 * and the event are gone.
 */
struct connector {
	struct dmsg_monitor *mon;
	pid_t pid;  /* 0: reaped */
	int status; /* of waitpid(2), when it has been */
	int fd;
	uint16_t id;
	connect_done *done;
	struct event *ev;
	bool silent; /* it has ended without a word: why, its status says */
	char host[ADDR_HOST_MAX];
	uint16_t port;
	enum reach reach;
	bool tls;
	char word[TLS_WHY_MAX]; /* of skypty-tls, as far as it has come */
	size_t nword;
};

/* --- in the process that becomes another program --- */

static struct connector_user
connect_user(const struct dmsg_monitor *m)
{
	return (
	    struct connector_user){ .drop = m->half.start.welcome & PRIV_DROP,
		.uid = m->half.start.uid,
		.gid = m->half.start.gid };
}

static int
connect_become_nobody(void *arg)
{
	struct dmsg_monitor *m = arg;
	struct connector_user u = connect_user(m);

	dmsg_monitor_forget(&m->half);
	return connector_become(&u);
}

__attribute__((noreturn)) static void
connect_execute(const struct connector *c, const char *path, int sock)
{
	struct connector_user u = connect_user(c->mon);
	char port[NUMBER_MAX];

	dmsg_monitor_forget(&c->mon->half);
	snprintf(port, sizeof(port), "%u", c->port);
	connector_execute(path, sock, c->host, port, c->reach,
	    c->mon->half.start.welcome & PRIV_BEST_EFFORT, &u);
}

/* --- in the monitor --- */

/* The connector is done with; fd is not its own any more. */
static void
connect_finish(struct connector *c, int fd, const char *why)
{
	if (c->ev != NULL)
		event_free(c->ev);
	if (c->fd != -1)
		close(c->fd);
	c->ev = NULL;
	c->fd = -1;
	c->silent = false;
	c->done(c->mon, c->id, fd, why);
}

/*
 * A socket of TCP that is connected to where it should be, and stays so,
 * whoever says so.
 */
static bool
connect_is_good(const struct connector *c, int fd)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} peer;
	socklen_t len = sizeof(peer);
	in_port_t port;

	if (!tcp_is_stream(fd) || getpeername(fd, &peer.sa, &len) == -1)
		return false;
	if (peer.sa.sa_family == AF_INET)
		port = peer.v4.sin_port;
	else if (peer.sa.sa_family == AF_INET6)
		port = peer.v6.sin6_port;
	else
		return false;
	return ntohs(port) == c->port && reach_allows(c->reach, &peer.sa) &&
	    fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && tcp_settle(fd) == 0;
}

static int
connect_watch(struct connector *c, int fd, event_callback_fn callback,
    int seconds)
{
	const struct timeval tv = { .tv_sec = seconds };

	c->fd = fd;
	c->ev =
	    event_new(c->mon->half.base, fd, EV_READ | EV_PERSIST, callback, c);
	return c->ev != NULL ? event_add(c->ev, &tv) : -1;
}

/* What skypty-tls says before the first byte of its peer. */
static void
connect_on_word(evutil_socket_t fd, short what, void *arg)
{
	struct connector *c = arg;
	ssize_t n = 0;
	int plain;

	if (what & EV_TIMEOUT) {
		connect_finish(c, -1, "no answer to the TLS handshake");
		return;
	}
	while (c->nword < sizeof(c->word) - 1 &&
	    (n = read(fd, &c->word[c->nword], 1)) == 1 &&
	    c->word[c->nword] != '\n')
		c->nword++;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	c->word[c->nword] = '\0';
	if (n != 1)
		connect_finish(c, -1, "skypty-tls ended");
	else if (strcmp(c->word, TLS_OK) != 0)
		connect_finish(c, -1, c->word);
	else {
		plain = c->fd;
		c->fd = -1;
		connect_finish(c, plain, "");
	}
}

/* Where the pid of one more skypty-tls goes; it lives a minute at most. */
static pid_t *
connect_free_relay(struct dmsg_monitor *m)
{
	for (size_t i = 0; i < RELAYS_MAX; i++)
		if (m->relays[i] == 0)
			return &m->relays[i];
	return NULL;
}

static void
connect_secure(struct connector *c, int net)
{
	bool best_effort = c->mon->half.start.welcome & PRIV_BEST_EFFORT;
	int program = tls_open(), plain;
	const char *why;
	pid_t *relay;

	event_free(c->ev);
	close(c->fd);
	c->ev = NULL;
	c->fd = -1;
	if (program < 0) {
		close(net);
		connect_finish(c, -1, TLS_MISSING);
		return;
	}
	relay = connect_free_relay(c->mon);
	plain = -1;
	errno = EAGAIN;
	if (relay != NULL)
		plain = tls_launch(program, net, c->host, best_effort,
		    connect_become_nobody, c->mon, relay);
	why = strerror(errno);
	close(program);
	close(net);
	if (plain == -1)
		connect_finish(c, -1, why);
	else if (fcntl(plain, F_SETFL, O_NONBLOCK) == -1 ||
	    connect_watch(c, plain, connect_on_word, TLS_WAIT_MS / 1000) == -1)
		connect_finish(c, -1, "out of memory");
}

/* Why there was no message: only its end tells. */
static void
connect_explain(struct connector *c)
{
	char why[PRIVMSG_TEXT_MAX];

	if (WIFSIGNALED(c->status) && WTERMSIG(c->status) == SIGALRM)
		strlcpy(why, "connection timed out", sizeof(why));
	else if (WIFSIGNALED(c->status))
		snprintf(why, sizeof(why),
		    CONNECTOR_PROGRAM " was killed by signal %d",
		    WTERMSIG(c->status));
	else
		snprintf(why, sizeof(why),
		    CONNECTOR_PROGRAM " ended with status %d",
		    WEXITSTATUS(c->status));
	log_warn("%s port %u: %s", c->host, c->port, why);
	connect_finish(c, -1, why);
}

static void
connect_on_stay(evutil_socket_t fd, short what, void *arg)
{
	const struct connector *c = arg;

	(void)process_signal(c->pid, SIGKILL);
}

/* It has ended, or should have; one that was taken over may block its alarm. */
static void
connect_await_end(struct connector *c)
{
	const struct timeval tv = { .tv_sec = STAY_S };

	event_free(c->ev);
	c->silent = true;
	c->ev = evtimer_new(c->mon->half.base, connect_on_stay, c);
	if (c->ev == NULL || event_add(c->ev, &tv) == -1)
		(void)process_signal(c->pid, SIGKILL);
	if (c->pid == 0)
		connect_explain(c);
}

static void
connect_on_result(evutil_socket_t fd, short what, void *arg)
{
	struct connector *c = arg;
	struct privmsg m = { 0 };
	char *why = NULL;
	int r, got = -1;

	/* Its alarm comes first. */
	if (what & EV_TIMEOUT) {
		(void)process_signal(c->pid, SIGKILL);
		connect_finish(c, -1, "connection timed out");
		return;
	}
	if ((r = privmsg_recv(fd, &m, true)) == SKY_ERR_AGAIN)
		return;
	if (r == 1 && m.type == PM_DMSG_CONNECT + 1 &&
	    buf_get_cstring(&m.body, &why, PRIVMSG_TEXT_MAX) == 0)
		got = privmsg_take_fd(&m, 0);
	/* Who has said his one word has nothing more to do. */
	if (why != NULL)
		(void)process_signal(c->pid, SIGKILL);
	if (why == NULL)
		connect_await_end(c);
	else if (got == -1)
		connect_finish(c, -1, why);
	else if (!connect_is_good(c, got)) {
		close(got);
		connect_finish(c, -1, "the connection was closed");
	} else if (c->tls)
		connect_secure(c, got);
	else {
		tcp_bound_unsent(got, DMSG_UNSENT);
		connect_finish(c, got, "");
	}
	free(why);
	privmsg_free(&m);
}

static struct connector *
connect_free_slot(struct connector *all)
{
	for (size_t i = 0; i < PRIV_CONNECTS_MAX; i++)
		if (all[i].pid == 0 && all[i].ev == NULL)
			return &all[i];
	return NULL;
}

int
connect_init(struct dmsg_monitor *m)
{
	m->connectors = calloc(PRIV_CONNECTS_MAX, sizeof(*m->connectors));
	m->relays = calloc(RELAYS_MAX, sizeof(*m->relays));
	return m->connectors != NULL && m->relays != NULL ? 0 : SKY_ERR_NOMEM;
}

static int
connect_spawn(struct connector *c, const char *path)
{
	int sv[2], r;

	if (privmsg_pair(sv) != 0)
		return -1;
	if ((r = process_fork(&c->pid)) == 0) {
		process_set_oom_score(c->mon->half.start.oom_score);
		connect_execute(c, path, sv[1]);
	}
	close(sv[1]);
	if (r == -1) {
		close(sv[0]);
		return -1;
	}
	return connect_watch(c, sv[0], connect_on_result, 2 * CONNECTOR_S);
}

void
connect_start(struct dmsg_monitor *m, uint16_t id, const struct connect_to *to,
    connect_done *done)
{
	struct connector *c = connect_free_slot(m->connectors);
	char path[PROCESS_PATH_MAX];

	if (c == NULL) {
		done(m, id, -1, "too many connections at once");
		return;
	}
	if (process_companion(path, sizeof(path), CONNECTOR_PROGRAM, ".",
		LIBEXECDIR) != 0) {
		log_error(CONNECTOR_PROGRAM " is not where it belongs");
		done(m, id, -1, CONNECTOR_PROGRAM " is not here");
		return;
	}
	memset(c, 0, sizeof(*c));
	c->mon = m;
	c->id = id;
	c->done = done;
	c->fd = -1;
	c->port = to->port;
	c->reach = to->reach;
	c->tls = to->tls;
	strlcpy(c->host, to->host, sizeof(c->host));
	if (connect_spawn(c, path) == -1)
		connect_finish(c, -1, strerror(errno));
}

void
connect_reap(struct dmsg_monitor *m)
{
	struct connector *c;

	for (size_t i = 0; m->relays != NULL && i < RELAYS_MAX; i++)
		if (m->relays[i] != 0 &&
		    waitpid(m->relays[i], NULL, WNOHANG) == m->relays[i])
			m->relays[i] = 0;
	for (size_t i = 0; m->connectors != NULL && i < PRIV_CONNECTS_MAX;
	     i++) {
		c = &m->connectors[i];
		if (c->pid == 0 ||
		    waitpid(c->pid, &c->status, WNOHANG) != c->pid)
			continue;
		c->pid = 0;
		if (c->silent)
			connect_explain(c);
	}
}
