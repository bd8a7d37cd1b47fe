/* SPDX-License-Identifier: ISC */
/* skypty fs: mounts. */
#ifndef CLIENT_FS_H
#define CLIENT_FS_H

#include <stdbool.h>

/* Whether a FUSE file system is mounted on the folder; it is not touched. */
bool fs_is_mounted(const char *dir);

#endif
