/* SPDX-License-Identifier: ISC */
/*
 * A command of the user's that is the way to the host: what it reads and writes
 * is the connection.
 */
#include "client/proxy.h"
#include "client/complain.h"
#include "client/conn.h"
#include "client/exits.h"
#include "client/ssh/ssh_opts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/process.h"

char *
proxy_command(const char *text, const struct ssh_tokens *t)
{
	if (ssh_check_host(t->host) != 0 || ssh_check_host(t->hostname) != 0)
		return NULL;
	return ssh_expand(text, "%hknpr", t, "ProxyCommand");
}

/*
 * In a new process.  An interrupt is ours: it may be the remote command's.  Who
 * is to outlive a terminal needs its way to the host.
 */
__attribute__((noreturn)) static void
proxy_execute(const char *command, int sock, bool own, bool quiet)
{
	const char *shell = getenv("SHELL");
	bool stays = own || process_ignores(SIGHUP);
	int null = quiet ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;

	process_reset_signals();
	signal(SIGINT, SIG_IGN);
	if (stays)
		signal(SIGHUP, SIG_IGN);
	if (shell == NULL || *shell == '\0')
		shell = "/bin/sh";
	if (dup2(sock, STDIN_FILENO) == -1 || dup2(sock, STDOUT_FILENO) == -1)
		_exit(126);
	/* Somebody may wait for the end of ours. */
	if (null != -1 && dup2(null, STDERR_FILENO) == -1)
		_exit(126);
	if (own)
		setsid();
	closefrom(STDERR_FILENO + 1);
	execl(shell, shell, "-c", command, (char *)NULL);
	complain("%s: %s", shell, strerror(errno));
	_exit(127);
}

int
proxy_open(struct conn *c, const char *command, bool stays)
{
	char *line;
	int sock[2], forked = -1;

	if (asprintf(&line, "exec %s", command) == -1)
		return EXIT_FAILED;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) == 0) {
		c->fd = sock[0];
		if ((forked = process_fork(&c->proxy)) == 0)
			proxy_execute(line, sock[1], stays,
			    stays && !c->verbose);
		close(sock[1]);
	}
	if (forked == -1)
		complain("ProxyCommand: %s", strerror(errno));
	free(line);
	return forked == -1 || fcntl(c->fd, F_SETFL, O_NONBLOCK) == -1 ?
	    EXIT_FAILED :
	    0;
}

/*
 * Its input has ended, which not every command takes for an end.  It may be
 * another process's child by now, which went to the background.
 */
void
proxy_close(struct conn *c)
{
	int sig = process_ignores(SIGHUP) ? SIGTERM : SIGHUP;

	if (c->proxy != 0 && process_signal(c->proxy, sig) == 0)
		(void)waitpid(c->proxy, NULL, WNOHANG);
	c->proxy = 0;
}
