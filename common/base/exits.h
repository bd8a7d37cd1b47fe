/* SPDX-License-Identifier: ISC */
/* Exit statuses of the daemons.  Source: sysexits.h. */
#ifndef COMMON_BASE_EXITS_H
#define COMMON_BASE_EXITS_H

#define EXIT_USAGE  64 /* EX_USAGE */
#define EXIT_OS	    71 /* EX_OSERR */
#define EXIT_CONFIG 78 /* EX_CONFIG */

#endif
