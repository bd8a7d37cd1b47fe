/* SPDX-License-Identifier: ISC */
/* A session with a dmsg server and a stream on it.  spec: dmsg.md 2, 4.6. */
#include "client/dmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/dmsg_object.h"
#include "common/err.h"

#define CHUNK	      (64U * 1024)
#define BUFFER	      (256U * 1024)
#define HANDSHAKE_MS  5000
#define SILENCE_MS    100
#define PING_MS	      30000
#define EPHEMERAL     49152
#define RELAY_LOST_MS 30000

static bool
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left = deadline - now_ms();

	return left > 0 && poll(&p, 1, (int)left) == 1;
}

/* --- the handshake --- */

static int
send_message(struct link *l, struct noise *n)
{
	struct buf msg;
	int r;

	buf_init(&msg, NOISE_MSG_MAX);
	if ((r = noise_write(n, NULL, &msg)) == 0)
		r = frame_put(&l->out, buf_ptr(&msg), buf_len(&msg));
	buf_free(&msg);
	while (r == 0 && buf_len(&l->out) != 0)
		if (buf_write(&l->out, l->fd) < 0)
			r = ERR_SYS;
	return r;
}

static int
read_message(struct link *l, struct noise *n)
{
	int64_t deadline = now_ms() + HANDSHAKE_MS;
	struct buf body, payload;
	int r;

	while ((r = frame_get(&l->in, &body)) == 0)
		if (!wait_for(l->fd, POLLIN, deadline) ||
		    buf_read(&l->in, l->fd, CHUNK) < 0)
			return ERR_EOF;
	if (r < 0)
		return r;
	buf_init(&payload, NOISE_MSG_MAX);
	r = noise_read(n, &body, &payload);
	buf_free(&payload);
	return r;
}

/* Servers of 2024 lose what comes right behind message 3. */
static void
be_silent(int64_t rtt)
{
	int64_t ms = 2 * rtt > SILENCE_MS ? 2 * rtt : SILENCE_MS;

	(void)poll(NULL, 0, (int)ms);
}

static void handle(void *, struct dmsg_stream *, enum dmsg_event, struct buf *);

static int
shake_hands(struct link *l, const struct dialer *d)
{
	struct noise_keys keys;
	struct noise *n;
	int64_t begun = now_ms();
	uint64_t seed;
	int r;

	if ((r = noise_new(&n, d->ctx, NOISE_XK, NOISE_INITIATOR, d->id.sk,
		 &l->server)) != 0)
		return r;
	if ((r = send_message(l, n)) == 0 && (r = read_message(l, n)) == 0) {
		begun = now_ms() - begun;
		if ((r = send_message(l, n)) == 0 &&
		    (r = noise_split(n, &keys)) == 0)
			be_silent(begun);
	}
	noise_free(n);
	if (r != 0)
		return r;
	randombytes_buf(&seed, sizeof(seed));
	l->dmsg = dmsg_session_new(keys.send, keys.recv, seed, handle, l);
	explicit_bzero(&keys, sizeof(keys));
	return l->dmsg != NULL ? 0 : ERR_NOMEM;
}

const char *
link_open(struct link *l, const struct dialer *d,
    const struct key_public *server, const char *address)
{
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];
	const char *why;
	int r;

	memset(l, 0, sizeof(*l));
	l->fd = -1;
	l->server = *server;
	buf_init(&l->in, BUFFER);
	buf_init(&l->out, BUFFER);
	buf_init(&l->answer, UINT16_MAX);
	if (addr_split(address, NULL, host, port) != 0)
		return "its address makes no sense";
	if ((l->fd = tcp_connect(host, port, &why)) == -1)
		return why;
	if ((r = shake_hands(l, d)) != 0)
		return r == ERR_EOF ? "no answer to the handshake" :
				      "it does not prove its key";
	return NULL;
}

void
link_hang_up(struct link *l)
{
	if (l->stream != NULL)
		dmsg_stream_close(l->stream);
	l->stream = NULL;
	l->answered = l->ended = false;
	buf_reset(&l->answer);
}

void
link_close(struct link *l)
{
	link_hang_up(l);
	dmsg_session_free(l->dmsg);
	l->dmsg = NULL;
	if (l->fd != -1)
		close(l->fd);
	l->fd = -1;
	buf_free(&l->in);
	buf_free(&l->out);
	buf_free(&l->answer);
}

/* --- bytes --- */

static void
handle(void *arg, struct dmsg_stream *st, enum dmsg_event what,
    struct buf *object)
{
	struct link *l = arg;

	if (st != l->stream) {
		/* Nobody is served here. */
		dmsg_stream_close(st);
		return;
	}
	if (what == DMSG_ANSWER) {
		l->answered = true;
		(void)buf_put(&l->answer, buf_ptr(object), buf_len(object));
	} else if (what == DMSG_END)
		l->ended = true;
}

/* 0, or ERR_* when the session is over. */
static int
send_some(struct link *l)
{
	ssize_t r = 1;
	int e;

	while (r > 0) {
		if (buf_len(&l->out) < CHUNK &&
		    (e = dmsg_session_output(l->dmsg, &l->out)) != 0)
			return e;
		r = buf_write(&l->out, l->fd);
	}
	return r == 0 || r == ERR_AGAIN ? 0 : (int)r;
}

static int
receive(struct link *l)
{
	ssize_t r = buf_read(&l->in, l->fd, CHUNK);

	if (r == ERR_AGAIN)
		return 0;
	if (r < 0)
		return (int)r;
	return dmsg_session_input(l->dmsg, &l->in);
}

static int
pump(struct link *l, short revents)
{
	int r = 0;

	if (revents & (POLLIN | POLLHUP | POLLERR))
		r = receive(l);
	return r == 0 ? send_some(l) : r;
}

bool
link_run(struct link *l, bool (*done)(void *), void *arg, int64_t timeout_ms)
{
	int64_t deadline = now_ms() + timeout_ms;
	struct pollfd p = { .fd = l->fd };
	int64_t left;

	if (send_some(l) != 0)
		return false;
	while (!done(arg)) {
		if (l->ended || (left = deadline - now_ms()) <= 0)
			return false;
		p.events = (short)(POLLIN | (buf_len(&l->out) ? POLLOUT : 0));
		if (poll(&p, 1, (int)left) == -1 && errno != EINTR)
			return false;
		if (pump(l, p.revents) != 0) {
			l->ended = true;
			return done(arg);
		}
	}
	return true;
}

/* --- dialing --- */

static int
put_request(struct buf *object, const struct dialer *d, struct noise *n,
    const struct key_public *peer, uint16_t port)
{
	struct dmsg_request q = { .src = { .pk = d->id.pk },
		.dst = { .pk = *peer, .port = port } };
	uint8_t sig[KEY_SIGNATURE_LEN];
	struct buf gob, msg;
	struct timespec now;
	int r;

	clock_gettime(CLOCK_REALTIME, &now);
	q.timestamp = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	q.src.port = (uint16_t)(EPHEMERAL + 1 +
	    randombytes_uniform(UINT16_MAX - EPHEMERAL));
	buf_init(&gob, NOISE_MSG_MAX);
	buf_init(&msg, NOISE_MSG_MAX);
	if ((r = noise_write(n, NULL, &msg)) == 0) {
		q.noise = msg;
		if ((r = dmsg_put_request(&gob, &q)) == 0 &&
		    (r = key_sign(d->ctx, d->id.sk, buf_ptr(&gob),
			 buf_len(&gob), sig)) == 0 &&
		    (r = buf_put(object, sig, sizeof(sig))) == 0)
			r = buf_put(object, buf_ptr(&gob), buf_len(&gob));
	}
	buf_free(&gob);
	buf_free(&msg);
	return r;
}

static const char *
check_answer(struct link *l, const struct dialer *d, struct noise *n,
    const struct key_public *peer, const struct buf *request,
    struct noise_keys *keys)
{
	uint8_t hash[DMSG_HASH_LEN];
	struct dmsg_response resp;
	struct buf sig, gob, payload;
	int r;

	dmsg_hash(buf_ptr(request), buf_len(request), hash);
	if (dmsg_split_signed(&l->answer, &sig, &gob) != 0 ||
	    key_verify(d->ctx, peer, buf_ptr(&gob), buf_len(&gob),
		buf_ptr(&sig)) != 0)
		return dmsg_code_text(350);
	if (dmsg_get_response(&gob, &resp) != 0)
		return "the response makes no sense";
	if (memcmp(hash, resp.req_hash, sizeof(hash)) != 0)
		return dmsg_code_text(351);
	if (!resp.accepted)
		return dmsg_code_text(resp.code);
	buf_init(&payload, NOISE_MSG_MAX);
	if ((r = noise_read(n, &resp.noise, &payload)) == 0)
		r = noise_split(n, keys);
	buf_free(&payload);
	return r == 0 ? NULL : "the host does not prove its key";
}

static bool
is_answered(void *arg)
{
	const struct link *l = arg;

	return l->answered;
}

static const char *
dial(struct link *l, const struct dialer *d, struct noise *n,
    const struct key_public *peer, uint16_t port, struct noise_keys *keys)
{
	const char *why = "out of memory";
	struct buf request;

	buf_init(&request, UINT16_MAX);
	if (put_request(&request, d, n, peer, port) == 0 &&
	    (l->stream = dmsg_session_dial(l->dmsg, now_ms() / 1000,
		 &request)) != NULL) {
		if (link_run(l, is_answered, l, DMSG_WAIT_MS))
			why = check_answer(l, d, n, peer, &request, keys);
		else
			why = l->ended ? "not reachable through this server, "
					 "or nobody listens there" :
					 "no response";
	}
	buf_free(&request);
	return why;
}

const char *
link_dial(struct link *l, const struct dialer *d, const struct key_public *peer,
    uint16_t port, struct noise_keys *keys)
{
	const char *why;
	struct noise *n;

	link_hang_up(l);
	if (noise_new(&n, d->ctx, NOISE_KK, NOISE_INITIATOR, d->id.sk, peer) !=
	    0)
		return "out of memory";
	why = dial(l, d, n, peer, port, keys);
	noise_free(n);
	if (why != NULL)
		link_hang_up(l);
	return why;
}

/* --- the relay --- */

struct relay {
	struct link *l;
	int sock;
	bool gone; /* whoever had the other end; what it said still leaves */
	int64_t progress_ms;
};

/* From the stream to the socket; false at the end. */
static bool
push(struct relay *y)
{
	struct dmsg_stream *st = y->l->stream;
	const struct buf *in;
	ssize_t n;

	while (buf_len(in = dmsg_stream_in(st)) > 0) {
		n = write(y->sock, buf_ptr(in), buf_len(in));
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0 || dmsg_stream_consume(st, (size_t)n) != 0)
			return false;
	}
	return !dmsg_stream_eof(st) && !y->l->ended;
}

/* From the socket to the stream, as much as it takes. */
static bool
pull(struct relay *y)
{
	struct dmsg_stream *st = y->l->stream;
	uint8_t chunk[CHUNK];
	size_t room = dmsg_stream_room(st);
	ssize_t n;

	if (room == 0)
		return true;
	n = read(y->sock, chunk, room < sizeof(chunk) ? room : sizeof(chunk));
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return true;
	y->progress_ms = now_ms();
	return n > 0 && dmsg_stream_write(st, chunk, (size_t)n) == n;
}

/* Nobody reads any more, and the host takes nothing: not for ever. */
static bool
is_lost(const struct relay *y)
{
	return y->gone && now_ms() - y->progress_ms > RELAY_LOST_MS;
}

/* One round; false when it is over. */
static bool
relay_step(struct relay *y, int64_t *next_ping)
{
	struct link *l = y->l;
	struct pollfd p[2] = { { .fd = l->fd, .events = POLLIN },
		{ .fd = y->sock } };
	int64_t left = *next_ping - now_ms();

	if (buf_len(&l->out) != 0 || dmsg_session_pending(l->dmsg))
		p[0].events |= POLLOUT;
	if (dmsg_stream_room(l->stream) > 0)
		p[1].events |= POLLIN;
	if (buf_len(dmsg_stream_in(l->stream)) > 0)
		p[1].events |= POLLOUT;
	/* A hang-up is always told: it would keep us busy. */
	if (y->gone && !(p[1].events & POLLIN))
		p[1].fd = -1;
	if (y->gone && left > 1000)
		left = 1000;
	if (poll(p, 2, left > 0 ? (int)left : 0) == -1 && errno != EINTR)
		return false;
	if (now_ms() >= *next_ping) {
		*next_ping = now_ms() + PING_MS;
		if (dmsg_session_tick(l->dmsg, now_ms() / 1000) == ERR_AGAIN)
			return false;
	}
	if ((p[1].revents & POLLHUP) && !y->gone) {
		y->gone = true;
		y->progress_ms = now_ms();
	}
	if (((p[1].revents & (POLLIN | POLLHUP)) && !pull(y)) || is_lost(y))
		return false;
	if (pump(l, p[0].revents) != 0)
		return false;
	return push(y);
}

/* What the other side still has to hear leaves before we go. */
static void
drain(struct link *l)
{
	int64_t deadline = now_ms() + 1000;

	dmsg_stream_close(l->stream);
	l->stream = NULL;
	while ((buf_len(&l->out) != 0 || dmsg_session_pending(l->dmsg)) &&
	    send_some(l) == 0 && buf_len(&l->out) != 0)
		if (!wait_for(l->fd, POLLOUT, deadline))
			break;
}

void
link_relay(struct link *l, int sock)
{
	struct relay y = { .l = l, .sock = sock };
	int64_t next_ping = now_ms() + PING_MS;

	if (push(&y))
		while (relay_step(&y, &next_ping))
			;
	drain(l);
	_exit(0);
}
