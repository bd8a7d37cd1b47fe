/* SPDX-License-Identifier: ISC */
/* Where there is no PAM, whoever asks for it is refused. */
#include <stdio.h>

#include "common/base/err.h"
#include "monitor/pam_login.h"

int
pam_login_open(struct pam_login **l, const struct pam_wish *w, char *why,
    size_t len)
{
	*l = NULL;
	snprintf(why, len, "skyptyd was built without PAM");
	return SKY_ERR_DENIED;
}

int
pam_login_check(const struct pam_wish *w, char *why, size_t len)
{
	struct pam_login *l;

	return pam_login_open(&l, w, why, len);
}

const char *
pam_login_said(const struct pam_login *l)
{
	return "";
}

char **
pam_login_env(struct pam_login *l)
{
	return NULL;
}

void
pam_login_close(struct pam_login *l)
{
}
