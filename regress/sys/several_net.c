/* SPDX-License-Identifier: ISC */
/*
 * Stands in for skyptyd-net and has its monitor start several things at once
 * for one genuine client: words of the file "act", of each kind a number, as in
 * "terminal 3 command 2 server 1 job 1 door 1".  What terminals, commands and
 * jobs run is the script in the file "script", a line, which is given its
 * number.  The log is told of each what became of it; then the client's end is
 * waited for, while all is kept open.
 */
#include <sys/socket.h>
#include <sys/time.h>

#include "regress/sys/hostile_made.h"
#include "regress/sys/stand_in.h"

#define NOFILE	 256
#define ORDER	 256
#define PATIENCE 30 /* seconds until the monitor has answered */

static char script[ORDER];
static unsigned number;

static void
put_words(struct buf *b)
{
	char mine[16];

	snprintf(mine, sizeof(mine), "%u", ++number);
	hostile_must(buf_put_cstring(b, "/bin/sh"));
	hostile_must(buf_put_u32(b, 3));
	hostile_must(buf_put_cstring(b, "-c"));
	hostile_must(buf_put_cstring(b, script));
	hostile_must(buf_put_cstring(b, mine));
	hostile_must(buf_put_u32(b, 0));
}

static void
put_terminal(struct buf *b)
{
	put_words(b);
	hostile_must(buf_put_u8(b, PRIV_PTY_SIZE));
	hostile_must(buf_put_u64(b, 0x0018005000000000));
}

static void
put_command(struct buf *b)
{
	put_words(b);
	hostile_must(buf_put_u32(b, 0));
	hostile_must(buf_put_u8(b, 0));
}

static const struct {
	const char *name;
	uint16_t type;
	void (*put)(struct buf *);
} kinds[] = {
	{ "terminal", PM_PTY_START, put_terminal },
	{ "command", PM_EXEC_START, put_command },
	{ "server", PM_SFTP_START, NULL },
	{ "job", PM_JOB_RUN, put_command },
	{ "door", PM_JOB_DOOR, NULL },
};

static void
tell(const char *kind, const struct buf *why, uint32_t handle)
{
	char text[2 * ORDER];

	if (buf_len(why) == 0)
		snprintf(text, sizeof(text), "several: %s %u, handle %u", kind,
		    number, handle);
	else
		snprintf(text, sizeof(text), "several: no %s: %.*s", kind,
		    (int)buf_len(why), (const char *)buf_ptr(why));
	stand_in_log(text);
}

/* Its descriptors stay open, and so the message is not freed. */
static void
start(size_t kind)
{
	struct privmsg m = { 0 };
	struct buf b, why;
	uint32_t handle = 0;

	buf_init(&b, BODY_MAX);
	if (kinds[kind].put != NULL)
		kinds[kind].put(&b);
	hostile_ask(kinds[kind].type, &b);
	buf_free(&b);
	hostile_await(&m, kinds[kind].type + 1U);
	hostile_must(buf_get_string(&m.body, &why));
	if (buf_len(&why) == 0)
		hostile_must(buf_get_u32(&m.body, &handle));
	tell(kinds[kind].name, &why, handle);
}

static void
start_all(char *order)
{
	char *rest = order, *word, *times;

	while ((word = strsep(&rest, " ")) != NULL) {
		if ((times = strsep(&rest, " ")) == NULL)
			hostile_quit("several: bad order");
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			for (int i = 0; strcmp(word, kinds[k].name) == 0 &&
			     i < atoi(times);
			     i++)
				start(k);
	}
	stand_in_log("several: all");
}

int
main(void)
{
	struct timeval tv = { .tv_sec = PATIENCE }, ever = { 0 };
	char act[ORDER], byte;

	if (!stand_in_order("act", act, sizeof(act)) ||
	    !stand_in_order("script", script, sizeof(script)))
		return 1;
	if (strcmp(act, "real") == 0)
		stand_in_step_aside();
	fcntl(PRIV_FD_CONN, F_SETFL, 0);
	setsockopt(PRIV_FD_CONN, SOL_SOCKET, SO_RCVTIMEO, &ever, sizeof(ever));
	setsockopt(PRIV_FD_PEER, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (!stand_in_confine(NOFILE, NULL))
		return 1;
	if (!hostile_handshake())
		hostile_quit("several: the client is not let in");
	start_all(act);
	while (read(PRIV_FD_CONN, &byte, 1) > 0)
		;
	return 0;
}
