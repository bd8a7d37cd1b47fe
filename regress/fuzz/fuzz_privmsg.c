/* SPDX-License-Identifier: ISC */
/*
 * The messages between the daemon's processes, as a hostile sender would make
 * them: the first byte chooses the parser.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/privsep/start.h"
#include "monitor/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Through a real socket pair, whole or cut off. */
static void
fuzz_start(const uint8_t *data, size_t n)
{
	struct start s;
	int sv[2];

	if (privmsg_pair(sv) != 0)
		abort();
	if (send(sv[0], data, n, MSG_NOSIGNAL) == (ssize_t)n) {
		close(sv[0]);
		sv[0] = -1;
		if (start_recv(sv[1], &s) == 0)
			start_free(&s);
	}
	if (sv[0] != -1)
		close(sv[0]);
	close(sv[1]);
}

/* What is read must be what a command can be started from. */
static void
fuzz_command(const uint8_t *data, size_t n)
{
	struct command c;
	struct buf b;

	buf_view(&b, data, n);
	if (command_read(&b, &c) != 0)
		return;
	if (c.argv == NULL || c.argv[0] != c.name || c.env == NULL)
		abort();
	command_free(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n == 0)
		return 0;
	if (data[0] & 1)
		fuzz_start(data + 1, n - 1);
	else
		fuzz_command(data + 1, n - 1);
	return 0;
}
