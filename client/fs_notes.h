/* SPDX-License-Identifier: ISC */
/* What mounts there are, and which have gone. */
#ifndef CLIENT_FS_NOTES_H
#define CLIENT_FS_NOTES_H

/* What is listed of a mount; state "" is one that is there. */
void fs_note_write(const char *dir, const char *host, const char *state);
/* It has gone without being asked to. */
void fs_note_lost(const char *dir, const char *host, const char *why);
void fs_note_remove(const char *dir);
/* Prints folder, host and state of each, divided by tabs; an exit status. */
int fs_note_list(void);

#endif
