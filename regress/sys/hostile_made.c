/* SPDX-License-Identifier: ISC */
/* The making of what hostile_net.c sends: messages and connections. */
#include "regress/sys/hostile_made.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "common/pty/keys.h"
#include "common/pty/noise.h"
#include "regress/sys/stand_in.h"

static char marker[PATH_MAX];
/* The genuine client's handshake messages. */
static struct buf first, last;

/* --- the monitor --- */

void
hostile_marker(const char *path)
{
	snprintf(marker, sizeof(marker), "%s", path);
}

__attribute__((noreturn, format(printf, 1, 2))) void
hostile_quit(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	stand_in_log(text);
	_exit(0);
}

void
hostile_must(int r)
{
	if (r != 0)
		hostile_quit("hostile: %s", err_text(r));
}

void
hostile_send(const void *data, size_t n, int fd)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data,
		.iov_len = n };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} ctl = { 0 };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cm;

	if (fd != -1) {
		mh.msg_control = &ctl;
		mh.msg_controllen = sizeof(ctl);
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	}
	if (sendmsg(PRIV_FD_PEER, &mh, MSG_NOSIGNAL) == -1)
		hostile_quit("hostile: sendmsg: %s", strerror(errno));
}

void
hostile_ask(uint16_t type, struct buf *body)
{
	if (privmsg_send(PRIV_FD_PEER, type, 0, body, NULL, 0) != 0)
		hostile_quit("hostile: request %u cannot be sent", type);
}

void
hostile_await(struct privmsg *m, unsigned type)
{
	do
		if (privmsg_recv(PRIV_FD_PEER, m, true) != 1)
			hostile_quit("hostile: no answer %u", type);
	while (m->type != type);
}

void
hostile_await_success(unsigned type)
{
	struct privmsg m = { 0 };
	char *text;

	hostile_await(&m, type);
	hostile_must(buf_get_cstring(&m.body, &text, PRIVMSG_TEXT_MAX));
	if (*text != '\0')
		hostile_quit("hostile: request %u failed: %s", type - 1, text);
	free(text);
	privmsg_free(&m);
}

void
hostile_await_failure(unsigned type)
{
	struct privmsg m = { 0 };
	char *text;

	hostile_await(&m, type);
	hostile_must(buf_get_cstring(&m.body, &text, PRIVMSG_TEXT_MAX));
	if (*text == '\0')
		hostile_quit("hostile: request %u was granted", type - 1);
	free(text);
	privmsg_free(&m);
}

/* --- payloads --- */

static void
put_strings(struct buf *b, const char *const *s)
{
	uint32_t n = 0;

	while (s[n] != NULL)
		n++;
	hostile_must(buf_put_u32(b, n));
	for (; *s != NULL; s++)
		hostile_must(buf_put_cstring(b, *s));
}

/* A command that would leave its mark. */
static void
put_command(struct buf *b)
{
	const char *const argv[] = { marker, NULL }, *const none[] = { NULL };

	hostile_must(buf_put_cstring(b, "/bin/touch"));
	put_strings(b, argv);
	put_strings(b, none);
}

static void
put_exec_end_of(struct buf *b)
{
	hostile_must(buf_put_u32(b, 5000)); /* milliseconds */
	hostile_must(buf_put_u8(b, 0));	    /* no stdin */
}

void
made_exec_start(struct buf *b)
{
	put_command(b);
	put_exec_end_of(b);
}

static void
put_size(struct buf *b)
{
	hostile_must(buf_put_u8(b, 1));
	hostile_must(buf_put_u64(b, 0x0018005000000000));
}

void
made_pty_start(struct buf *b)
{
	put_command(b);
	put_size(b);
}

/* One that stays, and can be told from those of other tests. */
static void
put_sleep(struct buf *b)
{
	const char *const argv[] = { "-c", "while :; do sleep 60; done", marker,
		NULL };
	const char *const none[] = { NULL };

	hostile_must(buf_put_cstring(b, "/bin/sh"));
	put_strings(b, argv);
	put_strings(b, none);
}

void
made_pty_sleep(struct buf *b)
{
	put_sleep(b);
	put_size(b);
}

void
made_exec_sleep(struct buf *b)
{
	put_sleep(b);
	put_exec_end_of(b);
}

void
made_handle_7(struct buf *b)
{
	hostile_must(buf_put_u32(b, 7));
}

void
made_signal_term(struct buf *b)
{
	hostile_must(buf_put_u32(b, 7));
	hostile_must(buf_put_u8(b, SIGTERM));
}

/* To a command that runs, but not one that may be sent. */
void
made_signal_stop(struct buf *b)
{
	hostile_must(buf_put_u32(b, 1));
	hostile_must(buf_put_u8(b, SIGSTOP));
}

void
made_signal_none(struct buf *b)
{
	hostile_must(buf_put_u32(b, 1));
	hostile_must(buf_put_u8(b, 0));
}

void
made_handle_0(struct buf *b)
{
	hostile_must(buf_put_u32(b, 0));
}

void
made_handle_max(struct buf *b)
{
	hostile_must(buf_put_u32(b, UINT32_MAX));
}

/* The group's generator: a valid point that nobody is. */
static void
put_generator(struct buf *b)
{
	static const uint8_t g[KEY_PUBLIC_LEN] = { 0x02, 0x79, 0xbe, 0x66, 0x7e,
		0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87,
		0x0b, 0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9,
		0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98 };

	hostile_must(buf_put(b, g, sizeof(g)));
}

void
made_one_key(struct buf *b)
{
	hostile_must(buf_put_u32(b, 1));
	put_generator(b);
}

void
made_key_and_port(struct buf *b)
{
	put_generator(b);
	hostile_must(buf_put_u16(b, 22));
}

void
made_kill_key(struct buf *b)
{
	hostile_must(buf_put_u8(b, PRIV_KILL_KEY));
	put_generator(b);
}

void
made_kill_id(struct buf *b)
{
	hostile_must(buf_put_u8(b, PRIV_KILL_ID));
	hostile_must(buf_put_u64(b, 0));
}

void
made_bytes_8(struct buf *b)
{
	hostile_must(buf_put_u64(b, 0));
}

static void
put_place(struct buf *b, uint8_t kind, const char *name, uint16_t port)
{
	hostile_must(buf_put_u8(b, kind));
	hostile_must(buf_put_cstring(b, name));
	hostile_must(buf_put_u16(b, port));
}

void
made_forward(struct buf *b)
{
	put_place(b, PRIV_FORWARD_TCP, "127.0.0.1", 22);
}

void
made_forward_path(struct buf *b)
{
	put_place(b, PRIV_FORWARD_UNIX, "/run/docker.sock", 0);
}

void
made_forward_kind(struct buf *b)
{
	put_place(b, PRIV_FORWARD_UNIX + 1, "127.0.0.1", 22);
}

void
made_forward_trailing(struct buf *b)
{
	made_forward(b);
	hostile_must(buf_put_u8(b, 0));
}

void
made_forward_nul(struct buf *b)
{
	hostile_must(buf_put_u8(b, PRIV_FORWARD_TCP));
	hostile_must(buf_put_string(b, "a\0b", 3));
	hostile_must(buf_put_u16(b, 22));
}

void
made_listen(struct buf *b)
{
	put_place(b, PRIV_FORWARD_TCP, "localhost", 0);
	hostile_must(buf_put_u8(b, 0));
}

void
made_listen_beyond(struct buf *b)
{
	put_place(b, PRIV_FORWARD_TCP, "", 8080);
	hostile_must(buf_put_u8(b, 0));
}

void
made_listen_flags(struct buf *b)
{
	put_place(b, PRIV_FORWARD_TCP, "localhost", 8080);
	hostile_must(buf_put_u8(b, PRIV_LISTEN_UNLINK << 1));
}

void
made_kill_other(struct buf *b)
{
	hostile_must(buf_put_u8(b, 2));
	hostile_must(buf_put_u64(b, 0));
}

void
made_kill_trailing(struct buf *b)
{
	made_kill_id(b);
	hostile_must(buf_put_u8(b, 0));
}

void
made_keys_lie_by_one(struct buf *b)
{
	hostile_must(buf_put_u32(b, 2));
	put_generator(b);
}

void
made_keys_lie_by_much(struct buf *b)
{
	hostile_must(buf_put_u32(b, UINT32_MAX));
	put_generator(b);
}

void
made_keys_trailing(struct buf *b)
{
	made_one_key(b);
	hostile_must(buf_put_u8(b, 0));
}

void
made_key_off_curve(struct buf *b)
{
	static const uint8_t bad[KEY_PUBLIC_LEN] = { 0x02, 0 };

	hostile_must(buf_put_u32(b, 1));
	hostile_must(buf_put(b, bad, sizeof(bad)));
}

void
made_log_line(struct buf *b)
{
	hostile_must(buf_put_u8(b, LOG_LEVEL_INFO));
	hostile_must(buf_put_cstring(b, "a line"));
}

void
made_log_level(struct buf *b)
{
	hostile_must(buf_put_u8(b, 200));
	hostile_must(buf_put_cstring(b, "a line"));
}

void
made_log_nul(struct buf *b)
{
	hostile_must(buf_put_u8(b, LOG_LEVEL_INFO));
	hostile_must(buf_put_string(b, "a\0b", 3));
}

void
made_log_length(struct buf *b)
{
	hostile_must(buf_put_u8(b, LOG_LEVEL_INFO));
	hostile_must(buf_put_u32(b, UINT32_MAX));
	hostile_must(buf_put(b, "a line", 6));
}

void
made_log_trailing(struct buf *b)
{
	made_log_line(b);
	hostile_must(buf_put_u8(b, 'x'));
}

static void
fill(struct buf *b, size_t n)
{
	uint8_t *p;

	hostile_must(buf_extend(b, n, &p));
	memset(p, 'x', n);
}

void
made_bytes_1(struct buf *b)
{
	fill(b, 1);
}

void
made_bytes_2(struct buf *b)
{
	fill(b, 2);
}

void
made_bytes_100(struct buf *b)
{
	fill(b, 100);
}

void
made_host_and_port(struct buf *b)
{
	hostile_must(buf_put_cstring(b, "127.0.0.1"));
	hostile_must(buf_put_u16(b, 22));
}

void
made_just_key(struct buf *b)
{
	put_generator(b);
}

void
made_slot_and_key(struct buf *b)
{
	hostile_must(buf_put_u8(b, 0));
	put_generator(b);
}

void
made_entry(struct buf *b)
{
	hostile_must(buf_put_u64(b, 1));
	hostile_must(buf_put_u64(b, 1));
	hostile_must(buf_put_u32(b, 0));
}

void
made_bytes_3(struct buf *b)
{
	fill(b, 3);
}

void
made_bytes_5(struct buf *b)
{
	fill(b, 5);
}

void
made_bytes_49(struct buf *b)
{
	fill(b, 49);
}

void
made_handshake_too_long(struct buf *b)
{
	fill(b, NOISE_MSG_MAX + 1);
}

void
made_log_too_long(struct buf *b)
{
	fill(b, 5 + PRIVMSG_TEXT_MAX + 1);
}

void
made_wl_too_long(struct buf *b)
{
	fill(b, 4 + PRIV_WL_MAX * KEY_PUBLIC_LEN + 1);
}

void
made_whole_message(struct buf *b)
{
	fill(b, BODY_MAX);
}

void
made_first_again(struct buf *b)
{
	hostile_must(buf_put(b, buf_ptr(&first), buf_len(&first)));
}

void
made_last_again(struct buf *b)
{
	hostile_must(buf_put(b, buf_ptr(&last), buf_len(&last)));
}

/* What the monitor would say of a peer that it has let in. */
void
made_claim(struct buf *b)
{
	hostile_must(buf_put_u8(b, PRIV_DONE));
	put_generator(b);
	hostile_must(buf_put_u32(b, PRIV_GRANT_PTY | PRIV_GRANT_EXEC));
	hostile_must(buf_put_u32(b, 0));
	fill(b, 64);
}

void
made_claim_short(struct buf *b)
{
	put_generator(b);
}

void
made_args_lie_by_one(struct buf *b)
{
	hostile_must(buf_put_cstring(b, "/bin/touch"));
	hostile_must(buf_put_u32(b, 2));
	hostile_must(buf_put_cstring(b, marker));
	hostile_must(buf_put_u32(b, 0));
	put_exec_end_of(b);
}

void
made_args_lie_by_much(struct buf *b)
{
	hostile_must(buf_put_cstring(b, "/bin/touch"));
	hostile_must(buf_put_u32(b, UINT32_MAX));
	hostile_must(buf_put_cstring(b, marker));
	hostile_must(buf_put_u32(b, 0));
	put_exec_end_of(b);
}

void
made_args_too_many(struct buf *b)
{
	hostile_must(buf_put_cstring(b, "/bin/touch"));
	hostile_must(buf_put_u32(b, PRIV_ARGS_MAX + 1));
	for (unsigned i = 0; i <= PRIV_ARGS_MAX; i++)
		hostile_must(buf_put_u32(b, 0));
	hostile_must(buf_put_u32(b, 0));
	put_exec_end_of(b);
}

void
made_env_lies(struct buf *b)
{
	hostile_must(buf_put_cstring(b, "/bin/touch"));
	hostile_must(buf_put_u32(b, 1));
	hostile_must(buf_put_cstring(b, marker));
	hostile_must(buf_put_u32(b, 0x40000000));
	put_exec_end_of(b);
}

void
made_string_lies(struct buf *b)
{
	hostile_must(buf_put_u32(b, 0xfffffffe));
	hostile_must(buf_put(b, "/bin/touch", 10));
	hostile_must(buf_put_u64(b, 0));
	put_exec_end_of(b);
}

void
made_arg_too_long(struct buf *b)
{
	hostile_must(buf_put_cstring(b, "/bin/touch"));
	hostile_must(buf_put_u32(b, 2));
	hostile_must(buf_put_cstring(b, marker));
	hostile_must(buf_put_u32(b, PRIV_ARG_MAX + 1));
	fill(b, PRIV_ARG_MAX + 1);
	hostile_must(buf_put_u32(b, 0));
	put_exec_end_of(b);
}

void
made_name_nul(struct buf *b)
{
	hostile_must(buf_put_string(b, "/bin/touch\0x", 12));
	hostile_must(buf_put_u32(b, 1));
	hostile_must(buf_put_cstring(b, marker));
	hostile_must(buf_put_u32(b, 0));
	put_exec_end_of(b);
}

void
made_arg_nul(struct buf *b)
{
	hostile_must(buf_put_cstring(b, "/bin/touch"));
	hostile_must(buf_put_u32(b, 1));
	hostile_must(buf_put_string(b, marker, strlen(marker) + 1));
	hostile_must(buf_put_u32(b, 0));
	put_exec_end_of(b);
}

void
made_env_nul(struct buf *b)
{
	hostile_must(buf_put_cstring(b, "/bin/touch"));
	hostile_must(buf_put_u32(b, 1));
	hostile_must(buf_put_cstring(b, marker));
	hostile_must(buf_put_u32(b, 1));
	hostile_must(buf_put_string(b, "A=b\0c", 5));
	put_exec_end_of(b);
}

void
made_exec_trailing(struct buf *b)
{
	made_exec_start(b);
	hostile_must(buf_put_u8(b, 0));
}

void
made_session_run(struct buf *b)
{
	made_pty_start(b);
	hostile_must(buf_put_cstring(b, "work"));
}

void
made_session_bad_name(struct buf *b)
{
	made_pty_start(b);
	hostile_must(buf_put_cstring(b, "-work"));
}

void
made_pty_trailing(struct buf *b)
{
	made_pty_start(b);
	hostile_must(buf_put_u8(b, 0));
}

/* --- the genuine client's handshake --- */

static void
read_all(uint8_t *p, size_t n)
{
	ssize_t r;

	for (; n > 0; p += r, n -= (size_t)r)
		if ((r = read(PRIV_FD_CONN, p, n)) <= 0)
			hostile_quit("hostile: the client is gone");
}

static void
read_frame(struct buf *body)
{
	uint8_t head[2], data[NOISE_MSG_MAX];
	size_t n;

	read_all(head, sizeof(head));
	if ((n = (size_t)(head[0] << 8 | head[1])) > sizeof(data))
		hostile_quit("hostile: the client's frame is too long");
	read_all(data, n);
	buf_free(body);
	buf_init(body, NOISE_MSG_MAX);
	hostile_must(buf_put(body, data, n));
}

static void
write_frame(struct buf *body)
{
	uint8_t frame[2 + NOISE_MSG_MAX];
	size_t n = buf_len(body);

	frame[0] = (uint8_t)(n >> 8);
	frame[1] = (uint8_t)n;
	hostile_must(buf_get(body, frame + 2, n));
	if (write(PRIV_FD_CONN, frame, n + 2) != (ssize_t)(n + 2))
		hostile_quit("hostile: the client takes no frame");
}

/* A client's message up, the answer's kind back. */
static uint8_t
exchange(struct buf *frame, struct privmsg *m)
{
	struct buf copy;
	uint8_t what;

	buf_view(&copy, buf_ptr(frame), buf_len(frame));
	hostile_ask(PM_HANDSHAKE, &copy);
	hostile_await(m, PM_HANDSHAKE + 1);
	hostile_must(buf_get_u8(&m->body, &what));
	return what;
}

bool
hostile_handshake(void)
{
	struct privmsg m = { 0 };
	uint8_t what;

	read_frame(&first);
	if (exchange(&first, &m) != PRIV_FRAME)
		return false;
	write_frame(&m.body);
	read_frame(&last);
	what = exchange(&last, &m);
	privmsg_free(&m);
	return what == PRIV_DONE;
}
