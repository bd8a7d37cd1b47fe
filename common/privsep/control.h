/* SPDX-License-Identifier: ISC */
/*
 * Where the control socket is when nobody says so.  In a folder like /tmp
 * whoever is first takes the name, so that is the last place: root's daemon
 * has it in a folder of root's, a user's in the one that is his for the time
 * that he is logged in, if there is one.
 */
#ifndef COMMON_PRIVSEP_CONTROL_H
#define COMMON_PRIVSEP_CONTROL_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#define CONTROL_PATH_MAX 108 /* what an address holds */

/*
 * The folder that is ours for the time that we are logged in; false if there is
 * none that nobody else may write to.
 */
bool control_runtime(char path[CONTROL_PATH_MAX]);
/* The place for a daemon that runs as we do. */
void control_default(char path[CONTROL_PATH_MAX]);
/*
 * Makes the folder of that place, if path is it and it is missing.  -1 with
 * errno.
 */
int control_make_folder(const char *path);
/*
 * Connects to the first place where root or we serve: root's daemon, our own,
 * /tmp/pty.sock.  flags: 0 or SOCK_NONBLOCK.  -1 with errno, EPERM where
 * somebody else does; path is the place that is meant.
 */
int control_connect(int flags, char path[CONTROL_PATH_MAX]);
/* The same at one place. */
int control_connect_to(const char *path, int flags);
/*
 * Whether who is at the other end may use the control socket: root, who we
 * are, or a process with this group among its own, as the kernel knew it when
 * it connected; (gid_t)-1 is no group.  Who it is is told either way, pid 0 and
 * (uid_t)-1 where the kernel does not.
 */
bool control_may_call(int fd, gid_t group, struct ucred *who);

#endif
