/* SPDX-License-Identifier: ISC */
/*
 * Where a key is: the discovery, over HTTP or over dmsg itself.
 * PROTOCOL.dmsg 6.
 */
#include "client/complain.h"
#include "client/conn.h"
#include "client/dial.h"
#include "client/dmsg/dmsg.h"
#include "client/exits.h"
#include "client/identity.h"
#include "client/options.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/reach.h"
#include "common/base/tls.h"
#include "common/dmsg/dmsg_disc.h"
#include "common/dmsg/dmsg_entry.h"
#include "common/privsep/config.h"
#include "common/pty/keys.h"
#include "common/pty/noise.h"

#define CHUNK	    (64U * 1024)
#define REQUEST_MAX (64U * 1024)

/* The discovery and what is known of servers beforehand. */
struct dmsg_finder {
	struct dmsg_dialer *d;
	struct dmsg_url url;
	struct dmsg_found seeds;
	size_t good;	  /* the seed that has worked */
	enum reach reach; /* where servers that it names may be */
};

/* --- over TCP --- */

/* A connection to it, with TLS if that is meant.  -1 with the reason. */
static int
dmsg_find_connect(const struct dmsg_url *url, const char **why)
{
	char port[ADDR_PORT_MAX], text[TLS_WHY_MAX] = TLS_MISSING;
	int fd, program, plain = -1;
	struct buf said;

	snprintf(port, sizeof(port), "%u", url->port);
	fd = dial_connect(url->host, port, REACH_LOCAL, NULL, why);
	if (fd == -1 || url->scheme != DMSG_URL_HTTPS)
		return fd;
	/* As little confined as this program, where the system is old. */
	if ((program = tls_open()) >= 0) {
		plain = tls_start(program, fd, url->host, true, text);
		close(program);
	}
	close(fd);
	buf_view(&said, text, strlen(text));
	if (plain == -1)
		*why = complain_printable(&said);
	return plain;
}

static const char *
dmsg_find_ask_tcp(struct dmsg_finder *f, struct buf *request,
    struct dmsg_answer *a)
{
	int64_t deadline, left;
	const char *why = "no answer";
	struct pollfd p = { .fd = -1 };
	struct buf in;
	ssize_t n = 0;
	int r = 0;

	if ((p.fd = dmsg_find_connect(&f->url, &why)) == -1)
		return why;
	why = "no answer";
	deadline = now_ms() + DMSG_WAIT_MS;
	buf_init(&in, 2 * CHUNK);
	while (r == 0 && n != SKY_ERR_SYS && (left = deadline - now_ms()) > 0) {
		p.events = buf_len(request) != 0 ? POLLOUT : POLLIN;
		(void)poll(&p, 1, (int)left);
		if (buf_len(request) != 0)
			n = buf_write(request, p.fd);
		else if ((n = buf_read(&in, p.fd, CHUNK)) >= 0 ||
		    n == SKY_ERR_EOF)
			r = dmsg_answer_read(a, &in, n == SKY_ERR_EOF);
	}
	if (r == 0 && n == SKY_ERR_SYS)
		why = strerror(errno);
	buf_free(&in);
	close(p.fd);
	return r == 1 ? NULL : r < 0 ? err_text(r) : why;
}

/* --- over dmsg --- */

/* As with a host, but for the mux: nobody asks for a service there. */
static const char *
dmsg_find_exchange(int fd, struct buf *request, struct noise_keys *keys,
    struct dmsg_answer *a)
{
	int64_t deadline = now_ms() + DMSG_WAIT_MS;
	bool late = false;
	struct conn c;
	int whole = 0;

	conn_init(&c);
	dmsg_begin(&c, fd, keys);
	c.accepted = true;
	if (buf_put(&c.out, buf_ptr(request), buf_len(request)) != 0)
		whole = SKY_ERR_NOMEM;
	while (whole == 0 && !late && dmsg_pump(&c, deadline, &late) == 0)
		whole = dmsg_answer_read(a, &c.in, c.eof);
	conn_close(&c);
	if (whole < 0)
		return err_text(whole);
	if (late)
		return "no answer";
	return whole == 0 ? "its stream has failed" : NULL;
}

/* The seed that has worked first, then whatever there is. */
static const char *
dmsg_find_by_seeds(struct dmsg_finder *f, int *fd, struct noise_keys *keys)
{
	static char text[256];
	const char *why;
	size_t tried = 0;

	if (f->seeds.n == 0)
		return "no server is known to reach it by (--dmsg-servers)";
	for (size_t i = 0; i < f->seeds.n; i++) {
		const struct dmsg_way *w =
		    &f->seeds.way[(f->good + i) % f->seeds.n];

		if (i != 0 && now_ms() >= f->d->deadline)
			break;
		tried++;
		why = dmsg_dial(fd, f->d, w, &f->url.pk, f->url.port, keys);
		if (why == NULL) {
			f->good = (f->good + i) % f->seeds.n;
			return NULL;
		}
		if (f->d->verbose)
			complain("dmsg server %s: %s", w->address, why);
		snprintf(text, sizeof(text),
		    "not reached by %zu of %zu dmsg servers; the last one, %s: "
		    "%s",
		    tried, f->seeds.n, w->address, why);
	}
	return text;
}

/* --- questions --- */

/* Whether there is one is told by there.  0, or EXIT_FAILED, told. */
static int
dmsg_find_get_entry(struct dmsg_finder *f, const struct key_public *pk,
    struct dmsg_entry *e, bool *there)
{
	struct dmsg_answer a;
	struct buf request;
	const char *why;
	char text[128];
	struct noise_keys keys;
	int fd, r = EXIT_FAILED;

	*there = false;
	buf_init(&request, REQUEST_MAX);
	dmsg_answer_init(&a);
	if (dmsg_disc_get_entry(&request, &f->url, pk) != 0)
		why = "out of memory";
	else if (f->url.scheme == DMSG_URL_DMSG) {
		if ((why = dmsg_find_by_seeds(f, &fd, &keys)) == NULL)
			why = dmsg_find_exchange(fd, &request, &keys, &a);
	} else
		why = dmsg_find_ask_tcp(f, &request, &a);
	if (why != NULL)
		complain("the discovery %s: %s", f->url.authority, why);
	else if (a.status == 200 && dmsg_get_entry(&a.body, e) == 0) {
		if (memcmp(e->pk.b, pk->b, KEY_PUBLIC_LEN) == 0) {
			*there = true;
			r = 0;
		} else
			complain("the discovery %s answers for another key",
			    f->url.authority);
	} else if (dmsg_get_error(&a.body, text, sizeof(text)) ==
	    DMSG_ERROR_NOT_FOUND)
		r = 0;
	else
		complain("the discovery %s: status %d: %s", f->url.authority,
		    a.status, text);
	dmsg_answer_free(&a);
	buf_free(&request);
	return r;
}

static void
dmsg_find_add(struct dmsg_found *found, const struct key_public *pk,
    const char *address, enum reach reach)
{
	struct dmsg_way *w = &found->way[found->n];

	if (*address == '\0' || found->n == FOUND_MAX)
		return;
	if (strlcpy(w->address, address, sizeof(w->address)) >=
	    sizeof(w->address))
		return;
	w->reach = reach;
	w->server = *pk;
	found->n++;
}

/*
 * From the discovery, where it is now, and from what is known beforehand.  A
 * server that the discovery says nothing of is no reason to give up.
 */
static int
dmsg_find_add_server(struct dmsg_finder *f, const struct key_public *pk,
    struct dmsg_found *found)
{
	struct dmsg_entry e;
	bool there = false;
	int r = 0;

	if (now_ms() < f->d->deadline)
		r = dmsg_find_get_entry(f, pk, &e, &there);
	if (there) {
		dmsg_find_add(found, pk, e.address, f->reach);
		dmsg_find_add(found, pk, e.address_v6, f->reach);
	}
	for (size_t i = 0; i < f->seeds.n; i++)
		if (key_equal(&f->seeds.way[i].server, pk)) {
			dmsg_find_add(found, pk, f->seeds.way[i].address,
			    f->seeds.way[i].reach);
			r = 0;
		}
	return r;
}

static int
dmsg_find_key(struct dmsg_finder *f, struct dmsg_found *found,
    const struct key_public *pk)
{
	char hex[KEY_PUBLIC_HEX];
	struct dmsg_entry e;
	bool there;
	int r;

	key_text(pk, hex);
	if ((r = dmsg_find_get_entry(f, pk, &e, &there)) != 0)
		return r;
	if (!there) {
		complain("%s is not in the discovery %s: it is not running, or "
			 "has another discovery",
		    hex, f->url.authority);
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < e.ndelegated && found->n < FOUND_MAX; i++)
		if (dmsg_find_add_server(f, &e.delegated[i], found) != 0)
			r = EXIT_FAILED;
	if (found->n != 0 || r != 0)
		return found->n != 0 ? 0 : r;
	complain("%s is in the discovery, but without a server that could be "
		 "reached",
	    hex);
	return EXIT_FAILED;
}

static const char *
dmsg_find_url(const struct client_options *o)
{
	const char *url = getenv("DMSGPTY_DMSGDISC");

	if (o->dmsgdisc != NULL)
		return o->dmsgdisc;
	return url != NULL && *url != '\0' ? url : CONFIG_DISCOVERY;
}

static void
dmsg_find_widen(struct dmsg_finder *f, const char *host)
{
	enum reach reach = reach_host(host);

	if (reach > f->reach)
		f->reach = reach;
}

/*
 * "<pk>@host:port" each, divided by spaces.  Whoever names a local address runs
 * an overlay of such addresses.
 */
static void
dmsg_find_read_seeds(struct dmsg_finder *f, char *text)
{
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];
	struct key_public pk;
	char *word, *at;

	if (f->url.scheme != DMSG_URL_DMSG)
		dmsg_find_widen(f, f->url.host);
	while ((word = strsep(&text, " ")) != NULL) {
		if ((at = strchr(word, '@')) == NULL)
			continue;
		*at++ = '\0';
		if (key_parse_public(f->d->ctx, word, &pk) != 0 ||
		    addr_split(at, NULL, host, port) != 0)
			continue;
		dmsg_find_widen(f, host);
		dmsg_find_add(&f->seeds, &pk, at, REACH_LOCAL);
	}
}

/* Nobody of another discovery's is found by the public deployment's. */
static char *
dmsg_find_seeds(const struct client_options *o, struct keyctx *ctx,
    const char *url)
{
	bool builtin = strcmp(url, CONFIG_DISCOVERY) == 0;
	char *named, *kept;
	size_t left_out;

	if (o->dmsg_servers != NULL)
		named = strdup(o->dmsg_servers);
	else
		named = builtin ? config_seeds() :
				  config_visor_servers(ctx, VISOR_CONF);
	if (builtin || named == NULL)
		return named;
	kept = config_without_seeds(named, &left_out);
	free(named);
	if (kept != NULL && left_out != 0 && o->dmsg_servers != NULL)
		complain("--dmsg-servers: %zu of the public deployment are "
			 "left out, as the discovery is another one",
		    left_out);
	return kept;
}

int
dmsg_find(struct dmsg_found *found, struct dmsg_dialer *d,
    const struct client_options *o, const struct key_public *pk)
{
	const char *url = dmsg_find_url(o);
	struct dmsg_finder f = { .d = d };
	char *seeds;

	found->n = 0;
	if (dmsg_disc_url(url, &f.url) != 0) {
		complain("discovery %s: none of http://host, https://host and "
			 "dmsg://<pk>",
		    url);
		return EXIT_USAGE;
	}
	if ((seeds = dmsg_find_seeds(o, d->ctx, url)) == NULL)
		return EXIT_FAILED;
	dmsg_find_read_seeds(&f, seeds);
	free(seeds);
	return dmsg_find_key(&f, found, pk);
}
