/* SPDX-License-Identifier: ISC */
/*
 * A connection with a service open on it: TCP and Noise XK, or the control
 * socket as it is.  Message 3, the request for the service and the first calls
 * leave in one packet: the host reads each exactly as far as it goes.
 */
#include "client/conn.h"
#include "client/complain.h"
#include "client/dest.h"
#include "client/dial.h"
#include "client/exits.h"
#include "client/handshake.h"
#include "client/hub/hub_conn.h"
#include "client/identity.h"
#include "client/offer.h"
#include "client/options.h"
#include "client/patience.h"
#include "client/proxy.h"
#include "client/via.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/reach.h"
#include "common/base/tcp.h"
#include "common/base/unix.h"
#include "common/privsep/control.h"
#include "common/pty/frame.h"
#include "common/pty/keys.h"
#include "common/pty/mux.h"
#include "common/pty/noise.h"
#include "common/pty/rpc.h"

#define KEEP_MS 60000 /* a direction of a stream of dmsg may be quiet */
#define IN_MAX	(RPC_CLIENT_MSG_MAX + LINK_CHUNK)
#define OUT_MAX (4U * 1024 * 1024)

/* --- connecting --- */

/* With -v: how far we are, and since when. */
static void
conn_tell_reached(const struct conn *c)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	char text[ADDR_TEXT_MAX];

	if (!c->verbose ||
	    getpeername(c->fd, (struct sockaddr *)&sa, &len) == -1)
		return;
	addr_hostport((struct sockaddr *)&sa, len, text);
	complain("connected to %s after %lld ms", text,
	    (long long)(now_ms() - c->begun_ms));
}

static int
conn_dial_tcp(struct conn *c, const struct dial_how *how)
{
	const struct dest *d = c->dest;
	const char *why = "";

	for (int i = 1;; i++) {
		c->fd = dial_connect(d->host, d->port, REACH_LOCAL, how, &why);
		if (c->fd != -1) {
			dial_probe(c->fd, how);
			conn_tell_reached(c);
			return 0;
		}
		if (i >= how->attempts)
			break;
		(void)poll(NULL, 0, 1000);
	}
	complain("%s port %s: %s%s", d->host, d->port, why,
	    strcmp(why, "connection refused") == 0 ?
		"; is skyptyd running there?" :
		"");
	return EXIT_FAILED;
}

static void
conn_tell_unix(const char *path, bool named, int error)
{
	if (error == EPERM && !named)
		complain("control socket %s: it is served by another user; "
			 "--cliaddr %s says that this is meant",
		    path, path);
	else
		complain("control socket %s: %s%s", path, strerror(error),
		    error == ENOENT || error == ECONNREFUSED ?
			"; is skyptyd running here? (--cliaddr)" :
			"");
}

static int
conn_dial_unix(struct conn *c, const char *named, bool quiet)
{
	char found[CONTROL_PATH_MAX];
	int error;

	c->fd =
	    named != NULL ? unix_connect(named, 0) : control_connect(0, found);
	if (c->fd == -1) {
		error = errno;
		if (quiet)
			conn_hang_up(c);
		else
			conn_tell_unix(named != NULL ? named : found,
			    named != NULL, error);
		return EXIT_FAILED;
	}
	if (c->verbose)
		complain("connected to the control socket %s",
		    named != NULL ? named : found);
	c->link.plain = true;
	return fcntl(c->fd, F_SETFL, O_NONBLOCK) == -1 ? EXIT_FAILED : 0;
}

int
conn_local(struct conn *c, const struct client_options *o, bool quiet)
{
	return conn_dial_unix(c, o->cliaddr, quiet);
}

/* --- the handshake --- */

static int
no_message2(const struct conn *c, ssize_t r)
{
	char pk[KEY_PUBLIC_HEX];

	key_text(&c->dest->pk, pk);
	if (r == SKY_ERR_AGAIN)
		complain("%s port %s: no answer to the handshake; is it a "
			 "skypty host?",
		    c->dest->host, c->dest->port);
	else if (c->proxy != 0)
		complain("ProxyCommand has ended before the host's answer, or "
			 "leads to no skypty host with the key %s",
		    pk);
	else
		complain("the host's key is not %s, or the host has turned "
			 "the connection away, having too many (or %s port %s "
			 "is no skypty host)",
		    pk, c->dest->host, c->dest->port);
	return EXIT_FAILED;
}

/* Servers of others' protocols give themselves away. */
static int
conn_no_frame(const struct conn *c, int error)
{
	static const struct {
		const char *begin, *what;
	} others[] = {
		{ "SSH-", "an SSH server" },
		{ "HTTP/", "a web server" },
		{ "220", "a mail or FTP server" },
	};
	const struct buf *b = &c->link.wire_in;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (buf_len(b) >= strlen(others[i].begin) &&
		    memcmp(buf_ptr(b), others[i].begin,
			strlen(others[i].begin)) == 0) {
			complain("%s port %s is %s, no skypty host; skyptyd's "
				 "port is " DEFAULT_PORT
				 " unless it was told another",
			    c->dest->host, c->dest->port, others[i].what);
			return EXIT_FAILED;
		}
	return conn_bad(c, error);
}

/* Waits for the responder's one message. */
static int
conn_await_frame(struct conn *c, struct buf *body)
{
	int64_t deadline = now_ms() + c->dial_ms;
	ssize_t r;
	int got;

	while ((got = frame_get(&c->link.wire_in, body)) == 0) {
		if (!tcp_await(c->fd, POLLIN, deadline))
			return no_message2(c, SKY_ERR_AGAIN);
		r = buf_read(&c->link.wire_in, c->fd, LINK_CHUNK);
		if (r < 0 && r != SKY_ERR_AGAIN)
			return no_message2(c, r);
		if (r > 0)
			c->received += (uint64_t)r;
	}
	return got == 1 ? 0 : conn_no_frame(c, got);
}

int
conn_check_keys(const struct conn *c, const struct noise_keys *keys)
{
	if (c->require_pq && !keys->hybrid) {
		complain("the host has no post-quantum handshake "
			 "(RequirePQ)");
		return EXIT_FAILED;
	}
	if (c->verbose)
		complain("keys are made by secp256k1 %s",
		    keys->hybrid ? "and ML-KEM-768: post-quantum" :
				   "alone: not post-quantum");
	return 0;
}

static int
conn_exchange(struct conn *c, struct handshake *h, struct buf *msg)
{
	struct noise_keys keys;
	struct buf body;
	int r;

	if ((r = frame_put(&c->link.wire_out, buf_ptr(msg), buf_len(msg))) != 0)
		return conn_bad(c, r);
	if ((r = conn_flush(c)) != 0 || (r = conn_await_frame(c, &body)) != 0)
		return r;
	buf_reset(msg);
	if ((r = handshake_finish(h, &body, msg, &keys)) != 0) {
		if (r < 0)
			complain("the host does not prove its key: %s",
			    err_text(r));
		return EXIT_FAILED;
	}
	if ((r = conn_check_keys(c, &keys)) == 0 &&
	    (r = frame_put(&c->link.wire_out, buf_ptr(msg), buf_len(msg))) == 0)
		link_keys(&c->link, keys.send, keys.recv);
	explicit_bzero(&keys, sizeof(keys));
	return r >= 0 ? r : conn_bad(c, r);
}

/*
 * Before anybody is called: a host does not wait for somebody who looks for a
 * passphrase.
 */
static int
conn_begin_noise(struct conn *c, struct keyctx *ctx,
    const struct client_options *o, struct handshake *h, struct buf *msg)
{
	struct identity id = { 0 };
	int r;

	if ((r = identity_find(&id, ctx, o)) != 0)
		return r;
	key_text(&id.pk, c->us);
	if (o->verbose)
		complain("we are %s (%s)", c->us, id.source);
	r = handshake_start(h, ctx, &id, &c->dest->pk, msg);
	identity_free(&id);
	return r < 0 ? conn_bad(c, r) : r;
}

static int
conn_shake_hands(struct conn *c, const struct client_options *o,
    struct handshake *h, struct buf *msg)
{
	char them[KEY_PUBLIC_HEX];
	int r = conn_exchange(c, h, msg);

	key_text(&c->dest->pk, them);
	if (r == 0 && o->verbose)
		complain("the host has proven its key %s after %lld ms", them,
		    (long long)(now_ms() - c->begun_ms));
	return r;
}

/* --- open and close --- */

static int
conn_dial(struct conn *c, struct keyctx *ctx, const struct client_options *o)
{
	struct handshake h = { 0 };
	struct buf msg;
	int r;

	if (c->dest->kind == DEST_LOCAL)
		return conn_dial_unix(c, c->dest->socket, false);
	c->dial_ms = dial_ms(&o->how);
	buf_init(&msg, NOISE_MSG_MAX);
	if ((r = conn_begin_noise(c, ctx, o, &h, &msg)) == 0)
		r = o->how.proxy != NULL ?
		    proxy_open(c, o->how.proxy, o->how.proxy_stays) :
		    conn_dial_tcp(c, &o->how);
	if (r == 0)
		r = conn_shake_hands(c, o, &h, &msg);
	handshake_free(&h);
	buf_free(&msg);
	return r;
}

void
conn_init(struct conn *c)
{
	memset(c, 0, sizeof(*c));
	c->fd = -1;
	link_init(&c->link);
	buf_init(&c->in, IN_MAX);
	buf_init(&c->out, OUT_MAX);
}

static void
conn_prepare(struct conn *c, const struct client_options *o, const char *uri,
    bool optional)
{
	conn_init(c);
	c->optional = optional;
	c->shell = o->terminal && (o->shell || o->login);
	c->is_sftp = strcmp(uri, MUX_URI_SFTP) == 0;
	c->uri = uri;
	c->verbose = o->verbose;
	c->require_pq = o->require_pq;
	c->begun_ms = now_ms();
	c->dest = &o->dest;
	c->held = o->held;
}

/* As whom has been said when the hub's connection was made. */
int
conn_share(struct conn *c, const struct client_options *o, const char *uri,
    bool optional, int fd)
{
	conn_prepare(c, o, uri, optional);
	c->fd = fd;
	c->way = WAY_SHARED;
	c->link.plain = true;
	patience_begin(c);
	return mux_put_request(&c->out, uri) == 0 ? 0 : EXIT_FAILED;
}

int
conn_once(struct conn *c, struct keyctx *ctx, const struct client_options *o,
    const char *uri, bool optional)
{
	int r;

	conn_prepare(c, o, uri, optional);
	c->offered = o->offer != NULL && !o->offer->taken;
	if (o->user != NULL) {
		if (mux_put_user(c->asked, o->user, uri) != 0) {
			complain("%s: too long a name", o->user);
			return EXIT_FAILED;
		}
		c->as_user = !o->user_optional;
		c->uri = uri = c->asked;
	}
	if (o->dest.kind == DEST_DMSG) {
		r = via_open(c, ctx, o, uri);
		patience_begin(c);
		return r;
	}
	if ((r = conn_dial(c, ctx, o)) != 0)
		return r;
	patience_begin(c);
	return mux_put_request(&c->out, uri) == 0 ? 0 : EXIT_FAILED;
}

/* By a hub, where there is one to be used; else by itself. */
static int
conn_any(struct conn *c, struct keyctx *ctx, const struct client_options *o,
    const char *uri, bool optional)
{
	int r;

	if (hub_connect(c, ctx, o, uri, optional, &r))
		return r;
	return offer_open(c, ctx, o, uri, optional);
}

int
conn_open(struct conn *c, struct keyctx *ctx, const struct client_options *o,
    const char *uri)
{
	return conn_any(c, ctx, o, uri, false);
}

int
conn_try(struct conn *c, struct keyctx *ctx, const struct client_options *o,
    const char *uri)
{
	return conn_any(c, ctx, o, uri, true);
}

void
conn_hang_up(struct conn *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	c->link.plain = false;
	buf_reset(&c->in);
	buf_reset(&c->out);
	buf_reset(&c->link.wire_out);
}

void
conn_close(struct conn *c)
{
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	proxy_close(c);
	link_free(&c->link);
	buf_free(&c->in);
	buf_free(&c->out);
}

int
conn_hear(struct conn *c)
{
	struct pollfd p = { .fd = c->fd };
	int r;

	r = conn_flush(c);
	while (r == 0 && !c->accepted && !c->rejected && !c->eof) {
		p.events = conn_events(c);
		if ((r = conn_wait(c, &p, 1, -1, NULL)) == 0 &&
		    (r = conn_pump(c, p.revents)) == 0)
			r = conn_check_silence(c, QUIET_MS);
	}
	return r;
}

int
conn_await(struct conn *c)
{
	int r = conn_hear(c);

	return r == 0 && !c->accepted && !c->rejected ? conn_ended(c) : r;
}

/* --- what went wrong --- */

int
conn_bad(const struct conn *c, int error)
{
	complain("protocol error at byte %llu: %s",
	    (unsigned long long)c->received, err_text(error));
	return EXIT_FAILED;
}

int
conn_ended(const struct conn *c)
{
	if (c->accepted)
		complain("the connection was closed by the host");
	else if (c->way == WAY_SHARED)
		complain("the shared connection has ended before the host's "
			 "answer");
	else if (c->way == WAY_DAEMON)
		complain("the local skyptyd's key is not on the host's "
			 "whitelist, or has lost it; --standalone dials under "
			 "your own");
	else if (c->way == WAY_VISOR)
		complain("the local visor does not reach the host, or its key "
			 "is not on the whitelist; --standalone dials under "
			 "your own");
	else if (c->link.plain)
		complain("the host does not serve this user on its control "
			 "socket");
	else
		complain("your key %s is not on the host's whitelist, or not "
			 "let in from here or now (or the host is no skypty "
			 "host)",
		    c->us);
	return EXIT_FAILED;
}

/* --- bytes --- */

static size_t
conn_backlog(const struct conn *c)
{
	return buf_len(&c->out) + buf_len(&c->link.wire_out);
}

size_t
conn_unsent(const struct conn *c)
{
	int n;

	if (ioctl(c->fd, TIOCOUTQ, &n) == -1 || n < 0)
		n = 0;
	return conn_backlog(c) + (size_t)n;
}

short
conn_events(const struct conn *c)
{
	return (
	    short)((!c->hold && buf_room(&c->in) >= FRAME_PLAIN_MAX ? POLLIN :
								      0) |
	    (conn_backlog(c) != 0 ? POLLOUT : 0));
}

int
conn_flush(struct conn *c)
{
	ssize_t r = 1;

	if (c->rejected) {
		buf_reset(&c->out);
		buf_reset(&c->link.wire_out);
	}
	while (conn_backlog(c) != 0 && r > 0)
		r = link_write(&c->link, c->fd, &c->out);
	if (r >= 0 || r == SKY_ERR_AGAIN)
		return 0;
	if (r != SKY_ERR_SYS)
		return conn_bad(c, (int)r);
	/* What it said before it went may still be read. */
	if (errno == EPIPE || errno == ECONNRESET) {
		buf_reset(&c->out);
		buf_reset(&c->link.wire_out);
		return 0;
	}
	complain("sending: %s", strerror(errno));
	return EXIT_FAILED;
}

int
conn_keep(struct conn *c)
{
	if (c->kept_ms == 0 || c->sent_frames != c->link.tx.counter) {
		c->sent_frames = c->link.tx.counter;
		c->kept_ms = now_ms();
	}
	if (c->link.plain || !c->accepted || c->eof || conn_backlog(c) != 0 ||
	    c->dest->kind != DEST_DMSG || now_ms() - c->kept_ms < KEEP_MS)
		return 0;
	if (frame_seal_nothing(&c->link.tx, &c->link.wire_out) != 0)
		return 0;
	return conn_flush(c);
}

/* Over dmsg it may as well be the key that is rejected, whoever's it is. */
int
conn_rejected(const struct conn *c)
{
	bool own = c->way == WAY_OWN && c->dest->kind == DEST_DMSG;
	bool by_other = c->way == WAY_DAEMON || c->way == WAY_VISOR;
	const char *other = c->way == WAY_DAEMON ? "skyptyd" : "visor";

	if (c->as_user)
		complain(
		    "request rejected by remote dmsgpty-host: it lacks "
		    "this service, or knows of no users (it is no skyptyd, "
		    "or an older one); without a user (-l) sessions are "
		    "those of its own");
	else if (c->is_sftp && own)
		complain("remote rejected sftp subsystem: the host serves no "
			 "files, or your key %s is not on its whitelist",
		    c->us);
	else if (c->is_sftp && by_other)
		complain("remote rejected sftp subsystem: the host serves no "
			 "files, or the key of the local %s is not on its "
			 "whitelist; --standalone dials under your own",
		    other);
	else if (c->is_sftp)
		complain("remote rejected sftp subsystem: the host serves no "
			 "files");
	else if (own)
		complain("request rejected by remote dmsgpty-host: is your "
			 "key %s on its whitelist?",
		    c->us);
	else if (by_other)
		complain("request rejected by remote dmsgpty-host: is the key "
			 "of the local %s on its whitelist? --standalone dials "
			 "under your own",
		    other);
	else
		complain("request rejected by remote dmsgpty-host");
	return EXIT_FAILED;
}

static bool
conn_says(const struct conn *c, const char *text)
{
	return buf_len(&c->in) == strlen(text) &&
	    memcmp(buf_ptr(&c->in), text, strlen(text)) == 0;
}

static int
conn_check_answer(struct conn *c)
{
	uint8_t answer;

	if (c->accepted || buf_get_u8(&c->in, &answer) != 0)
		return 0;
	if (c->verbose)
		complain("the host %s %s after %lld ms",
		    answer == MUX_ACCEPT ? "serves" : "refuses", c->uri,
		    (long long)(now_ms() - c->begun_ms));
	/* An older host has calls for a shell of such a key. */
	if (answer != MUX_ACCEPT && c->optional && c->shell &&
	    conn_says(c, MUX_NO_EXEC)) {
		c->rejected = c->eof = true;
		return 0;
	}
	/* Of a service that is not known nothing more is said. */
	if (answer != MUX_ACCEPT && buf_len(&c->in) != 0) {
		complain("the host turns the connection away: %s",
		    complain_printable(&c->in));
		return EXIT_FAILED;
	}
	if (answer != MUX_ACCEPT && (c->optional || c->offered) &&
	    !c->as_user) {
		c->rejected = c->eof = true;
		return 0;
	}
	if (answer != MUX_ACCEPT)
		return conn_rejected(c);
	c->accepted = true;
	return 0;
}

static int
conn_receive(struct conn *c)
{
	ssize_t r;

	r = link_read(&c->link, c->fd, &c->in);
	if (r == SKY_ERR_EOF || (r == SKY_ERR_SYS && errno == ECONNRESET)) {
		c->eof = true;
		return 0;
	}
	if (r < 0 && r != SKY_ERR_AGAIN && r != SKY_ERR_SYS)
		return conn_bad(c, (int)r);
	if (r == SKY_ERR_SYS) {
		complain("%s: %s",
		    errno == ETIMEDOUT ? "the host does not answer any more" :
					 "receiving",
		    strerror(errno));
		return EXIT_FAILED;
	}
	if (r > 0)
		c->received += (uint64_t)r;
	return 0;
}

int
conn_pump(struct conn *c, short revents)
{
	int r;

	if ((revents & POLLOUT) && (r = conn_flush(c)) != 0)
		return r;
	if ((revents & (POLLIN | POLLHUP | POLLERR)) &&
	    (conn_events(c) & POLLIN) && (r = conn_receive(c)) != 0)
		return r;
	if ((r = link_open(&c->link, &c->in)) != 0)
		return conn_bad(c, r);
	return conn_check_answer(c);
}
