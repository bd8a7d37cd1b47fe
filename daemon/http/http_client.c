/* SPDX-License-Identifier: ISC */
/*
 * What a browser is told on its WebSocket.  Nothing queues without bound: while
 * it is slow the host is not read.  PROTOCOL.pty 10; PROTOCOL 5.
 */
#include "daemon/http/http_main.h"
#include "daemon/http/http_client.h"
#include "daemon/http/http_host.h"
#include "daemon/http/http_mon.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/json.h"

/* To the original's page a flood goes in one frame a while. */
static bool
may_write_output(const struct client *c)
{
	return buf_len(&c->output) != 0 &&
	    (c->ours || c->closing || buf_len(&c->output) >= HTTP_WS_CHUNK ||
		now_ms() - c->gather_ms >= HTTP_GATHER_MS);
}

/* All is said, and whether it has arrived is not known yet. */
static bool
client_takes_leave(const struct client *c)
{
	return c->closing && c->farewell == FAREWELL_SAID &&
	    buf_len(&c->notes) == 0 && buf_len(&c->output) == 0;
}

void
client_wake(struct client *c)
{
	if (c->ws == NULL || client_takes_leave(c))
		return;
	if (c->closing || buf_len(&c->notes) != 0 || may_write_output(c))
		lws_callback_on_writable(c->ws);
	else if (buf_len(&c->output) != 0)
		lws_set_timer_usecs(c->ws, HTTP_GATHER_MS * 1000);
	if (c->host != NULL && buf_len(&c->to_host) != 0)
		lws_callback_on_writable(c->host);
}

static void
client_note(struct client *c, bool binary, const char *text, size_t n)
{
	if (buf_put_u8(&c->notes, binary) == 0 &&
	    buf_put_u32(&c->notes, (uint32_t)n) == 0 &&
	    buf_put(&c->notes, text, n) == 0)
		client_wake(c);
	else
		client_close(c, HTTP_CLOSE_FAILED, "out of memory");
}

/* A text message to the page. */
static void
client_tell(struct client *c, const char *json)
{
	client_note(c, false, json, strlen(json));
}

/* Who asks and does not listen is not answered without end. */
void
client_answer_ping(struct client *c, uint64_t id)
{
	char json[64];

	if (buf_len(&c->notes) > HTTP_NOTES_MAX / 2)
		return;
	snprintf(json, sizeof(json), "{\"type\":\"pong\",\"id\":%" PRIu64 "}",
	    id);
	client_tell(c, json);
}

static void
client_tell_text(struct client *c, const char *type, const char *text)
{
	struct buf b;

	buf_init(&b, HTTP_NOTES_MAX);
	if (buf_put(&b, "{\"type\":\"", 9) == 0 &&
	    buf_put(&b, type, strlen(type)) == 0 &&
	    buf_put(&b, "\",\"text\":", 9) == 0 &&
	    json_put_string(&b, text, strlen(text)) == 0 &&
	    buf_put_u8(&b, '}') == 0)
		client_note(c, false, (const char *)buf_ptr(&b), buf_len(&b));
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
		client_note(c, true, line,
		    (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

void
client_status(struct client *c, const char *text)
{
	if (c->files)
		return;
	if (c->ours)
		client_tell_text(c, "status", text);
	else
		print_line(c, "[skypty-ui] Status: %s\r", text);
}

void
client_close(struct client *c, enum http_close code, const char *text)
{
	if (c->closing)
		return;
	c->closing = true;
	c->close_code = code;
	strlcpy(c->close_text, text, sizeof(c->close_text));
	c->state = CLIENT_ENDED;
	c->leave_ms = now_ms() + HTTP_FAREWELL_S * 1000;
	/* Who has broken the rules may not get to hear all. */
	if (code == HTTP_CLOSE_BIG || code == HTTP_CLOSE_DENIED ||
	    code == HTTP_CLOSE_MANY)
		c->farewell = FAREWELL_HEARD;
	if (c->ws != NULL)
		lws_rx_flow_control(c->ws, 1);
	client_wake(c);
}

/* What a host says of itself is printed by nobody as it is. */
static void
client_clean(char *to, size_t len, const char *from)
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
	client_clean(text, sizeof(text), why);
	http_log(c->h, LOG_LEVEL_INFO, "Terminal: %s", text);
	if (!c->files && c->ours)
		client_tell_text(c, "error", text);
	else if (!c->files) {
		print_line(c, "[skypty-ui] Error: %s\n\r", text);
		print_line(c, "%s", "[skypty-ui] Status: Stopped!\r");
	}
	client_close(c, HTTP_CLOSE_FAILED, text);
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
	client_close(c, HTTP_CLOSE_DONE, "");
}

/* The terminal runs. */
void
client_running(struct client *c)
{
	char json[128], line[HTTP_WORD_MAX];

	c->state = CLIENT_RUNNING;
	if (c->ours && !c->files)
		client_tell(c, "{\"type\":\"open\"}");
	if (*c->sid != '\0' && !c->attached) {
		snprintf(json, sizeof(json),
		    "{\"type\":\"session\",\"id\":\"%s\"}", c->sid);
		client_tell(c, json);
	}
	if (!c->ours && !c->files && !c->attached) {
		client_clean(line, sizeof(line), c->h->conf.title);
		print_line(c, "%s", "skypty\n\r");
		print_line(c, "PTY-HOST: %s\n\r", line);
		if (*c->sid != '\0')
			print_line(c, "UI-SID: %s\n\r", c->sid);
	}
	if (!c->ours || c->cols == 0)
		return;
	c->size_changed = true;
}

bool
client_wants_output(const struct client *c)
{
	size_t waiting = buf_len(&c->output);

	if (waiting >= HTTP_OUTPUT_HIGH)
		return false;
	return !c->ours || c->files ||
	    c->sent - c->acked + waiting < HTTP_UNACKED_MAX;
}

/* One message a call: libwebsockets asks for that. */
static int
client_write_message(struct client *c, const uint8_t *p, size_t n, bool binary)
{
	static uint8_t frame[LWS_PRE + HTTP_NOTES_MAX];

	if (n > HTTP_NOTES_MAX)
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
	return client_write_message(c, buf_ptr(&text), n, binary);
}

static int
client_write_output(struct client *c)
{
	size_t n = buf_len(&c->output) < HTTP_WS_CHUNK ? buf_len(&c->output) :
							 HTTP_WS_CHUNK;
	struct buf piece;

	if (buf_get_view(&c->output, n, &piece) != 0 ||
	    client_write_message(c, buf_ptr(&piece), n, true) != 0)
		return -1;
	c->sent += n;
	c->gather_ms = now_ms();
	return 0;
}

/*
 * A connection that is closed while something of ours is under way, or of the
 * browser's unread, is reset, and what is under way is lost.  The answer to a
 * ping proves that all before it has been read.
 */
static const char farewell[] = "farewell";

static int
say_farewell(struct client *c)
{
	uint8_t frame[LWS_PRE + sizeof(farewell)];

	c->farewell = FAREWELL_SAID;
	memcpy(frame + LWS_PRE, farewell, sizeof(farewell));
	return lws_write(c->ws, frame + LWS_PRE, sizeof(farewell),
		   LWS_WRITE_PING) < 0 ?
	    -1 :
	    0;
}

void
client_pong(struct client *c, const void *p, size_t n)
{
	if (c->farewell != FAREWELL_SAID || n != sizeof(farewell) ||
	    memcmp(p, farewell, n) != 0)
		return;
	c->farewell = FAREWELL_HEARD;
	client_wake(c);
}

int
client_writable(struct client *c)
{
	bool last = c->state == CLIENT_ENDED; /* what was said before the end */
	int r = 0;

	if (last && buf_len(&c->output) != 0)
		r = client_write_output(c);
	else if (buf_len(&c->notes) != 0)
		r = write_note(c);
	else if (may_write_output(c))
		r = client_write_output(c);
	else if (c->closing && c->farewell == FAREWELL_UNSAID)
		r = say_farewell(c);
	else if (c->closing && c->farewell == FAREWELL_HEARD) {
		lws_close_reason(c->ws, (enum lws_close_status)c->close_code,
		    (unsigned char *)c->close_text, strlen(c->close_text));
		return -1;
	}
	if (r == 0) {
		host_resume(c);
		client_wake(c);
	}
	return r;
}
