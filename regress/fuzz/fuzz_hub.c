/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes a hub: callers that say anything and go at any time, a host that sends
 * any bytes, or, as a script says, opens, answers, resets and ends channels.
 * Nobody who waits for hub_open() is forgotten or told twice, and no channel of
 * the host's leads anywhere but to the one row that there is.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/complain.h"
#include "client/conn.h"
#include "client/hub/hub.h"
#include "common/base/buf.h"
#include "common/pty/mux.h"
#include "common/pty/yamux.h"

#define CALLERS	 8
#define STREAMS	 16
#define OPENED	 32
#define WIRE_MAX (1024U * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct world {
	struct conn conn;
	struct hub *hub;
	struct yamux *yamux; /* NULL: the host sends bytes */
	struct yamux_stream *st[STREAMS];
	struct buf in, out;
	int host;
	int caller[CALLERS];
	int told[OPENED]; /* how often */
	size_t opened, streams;
	struct hub_peer *arrived, *ordered;
} w;

static void
require(bool ok)
{
	if (!ok)
		abort();
}

/* --- the hub's side --- */

static void
hub_arrival(struct hub *h, struct hub_peer *p, struct buf *query)
{
	(void)query;
	require(h == w.hub);
	if (w.arrived != NULL)
		hub_refuse(p);
	else
		w.arrived = p;
}

static void
hub_ordered(struct hub *h, struct hub_peer *p, struct buf *query)
{
	require(h == w.hub);
	if (w.ordered != NULL)
		hub_keep(p, "", NULL, NULL);
	else if (buf_len(query) == 0)
		hub_reply(p, true, "text");
	else
		w.ordered = p;
}

static const struct hub_row arrivals[] = {
	{ "skypty/1/accepted", hub_arrival },
	{ NULL, NULL },
};
static const struct hub_row orders[] = {
	{ HUB_URI "test", hub_ordered },
	{ NULL, NULL },
};
static const struct hub_tables tables = { orders, arrivals };

static void
hub_was_told(void *arg, int fd, const char *why)
{
	require(fd != -1 && (why == NULL || *why != '\0'));
	(*(int *)arg)++;
}

static int
pair(int *ours)
{
	int sv[2];

	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0, sv) == 0);
	*ours = sv[0];
	return sv[1];
}

static void
begin(bool script)
{
	struct hub_way way = { .persist_ms = HUB_FOREVER,
		.listener = -1,
		.guest = -1 };

	memset(&w, 0, sizeof(w));
	complain_to(COMPLAIN_NOBODY, NULL);
	for (size_t i = 0; i < CALLERS; i++)
		w.caller[i] = -1;
	conn_init(&w.conn);
	w.conn.fd = pair(&w.host);
	w.conn.link.plain = w.conn.accepted = true;
	buf_init(&w.in, WIRE_MAX);
	buf_init(&w.out, WIRE_MAX);
	if (script)
		require((w.yamux = yamux_new(false, NULL)) != NULL);
	require((w.hub = hub_new(&w.conn, &way, &tables)) != NULL);
}

static void
end(void)
{
	if (w.arrived != NULL)
		hub_refuse(w.arrived);
	if (w.ordered != NULL)
		hub_reply(w.ordered, false, "");
	hub_free(w.hub);
	for (size_t i = 0; i < w.opened; i++)
		require(w.told[i] == 1);
	for (size_t i = 0; i < CALLERS; i++)
		if (w.caller[i] != -1)
			close(w.caller[i]);
	conn_close(&w.conn);
	close(w.host);
	yamux_free(w.yamux);
	buf_free(&w.in);
	buf_free(&w.out);
}

/* --- the script --- */

static void
drain(int fd)
{
	char c[4096];

	while (fd != -1 && read(fd, c, sizeof(c)) > 0)
		;
}

static void
host_round(void)
{
	struct yamux_event ev;
	struct yamux_stream *st;

	if (w.yamux == NULL) {
		drain(w.host);
		return;
	}
	while (buf_read(&w.in, w.host, 65536) > 0)
		;
	require(yamux_input(w.yamux, &w.in) == 0);
	while ((st = yamux_accept(w.yamux)) != NULL)
		if (w.streams < STREAMS)
			w.st[w.streams++] = st;
		else
			yamux_close(st);
	while (yamux_event(w.yamux, &ev))
		;
	require(yamux_output(w.yamux, &w.out) == 0);
	while (buf_write(&w.out, w.host) > 0)
		;
}

static void
host_says(uint8_t which, struct buf *text)
{
	struct yamux_stream *st;

	if (w.yamux == NULL) {
		(void)!write(w.host, buf_ptr(text), buf_len(text));
		return;
	}
	if (w.streams < STREAMS && which % 4 == 0) {
		if (yamux_open(w.yamux, &w.st[w.streams]) == 0)
			w.streams++;
	}
	if (w.streams == 0)
		return;
	st = w.st[which % w.streams];
	if (buf_len(text) != 0)
		(void)yamux_write(st, buf_ptr(text), buf_len(text));
	else if (which & 0x40)
		(void)yamux_consume(st, buf_len(yamux_in(st)));
	else
		(void)yamux_shutdown(st);
}

static void
host_drops(uint8_t which)
{
	size_t i;

	if (w.yamux == NULL || w.streams == 0)
		return;
	i = which % w.streams;
	yamux_close(w.st[i]);
	w.st[i] = w.st[--w.streams];
}

static void
caller_says(uint8_t which, struct buf *text)
{
	int *fd = &w.caller[which % CALLERS];

	if (*fd == -1)
		hub_seat(w.hub, pair(fd));
	if (buf_len(text) != 0)
		(void)!send(*fd, buf_ptr(text), buf_len(text), MSG_NOSIGNAL);
	else
		(void)shutdown(*fd, SHUT_WR);
}

static void
caller_leaves(uint8_t which)
{
	int *fd = &w.caller[which % CALLERS];

	if (which & 0x40)
		drain(*fd);
	else if (*fd != -1) {
		close(*fd);
		*fd = -1;
	}
}

static void
opens(uint8_t which)
{
	int *fd = &w.caller[which % CALLERS];
	int other;

	if (w.opened == OPENED || *fd != -1)
		return;
	other = pair(fd);
	if (hub_open(w.hub, "uri", other, hub_was_told, &w.told[w.opened]) == 0)
		w.opened++;
	else
		close(other);
}

static void
answers(uint8_t which)
{
	int fd;

	if (w.ordered != NULL && (which & 1)) {
		hub_reply(w.ordered, true, "late");
		w.ordered = NULL;
	} else if (w.arrived != NULL) {
		if (w.caller[which % CALLERS] != -1)
			hub_refuse(w.arrived);
		else {
			fd = pair(&w.caller[which % CALLERS]);
			hub_take(w.arrived, fd);
		}
		w.arrived = NULL;
	}
}

/* u8 what and which of them, u8 length and that many bytes for some. */
static bool
step(struct buf *b)
{
	uint8_t op, which, n;
	struct buf text;

	if (buf_get_u8(b, &op) != 0 || buf_get_u8(b, &which) != 0)
		return false;
	buf_view(&text, NULL, 0);
	if (op % 8 < 2 && buf_get_u8(b, &n) == 0 &&
	    buf_get_view(b, n, &text) != 0)
		(void)buf_get_view(b, buf_len(b), &text);
	switch (op % 8) {
	case 0:
		host_says(which, &text);
		break;
	case 1:
		caller_says(which, &text);
		break;
	case 2:
		host_drops(which);
		break;
	case 3:
		caller_leaves(which);
		break;
	case 4:
		opens(which);
		break;
	case 5:
		answers(which);
		break;
	case 6:
		host_round();
		return true;
	}
	(void)hub_round(w.hub, 0);
	require(hub_count(w.hub) <= HUB_PEERS_MAX);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b;
	uint8_t script;

	buf_view(&b, data, size);
	if (buf_get_u8(&b, &script) != 0)
		return 0;
	begin(script & 1);
	while (step(&b))
		;
	host_round();
	(void)hub_round(w.hub, 0);
	end();
	return 0;
}
