/* SPDX-License-Identifier: ISC */
/*
 * What the attacks of hostile_net.c are made of: words with the monitor, the
 * genuine client's handshake, and the bodies of messages, well-formed and not.
 * What goes wrong in between ends the process with a line in the log.
 */
#ifndef REGRESS_SYS_HOSTILE_MADE_H
#define REGRESS_SYS_HOSTILE_MADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/privsep/privmsg.h"

#define BODY_MAX (PRIVMSG_MAX - PRIVMSG_HEAD_LEN)

__attribute__((noreturn, format(printf, 1, 2))) void
hostile_quit(const char *fmt, ...);
/* Quits unless that is 0. */
void hostile_must(int);

/* The file that a command would make that should not have been started. */
void hostile_marker(const char *path);

/* One packet as it is, with a descriptor if that is not -1. */
void hostile_send(const void *, size_t, int fd);
void hostile_ask(uint16_t type, struct buf *body);
/* Waits for a message of that type and drops others. */
void hostile_await(struct privmsg *, unsigned type);
/* The same, for an answer without an error text, and with one. */
void hostile_await_success(unsigned type);
void hostile_await_failure(unsigned type);

/* Carries the genuine client's to the monitor: whether that lets him in. */
bool hostile_handshake(void);

/* Bodies, which are appended. */
void made_exec_start(struct buf *);
void made_pty_start(struct buf *);
void made_pty_sleep(struct buf *);
void made_exec_sleep(struct buf *);
void made_handle_7(struct buf *);
void made_signal_term(struct buf *);
void made_signal_stop(struct buf *);
void made_signal_none(struct buf *);
void made_handle_0(struct buf *);
void made_handle_max(struct buf *);
void made_one_key(struct buf *);
void made_key_and_port(struct buf *);
void made_kill_key(struct buf *);
void made_kill_id(struct buf *);
void made_bytes_8(struct buf *);
void made_forward(struct buf *);
void made_forward_path(struct buf *);
void made_forward_kind(struct buf *);
void made_forward_trailing(struct buf *);
void made_forward_nul(struct buf *);
void made_listen(struct buf *);
void made_listen_beyond(struct buf *);
void made_listen_flags(struct buf *);
void made_kill_other(struct buf *);
void made_kill_trailing(struct buf *);
void made_keys_lie_by_one(struct buf *);
void made_keys_lie_by_much(struct buf *);
void made_keys_trailing(struct buf *);
void made_key_off_curve(struct buf *);
void made_log_line(struct buf *);
void made_log_level(struct buf *);
void made_log_nul(struct buf *);
void made_log_length(struct buf *);
void made_log_trailing(struct buf *);
void made_bytes_1(struct buf *);
void made_bytes_2(struct buf *);
void made_bytes_100(struct buf *);
void made_host_and_port(struct buf *);
void made_just_key(struct buf *);
void made_slot_and_key(struct buf *);
void made_entry(struct buf *);
void made_bytes_3(struct buf *);
void made_bytes_5(struct buf *);
void made_bytes_49(struct buf *);
void made_handshake_too_long(struct buf *);
void made_log_too_long(struct buf *);
void made_wl_too_long(struct buf *);
void made_whole_message(struct buf *);
void made_first_again(struct buf *);
void made_last_again(struct buf *);
void made_claim(struct buf *);
void made_claim_short(struct buf *);
void made_args_lie_by_one(struct buf *);
void made_args_lie_by_much(struct buf *);
void made_args_too_many(struct buf *);
void made_env_lies(struct buf *);
void made_string_lies(struct buf *);
void made_arg_too_long(struct buf *);
void made_name_nul(struct buf *);
void made_arg_nul(struct buf *);
void made_env_nul(struct buf *);
void made_exec_trailing(struct buf *);
void made_pty_trailing(struct buf *);
void made_session_run(struct buf *);
void made_session_bad_name(struct buf *);

#endif
