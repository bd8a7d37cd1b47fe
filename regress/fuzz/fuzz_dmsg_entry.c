/* SPDX-License-Identifier: ISC */
/*
 * dmsg_entry, dmsg_disc: an entry, a list of servers, a refusal, an answer or
 * the address of a discovery, as the first byte has it.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/dmsg/dmsg_disc.h"
#include "common/dmsg/dmsg_entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

/* --- entries ---------------------------------------------------------- */

static void
check_key(const struct key_public *pk)
{
	require(pk->b[0] == 2 || pk->b[0] == 3);
}

static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

static void
check_entry(const struct dmsg_entry *e)
{
	check_key(&e->pk);
	require(e->ndelegated <= DMSG_DELEGATED_MAX);
	require(e->is_client || e->ndelegated == 0);
	for (size_t i = 0; i < e->ndelegated; i++)
		check_key(&e->delegated[i]);
	require(memchr(e->address, '\0', sizeof(e->address)) != NULL);
	require(e->is_server || *e->address == '\0');
	require(is_printable(e->address) && is_printable(e->address_v6));
	require(strchr(e->address, ' ') == NULL && e->available >= 0);
}

/* What a client's entry says is what it says when written again. */
static void
check_again(const struct dmsg_entry *e)
{
	static const uint8_t sig[KEY_SIGNATURE_LEN] = { 1 };
	struct dmsg_entry back;
	struct buf b;

	buf_init(&b, 64 * 1024);
	require(dmsg_put_entry(&b, e, sig) == 0);
	require(dmsg_get_entry(&b, &back) == 0);
	require(memcmp(&back.pk, &e->pk, sizeof(e->pk)) == 0);
	require(back.is_client && !back.is_server);
	require(back.sequence == e->sequence);
	require(back.timestamp == e->timestamp);
	require(back.ndelegated == e->ndelegated);
	require(memcmp(back.delegated, e->delegated,
		    e->ndelegated * sizeof(e->delegated[0])) == 0);
	buf_free(&b);
}

static void
try_entry(const struct buf *json)
{
	struct dmsg_entry e;

	if (dmsg_get_entry(json, &e) != 0)
		return;
	check_entry(&e);
	check_again(&e);
}

struct list {
	size_t n, stop_at;
};

static int
take(void *arg, const struct dmsg_entry *e)
{
	struct list *l = arg;

	check_entry(e);
	require(*e->address != '\0');
	return ++l->n == l->stop_at ? SKY_ERR_DENIED : 0;
}

static void
try_servers(const struct buf *json)
{
	struct list l = { 0 };

	(void)dmsg_get_servers(json, take, &l);
	if (l.n == 0)
		return;
	l = (struct list){ .stop_at = (l.n + 1) / 2 };
	require(dmsg_get_servers(json, take, &l) == SKY_ERR_DENIED);
	require(l.n == l.stop_at);
}

static void
try_error(const struct buf *json)
{
	char message[64], cut[8];
	enum dmsg_error error;

	error = dmsg_get_error(json, message, sizeof(message));
	require(memchr(message, '\0', sizeof(message)) != NULL);
	require(is_printable(message));
	require(dmsg_get_error(json, cut, sizeof(cut)) == error);
	require(strncmp(cut, message, sizeof(cut) - 1) == 0);
	require(dmsg_get_error(json, NULL, 0) == error);
}

/* --- answers ---------------------------------------------------------- */

/* Given step bytes at a time. */
static int
read_answer(struct dmsg_answer *a, const struct buf *all, size_t step)
{
	struct buf from = *all, in;
	size_t n;
	int r = 0;

	dmsg_answer_init(a);
	buf_init(&in, buf_len(all) + 1);
	while (r == 0 && buf_len(&from) != 0) {
		n = buf_len(&from) < step ? buf_len(&from) : step;
		require(buf_put(&in, buf_ptr(&from), n) == 0);
		require(buf_skip(&from, n) == 0);
		r = dmsg_answer_read(a, &in, buf_len(&from) == 0);
	}
	require(buf_len(&a->body) <= DMSG_BODY_MAX);
	buf_free(&in);
	return r;
}

static void
try_answer(const struct buf *all)
{
	static const size_t steps[] = { 1, 2, 7 };
	struct dmsg_answer whole, other;
	int r = read_answer(&whole, all, SIZE_MAX);

	require(r != 1 || (whole.status >= 200 && whole.status <= 999));
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		require((read_answer(&other, all, steps[i]) == 1) == (r == 1));
		require(r != 1 || other.status == whole.status);
		require(r != 1 || buf_len(&other.body) == buf_len(&whole.body));
		require(r != 1 ||
		    memcmp(buf_ptr(&other.body), buf_ptr(&whole.body),
			buf_len(&whole.body)) == 0);
		dmsg_answer_free(&other);
	}
	dmsg_answer_free(&whole);
}

/* --- addresses and questions ------------------------------------------ */

/* No address makes a question anything but one question. */
static void
try_url(const char *text)
{
	struct http_head h;
	struct dmsg_url u;
	struct buf b, host;

	if (dmsg_disc_url(text, &u) != 0)
		return;
	require(u.port != 0);
	buf_init(&b, 4096);
	require(dmsg_disc_available_servers(&b, &u) == 0);
	require(http_get_request(&b, &h) == 1);
	require(buf_len(&b) == 0);
	require(http_is(&h.method, "GET"));
	require(http_field(&h.fields, "Host", &host) == 1);
	require(http_is(&host, u.authority));
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf b;
	char *text;

	if (n < 1)
		return 0;
	buf_view(&b, data + 1, n - 1);
	switch (data[0] % 5) {
	case 0:
		try_entry(&b);
		break;
	case 1:
		try_servers(&b);
		break;
	case 2:
		try_error(&b);
		break;
	case 3:
		try_answer(&b);
		break;
	default:
		if ((text = strndup((const char *)data + 1, n - 1)) == NULL)
			abort();
		try_url(text);
		free(text);
	}
	return 0;
}
