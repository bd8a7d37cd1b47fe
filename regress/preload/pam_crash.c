/* SPDX-License-Identifier: ISC */
/* A module of PAM that crashes where a session begins. */
#include <stdlib.h>

int pam_sm_open_session(void *, int, int, const char **);
int pam_sm_close_session(void *, int, int, const char **);

int
pam_sm_open_session(void *h, int flags, int n, const char **words)
{
	abort();
}

int
pam_sm_close_session(void *h, int flags, int n, const char **words)
{
	abort();
}
