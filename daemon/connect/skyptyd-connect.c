/* SPDX-License-Identifier: ISC */
/*
 * skyptyd-connect: resolves one name and connects to it, for dmsg.  The
 * answers of name servers are strangers' words, so it is confined before it
 * asks: it reads the resolver's files and no others, makes sockets of IP, and
 * can signal, start or look into nobody.  What no filter can tell it from is
 * where it connects and sends to; the monitor looks at what it gets.  See
 * common/base/connector.h.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#ifdef __GLIBC__
#include <nss.h>
#include <resolv.h>
#endif
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/connector.h"
#include "common/base/process.h"
#include "common/base/reach.h"
#include "common/base/tcp.h"
#include "common/privsep/privmsg.h"
#include "common/privsep/sandbox.h"

#define ADDRESS_MS  10000 /* for one address */
#define MEMORY	    (64U * 1024 * 1024)
#define DESCRIPTORS 16
#define PORT_DNS    53

#define NOT_ALLOWED                                                \
	"a private or local address: only servers that "           \
	"\"dmsg_servers\" names may have one, or all when one of " \
	"them or the discovery has"

/* What resolvers read; a link is followed now, not later. */
static const char *const files[] = { "/etc/resolv.conf", "/etc/hosts",
	"/etc/host.conf", "/etc/gai.conf", "/etc/nsswitch.conf", NULL };

static void
connect_answer(const char *why, int fd)
{
	struct buf b;

	buf_init(&b, PRIVMSG_TEXT_MAX);
	if (buf_put_cstring(&b, why) == 0)
		(void)privmsg_send(CONNECTOR_FD, PM_DMSG_CONNECT + 1, 0, &b,
		    &fd, fd != -1);
	_exit(0);
}

/*
 * Names are in the file or in DNS: whatever else nsswitch.conf has is a library
 * to be loaded, or a process to be asked.  The resolver's configuration is read
 * before there is a filter: a name server may be one of a link, and to turn its
 * zone into a number takes a socket of another kind.
 */
static void
choose_sources(void)
{
#ifdef __GLIBC__
	(void)__nss_configure_lookup("hosts", "files dns");
	(void)res_init();
#endif
}

/* The same for an address of a link, which a configuration may have. */
static struct addrinfo *
parse_zone(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV | AI_NUMERICHOST };
	struct addrinfo *list = NULL;

	if (strchr(host, '%') == NULL ||
	    getaddrinfo(host, port, &hints, &list) != 0)
		return NULL;
	return list;
}

static void
connect_report(void *arg, const char *step, const char *detail, int error)
{
	char *why = arg;

	if (error != 0)
		snprintf(why, PRIVMSG_TEXT_MAX, "%s (%s): %s", step, detail,
		    strerror(error));
}

static void
connect_confine(uint16_t port, bool best_effort)
{
	const uint16_t ports[] = { port, PORT_DNS };
	struct sandbox sb = { .program = SANDBOX_CONNECT,
		.best_effort = best_effort,
		.memory = MEMORY,
		.nofile = DESCRIPTORS,
		.readable = files,
		.ports = ports,
		.nports = sizeof(ports) / sizeof(ports[0]) };
	char step[PRIVMSG_TEXT_MAX] = "", why[PRIVMSG_TEXT_MAX];

	if (sandbox_enter(&sb, connect_report, step) == 0)
		return;
	snprintf(why, sizeof(why),
	    CONNECTOR_PROGRAM " cannot be confined: %.*s", PRIVMSG_TEXT_MAX / 2,
	    step);
	connect_answer(why, -1);
}

static int
connect_one_of(const struct addrinfo *list, enum reach reach, const char **why)
{
	int fd = -1;

	*why = NOT_ALLOWED;
	for (; list != NULL && fd == -1; list = list->ai_next) {
		if (!reach_allows(reach, list->ai_addr))
			continue;
		if ((fd = tcp_open(list, now_ms() + ADDRESS_MS)) == -1)
			*why = strerror(errno);
	}
	if (fd == -1)
		return -1;
	tcp_set_options(fd);
	*why = "";
	return fd;
}

static int
resolve_and_connect(const char *host, const char *port, enum reach reach,
    const char **why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV };
	struct addrinfo *list;
	int fd, r;

	if ((r = getaddrinfo(host, port, &hints, &list)) != 0) {
		*why = gai_strerror(r);
		return -1;
	}
	fd = connect_one_of(list, reach, why);
	freeaddrinfo(list);
	return fd;
}

int
main(int argc, char **argv)
{
	struct addrinfo *zoned;
	const char *why = "";
	int reach, port, fd;

	process_standard_fds();
	if (argc < 4 || (port = atoi(argv[2])) <= 0 || port > UINT16_MAX ||
	    (reach = atoi(argv[3])) < REACH_PUBLIC || reach > REACH_LOCAL) {
		fputs(CONNECTOR_PROGRAM " is run by skyptyd\n", stderr);
		return 64;
	}
	closefrom(CONNECTOR_FD + 1);
	(void)prctl(PR_SET_NAME, CONNECTOR_PROGRAM); /* it was a descriptor */
	signal(SIGPIPE, SIG_IGN);
	choose_sources();
	zoned = parse_zone(argv[1], argv[2]);
	connect_confine((uint16_t)port,
	    argc > 4 && strcmp(argv[4], CONNECTOR_BEST_EFFORT) == 0);
	fd = zoned != NULL ?
	    connect_one_of(zoned, (enum reach)reach, &why) :
	    resolve_and_connect(argv[1], argv[2], (enum reach)reach, &why);
	connect_answer(why, fd);
	return 0;
}
