/* SPDX-License-Identifier: ISC */
/*
 * What a keeper reads, by the first byte: an entry, whether from a file or a
 * host; requests; and a client that looks at a job whose output is made of what
 * the user may have written into the file.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "daemon/keeper/keeper_peer.h"

#define PEER_TURNS 64
#define OUT_MOST   (256U * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

/* What was read and is written again is the same. */
static void
try_entry(const uint8_t *p, size_t n)
{
	struct buf in, out;
	struct job_entry e;

	buf_view(&in, p, n);
	if (jobmsg_get_entry(&in, &e) != 0)
		return;
	buf_init(&out, JOB_ENTRY_MAX);
	require(jobmsg_put_entry(&out, &e) == 0);
	require(buf_len(&out) == n && memcmp(buf_ptr(&out), p, n) == 0);
	buf_free(&out);
}

static void
try_requests(const uint8_t *p, size_t n)
{
	struct job_attach a;
	char id[JOB_ID_HEX];
	struct buf in;
	int number;

	buf_view(&in, p, n);
	if (jobmsg_get_attach(&in, &a) == 0)
		require(jobmsg_is_id(a.id));
	buf_view(&in, p, n);
	if (jobmsg_get_kill(&in, id, &number) == 0)
		require(jobmsg_is_id(id) && number > 0);
	buf_view(&in, p, n);
	if (jobmsg_get_forget(&in, id) == 0)
		require(jobmsg_is_id(id));
}

/* --- a client, and files that may hold anything --- */

static const char *
no_signal(struct peer_job *j, int number)
{
	(void)j;
	require(number > 0);
	return number == 9 ? "not that one" : NULL;
}

/* Frames, and no more than there may be. */
static void
check_told(struct peer *p)
{
	struct buf payload;
	uint8_t tag;
	int r;

	require(buf_len(&p->out) <= OUT_MOST);
	while ((r = xs_get_frame(&p->out, XS_FRAME_MAX, &tag, &payload)) == 1)
		require(tag <= JOB_DONE);
	require(r == 0 && buf_len(&p->out) == 0);
}

/* how u8, length of the part u16, its start u16, the part, what is said. */
static void
try_peer(const uint8_t *p, size_t n)
{
	static int file = -1;
	struct peer_job j = { .signal = no_signal };
	struct peer peer;
	size_t len;
	int fd;

	if (n < 5)
		return;
	if (file == -1)
		require((file = memfd_create("part", MFD_CLOEXEC)) != -1);
	len = (size_t)p[1] << 8 | p[2];
	if (len > n - 5)
		len = n - 5;
	require(ftruncate(file, 0) == 0);
	require(pwrite(file, p + 5, len, 0) == (ssize_t)len);
	j.store.dir = j.store.lock = -1;
	j.store.nparts = 1;
	j.store.part[0] = (struct store_part){ .fd = file,
		.start = (uint64_t)p[3] << 8 | p[4],
		.len = len + (p[0] & 8 ? 7 : 0) };
	j.store.entry.state = p[0] % JOB_STATES;
	j.runs = p[0] & 16;
	j.drained = p[0] & 32;
	require((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) != -1);
	peer_init(&peer, fd);
	p += 5 + len;
	n -= 5 + len;
	if (buf_put(&peer.in, p, n < 4096 ? n : 4096) == 0)
		peer_hear(&peer, &j);
	for (int i = 0; i < PEER_TURNS; i++) {
		peer_tell(&peer, &j, now_ms() + (i > 60 ? 60000 : 0));
		check_told(&peer);
		if (peer.closing)
			break;
	}
	/* It cannot go on for ever with a file that does not grow. */
	require(peer.closing || !peer.more);
	peer_close(&peer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n == 0)
		return 0;
	switch (*p % 3) {
	case 0:
		try_entry(p + 1, n - 1);
		break;
	case 1:
		try_requests(p + 1, n - 1);
		break;
	default:
		try_peer(p + 1, n - 1);
	}
	return 0;
}
