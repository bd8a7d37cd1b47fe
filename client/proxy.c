/* SPDX-License-Identifier: ISC */
/*
 * A command of the user's that is the way to the host: what it reads and writes
 * is the connection.
 */
#include "client/skypty.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/process.h"

/* In a new process.  An interrupt is ours: it may be the remote command's. */
__attribute__((noreturn)) static void
proxy_execute(const char *command, int sock)
{
	const char *shell = getenv("SHELL");

	process_reset_signals();
	signal(SIGINT, SIG_IGN);
	if (shell == NULL || *shell == '\0')
		shell = "/bin/sh";
	if (dup2(sock, STDIN_FILENO) == -1 || dup2(sock, STDOUT_FILENO) == -1)
		_exit(126);
	closefrom(STDERR_FILENO + 1);
	execl(shell, shell, "-c", command, (char *)NULL);
	complain("%s: %s", shell, strerror(errno));
	_exit(127);
}

int
proxy_open(struct conn *c, const char *command)
{
	int sock[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) == -1) {
		complain("ProxyCommand: %s", strerror(errno));
		return EXIT_FAILED;
	}
	c->fd = sock[0];
	switch (process_fork(&c->proxy)) {
	case -1:
		complain("ProxyCommand: %s", strerror(errno));
		close(sock[1]);
		return EXIT_FAILED;
	case 0:
		proxy_execute(command, sock[1]);
	}
	close(sock[1]);
	return fcntl(c->fd, F_SETFL, O_NONBLOCK) == -1 ? EXIT_FAILED : 0;
}

/*
 * Its input has ended, which not every command takes for an end.  It may be
 * another process's child by now, which went to the background.
 */
void
proxy_close(struct conn *c)
{
	if (c->proxy != 0 && process_signal(c->proxy, SIGHUP) == 0)
		(void)waitpid(c->proxy, NULL, WNOHANG);
	c->proxy = 0;
}
