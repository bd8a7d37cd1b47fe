/* SPDX-License-Identifier: ISC */
/*
 * Where the hub for a destination is.  What makes a destination one is hashed:
 * whom it leads to, by which way, as whom and by which key, and what is
 * required of it.  A hub for another one is never used, wherever its socket is.
 */
#include "client/conn.h"
#include "client/exits.h"
#include "client/hub/hub_conn.h"
#include "client/identity.h"
#include "client/options.h"
#include "client/runtime.h"
#include "client/ssh/ssh_opts.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/hex.h"
#include "common/base/unix.h"
#include "common/pty/keys.h"
#include "common/pty/mux.h"

#define CALL_MS 10000 /* until it says whether it is for us */

/* --- a destination --- */

static void
hub_add(crypto_hash_sha256_state *h, const char *text)
{
	const char *t = text != NULL ? text : "";

	/* With the byte at the end: no two lists are one text. */
	crypto_hash_sha256_update(h, (const uint8_t *)t, strlen(t) + 1);
	crypto_hash_sha256_update(h,
	    (const uint8_t *)(text != NULL ? "+" : "-"), 1);
}

static void
hub_add_number(crypto_hash_sha256_state *h, long n)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", n);
	hub_add(h, text);
}

/*
 * The key, or those that are offered one after the other.  Where the machine's
 * own skyptyd or visor may dial, none is needed.
 */
static int
hub_add_identity(crypto_hash_sha256_state *h, struct keyctx *ctx,
    const struct client_options *o)
{
	struct client_options asked = *o;
	char pk[KEY_PUBLIC_HEX];
	struct identity id = { 0 };
	int r;

	for (size_t i = 0; o->offer != NULL && i < o->offer->n; i++)
		hub_add(h, o->offer->key[i].pk);
	if (o->offer != NULL)
		return 0;
	asked.public_only = asked.quiet = true;
	asked.verbose = false;
	if ((r = identity_find(&id, ctx, &asked)) != 0)
		return r;
	key_text(&id.pk, pk);
	hub_add(h, id.fresh ? "any" : pk);
	identity_free(&id);
	return 0;
}

static int
hub_identify(uint8_t id[HUB_ID_LEN], struct keyctx *ctx,
    const struct client_options *o)
{
	const struct dest *d = &o->dest;
	const struct dial_how *how = &o->how;
	char pk[KEY_PUBLIC_HEX];
	crypto_hash_sha256_state h;
	int r;

	_Static_assert(HUB_ID_LEN == crypto_hash_sha256_BYTES, "a hash");
	crypto_hash_sha256_init(&h);
	key_text(&d->pk, pk);
	hub_add_number(&h, (long)d->kind);
	hub_add(&h, pk);
	hub_add(&h, d->kind == DEST_TCP ? d->host : NULL);
	hub_add(&h, d->kind == DEST_TCP ? d->port : NULL);
	hub_add_number(&h, d->dmsg_port);
	hub_add_number(&h, d->skynet);
	hub_add(&h, o->user);
	hub_add(&h, o->dmsgdisc);
	hub_add(&h, o->dmsg_servers);
	hub_add(&h, o->rpc);
	hub_add(&h, o->cliaddr);
	hub_add_number(&h, o->standalone);
	hub_add_number(&h, o->require_pq);
	hub_add(&h, how->proxy);
	hub_add(&h, how->bind_address);
	hub_add(&h, how->bind_interface);
	hub_add_number(&h, how->family);
	if ((r = hub_add_identity(&h, ctx, o)) == 0)
		crypto_hash_sha256_final(&h, id);
	return r;
}

/* --- its place --- */

/*
 * Of a path that the user has chosen: nobody else may put another socket into
 * the place of ours.  Into a folder like /tmp one may come first, and is told
 * by his uid.
 */
static bool
hub_folder_is_fit(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[RUNTIME_MAX];
	struct stat st;

	if (*path != '/' || slash == NULL)
		return false;
	snprintf(folder, sizeof(folder), "%.*s",
	    slash == path ? 1 : (int)(slash - path), path);
	if (stat(folder, &st) == -1 || !S_ISDIR(st.st_mode))
		return false;
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return false;
	return (st.st_mode & 022) == 0 || (st.st_mode & S_ISVTX) != 0;
}

static char *
hub_expand(const struct client_options *o)
{
	const struct dest *d = &o->dest;
	char pk[KEY_PUBLIC_HEX], port[16];
	const char *host = d->kind == DEST_TCP ? d->host : pk;
	struct ssh_tokens t = { .host = host,
		.key_alias = host,
		.hostname = host,
		.port = d->kind == DEST_TCP ? d->port : port,
		.login = o->user != NULL ? o->user : "" };

	key_text(&d->pk, pk);
	snprintf(port, sizeof(port), "%u", d->dmsg_port);
	return o->control.path_whole ?
	    strdup(o->control.path) :
	    ssh_expand_path(o->control.path, &t, "ControlPath");
}

/* From where we are: the hub itself leaves that folder. */
static int
hub_set_place(struct place *p, const char *path)
{
	char here[RUNTIME_MAX] = "";

	if (*path != '/' && getcwd(here, sizeof(here)) == NULL)
		return SKY_ERR_LIMIT;
	if (snprintf(p->sock, sizeof(p->sock), "%s%s%s", here,
		*here != '\0' ? "/" : "", path) >= (int)sizeof(p->sock) ||
	    snprintf(p->lock, sizeof(p->lock), "%s.lock", p->sock) >=
		(int)sizeof(p->lock))
		return SKY_ERR_LIMIT;
	return hub_folder_is_fit(p->sock) ? 0 : SKY_ERR_DENIED;
}

static int
hub_chosen_place(struct place *p, const struct client_options *o)
{
	char *path = hub_expand(o);
	int r = path != NULL ? hub_set_place(p, path) : EXIT_USAGE;

	free(path);
	return r;
}

int
hub_find_place(struct hub_place *p, struct keyctx *ctx,
    const struct client_options *o)
{
	int r;

	*p = (struct hub_place){ .place.fd = -1 };
	if ((r = hub_identify(p->id, ctx, o)) != 0)
		return r;
	if (o->control.path != NULL)
		return hub_chosen_place(&p->place, o);
	return runtime_path(p->place.sock, p->id, sizeof(p->id), ".hub") &&
		runtime_path(p->place.lock, p->id, sizeof(p->id), ".hub.lock") ?
	    0 :
	    SKY_ERR_DENIED;
}

/* --- a call --- */

static bool
hub_ask_for(int fd, const uint8_t id[HUB_ID_LEN])
{
	char uri[MUX_URI_MAX + 1], hex[2 * HUB_ID_LEN + 1];
	struct buf b;
	bool sent;

	hex_encode(id, HUB_ID_LEN, hex);
	snprintf(uri, sizeof(uri), HUB_URI_FOR "?%s", hex);
	buf_init(&b, MUX_URI_MAX + 1);
	sent = mux_put_request(&b, uri) == 0 && buf_write(&b, fd) > 0 &&
	    buf_len(&b) == 0;
	buf_free(&b);
	return sent;
}

/* No answer is as good as no hub: it ends, or is another program. */
static enum hub_call
hub_hear_answer(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t answer;

	if (poll(&p, 1, CALL_MS) != 1 || read(fd, &answer, 1) != 1)
		return HUB_ABSENT;
	return answer == MUX_ACCEPT ? HUB_CALLED : HUB_OTHERS;
}

enum hub_call
hub_call(const struct hub_place *p, int *fd)
{
	enum hub_call r = HUB_OTHERS;

	if ((*fd = unix_connect(p->place.sock, SOCK_NONBLOCK)) == -1)
		return HUB_ABSENT;
	if (unix_is_ours(*fd))
		r = hub_ask_for(*fd, p->id) ? hub_hear_answer(*fd) : HUB_ABSENT;
	if (r != HUB_CALLED) {
		close(*fd);
		*fd = -1;
	}
	return r;
}
