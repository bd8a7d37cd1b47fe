/* SPDX-License-Identifier: ISC */
/*
 * Stands in for skyptyd-connect after a name server has taken it over: hands
 * its monitor what the file "act" beside it names in place of a connection.
 * Called as "list" it prints every act and the text that the log must hold.
 */
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include "common/base/connector.h"
#include "regress/sys/stand_in.h"

#define NAME_LEN 32
#define CLOSED	 "the connection was closed"

static unsigned asked; /* for this port */

static int
dial(int type, unsigned port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, type, 0);

	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		_exit(1);
	return fd;
}

static void
hand(unsigned type, const char *why, int fd)
{
	struct buf b;

	buf_init(&b, PRIVMSG_TEXT_MAX + 8);
	if (buf_put_cstring(&b, why) == 0)
		(void)privmsg_send(CONNECTOR_FD, type, 0, &b, &fd, fd != -1);
	_exit(0);
}

static void
give(int fd)
{
	hand(PM_DMSG_CONNECT + 1, "", fd);
}

static void
good(void)
{
	give(dial(SOCK_STREAM, asked));
}

static void
give_pipe(void)
{
	int p[2];

	give(pipe(p) == 0 ? p[1] : -1);
}

static void
give_pair(void)
{
	int sv[2];

	give(socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0 ? sv[0] : -1);
}

static void
give_udp(void)
{
	give(dial(SOCK_DGRAM, asked));
}

static void
give_unconnected(void)
{
	give(socket(AF_INET, SOCK_STREAM, 0));
}

static void
give_listener(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	give(listen(fd, 1) == 0 ? fd : -1);
}

static void
give_other(void)
{
	char port[16];

	if (!stand_in_order("inner", port, sizeof(port)))
		_exit(1);
	give(dial(SOCK_STREAM, (unsigned)atoi(port)));
}

static void
give_folder(void)
{
	give(open("/", O_RDONLY | O_DIRECTORY));
}

static void
give_nothing(void)
{
	give(-1);
}

static void
other_type(void)
{
	hand(PM_WELCOME, "", -1);
}

static void
cut(void)
{
	(void)!write(CONNECTOR_FD, "\0", 1);
	_exit(3);
}

static void
escapes(void)
{
	hand(PM_DMSG_CONNECT + 1, "\033[31mred", -1);
}

static void
crash(void)
{
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
}

/* The alarm that it was given is waited for in vain. */
static void
block_all(void)
{
	sigset_t all;

	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
}

__attribute__((noreturn)) static void
stay(void)
{
	for (;;)
		pause();
}

/* What it was asked for is done, and it goes on. */
static void
answer_and_stay(void)
{
	struct buf b;

	block_all();
	buf_init(&b, PRIVMSG_TEXT_MAX + 8);
	if (buf_put_cstring(&b, "stays") == 0)
		(void)privmsg_send(CONNECTOR_FD, PM_DMSG_CONNECT + 1, 0, &b,
		    NULL, 0);
	stay();
}

static void
close_and_stay(void)
{
	block_all();
	close(CONNECTOR_FD);
	stay();
}

static const struct {
	const char *name;
	void (*run)(void);
	const char *expect;
} acts[] = {
	{ "good", good, "Discovery: " },
	{ "pipe", give_pipe, CLOSED },
	{ "pair", give_pair, CLOSED },
	{ "udp", give_udp, CLOSED },
	{ "unconnected", give_unconnected, CLOSED },
	{ "listener", give_listener, CLOSED },
	{ "other-port", give_other, CLOSED },
	{ "folder", give_folder, CLOSED },
	{ "nothing", give_nothing, "Discovery: " },
	{ "other-type", other_type, "skyptyd-connect ended with status 0" },
	{ "cut", cut, "skyptyd-connect ended with status 3" },
	{ "escapes", escapes, "\\033[31mred" },
	{ "crash", crash, "skyptyd-connect was killed by signal 11" },
	{ "answer-and-stay", answer_and_stay, "Discovery: stays" },
	{ "close-and-stay", close_and_stay,
	    "skyptyd-connect was killed by signal 9" },
};

#define ACTS (sizeof(acts) / sizeof(acts[0]))

int
main(int argc, char **argv)
{
	char act[NAME_LEN];

	if (argc == 2 && strcmp(argv[1], "list") == 0) {
		for (size_t i = 0; i < ACTS; i++)
			printf("%s\t%s\n", acts[i].name, acts[i].expect);
		return 0;
	}
	if (argc < 4 || !stand_in_order("act", act, sizeof(act)))
		return 1;
	asked = (unsigned)atoi(argv[2]);
	for (size_t i = 0; i < ACTS; i++)
		if (strcmp(acts[i].name, act) == 0)
			acts[i].run();
	return 1;
}
