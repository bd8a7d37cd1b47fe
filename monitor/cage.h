/* SPDX-License-Identifier: ISC */
/* A folder that is an SFTP server's whole world: sftp-root=. */
#ifndef MONITOR_CAGE_H
#define MONITOR_CAGE_H

#include <stdbool.h>
#include <stddef.h>

struct cage {
	const char *root;
	bool readonly;
	int ours, theirs; /* to the process that closes it; -1 is none */
};

/*
 * Looks at the folder, by sshd's rules for ChrootDirectory: it and each one on
 * the way to it is root's, and nobody else may write to it.  0, or -1 with the
 * reason in why.
 */
int
cage_begin(struct cage *, const char *root, bool readonly, char *why, size_t);
/* In the new process, as root, before it becomes anybody.  -1 and errno. */
int cage_build(const struct cage *);
/*
 * Part of it: from here on no file gets a set-user-ID or set-group-ID bit of
 * this process or what it executes.  -1 and errno.
 */
int cage_filter(void);
/*
 * After that, of who is still root: leaves no capability but those by which
 * modes and owners of files do not bind root.  -1 and errno.
 */
int cage_forgo(void);
/*
 * Once the server has been executed: waits until it can do without the rest of
 * the machine, and takes that away.  server is the other end of its input and
 * output, which nobody has had yet.  0, or -1 with the reason: then the server
 * must not be talked to, and has to go.
 */
int cage_close(struct cage *, int server, char *why, size_t);
void cage_free(struct cage *);

#endif
