/* SPDX-License-Identifier: ISC */
/*
 * A client that does what the real one never would.
 *
 *	raw_client HOST PORT HOST-KEY SECRET-FILE step...
 *
 * HOST may be the path of a control socket, where there is no handshake.
 * SECRET-FILE holds a secret key in hex.  Steps, in the order given:
 *
 *	handshake	the whole handshake
 *	hello		only its first message
 *	nullkey		the whole handshake, but a null key as the static one
 *	mux URI		asks for a service; prints "mux 0", "mux 1", "mux eof"
 *	exec CMD ARG... ';'	calls Exec and goes on
 *	start CMD ARG... ';'	calls Start and goes on
 *	reads N		calls Read N times and goes on
 *	write TEXT	calls Write and goes on
 *	writes N SIZE	calls Write with so many bytes N times and goes on
 *	reply		waits for a reply and prints it
 *	raw HEX		bytes as they are
 *	plain HEX	bytes, sealed
 *	badtag, again, long	an altered frame, one sent twice, one too long
 *	huge N		the head of a gob message of N bytes
 *	save FILE	puts what was sent so far into a file
 *	replay FILE	sends a file's bytes as they are
 *	shut		ends our direction
 *	drain		reads until the end; prints "eof" or "reset"
 *	relay		bytes between the service and standard input and output,
 *			until the service has said all; the end of the input is
 *			that of our direction
 *	crowd N		N further connections that say nothing or hello
 *	hold		prints "holding" and waits to be killed
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

/* For nullkey: whose static key is what belongs to the state. */
#include "common/pty/noise.c"

#include "common/base/hex.h"
#include "common/pty/frame.h"
#include "common/pty/mux.h"
#include "common/pty/rpc.h"

#define WIRE_MAX  (4U * 1024 * 1024)
#define READ_SIZE 65536

static struct {
	const char *host, *port;
	int fd;
	struct keyctx *ctx;
	struct key_public pk;
	uint8_t sk[KEY_SECRET_LEN];
	bool sealed;
	struct frame_key tx, rx;
	struct buf in, plain, sent;
	struct rpc_client *rpc;
} c;

static void
fatal(const char *what, const char *why)
{
	fprintf(stderr, "raw_client: %s: %s\n", what, why);
	exit(1);
}

static void
must(const char *what, int r)
{
	if (r < 0)
		fatal(what, err_text(r));
}

/* --- the connection --- */

static int
connect_unix(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if (fd == -1 || connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		fatal(path, strerror(errno));
	return fd;
}

static int
connect_tcp(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *ai;
	int fd, r;

	if ((r = getaddrinfo(host, port, &hints, &ai)) != 0)
		fatal(host, gai_strerror(r));
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || connect(fd, ai->ai_addr, ai->ai_addrlen) == -1)
		fatal(host, strerror(errno));
	freeaddrinfo(ai);
	return fd;
}

static int
dial(void)
{
	return strchr(c.host, '/') != NULL ? connect_unix(c.host) :
					     connect_tcp(c.host, c.port);
}

/* A host that has gone away is no failure of ours. */
static void
send_wire(const uint8_t *p, size_t n)
{
	ssize_t r;

	must("save", buf_put(&c.sent, p, n));
	for (; n > 0; p += r, n -= (size_t)r)
		if ((r = send(c.fd, p, n, MSG_NOSIGNAL)) == -1)
			return;
}

static void
send_sealed(const uint8_t *p, size_t n)
{
	struct buf plain, wire;

	if (!c.sealed) {
		send_wire(p, n);
		return;
	}
	buf_view(&plain, p, n);
	buf_init(&wire, WIRE_MAX);
	must("seal", frame_seal(&c.tx, &plain, &wire));
	send_wire(buf_ptr(&wire), buf_len(&wire));
	buf_free(&wire);
}

static void
send_buf(struct buf *b)
{
	send_sealed(buf_ptr(b), buf_len(b));
	buf_free(b);
}

/* Adds to the plaintext that is there; false at the end. */
static bool
receive(void)
{
	struct buf body;
	int r;

	while (c.sealed && (r = frame_get(&c.in, &body)) != 0) {
		must("frame", r);
		must("open", frame_open(&c.rx, &body, &c.plain));
		if (buf_len(&c.plain) != 0)
			return true;
	}
	if (buf_read(c.sealed ? &c.in : &c.plain, c.fd, READ_SIZE) <= 0)
		return false;
	return c.sealed ? receive() : true;
}

/* --- steps --- */

static void
send_handshake(struct noise *ns)
{
	struct buf body, wire;

	buf_init(&body, NOISE_MSG_MAX);
	buf_init(&wire, 2 * NOISE_MSG_MAX);
	must("handshake", noise_write(ns, NULL, &body));
	must("handshake", frame_put(&wire, buf_ptr(&body), buf_len(&body)));
	send_wire(buf_ptr(&wire), buf_len(&wire));
	buf_free(&body);
	buf_free(&wire);
}

static void
receive_handshake(struct noise *ns)
{
	struct buf body, payload;
	int r;

	while ((r = frame_get(&c.in, &body)) == 0)
		if (buf_read(&c.in, c.fd, READ_SIZE) <= 0) {
			puts("handshake eof");
			exit(0);
		}
	must("handshake", r);
	buf_init(&payload, NOISE_MSG_MAX);
	must("handshake", noise_read(ns, &body, &payload));
	buf_free(&payload);
}

static void
step_hello(char ***args)
{
	struct noise *ns;

	(void)args;
	must("noise",
	    noise_new(&ns, c.ctx, NOISE_XK, NOISE_INITIATOR, c.sk, &c.pk));
	send_handshake(ns);
	noise_free(ns);
}

static void
shake(bool null_key)
{
	struct noise_keys keys;
	struct noise *ns;

	must("noise",
	    noise_new(&ns, c.ctx, NOISE_XK, NOISE_INITIATOR, c.sk, &c.pk));
	send_handshake(ns);
	receive_handshake(ns);
	if (null_key)
		memset(&ns->spub, 0, sizeof(ns->spub));
	send_handshake(ns);
	must("noise", noise_split(ns, &keys));
	frame_key_init(&c.tx, keys.send);
	frame_key_init(&c.rx, keys.recv);
	c.sealed = true;
	noise_free(ns);
	puts("handshake ok");
}

static void
step_handshake(char ***args)
{
	(void)args;
	shake(false);
}

static void
step_nullkey(char ***args)
{
	(void)args;
	shake(true);
}

static char *
word(char ***args)
{
	if (**args == NULL)
		fatal("steps", "an argument is missing");
	return *(*args)++;
}

static void
step_mux(char ***args)
{
	struct buf b;
	uint8_t answer;

	buf_init(&b, 1 + MUX_URI_MAX);
	must("mux", mux_put_request(&b, word(args)));
	send_buf(&b);
	while (buf_get_u8(&c.plain, &answer) != 0)
		if (!receive()) {
			puts("mux eof");
			return;
		}
	printf("mux %u\n", answer);
}

static void
call(enum rpc_method method, const union rpc_value *v)
{
	struct buf b;

	buf_init(&b, WIRE_MAX);
	must("call", rpc_client_call(c.rpc, &b, method, v, NULL));
	send_buf(&b);
}

/* Name and arguments up to a semicolon. */
static void
read_command(char ***args, struct buf *name, struct gob_list *list)
{
	char *s = word(args);

	buf_view(name, s, strlen(s));
	buf_init(&list->raw, WIRE_MAX);
	while (strcmp(s = word(args), ";") != 0)
		must("arguments", gob_list_add(list, s, strlen(s)));
}

static void
step_exec(char ***args)
{
	union rpc_value v;

	memset(&v, 0, sizeof(v));
	read_command(args, &v.exec.name, &v.exec.arg);
	call(RPC_PTY_EXEC, &v);
	buf_free(&v.exec.arg.raw);
}

static void
step_start(char ***args)
{
	union rpc_value v;

	memset(&v, 0, sizeof(v));
	read_command(args, &v.command.name, &v.command.arg);
	call(RPC_PTY_START, &v);
	buf_free(&v.command.arg.raw);
}

static void
step_reads(char ***args)
{
	union rpc_value v = { .number = READ_SIZE };

	for (int n = atoi(word(args)); n > 0; n--)
		call(RPC_PTY_READ, &v);
}

static void
step_write(char ***args)
{
	union rpc_value v;
	char *text = word(args);

	buf_view(&v.bytes, text, strlen(text));
	call(RPC_PTY_WRITE, &v);
}

static void
step_writes(char ***args)
{
	int n = atoi(word(args));
	size_t size = (size_t)atol(word(args));
	union rpc_value v;
	char *bytes;

	if ((bytes = malloc(size)) == NULL)
		must("writes", SKY_ERR_NOMEM);
	memset(bytes, 'x', size);
	buf_view(&v.bytes, bytes, size);
	for (; n > 0; n--)
		call(RPC_PTY_WRITE, &v);
	free(bytes);
}

static void
print(const char *what, const struct buf *b)
{
	printf("%s%.*s\n", what, (int)buf_len(b), (const char *)buf_ptr(b));
}

static void
step_reply(char ***args)
{
	struct rpc_reply reply;
	int r;

	(void)args;
	while ((r = rpc_client_next(c.rpc, &c.plain, &reply)) == 0)
		if (!receive()) {
			puts("reply eof");
			return;
		}
	must("reply", r);
	if (reply.failed)
		print("error: ", &reply.error);
	else if (reply.method == RPC_PTY_EXEC) {
		printf("exit %lld\n", (long long)reply.value.result.exit_code);
		print("out: ", &reply.value.result.out);
		print("err: ", &reply.value.result.err);
	} else if (reply.method == RPC_PTY_READ)
		print("read: ", &reply.value.bytes);
	else
		puts("ok");
}

static size_t
from_hex(char ***args, uint8_t *p, size_t max)
{
	const char *hex = word(args);
	size_t n = strlen(hex) / 2;

	if (n > max)
		fatal(hex, "too long");
	must(hex, hex_decode(hex, p, n));
	return n;
}

static void
step_raw(char ***args)
{
	uint8_t p[8192];
	size_t n = from_hex(args, p, sizeof(p));

	send_wire(p, n);
}

static void
step_plain(char ***args)
{
	uint8_t p[8192];
	size_t n = from_hex(args, p, sizeof(p));

	send_sealed(p, n);
}

/* A Ping as good as any, sealed; the caller spoils it. */
static void
seal_some(struct buf *wire)
{
	struct buf plain;

	buf_view(&plain, "some bytes", 10);
	buf_init(wire, WIRE_MAX);
	must("seal", frame_seal(&c.tx, &plain, wire));
}

static void
step_badtag(char ***args)
{
	struct buf wire;
	uint8_t last;

	(void)args;
	seal_some(&wire);
	last = buf_ptr(&wire)[buf_len(&wire) - 1] ^ 1;
	must("alter", buf_poke(&wire, buf_len(&wire) - 1, &last, 1));
	send_wire(buf_ptr(&wire), buf_len(&wire));
	buf_free(&wire);
}

static void
step_again(char ***args)
{
	struct buf wire;

	(void)args;
	seal_some(&wire);
	send_wire(buf_ptr(&wire), buf_len(&wire));
	send_wire(buf_ptr(&wire), buf_len(&wire));
	buf_free(&wire);
}

static void
step_long(char ***args)
{
	uint8_t head[2] = { (FRAME_BODY_MAX + 1) >> 8,
		(FRAME_BODY_MAX + 1) & 0xff };

	(void)args;
	send_wire(head, sizeof(head));
}

/* gob's count of 4 bytes.  PROTOCOL.pty 5.2 */
static void
step_huge(char ***args)
{
	unsigned long n = strtoul(word(args), NULL, 0);
	uint8_t head[5] = { 0xfc, (uint8_t)(n >> 24), (uint8_t)(n >> 16),
		(uint8_t)(n >> 8), (uint8_t)n };

	send_sealed(head, sizeof(head));
}

static void
step_save(char ***args)
{
	const char *path = word(args);
	FILE *f = fopen(path, "we");

	if (f == NULL ||
	    fwrite(buf_ptr(&c.sent), 1, buf_len(&c.sent), f) !=
		buf_len(&c.sent) ||
	    fclose(f) != 0)
		fatal(path, strerror(errno));
}

static void
step_replay(char ***args)
{
	const char *path = word(args);
	uint8_t p[8192];
	FILE *f = fopen(path, "re");
	size_t n;

	if (f == NULL)
		fatal(path, strerror(errno));
	n = fread(p, 1, sizeof(p), f);
	fclose(f);
	send_wire(p, n);
}

/* To standard output, with all frames that are there.  False at the end. */
static bool
relay_out(void)
{
	struct buf body;
	bool more = buf_len(&c.plain) != 0 || receive();
	int r;

	while (c.sealed && (r = frame_get(&c.in, &body)) != 0) {
		must("frame", r);
		must("open", frame_open(&c.rx, &body, &c.plain));
	}
	while (buf_len(&c.plain) != 0)
		if (buf_write(&c.plain, STDOUT_FILENO) < 0)
			fatal("output", strerror(errno));
	return more;
}

static void
step_relay(char ***args)
{
	struct pollfd p[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = c.fd, .events = POLLIN } };
	uint8_t bytes[READ_SIZE];
	bool more = true;
	ssize_t n;

	(void)args;
	fflush(stdout);
	while (more) {
		if (buf_len(&c.plain) == 0 && poll(p, 2, -1) == -1)
			fatal("poll", strerror(errno));
		if (buf_len(&c.plain) != 0 || p[1].revents != 0)
			more = relay_out();
		if (p[0].fd == -1 || p[0].revents == 0)
			continue;
		if ((n = read(p[0].fd, bytes, sizeof(bytes))) > 0)
			send_sealed(bytes, (size_t)n);
		else {
			shutdown(c.fd, SHUT_WR);
			p[0].fd = -1;
		}
		p[0].revents = 0;
	}
}

static void
step_shut(char ***args)
{
	(void)args;
	shutdown(c.fd, SHUT_WR);
}

static void
step_drain(char ***args)
{
	char scratch[READ_SIZE];
	ssize_t n;

	(void)args;
	while ((n = read(c.fd, scratch, sizeof(scratch))) > 0)
		;
	puts(n == 0 ? "eof" : "reset");
}

static void
step_crowd(char ***args)
{
	int n = atoi(word(args)), own = c.fd;

	for (int i = 0; i < n; i++) {
		c.fd = dial();
		if (i % 2 == 0)
			step_hello(args);
	}
	c.fd = own;
}

static void
step_hold(char ***args)
{
	(void)args;
	puts("holding");
	for (;;)
		pause();
}

static const struct {
	const char *name;
	void (*run)(char ***args);
} steps[] = {
	{ "handshake", step_handshake },
	{ "hello", step_hello },
	{ "nullkey", step_nullkey },
	{ "mux", step_mux },
	{ "exec", step_exec },
	{ "start", step_start },
	{ "reads", step_reads },
	{ "write", step_write },
	{ "writes", step_writes },
	{ "reply", step_reply },
	{ "raw", step_raw },
	{ "plain", step_plain },
	{ "badtag", step_badtag },
	{ "again", step_again },
	{ "long", step_long },
	{ "huge", step_huge },
	{ "save", step_save },
	{ "replay", step_replay },
	{ "shut", step_shut },
	{ "drain", step_drain },
	{ "relay", step_relay },
	{ "crowd", step_crowd },
	{ "hold", step_hold },
};

static void
run_step(char ***args)
{
	const char *name = word(args);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (strcmp(steps[i].name, name) == 0) {
			steps[i].run(args);
			return;
		}
	fatal(name, "no such step");
}

static void
read_secret(const char *path)
{
	char hex[KEY_SECRET_HEX + 1] = "";
	FILE *f = fopen(path, "re");

	if (f == NULL || fgets(hex, sizeof(hex), f) == NULL)
		fatal(path, strerror(errno));
	fclose(f);
	hex[strcspn(hex, "\n")] = '\0';
	must(path, key_parse_secret(c.ctx, hex, c.sk));
}

int
main(int argc, char **argv)
{
	char **args;

	if (argc < 5)
		fatal("usage", "host port host-key secret-file step...");
	setvbuf(stdout, NULL, _IOLBF, 0);
	if ((c.ctx = keyctx_new()) == NULL ||
	    (c.rpc = rpc_client_new()) == NULL)
		fatal("memory", "none");
	c.host = argv[1];
	c.port = argv[2];
	if (strchr(c.host, '/') == NULL) {
		must(argv[3], key_parse_public(c.ctx, argv[3], &c.pk));
		read_secret(argv[4]);
	}
	buf_init(&c.in, WIRE_MAX);
	buf_init(&c.plain, RPC_CLIENT_MSG_MAX + READ_SIZE);
	buf_init(&c.sent, 64 * WIRE_MAX);
	c.fd = dial();
	for (args = argv + 5; *args != NULL;)
		run_step(&args);
	return 0;
}
