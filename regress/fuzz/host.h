/* SPDX-License-Identifier: ISC */
/*
 * For targets that have the client in theirs: a host on the other end of its
 * connection, which takes its turn whenever the client waits.  They are linked
 * with --wrap=via_open and --wrap=conn_wait.
 */
#ifndef REGRESS_FUZZ_HOST_H
#define REGRESS_FUZZ_HOST_H

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/complain.h"
#include "client/conn.h"
#include "client/exits.h"
#include "client/options.h"
#include "common/base/err.h"
#include "common/base/visible.h"

#define HOST_ROOM     (8U * 1024 * 1024)
#define HOST_PATIENCE 2000 /* turns without a word in either direction */

int LLVMFuzzerInitialize(int *, char ***);
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
int __wrap_via_open(struct conn *, struct keyctx *,
    const struct client_options *, const char *);
int __wrap_conn_wait(struct conn *, struct pollfd *, size_t, int64_t,
    const sigset_t *);

static struct host_end {
	const uint8_t *input;
	size_t left;
	int fd;		/* -1: it has gone, or was never there */
	struct buf in;	/* what the client has sent */
	struct buf out; /* what it will be told */
	unsigned quiet; /* turns in a row in which nothing happened */
	bool stays;	/* also with the input used up */
	void (*turn)(void);
	void (*rest)(void); /* with the input used up; NULL: nothing */
} host;

/* Tells what was not so: a crash's backtrace does not. */
#define require(ok) ((ok) ? (void)0 : host_fault(__FILE__, __LINE__, #ok))

static inline void
host_fault(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

static inline uint8_t
next(void)
{
	if (host.left == 0)
		return 0;
	host.left--;
	return *host.input++;
}

/* --- in place of complain.c --- */

/*
 * Whatever the host says: nothing that a terminal would obey.  With FUZZ_TELL
 * in the environment it is seen.
 */
void
complain(const char *fmt, ...)
{
	char *line = NULL;
	size_t n = 0;
	va_list ap;
	FILE *f;

	require((f = open_memstream(&line, &n)) != NULL);
	va_start(ap, fmt);
	visible_vline(f, "\n", fmt, ap);
	va_end(ap);
	fclose(f);
	for (size_t i = 0; i + 1 < n; i++)
		require((uint8_t)line[i] >= ' ' && line[i] != 0x7f);
	if (getenv("FUZZ_TELL") != NULL)
		fputs(line, stderr);
	free(line);
}

void
complain_to(enum complain_where where, FILE *f)
{
	(void)where, (void)f;
}

void
complain_to_syslog(void)
{
}

const char *
complain_last(void)
{
	return "";
}

const char *
complain_printable(const struct buf *text)
{
	static char out[VISIBLE_GROWTH * 256];

	visible_text(out, sizeof(out), buf_ptr(text),
	    buf_len(text) < 256 ? buf_len(text) : 256, VISIBLE_SLASH);
	for (const char *p = out; *p != '\0'; p++)
		require((uint8_t)*p >= ' ' && *p != 0x7f);
	return out;
}

/* --- the connection --- */

static inline void
host_gone(void)
{
	if (host.fd != -1)
		close(host.fd);
	host.fd = -1;
}

/* Another end of ours; the host on it mostly has the service. */
static inline int
host_connect(void)
{
	int sv[2];

	host_gone();
	buf_reset(&host.in);
	buf_reset(&host.out);
	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv) == 0);
	host.fd = sv[1];
	require(buf_put_u8(&host.out, next() % 16 == 15) == 0);
	return sv[0];
}

int
__wrap_via_open(struct conn *c, struct keyctx *ctx,
    const struct client_options *o, const char *uri)
{
	(void)ctx, (void)o, (void)uri;
	c->fd = host_connect();
	c->link.plain = true;
	return 0;
}

static inline void
host_hear(void)
{
	while (host.fd != -1 && buf_room(&host.in) >= 65536 &&
	    buf_read(&host.in, host.fd, 65536) > 0)
		host.quiet = 0;
}

static inline void
host_say(void)
{
	ssize_t r;

	while (host.fd != -1 && buf_len(&host.out) != 0 &&
	    (r = send(host.fd, buf_ptr(&host.out), buf_len(&host.out),
		 MSG_DONTWAIT | MSG_NOSIGNAL)) > 0) {
		require(buf_skip(&host.out, (size_t)r) == 0);
		host.quiet = 0;
	}
}

/* With the input its host ends, and so does the client, soon; or it stays. */
int
__wrap_conn_wait(struct conn *c, struct pollfd *p, size_t n, int64_t ms,
    const sigset_t *open)
{
	(void)c, (void)ms, (void)open;
	host_hear();
	if (host.left != 0)
		host.turn();
	else if (host.rest != NULL)
		host.rest();
	host_say();
	if (host.left == 0 && !host.stays && buf_len(&host.out) == 0 &&
	    host.fd != -1)
		shutdown(host.fd, SHUT_WR);
	require(host.quiet++ < HOST_PATIENCE);
	for (size_t i = 0; i < n; i++)
		p[i].revents = 0;
	require(poll(p, n, 0) != -1);
	return 0;
}

static inline void
host_begin(const uint8_t *data, size_t n)
{
	memset(&host, 0, sizeof(host));
	host.fd = -1;
	host.input = data;
	host.left = n;
	buf_init(&host.in, HOST_ROOM);
	buf_init(&host.out, HOST_ROOM);
}

static inline void
host_end(void)
{
	host_gone();
	buf_free(&host.in);
	buf_free(&host.out);
}

#endif
