/* SPDX-License-Identifier: ISC */
/* A kernel with less of Landlock; see the header. */
#include "regress/sys/less_landlock.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARGS	    6
#define ASK_VERSION 1L
#define PRETENDED   2 /* of a kernel that has nothing */

static int most = INT_MAX;

void
less_landlock(int abi)
{
	most = abi;
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

long
__wrap_syscall(long number, ...)
{
	long a[ARGS], r;
	va_list ap;

	va_start(ap, number);
	for (size_t i = 0; i < ARGS; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_landlock_create_ruleset && a[2] == ASK_VERSION) {
		r = most == 0 ? PRETENDED :
				__real_syscall(number, a[0], a[1], a[2]);
		return r > most && most != 0 ? most : r;
	}
	if (number == SYS_landlock_create_ruleset && most == 0)
		return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	if (number == SYS_landlock_restrict_self && most == 0)
		return 0;
	return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
