/* SPDX-License-Identifier: ISC */
/*
 * The empty directory that confined processes are locked into.  It is never
 * removed: connections outlive who made it.
 */
#include "common/privsep/chroot_dir.h"

#include <errno.h>
#include <sys/stat.h>

#include "common/base/err.h"
#include "common/base/paths.h"

int
chroot_dir_make(void)
{
	struct stat st;

	if (mkdir(CHROOT_DIR, 0755) == -1 && errno != EEXIST)
		return SKY_ERR_SYS;
	if (lstat(CHROOT_DIR, &st) == -1)
		return SKY_ERR_SYS;
	return S_ISDIR(st.st_mode) && st.st_uid == 0 &&
		(st.st_mode & 022) == 0 ?
	    0 :
	    SKY_ERR_DENIED;
}

const char *
chroot_dir_text(int r)
{
	return r == SKY_ERR_DENIED ? "must be a directory of root's that "
				     "nobody else may write to" :
				     err_text(r);
}
