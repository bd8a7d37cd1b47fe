/* SPDX-License-Identifier: ISC */
/*
 * Requests to the monitor, one function an act, by the descriptor that leads
 * to it.  Its answers come to a service's function told.  A monitor that takes
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
#include "common/pty/rpc.h"

/* A message of the peer's handshake, unread. */
void mon_handshake(int mon, struct buf *body);
/* A stream over dmsg: dmsg's word of the request, the first frame. */
void mon_kk_request(int mon, struct buf *body);
void mon_first_frame(int mon, struct buf *body);
/* SKY_ERR_LIMIT for a command that does not fit into a message. */
int mon_pty_start(int mon, struct rpc_command *, const struct mux_session *);
void mon_pty_stop(int mon);
/* slot comes back with the answer.  SKY_ERR_LIMIT as above. */
int mon_exec_start(int mon, uint16_t slot, struct rpc_exec *,
    uint32_t timeout_ms, bool has_stdin, const struct mux_session *);
void mon_exec_end(int mon, uint32_t handle);
void mon_exec_signal(int mon, uint32_t handle, int number);
void mon_sftp_start(int mon);
/* As mon_exec_start(). */
int mon_job_run(int mon, struct rpc_exec *, uint32_t timeout_ms, bool has_stdin,
    const struct mux_session *);
void mon_job_door(int mon);
/* Whom the session is to run as; at most PRIV_USER_MAX bytes. */
void mon_user(int mon, struct buf *name);
void mon_bytes(int mon, uint32_t handle, uint64_t in, uint64_t out);
void mon_active(int mon, uint64_t in, uint64_t out);
void mon_conns(int mon, uint64_t after);
void mon_counts(int mon);
void mon_status(int mon);
void mon_kill(int mon, const struct mux_kill *);
void mon_dial(int mon, const struct key_public *, uint16_t port);
void mon_wl_list(int mon);
/* SKY_ERR_LIMIT for too many keys, SKY_ERR_KEY for one of another length. */
int mon_wl_change(int mon, bool add, struct gob_list *keys);
void mon_log(int mon, enum log_level, const char *, ...)
    __attribute__((format(printf, 3, 4)));

/* PM_EXITED, as the monitor tells it. */
struct mon_exited {
	uint32_t handle; /* PRIV_PTY_HANDLE for the pty */
	enum priv_exit how;
	uint32_t status;
};
int mon_get_exited(struct buf *, struct mon_exited *);

#endif
