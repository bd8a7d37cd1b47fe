/* SPDX-License-Identifier: ISC */
/*
 * The whole process of skyptyd-dmsg: what its servers, its monitor, the
 * connections and the clock do, a byte each, and a few for how.
 */
#include <setjmp.h>
#include <signal.h>

#include "regress/unit/dmsg_world.h"

#define INPUT_MAX 600
#define SERVERS	  3

int LLVMFuzzerInitialize(int *, char ***);
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
__attribute__((noreturn)) void __wrap__exit(int);

static jmp_buf over;
static const uint8_t *input;
static size_t left;

/* The process ends: so does this input. */
void
__wrap__exit(int status)
{
	(void)status;
	longjmp(over, 1);
}

static uint8_t
next(void)
{
	if (left == 0)
		return 0;
	left--;
	return *input++;
}

static bool
refuses(struct world *w, unsigned type, uint16_t id)
{
	(void)w, (void)type, (void)id;
	return next() % 8 == 7;
}

static void
respond(struct world *w, size_t slot, uint8_t flags, uint32_t id)
{
	const uint8_t *hash = w->d->ask.hash;
	uint8_t how = next();
	struct out *t;

	if (how & 1)
		LIST_FOREACH (t, &w->d->outs, entry)
			if (t->state == OUT_DIALED)
				hash = t->hash;
	world_response(w, slot, flags, id, hash, (how & 6) != 0);
}

/* An entry of whoever was asked for, on servers that are known and not. */
static void
tell(struct world *w, size_t slot, uint8_t flags, uint32_t id)
{
	uint8_t how = next(), on[4];
	struct key_public pk = w->d->ask.peer;
	char json[2048];

	for (size_t i = 0; i < sizeof(on); i++)
		on[i] = 1 + next() % (SERVERS + 2);
	if (how & 64)
		pk = world_key(next() % 8);
	world_entry(json, sizeof(json), pk, on, how % 5);
	world_http(w, slot, flags, id, how & 128 ? 404 : 200, json);
}

static void
use_other(struct world *w, uint8_t how)
{
	static const uint8_t bytes[4096] = { 0, 8 };
	size_t i;

	if (w->nothers == 0)
		return;
	i = next() % w->nothers;
	if (how % 3 == 0) {
		close(w->other[i]);
		w->other[i] = w->other[--w->nothers];
	} else
		(void)!send(w->other[i], bytes, how % 3 == 1 ? 10 : how * 16U,
		    MSG_NOSIGNAL);
}

static void
fire(struct world *w, size_t slot, uint8_t which)
{
	struct out *t = LIST_FIRST(&w->d->outs);
	struct event *ev[] = { w->d->sessions[slot].timer, w->d->publish_ev,
		w->d->servers_ev, w->d->connect_ev,
		w->d->ask.state == ASK_OPEN ? w->d->ask.timer : NULL,
		t != NULL ? t->timer : NULL, w->d->probe_ev };

	if (which % 7 == 0 && w->d->sessions[slot].state != SESSION_UP &&
	    w->d->sessions[slot].state != SESSION_SILENT)
		return;
	if (which == 13) /* its probe's time is over */
		w->d->sessions[slot].probe.due_ms = 0;
	world_fire(ev[which % 7]);
}

static void
act(struct world *w)
{
	static const uint8_t bytes[2048];
	uint8_t what = next(), how = next(), flags = next() & 15;
	size_t slot = how % SERVERS;
	uint32_t id = next() % 16;
	struct key_public pk;
	const char *why;

	switch (what % 12) {
	case 0:
		world_frame(w, slot, how / 4 % 5, flags, id, next() * 512U,
		    NULL, 0);
		break;
	case 1:
		world_request(w, slot, flags, id, how & 8 ? 23 : 22);
		break;
	case 2:
	case 3:
		respond(w, slot, flags, id);
		break;
	case 4:
	case 5:
		tell(w, slot, flags, id);
		break;
	case 6:
		world_frame(w, slot, W_DATA, flags, id, how * 8U, bytes,
		    how * 8U);
		break;
	case 7:
		close(world_out(w, 1 + how % 4, world_key(how % 8)));
		break;
	case 8:
		use_other(w, how);
		break;
	case 9:
		fire(w, slot, flags);
		break;
	case 10:
		pk = world_key(1 + how % (SERVERS + 1));
		(void)server_session(w->d, &pk, &why);
		world_come_up(w);
		break;
	case 11:
		if (w->server[slot] != -1 && how & 8)
			shutdown(w->server[slot], SHUT_WR);
		else if (w->server[slot] != -1) {
			close(w->server[slot]);
			w->server[slot] = -1;
		}
	}
	world_serve(w);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct world w;

	if (n > INPUT_MAX)
		return 0;
	input = data;
	left = n;
	world_require(world_begin(&w, WORLD_URL, SERVERS));
	w.refuses = refuses;
	if (setjmp(over) == 0) {
		server_connect_more(w.d);
		world_come_up(&w);
		while (left != 0)
			act(&w);
	}
	world_end(&w);
	return 0;
}
