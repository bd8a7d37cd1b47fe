/* SPDX-License-Identifier: ISC */
/*
 * Another certificate while browsers are there: connections that begin show
 * it, those that are there keep what they have.  See skyptyd-http(8), SIGNALS.
 */
#include "daemon/http/http_main.h"
#include "daemon/http/http_mon.h"
#include "daemon/http/http_tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

struct http_cert {
	X509 *own;
	EVP_PKEY *key;
	STACK_OF(X509) * chain;
};

static void
cert_free(struct http_cert *c)
{
	if (c == NULL)
		return;
	X509_free(c->own);
	EVP_PKEY_free(c->key);
	sk_X509_pop_free(c->chain, X509_free);
	free(c);
}

/* A key with a passphrase would wait for somebody to type it. */
static int
cert_no_passphrase(char *text, int len, int rw, void *arg)
{
	return -1;
}

static bool
cert_read_chain(struct http_cert *c, BIO *bio)
{
	X509 *x;

	if ((c->chain = sk_X509_new_null()) == NULL)
		return false;
	while ((x = PEM_read_bio_X509(bio, NULL, cert_no_passphrase, NULL)) !=
	    NULL)
		if (sk_X509_push(c->chain, x) == 0) {
			X509_free(x);
			return false;
		}
	return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static bool
cert_read(struct http_cert *c, struct buf *cert, struct buf *key)
{
	BIO *in = BIO_new_mem_buf(buf_ptr(cert), (int)buf_len(cert));
	BIO *secret = BIO_new_mem_buf(buf_ptr(key), (int)buf_len(key));
	bool good = false;

	ERR_clear_error();
	if (in != NULL && secret != NULL) {
		c->own =
		    PEM_read_bio_X509_AUX(in, NULL, cert_no_passphrase, NULL);
		good = c->own != NULL && cert_read_chain(c, in);
	}
	if (good) {
		ERR_clear_error();
		c->key = PEM_read_bio_PrivateKey(secret, NULL,
		    cert_no_passphrase, NULL);
		good = c->key != NULL;
	}
	BIO_free(in);
	BIO_free(secret);
	return good;
}

/* As a connection would have it: what it could not use is not taken. */
static const char *
cert_objection(const struct http_cert *c)
{
	SSL_CTX *ctx;
	bool good;

	if (X509_cmp_current_time(X509_get0_notAfter(c->own)) < 0)
		return "it has expired";
	if (X509_check_private_key(c->own, c->key) != 1)
		return "the key is another one's";
	if ((ctx = SSL_CTX_new(TLS_server_method())) == NULL)
		return "out of memory";
	good = SSL_CTX_use_cert_and_key(ctx, c->own, c->key, c->chain, 1) == 1;
	SSL_CTX_free(ctx);
	if (good)
		return NULL;
	return ERR_reason_error_string(ERR_peek_error());
}

/* A connection begins.  Nothing of the old one, of another kind of key, stays.
 */
static int
cert_show(SSL *ssl, void *arg)
{
	const struct http *h = arg;
	const struct http_cert *c = h->cert;

	if (c == NULL)
		return 1;
	SSL_certs_clear(ssl);
	return SSL_use_cert_and_key(ssl, c->own, c->key, c->chain, 1);
}

void
http_tls_begin(struct http *h, void *ctx)
{
	SSL_CTX_set_cert_cb(ctx, cert_show, h);
}

int
http_tls_renew(struct http *h, struct buf *cert, struct buf *key)
{
	struct http_cert *c = calloc(1, sizeof(*c));
	const char *why = "out of memory";

	if (c != NULL)
		why = cert_read(c, cert, key) ?
		    cert_objection(c) :
		    ERR_reason_error_string(ERR_peek_last_error());
	ERR_clear_error();
	if (c == NULL || c->key == NULL || why != NULL) {
		cert_free(c);
		http_log(h, LOG_LEVEL_ERROR,
		    "The new certificate cannot be used, the old one stays: %s",
		    why != NULL ? why : "it is malformed");
		return -1;
	}
	cert_free(h->cert);
	h->cert = c;
	http_log(h, LOG_LEVEL_INFO, "The new certificate is shown from now on");
	return 0;
}
