/* SPDX-License-Identifier: ISC */
/*
 * Stands in for skyptyd-net, skyptyd-dmsg, skyptyd-http or, by its name, for
 * skyptyd-connect: confines itself as that does and then does the one thing
 * that the file "act" beside it names.
 * "none" does only what the filter allows; "real" becomes the real program,
 * skyptyd-net.real.
 *	probe_net list PROGRAM		prints what must be fatal to it
 *	probe_net PROGRAM ACT ABI	acts with that program's filter, and
 *					with no more of Landlock than that ABI
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/base/connector.h"
#include "common/privsep/privmsg.h"
#include "common/privsep/sandbox.h"
#include "regress/sys/stand_in.h"

/* arm's names for what it has of these. */
#ifndef SYS_mmap
#define SYS_mmap SYS_mmap2
#endif
#ifndef SYS_newfstatat
#define SYS_newfstatat SYS_fstatat64
#endif

#define NOFILE	16
#define X32_BIT 0x40000000L
#define ACT_MAX 64

static char page[2 * 4096];
static int spare[2];
static pid_t victim = 1; /* whom to signal */

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
#ifdef __LP64__
static long
act_ioctl_high_bits(void)
{
	struct winsize ws = { 0 };

	return syscall(SYS_ioctl, 0, 1UL << 32 | TIOCSWINSZ, &ws);
}
#endif

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

#ifdef __x86_64__
static long
act_x32(void)
{
	return syscall(X32_BIT | SYS_close, -1);
}

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

/* --- calls that are allowed, with what is not --- */

static struct sockaddr_in loopback = { .sin_family = AF_INET };

static long
send_message(int flags, bool named)
{
	struct iovec iov = { .iov_base = page, .iov_len = 1 };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (named) {
		mh.msg_name = &loopback;
		mh.msg_namelen = sizeof(loopback);
	}
	return syscall(SYS_sendmsg, PRIV_FD_CONN, &mh, flags);
}

static long
act_sendmsg_fastopen(void)
{
	return send_message(MSG_FASTOPEN | MSG_NOSIGNAL, true);
}

static long
act_sendmsg_oob(void)
{
	return send_message(MSG_OOB, false);
}

static long
act_sendmsg_zerocopy(void)
{
	return send_message(MSG_ZEROCOPY, false);
}

static long
act_sendmmsg(void)
{
	struct mmsghdr mh = { .msg_len = 0 };

	return syscall(SYS_sendmmsg, PRIV_FD_CONN, &mh, 1, 0);
}

static long
act_sendto_fastopen(void)
{
	return syscall(SYS_sendto, PRIV_FD_CONN, "x", 1, MSG_FASTOPEN,
	    &loopback, sizeof(loopback));
}

static long
act_sendto_named(void)
{
	return syscall(SYS_sendto, PRIV_FD_CONN, "x", 1, MSG_NOSIGNAL,
	    &loopback, sizeof(loopback));
}

static long
receive_message(int flags)
{
	struct msghdr mh = { .msg_iovlen = 0 };

	return syscall(SYS_recvmsg, PRIV_FD_CONN, &mh, flags | MSG_DONTWAIT);
}

static long
act_recvmsg_errqueue(void)
{
	return receive_message(MSG_ERRQUEUE);
}

static long
act_recvmsg_oob(void)
{
	return receive_message(MSG_OOB);
}

static long
map(int prot, int flags, int fd)
{
	return syscall(SYS_mmap, NULL, 4096, prot, flags, fd, 0);
}

static long
act_mmap_file(void)
{
	return map(PROT_READ, MAP_PRIVATE, spare[0]);
}

static long
act_mmap_shared(void)
{
	return map(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
}

static long
act_mmap_locked(void)
{
	return map(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1);
}

static long
act_mmap_growsdown(void)
{
	return map(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1);
}

static long
act_mmap_huge(void)
{
	return map(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
}

static long
act_fcntl_setown(void)
{
	return syscall(SYS_fcntl, PRIV_FD_CONN, F_SETOWN, victim);
}

static long
act_fcntl_setown_ex(void)
{
	struct f_owner_ex ex = { .type = F_OWNER_PID, .pid = victim };

	return syscall(SYS_fcntl, PRIV_FD_CONN, F_SETOWN_EX, &ex);
}

/* What a program lives by; it must survive this. */
static long
act_none(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct timespec ts;
	uint32_t word = 0;

	if (p == MAP_FAILED || mprotect(p, 4096, PROT_READ) == -1 ||
	    madvise(p, 4096, MADV_DONTNEED) == -1 ||
	    (p = mremap(p, 4096, 8192, MREMAP_MAYMOVE)) == MAP_FAILED ||
	    munmap(p, 8192) == -1 ||
	    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts) == -1)
		return -1;
	return syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* The same, what only some of them live by. */
static long
act_terminal(void)
{
	struct winsize ws = { 0 };

	return ioctl(0, TIOCSWINSZ, &ws) == -1 && errno != ENOTTY ? -1 : 0;
}

static long
act_unread(void)
{
	int unread;

	return ioctl(PRIV_FD_CONN, FIONREAD, &unread);
}

static long
act_shut_wr(void)
{
	return shutdown(PRIV_FD_CONN, SHUT_WR);
}

static long
act_nodelay(void)
{
	int on = 1;

	return syscall(SYS_setsockopt, PRIV_FD_CONN, IPPROTO_TCP, TCP_NODELAY,
	    &on, sizeof(on));
}

static long
act_poll(void)
{
	struct pollfd p = { .fd = PRIV_FD_CONN, .events = POLLOUT };

	return poll(&p, 1, 0);
}

static long
act_ppoll(void)
{
	struct pollfd p = { .fd = PRIV_FD_CONN, .events = POLLOUT };
	const struct timespec none = { 0 };

	return ppoll(&p, 1, &none, NULL);
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
DIRECT(openat_write, SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY)
DIRECT(openat_create, SYS_openat, AT_FDCWD, "/tmp/x", O_RDONLY | O_CREAT, 0600)
DIRECT(openat_path, SYS_openat, AT_FDCWD, "/", O_PATH)
DIRECT(socket_unix, SYS_socket, AF_UNIX, SOCK_STREAM, 0)
DIRECT(socket_raw, SYS_socket, AF_INET, SOCK_RAW, IPPROTO_RAW)
DIRECT(socket_mptcp, SYS_socket, AF_INET, SOCK_STREAM, 262)
DIRECT(socket_audit, SYS_socket, AF_NETLINK, SOCK_RAW, 9)
DIRECT(socket_alg, SYS_socket, 38, SOCK_SEQPACKET, 0)
DIRECT(tkill, SYS_tkill, 1, 0)
DIRECT(alarm, SYS_setitimer, 0, page, NULL)
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
DIRECT(fcntl_dupfd, SYS_fcntl, PRIV_FD_CONN, F_DUPFD_CLOEXEC, 5)
DIRECT(fcntl_getfl, SYS_fcntl, PRIV_FD_CONN, F_GETFL)
DIRECT(fcntl_nonblock, SYS_fcntl, PRIV_FD_CONN, F_SETFL, O_NONBLOCK)
DIRECT(fcntl_setsig, SYS_fcntl, PRIV_FD_CONN, F_SETSIG, SIGKILL)
DIRECT(fcntl_async, SYS_fcntl, PRIV_FD_CONN, F_SETFL, O_ASYNC | O_NONBLOCK)
DIRECT(fcntl_lease, SYS_fcntl, PRIV_FD_CONN, F_SETLEASE, F_RDLCK)
DIRECT(fcntl_lock, SYS_fcntl, PRIV_FD_CONN, F_SETLK, page)
DIRECT(ioctl_fioasync, SYS_ioctl, PRIV_FD_CONN, FIOASYNC, page)
DIRECT(ioctl_fiosetown, SYS_ioctl, PRIV_FD_CONN, FIOSETOWN, page)
DIRECT(ioctl_tiocspgrp, SYS_ioctl, 0, TIOCSPGRP, page)
DIRECT(shutdown_rd, SYS_shutdown, PRIV_FD_CONN, SHUT_RD)
DIRECT(shutdown_rdwr, SYS_shutdown, PRIV_FD_CONN, SHUT_RDWR)
DIRECT(accept, SYS_accept, PRIV_FD_CONN, NULL, NULL)
DIRECT(accept4_caller, SYS_accept4, PRIV_FD_CONN, NULL, NULL,
    SOCK_NONBLOCK | SOCK_CLOEXEC)
DIRECT(accept4_flags, SYS_accept4, PRIV_FD_CONN, NULL, NULL, 1)
DIRECT(recvfrom_oob, SYS_recvfrom, PRIV_FD_CONN, page, 1, MSG_OOB, NULL, NULL)
DIRECT(recvmmsg, SYS_recvmmsg, PRIV_FD_CONN, page, 0, 0, NULL)
DIRECT(sockopt_filter, SYS_setsockopt, PRIV_FD_CONN, SOL_SOCKET, SO_ATTACH_FILTER, page, 16)
DIRECT(sockopt_ulp, SYS_setsockopt, PRIV_FD_CONN, IPPROTO_TCP, TCP_ULP, "tls", 4)
DIRECT(sockopt_fastopen, SYS_setsockopt, PRIV_FD_CONN, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, page, 4)
DIRECT(sockopt_ip, SYS_setsockopt, PRIV_FD_CONN, IPPROTO_IP, 4, page, 40)
DIRECT(getsockopt_peer, SYS_getsockopt, PRIV_FD_CONN, SOL_SOCKET, SO_PEERCRED, page, page)
DIRECT(getsockopt_xt, SYS_getsockopt, PRIV_FD_CONN, IPPROTO_IP, 64, page, page)
DIRECT(getsockopt_info, SYS_getsockopt, PRIV_FD_CONN, IPPROTO_TCP, TCP_INFO, page, page)
DIRECT(getsockopt_error, SYS_getsockopt, PRIV_FD_CONN, SOL_SOCKET, SO_ERROR, page, page)
DIRECT(mremap_fixed, SYS_mremap, whole_page(), 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, whole_page())
DIRECT(madvise_hwpoison, SYS_madvise, whole_page(), 4096, MADV_HWPOISON)
DIRECT(madvise_merge, SYS_madvise, whole_page(), 4096, MADV_MERGEABLE)
DIRECT(madvise_willneed, SYS_madvise, whole_page(), 4096, MADV_WILLNEED)
DIRECT(futex_shared, SYS_futex, page, FUTEX_WAKE, 1, NULL, NULL, 0)
DIRECT(futex_lock_pi, SYS_futex, page, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0)
DIRECT(futex_requeue_pi, SYS_futex, page, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, 1, page + 4, 0)
DIRECT(futex_wake_op, SYS_futex, page, FUTEX_WAKE_OP_PRIVATE, 1, 1, page + 4, 0)
DIRECT(clock_of_parent, SYS_clock_gettime, (clockid_t)(~(unsigned)victim << 3 | 2), page)
DIRECT(getpid, SYS_getpid, 0)
DIRECT(getrandom, SYS_getrandom, page, 1, 0)
DIRECT(mlock, SYS_mlock, page, 1)
DIRECT(splice, SYS_splice, PRIV_FD_CONN, NULL, PRIV_FD_PEER, NULL, 1, 0)
DIRECT(pwritev2, SYS_pwritev2, PRIV_FD_CONN, NULL, 0, 0, 0, 0)
DIRECT(rt_sigqueueinfo, SYS_rt_sigqueueinfo, 0, 0, page)
DIRECT(pidfd_send_signal, SYS_pidfd_send_signal, 0, 0, NULL, 0)
DIRECT(timer_create, SYS_timer_create, 0, NULL, page)
DIRECT(landlock, SYS_landlock_add_rule, -1, 1, page, 0)
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
DIRECT(ftruncate, SYS_ftruncate, 5, 0)
DIRECT(fallocate, SYS_fallocate, 5, 3, 0, 4096)
DIRECT(lseek, SYS_lseek, 5, 0, 0)
DIRECT(pwrite64, SYS_pwrite64, 5, page, 1, 0)
DIRECT(fdatasync, SYS_fdatasync, 5)
/* clang-format on */

#define NET   (1U << SANDBOX_NET)
#define DMSG  (1U << SANDBOX_DMSG)
#define HTTP  (1U << SANDBOX_HTTP)
#define TLS   (1U << SANDBOX_TLS)
#define CON   (1U << SANDBOX_CONNECT)
#define AGENT (1U << SANDBOX_AGENT)
#define REC   (1U << SANDBOX_RECORD)
#define FWD   (1U << SANDBOX_FORWARD)
#define NAMES (1U << SANDBOX_NAMES)
#define ASK   (CON | NAMES)
#define ALL   (NET | DMSG | HTTP | TLS | ASK | AGENT | REC | FWD)

static const struct {
	const char *name;
	long (*run)(void);
	unsigned allowed; /* to these programs */
} acts[] = {
	{ "none", act_none, ALL },
	{ "terminal", act_terminal, NET | REC },
	{ "unread", act_unread, NET | DMSG | ASK },
	{ "shut-wr", act_shut_wr, NET | DMSG | HTTP },
	{ "nodelay", act_nodelay, HTTP | ASK | FWD },
	{ "poll", act_poll, HTTP | TLS | ASK | AGENT | FWD },
	{ "ppoll", act_ppoll, HTTP | TLS | ASK | AGENT | REC | FWD },
	{ "getpid", act_getpid, HTTP | TLS | ASK },
	{ "getrandom", act_getrandom, HTTP | TLS | ASK | AGENT },
	{ "accept4", act_accept4, 0 },
	{ "sendto", act_sendto, HTTP | ASK | FWD },
	{ "fcntl-dupfd", act_fcntl_dupfd, HTTP },
	{ "fcntl-getfl", act_fcntl_getfl, HTTP },
	{ "fcntl-nonblock", act_fcntl_nonblock, HTTP },
	{ "getsockopt-error", act_getsockopt_error, HTTP | ASK },
	{ "getsockopt-info", act_getsockopt_info, NET },
#ifdef SYS_open
	{ "open", act_open, ASK },
#endif
#ifdef SYS_fork
	{ "fork", act_fork, NAMES },
#endif
#ifdef __x86_64__
	{ "x32", act_x32, 0 },
	{ "int80", act_int80, 0 },
#endif
	{ "openat", act_openat, ASK },
	{ "openat2", act_openat2, 0 },
	{ "stat", act_stat, ASK | FWD },
	{ "socket", act_socket, ASK | FWD },
	{ "socketpair", act_socketpair, 0 },
	{ "bind", act_bind, ASK | FWD },
	{ "listen", act_listen, FWD },
	{ "connect", act_connect, ASK | FWD },
	{ "execve", act_execve, 0 },
	{ "execveat", act_execveat, 0 },
	{ "clone", act_clone, NAMES },
	{ "clone3", act_clone3, 0 },
	{ "ptrace", act_ptrace, 0 },
	{ "process_vm_readv", act_process_vm_readv, 0 },
	{ "kill", act_kill, 0 },
	{ "tgkill", act_tgkill, 0 },
	{ "pidfd_open", act_pidfd_open, 0 },
	{ "pidfd_getfd", act_pidfd_getfd, 0 },
	{ "mmap-exec", act_mmap_exec, 0 },
	{ "mprotect-exec", act_mprotect_exec, 0 },
	{ "pkey_mprotect-exec", act_pkey_mprotect_exec, 0 },
	{ "ioctl-tiocsti", act_tiocsti, 0 },
	{ "ioctl-tiocsctty", act_ioctl_tiocsctty, 0 },
	{ "ioctl-fionbio", act_ioctl_fionbio, 0 },
#ifdef __LP64__
	{ "ioctl-high-bits", act_ioctl_high_bits, 0 },
#endif
	{ "io_uring_setup", act_io_uring, 0 },
	{ "memfd_create", act_memfd_create, 0 },
	{ "dup", act_dup, 0 },
	{ "dup3", act_dup3, 0 },
	{ "fcntl", act_fcntl, 0 },
	{ "pipe2", act_pipe2, 0 },
	{ "eventfd2", act_eventfd2, 0 },
	{ "epoll_create1", act_epoll_create1, 0 },
	{ "inotify_init1", act_inotify_init1, 0 },
	{ "setsockopt", act_setsockopt, ASK | FWD },
	{ "rt_sigaction", act_sigaction, 0 },
	{ "prctl", act_prctl, 0 },
	{ "seccomp", act_seccomp, 0 },
	{ "setuid", act_setuid, 0 },
	{ "setgroups", act_setgroups, 0 },
	{ "prlimit64", act_prlimit64, 0 },
	{ "unshare", act_unshare, 0 },
	{ "setns", act_setns, 0 },
	{ "mount", act_mount, 0 },
	{ "chroot", act_chroot, 0 },
	{ "chdir", act_chdir, 0 },
	{ "unlink", act_unlink, FWD },
	{ "mkdir", act_mkdir, 0 },
	{ "bpf", act_bpf, 0 },
	{ "keyctl", act_keyctl, 0 },
	{ "userfaultfd", act_userfaultfd, 0 },
	{ "perf_event_open", act_perf_event_open, 0 },
	{ "personality", act_personality, 0 },
	{ "shmget", act_shmget, 0 },
	{ "openat-write", act_openat_write, 0 },
	{ "openat-create", act_openat_create, 0 },
	{ "openat-path", act_openat_path, 0 },
	{ "socket-unix", act_socket_unix, FWD },
	{ "socket-raw", act_socket_raw, 0 },
	{ "socket-mptcp", act_socket_mptcp, 0 },
	{ "socket-audit", act_socket_audit, 0 },
	{ "socket-alg", act_socket_alg, 0 },
	{ "tkill", act_tkill, 0 },
	{ "alarm", act_alarm, NAMES },
	{ "sendmsg-fastopen", act_sendmsg_fastopen, 0 },
	{ "sendmsg-oob", act_sendmsg_oob, 0 },
	{ "sendmsg-zerocopy", act_sendmsg_zerocopy, 0 },
	{ "sendmmsg", act_sendmmsg, ASK },
	{ "sendto-fastopen", act_sendto_fastopen, 0 },
	{ "sendto-named", act_sendto_named, ASK },
	{ "recvmsg-errqueue", act_recvmsg_errqueue, 0 },
	{ "recvmsg-oob", act_recvmsg_oob, 0 },
	{ "recvfrom-oob", act_recvfrom_oob, 0 },
	{ "recvmmsg", act_recvmmsg, 0 },
	{ "shutdown-rd", act_shutdown_rd, 0 },
	{ "shutdown-rdwr", act_shutdown_rdwr, 0 },
	{ "accept", act_accept, 0 },
	{ "accept4-flags", act_accept4_flags, 0 },
	{ "accept4-caller", act_accept4_caller, NET },
	{ "sockopt-filter", act_sockopt_filter, 0 },
	{ "sockopt-ulp", act_sockopt_ulp, 0 },
	{ "sockopt-fastopen", act_sockopt_fastopen, 0 },
	{ "sockopt-ip", act_sockopt_ip, 0 },
	{ "getsockopt-peer", act_getsockopt_peer, 0 },
	{ "getsockopt-xt", act_getsockopt_xt, 0 },
	{ "fcntl-setown", act_fcntl_setown, 0 },
	{ "fcntl-setown-ex", act_fcntl_setown_ex, 0 },
	{ "fcntl-setsig", act_fcntl_setsig, 0 },
	{ "fcntl-async", act_fcntl_async, 0 },
	{ "fcntl-lease", act_fcntl_lease, 0 },
	{ "fcntl-lock", act_fcntl_lock, 0 },
	{ "ioctl-fioasync", act_ioctl_fioasync, 0 },
	{ "ioctl-fiosetown", act_ioctl_fiosetown, 0 },
	{ "ioctl-tiocspgrp", act_ioctl_tiocspgrp, 0 },
	{ "mmap-file", act_mmap_file, 0 },
	{ "mmap-shared", act_mmap_shared, 0 },
	{ "mmap-locked", act_mmap_locked, 0 },
	{ "mmap-growsdown", act_mmap_growsdown, 0 },
	{ "mmap-huge", act_mmap_huge, 0 },
	{ "mremap-fixed", act_mremap_fixed, 0 },
	{ "madvise-hwpoison", act_madvise_hwpoison, 0 },
	{ "madvise-merge", act_madvise_merge, 0 },
	{ "madvise-willneed", act_madvise_willneed, 0 },
	{ "futex-shared", act_futex_shared, 0 },
	{ "futex-lock-pi", act_futex_lock_pi, 0 },
	{ "futex-requeue-pi", act_futex_requeue_pi, 0 },
	{ "futex-wake-op", act_futex_wake_op, 0 },
	{ "clock-of-parent", act_clock_of_parent, 0 },
	{ "mlock", act_mlock, AGENT },
	{ "splice", act_splice, 0 },
	{ "ftruncate", act_ftruncate, 0 },
	{ "fallocate", act_fallocate, 0 },
	{ "lseek", act_lseek, ASK },
	{ "pwrite64", act_pwrite64, 0 },
	{ "fdatasync", act_fdatasync, REC },
	{ "pwritev2", act_pwritev2, 0 },
	{ "rt-sigqueueinfo", act_rt_sigqueueinfo, 0 },
	{ "pidfd-send-signal", act_pidfd_send_signal, 0 },
	{ "timer-create", act_timer_create, 0 },
	{ "landlock", act_landlock, 0 },
};

#define ACTS (sizeof(acts) / sizeof(acts[0]))

static const char *const programs[SANDBOX_PROGRAMS] = { "net", "dmsg", "http",
	"tls", "connect", "agent", "record", "forward", "names" };

/* To whom an act is told. */
enum audience { PIPE, MONITOR, CONNECTOR };

/* A connector says one thing only: why there is no connection. */
static void
answer(const char *text)
{
	struct buf b;

	buf_init(&b, PRIVMSG_TEXT_MAX);
	if (strstr(text, "survived") != NULL && buf_put_cstring(&b, text) == 0)
		(void)privmsg_send(CONNECTOR_FD, PM_DMSG_CONNECT + 1, 0, &b,
		    NULL, 0);
	buf_free(&b);
}

static void
tell(enum audience who, const char *text)
{
	if (who == CONNECTOR)
		answer(text);
	else if (who == MONITOR)
		stand_in_log(text);
	else if (write(STDOUT_FILENO, text, strlen(text)) == -1 ||
	    write(STDOUT_FILENO, "\n", 1) == -1)
		_exit(1);
}

__attribute__((noreturn)) static void
probe(enum audience who, const char *name)
{
	char text[128];
	long r;

	for (size_t i = 0; i < ACTS; i++) {
		if (strcmp(acts[i].name, name) != 0)
			continue;
		snprintf(text, sizeof(text), "probe: attempting %s", name);
		tell(who, text);
		errno = 0;
		r = acts[i].run();
		snprintf(text, sizeof(text), "probe: survived %s: %ld %s", name,
		    r, strerror(errno));
		tell(who, text);
		_exit(0);
	}
	tell(who, "probe: no such act");
	_exit(1);
}

static int
program_of(const char *name)
{
	for (int i = 0; i < SANDBOX_PROGRAMS; i++)
		if (strcmp(programs[i], name) == 0)
			return i;
	_exit(1);
}

/* What is fatal to a program, what is not. */
static void
list(const char *name)
{
	unsigned program = 1U << program_of(name);

	for (size_t i = 0; i < ACTS; i++)
		printf("%s %s\n", acts[i].allowed & program ? "ok" : "fatal",
		    acts[i].name);
}

/* Without a monitor; a pair of sockets stands for the connection. */
__attribute__((noreturn)) static void
alone(const char *program, const char *act, const char *abi)
{
	struct sandbox sb = { .program =
				  (enum sandbox_program)program_of(program),
		.nofile = NOFILE };
	int sv[2];

	victim = getppid();
	less_landlock(atoi(abi));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv) == -1 ||
	    dup2(sv[0], PRIV_FD_CONN) == -1 ||
	    sandbox_enter(&sb, NULL, NULL) == -1)
		_exit(1);
	probe(PIPE, act);
}

/* As the program of that name does it. */
__attribute__((noreturn)) static void
as_connector(const char *act)
{
	static const char *const files[] = { "/etc/hosts", NULL };
	const struct sandbox sb = { .program = SANDBOX_CONNECT,
		.nofile = NOFILE,
		.readable = files };

	if (sandbox_enter(&sb, NULL, NULL) == -1)
		_exit(1);
	probe(CONNECTOR, act);
}

int
main(int argc, char **argv)
{
	char act[ACT_MAX];
	bool connector = strcmp(argv[0], CONNECTOR_PROGRAM) == 0;

	if (argc == 3 && strcmp(argv[1], "list") == 0) {
		list(argv[2]);
		return 0;
	}
	if ((spare[0] = open("/bin/true", O_RDONLY)) == -1)
		return 1;
	if (argc == 4 && !connector)
		alone(argv[1], argv[2], argv[3]);
	if (!stand_in_order("act", act, sizeof(act)))
		return 1;
	if (connector)
		as_connector(act);
	if (strcmp(act, "real") == 0)
		stand_in_step_aside();
	if (!stand_in_confine(NOFILE, NULL))
		return 1;
	probe(MONITOR, act);
}
