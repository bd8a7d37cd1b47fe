/* SPDX-License-Identifier: ISC */
/*
 * A connection to a key without an address: the discovery, a session with a
 * server of the host's, a stream by it.  Once a service is open a process of
 * its own moves the stream's sealed bytes; it has no key.
 */
#include "client/dmsg.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"
#include "common/mux.h"

/*
 * A host may lack a service, and the next one is asked for by the same session:
 * a server does not like one key to come twice.
 */
static struct {
	bool open;
	struct link link;
} kept;

/* --- progress, on a terminal --- */

static void
progress(const struct options *o, const char *what)
{
	if (o->quiet || isatty(STDERR_FILENO) != 1)
		return;
	fprintf(stderr, "\r\033[K%s%s", what, *what != '\0' ? "..." : "");
	fflush(stderr);
}

/* --- the session --- */

static const char *
try_servers(const struct found *found, const struct dialer *d,
    const struct options *o, struct noise_keys *keys)
{
	const char *why = "no server";

	for (size_t i = 0; i < found->n; i++) {
		progress(o, "server");
		why = link_open(&kept.link, d, &found->server[i].pk,
		    found->server[i].address);
		if (why == NULL) {
			progress(o, "stream");
			why = link_dial(&kept.link, d, &o->dest.pk,
			    o->dest.dmsg_port, keys);
		}
		if (why == NULL) {
			kept.open = true;
			return NULL;
		}
		if (o->verbose)
			complain("dmsg server %s: %s", found->server[i].address,
			    why);
		link_close(&kept.link);
	}
	return why;
}

static int
get_stream(const struct dialer *d, const struct options *o,
    struct noise_keys *keys)
{
	struct found found;
	const char *why;
	int r;

	if (kept.open) {
		if ((why = link_dial(&kept.link, d, &o->dest.pk,
			 o->dest.dmsg_port, keys)) == NULL)
			return 0;
		link_close(&kept.link);
		kept.open = false;
	}
	progress(o, "discovery");
	r = dmsg_find(&found, d, o, &o->dest.pk);
	if (r == 0 && (why = try_servers(&found, d, o, keys)) != NULL) {
		progress(o, "");
		complain("dmsg port %u of the host: %s", o->dest.dmsg_port,
		    why);
		r = EXIT_FAILED;
	}
	progress(o, "");
	return r;
}

/* --- the service --- */

struct opening {
	struct conn *c;
	uint8_t answer;
	int result; /* 1 when the answer is there */
};

static bool
is_open(void *arg)
{
	struct opening *p = arg;
	struct dmsg_stream *st = kept.link.stream;
	const struct buf *in = dmsg_stream_in(st);
	struct conn *c = p->c;
	size_t n = buf_len(in);
	struct buf body;
	int r = 0;

	if (n > buf_room(&c->wire_in))
		n = buf_room(&c->wire_in);
	if (buf_put(&c->wire_in, buf_ptr(in), n) != 0 ||
	    dmsg_stream_consume(st, n) != 0)
		r = ERR_NOMEM;
	while (r == 0 && frame_complete(&c->wire_in))
		if ((r = frame_get(&c->wire_in, &body)) == 1)
			r = frame_open(&c->rx, &body, &c->in);
	if (r == 0 && buf_get_u8(&c->in, &p->answer) == 0)
		r = 1;
	p->result = r;
	return r != 0 || dmsg_stream_eof(st);
}

static int
ask_for(struct conn *c, const char *uri)
{
	struct opening p = { .c = c };
	struct buf request, wire;
	bool ok;

	buf_init(&request, 2 * MUX_URI_MAX);
	buf_init(&wire, 4 * MUX_URI_MAX);
	ok = mux_put_request(&request, uri) == 0 &&
	    frame_seal(&c->tx, &request, &wire) == 0 &&
	    dmsg_stream_write(kept.link.stream, buf_ptr(&wire),
		buf_len(&wire)) == (ssize_t)buf_len(&wire);
	buf_free(&request);
	buf_free(&wire);
	if (ok)
		(void)link_run(&kept.link, is_open, &p, DMSG_WAIT_MS);
	if (p.result < 0)
		return conn_bad(c, p.result);
	if (p.result == 0) {
		complain("the host closed the stream before it served "
			 "anything");
		return EXIT_FAILED;
	}
	if (p.answer == MUX_ACCEPT) {
		c->accepted = true;
		return 0;
	}
	c->rejected = c->eof = true;
	return 0;
}

/* --- the process that moves the bytes --- */

static int
hand_over(struct conn *c, struct dialer *d)
{
	int sv[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		sv) == -1)
		return EXIT_FAILED;
	if ((pid = fork()) == 0) {
		/* A terminal's signals are not for it; our end ends it. */
		setpgid(0, 0);
		signal(SIGINT, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		close(sv[0]);
		conn_close(c);
		identity_free(&d->id);
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		link_relay(&kept.link, sv[1]);
	}
	close(sv[1]);
	link_close(&kept.link);
	kept.open = false;
	if (pid == -1) {
		close(sv[0]);
		return EXIT_FAILED;
	}
	c->fd = sv[0];
	return 0;
}

static int
open_with(struct conn *c, struct dialer *d, const struct options *o,
    const char *uri)
{
	struct noise_keys keys;
	int r;

	if ((r = get_stream(d, o, &keys)) != 0)
		return r;
	frame_key_init(&c->tx, keys.send);
	frame_key_init(&c->rx, keys.recv);
	explicit_bzero(&keys, sizeof(keys));
	if ((r = ask_for(c, uri)) != 0)
		return r;
	if (c->rejected) {
		link_hang_up(&kept.link);
		if (c->optional)
			return 0;
		complain(c->is_sftp ? "remote rejected sftp subsystem: the "
				      "host serves no files, or your key %s is "
				      "not on its whitelist" :
				      "request rejected by remote "
				      "dmsgpty-host: is your key %s on its "
				      "whitelist?",
		    c->us);
		return EXIT_FAILED;
	}
	return hand_over(c, d);
}

int
dmsg_open(struct conn *c, struct keyctx *ctx, const struct options *o,
    const char *uri)
{
	struct options own = *o;
	struct dialer d = { .ctx = ctx,
		.quiet = o->quiet,
		.verbose = o->verbose };
	int r;

	if (o->visor_key_given && o->visor_key) {
		complain("--visor-key: the visor's key cannot be used by a "
			 "second dmsg client, discovery holds one entry a key; "
			 "use an identity of your own ('skypty keygen')");
		return EXIT_USAGE;
	}
	own.visor_key = false;
	if ((r = identity_find(&d.id, ctx, &own)) != 0)
		return r;
	key_text(&d.id.pk, c->us);
	if (o->verbose)
		complain("we are %s (%s)", c->us, d.id.source);
	r = open_with(c, &d, o, uri);
	identity_free(&d.id);
	return r;
}
