/* SPDX-License-Identifier: ISC */
/* The empty directory that confined processes are locked into. */
#ifndef COMMON_PRIVSEP_CHROOT_DIR_H
#define COMMON_PRIVSEP_CHROOT_DIR_H

/* Makes CHROOT_DIR.  SKY_ERR_SYS; SKY_ERR_DENIED: it is not root's alone. */
int chroot_dir_make(void);
/* What was wrong: as err_text(), which see. */
const char *chroot_dir_text(int);

#endif
