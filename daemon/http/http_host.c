/* SPDX-License-Identifier: ISC */
/*
 * The control connection behind a WebSocket: made by the monitor, read as long
 * as the browser takes what comes.  What is spoken on it is in http_term.c and
 * http_rpc.c.
 */
#include "daemon/http/http_main.h"
#include "daemon/http/http_client.h"
#include "daemon/http/http_host.h"
#include "daemon/http/http_mon.h"
#include "daemon/http/http_ws.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/pty/mux.h"

void
host_drop(struct client *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	if (c->host == NULL)
		return;
	lws_set_opaque_user_data(c->host, NULL);
	lws_set_timeout(c->host, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
	c->host = NULL;
}

/* A new one, for another service: what was said on the old one is void. */
void
client_reconnect(struct client *c)
{
	host_drop(c);
	buf_reset(&c->to_host);
	buf_reset(&c->from_host);
	c->reader = (struct xs_reader){ .inside = false };
	c->window = 0;
	c->state = CLIENT_DIALING;
	c->id = c->h->last_id++;
	c->heard_ms = now_ms();
	http_connect(c->h, c->id, c->ticket);
}

static const char *
uri_of(const struct client *c)
{
	if (c->ops == &host_files)
		return MUX_URI_FILES;
	return c->ops == &host_stream ? MUX_URI_EXEC : MUX_URI_PTY;
}

static struct client *
host_by_id(struct http *h, uint16_t id)
{
	struct client *c;

	LIST_FOREACH (c, &h->clients, entry)
		if (c->state == CLIENT_DIALING && c->id == id)
			return c;
	return NULL;
}

void
client_connected(struct http *h, uint16_t id, int fd, const char *why)
{
	struct client *c = host_by_id(h, id);
	lws_sock_file_fd_type desc = { .filefd = -1 };

	if (c == NULL || fd == -1) {
		if (fd != -1)
			close(fd);
		if (c != NULL)
			client_fail(c, why);
		return;
	}
	/* libwebsockets closes its own when the host hangs up, read or not. */
	c->fd = fd;
	desc.filefd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (desc.filefd == -1) {
		client_fail(c, "out of descriptors");
		return;
	}
	c->host = lws_adopt_descriptor_vhost(h->inside, LWS_ADOPT_RAW_FILE_DESC,
	    desc, "host", NULL);
	if (c->host == NULL) {
		client_fail(c, "out of memory");
		return;
	}
	lws_set_opaque_user_data(c->host, c);
	c->state = CLIENT_OPENING;
	if (mux_put_request(&c->to_host, uri_of(c)) != 0)
		client_fail(c, "out of memory");
	if (!c->opening)
		client_status(c, "Opening pty...");
	c->opening = true;
	client_wake(c);
}

/* The mux's answer: what to do when the host has no such service. */
static void
host_refused(struct client *c)
{
	if (c->ops == &host_files) {
		client_fail(c, "the host serves no files here");
	} else if (c->ops == &host_stream) {
		c->ops = &host_calls;
		client_reconnect(c);
	} else
		client_fail(c, "the host refuses the service");
}

static int
host_take_answer(struct client *c)
{
	uint8_t answer;

	if (buf_get_u8(&c->from_host, &answer) != 0)
		return 0;
	if (answer != MUX_ACCEPT)
		host_refused(c);
	else
		c->ops->begin(c);
	client_wake(c);
	return 0;
}

static int
process_host(struct client *c)
{
	int r = 0;

	/* No window: the mux has not answered. */
	if (c->state == CLIENT_OPENING && c->window == 0)
		r = host_take_answer(c);
	if (c->fd == -1 || c->closing || c->window == 0)
		return r;
	if ((r = c->ops->receive(c)) == 0 && c->state == CLIENT_RUNNING) {
		client_resize(c);
		client_push_input(c);
	}
	return r;
}

static void host_ended(struct client *);

/* It has hung up; what it said before is still there to be read. */
static void
host_read_rest(struct client *c)
{
	ssize_t r = 1;

	while (r > 0 && !c->closing && c->host == NULL && c->fd != -1 &&
	    client_wants_output(c)) {
		if ((r = buf_read(&c->from_host, c->fd, HTTP_WS_CHUNK)) > 0 &&
		    process_host(c) != 0)
			client_fail(c, "malformed data from the host");
	}
	if (r == SKY_ERR_LIMIT)
		client_fail(c,
		    "malformed data from the host"); /* too long a reply */
	else if (r <= 0 &&
	    (buf_len(&c->from_host) == 0 || client_wants_output(c)))
		host_ended(c); /* perhaps with half a frame */
}

void
host_resume(struct client *c)
{
	if (c->closing || c->fd == -1)
		return;
	if (client_wants_output(c) && buf_len(&c->from_host) != 0 &&
	    process_host(c) != 0)
		client_fail(c, "malformed data from the host");
	if (c->host != NULL)
		lws_rx_flow_control(c->host, client_wants_output(c));
	else if (!c->closing && client_wants_output(c))
		host_read_rest(c);
	client_wake(c);
}

static void
host_ended(struct client *c)
{
	if (c->closing)
		return;
	if (c->state == CLIENT_RUNNING && !c->files)
		client_fail(c, "the host has closed the connection");
	else if (c->files)
		client_close(c, HTTP_CLOSE_DONE, "");
	else
		client_fail(c, "the host does not let us in");
}

static int
on_host_readable(struct client *c)
{
	ssize_t r;
	int e;

	if (c->closing)
		return -1;
	if (!client_wants_output(c)) {
		lws_rx_flow_control(c->host, 0);
		return 0;
	}
	r = buf_read(&c->from_host, c->fd, HTTP_WS_CHUNK);
	if (r == SKY_ERR_AGAIN)
		return 0;
	if (r < 0)
		return -1; /* RAW_CLOSE_FILE does the rest */
	c->heard_ms = now_ms();
	if ((e = process_host(c)) != 0)
		client_fail(c, err_text(e));
	client_wake(c);
	return c->closing ? -1 : 0;
}

static int
on_host_writable(struct client *c)
{
	ssize_t r = buf_write(&c->to_host, c->fd);

	if (r < 0 && r != SKY_ERR_AGAIN)
		return 0; /* reading tells what it said before */
	if (buf_len(&c->to_host) != 0)
		lws_callback_on_writable(c->host);
	else
		client_push_input(c);
	return 0;
}

int
host_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
    void *in, size_t len)
{
	struct client *c = lws_get_opaque_user_data(wsi);

	switch (reason) {
	case LWS_CALLBACK_RAW_RX_FILE:
		return c != NULL ? on_host_readable(c) : -1;
	case LWS_CALLBACK_RAW_WRITEABLE_FILE:
		return c != NULL ? on_host_writable(c) : -1;
	case LWS_CALLBACK_RAW_CLOSE_FILE:
		if (c != NULL && c->host == wsi) {
			c->host = NULL;
			host_resume(c);
		}
		return 0;
	default:
		return 0;
	}
}
