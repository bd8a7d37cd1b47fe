/* SPDX-License-Identifier: ISC */
/*
 * Connections over TCP to a host, each made by a process of its own: a name or
 * a host that does not answer holds up nobody else, and nothing here parses
 * what name servers say.  See common/base/connector.h.
 */
#include "monitor/http/http_dial.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/base/connector.h"
#include "common/base/err.h"
#include "common/base/paths.h"
#include "common/base/process.h"
#include "common/base/reach.h"
#include "common/base/tcp.h"
#include "common/privsep/privmsg.h"

/* --- in the monitor --- */

/* Nothing more is heard of it; one that was taken over has no time left. */
static void
dial_drop(struct http_dial *d)
{
	if (d->ev == NULL)
		return;
	event_free(d->ev);
	d->ev = NULL;
	close(d->sock);
	(void)process_signal(d->pid, SIGKILL);
}

static void
dial_on_word(evutil_socket_t sock, short what, void *arg)
{
	struct http_dial *d = arg;
	struct privmsg m = { 0 };
	const char *why = CONNECTOR_PROGRAM " has ended";
	char *word = NULL;
	int fd = -1, r = SKY_ERR_EOF;

	if (what & EV_TIMEOUT)
		why = "connection timed out";
	else if ((r = privmsg_recv(sock, &m, true)) == SKY_ERR_AGAIN)
		return;
	if (r == 1 && m.type == PM_DMSG_CONNECT + 1 &&
	    buf_get_cstring(&m.body, &word, PRIVMSG_TEXT_MAX) == 0) {
		why = word;
		fd = privmsg_take_fd(&m, 0);
	}
	if (fd != -1 &&
	    (!tcp_is_stream(fd) || fcntl(fd, F_SETFL, O_NONBLOCK) == -1 ||
		tcp_settle(fd) != 0)) {
		close(fd);
		fd = -1;
		why = "the connection was closed";
	} else if (fd == -1 && *why == '\0')
		why = "there is no connection";
	dial_drop(d);
	d->done(d->arg, d->id, fd, why);
	free(word);
	privmsg_free(&m);
}

static struct http_dial *
dial_free_slot(struct http_dials *all)
{
	for (size_t i = 0; i < HTTP_DIALING_MAX; i++)
		if (all->each[i].pid == 0 && all->each[i].ev == NULL)
			return &all->each[i];
	return NULL;
}

int
http_dial_tcp(struct http_dials *all, const struct http_options *o, uint16_t id,
    http_dialed *done, void *arg, char why[HTTP_TEXT])
{
	const struct timeval tv = { .tv_sec = 2 * CONNECTOR_S };
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX], path[PROCESS_PATH_MAX];
	struct connector_user user = { .drop = o->conf.drop,
		.uid = o->conf.uid,
		.gid = o->conf.gid };
	struct http_dial *d = dial_free_slot(all);
	int sv[2], r;

	strlcpy(why,
	    d == NULL ? "too many connections to the host begin at once" :
			CONNECTOR_PROGRAM " is not here",
	    HTTP_TEXT);
	if (d == NULL ||
	    process_companion(path, sizeof(path), CONNECTOR_PROGRAM, ".",
		LIBEXECDIR) != 0)
		return -1;
	if (addr_split(o->haddr, NULL, host, port) != 0) {
		snprintf(why, HTTP_TEXT, "%s: write host:port", o->haddr);
		return -1;
	}
	if (privmsg_pair(sv) != 0) {
		strlcpy(why, strerror(errno), HTTP_TEXT);
		return -1;
	}
	*d = (struct http_dial){ .sock = sv[0],
		.id = id,
		.done = done,
		.arg = arg };
	if ((r = process_fork(&d->pid)) == 0)
		connector_execute(path, sv[1], host, port, REACH_LOCAL,
		    o->conf.best_effort, &user);
	close(sv[1]);
	if (r == 1)
		d->ev = event_new(all->base, sv[0], EV_READ | EV_PERSIST,
		    dial_on_word, d);
	if (d->ev != NULL && event_add(d->ev, &tv) == 0)
		return 0;
	strlcpy(why, r == -1 ? strerror(errno) : "out of memory", HTTP_TEXT);
	if (d->ev != NULL)
		event_free(d->ev);
	d->ev = NULL;
	close(sv[0]);
	(void)process_signal(d->pid, SIGKILL);
	return -1;
}

void
http_dial_reap(struct http_dials *all)
{
	for (size_t i = 0; i < HTTP_DIALING_MAX; i++)
		if (all->each[i].pid != 0 &&
		    waitpid(all->each[i].pid, NULL, WNOHANG) ==
			all->each[i].pid)
			all->each[i].pid = 0;
}

void
http_dial_drop(struct http_dials *all)
{
	for (size_t i = 0; i < HTTP_DIALING_MAX; i++)
		dial_drop(&all->each[i]);
}
