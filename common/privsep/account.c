/* SPDX-License-Identifier: ISC */
/* Whom confined processes run as. */
#include "common/privsep/account.h"

#include <pwd.h>
#include <unistd.h>

#include "common/base/err.h"

int
account_find(const char *name, bool *drop, uid_t *uid, gid_t *gid)
{
	const struct passwd *pw;

	*uid = getuid();
	*gid = getgid();
	if (!(*drop = geteuid() == 0))
		return 0;
	if ((pw = getpwnam(name)) == NULL)
		return SKY_ERR_NOTFOUND;
	if (pw->pw_uid == 0 || pw->pw_gid == 0)
		return SKY_ERR_DENIED;
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return 0;
}
