/* SPDX-License-Identifier: ISC */
/*
 * The process that asks name servers: a copy of it for each name, so that one
 * that is slow holds up no other.  Their answers are strangers' words: what a
 * copy could be made to do is to say wrong addresses, and no more.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#ifdef __GLIBC__
#include <nss.h>
#include <resolv.h>
#endif
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/base/process.h"
#include "common/privsep/sandbox.h"
#include "daemon/forward/forward.h"

#define NAMES_MEMORY (64U * 1024 * 1024)
#define NAMES_FDS    16
#define PORT_DNS     53

struct names_question {
	uint32_t serial;
	char host[ADDR_HOST_MAX];
};

/* What resolvers read; a link is followed now, not later. */
static const char *const files[] = { "/etc/resolv.conf", "/etc/hosts",
	"/etc/host.conf", "/etc/gai.conf", "/etc/nsswitch.conf", NULL };
static const uint16_t ports[] = { PORT_DNS };

/* --- addresses --- */

void
forward_address_port(struct forward_address *a, uint16_t port)
{
	if (a->sa.ss_family == AF_INET)
		((struct sockaddr_in *)&a->sa)->sin_port = htons(port);
	else if (a->sa.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&a->sa)->sin6_port = htons(port);
}

int
forward_address_path(struct forward_address *a, const char *path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&a->sa;

	memset(a, 0, sizeof(*a));
	un->sun_family = AF_UNIX;
	a->len = sizeof(*un);
	if (strlcpy(un->sun_path, path, sizeof(un->sun_path)) <
	    sizeof(un->sun_path))
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

/* Those of a list, each once, as many as there is room for. */
static size_t
names_copy(const struct addrinfo *list, struct forward_address *at)
{
	size_t n = 0;

	for (; list != NULL && n < FORWARDER_ADDRESSES; list = list->ai_next) {
		if (list->ai_addrlen > sizeof(at[n].sa) ||
		    (list->ai_family != AF_INET && list->ai_family != AF_INET6))
			continue;
		memset(&at[n], 0, sizeof(at[n]));
		memcpy(&at[n].sa, list->ai_addr, list->ai_addrlen);
		at[n++].len = list->ai_addrlen;
	}
	return n;
}

/* Not by getaddrinfo(3), which asks for more than one that is confined has. */
static size_t
names_number(const char *host, struct forward_address *at)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&at->sa;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&at->sa;

	memset(at, 0, sizeof(*at));
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		at->len = sizeof(*v4);
		return 1;
	}
	memset(at, 0, sizeof(*at));
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		at->len = sizeof(*v6);
		return 1;
	}
	return 0;
}

/* RFC 6761: that name is this machine whatever a server says. */
size_t
forward_names_known(const char *host, uint16_t port,
    struct forward_address at[FORWARDER_ADDRESSES])
{
	size_t n;

	if (strcasecmp(host, "localhost") == 0) {
		n = names_number("::1", at);
		n += names_number("127.0.0.1", &at[n]);
	} else
		n = names_number(host, at);
	for (size_t i = 0; i < n; i++)
		forward_address_port(&at[i], port);
	return n;
}

/* --- the process --- */

__attribute__((noreturn)) static void
names_look_up(int fd, const struct names_question *q)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct forward_names a = { .serial = q->serial };
	struct addrinfo *list;
	int r;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	alarm(FORWARDER_NAME_S);
	if ((r = getaddrinfo(q->host, NULL, &hints, &list)) == 0)
		a.n = (uint32_t)names_copy(list, a.at);
	snprintf(a.why, sizeof(a.why), "%s: %s", q->host,
	    r != 0 ? gai_strerror(r) : "it has no address");
	(void)send(fd, &a, sizeof(a), 0);
	_exit(0);
}

static void
names_refuse(int fd, uint32_t serial, int error)
{
	struct forward_names a = { .serial = serial };

	snprintf(a.why, sizeof(a.why), "no process for a name: %s",
	    strerror(error));
	(void)send(fd, &a, sizeof(a), 0);
}

__attribute__((noreturn)) static void
names_serve(int fd)
{
	struct names_question q;
	ssize_t n;
	pid_t pid;

	while ((n = recv(fd, &q, sizeof(q), 0)) == sizeof(q) ||
	    (n == -1 && errno == EINTR)) {
		if (n == -1)
			continue;
		q.host[sizeof(q.host) - 1] = '\0';
		switch (process_fork(&pid)) {
		case 0:
			names_look_up(fd, &q);
		case -1:
			names_refuse(fd, q.serial, errno);
		}
	}
	_exit(0);
}

/*
 * Names are in the file or in DNS, as for skyptyd-connect: whatever else
 * nsswitch.conf has is a library to be loaded, or a process to be asked.
 */
static void
names_choose_sources(void)
{
#ifdef __GLIBC__
	(void)__nss_configure_lookup("hosts", "files dns");
	(void)res_init();
#endif
}

int
forward_names_start(struct sandbox *sb)
{
	int sv[2];
	pid_t pid;
	int r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) == -1)
		return -1;
	if ((r = process_fork(&pid)) == 0) {
		close(sv[0]);
		close(FORWARDER_FD);
		signal(SIGCHLD, SIG_IGN);
		names_choose_sources();
		sb->program = SANDBOX_NAMES;
		sb->memory = NAMES_MEMORY;
		sb->nofile = NAMES_FDS;
		sb->forks = true;
		sb->readable = files;
		sb->ports = ports;
		sb->nports = sizeof(ports) / sizeof(ports[0]);
		if (sandbox_enter(sb, NULL, NULL) == 0)
			names_serve(sv[1]);
		_exit(1);
	}
	close(sv[1]);
	if (r == 1)
		return sv[0];
	close(sv[0]);
	return -1;
}

/* --- who asks it --- */

bool
forward_names_ask(int names, uint32_t serial, const char *host)
{
	struct names_question q = { .serial = serial };

	strlcpy(q.host, host, sizeof(q.host));
	return send(names, &q, sizeof(q), MSG_DONTWAIT | MSG_NOSIGNAL) ==
	    sizeof(q);
}

/* Families and lengths are checked: what says so has met strangers. */
int
forward_names_hear(int names, struct forward_names *a)
{
	ssize_t n = recv(names, a, sizeof(*a), MSG_DONTWAIT);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n != sizeof(*a) || a->n > FORWARDER_ADDRESSES)
		return -1;
	a->why[sizeof(a->why) - 1] = '\0';
	for (uint32_t i = 0; i < a->n; i++)
		if ((a->at[i].sa.ss_family != AF_INET ||
			a->at[i].len != sizeof(struct sockaddr_in)) &&
		    (a->at[i].sa.ss_family != AF_INET6 ||
			a->at[i].len != sizeof(struct sockaddr_in6)))
			return -1;
	return 1;
}
