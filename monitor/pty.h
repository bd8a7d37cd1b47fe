/* SPDX-License-Identifier: ISC */
/* The connection's terminals and the shells behind them. */
#ifndef MONITOR_PTY_H
#define MONITOR_PTY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/types.h>

#include "common/pty/modes.h"
#include "monitor/half/request.h"
#include "monitor/job.h"
#include "monitor/recorder.h"
#include "monitor/session.h"

struct half;
struct monitor;

struct mon_terminal {
	struct job shell; /* without pid, as the recorder: a free slot */
	struct recorder recorder;
	bool stopping; /* PTY_STOP waits for the shell to be reaped */
	uint16_t stop_id;
};

#define PTY_NAME_MAX 64

/* What kind of terminal is wanted. */
struct pty_looks {
	uint8_t flags; /* enum priv_pty */
	struct winsize ws;
	uint8_t modes[MODES_LEN];
};

/* Of a request, behind the command.  SKY_ERR_*. */
int pty_read_looks(struct buf *, struct pty_looks *);
/* What the flags ask for. */
enum session_asked pty_asked(const struct pty_looks *);
/*
 * A master for the child to read and write, and a slave for the shell, whose
 * user can open it by its name as well, and say who may write to it.
 * SKY_ERR_SYS.
 */
int pty_open(int *master, int *slave, uid_t owner, const struct pty_looks *,
    char name[PTY_NAME_MAX]);

request_handler pty_start, pty_stop;
/* For the table: how many there are, with those whose recorder is left. */
unsigned pty_running(const struct half *);
/* One whose shell has not been reaped, or NULL. */
struct mon_terminal *pty_find(struct monitor *, uint32_t handle);
/* Whether one has a recorder that is not done yet. */
bool pty_recording(const struct monitor *);
/*
 * Zombies may be there; tells the child.  A terminal that was recorded does not
 * go on without that.
 */
void pty_reap(struct monitor *);
/* The connection ends, which is told in the log. */
void pty_leave(struct monitor *);

#endif
