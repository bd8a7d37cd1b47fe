/* SPDX-License-Identifier: ISC */
/* Whom confined processes run as. */
#ifndef COMMON_PRIVSEP_ACCOUNT_H
#define COMMON_PRIVSEP_ACCOUNT_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * That account, if we are root, and drop is true then; else ourselves.
 * SKY_ERR_NOTFOUND; SKY_ERR_DENIED for root and for one of root's group.
 */
int account_find(const char *name, bool *drop, uid_t *, gid_t *);

#endif
