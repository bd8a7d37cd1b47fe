/* SPDX-License-Identifier: ISC */
/*
 * A connection to a key without an address: the discovery, a session with a
 * server of the host's, a stream by it.  The session is a process of its own,
 * for all who use the key.
 */
#include "client/dmsg/dmsg.h"
#include "client/complain.h"
#include "client/conn.h"
#include "client/exits.h"
#include "client/identity.h"
#include "client/options.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/pty/frame.h"
#include "common/pty/keys.h"
#include "common/pty/mux.h"
#include "common/pty/noise.h"

/* --- progress, on a terminal --- */

static void
dmsg_progress(const struct client_options *o, const char *what)
{
	if (o->quiet || isatty(STDERR_FILENO) != 1)
		return;
	fprintf(stderr, "\r\033[K%s%s", what, *what != '\0' ? "..." : "");
	fflush(stderr);
}

/* --- the stream --- */

static int
dmsg_get_stream(struct conn *c, struct dmsg_dialer *d,
    const struct client_options *o, int *fd, struct noise_keys *keys)
{
	const char *why = "no server";
	struct dmsg_found found;
	int r;

	d->deadline = now_ms() + DMSG_ALL_MS;
	dmsg_progress(o, "discovery");
	r = dmsg_find(&found, d, o, &o->dest.pk);
	for (size_t i = 0; r == 0 && why != NULL && i < found.n; i++) {
		const struct dmsg_way *w = &found.way[i];

		if (i != 0 && now_ms() >= d->deadline)
			break;
		dmsg_progress(o, "server");
		why = dmsg_dial(fd, d, w, &o->dest.pk, o->dest.dmsg_port, keys);
		if (why != NULL && o->verbose)
			complain("dmsg server %s: %s", w->address, why);
	}
	dmsg_progress(o, "");
	c->unreached = why == dmsg_unreached;
	if (r == 0 && why != NULL) {
		if (!c->unreached || !c->offered || o->verbose)
			complain("dmsg port %u of the host: %s",
			    o->dest.dmsg_port, why);
		r = EXIT_FAILED;
	}
	return r;
}

void
dmsg_begin(struct conn *c, int fd, struct noise_keys *keys)
{
	c->fd = fd;
	link_keys(&c->link, keys->send, keys->recv);
	explicit_bzero(keys, sizeof(*keys));
}

int
dmsg_pump(struct conn *c, int64_t deadline, bool *late)
{
	struct pollfd p = { .fd = c->fd, .events = conn_events(c) };
	int64_t left = deadline - now_ms();

	*late = left <= 0;
	if (*late)
		return 0;
	(void)poll(&p, 1, (int)left);
	return conn_pump(c, p.revents);
}

/* --- the service --- */

/* The request's answer must not take long: who it is has been proven. */
static int
dmsg_await_service(struct conn *c)
{
	int64_t deadline = now_ms() + DMSG_WAIT_MS;
	bool late = false;
	int r = 0;

	while (r == 0 && !late && !c->accepted && !c->rejected && !c->eof)
		r = dmsg_pump(c, deadline, &late);
	if (r != 0 || c->accepted || c->rejected)
		return r;
	if (late)
		complain("the host has not answered to the request for a "
			 "service");
	else
		complain("the host closed the stream before it served "
			 "anything");
	return EXIT_FAILED;
}

int
dmsg_open(struct conn *c, struct keyctx *ctx, const struct client_options *o,
    const char *uri)
{
	struct client_options own = *o;
	struct dmsg_dialer d = { .ctx = ctx,
		.quiet = o->quiet,
		.verbose = o->verbose };
	struct noise_keys keys;
	int fd, r;

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
	r = dmsg_get_stream(c, &d, o, &fd, &keys);
	identity_free(&d.id);
	if (r != 0)
		return r;
	r = conn_check_keys(c, &keys);
	dmsg_begin(c, fd, &keys);
	if (r != 0)
		return r;
	if (mux_put_request(&c->out, uri) != 0)
		return EXIT_FAILED;
	return dmsg_await_service(c);
}
