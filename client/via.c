/* SPDX-License-Identifier: ISC */
/*
 * The ways to a key without an address, in the order they are tried: skyptyd on
 * this machine, a visor on it, a dmsg client of our own.  The first two dial
 * under their own key, and what comes from them is plain.  An identity or a
 * discovery that is named asks for the last.  PROTOCOL.pty 9, 12.
 */
#include "client/via.h"
#include "client/complain.h"
#include "client/conn.h"
#include "client/dest.h"
#include "client/dial.h"
#include "client/dmsg/dmsg.h"
#include "client/exits.h"
#include "client/options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/reach.h"
#include "common/pty/keys.h"
#include "common/pty/mux.h"

#define DIAL_WAIT_MS 40000 /* more than skyptyd gives it */
#define WHY_MAX	     4096

/* What has become of a way. */
enum via_result {
	VIA_OPEN,    /* it leads there, or has found out that it cannot */
	VIA_ABSENT,  /* it does not exist here */
	VIA_UNKNOWN, /* skyptyd: it does not know this request */
	VIA_FAILED   /* told */
};

/* PROTOCOL.pty 12: the newest head first; older visors close at a longer one.
 */
static const char bridge[] = "SKYBRI";
enum { BRIDGE_NEWEST, BRIDGE_NO_SCHEME, BRIDGE_BARE, BRIDGES };
enum { BRIDGE_DMSG = 0 };

static bool
via_wants_own(const struct client_options *o)
{
	const char *env = getenv("DMSGPTY_SK");

	return o->standalone || o->sk != NULL || o->identity != NULL ||
	    o->dmsgdisc != NULL || o->dmsg_servers != NULL ||
	    (env != NULL && *env != '\0');
}

/* --- skyptyd on this machine --- */

static int
via_put_dial(struct buf *b, const char *service, const struct dest *d)
{
	char uri[MUX_URI_MAX + 1], pk[KEY_PUBLIC_HEX];

	key_text(&d->pk, pk);
	snprintf(uri, sizeof(uri), "%s?pk=%s&port=%u", service, pk,
	    d->dmsg_port);
	return mux_put_request(b, uri);
}

/* Waits for more: 1, 0 at the end, or nothing came in time. */
static int
via_read_more(struct conn *c, int64_t deadline)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	int64_t left = deadline - now_ms();
	ssize_t r;

	if (left <= 0 || poll(&p, 1, (int)left) != 1)
		return 0;
	r = buf_read(&c->in, c->fd, WHY_MAX);
	return r > 0 || r == SKY_ERR_AGAIN;
}

/* The reason comes behind a refusal, up to the end. */
static enum via_result
via_refused(struct conn *c, const struct client_options *o, int64_t deadline)
{
	struct buf why;

	while (buf_len(&c->in) < WHY_MAX && via_read_more(c, deadline))
		;
	buf_view(&why, buf_ptr(&c->in), buf_len(&c->in));
	if (buf_len(&why) == 0)
		return VIA_UNKNOWN; /* it knows of no such thing */
	if (buf_len(&why) == strlen(MUX_NO_DMSG) &&
	    memcmp(buf_ptr(&why), MUX_NO_DMSG, buf_len(&why)) == 0)
		return VIA_ABSENT;
	complain("dmsg port %u of the host, by the local skyptyd: %s",
	    o->dest.dmsg_port, complain_printable(&why));
	return VIA_FAILED;
}

/* A stream to the host, plain; its services are still to be asked for. */
static enum via_result
via_dial(struct conn *c, const struct client_options *o)
{
	int64_t deadline = now_ms() + DIAL_WAIT_MS;
	uint8_t answer;

	if (via_put_dial(&c->out, MUX_URI_DIAL, &o->dest) != 0 ||
	    conn_flush(c) != 0)
		return VIA_FAILED;
	while (buf_get_u8(&c->in, &answer) != 0)
		if (!via_read_more(c, deadline)) {
			complain("the local skyptyd did not say whether it "
				 "reached the host");
			return VIA_FAILED;
		}
	return answer == MUX_ACCEPT ? VIA_OPEN : via_refused(c, o, deadline);
}

/* The original's proxy gives the terminal's service and no other. */
static enum via_result
via_ask_original(struct conn *c, const struct client_options *o,
    const char *uri)
{
	conn_hang_up(c);
	if (strcspn(uri, "?") != strlen(MUX_URI_PTY) ||
	    strncmp(uri, MUX_URI_PTY, strlen(MUX_URI_PTY)) != 0) {
		c->rejected = c->eof = c->optional;
		if (c->optional)
			return VIA_OPEN;
		complain("the local host has no way to that service of "
			 "others; --standalone is one");
		return VIA_FAILED;
	}
	if (conn_local(c, o, true) != 0)
		return VIA_FAILED;
	return via_put_dial(&c->out, MUX_URI_PROXY, &o->dest) == 0 ? VIA_OPEN :
								     VIA_FAILED;
}

static enum via_result
via_by_daemon(struct conn *c, const struct client_options *o, const char *uri)
{
	if (conn_local(c, o, o->cliaddr == NULL) != 0)
		return o->cliaddr == NULL ? VIA_ABSENT : VIA_FAILED;
	c->way = WAY_DAEMON;
	switch (via_dial(c, o)) {
	case VIA_OPEN:
		return mux_put_request(&c->out, uri) == 0 ? VIA_OPEN :
							    VIA_FAILED;
	case VIA_UNKNOWN:
		return via_ask_original(c, o, uri);
	case VIA_ABSENT:
		conn_hang_up(c);
		c->way = WAY_OWN;
		return VIA_ABSENT;
	case VIA_FAILED:
		break;
	}
	return VIA_FAILED;
}

/* --- a visor on this machine --- */

/*
 * Anybody may listen on a port, and would see what is typed: the user who does
 * must be root or us.  /proc/net/tcp: local address, remote address, state,
 * ..., uid.
 */
static bool
via_listener_is_trusted(const char *path, unsigned port)
{
	char line[512], local[64];
	unsigned state, uid, at;
	bool found = false, trusted = true;
	FILE *f;

	if ((f = fopen(path, "re")) == NULL)
		return false;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, " %*d: %63s %*s %x %*s %*s %*s %u", local,
			&state, &uid) != 3 ||
		    state != 0x0a || strchr(local, ':') == NULL ||
		    sscanf(strchr(local, ':'), ":%x", &at) != 1 || at != port)
			continue;
		found = true;
		trusted = trusted && (uid == 0 || uid == geteuid());
	}
	fclose(f);
	return found && trusted;
}

static bool
via_is_trusted(int fd)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a;
	socklen_t len = sizeof(a);
	unsigned port;

	if (getpeername(fd, &a.sa, &len) == -1)
		return false;
	port =
	    ntohs(a.sa.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
	if (a.sa.sa_family == AF_INET)
		return ntohl(a.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET &&
		    (via_listener_is_trusted("/proc/net/tcp", port) ||
			via_listener_is_trusted("/proc/net/tcp6", port));
	return IN6_IS_ADDR_LOOPBACK(&a.v6.sin6_addr) &&
	    via_listener_is_trusted("/proc/net/tcp6", port);
}

static enum via_result
via_connect_visor(struct conn *c, const struct client_options *o)
{
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];
	const char *rpc = o->rpc != NULL ? o->rpc : DEFAULT_RPC, *why = "";

	if (addr_split(rpc, NULL, host, port) != 0)
		return VIA_FAILED; /* via_open has looked */
	if ((c->fd = dial_connect(host, port, REACH_LOCAL, NULL, &why)) == -1) {
		if (o->rpc == NULL)
			return VIA_ABSENT;
		complain("--rpc %s: %s", rpc, why);
		return VIA_FAILED;
	}
	if (o->rpc != NULL || via_is_trusted(c->fd))
		return VIA_OPEN;
	if (o->verbose)
		complain("%s belongs to another user: not taken for a visor; "
			 "--rpc %s says that it is one",
		    rpc, rpc);
	conn_hang_up(c);
	return VIA_ABSENT;
}

static int
via_put_bridge(struct buf *b, const struct dest *d, int head)
{
	uint8_t le[2] = { (uint8_t)d->dmsg_port, (uint8_t)(d->dmsg_port >> 8) };
	int r = 0;

	if (head != BRIDGE_BARE)
		r = buf_put(b, bridge, sizeof(bridge) - 1);
	if (r == 0 && head == BRIDGE_NEWEST)
		r = buf_put_u8(b, BRIDGE_DMSG);
	if (r != 0 || (r = buf_put(b, d->pk.b, KEY_PUBLIC_LEN)) != 0)
		return r;
	return buf_put(b, le, sizeof(le));
}

/*
 * Nothing says that a visor has reached the host but the answer to what the
 * host is asked for.  When none comes in time no other head would help.
 */
static enum via_result
via_by_visor(struct conn *c, const struct client_options *o, const char *uri)
{
	enum via_result r;
	int64_t deadline;

	for (int head = 0; head < BRIDGES; head++) {
		if (head != 0)
			conn_hang_up(c);
		if ((r = via_connect_visor(c, o)) != VIA_OPEN)
			return head == 0 ? r : VIA_FAILED;
		c->link.plain = true;
		c->way = WAY_VISOR;
		if (via_put_bridge(&c->out, &o->dest, head) != 0 ||
		    mux_put_request(&c->out, uri) != 0 || conn_flush(c) != 0)
			return VIA_FAILED;
		deadline = now_ms() + DIAL_WAIT_MS;
		while (buf_len(&c->in) == 0 && via_read_more(c, deadline))
			;
		if (buf_len(&c->in) != 0 || now_ms() >= deadline)
			return VIA_OPEN;
	}
	c->eof = true;
	(void)conn_ended(c);
	return VIA_FAILED;
}

/* --- which --- */

int
via_open(struct conn *c, struct keyctx *ctx, const struct client_options *o,
    const char *uri)
{
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];
	enum via_result r = VIA_ABSENT;

	if (o->dest.skynet) {
		complain("skynet leads to the other visor's RPC server, which "
			 "serves no terminal, commands or files; dmsg://<pk> "
			 "leads to its host");
		return EXIT_USAGE;
	}
	if (via_wants_own(o))
		return dmsg_open(c, ctx, o, uri);
	if (o->require_pq) {
		complain(
		    "RequirePQ: this machine's skyptyd or visor would dial "
		    "the key and does not tell by which handshake; "
		    "--standalone dials with a key of your own");
		return EXIT_FAILED;
	}
	if (o->rpc != NULL && addr_split(o->rpc, NULL, host, port) != 0) {
		complain("--rpc %s: write host:port", o->rpc);
		return EXIT_USAGE;
	}
	if (o->rpc == NULL)
		r = via_by_daemon(c, o, uri);
	if (r == VIA_ABSENT)
		r = via_by_visor(c, o, uri);
	if (r == VIA_ABSENT)
		return dmsg_open(c, ctx, o, uri);
	return r == VIA_OPEN ? 0 : EXIT_FAILED;
}
