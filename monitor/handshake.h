/* SPDX-License-Identifier: ISC */
/* Who the peer is, from cryptography alone. */
#ifndef MONITOR_HANDSHAKE_H
#define MONITOR_HANDSHAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/privsep/privmsg.h"
#include "common/pty/noise.h"
#include "monitor/half/request.h"

struct monitor;

/* Waits for the first message of XK.  SKY_ERR_*. */
int handshake_begin(struct monitor *);
request_handler handshake_frame;
/* Wipes what only a handshake needs. */
void handshake_end(struct monitor *);

/* For streams of dmsg, too: */
/*
 * Tells skyptyd that the peer is to say something now: what passed until then
 * was our own time.
 */
void handshake_turn(const struct monitor *);
int handshake_refuse(struct monitor *, struct privmsg *);
/* The mux's refusal and why, under that key of NOISE_KEY_LEN bytes. */
int handshake_turn_away(struct monitor *, struct privmsg *, const uint8_t *send,
    const char *why);
/*
 * Whether the peer is listed and has room; told in the log.  What a listed one
 * may know of the reason is in why, static, else "".
 */
bool handshake_allowed(struct monitor *, const char **why);
/* From now on it is a session. */
void handshake_session(struct monitor *);
/* What code, the peer's key, grants and transport keys. */
int handshake_put_keys(struct buf *, const struct monitor *,
    enum priv_handshake, const struct noise_keys *);

#endif
