/* SPDX-License-Identifier: ISC */
/* Where things are on this system, as make was told (places.h is made). */
#ifndef COMMON_BASE_PATHS_H
#define COMMON_BASE_PATHS_H

#include "places.h" /* BINDIR LIBEXECDIR LOCALSTATEDIR RUNSTATEDIR ... */

/* The empty root of confined processes. */
#define CHROOT_DIR RUNSTATEDIR "/skypty"
/* The control socket of a host that is a service. */
#define SYSTEM_SOCKET RUNSTATEDIR "/skyptyd/pty.sock"

#endif
