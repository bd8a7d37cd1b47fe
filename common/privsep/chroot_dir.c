/* SPDX-License-Identifier: ISC */
/*
 * The empty directory that confined processes are locked into.  It is never
 * removed: connections outlive who made it.
 */
#include "common/privsep/chroot_dir.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/log.h"
#include "common/base/paths.h"

int
chroot_dir_make(void)
{
	struct stat st;

	if (mkdir(CHROOT_DIR, 0755) == -1 && errno != EEXIST) {
		log_error("%s: %s", CHROOT_DIR, strerror(errno));
		return -1;
	}
	if (lstat(CHROOT_DIR, &st) == -1 || !S_ISDIR(st.st_mode) ||
	    st.st_uid != 0 || (st.st_mode & 022) != 0) {
		log_error("%s: must be a directory of root's that "
			  "nobody else may write to",
		    CHROOT_DIR);
		return -1;
	}
	return 0;
}
