/* SPDX-License-Identifier: ISC */
/* A call of a hub's. */
#include "client/forward/forward_call.h"
#include "client/complain.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/pty/mux.h"

#define ANSWER_MS 60000 /* the host may have to look a name up */

static int
call_send(int fd, const char *uri)
{
	struct buf b;
	int r;

	buf_init(&b, MUX_URI_MAX + 1);
	r = mux_put_request(&b, uri);
	/* So little that a socket which has got nothing else takes it. */
	if (r == 0 && buf_write(&b, fd) < 0)
		r = SKY_ERR_SYS;
	buf_free(&b);
	return r;
}

/* All that is said, or, of a yes that is kept, a line. */
static bool
call_is_whole(const struct buf *b, bool kept, bool eof)
{
	if (eof || !kept || buf_len(b) == 0 || *buf_ptr(b) != MUX_ACCEPT)
		return eof;
	return memchr(buf_ptr(b), '\n', buf_len(b)) != NULL;
}

static int
call_read(int fd, bool kept, struct buf *answer)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t deadline = now_ms() + ANSWER_MS, left;
	ssize_t r = 0;

	while (!call_is_whole(answer, kept, r == SKY_ERR_EOF)) {
		if ((left = deadline - now_ms()) <= 0)
			return SKY_ERR_AGAIN;
		if (poll(&p, 1, (int)left) == -1 && errno != EINTR)
			return SKY_ERR_SYS;
		r = buf_read(answer, fd, buf_room(answer));
		if (r < 0 && r != SKY_ERR_AGAIN && r != SKY_ERR_EOF)
			return (int)r;
	}
	return buf_len(answer) != 0 ? 0 : SKY_ERR_EOF;
}

const char *
forward_call(int fd, const char *uri, bool kept, char said[FORWARD_CALL_MAX])
{
	static char why[FORWARD_CALL_MAX * 4];
	struct buf answer;
	uint8_t ok = MUX_REJECT;
	size_t n;
	int r;

	buf_init(&answer, FORWARD_CALL_MAX - 1);
	if ((r = call_send(fd, uri)) == 0 &&
	    (r = call_read(fd, kept, &answer)) == 0)
		r = buf_get_u8(&answer, &ok);
	if (r != 0)
		strlcpy(why, "the shared connection does not answer",
		    sizeof(why));
	else if (ok != MUX_ACCEPT)
		strlcpy(why, complain_printable(&answer), sizeof(why));
	n = buf_len(&answer);
	(void)buf_get(&answer, said, n);
	said[n] = '\0';
	if (r == 0 && ok == MUX_ACCEPT && n != 0 && said[n - 1] == '\n')
		said[n - 1] = '\0';
	buf_free(&answer);
	return ok == MUX_ACCEPT ? NULL : why;
}
