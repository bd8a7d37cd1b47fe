/* SPDX-License-Identifier: ISC */
/* skypty-keeper: its command line, and which of the four it is. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/hex.h"
#include "common/base/process.h"
#include "daemon/keeper/keeper.h"

#define WORDS	      7 /* of all, argv[0] among them */
#define WORDS_RUN     12
#define WORDS_SESSION 11
#define NONE	      "-" /* no key, no name */

static const struct keeper_role {
	const char *name;
	int words;
	bool sessions;
} roles[] = {
	{ "door", WORDS, false },
	{ "sessions", WORDS, true },
	{ "run", WORDS_RUN, false },
	{ "session", WORDS_SESSION, true },
};

/* Only a monitor of ours says this; what is malformed has no answer. */
static uint64_t
keeper_number(const char *text)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0')
		_exit(64);
	return n;
}

static const struct keeper_role *
keeper_find_role(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (argc >= WORDS && argc >= roles[i].words &&
		    strcmp(argv[1], roles[i].name) == 0)
			return &roles[i];
	_exit(64);
}

/*
 * door|sessions|run|session FOLDER KEY JOBS OUTPUT AGE
 *     run: TIMEOUT input|none forced|asked PROGRAM ARGV0...
 *     session: NAME forced|asked PROGRAM ARGV0...
 */
static void
keeper_orders_read(struct keeper_orders *o, const struct keeper_role *role,
    char **argv)
{
	memset(o, 0, sizeof(*o));
	o->line = argv;
	o->folder = argv[2];
	o->sessions = role->sessions;
	o->any = strcmp(argv[3], NONE) == 0;
	if (!o->any && hex_decode(argv[3], o->pk.b, sizeof(o->pk.b)) != 0)
		_exit(64);
	o->limits.jobs = (unsigned)keeper_number(argv[4]);
	o->limits.output = keeper_number(argv[5]);
	o->limits.age = keeper_number(argv[6]);
	argv += WORDS;
	if (role->words == WORDS)
		return;
	if (role->sessions) {
		o->name = strcmp(*argv, NONE) == 0 ? "" : *argv;
		argv++;
	} else {
		o->timeout_ms = (uint32_t)keeper_number(*argv++);
		o->has_input = strcmp(*argv++, "input") == 0;
	}
	o->forced = strcmp(*argv++, "forced") == 0;
	o->program = *argv++;
	o->argv = argv;
}

/* Out of the way of standard input, output and error. */
static int
keeper_move(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (moved == -1)
		_exit(1);
	close(fd);
	return moved;
}

static int
keeper_session_of(struct keeper_orders *o, int client)
{
	int slave = keeper_move(STDOUT_FILENO),
	    master = keeper_move(STDERR_FILENO);
	struct winsize ws;

	process_standard_fds();
	if (fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK) == -1)
		return 1;
	if (ioctl(master, TIOCGWINSZ, &ws) == 0)
		o->size = (struct rpc_winsize){ .rows = ws.ws_row,
			.cols = ws.ws_col,
			.x = ws.ws_xpixel,
			.y = ws.ws_ypixel };
	return keeper_session(o, client, slave, master);
}

int
main(int argc, char **argv)
{
	const struct keeper_role *role;
	struct keeper_orders o;
	int client;

	process_standard_fds();
	role = keeper_find_role(argc, argv);
	keeper_orders_read(&o, role, argv);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* as with a full disk */
	client = keeper_move(STDIN_FILENO);
	if (fcntl(client, F_SETFL, O_NONBLOCK) == -1)
		return 1;
	if (role->words == WORDS_SESSION)
		return keeper_session_of(&o, client);
	close(STDOUT_FILENO);
	process_standard_fds();
	return role->words == WORDS_RUN ? keeper_run(&o, client) :
					  keeper_door(&o, client);
}
