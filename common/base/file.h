/* SPDX-License-Identifier: ISC */
/*
 * Files that change as a whole or not at all.  The new content goes to a file
 * that has no name, or none but a hidden one, and that nobody else can open;
 * it gets its name when it is complete and on the disk.
 */
#ifndef COMMON_BASE_FILE_H
#define COMMON_BASE_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/* A file on its way. */
struct file_new {
	int dir; /* its folder */
	int fd;	 /* write to this one: mode 0600, ours */
	char name[NAME_MAX + 1];
	char temp[NAME_MAX + 1]; /* "" while it has no name */
};

/*
 * Begins a file that is to be path.  Folders on the way may be links; what has
 * the name now is not looked at.  SKY_ERR_SYS; SKY_ERR_FORMAT for a path
 * without a file's name; SKY_ERR_DENIED if the folder belongs neither to root
 * nor to us: its owner could put another file in this one's place.
 */
int file_new_open(struct file_new *, const char *path);
/*
 * Takes over owner, group, mode, access control list and other attributes of
 * an open file.  SKY_ERR_SYS if one cannot be kept that decides who may read
 * it.
 */
int file_new_like(struct file_new *, int old);
/*
 * Ends it: the file is on the disk and has its name.  Without replace a file
 * that is there stays: SKY_ERR_SYS, EEXIST.  Whatever fails leaves nothing
 * behind.
 */
int file_new_commit(struct file_new *, bool replace);
/* Ends it without a trace; errno is kept. */
void file_new_drop(struct file_new *);

/*
 * Removes what processes that were killed between two steps have left of new
 * files for path.  Not while another one may be at it.
 */
void file_sweep(const char *path);
/* Whether there is any. */
bool file_left(const char *path);

/*
 * Keeps others who ask for the same lock away until the descriptor is closed.
 * It is on a file of mode 0600 beside path, ".NAME.lock", which stays: whoever
 * may read path itself could hold a lock on it for ever.  Where somebody else
 * has taken that name it is on path after all, and nobody can keep us away for
 * longer than ten seconds.  SKY_ERR_AGAIN after as long in vain,
 * SKY_ERR_FORMAT, or SKY_ERR_SYS.
 */
int file_lock(const char *path);

/* Whether standard output leads to path: a shell has emptied it then. */
bool file_is_stdout(const char *path);

/*
 * Makes the folders on the way to path that are missing.  -1 with errno.
 */
int file_make_folders(const char *path, mode_t mode);

#endif
