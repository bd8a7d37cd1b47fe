/* SPDX-License-Identifier: ISC */
/*
 * A browser's WebSocket: what comes from it, its beginning and its end.  While
 * the host is slow it is not read.  PROTOCOL.pty 10; PROTOCOL 5.
 */
#include "daemon/http/http_main.h"
#include "daemon/http/http_client.h"
#include "daemon/http/http_host.h"
#include "daemon/http/http_page.h"
#include "daemon/http/http_text.h"
#include "daemon/http/http_ws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_TEXT 8192 /* of the host's that is no output */
#define QUERY_MAX  512	/* of one of its parts */
#define COLS	   100	/* the original's */
#define ROWS	   30

struct ws_user {
	struct client *c;
};

/* --- from the browser --- */

/* What is typed goes as far as the host takes it. */
void
client_push_input(struct client *c)
{
	if (c->state != CLIENT_RUNNING)
		return;
	c->ops->input(c);
	if (buf_len(&c->typed) < HTTP_INPUT_MAX / 4)
		lws_rx_flow_control(c->ws, 1);
	client_wake(c);
}

static void
tell_size(struct client *c)
{
	c->size_changed = false;
	c->size_ms = now_ms();
	c->ops->resize(c);
	client_wake(c);
}

static void
ws_type(struct client *c, const void *p, size_t n)
{
	c->idle_since_ms = now_ms();
	if (c->h->conf.readonly)
		return;
	if (buf_put(&c->typed, p, n) != 0) {
		client_close(c, HTTP_CLOSE_BIG, "too much at once");
		return;
	}
	if (buf_len(&c->typed) >= HTTP_INPUT_MAX / 2)
		lws_rx_flow_control(c->ws, 0);
	/* What is typed now is for a terminal of the new size. */
	if (c->size_changed && c->state == CLIENT_RUNNING)
		tell_size(c);
	client_push_input(c);
}

/* A megabyte of sizes is a few for the host. */
void
client_resize(struct client *c)
{
	int64_t now = now_ms();

	if (!c->size_changed || c->state != CLIENT_RUNNING)
		return;
	if (now - c->size_ms < HTTP_SIZE_MS) {
		lws_set_timer_usecs(c->ws, HTTP_SIZE_MS * 1000);
		return;
	}
	tell_size(c);
}

static void
ws_take_text(struct client *c)
{
	const char *text = (const char *)buf_ptr(&c->text);
	size_t n = buf_len(&c->text);
	struct http_said said;

	if (c->files || n > HTTP_TEXT_MAX || !text_read(text, n, &said)) {
		if (c->files)
			client_close(c, HTTP_CLOSE_DENIED, "bytes, not text");
		else
			ws_type(c, text, n);
	} else if (said.what == SAID_RESIZE) {
		c->cols = said.cols;
		c->rows = said.rows;
		c->size_changed = true;
		client_resize(c);
	} else if (said.what == SAID_ACK && said.bytes > c->acked &&
	    said.bytes <= c->sent) {
		c->acked = said.bytes;
		host_resume(c);
	} else if (said.what == SAID_PING) {
		client_answer_ping(c, said.id);
	}
	buf_reset(&c->text);
}

static int
on_receive(struct client *c, struct lws *wsi, const void *in, size_t len)
{
	bool last = lws_is_final_fragment(wsi) &&
	    lws_remaining_packet_payload(wsi) == 0;

	if (lws_is_first_fragment(wsi)) {
		c->text_message = !lws_frame_is_binary(wsi);
		c->message_len = 0;
		buf_reset(&c->text);
	}
	c->message_len += len;
	if (len + lws_remaining_packet_payload(wsi) > HTTP_FRAME_MAX ||
	    c->message_len > HTTP_FRAME_MAX) {
		client_close(c, HTTP_CLOSE_BIG, "a message is too long");
		return 0;
	}
	if (c->closing)
		return 0;
	if (!c->text_message) {
		ws_type(c, in, len);
		return 0;
	}
	if (buf_put(&c->text, in, len) != 0)
		return -1;
	if (last)
		ws_take_text(c);
	return 0;
}

/* --- its life --- */

static void
read_number(struct lws *wsi, const char *name, uint16_t *value)
{
	char text[QUERY_MAX];
	const char *p = page_arg(wsi, name, text, sizeof(text));
	long n = p != NULL ? strtol(p, NULL, 10) : 0;

	if (n > 0 && n <= UINT16_MAX)
		*value = (uint16_t)n;
}

/* sid and commands are for a terminal of ours to begin with. */
static bool
read_query(struct client *c, struct lws *wsi)
{
	char names[QUERY_MAX];
	const char *p;

	read_number(wsi, "cols=", &c->cols);
	read_number(wsi, "rows=", &c->rows);
	p = page_arg(wsi, "sid=", names, sizeof(names));
	if (p != NULL && strlen(p) < sizeof(c->sid) &&
	    strspn(p, "0123456789abcdef") == strlen(p))
		strlcpy(c->sid, p, sizeof(c->sid));
	p = page_arg(wsi, "commands=", names, sizeof(names));
	if (p == NULL || *c->sid != '\0')
		return true;
	if (c->h->conf.readonly)
		return false;
	return text_commands(&c->h->conf.commands, p, &c->typed);
}

static struct client *
new_client(struct http *h, struct lws *wsi)
{
	const char *protocol = lws_get_protocol(wsi)->name;
	struct client *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->h = h;
	c->fd = -1;
	c->files = strcmp(protocol, "skypty.sftp") == 0;
	c->ours = c->files || strcmp(protocol, "skypty.1") == 0;
	c->cols = COLS;
	c->rows = ROWS;
	buf_init(&c->typed, HTTP_INPUT_MAX);
	buf_init(&c->to_host, HTTP_INPUT_MAX + HTTP_FRAME_MAX);
	buf_init(&c->from_host, HTTP_REPLY_MAX + HTTP_WS_CHUNK);
	buf_init(&c->output, HTTP_OUTPUT_MAX + HTTP_REPLY_MAX);
	buf_init(&c->notes, HTTP_NOTES_MAX);
	buf_init(&c->text, HTTP_FRAME_MAX);
	buf_init(&c->frame, FRAME_TEXT);
	return c;
}

static void
free_client(struct client *c)
{
	host_drop(c);
	rpc_client_free(c->rpc);
	buf_free(&c->typed);
	buf_free(&c->to_host);
	buf_free(&c->from_host);
	buf_free(&c->output);
	buf_free(&c->notes);
	buf_free(&c->text);
	buf_free(&c->frame);
	free(c);
}

/* Only what page_upgrade has let in, and as what it has. */
static int
ws_on_request(struct lws *wsi, struct ws_user *u)
{
	const struct visitor *v = visitor_of(wsi);
	struct http *h = http_of(wsi);

	if (v == NULL || v->asked == ASKED_NOTHING || u->c != NULL ||
	    (u->c = new_client(h, wsi)) == NULL ||
	    u->c->files != (v->kind == HTTP_FILES))
		return -1;
	u->c->ticket = v->asked == ASKED_ADMITTED ? v->ticket : 0;
	if (read_query(u->c, wsi))
		return 0;
	page_refuse(wsi, 403);
	return -1;
}

static size_t *
count_of(struct client *c)
{
	return c->files ? &c->h->nfiles : &c->h->nterminals;
}

static int
on_established(struct lws *wsi, struct ws_user *u)
{
	struct http *h = http_of(wsi);
	struct client *c = u->c;

	if (c == NULL)
		return -1;
	c->ws = wsi;
	c->idle_since_ms = c->heard_ms = now_ms();
	LIST_INSERT_HEAD(&h->clients, c, entry);
	*count_of(c) += 1;
	if (c->ticket == 0) {
		client_close(c, HTTP_CLOSE_MANY, "too many terminals are open");
		return 0;
	}
	c->ops = c->files   ? &host_files :
	    *c->sid != '\0' ? &host_calls :
			      &host_stream;
	client_status(c, "Dialing...");
	client_reconnect(c);
	return 0;
}

static void
on_destroyed(struct ws_user *u)
{
	struct client *c = u->c;
	struct http *h;

	u->c = NULL;
	if (c == NULL)
		return;
	h = c->h;
	if (c->ws != NULL) {
		LIST_REMOVE(c, entry);
		*count_of(c) -= 1;
		if (h->conf.once && !c->files && c->ticket != 0)
			http_once_done(h);
	}
	free_client(c);
}

/* Every second: what waits too long, and signs of life for the host. */
void
client_tick(struct http *h, int64_t now)
{
	struct client *c;

	LIST_FOREACH (c, &h->clients, entry) {
		if (c->closing) {
			if (now > c->leave_ms) {
				c->farewell = FAREWELL_HEARD;
				client_wake(c);
			}
			continue;
		}
		if (c->state != CLIENT_RUNNING &&
		    now - c->heard_ms > HTTP_HOST_WAIT_S * 1000)
			client_fail(c, "the host does not answer");
		else if (h->conf.idle_s != 0 && !c->files &&
		    now - c->idle_since_ms > (int64_t)h->conf.idle_s * 1000)
			client_close(c, HTTP_CLOSE_IDLE, "idle for too long");
		else if (c->state == CLIENT_RUNNING &&
		    now - c->ping_ms > HTTP_HOST_PING_S * 1000) {
			c->ping_ms = now;
			c->ops->ping(c);
			client_wake(c);
		}
	}
}

int
ws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
    void *in, size_t len)
{
	struct ws_user *u = user;

	switch (reason) {
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
		return ws_on_request(wsi, u);
	case LWS_CALLBACK_ESTABLISHED:
		return on_established(wsi, u);
	case LWS_CALLBACK_RECEIVE:
		return u->c != NULL ? on_receive(u->c, wsi, in, len) : -1;
	case LWS_CALLBACK_RECEIVE_PONG:
		if (u->c != NULL)
			client_pong(u->c, in, len);
		return 0;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return u->c != NULL ? client_writable(u->c) : -1;
	case LWS_CALLBACK_TIMER:
		if (u->c != NULL) {
			client_resize(u->c);
			client_wake(u->c);
		}
		return 0;
	case LWS_CALLBACK_WSI_DESTROY:
	case LWS_CALLBACK_CLOSED:
		if (u != NULL)
			on_destroyed(u);
		return 0;
	default:
		return 0;
	}
}
