/* SPDX-License-Identifier: ISC */
/*
 * Requests to the monitor, one function an act, by the descriptor that leads
 * to it.  An answer repeats the id, which is the number of the channel that
 * asks: it comes to the function told of that one's service.  Of one channel
 * they come in the order of what was asked for, by type.  A monitor that takes
 * no more is gone: so is this process.
 */
#ifndef DAEMON_NET_NET_MON_H
#define DAEMON_NET_NET_MON_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/privsep/privmsg.h"
#include "common/pty/keys.h"
#include "common/pty/mux.h"
#include "common/pty/mux_forward.h"
#include "common/pty/rpc.h"
#include "daemon/net/net_channel.h"

/* A message of the peer's handshake, unread. */
void mon_handshake(int mon, struct buf *body);
/* A stream over dmsg: dmsg's word of the request, the first frame. */
void mon_kk_request(int mon, struct buf *body);
void mon_first_frame(int mon, struct buf *body);
/* SKY_ERR_LIMIT for a command that does not fit into a message. */
int mon_pty_start(struct channel *, struct rpc_command *,
    const struct mux_session *);
void mon_pty_stop(struct channel *, uint32_t handle);
/* SKY_ERR_LIMIT as above. */
int mon_exec_start(struct channel *, struct rpc_exec *, uint32_t timeout_ms,
    bool has_stdin, const struct mux_session *);
void mon_exec_end(int mon, uint32_t handle);
/* Who has asked for it is gone, and it need not be. */
void mon_exec_leave(int mon, uint32_t handle);
void mon_exec_signal(int mon, uint32_t handle, int number);
void mon_sftp_start(struct channel *);
/* As mon_exec_start(). */
int mon_job_run(struct channel *, struct rpc_exec *, uint32_t timeout_ms,
    bool has_stdin, const struct mux_session *);
void mon_job_door(struct channel *);
/* As mon_pty_start(), of the wishes' name. */
int mon_session_run(struct channel *, struct rpc_command *,
    const struct mux_session *);
void mon_session_door(struct channel *);
/* Whom the session is to run as; at most PRIV_USER_MAX bytes. */
void mon_user(int mon, struct buf *name);
void mon_bytes(int mon, uint32_t handle, uint64_t in, uint64_t out);
void mon_active(int mon, uint64_t in, uint64_t out);
void mon_conns(struct channel *, uint64_t after);
void mon_counts(struct channel *);
void mon_status(struct channel *);
void mon_kill(struct channel *, const struct mux_kill *);
void mon_dial(struct channel *, const struct key_public *, uint16_t port);
/* Where a place is, of at most PRIV_FORWARD_NAME bytes. */
void mon_forward_open(struct channel *, const struct mux_place *);
void mon_forward_listen(struct channel *, const struct mux_place *);
void mon_wl_list(struct channel *);
/* SKY_ERR_LIMIT for too many keys, SKY_ERR_KEY for one of another length. */
int mon_wl_change(struct channel *, bool add, struct gob_list *keys);
void mon_log(int mon, enum log_level, const char *, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * An answer whose channel has ended meanwhile: ends what was begun for it.  0
 * or SKY_ERR_*.
 */
int mon_undo(struct channel *, struct privmsg *);

/* PM_EXITED, as the monitor tells it. */
struct mon_exited {
	uint32_t handle;
	enum priv_exit how;
	uint32_t status;
};
int mon_get_exited(struct buf *, struct mon_exited *);

#endif
