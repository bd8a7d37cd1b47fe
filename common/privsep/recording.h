/* SPDX-License-Identifier: ISC */
/*
 * What a monitor and its skypty-record have to agree about.  The recorder is
 * between two terminals, as script(1) is: the session's, whose master it has,
 * and another one, whose master the net has and whose slave is the recorder's.
 * Its first message is PM_WELCOME, its answer PM_RECORDING; there are no
 * others.
 */
#ifndef COMMON_PRIVSEP_RECORDING_H
#define COMMON_PRIVSEP_RECORDING_H

#include <stdbool.h>

#define RECORDING_PROGRAM "skypty-record"

/* Descriptors that it finds open. */
#define RECORDING_FD_USER    3 /* slave; who is there is beyond it */
#define RECORDING_FD_TERM    4 /* master of the session's terminal */
#define RECORDING_FD_FILE    5 /* only to append to */
#define RECORDING_FD_MONITOR 6
#define RECORDING_FD_COUNT   7

/* Its argument, if what is typed is to be recorded as well. */
#define RECORDING_INPUT "input"

/*
 * SIGTERM is the session's end: what its terminal holds is still passed on.
 * The exit status is 0, or errno of what made it impossible to go on.
 */

/*
 * Whether the file system of an open file has room for more.  The last
 * twentieth, or the last GiB where that is less, is not for recordings: whoever
 * is recorded decides how long they get.
 */
bool recording_has_room(int fd);

#endif
