/* SPDX-License-Identifier: ISC */
/* The empty directory that confined processes are locked into. */
#ifndef COMMON_PRIVSEP_CHROOT_DIR_H
#define COMMON_PRIVSEP_CHROOT_DIR_H

/* Makes CHROOT_DIR, of root's alone.  -1 with the reason logged. */
int chroot_dir_make(void);

#endif
