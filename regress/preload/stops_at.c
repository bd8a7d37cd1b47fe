/* SPDX-License-Identifier: ISC */
/* For LD_PRELOAD: a program that stops behind its STOPS_AT-th fdatasync(2). */
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

int
fdatasync(int fd)
{
	static long calls;
	const char *plan = getenv("STOPS_AT");
	int (*real)(int), r;

	*(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
	r = real(fd);
	if (plan != NULL && ++calls == atol(plan))
		(void)raise(SIGSTOP);
	return r;
}
