/* SPDX-License-Identifier: ISC */
/* Where a key is: the discovery, over HTTP or over dmsg itself.  spec: dmsg.md
 * 6. */
#include "client/dmsg.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config.h"
#include "common/err.h"
#include "common/tls.h"

#define CHUNK	    (64U * 1024)
#define REQUEST_MAX (64U * 1024)
#define WIRE_MAX    (CHUNK + FRAME_WIRE_LEN(FRAME_PLAIN_MAX))
#define SEEDS_TRIED 3

/* The discovery and what is known of servers beforehand. */
struct finder {
	const struct dialer *d;
	struct dmsg_url url;
	char *seeds;	  /* "<pk>@host:port" each, divided by spaces */
	struct link link; /* with a seed, for a discovery on dmsg */
	bool linked;
};

/* --- over TCP --- */

/* A connection to it, with TLS if that is meant.  -1 with the reason. */
static int
connect_to(const struct dmsg_url *url, const char **why)
{
	char port[ADDR_PORT_MAX], text[TLS_WHY_MAX] = TLS_MISSING;
	int fd, program, plain = -1;
	struct buf said;

	snprintf(port, sizeof(port), "%u", url->port);
	fd = tcp_connect(url->host, port, why);
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
		*why = printable(&said);
	return plain;
}

static const char *
ask_tcp(struct finder *f, struct buf *request, struct dmsg_answer *a)
{
	int64_t deadline = now_ms() + DMSG_WAIT_MS;
	const char *why = "no answer";
	struct pollfd p = { .events = POLLIN };
	struct buf in;
	ssize_t n = 1;
	int r = 0;

	if ((p.fd = connect_to(&f->url, &why)) == -1)
		return why;
	buf_init(&in, 2 * CHUNK);
	while (buf_len(request) != 0 && n > 0)
		n = buf_write(request, p.fd);
	while (r == 0 && n > 0 && now_ms() < deadline) {
		(void)poll(&p, 1, (int)(deadline - now_ms()));
		n = buf_read(&in, p.fd, CHUNK);
		if (n == ERR_SYS)
			break;
		if (n != ERR_AGAIN)
			r = dmsg_answer_read(a, &in, n == ERR_EOF);
		else
			n = 1;
	}
	if (r == 0 && n == ERR_SYS)
		why = strerror(errno);
	buf_free(&in);
	close(p.fd);
	return r == 1 ? NULL : r < 0 ? err_text(r) : why;
}

/* --- over dmsg --- */

static const char *
link_seed(struct finder *f)
{
	const char *why = "no server is known to reach it by (dmsg_servers)";
	char *copy, *rest, *word, *at;
	struct key_public pk;
	int tried = 0;

	if ((copy = rest = strdup(f->seeds)) == NULL)
		return "out of memory";
	while (!f->linked && tried < SEEDS_TRIED &&
	    (word = strsep(&rest, " ")) != NULL) {
		if ((at = strchr(word, '@')) == NULL)
			continue;
		*at++ = '\0';
		if (key_parse_public(f->d->ctx, word, &pk) != 0)
			continue;
		tried++;
		if ((why = link_open(&f->link, f->d, &pk, at)) == NULL)
			f->linked = true;
		else
			link_close(&f->link);
	}
	free(copy);
	return f->linked ? NULL : why;
}

struct exchange {
	struct link *l;
	struct frame_key rx;
	struct buf wire, in;
	struct dmsg_answer *answer;
	int result; /* of dmsg_answer_read */
};

/* Takes what the stream holds. */
static bool
is_read(void *arg)
{
	struct exchange *x = arg;
	const struct buf *in = dmsg_stream_in(x->l->stream);
	size_t n = buf_len(in);
	struct buf body;
	int r;

	if (n > buf_room(&x->wire))
		n = buf_room(&x->wire);
	if (buf_put(&x->wire, buf_ptr(in), n) != 0 ||
	    dmsg_stream_consume(x->l->stream, n) != 0) {
		x->result = ERR_NOMEM;
		return true;
	}
	while ((r = frame_get(&x->wire, &body)) == 1)
		if ((r = frame_open(&x->rx, &body, &x->in)) != 0)
			break;
	x->result = r < 0 ?
	    r :
	    dmsg_answer_read(x->answer, &x->in, dmsg_stream_eof(x->l->stream));
	return x->result != 0 || dmsg_stream_eof(x->l->stream);
}

static const char *
exchange(struct finder *f, struct buf *request, struct noise_keys *keys,
    struct dmsg_answer *a)
{
	struct exchange x = { .l = &f->link, .answer = a };
	struct frame_key tx;
	struct buf wire;
	bool sent;

	buf_init(&x.wire, WIRE_MAX);
	buf_init(&x.in, 4 * CHUNK);
	buf_init(&wire, 2 * REQUEST_MAX);
	frame_key_init(&tx, keys->send);
	frame_key_init(&x.rx, keys->recv);
	sent = frame_seal(&tx, request, &wire) == 0 &&
	    dmsg_stream_write(f->link.stream, buf_ptr(&wire), buf_len(&wire)) ==
		(ssize_t)buf_len(&wire);
	if (sent)
		(void)link_run(&f->link, is_read, &x, DMSG_WAIT_MS);
	frame_key_wipe(&tx);
	frame_key_wipe(&x.rx);
	buf_free(&wire);
	buf_free(&x.wire);
	buf_free(&x.in);
	return x.result == 1 ? NULL : "no answer";
}

static const char *
ask_dmsg(struct finder *f, struct buf *request, struct dmsg_answer *a)
{
	struct noise_keys keys;
	const char *why;

	if (!f->linked && (why = link_seed(f)) != NULL)
		return why;
	if ((why = link_dial(&f->link, f->d, &f->url.pk, f->url.port, &keys)) !=
	    NULL)
		return why;
	why = exchange(f, request, &keys, a);
	explicit_bzero(&keys, sizeof(keys));
	link_hang_up(&f->link);
	return why;
}

/* --- questions --- */

/* 1 with the entry, 0 if there is none, EXIT_FAILED told. */
static int
get_entry(struct finder *f, const struct key_public *pk, struct dmsg_entry *e)
{
	struct dmsg_answer a;
	struct buf request;
	const char *why;
	char text[128];
	int r = EXIT_FAILED;

	buf_init(&request, REQUEST_MAX);
	dmsg_answer_init(&a);
	if (dmsg_disc_get_entry(&request, &f->url, pk) != 0)
		why = "out of memory";
	else if (f->url.scheme == DMSG_URL_DMSG)
		why = ask_dmsg(f, &request, &a);
	else
		why = ask_tcp(f, &request, &a);
	if (why != NULL)
		complain("the discovery %s: %s", f->url.authority, why);
	else if (a.status == 200 && dmsg_get_entry(&a.body, e) == 0)
		r = 1;
	else if (dmsg_get_error(&a.body, text, sizeof(text)) ==
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
add(struct found *found, const struct key_public *pk, const char *address)
{
	if (*address == '\0' || found->n == FOUND_MAX)
		return;
	strlcpy(found->server[found->n].address, address, ADDR_TEXT_MAX);
	found->server[found->n++].pk = *pk;
}

/* From what is known beforehand, else from the discovery. */
static int
add_server(struct finder *f, const struct key_public *pk, struct found *found)
{
	char hex[KEY_PUBLIC_HEX], address[ADDR_TEXT_MAX], *at;
	struct dmsg_entry e;
	int r;

	key_text(pk, hex);
	if ((at = strstr(f->seeds, hex)) != NULL &&
	    at[sizeof(hex) - 1] == '@') {
		strlcpy(address, at + sizeof(hex), sizeof(address));
		address[strcspn(address, " ")] = '\0';
		add(found, pk, address);
		return 0;
	}
	if ((r = get_entry(f, pk, &e)) != 1)
		return r;
	add(found, pk, e.address);
	add(found, pk, e.address_v6);
	return 0;
}

static int
find_servers(struct finder *f, const struct dmsg_entry *e, struct found *found)
{
	for (size_t i = 0; i < e->ndelegated && found->n < FOUND_MAX; i++)
		if (add_server(f, &e->delegated[i], found) == EXIT_FAILED)
			return EXIT_FAILED;
	return 0;
}

static int
find(struct finder *f, struct found *found, const struct key_public *pk)
{
	char hex[KEY_PUBLIC_HEX];
	struct dmsg_entry e;
	int r;

	key_text(pk, hex);
	if ((r = get_entry(f, pk, &e)) == EXIT_FAILED)
		return r;
	if (r == 0) {
		complain("%s is not in the discovery %s: it is not running, or "
			 "has another discovery",
		    hex, f->url.authority);
		return EXIT_FAILED;
	}
	if ((r = find_servers(f, &e, found)) != 0)
		return r;
	if (found->n != 0)
		return 0;
	complain("%s is in the discovery, but without a server that could be "
		 "reached",
	    hex);
	return EXIT_FAILED;
}

static const char *
discovery_of(const struct options *o)
{
	const char *url = getenv("DMSGPTY_DMSGDISC");

	if (o->dmsgdisc != NULL)
		return o->dmsgdisc;
	return url != NULL && *url != '\0' ? url : CONFIG_DISCOVERY;
}

int
dmsg_find(struct found *found, const struct dialer *d, const struct options *o,
    const struct key_public *pk)
{
	const char *url = discovery_of(o);
	struct finder f = { .d = d };
	int r;

	found->n = 0;
	if (dmsg_disc_url(url, &f.url) != 0) {
		complain("discovery %s: none of http://host, https://host and "
			 "dmsg://<pk>",
		    url);
		return EXIT_USAGE;
	}
	if (o->dmsg_servers != NULL)
		f.seeds = strdup(o->dmsg_servers);
	else
		f.seeds = strcmp(url, CONFIG_DISCOVERY) == 0 ?
		    config_seeds() :
		    config_visor_servers(d->ctx, VISOR_CONF);
	if (f.seeds == NULL)
		return EXIT_FAILED;
	r = find(&f, found, pk);
	if (f.linked)
		link_close(&f.link);
	free(f.seeds);
	return r;
}
