/* SPDX-License-Identifier: ISC */
/* A process of ours that outlives the command it was made for. */
#ifndef CLIENT_DETACH_H
#define CLIENT_DETACH_H

#define DETACH_MAX 8

/*
 * For a new process: leaves the session, the folder and the descriptors of
 * whoever has forked it, for somebody may wait for their end, and minds neither
 * the terminal's signals nor a reader that has gone.  What the command was
 * called with is forgotten: no text of the arguments may be used any more.  Of
 * the descriptors these stay, -1 is none, and each is written back; no more
 * than DETACH_MAX.  name is what the system calls it.  Ends the process where
 * that fails.
 */
void detach(int **kept, int n, const char *name);

#endif
