/* SPDX-License-Identifier: ISC */
/*
 * The whole process of skyptyd-net: what its peer, its monitor, the commands
 * and the clock do, a byte each, and a few for how.  A peer that keeps to the
 * protocol is one of them: it makes calls, frames and requests.
 */
#include "common/pty/aead.h"
#include "regress/fuzz/life.h"
#include "regress/unit/net_world.h"

#define INPUT_MAX 600
#define BIG	  65536

static const uint8_t big[BIG];
static struct rpc_client *calls;
static struct net_world world;

static enum nw_how
decide(struct net_world *w, unsigned type, uint16_t id)
{
	uint8_t how = next();

	(void)w, (void)type, (void)id;
	return how % 16 == 15 ? 1 + how / 16 % NW_SILENT : NW_DO;
}

/* --- the peer --- */

static void
say_input(struct net_world *w, uint8_t how)
{
	size_t n = how < life.left ? how : life.left;
	const uint8_t *p = life.input;

	life.input += n;
	life.left -= n;
	nw_say(w, p, n);
}

static void
fill_list(struct gob_list *list, uint8_t how)
{
	buf_init(&list->raw, BIG);
	for (unsigned i = 0; i < how % 4; i++)
		nw_require(gob_list_add(list, big, how / 4U) == 0);
}

static void
fill_call(union rpc_value *v, enum rpc_method m, uint8_t how)
{
	memset(v, 0, sizeof(*v));
	switch (m) {
	case RPC_PTY_START:
		buf_view(&v->command.name, "sh", 2);
		fill_list(&v->command.arg, how);
		fill_list(&v->command.env, how / 2);
		v->command.has_size = how & 1;
		break;
	case RPC_PTY_READ:
		v->number = how & 1 ? BIG : (int8_t)how;
		break;
	case RPC_PTY_WRITE:
		buf_view(&v->bytes, big, how * 250U);
		break;
	case RPC_PTY_SETSIZE:
		v->size.rows = how;
		break;
	case RPC_PTY_EXEC:
		buf_view(&v->exec.name, "ls", how % 3);
		fill_list(&v->exec.arg, how);
		fill_list(&v->exec.env, how / 2);
		buf_view(&v->exec.in, big, how / 8 % 8 * 8000U);
		v->exec.timeout_ms = (int8_t)how;
		break;
	case RPC_WL_ADD:
	case RPC_WL_REMOVE:
		buf_init(&v->keys.raw, BIG);
		for (unsigned i = 0; i < how % 4; i++)
			nw_require(gob_list_add(&v->keys, big,
				       how & 64 ? how : KEY_PUBLIC_LEN) == 0);
		break;
	default:
		break;
	}
}

static void
free_call(union rpc_value *v, enum rpc_method m)
{
	if (m == RPC_PTY_START) {
		buf_free(&v->command.arg.raw);
		buf_free(&v->command.env.raw);
	} else if (m == RPC_PTY_EXEC) {
		buf_free(&v->exec.arg.raw);
		buf_free(&v->exec.env.raw);
	} else if (m == RPC_WL_ADD || m == RPC_WL_REMOVE)
		buf_free(&v->keys.raw);
}

static void
call(struct net_world *w, uint8_t method, uint8_t how)
{
	enum rpc_method m = method % RPC_METHODS;
	union rpc_value v;
	struct buf out;

	buf_init(&out, NW_ROOM);
	fill_call(&v, m, how);
	if (rpc_client_call(calls, &out, m, &v, NULL) == 0)
		nw_say(w, buf_ptr(&out), buf_len(&out));
	else {
		rpc_client_free(calls);
		nw_require((calls = rpc_client_new()) != NULL);
	}
	free_call(&v, m);
	buf_free(&out);
}

static void
put_start(struct buf *out, uint8_t how)
{
	struct xs_start s = { .flags = how & 3, .timeout_ms = how };
	struct buf b;

	buf_init(&b, BIG);
	buf_view(&s.name, "ls", 2);
	fill_list(&s.arg, how / 2);
	fill_list(&s.env, how / 4);
	nw_require(xs_put_start(&b, &s) == 0);
	nw_require(xs_put_frame(out, XS_START, buf_ptr(&b), buf_len(&b)) == 0);
	xs_start_free(&s);
	buf_free(&b);
}

/* skypty/1/exec */
static void
frame(struct net_world *w, uint8_t what, uint8_t how)
{
	static const char *const names[] = { "INT", "KILL", "WINCH", "" };
	const char *name = names[how % 4];
	struct buf out;
	int r = 0;

	buf_init(&out, NW_ROOM);
	switch (what % 8) {
	case 0:
	case 1:
		put_start(&out, how);
		break;
	case 2:
		r = xs_put_frame(&out, XS_STDIN, big, how * 256U);
		break;
	case 3:
		r = xs_put_frame(&out, XS_STDIN_END, NULL, 0);
		break;
	case 4:
		r = xs_put_frame(&out, XS_SIGNAL, name, strlen(name));
		break;
	case 5:
		r = xs_put_frame(&out, XS_RESIZE, big, how < 248 ? 8 : how);
		break;
	case 6:
		r = xs_put_frame(&out, XS_KEEPALIVE, NULL, 0);
		break;
	case 7:
		r = xs_put_frame(&out, (enum xs_tag)(how % 32), big, how);
	}
	nw_require(r == 0);
	nw_say(w, buf_ptr(&out), buf_len(&out));
	buf_free(&out);
}

/* A request over HTTP, in words. */
static void
word(struct net_world *w, uint8_t which)
{
	static const char *const words[] = {
		"POST /exec HTTP/1.1\r\nHost: x\r\n",
		"Content-Length: 55\r\n\r\n",
		"Transfer-Encoding: chunked\r\n\r\n",
		"37\r\n",
		"{\"name\":\"ls\",\"arg\":[\"a\"],\"stdin\":\"QUJD\","
		"\"timeout_ms\":5}",
		"\r\n",
		"0\r\n\r\n",
		"Accept: " XS_MEDIA_TYPE "\r\n",
		"Expect: 100-continue\r\n",
		"GET http://h/exec?q HTTP/1.0\r\n",
		"Content-Length: 2\r\n\r\n{}",
		"Expect: wonders\r\n",
	};
	const char *s = words[which % (sizeof(words) / sizeof(words[0]))];

	nw_say(w, s, strlen(s));
}

/* --- the rest --- */

static void
use_end(struct net_world *w, uint8_t how)
{
	size_t i = w->nends == 0 ? 0 : next() % w->nends;

	switch (how % 4) {
	case 0:
		nw_end_close(w, i);
		break;
	case 1:
		(void)nw_end_take(w, i);
		break;
	case 2:
		if (w->nends > NW_ENDS - 4)
			break;
		nw_end_say(w, i, big, how);
		break;
	default:
		nw_end_say(w, i, big, how * 255U);
	}
}

/* The monitor says what it was not asked for. */
static void
volunteer(struct net_world *w, uint8_t which, uint8_t how)
{
	static const unsigned types[] = { PM_PTY_START, PM_PTY_STOP,
		PM_EXEC_START, PM_SFTP_START, PM_PROXY_DIAL, PM_WL_LIST,
		PM_WL_ADD, PM_STATUS, PM_KK_REQUEST, PM_LOG + 80 };

	if (w->nends > NW_ENDS - 4)
		return;
	nw_do(w, types[which % (sizeof(types) / sizeof(types[0]))], how % 4,
	    how / 4 % NW_SILENT);
}

static void
end_peer(struct net_world *w, uint8_t how)
{
	if (how % 4 == 0)
		nw_hang_up(w);
	else if (how % 4 == 1 && w->peer != -1)
		shutdown(w->peer, SHUT_WR);
	else
		w->deaf = how & 4;
}

static void
act(struct net_world *w)
{
	uint8_t what = next(), how = next();

	switch (what % 14) {
	case 0:
		say_input(w, how);
		break;
	case 1:
		nw_raw(w, big, how);
		break;
	case 2:
	case 3:
		call(w, next(), how);
		break;
	case 4:
	case 5:
		frame(w, next(), how);
		break;
	case 6:
		word(w, how);
		break;
	case 7:
	case 8:
		use_end(w, how);
		break;
	case 9:
		nw_exited(w, how / 4 % 8, how % 4, next());
		break;
	case 10:
		nw_fire(w, how % 4);
		break;
	case 11:
		nw_far_say(w, big + (how & 1), how & 2 ? how * 16U : 1);
		break;
	case 12:
		end_peer(w, how);
		break;
	case 13:
		if (how >= 240)
			volunteer(w, next(), next());
		else
			nw_say(w, big, how * 64U);
	}
	nw_serve(w);
}

/* --- all of it --- */

static void
begin(void)
{
	nw_require(nw_begin(&world, next() % (PRIV_CONTROL + 1)));
	nw_require((calls = rpc_client_new()) != NULL);
	world.how = decide;
}

static void
live(void)
{
	static const char *const uris[] = { MUX_URI_PTY, MUX_URI_WHITELIST,
		MUX_URI_SFTP, MUX_URI_EXEC_STREAM, MUX_URI_EXEC, MUX_URI_STATUS,
		MUX_URI_FILES, MUX_URI_PROXY "?pk=" NW_KEY "&port=22",
		MUX_URI_DIAL "?pk=" NW_KEY };
	uint8_t uri = next();

	/* As it should be, or with all that can be said instead. */
	if (uri < 240)
		nw_authenticate(&world);
	if (uri < 220)
		nw_ask(&world, uris[uri % (sizeof(uris) / sizeof(uris[0]))]);
	while (life.left != 0)
		act(&world);
}

static void
end(void)
{
	nw_over(&world);
	rpc_client_free(calls);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	life_prepare();
	aead_bulk_prepare();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n != 0 && n <= INPUT_MAX)
		life_run(data, n, begin, live, end);
	return 0;
}
