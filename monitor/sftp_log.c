/* SPDX-License-Identifier: ISC */
/*
 * The SFTP server's own log ("sftp_log"): lines on its standard error, which
 * go to ours under the connection's id.  It is a process of the session's user,
 * and what it says is no more than his word: nothing is done with it but to
 * write it down, escaped.  Where nobody writes down as fast, it waits.
 */
#include "monitor/sftp_log.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"

#define READ_MAX   4096 /* a round of the loop: others have their turn */
#define PIPE_READS (64 * 1024 / READ_MAX)

static void
sftp_log_line(struct sftp_log *l)
{
	while (l->n > 0 && l->line[l->n - 1] == '\r')
		l->n--;
	l->line[l->n] = '\0';
	if (l->n > 0)
		log_event(LOG_LEVEL_INFO, LOG_EVENT("file"), "sftp: %s",
		    l->line);
	l->n = 0;
}

static void
sftp_log_take(struct sftp_log *l, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n' || l->n == SFTP_LOG_LINE)
			sftp_log_line(l);
		if (p[i] != '\n')
			l->line[l->n++] = p[i] != '\0' ? p[i] : '?';
	}
}

/* As read(2). */
static ssize_t
sftp_log_read(struct sftp_log *l)
{
	char data[READ_MAX];
	ssize_t n = read(l->fd, data, sizeof(data));

	if (n > 0)
		sftp_log_take(l, data, (size_t)n);
	return n;
}

static void
sftp_log_on_line(evutil_socket_t fd, short what, void *arg)
{
	ssize_t n = sftp_log_read(arg);

	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
		sftp_log_close(arg);
}

int
sftp_log_open(struct sftp_log *l, struct event_base *base)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) == -1)
		return -1;
	l->n = 0;
	l->fd = p[0];
	if (fcntl(p[0], F_SETFL, O_NONBLOCK) == 0 &&
	    (l->ev = event_new(base, p[0], EV_READ | EV_PERSIST,
		 sftp_log_on_line, l)) != NULL &&
	    event_add(l->ev, NULL) == 0)
		return p[1];
	if (l->ev != NULL)
		event_free(l->ev);
	l->ev = NULL;
	close(p[0]);
	close(p[1]);
	return -1;
}

void
sftp_log_drain(struct sftp_log *l)
{
	/* A pipe holds that much; whoever else has it may go on for ever. */
	for (int i = 0; i < PIPE_READS && l->ev != NULL; i++)
		if (sftp_log_read(l) <= 0)
			break;
}

void
sftp_log_close(struct sftp_log *l)
{
	if (l->ev == NULL)
		return;
	sftp_log_line(l);
	event_free(l->ev);
	l->ev = NULL;
	close(l->fd);
}
