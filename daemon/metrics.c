/* SPDX-License-Identifier: ISC */
/*
 * Whoever connects to the port of "metrics" is told the counters, in an answer
 * of HTTP/1.0, whatever he asks: of what he says not a byte is looked at.  What
 * such a reader costs is bounded: few at once, a few seconds each, and a text
 * that is made once a second.
 */
#include "daemon/metrics.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/privsep/metrics.h"
#include "daemon/listener.h"

#define BACKLOG	    16
#define READER_S    5	 /* for all that one does */
#define AGAIN_MS    1000 /* until another text is made */
#define DISCARD_MAX (64 * 1024)
#define HEAD_MAX    256

struct metrics_reader {
	TAILQ_ENTRY(metrics_reader) entry;
	struct listener *server;
	int fd;
	struct event *ev, *timer;
	bool answered;
};

static void
reader_leave(struct metrics_reader *r)
{
	struct metrics *m = &r->server->metrics;

	TAILQ_REMOVE(&m->readers, r, entry);
	m->n--;
	if (r->ev != NULL)
		event_free(r->ev);
	if (r->timer != NULL)
		event_free(r->timer);
	close(r->fd);
	free(r);
}

static void
reader_on_timer(evutil_socket_t fd, short what, void *arg)
{
	reader_leave(arg);
}

/* -1: no memory. */
static int
metrics_make_text(struct listener *s)
{
	struct metrics *m = &s->metrics;
	uint64_t n[PRIV_COUNTS];
	char head[HEAD_MAX];
	struct buf body;
	int64_t now = now_ms();
	int r;

	if (m->text_ms != 0 && now - m->text_ms < AGAIN_MS)
		return 0;
	conns_counts(s, n);
	buf_init(&body, METRICS_TEXT_MAX);
	buf_free(&m->text);
	buf_init(&m->text, HEAD_MAX + METRICS_TEXT_MAX);
	if ((r = metrics_put(&body, n)) == 0) {
		(void)snprintf(head, sizeof(head),
		    "HTTP/1.0 200 OK\r\n"
		    "Content-Type: text/plain; version=0.0.4\r\n"
		    "Content-Length: %zu\r\nConnection: close\r\n"
		    "X-Content-Type-Options: nosniff\r\n\r\n",
		    buf_len(&body));
		r = buf_put(&m->text, head, strlen(head));
	}
	if (r == 0)
		r = buf_put(&m->text, buf_ptr(&body), buf_len(&body));
	buf_free(&body);
	m->text_ms = r == 0 ? now : 0;
	return r == 0 ? 0 : -1;
}

/* It has room in a socket's buffer, or whoever has made that small goes. */
static void
reader_answer(struct metrics_reader *r)
{
	struct metrics *m = &r->server->metrics;

	r->answered = true;
	if (metrics_make_text(r->server) == -1 ||
	    send(r->fd, buf_ptr(&m->text), buf_len(&m->text),
		MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)buf_len(&m->text) ||
	    shutdown(r->fd, SHUT_WR) == -1)
		reader_leave(r);
}

/* What is left unread at the end would take the answer back. */
static void
reader_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct metrics_reader *r = arg;
	ssize_t n = recv(fd, NULL, DISCARD_MAX, MSG_TRUNC | MSG_DONTWAIT);

	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
		reader_leave(r);
	else if (n > 0 && !r->answered)
		reader_answer(r);
}

static void
metrics_take(struct listener *s, int fd)
{
	struct timeval tv = { .tv_sec = READER_S };
	struct metrics *m = &s->metrics;
	struct metrics_reader *r;

	if (m->n == METRICS_MAX)
		reader_leave(TAILQ_FIRST(&m->readers));
	if ((r = calloc(1, sizeof(*r))) == NULL) {
		close(fd);
		return;
	}
	r->server = s;
	r->fd = fd;
	TAILQ_INSERT_TAIL(&m->readers, r, entry);
	m->n++;
	if ((r->timer = evtimer_new(s->base, reader_on_timer, r)) == NULL ||
	    event_add(r->timer, &tv) == -1 ||
	    (r->ev = event_new(s->base, fd, EV_READ | EV_PERSIST,
		 reader_on_readable, r)) == NULL ||
	    event_add(r->ev, NULL) == -1)
		reader_leave(r);
}

static void
metrics_on_accept(evutil_socket_t lfd, short what, void *arg)
{
	struct timeval tv = { .tv_sec = 1 };
	struct listener *s = arg;
	int fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd != -1) {
		metrics_take(s, fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
	    errno == ENOMEM) {
		event_del(s->metrics.ev);
		event_add(s->resume, &tv);
	}
}

void
metrics_resume(struct listener *s)
{
	if (s->metrics.ev != NULL)
		event_add(s->metrics.ev, NULL);
}

int
metrics_open(struct listener *s)
{
	struct metrics *m = &s->metrics;
	struct sockaddr_storage addr;
	int len, on = 1;

	TAILQ_INIT(&m->readers);
	m->fd = -1;
	m->start_s = (uint64_t)time(NULL);
	buf_init(&m->text, 0);
	if (*s->set->conf.metrics == '\0')
		return 0;
	if ((len = metrics_address(s->set->conf.metrics, &addr)) < 0)
		return EXIT_CONFIG;
	m->fd = socket(addr.ss_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (m->fd != -1)
		(void)setsockopt(m->fd, SOL_SOCKET, SO_REUSEADDR, &on,
		    sizeof(on));
	if (m->fd == -1 ||
	    bind(m->fd, (struct sockaddr *)&addr, (socklen_t)len) == -1 ||
	    listen(m->fd, BACKLOG) == -1) {
		log_error("cannot listen on %s for metrics: %s",
		    s->set->conf.metrics, strerror(errno));
		return EXIT_OS;
	}
	log_event(LOG_LEVEL_INFO, LOG_EVENT("start"),
	    "Metrics on http://%s/metrics", s->set->conf.metrics);
	return 0;
}

int
metrics_begin(struct listener *s)
{
	struct metrics *m = &s->metrics;

	if (m->fd == -1)
		return 0;
	m->ev = event_new(s->base, m->fd, EV_READ | EV_PERSIST,
	    metrics_on_accept, s);
	return m->ev != NULL && event_add(m->ev, NULL) == 0 ? 0 : -1;
}

void
metrics_close(struct listener *s)
{
	struct metrics *m = &s->metrics;
	struct metrics_reader *r;

	while ((r = TAILQ_FIRST(&m->readers)) != NULL)
		reader_leave(r);
	if (m->ev != NULL)
		event_free(m->ev);
	m->ev = NULL;
	if (m->fd != -1)
		close(m->fd);
	m->fd = -1;
	buf_free(&m->text);
}
