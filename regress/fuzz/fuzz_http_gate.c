/* SPDX-License-Identifier: ISC */
/*
 * What skyptyd-http may say to its monitor, message after message: a byte that
 * chooses the type and whether the login is real, a length, a body.  Without a
 * real login nothing is ever dialed.
 */
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "monitor/http/http_gate.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define REAL 0x80 /* the token, or the last cookie, is put in */

static const unsigned types[] = { HTTP_ENTER, HTTP_CHECK, HTTP_ADMIT,
	HTTP_CONNECT, HTTP_LEAVE, HTTP_ENDED, PM_LOG, HTTP_CONFIG, HTTP_BROWSER,
	0 };

static struct gate g;
static unsigned admitted, dialed;
static uint8_t cookie[HTTP_TOKEN_LEN];
static bool logged_in;

int
http_dial(struct http_dials *all, const struct http_options *o, uint16_t id,
    http_dialed *done, void *arg, char why[HTTP_TEXT])
{
	(void)all, (void)o, (void)id, (void)done, (void)arg;
	if (!logged_in || ++dialed > admitted * HTTP_DIALS_MAX)
		abort();
	strlcpy(why, "not here", HTTP_TEXT);
	return -1;
}

static void
hear(int child)
{
	static struct privmsg m;
	uint8_t what;

	while (privmsg_recv(child, &m, true) == 1) {
		if (buf_get_u8(&m.body, &what) != 0)
			continue;
		if (m.type == HTTP_ENTER + 1 && what == HTTP_ENTERED &&
		    buf_get(&m.body, cookie, sizeof(cookie)) != 0)
			abort();
		if (m.type == HTTP_ADMIT + 1 && what == HTTP_ADMITTED)
			admitted++;
	}
	privmsg_clear(&m);
}

/* SKY_ERR_* when the child would be ended. */
static int
say(int child, unsigned type, const uint8_t *body, size_t n)
{
	static struct privmsg m;
	struct buf b;
	int r;

	buf_view(&b, body, n);
	if (privmsg_send(child, type, 1, &b, NULL, 0) != 0 ||
	    privmsg_recv(g.sock, &m, false) != 1)
		abort();
	r = gate_request(&g, &m);
	privmsg_clear(&m);
	hear(child);
	return r;
}

static void
talk(int child, const uint8_t *data, size_t n)
{
	uint8_t body[255], token[HTTP_TOKEN_LEN], hash[32];
	size_t len;
	unsigned type;

	memset(token, 7, sizeof(token));
	while (n > 2) {
		crypto_hash_sha256(hash, token, sizeof(token));
		auth_new_token(&g.auth, hash);
		type = types[(data[0] & ~REAL) %
		    (sizeof(types) / sizeof(types[0]))];
		len = data[1] < n - 2 ? data[1] : n - 2;
		memset(body, 0, sizeof(body));
		memcpy(body, data + 2, len);
		if (data[0] & REAL && type == HTTP_ENTER)
			memcpy(body, token, sizeof(token));
		else if (data[0] & REAL && type == HTTP_CHECK)
			memcpy(body, cookie, sizeof(cookie));
		else if (data[0] & REAL && type == HTTP_ADMIT)
			memcpy(body + 1, cookie, sizeof(cookie));
		/* A fuzzer guesses this one, sooner or later. */
		if (type == HTTP_ENTER &&
		    memcmp(body, token, sizeof(token)) == 0)
			logged_in = true;
		if (say(child, type, body, len) != 0)
			gate_child(&g, g.sock);
		data += 2 + len;
		n -= 2 + len;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static char empty[] = "", header[] = "X-User";
	struct http_options o = { .conf = { .max_clients = 4,
				      .session_s = 100 } };
	int sv[2];

	if (n == 0)
		return 0;
	o.conf.no_auth = (data[0] & 3) == 1;
	o.conf.auth_header = (data[0] & 3) == 2 ? header : empty;
	o.conf.once = data[0] & 4;
	o.conf.readonly = data[0] & 8;
	if (privmsg_pair(sv) != 0 || fcntl(sv[1], F_SETFL, O_NONBLOCK) == -1)
		abort();
	log_init("fuzz", LOG_LEVEL_ERROR, true);
	gate_init(&g, &o, NULL);
	gate_child(&g, sv[0]);
	admitted = dialed = 0;
	memset(cookie, 0, sizeof(cookie));
	logged_in = o.conf.no_auth || *o.conf.auth_header != '\0';
	talk(sv[1], data + 1, n - 1);
	close(sv[0]);
	close(sv[1]);
	return 0;
}
