/* SPDX-License-Identifier: ISC */
/*
 * Stands in for skyptyd-dmsg, skyptyd-http or skypty-tls, whichever name it
 * has, and tries to connect its socket to another port: the file "inner" beside
 * it names that.  dmsg's and tls's socket is one whose peer, at the port in
 * "relay", has reset it; http's is that of a browser, which does the same. With
 * the order "open" it goes unconfined, so that the socket alone must hold.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>

#include "common/base/tls.h"
#include "regress/sys/stand_in.h"

#define NOFILE	   64
#define PATIENCE_S 10
#define SHUTDOWN   "shutdown"

static unsigned inner, relay;
static bool is_tls;

static void
say(const char *what, long r, int error)
{
	char text[128];

	snprintf(text, sizeof(text), "fastopen: %s: %ld %s\n", what, r,
	    strerror(error));
	if (is_tls)
		(void)!write(TLS_FD_PLAIN, text, strlen(text));
	else {
		text[strcspn(text, "\n")] = '\0';
		stand_in_log(text);
	}
}

static unsigned
number(const char *file)
{
	char line[16];

	if (!stand_in_order(file, line, sizeof(line)))
		_exit(1);
	return (unsigned)atoi(line);
}

/* The relay answers with it.  Waiting is not what everybody may do. */
static void
provoke_reset(int fd)
{
	struct timespec now, begin;
	uint8_t byte;

	if (write(fd, "x", 1) != 1)
		_exit(1);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while (read(fd, &byte, 1) == -1 && errno == EAGAIN &&
	    now.tv_sec - begin.tv_sec < PATIENCE_S);
}

static long
send_to_inner(int fd, bool by_message)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)inner),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct iovec iov = { .iov_base = &sin, .iov_len = 1 };
	struct msghdr mh = { .msg_name = &sin,
		.msg_namelen = sizeof(sin),
		.msg_iov = &iov,
		.msg_iovlen = 1 };

	if (by_message)
		return sendmsg(fd, &mh, MSG_FASTOPEN | MSG_NOSIGNAL);
	return sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL,
	    (struct sockaddr *)&sin, sizeof(sin));
}

/* Its first failure may be the peer's; the second one tells. */
__attribute__((noreturn)) static void
attack(int fd, const char *act)
{
	bool by_message = strstr(act, "sendto") == NULL;
	bool stays = true;
	long r;

	say("attempting", 0, 0);
	if (strstr(act, SHUTDOWN) != NULL) {
		r = shutdown(fd, SHUT_RDWR);
		say("survived shutdown", r, errno);
	}
	for (int i = 0; i < 3; i++) {
		errno = 0;
		r = send_to_inner(fd, by_message);
		stays = stays && r == -1 && errno == EISCONN;
		if (!stays)
			say("survived", r, errno);
	}
	say(stays ? "the socket stays connected" : "it does not", 0, 0);
	_exit(0);
}

/* --- the socket --- */

static int
ask_for_relay(void)
{
	struct privmsg m = { 0 };
	struct buf b;

	buf_init(&b, 64);
	if (privmsg_recv(PRIV_FD_PEER, &m, true) != 1 ||
	    m.type != PM_DMSG_CONFIG || buf_put_cstring(&b, "127.0.0.1") != 0 ||
	    buf_put_u16(&b, (uint16_t)relay) != 0 ||
	    privmsg_send(PRIV_FD_PEER, PM_DMSG_CONNECT, 7, &b, NULL, 0) != 0)
		_exit(1);
	do
		if (privmsg_recv(PRIV_FD_PEER, &m, true) != 1)
			_exit(1);
	while (m.type != PM_DMSG_CONNECT + 1);
	return privmsg_take_fd(&m, 0);
}

static void
as_dmsg(const char *act)
{
	bool open = strcmp(act, "open") == 0;
	struct privmsg m = { 0 };
	int fd;

	relay = number("relay");
	if (open ? privmsg_recv(PRIV_FD_PEER, &m, true) != 1 :
		   !stand_in_confine(NOFILE, NULL))
		_exit(1);
	if ((fd = ask_for_relay()) == -1) {
		say("no socket", 0, 0);
		_exit(0);
	}
	provoke_reset(fd);
	attack(fd, act);
}

static void
as_http(const char *act)
{
	struct privmsg m = { 0 };
	int fd, r;

	if (privmsg_recv(PRIV_FD_PEER, &m, true) != 1 ||
	    m.type != HTTP_CONFIG ||
	    (strcmp(act, "open") != 0 && !stand_in_confine_http(&m.body)))
		_exit(1);
	while ((r = privmsg_recv(PRIV_FD_CONN, &m, true)) == SKY_ERR_AGAIN)
		continue;
	if (r != 1 || m.type != HTTP_BROWSER ||
	    (fd = privmsg_take_fd(&m, 0)) == -1)
		_exit(0);
	provoke_reset(fd);
	attack(fd, act);
}

static void
as_tls(const char *act)
{
	struct sandbox sb = { .program = SANDBOX_TLS, .nofile = NOFILE };

	is_tls = true;
	signal(SIGPIPE, SIG_IGN);
	stand_in_landlock();
	if (sandbox_enter(&sb, NULL, NULL) == -1)
		_exit(1);
	provoke_reset(TLS_FD_NET);
	attack(TLS_FD_NET, act);
}

int
main(void)
{
	char self[PATH_MAX], act[32];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *name;

	if (n == -1 || !stand_in_order("act", act, sizeof(act)))
		return 1;
	self[n] = '\0';
	name = strrchr(self, '/');
	inner = number("inner");
	if (strcmp(name, "/skyptyd-dmsg") == 0)
		as_dmsg(act);
	else if (strcmp(name, "/skyptyd-http") == 0)
		as_http(act);
	else
		as_tls(act);
	return 1;
}
