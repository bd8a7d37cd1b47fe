/* SPDX-License-Identifier: ISC */
/*
 * Stands in for skyptyd-net: confines itself as that does and then does the
 * one thing that the file "act" beside it names.  "none" does only what the
 * filter allows; "real" becomes the real program, skyptyd-net.real.
 * Called with the argument "list" it prints every act.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/privmsg.h"
#include "daemon/sandbox.h"
#include "regress/sys/stand_in.h"

#define NOFILE	16
#define X32_BIT 0x40000000L
#define ACT_MAX 64

static char page[2 * 4096];
static int spare[2];

/* The start of a page that is ours to change. */
static void *
whole_page(void)
{
	return (void *)(((uintptr_t)page + 4095) & ~(uintptr_t)4095);
}

static long
act_connect(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };

	return syscall(SYS_connect, PRIV_FD_CONN, &sin, sizeof(sin));
}

static long
act_execve(void)
{
	char *argv[] = { NULL };

	return syscall(SYS_execve, "/bin/true", argv, argv);
}

static long
act_execveat(void)
{
	char *argv[] = { NULL };

	return syscall(SYS_execveat, spare[0], "", argv, argv, AT_EMPTY_PATH);
}

/* A child must not go on as if it were the parent. */
static long
forked(long pid)
{
	if (pid == 0)
		syscall(SYS_exit_group, 0);
	return pid;
}

#ifdef SYS_fork
static long
act_fork(void)
{
	return forked(syscall(SYS_fork));
}
#endif

static long
act_clone(void)
{
	return forked(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

/* A thread would share the filter, but it is a process all the same. */
static long
act_clone3(void)
{
	uint64_t args[8] = { [4] = SIGCHLD };

	return forked(syscall(SYS_clone3, args, sizeof(args)));
}

static long
act_mmap_exec(void)
{
	return syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long
act_mprotect_exec(void)
{
	return syscall(SYS_mprotect, whole_page(), 4096, PROT_READ | PROT_EXEC);
}

static long
act_pkey_mprotect_exec(void)
{
	return syscall(SYS_pkey_mprotect, whole_page(), 4096,
	    PROT_READ | PROT_EXEC, -1);
}

static long
act_tiocsti(void)
{
	return syscall(SYS_ioctl, 0, TIOCSTI, "x");
}

/* The kernel would drop the upper half, a careless filter not look at it. */
static long
act_ioctl_high_bits(void)
{
	struct winsize ws = { 0 };

	return syscall(SYS_ioctl, 0, 1UL << 32 | TIOCSWINSZ, &ws);
}

static long
act_io_uring(void)
{
	uint8_t params[120] = { 0 };

	return syscall(SYS_io_uring_setup, 4, params);
}

static long
act_openat2(void)
{
	uint64_t how[3] = { O_RDONLY };

	return syscall(SYS_openat2, AT_FDCWD, "/", how, sizeof(how));
}

static long
act_x32(void)
{
	return syscall(X32_BIT | SYS_close, -1);
}

#ifdef __x86_64__
/* i386's getpid: another architecture, where numbers mean something else. */
static long
act_int80(void)
{
	long r = 20;

	__asm__ volatile("int $0x80"
			 : "+a"(r)
			 :
			 : "memory", "r8", "r9", "r10", "r11");
	return r;
}
#endif

static long
act_setsockopt(void)
{
	int on = 1;

	return syscall(SYS_setsockopt, PRIV_FD_CONN, SOL_SOCKET, SO_KEEPALIVE,
	    &on, sizeof(on));
}

static long
act_sigaction(void)
{
	uint64_t action[4] = { 0 };

	return syscall(SYS_rt_sigaction, SIGSYS, action, NULL, 8);
}

/* What a child lives by; it must survive this. */
static long
act_none(void)
{
	struct winsize ws = { 0 };
	int unread;
	void *p;

	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || munmap(p, 4096) == -1)
		return -1;
	if (ioctl(0, TIOCSWINSZ, &ws) == -1 && errno != ENOTTY)
		return -1;
	if (ioctl(PRIV_FD_CONN, FIONREAD, &unread) == -1)
		return -1;
	return shutdown(PRIV_FD_CONN, SHUT_WR);
}

#define DIRECT(name, number, ...)                    \
	static long act_##name(void)                 \
	{                                            \
		return syscall(number, __VA_ARGS__); \
	}

/* clang-format off */
#ifdef SYS_open
DIRECT(open, SYS_open, "/", O_RDONLY)
#endif
DIRECT(openat, SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY)
DIRECT(stat, SYS_newfstatat, AT_FDCWD, "/", page, 0)
DIRECT(socket, SYS_socket, AF_INET, SOCK_STREAM, 0)
DIRECT(socketpair, SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, spare)
DIRECT(bind, SYS_bind, PRIV_FD_CONN, page, 16)
DIRECT(listen, SYS_listen, PRIV_FD_CONN, 1)
DIRECT(accept4, SYS_accept4, PRIV_FD_CONN, NULL, NULL, 0)
DIRECT(sendto, SYS_sendto, PRIV_FD_CONN, "x", 1, 0, NULL, 0)
DIRECT(ptrace, SYS_ptrace, 0, 0, 0, 0)
DIRECT(process_vm_readv, SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0)
DIRECT(kill, SYS_kill, 0, 0)
DIRECT(tgkill, SYS_tgkill, 1, 1, 0)
DIRECT(pidfd_open, SYS_pidfd_open, 1, 0)
DIRECT(pidfd_getfd, SYS_pidfd_getfd, 0, 0, 0)
DIRECT(ioctl_fionbio, SYS_ioctl, PRIV_FD_CONN, FIONBIO, page)
DIRECT(ioctl_tiocsctty, SYS_ioctl, 0, TIOCSCTTY, 0)
DIRECT(memfd_create, SYS_memfd_create, "x", 0)
DIRECT(dup, SYS_dup, PRIV_FD_CONN)
DIRECT(dup3, SYS_dup3, PRIV_FD_CONN, 9, 0)
DIRECT(fcntl, SYS_fcntl, PRIV_FD_CONN, F_DUPFD, 5)
DIRECT(pipe2, SYS_pipe2, spare, 0)
DIRECT(eventfd2, SYS_eventfd2, 0, 0)
DIRECT(epoll_create1, SYS_epoll_create1, 0)
DIRECT(inotify_init1, SYS_inotify_init1, 0)
DIRECT(prctl, SYS_prctl, 4, 1, 0, 0, 0)
DIRECT(seccomp, SYS_seccomp, 0, 0, NULL)
DIRECT(setuid, SYS_setuid, 0)
DIRECT(setgroups, SYS_setgroups, 0, NULL)
DIRECT(prlimit64, SYS_prlimit64, 0, 6, NULL, page)
DIRECT(unshare, SYS_unshare, 0x10000000)
DIRECT(setns, SYS_setns, PRIV_FD_CONN, 0)
DIRECT(mount, SYS_mount, "x", "/", "tmpfs", 0, NULL)
DIRECT(chroot, SYS_chroot, "/")
DIRECT(chdir, SYS_chdir, "..")
DIRECT(unlink, SYS_unlinkat, AT_FDCWD, "x", 0)
DIRECT(mkdir, SYS_mkdirat, AT_FDCWD, "x", 0755)
DIRECT(bpf, SYS_bpf, 0, page, 16)
DIRECT(keyctl, SYS_keyctl, 0, 0, 0)
DIRECT(userfaultfd, SYS_userfaultfd, 0)
DIRECT(perf_event_open, SYS_perf_event_open, page, 0, -1, -1, 0)
DIRECT(personality, SYS_personality, 0x0400000)
DIRECT(shmget, SYS_shmget, 0, 4096, 0600)
/* clang-format on */

static const struct {
	const char *name;
	long (*run)(void);
} acts[] = {
	{ "none", act_none },
#ifdef SYS_open
	{ "open", act_open },
#endif
#ifdef SYS_fork
	{ "fork", act_fork },
#endif
#ifdef __x86_64__
	{ "x32", act_x32 },
	{ "int80", act_int80 },
#endif
	{ "openat", act_openat },
	{ "openat2", act_openat2 },
	{ "stat", act_stat },
	{ "socket", act_socket },
	{ "socketpair", act_socketpair },
	{ "bind", act_bind },
	{ "listen", act_listen },
	{ "accept4", act_accept4 },
	{ "sendto", act_sendto },
	{ "connect", act_connect },
	{ "execve", act_execve },
	{ "execveat", act_execveat },
	{ "clone", act_clone },
	{ "clone3", act_clone3 },
	{ "ptrace", act_ptrace },
	{ "process_vm_readv", act_process_vm_readv },
	{ "kill", act_kill },
	{ "tgkill", act_tgkill },
	{ "pidfd_open", act_pidfd_open },
	{ "pidfd_getfd", act_pidfd_getfd },
	{ "mmap-exec", act_mmap_exec },
	{ "mprotect-exec", act_mprotect_exec },
	{ "pkey_mprotect-exec", act_pkey_mprotect_exec },
	{ "ioctl-tiocsti", act_tiocsti },
	{ "ioctl-tiocsctty", act_ioctl_tiocsctty },
	{ "ioctl-fionbio", act_ioctl_fionbio },
	{ "ioctl-high-bits", act_ioctl_high_bits },
	{ "io_uring_setup", act_io_uring },
	{ "memfd_create", act_memfd_create },
	{ "dup", act_dup },
	{ "dup3", act_dup3 },
	{ "fcntl", act_fcntl },
	{ "pipe2", act_pipe2 },
	{ "eventfd2", act_eventfd2 },
	{ "epoll_create1", act_epoll_create1 },
	{ "inotify_init1", act_inotify_init1 },
	{ "setsockopt", act_setsockopt },
	{ "rt_sigaction", act_sigaction },
	{ "prctl", act_prctl },
	{ "seccomp", act_seccomp },
	{ "setuid", act_setuid },
	{ "setgroups", act_setgroups },
	{ "prlimit64", act_prlimit64 },
	{ "unshare", act_unshare },
	{ "setns", act_setns },
	{ "mount", act_mount },
	{ "chroot", act_chroot },
	{ "chdir", act_chdir },
	{ "unlink", act_unlink },
	{ "mkdir", act_mkdir },
	{ "bpf", act_bpf },
	{ "keyctl", act_keyctl },
	{ "userfaultfd", act_userfaultfd },
	{ "perf_event_open", act_perf_event_open },
	{ "personality", act_personality },
	{ "shmget", act_shmget },
};

#define ACTS (sizeof(acts) / sizeof(acts[0]))

static void
probe(const char *name)
{
	char text[128];
	long r;

	for (size_t i = 0; i < ACTS; i++) {
		if (strcmp(acts[i].name, name) != 0)
			continue;
		snprintf(text, sizeof(text), "probe: attempting %s", name);
		stand_in_log(text);
		errno = 0;
		r = acts[i].run();
		snprintf(text, sizeof(text), "probe: survived %s: %ld %s", name,
		    r, strerror(errno));
		stand_in_log(text);
		_exit(0);
	}
	stand_in_log("probe: no such act");
	_exit(1);
}

int
main(int argc, char **argv)
{
	char act[ACT_MAX];

	if (argc > 1 && strcmp(argv[1], "list") == 0) {
		for (size_t i = 0; i < ACTS; i++)
			puts(acts[i].name);
		return 0;
	}
	if (!stand_in_order("act", act, sizeof(act)))
		return 1;
	if (strcmp(act, "real") == 0)
		stand_in_step_aside();
	if ((spare[0] = open("/bin/true", O_RDONLY)) == -1)
		return 1;
	if (!stand_in_confine(NOFILE, NULL))
		return 1;
	probe(act);
}
