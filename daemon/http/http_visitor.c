/* SPDX-License-Identifier: ISC */
/*
 * Connections of browsers.  Who has not shown that he is let in is a stranger:
 * strangers have places of their own, few of them for one address, and of
 * those who hold too many the oldest goes.  A newcomer always gets in, so that
 * nobody can keep others out by being there.
 */
#include "daemon/http/http_main.h"
#include "daemon/http/http_mon.h"
#include "daemon/http/http_visitor.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What counts as one address: of IPv6 the part that a network is given. */
static void
visitor_address(struct visitor *v, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	const struct sockaddr_in6 *in6 = (const void *)&ss;
	const struct sockaddr_in *in = (const void *)&ss;

	if (getpeername(fd, (struct sockaddr *)&ss, &len) == -1)
		return;
	if (ss.ss_family == AF_INET) {
		v->alen = 4;
		memcpy(v->address, &in->sin_addr, v->alen);
	} else if (ss.ss_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		v->alen = 4;
		memcpy(v->address, &in6->sin6_addr.s6_addr[12], v->alen);
	} else if (ss.ss_family == AF_INET6) {
		v->alen = 8;
		memcpy(v->address, &in6->sin6_addr, v->alen);
	}
}

/* A proxy's, on a socket in the file system, are of no address. */
static bool
visitor_same(const struct visitor *a, const struct visitor *b)
{
	return a->alen != 0 && a->alen == b->alen &&
	    memcmp(a->address, b->address, a->alen) == 0;
}

static void
visitor_kill(struct visitor *v)
{
	lws_set_timeout(v->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

/* A newcomer is the last of his place. */
static void
visitor_list(struct http *h, struct visitor *v, enum visitor_place place)
{
	struct visitor *other;

	v->same = 1;
	TAILQ_FOREACH (other, &h->visitors[place], entry)
		if (visitor_same(other, v)) {
			other->same++;
			v->same++;
		}
	v->place = place;
	TAILQ_INSERT_TAIL(&h->visitors[place], v, entry);
	h->nvisitors[place]++;
}

static void
visitor_unlist(struct http *h, struct visitor *v)
{
	struct visitor *other;

	TAILQ_REMOVE(&h->visitors[v->place], v, entry);
	h->nvisitors[v->place]--;
	TAILQ_FOREACH (other, &h->visitors[v->place], entry)
		other->same -= visitor_same(other, v);
}

/* libwebsockets frees it from its loop. */
static void
visitor_drop(struct http *h, struct visitor *v)
{
	if (v->place == VISITOR_GOING)
		return;
	visitor_unlist(h, v);
	visitor_list(h, v, VISITOR_GOING);
	visitor_kill(v);
}

/* It has said something that we had no time to hear. */
static bool
visitor_unheard(const struct visitor *v)
{
	uint8_t byte;

	return recv(lws_get_socket_fd(v->wsi), &byte, 1, MSG_PEEK) > 0;
}

/*
 * Who has to go for a newcomer: of the same address, or else of the one that
 * has the most, the oldest that has been heard, or the oldest if none has.
 */
static struct visitor *
visitor_victim(struct http *h, const struct visitor *newcomer, bool same)
{
	struct visitor *v, *heard = NULL, *oldest = NULL;

	TAILQ_FOREACH (v, &h->visitors[newcomer->place], entry) {
		if (v == newcomer || (same && !visitor_same(v, newcomer)) ||
		    (oldest != NULL && v->same < oldest->same))
			continue;
		if (oldest == NULL || v->same > oldest->same) {
			oldest = v;
			heard = NULL;
		}
		if (heard == NULL && !visitor_unheard(v))
			heard = v;
	}
	return heard != NULL ? heard : oldest;
}

static void
visitor_place(struct http *h, struct visitor *v, enum visitor_place place)
{
	struct visitor *victim = NULL;

	visitor_list(h, v, place);
	if (place == VISITOR_STRANGER && v->same > HTTP_STRANGERS_EACH)
		victim = visitor_victim(h, v, true);
	else if (place != VISITOR_ADMITTED &&
	    h->nvisitors[place] > HTTP_STRANGERS)
		victim = visitor_victim(h, v, false);
	if (victim != NULL)
		visitor_drop(h, victim);
}

void
visitor_init(struct http *h)
{
	for (size_t i = 0; i < VISITOR_PLACES; i++)
		TAILQ_INIT(&h->visitors[i]);
}

void
visitor_new(struct http *h, int fd)
{
	struct visitor *v = calloc(1, sizeof(*v));

	if (v == NULL) {
		close(fd);
		return;
	}
	v->h = h;
	visitor_address(v, fd);
	if ((v->wsi = lws_adopt_socket_vhost(h->vhost, fd)) == NULL) {
		close(fd);
		free(v);
		return;
	}
	lws_set_opaque_user_data(v->wsi, v);
	visitor_place(h, v, VISITOR_STRANGER);
}

struct visitor *
visitor_of(struct lws *wsi)
{
	return lws_get_opaque_user_data(wsi);
}

void
visitor_move(struct visitor *v, enum visitor_place place)
{
	if (v->place == place || v->place == VISITOR_GOING ||
	    v->place == VISITOR_ADMITTED)
		return;
	visitor_unlist(v->h, v);
	visitor_place(v->h, v, place);
}

void
visitor_gone(struct lws *wsi)
{
	struct visitor *v = visitor_of(wsi);

	if (v == NULL)
		return;
	lws_set_opaque_user_data(wsi, NULL);
	visitor_unlist(v->h, v);
	if (v->ticket != 0)
		http_leave(v->h, v->ticket);
	free(v);
}

/* What comes at the same time may have put off their end. */
void
visitor_tick(struct http *h)
{
	struct visitor *v;

	TAILQ_FOREACH (v, &h->visitors[VISITOR_GOING], entry)
		visitor_kill(v);
}
