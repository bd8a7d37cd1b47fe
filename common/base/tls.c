/* SPDX-License-Identifier: ISC */
/* Starting skypty-tls. */
#include "common/base/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/paths.h"
#include "common/base/process.h"

#define PROGRAM	 "skypty-tls"
#define RELATIVE "../libexec/skypty"

int
tls_open(void)
{
	char path[PROCESS_PATH_MAX];
	int fd, r;

	if ((r = process_companion(path, sizeof(path), PROGRAM, RELATIVE,
		 LIBEXECDIR)) != 0)
		return r;
	fd = open(path, O_PATH | O_CLOEXEC);
	return fd != -1 ? fd : SKY_ERR_SYS;
}

struct tls_job {
	const char *host;
	bool best_effort, child;
	int program, net, plain;
};

__attribute__((noreturn)) static void
tls_become(struct tls_job *j)
{
	const char *file = getenv("SSL_CERT_FILE");
	const char *argv[5] = { PROGRAM, j->host }, *env[2] = { NULL };
	struct process_program program = { .file = j->program,
		.argv = argv,
		.env = env,
		.fd = { j->net, j->plain },
		.nfd = 2 };
	char *entry = NULL;
	int argc = 2;

	if (j->best_effort)
		argv[argc++] = TLS_BEST_EFFORT;
	if (j->child)
		argv[argc++] = TLS_CHILD;
	if (file != NULL && asprintf(&entry, "SSL_CERT_FILE=%s", file) != -1)
		env[0] = entry;
	setpgid(0, 0); /* a terminal's signals are not for it */
	process_become(&program);
	_exit(127);
}

/* A line, a byte at a time: what follows it is not ours. */
static int
tls_read_line(int fd, char line[TLS_WHY_MAX])
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t deadline = now_ms() + TLS_WAIT_MS, left;
	size_t n = 0;

	while ((left = deadline - now_ms()) > 0) {
		if (poll(&p, 1, (int)left) == -1 && errno != EINTR)
			return SKY_ERR_SYS;
		if (p.revents == 0)
			continue;
		if (read(fd, &line[n], 1) != 1)
			return SKY_ERR_EOF;
		if (line[n] == '\n') {
			line[n] = '\0';
			return 0;
		}
		if (n < TLS_WHY_MAX - 1)
			n++;
	}
	return SKY_ERR_AGAIN;
}

int
tls_launch(int program, int net, const char *host, bool best_effort,
    int (*prepare)(void *), void *arg, pid_t *pid)
{
	struct tls_job j = { host, best_effort, pid != NULL, program, net, -1 };
	int sv[2], r, error;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		return -1;
	j.plain = sv[1];
	/* Where nobody waits for its end it is nobody's child. */
	r = pid != NULL ? process_fork(pid) : process_fork_orphan(prepare, arg);
	if (r == 0 && pid != NULL && prepare != NULL && prepare(arg) != 0)
		_exit(126);
	if (r == 0)
		tls_become(&j);
	error = errno;
	close(sv[1]);
	if (r == 1)
		return sv[0];
	close(sv[0]);
	errno = error;
	return -1;
}

int
tls_start(int program, int net, const char *host, bool best_effort,
    char why[TLS_WHY_MAX])
{
	int plain =
	    tls_launch(program, net, host, best_effort, NULL, NULL, NULL);
	int r;

	if (plain == -1) {
		strlcpy(why, strerror(errno), TLS_WHY_MAX);
		return -1;
	}
	if ((r = tls_read_line(plain, why)) == SKY_ERR_AGAIN)
		strlcpy(why, "no answer to the TLS handshake", TLS_WHY_MAX);
	else if (r != 0)
		strlcpy(why, "skypty-tls ended", TLS_WHY_MAX);
	else if (strcmp(why, TLS_OK) == 0 &&
	    fcntl(plain, F_SETFL, O_NONBLOCK) == 0)
		return plain;
	close(plain);
	return -1;
}
