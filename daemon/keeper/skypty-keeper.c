/* SPDX-License-Identifier: ISC */
/* skypty-keeper: its command line, and which of the two it is. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/base/hex.h"
#include "common/base/process.h"
#include "daemon/keeper/keeper.h"

#define WORDS	  7 /* of both, argv[0] among them */
#define WORDS_RUN 12
#define ANY_KEY	  "-"

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

/*
 * door|run FOLDER KEY JOBS OUTPUT AGE
 *     [TIMEOUT input|none forced|asked PROGRAM ARGV0...]
 */
static void
keeper_orders_read(struct keeper_orders *o, int argc, char **argv)
{
	memset(o, 0, sizeof(*o));
	o->line = argv;
	o->folder = argv[2];
	o->any = strcmp(argv[3], ANY_KEY) == 0;
	if (!o->any && hex_decode(argv[3], o->pk.b, sizeof(o->pk.b)) != 0)
		_exit(64);
	o->limits.jobs = (unsigned)keeper_number(argv[4]);
	o->limits.output = keeper_number(argv[5]);
	o->limits.age = keeper_number(argv[6]);
	if (argc < WORDS_RUN)
		return;
	o->timeout_ms = (uint32_t)keeper_number(argv[7]);
	o->has_input = strcmp(argv[8], "input") == 0;
	o->forced = strcmp(argv[9], "forced") == 0;
	o->program = argv[10];
	o->argv = argv + 11;
}

int
main(int argc, char **argv)
{
	struct keeper_orders o;
	bool run;
	int client;

	process_standard_fds();
	if (argc < WORDS)
		return 64;
	run = strcmp(argv[1], "run") == 0;
	if (run ? argc < WORDS_RUN : strcmp(argv[1], "door") != 0)
		return 64;
	keeper_orders_read(&o, run ? argc : 0, argv);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* as with a full disk */
	client = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (client == -1 || fcntl(client, F_SETFL, O_NONBLOCK) == -1)
		return 1;
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	process_standard_fds();
	return run ? keeper_run(&o, client) : keeper_door(&o, client);
}
