/* SPDX-License-Identifier: ISC */
/* A host with skypty/1/exec, and its files as they are.  See PROTOCOL. */
#include "daemon/http/http_main.h"
#include "daemon/http/http_client.h"

#include <stdio.h>
#include <string.h>

#include "common/base/err.h"

#define STDIN_MAX 16384 /* of one frame */

static int
stream_add(struct gob_list *l, const char *word)
{
	return gob_list_add(l, word, strlen(word));
}

static int
stream_describe(struct client *c, struct xs_start *s)
{
	const struct http_conf *conf = &c->h->conf;
	int r;

	*s = (struct xs_start){ .flags = XS_HAS_STDIN | XS_TERMINAL,
		.size = { .rows = c->rows, .cols = c->cols } };
	buf_view(&s->name, conf->cmd, strlen(conf->cmd));
	buf_init(&s->arg.raw, HTTP_LIST_MAX * (HTTP_WORD_MAX + 8));
	buf_init(&s->env.raw, 256);
	for (size_t i = 0; i < conf->arg.n; i++)
		if ((r = stream_add(&s->arg, conf->arg.word[i])) != 0)
			return r;
	if ((r = stream_add(&s->env, "TERM=xterm-256color")) != 0)
		return r;
	/* The page knows no other encoding, whatever the host's own is. */
	if ((r = stream_add(&s->env, "LC_CTYPE=C.UTF-8")) != 0)
		return r;
	return stream_add(&s->env, "COLORTERM=truecolor");
}

static void
stream_begin(struct client *c)
{
	struct xs_start s;
	struct buf payload;
	int r;

	buf_init(&payload, XS_START_MAX);
	if ((r = stream_describe(c, &s)) == 0 &&
	    (r = xs_put_start(&payload, &s)) == 0)
		r = xs_put_frame(&c->to_host, XS_START, buf_ptr(&payload),
		    buf_len(&payload));
	buf_free(&payload);
	buf_free(&s.arg.raw);
	buf_free(&s.env.raw);
	c->window = XS_WINDOW;
	if (r != 0)
		client_fail(c, "the command is too long");
}

static void
stream_input(struct client *c)
{
	struct buf piece;
	size_t n;

	while ((n = buf_len(&c->typed)) != 0 && c->window > 1 &&
	    buf_len(&c->to_host) < HTTP_FRAME_MAX) {
		n = n < STDIN_MAX ? n : STDIN_MAX;
		/* 0 stands for a connection that is not open yet. */
		n = n < c->window - 1 ? n : c->window - 1;
		if (buf_get_view(&c->typed, n, &piece) != 0 ||
		    xs_put_frame(&c->to_host, XS_STDIN, buf_ptr(&piece), n) !=
			0)
			return;
		c->window -= (uint32_t)n;
	}
}

static void
stream_resize(struct client *c)
{
	struct buf b;

	buf_init(&b, 8);
	if (buf_put_u16(&b, c->rows) == 0 && buf_put_u16(&b, c->cols) == 0 &&
	    buf_put_u32(&b, 0) == 0)
		(void)xs_put_frame(&c->to_host, XS_RESIZE, buf_ptr(&b),
		    buf_len(&b));
	buf_free(&b);
}

static void
stream_ping(struct client *c)
{
	(void)xs_put_frame(&c->to_host, XS_KEEPALIVE, NULL, 0);
}

static int
stream_take_exit(struct client *c)
{
	char members[64] = "";
	uint32_t status;
	uint8_t how;

	if (buf_get_u8(&c->frame, &how) != 0 ||
	    buf_get_u32(&c->frame, &status) != 0)
		return SKY_ERR_FORMAT;
	if (how == XS_EXITED)
		snprintf(members, sizeof(members), ",\"status\":%u", status);
	else if (how == XS_SIGNALED)
		snprintf(members, sizeof(members), ",\"signal\":\"%s\"",
		    xs_signal_name((int)status));
	client_exited(c, members);
	return 0;
}

static int
stream_take_failure(struct client *c)
{
	char text[256];
	size_t n = buf_len(&c->frame);

	n = n < sizeof(text) - 1 ? n : sizeof(text) - 1;
	memcpy(text, buf_ptr(&c->frame), n);
	text[n] = '\0';
	client_fail(c, text);
	return 0;
}

static int
stream_take_window(struct client *c)
{
	uint32_t n;

	if (buf_get_u32(&c->frame, &n) != 0 || n > XS_WINDOW - c->window)
		return SKY_ERR_FORMAT;
	c->window += n;
	return 0;
}

/* A frame that is no output and has come as a whole. */
static int
stream_take_frame(struct client *c)
{
	int r = 0;

	switch (c->reader.tag) {
	case XS_KEEPALIVE:
		break;
	case XS_STARTED:
		client_running(c);
		break;
	case XS_WINDOW_ADD:
		r = stream_take_window(c);
		break;
	case XS_FAILED:
		r = stream_take_failure(c);
		break;
	case XS_EXIT:
		r = stream_take_exit(c);
		break;
	default:
		r = SKY_ERR_FORMAT;
	}
	buf_reset(&c->frame);
	return r;
}

static int
stream_receive(struct client *c)
{
	struct buf piece;
	int r = 0;

	while (!c->closing && client_wants_output(c) &&
	    (r = xs_get_piece(&c->reader, &c->from_host, &piece)) == 1) {
		r = buf_put(c->reader.tag == XS_STDOUT ||
			    c->reader.tag == XS_STDERR ?
			&c->output :
			&c->frame,
		    buf_ptr(&piece), buf_len(&piece));
		if (r == 0 && c->reader.tag != XS_STDOUT &&
		    c->reader.tag != XS_STDERR && !c->reader.inside)
			r = stream_take_frame(c);
		if (r != 0)
			return r;
	}
	return r < 0 ? r : 0;
}

const struct host_ops host_stream = { stream_begin, stream_input,
	stream_receive, stream_resize, stream_ping };

/* --- files: bytes, and nothing is looked at --- */

static void
files_begin(struct client *c)
{
	c->window = XS_WINDOW;
	client_running(c);
}

static void
files_input(struct client *c)
{
	size_t n = buf_len(&c->typed), room = buf_room(&c->to_host);
	struct buf piece;

	n = n < room ? n : room;
	if (n != 0 && buf_get_view(&c->typed, n, &piece) == 0)
		(void)buf_put(&c->to_host, buf_ptr(&piece), n);
}

static int
files_receive(struct client *c)
{
	size_t n = buf_len(&c->from_host), room = buf_room(&c->output);
	struct buf piece;
	int r;

	n = n < room ? n : room;
	if (n == 0)
		return 0;
	if ((r = buf_get_view(&c->from_host, n, &piece)) != 0)
		return r;
	return buf_put(&c->output, buf_ptr(&piece), n);
}

static void
files_nothing(struct client *c)
{
}

const struct host_ops host_files = { files_begin, files_input, files_receive,
	files_nothing, files_nothing };
