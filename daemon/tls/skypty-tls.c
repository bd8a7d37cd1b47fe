/* SPDX-License-Identifier: ISC */
/*
 * skypty-tls, the one program that links libssl: a TLS client on a connection
 * that somebody else has made.  It proves who is at the other end, says "ok" or
 * why not in a line on the plain side, and moves bytes until either side ends.
 * What the network says is looked at in confinement only.  See
 * common/base/tls.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "common/base/process.h"
#include "common/base/tls.h"
#include "common/privsep/sandbox.h"

#define CHUNK  16384
#define LIFE_S 60
#define MEMORY (64U * 1024 * 1024)
#define NOFILE 8

struct side {
	uint8_t bytes[CHUNK]; /* for the other side */
	size_t from, to;
	bool ended;
};

static void
tls_say(const char *text)
{
	(void)!write(TLS_FD_PLAIN, text, strlen(text));
	(void)!write(TLS_FD_PLAIN, "\n", 1);
}

__attribute__((noreturn)) static void
tls_fail(const char *text)
{
	tls_say(text);
	_exit(1);
}

/* --- who it must be --- */

/* All of them in one file: nothing can be opened when they are needed. */
static const char *const bundles[] = { "/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
	"/etc/ssl/cert.pem" };

static void
load_authorities(SSL_CTX *ctx)
{
	const char *file = getenv("SSL_CERT_FILE");
	bool ok = false;

	if (file != NULL && *file != '\0') {
		if (SSL_CTX_load_verify_file(ctx, file) != 1)
			tls_fail("SSL_CERT_FILE cannot be read");
		return;
	}
	for (size_t i = 0; !ok && i < sizeof(bundles) / sizeof(*bundles); i++)
		ok = SSL_CTX_load_verify_file(ctx, bundles[i]) == 1;
	if (!ok)
		tls_fail(
		    "no certificates of authorities here: on Debian they are "
		    "in the package ca-certificates");
	ERR_clear_error();
}

static void
expect_host(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *p = SSL_get0_param(ssl);

	X509_VERIFY_PARAM_set_hostflags(p,
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
		X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (X509_VERIFY_PARAM_set1_ip_asc(p, host) == 1)
		return;
	ERR_clear_error();
	if (X509_VERIFY_PARAM_set1_host(p, host, 0) != 1 ||
	    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
		TLSEXT_NAMETYPE_host_name, (void *)(uintptr_t)host) != 1)
		tls_fail("its name cannot be checked");
}

static SSL *
tls_prepare(const char *host)
{
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *bio;

	if ((ctx = SSL_CTX_new(TLS_client_method())) == NULL ||
	    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1)
		tls_fail("out of memory");
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	load_authorities(ctx);
	if ((ssl = SSL_new(ctx)) == NULL ||
	    (bio = BIO_new_fd(TLS_FD_NET, BIO_NOCLOSE)) == NULL)
		tls_fail("out of memory");
	SSL_set_bio(ssl, bio, bio);
	expect_host(ssl, host);
	return ssl;
}

/* --- moving bytes --- */

/* Waits until either side can go on. */
static void
tls_await(SSL *ssl, const struct side *up, const struct side *down)
{
	struct pollfd p[2] = { { .fd = TLS_FD_NET, .events = POLLIN },
		{ .fd = TLS_FD_PLAIN } };

	if (SSL_want_write(ssl) || up->to != up->from)
		p[0].events |= POLLOUT;
	if (up->to == up->from && !up->ended)
		p[1].events |= POLLIN;
	if (down->to != down->from)
		p[1].events |= POLLOUT;
	/* Nothing to be said to one whose buffer is full. */
	if (p[1].events & POLLOUT)
		p[0].fd = -1;
	(void)poll(p, 2, -1);
	if (p[1].revents & (POLLHUP | POLLERR))
		_exit(0); /* nobody is there to read any more */
}

/* Whether TLS only wants to wait. */
static bool
must_wait(SSL *ssl, int r)
{
	int error = SSL_get_error(ssl, r);

	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static const char *
why_not(SSL *ssl)
{
	long verdict = SSL_get_verify_result(ssl);
	const char *text;

	if (verdict != X509_V_OK)
		return X509_verify_cert_error_string(verdict);
	text = ERR_reason_error_string(ERR_peek_error());
	return text != NULL ? text : "the connection was closed";
}

static void
tls_shake_hands(SSL *ssl)
{
	static const struct side none;
	int r;

	while ((r = SSL_connect(ssl)) != 1) {
		if (!must_wait(ssl, r))
			tls_fail(why_not(ssl));
		tls_await(ssl, &none, &none);
	}
	tls_say(TLS_OK);
}

static bool
to_net(SSL *ssl, struct side *up)
{
	ssize_t n;
	int r;

	if (up->to == up->from) {
		n = read(TLS_FD_PLAIN, up->bytes, CHUNK);
		if (n == -1 && errno == EAGAIN)
			return false;
		up->ended = n <= 0;
		up->from = 0;
		up->to = n > 0 ? (size_t)n : 0;
	}
	if (up->to == up->from)
		return false;
	r = SSL_write(ssl, up->bytes + up->from, (int)(up->to - up->from));
	if (r <= 0 && !must_wait(ssl, r))
		_exit(1);
	up->from += r > 0 ? (size_t)r : 0;
	return r > 0;
}

static bool
to_plain(SSL *ssl, struct side *down)
{
	ssize_t n;
	int r;

	if (down->to == down->from) {
		r = SSL_read(ssl, down->bytes, CHUNK);
		if (r <= 0 && must_wait(ssl, r))
			return false;
		down->ended = r <= 0;
		down->from = 0;
		down->to = r > 0 ? (size_t)r : 0;
	}
	if (down->to == down->from)
		return false;
	n = write(TLS_FD_PLAIN, down->bytes + down->from,
	    down->to - down->from);
	if (n == -1 && errno != EAGAIN)
		_exit(1);
	down->from += n > 0 ? (size_t)n : 0;
	return n > 0;
}

static void
move_bytes(SSL *ssl)
{
	static struct side up, down;
	bool moved;

	while (!up.ended && (!down.ended || down.to != down.from)) {
		moved = to_net(ssl, &up);
		if (!up.ended)
			moved = to_plain(ssl, &down) || moved;
		if (!moved && !up.ended && !down.ended)
			tls_await(ssl, &up, &down);
	}
}

/* --- */

int
main(int argc, char **argv)
{
	struct sandbox sb = { .program = SANDBOX_TLS,
		.memory = MEMORY,
		.nofile = NOFILE };
	SSL *ssl;

	process_standard_fds();
	sb.best_effort = argc > 2 && strcmp(argv[2], TLS_BEST_EFFORT) == 0;
	sb.nobodys = argc <= 2 + sb.best_effort ||
	    strcmp(argv[2 + sb.best_effort], TLS_CHILD) != 0;
	if (argc != 2 + sb.best_effort + !sb.nobodys ||
	    fcntl(TLS_FD_NET, F_SETFL, O_NONBLOCK) == -1 ||
	    fcntl(TLS_FD_PLAIN, F_SETFL, O_NONBLOCK) == -1) {
		fputs("skypty-tls is run by skyptyd and skypty\n", stderr);
		return 64;
	}
	closefrom(TLS_FD_PLAIN + 1);
	(void)prctl(PR_SET_NAME, "skypty-tls"); /* it was a descriptor */
	signal(SIGPIPE, SIG_IGN);
	alarm(LIFE_S);
	tzset(); /* a certificate's dates would have it open a file */
	ssl = tls_prepare(argv[1]);
	if (sandbox_enter(&sb, NULL, NULL) == -1)
		tls_fail("it cannot be confined here");
	tls_shake_hands(ssl);
	move_bytes(ssl);
	_exit(0);
}
