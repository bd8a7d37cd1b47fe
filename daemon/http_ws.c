/* SPDX-License-Identifier: ISC */
/*
 * A browser's WebSocket and the control connection behind it.  Nothing queues
 * without bound: while a browser is slow the host is not read, and while the
 * host is slow the browser is not.  spec: pty.md 10; PROTOCOL.
 */
#include "daemon/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/json.h"
#include "common/mux.h"

#define CHUNK	   16384 /* of output, in one frame */
#define NOTES_MAX  32768
#define FRAME_TEXT 8192 /* of the host's that is no output */
#define COLS	   100	/* the original's */
#define ROWS	   30

struct ws_user {
	struct client *c;
};

static struct http *
http_of(struct lws *wsi)
{
	return lws_context_user(lws_get_context(wsi));
}

/* --- to the browser --- */

void
client_wake(struct client *c)
{
	if (c->ws != NULL)
		lws_callback_on_writable(c->ws);
	if (c->host != NULL && buf_len(&c->to_host) != 0)
		lws_callback_on_writable(c->host);
}

static void
note(struct client *c, bool binary, const char *text, size_t n)
{
	if (buf_put_u8(&c->notes, binary) == 0 &&
	    buf_put_u32(&c->notes, (uint32_t)n) == 0 &&
	    buf_put(&c->notes, text, n) == 0)
		client_wake(c);
	else
		client_close(c, WEB_CLOSE_FAILED, "out of memory");
}

void
client_tell(struct client *c, const char *json)
{
	note(c, false, json, strlen(json));
}

static void
tell_text(struct client *c, const char *type, const char *text)
{
	struct buf b;

	buf_init(&b, NOTES_MAX);
	if (buf_put(&b, "{\"type\":\"", 9) == 0 &&
	    buf_put(&b, type, strlen(type)) == 0 &&
	    buf_put(&b, "\",\"text\":", 9) == 0 &&
	    json_put_string(&b, text, strlen(text)) == 0 &&
	    buf_put_u8(&b, '}') == 0)
		note(c, false, (const char *)buf_ptr(&b), buf_len(&b));
	buf_free(&b);
}

static void __attribute__((format(printf, 2, 3)))
print_line(struct client *c, const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n > 0)
		note(c, true, line,
		    (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

void
client_status(struct client *c, const char *text)
{
	if (c->files)
		return;
	if (c->ours)
		tell_text(c, "status", text);
	else
		print_line(c, "[skypty-ui] Status: %s\r", text);
}

void
client_close(struct client *c, enum web_close code, const char *text)
{
	if (c->closing)
		return;
	c->closing = true;
	c->close_code = code;
	strlcpy(c->close_text, text, sizeof(c->close_text));
	c->state = CLIENT_ENDED;
	client_wake(c);
}

/* What a host says of itself is printed by nobody as it is. */
static void
clean(char *to, size_t len, const char *from)
{
	size_t n = 0;

	for (; *from != '\0' && n < len - 1; from++)
		to[n++] = *from >= ' ' && *from <= '~' ? *from : '?';
	to[n] = '\0';
}

void
client_fail(struct client *c, const char *why)
{
	char text[256];

	if (c->closing)
		return;
	clean(text, sizeof(text), why);
	http_log(c->h, LOG_LEVEL_INFO, "Terminal: %s", text);
	if (!c->files && c->ours)
		tell_text(c, "error", text);
	else if (!c->files) {
		print_line(c, "[skypty-ui] Error: %s\n\r", text);
		print_line(c, "%s", "[skypty-ui] Status: Stopped!\r");
	}
	client_close(c, WEB_CLOSE_FAILED, text);
}

void
client_exited(struct client *c, const char *members)
{
	char json[128];

	if (c->closing)
		return;
	snprintf(json, sizeof(json), "{\"type\":\"exit\"%s}", members);
	if (c->ours)
		client_tell(c, json);
	else if (!c->files)
		print_line(c, "%s",
		    "\r\n\033[33msession closed - reload the page to "
		    "reconnect\033[0m\r\n");
	client_close(c, WEB_CLOSE_DONE, "");
}

static void
banner(struct client *c)
{
	char line[WEB_WORD_MAX];

	clean(line, sizeof(line), c->h->conf.title);
	print_line(c, "%s", "skypty\n\r");
	print_line(c, "PTY-HOST: %s\n\r", line);
	if (*c->sid != '\0')
		print_line(c, "UI-SID: %s\n\r", c->sid);
}

/* The terminal runs. */
void
client_running(struct client *c)
{
	char json[128];

	c->state = CLIENT_RUNNING;
	if (c->ours && !c->files)
		client_tell(c, "{\"type\":\"open\"}");
	if (*c->sid != '\0' && !c->attached) {
		snprintf(json, sizeof(json),
		    "{\"type\":\"session\",\"id\":\"%s\"}", c->sid);
		client_tell(c, json);
	}
	if (!c->ours && !c->files && !c->attached)
		banner(c);
	if (!c->ours || c->cols == 0)
		return;
	c->size_changed = true;
}

bool
client_wants_output(const struct client *c)
{
	size_t waiting = buf_len(&c->output);

	if (waiting >= WEB_OUTPUT_HIGH)
		return false;
	return !c->ours || c->files ||
	    c->sent - c->acked + waiting < WEB_UNACKED_MAX;
}

/* One message a call: libwebsockets asks for that. */
static int
write_message(struct client *c, const uint8_t *p, size_t n, bool binary)
{
	static uint8_t frame[LWS_PRE + NOTES_MAX];

	if (n > NOTES_MAX)
		return -1;
	memcpy(frame + LWS_PRE, p, n);
	return lws_write(c->ws, frame + LWS_PRE, n,
		   binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT) < 0 ?
	    -1 :
	    0;
}

static int
write_note(struct client *c)
{
	struct buf text;
	uint8_t binary;
	uint32_t n;

	if (buf_get_u8(&c->notes, &binary) != 0 ||
	    buf_get_u32(&c->notes, &n) != 0 ||
	    buf_get_view(&c->notes, n, &text) != 0)
		return -1;
	return write_message(c, buf_ptr(&text), n, binary);
}

static int
write_output(struct client *c)
{
	size_t n = buf_len(&c->output) < CHUNK ? buf_len(&c->output) : CHUNK;
	struct buf piece;

	if (buf_get_view(&c->output, n, &piece) != 0 ||
	    write_message(c, buf_ptr(&piece), n, true) != 0)
		return -1;
	c->sent += n;
	c->gather_ms = now_ms();
	return 0;
}

/* To the original's page a flood goes in one frame a while. */
static bool
may_write_output(const struct client *c)
{
	return buf_len(&c->output) != 0 &&
	    (c->ours || c->closing || buf_len(&c->output) >= CHUNK ||
		now_ms() - c->gather_ms >= WEB_GATHER_MS);
}

static void host_resume(struct client *);

static int
on_writable(struct client *c)
{
	bool last = c->state == CLIENT_ENDED; /* what was said before the end */
	int r = 0;

	if (last && buf_len(&c->output) != 0)
		r = write_output(c);
	else if (buf_len(&c->notes) != 0)
		r = write_note(c);
	else if (may_write_output(c))
		r = write_output(c);
	else if (c->closing) {
		lws_close_reason(c->ws, (enum lws_close_status)c->close_code,
		    (unsigned char *)c->close_text, strlen(c->close_text));
		return -1;
	}
	if (r == 0) {
		if (buf_len(&c->notes) != 0 || may_write_output(c) ||
		    c->closing)
			lws_callback_on_writable(c->ws);
		else if (buf_len(&c->output) != 0)
			lws_set_timer_usecs(c->ws, WEB_GATHER_MS * 1000);
		host_resume(c);
	}
	return r;
}

/* --- from the browser --- */

/* What is typed goes as far as the host takes it. */
static void
push_input(struct client *c)
{
	if (c->state != CLIENT_RUNNING)
		return;
	c->ops->input(c);
	if (buf_len(&c->typed) < WEB_INPUT_MAX / 4)
		lws_rx_flow_control(c->ws, 1);
	client_wake(c);
}

static void
type(struct client *c, const void *p, size_t n)
{
	c->idle_since_ms = now_ms();
	if (c->h->conf.readonly)
		return;
	if (buf_put(&c->typed, p, n) != 0) {
		client_close(c, WEB_CLOSE_BIG, "too much at once");
		return;
	}
	if (buf_len(&c->typed) >= WEB_INPUT_MAX / 2)
		lws_rx_flow_control(c->ws, 0);
	push_input(c);
}

/* A megabyte of sizes is a few for the host. */
static void
resize(struct client *c)
{
	int64_t now = now_ms();

	if (!c->size_changed || c->state != CLIENT_RUNNING)
		return;
	if (now - c->size_ms < WEB_SIZE_MS) {
		lws_set_timer_usecs(c->ws, WEB_SIZE_MS * 1000);
		return;
	}
	c->size_changed = false;
	c->size_ms = now;
	c->ops->resize(c);
	client_wake(c);
}

static void
take_text(struct client *c)
{
	const char *text = (const char *)buf_ptr(&c->text);
	size_t n = buf_len(&c->text);
	struct web_said said;

	if (c->files || n > WEB_TEXT_MAX || !text_read(text, n, &said)) {
		if (c->files)
			client_close(c, WEB_CLOSE_DENIED, "bytes, not text");
		else
			type(c, text, n);
	} else if (said.what == SAID_RESIZE) {
		c->cols = said.cols;
		c->rows = said.rows;
		c->size_changed = true;
		resize(c);
	} else if (said.what == SAID_ACK && said.bytes > c->acked &&
	    said.bytes <= c->sent) {
		c->acked = said.bytes;
		host_resume(c);
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
	if (len + lws_remaining_packet_payload(wsi) > WEB_FRAME_MAX ||
	    c->message_len > WEB_FRAME_MAX) {
		client_close(c, WEB_CLOSE_BIG, "a message is too long");
		return 0;
	}
	if (c->closing)
		return 0;
	if (!c->text_message) {
		type(c, in, len);
		return 0;
	}
	if (buf_put(&c->text, in, len) != 0)
		return -1;
	if (last)
		take_text(c);
	return 0;
}

/* --- the control connection --- */

static void
drop_host(struct client *c)
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
	drop_host(c);
	buf_reset(&c->to_host);
	buf_reset(&c->from_host);
	c->reader = (struct xs_reader){ .inside = false };
	c->window = 0;
	c->state = CLIENT_DIALING;
	c->id = c->h->last_id++;
	c->heard_ms = now_ms();
	http_connect(c->h, c->id);
}

static const char *
uri_of(const struct client *c)
{
	if (c->ops == &host_files)
		return MUX_URI_FILES;
	return c->ops == &host_stream ? MUX_URI_EXEC : MUX_URI_PTY;
}

static struct client *
by_id(struct http *h, uint16_t id)
{
	struct client *c;

	LIST_FOREACH(c, &h->clients, entry)
	if (c->state == CLIENT_DIALING && c->id == id)
		return c;
	return NULL;
}

void
client_connected(struct http *h, uint16_t id, int fd, const char *why)
{
	struct client *c = by_id(h, id);
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
	c->host = lws_adopt_descriptor_vhost(h->vhost, LWS_ADOPT_RAW_FILE_DESC,
	    desc, "host", NULL);
	if (c->host == NULL) {
		client_fail(c, "out of memory");
		return;
	}
	lws_set_opaque_user_data(c->host, c);
	c->state = CLIENT_OPENING;
	if (mux_put_request(&c->to_host, uri_of(c)) != 0)
		client_fail(c, "out of memory");
	client_status(c, "Opening pty...");
	client_wake(c);
}

/* The mux's answer: what to do when the host has no such service. */
static void
refused(struct client *c)
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
take_answer(struct client *c)
{
	uint8_t answer;

	if (buf_get_u8(&c->from_host, &answer) != 0)
		return 0;
	if (answer != MUX_ACCEPT)
		refused(c);
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
		r = take_answer(c);
	if (c->fd == -1 || c->closing || c->window == 0)
		return r;
	if ((r = c->ops->receive(c)) == 0 && c->state == CLIENT_RUNNING) {
		resize(c);
		push_input(c);
	}
	return r;
}

static void host_ended(struct client *);

/* It has hung up; what it said before is still there to be read. */
static void
read_rest(struct client *c)
{
	ssize_t r = 1;

	while (r > 0 && !c->closing && c->host == NULL && c->fd != -1 &&
	    client_wants_output(c)) {
		if ((r = buf_read(&c->from_host, c->fd, CHUNK)) > 0 &&
		    process_host(c) != 0)
			client_fail(c, "the host makes no sense");
	}
	if (r <= 0 && buf_len(&c->from_host) == 0)
		host_ended(c);
	else if (r <= 0 && r != ERR_LIMIT && client_wants_output(c))
		host_ended(c); /* half a frame */
}

static void
host_resume(struct client *c)
{
	if (c->closing || c->fd == -1)
		return;
	if (client_wants_output(c) && buf_len(&c->from_host) != 0 &&
	    process_host(c) != 0)
		client_fail(c, "the host makes no sense");
	if (c->host != NULL)
		lws_rx_flow_control(c->host, client_wants_output(c));
	else if (!c->closing && client_wants_output(c))
		read_rest(c);
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
		client_close(c, WEB_CLOSE_DONE, "");
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
	r = buf_read(&c->from_host, c->fd, CHUNK);
	if (r == ERR_AGAIN)
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

	if (r < 0 && r != ERR_AGAIN)
		return 0; /* reading tells what it said before */
	if (buf_len(&c->to_host) != 0)
		lws_callback_on_writable(c->host);
	else
		push_input(c);
	return 0;
}

int
host_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
    void *in, size_t len)
{
	struct client *c = lws_get_opaque_user_data(wsi);

	(void)user, (void)in, (void)len;
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

/* --- its life --- */

static void
read_number(struct lws *wsi, const char *name, uint16_t *value)
{
	char text[16];
	const char *p = lws_get_urlarg_by_name(wsi, name, text, sizeof(text));
	long n = p != NULL ? strtol(p, NULL, 10) : 0;

	if (n > 0 && n <= UINT16_MAX)
		*value = (uint16_t)n;
}

/* sid and commands are for a terminal of ours to begin with. */
static bool
read_query(struct client *c, struct lws *wsi)
{
	char names[512];
	const char *p;

	read_number(wsi, "cols=", &c->cols);
	read_number(wsi, "rows=", &c->rows);
	p = lws_get_urlarg_by_name(wsi, "sid=", names, sizeof(names));
	if (p != NULL && strlen(p) < sizeof(c->sid) &&
	    strspn(p, "0123456789abcdef") == strlen(p))
		strlcpy(c->sid, p, sizeof(c->sid));
	p = lws_get_urlarg_by_name(wsi, "commands=", names, sizeof(names));
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
	buf_init(&c->typed, WEB_INPUT_MAX);
	buf_init(&c->to_host, WEB_INPUT_MAX + WEB_FRAME_MAX);
	buf_init(&c->from_host, WEB_REPLY_MAX + CHUNK);
	buf_init(&c->output, WEB_OUTPUT_MAX + WEB_REPLY_MAX);
	buf_init(&c->notes, NOTES_MAX);
	buf_init(&c->text, WEB_FRAME_MAX);
	buf_init(&c->frame, FRAME_TEXT);
	return c;
}

static void
free_client(struct client *c)
{
	drop_host(c);
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

/* libwebsockets' own answer is of HTTP/1.0. */
static void
refuse(struct lws *wsi, int status)
{
	static const struct {
		int status;
		const char *text;
	} known[] = {
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 503, "Service Unavailable" },
	};
	uint8_t head[LWS_PRE + 128];
	const char *text = "";
	int n;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].status == status)
			text = known[i].text;
	n = snprintf((char *)head + LWS_PRE, sizeof(head) - LWS_PRE,
	    "HTTP/1.1 %d %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
	    status, text);
	(void)lws_write(wsi, head + LWS_PRE, (size_t)n, LWS_WRITE_HTTP_FINAL);
}

/* While headers are there; what is wrong is answered in HTTP. */
static int
on_request(struct lws *wsi, struct ws_user *u)
{
	struct http *h = http_of(wsi);
	int status = page_check(h, wsi);

	if (status == 0 && (u->c = new_client(h, wsi)) == NULL)
		status = 503;
	if (status == 0 && !read_query(u->c, wsi))
		status = 403;
	if (status == 0 && u->c->files && h->conf.readonly)
		status = 403;
	if (status == 0)
		return 0;
	refuse(wsi, status);
	return -1;
}

static size_t *
count_of(struct client *c)
{
	return c->files ? &c->h->nfiles : &c->h->nterminals;
}

/* It is counted already.  Files are for those who have a terminal. */
static bool
has_room(struct client *c)
{
	const struct http *h = c->h;

	if (*count_of(c) > h->conf.max_clients)
		return false;
	return !h->conf.once || (c->files ? h->nterminals != 0 : !h->served);
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
	if (!has_room(c)) {
		client_close(c, WEB_CLOSE_MANY, "too many terminals are open");
		return 0;
	}
	h->served = h->served || !c->files;
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
		if (h->conf.once && !c->files && h->served)
			http_once_done(h);
	}
	free_client(c);
}

/* Every second: what waits too long, and signs of life for the host. */
void
client_tick(struct http *h, int64_t now)
{
	struct client *c;

	LIST_FOREACH(c, &h->clients, entry)
	{
		if (c->closing)
			continue;
		if (c->state != CLIENT_RUNNING &&
		    now - c->heard_ms > WEB_HOST_WAIT_S * 1000)
			client_fail(c, "the host does not answer");
		else if (h->conf.idle_s != 0 && !c->files &&
		    now - c->idle_since_ms > (int64_t)h->conf.idle_s * 1000)
			client_close(c, WEB_CLOSE_IDLE, "idle for too long");
		else if (c->state == CLIENT_RUNNING &&
		    now - c->ping_ms > WEB_HOST_PING_S * 1000) {
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
		return on_request(wsi, u);
	case LWS_CALLBACK_ESTABLISHED:
		return on_established(wsi, u);
	case LWS_CALLBACK_RECEIVE:
		return u->c != NULL ? on_receive(u->c, wsi, in, len) : -1;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return u->c != NULL ? on_writable(u->c) : -1;
	case LWS_CALLBACK_TIMER:
		if (u->c != NULL) {
			resize(u->c);
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
