/* SPDX-License-Identifier: ISC */
/*
 * Sockets for the overlay's confined child.  Names are resolved and connections
 * made in a process of its own for each, which is nobody in particular: an
 * answer of the name service is a stranger's word.
 */
#include "monitor/monitor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/process.h"
#include "common/tls.h"

#define CONNECT_S    10 /* for one address */
#define CONNECTOR_S  30 /* for all of it */
#define CONNECTOR_FD 3
#define PROGRAM_FD   (CONNECTOR_FD + 1) /* skypty-tls */

struct connector {
	struct monitor *mon;
	pid_t pid; /* 0: reaped */
	int fd;
	uint16_t id;
	connect_done *done;
	struct event *ev;
};

/* --- in the process that connects --- */

static enum reach
reach_v4(uint32_t a)
{
	if (a >> 24 == 127 || a >> 24 == 0 || a >> 16 == 0xa9fe ||
	    a >> 28 >= 0xe)
		return REACH_LOCAL;
	if (a >> 24 == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 ||
	    a >> 22 == 0x191 /* 100.64.0.0/10 */ ||
	    a >> 17 == 0x6309 /* 198.18.0.0/15 */)
		return REACH_PRIVATE;
	return REACH_PUBLIC;
}

static enum reach
reach_v6(const struct in6_addr *a)
{
	if (IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_UNSPECIFIED(a) ||
	    IN6_IS_ADDR_LINKLOCAL(a) || IN6_IS_ADDR_V4MAPPED(a) ||
	    IN6_IS_ADDR_V4COMPAT(a) || IN6_IS_ADDR_MULTICAST(a))
		return REACH_LOCAL;
	/* fc00::/7, fec0::/10; 64:ff9b::/96 and 2002::/16 hold others. */
	if ((a->s6_addr[0] & 0xfe) == 0xfc ||
	    (a->s6_addr[0] == 0xfe && (a->s6_addr[1] & 0xc0) == 0xc0))
		return REACH_PRIVATE;
	if (memcmp(a->s6_addr, "\0\x64\xff\x9b\0\0\0\0\0\0\0\0", 12) == 0 ||
	    memcmp(a->s6_addr, "\x20\2", 2) == 0)
		return REACH_LOCAL;
	return REACH_PUBLIC;
}

static enum reach
reach_of(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return reach_v4(
		    ntohl(((const struct sockaddr_in *)(const void *)sa)
			      ->sin_addr.s_addr));
	return reach_v6(
	    &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
}

enum reach
connect_reach(const char *host)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, host, &v4) == 1)
		return reach_v4(ntohl(v4.s_addr));
	if (inet_pton(AF_INET6, host, &v6) == 1)
		return reach_v6(&v6);
	return strcasecmp(host, "localhost") == 0 ? REACH_LOCAL : REACH_PUBLIC;
}

/* An address of this machine's own, however public it is. */
static bool
is_own(int fd)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} here, there;
	socklen_t hlen = sizeof(here), tlen = sizeof(there);

	if (getsockname(fd, &here.sa, &hlen) == -1 ||
	    getpeername(fd, &there.sa, &tlen) == -1 ||
	    here.sa.sa_family != there.sa.sa_family)
		return true;
	if (here.sa.sa_family == AF_INET)
		return here.v4.sin_addr.s_addr == there.v4.sin_addr.s_addr;
	return IN6_ARE_ADDR_EQUAL(&here.v6.sin6_addr, &there.v6.sin6_addr);
}

static int
connect_one(const struct addrinfo *ai)
{
	struct pollfd p = { .events = POLLOUT };
	socklen_t len = sizeof(int);
	int on = 1, error = ETIMEDOUT;

	p.fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (p.fd == -1)
		return -1;
	(void)setsockopt(p.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(p.fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (connect(p.fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return p.fd;
	if (errno != EINPROGRESS)
		error = errno;
	else if (poll(&p, 1, CONNECT_S * 1000) == 1)
		(void)getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error == 0)
		return p.fd;
	close(p.fd);
	errno = error;
	return -1;
}

static int
resolve_and_connect(const struct connect_to *to, const char **why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	char port[8];
	int fd = -1, r;

	snprintf(port, sizeof(port), "%u", to->port);
	if ((r = getaddrinfo(to->host, port, &hints, &list)) != 0) {
		*why = gai_strerror(r);
		return -1;
	}
	*why = "a private or local address: only servers that "
	       "\"dmsg_servers\" names may have one, or all when one of "
	       "them or the discovery has";
	for (struct addrinfo *ai = list; ai != NULL && fd == -1;
	     ai = ai->ai_next) {
		if (reach_of(ai->ai_addr) > to->reach)
			continue;
		if ((fd = connect_one(ai)) == -1)
			*why = strerror(errno);
		else if (to->reach != REACH_LOCAL && is_own(fd)) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	return fd;
}

static int
become_nobody(const struct start *s)
{
	if (!(s->welcome & PRIV_DROP))
		return 0;
	if (setgroups(0, NULL) == -1 || setresgid(s->gid, s->gid, s->gid) == -1)
		return -1;
	return setresuid(s->uid, s->uid, s->uid);
}

/* The plain side of TLS in place of the connection. */
static int
wrap(const struct start *s, int program, int net, const char *host,
    const char **why)
{
	static char text[TLS_WHY_MAX] = TLS_MISSING;
	int plain = -1;

	if (program != -1)
		plain = tls_start(program, net, host,
		    s->welcome & PRIV_BEST_EFFORT, text);
	*why = text;
	close(net);
	return plain;
}

static void
run(struct monitor *m, int sock, const struct connect_to *to)
{
	const struct rlimit none = { 0, 0 };
	const struct start *s = &m->start;
	const char *why = "";
	struct buf b;
	int fd, program = -1;

	/*
	 * Whatever a name server's answer may do here: there is no key, and no
	 * descriptor but the one for the result and that of skypty-tls, which
	 * may lie where nobody cannot go.
	 */
	overlay_forget(m);
	process_reset_signals();
	alarm(CONNECTOR_S);
	if (dup2(sock, CONNECTOR_FD) == -1)
		_exit(1);
	if (to->tls)
		program = dup2(tls_open(), PROGRAM_FD);
	if (become_nobody(s) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    setrlimit(RLIMIT_CORE, &none) == -1)
		_exit(1);
	sock = CONNECTOR_FD;
	closefrom(program == -1 ? PROGRAM_FD : PROGRAM_FD + 1);
	fd = resolve_and_connect(to, &why);
	if (fd != -1 && to->tls)
		fd = wrap(s, program, fd, to->host, &why);
	buf_init(&b, PRIVMSG_TEXT_MAX);
	if (buf_put_cstring(&b, fd == -1 ? why : "") == 0)
		(void)privmsg_send(sock, PM_OV_CONNECT + 1, 0, &b, &fd,
		    fd == -1 ? 0 : 1);
	_exit(0);
}

/* --- in the monitor --- */

static void
finish(struct connector *c, int fd, const char *why)
{
	c->done(c->mon, c->id, fd, why);
	event_free(c->ev);
	close(c->fd);
	/* A connector without a pid is free; SIGCHLD does the rest. */
	c->ev = NULL;
	c->fd = -1;
}

static void
on_result(evutil_socket_t fd, short what, void *arg)
{
	struct connector *c = arg;
	struct privmsg m = { 0 };
	char *why = NULL;
	int got = -1;

	(void)what;
	if (privmsg_recv(fd, &m, true) == 1 && m.type == PM_OV_CONNECT + 1 &&
	    buf_get_cstring(&m.body, &why, PRIVMSG_TEXT_MAX) == 0)
		got = privmsg_take_fd(&m, 0);
	finish(c, got, why != NULL ? why : "connection timed out");
	free(why);
	privmsg_free(&m);
}

static struct connector *
free_slot(struct connector *all)
{
	for (size_t i = 0; i < PRIV_CONNECTS_MAX; i++)
		if (all[i].pid == 0 && all[i].ev == NULL)
			return &all[i];
	return NULL;
}

int
connect_init(struct monitor *m)
{
	m->connectors = calloc(PRIV_CONNECTS_MAX, sizeof(*m->connectors));
	return m->connectors != NULL ? 0 : ERR_NOMEM;
}

int
connect_start(struct monitor *m, uint16_t id, const struct connect_to *to,
    connect_done *done)
{
	struct connector *c = free_slot(m->connectors);
	int sv[2];

	if (c == NULL) {
		done(m, id, -1, "too many connections at once");
		return 0;
	}
	if (privmsg_pair(sv) != 0) {
		done(m, id, -1, strerror(errno));
		return 0;
	}
	if ((c->pid = fork()) == 0)
		run(m, sv[1], to);
	close(sv[1]);
	if (c->pid == -1) {
		c->pid = 0;
		close(sv[0]);
		done(m, id, -1, strerror(errno));
		return 0;
	}
	c->mon = m;
	c->id = id;
	c->done = done;
	c->fd = sv[0];
	c->ev = event_new(m->base, sv[0], EV_READ, on_result, c);
	if (c->ev != NULL && event_add(c->ev, NULL) == 0)
		return 0;
	close(sv[0]);
	return ERR_SYS;
}

void
connect_reap(struct monitor *m)
{
	for (size_t i = 0; m->connectors != NULL && i < PRIV_CONNECTS_MAX; i++)
		if (m->connectors[i].pid > 0 &&
		    waitpid(m->connectors[i].pid, NULL, WNOHANG) > 0)
			m->connectors[i].pid = 0;
}
