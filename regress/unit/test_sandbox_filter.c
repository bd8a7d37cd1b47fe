/* SPDX-License-Identifier: ISC */
/*
 * The filters of system calls, tried on each architecture without having it:
 * libseccomp makes the program for it, and a small interpreter says what the
 * kernel would.  What libc needs there must pass, by name and argument, and
 * nothing else.
 */
#include <sys/types.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* after those */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "common/privsep/sandbox_filter.h"

#define LENGTH(a)   (sizeof(a) / sizeof((a)[0]))
#define CODE_MAX    4096
#define NUMBERS	    600 /* calls of an architecture, and some to come */
#define ARM_PRIVATE 0x0f0000
#define GARBAGE	    (UINT64_C(0xdeadbeef) << 32)
#define ANY	    UINT64_C(0x1234)
#define DROPPABLE   0x08
#define PRIVATE(op) ((op) | FUTEX_PRIVATE_FLAG)

/* --- what the kernel would say --- */

struct filter {
	struct sock_filter code[CODE_MAX];
	size_t n;
	uint32_t arch;
};

static uint32_t
load(const struct seccomp_data *d, uint32_t at)
{
	uint32_t word;

	assert_true(at % 4 == 0 && at <= sizeof(*d) - sizeof(word));
	memcpy(&word, (const uint8_t *)d + at, sizeof(word));
	return word;
}

static bool
holds(const struct sock_filter *i, uint32_t a)
{
	switch (BPF_OP(i->code)) {
	case BPF_JEQ:
		return a == i->k;
	case BPF_JGT:
		return a > i->k;
	case BPF_JGE:
		return a >= i->k;
	case BPF_JSET:
		return (a & i->k) != 0;
	}
	fail_msg("jump %#x", i->code);
	return false;
}

/* Runs only forward, as BPF does. */
static uint32_t
run_filter(const struct filter *f, const struct seccomp_data *d)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < f->n; pc++) {
		const struct sock_filter *i = &f->code[pc];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			a = load(d, i->k);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			if (BPF_CLASS(i->code) != BPF_JMP ||
			    BPF_SRC(i->code) != BPF_K)
				fail_msg("instruction %#x", i->code);
			pc += holds(i, a) ? i->jt : i->jf;
		}
	}
	fail_msg("no verdict");
	return 0;
}

/* --- the filters --- */

static const uint32_t archs[] = { SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64,
	SCMP_ARCH_ARM, SCMP_ARCH_RISCV64 };

#define X86   1U
#define A64   2U
#define ARM   4U
#define RISCV 8U
#define EVERY (X86 | A64 | ARM | RISCV)

static const char *const programs[SANDBOX_PROGRAMS] = { "net", "dmsg", "http",
	"tls", "connect", "agent", "record", "forward", "names" };

#define NET   (1U << SANDBOX_NET)
#define DMSG  (1U << SANDBOX_DMSG)
#define HTTP  (1U << SANDBOX_HTTP)
#define TLS   (1U << SANDBOX_TLS)
#define NAMES (1U << SANDBOX_NAMES)
#define CON   (1U << SANDBOX_CONNECT | NAMES) /* who asks name servers */
#define FWD   (1U << SANDBOX_FORWARD)
#define AGENT (1U << SANDBOX_AGENT)
#define REC   (1U << SANDBOX_RECORD)
#define SIX   (NET | DMSG | HTTP | TLS | AGENT | REC) /* make no connection */
#define ALL   (SIX | CON | FWD)

static struct filter filters[LENGTH(archs)][SANDBOX_PROGRAMS];

static int
make_filter(struct filter *f, uint32_t arch, enum sandbox_program p)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	char path[] = "/tmp/skypty-filter.XXXXXX";
	int fd = mkstemp(path);
	ssize_t n;

	assert_non_null(ctx);
	assert_int_not_equal(fd, -1);
	unlink(path);
	if (arch != seccomp_arch_native()) {
		assert_int_equal(seccomp_arch_add(ctx, arch), 0);
		assert_int_equal(
		    seccomp_arch_remove(ctx, seccomp_arch_native()), 0);
	}
	assert_int_equal(seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
			     SCMP_ACT_KILL_PROCESS),
	    0);
	assert_int_equal(sandbox_filter_add(ctx, p), 0);
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	seccomp_release(ctx);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	n = read(fd, f->code, sizeof(f->code));
	close(fd);
	assert_true(n > 0 && (size_t)n < sizeof(f->code));
	f->n = (size_t)n / sizeof(f->code[0]);
	f->arch = arch;
	return 0;
}

static int
make_all(void **state)
{
	(void)state;
	for (size_t a = 0; a < LENGTH(archs); a++)
		for (int p = 0; p < SANDBOX_PROGRAMS; p++)
			make_filter(&filters[a][p], archs[a],
			    (enum sandbox_program)p);
	return 0;
}

static bool
passes(const struct filter *f, int number, const uint64_t args[6])
{
	struct seccomp_data d = { .nr = number, .arch = f->arch };
	uint32_t verdict;

	for (int i = 0; i < 6; i++)
		d.args[i] =
		    f->arch == SCMP_ARCH_ARM ? (uint32_t)args[i] : args[i];
	verdict = run_filter(f, &d);
	if (verdict != SECCOMP_RET_ALLOW)
		assert_int_equal(verdict, SECCOMP_RET_KILL_PROCESS);
	return verdict == SECCOMP_RET_ALLOW;
}

/* --- what libc calls there, in a confined program --- */

struct call {
	unsigned archs, programs;
	const char *name;
	uint64_t args[6];
};

/*
 * By what the libraries of Debian 12 (glibc 2.36) and musl 1.2 hold:
 * "poll" is ppoll on aarch64 and riscv64, epoll_wait is epoll_pwait there, mmap
 * is mmap2 on arm, send and recv are calls of their own there.
 */
static const struct call needed[] = {
	{ EVERY, ALL, "read", { 3, ANY, 10 } },
	{ EVERY, ALL, "readv", { 3, ANY, 1 } },
	{ EVERY, ALL, "write", { 3, ANY, 10 } },
	{ EVERY, ALL, "writev", { 3, ANY, 2 } },
	{ EVERY, ALL, "close", { 3 } },
	{ EVERY, NET | DMSG | HTTP | CON | AGENT | REC | FWD, "sendmsg",
	    { 4, ANY, MSG_NOSIGNAL } },
	{ EVERY, NET | DMSG | HTTP | CON | AGENT | FWD, "sendmsg",
	    { 4, ANY, GARBAGE | MSG_NOSIGNAL } },
	{ EVERY, NET | DMSG | HTTP | CON | AGENT | FWD, "recvmsg",
	    { 4, ANY, MSG_CMSG_CLOEXEC } },
	{ EVERY, NET | DMSG | HTTP | CON | AGENT | FWD, "recvmsg",
	    { GARBAGE | 4, ANY, GARBAGE | MSG_CMSG_CLOEXEC } },
	{ EVERY, NET, "accept4",
	    { 9, ANY, ANY, SOCK_NONBLOCK | SOCK_CLOEXEC } },
	{ EVERY, NET | DMSG | HTTP, "shutdown", { 3, SHUT_WR } },
	{ EVERY, HTTP | CON | FWD, "sendto",
	    { 9, ANY, 10, MSG_NOSIGNAL, 0, 0 } },
	{ EVERY, HTTP | CON | FWD, "recvfrom", { 9, ANY, 10, 0, 0, 0 } },
	{ EVERY, HTTP | CON | FWD, "recvfrom", { 9, ANY, 10, MSG_PEEK, 0, 0 } },
	{ ARM, HTTP | CON | FWD, "send", { 9, ANY, 10, MSG_NOSIGNAL } },
	{ ARM, HTTP | CON | FWD, "recv", { 9, ANY, 10, 0 } },
	{ ARM, HTTP | CON | FWD, "recv", { 9, ANY, 10, MSG_PEEK } },
	{ EVERY, NET, "setsockopt",
	    { 9, IPPROTO_TCP, TCP_NOTSENT_LOWAT, ANY, 4 } },
	{ EVERY, HTTP | CON | FWD, "setsockopt",
	    { 9, IPPROTO_TCP, TCP_NODELAY, ANY, 4 } },
	{ EVERY, NET, "getsockopt", { 9, IPPROTO_TCP, TCP_INFO, ANY, ANY } },
	{ EVERY, HTTP | CON, "getsockopt",
	    { 9, SOL_SOCKET, SO_ERROR, ANY, ANY } },
	{ EVERY, HTTP | CON, "getpeername", { 9, ANY, ANY } },
	{ EVERY, HTTP | CON | FWD, "getsockname", { 9, ANY, ANY } },
	{ EVERY, HTTP, "fcntl", { 9, F_GETFL } },
	{ X86 | A64 | RISCV, HTTP, "fcntl", { 9, F_SETFL, O_NONBLOCK } },
	{ X86 | A64 | RISCV, HTTP, "fcntl",
	    { 9, F_SETFL, GARBAGE | O_NONBLOCK | O_RDWR } },
	{ X86 | A64 | RISCV, HTTP, "fcntl", { 9, F_SETFD, FD_CLOEXEC } },
	{ X86 | A64 | RISCV, HTTP, "fcntl", { 9, F_GETFD } },
	{ X86 | A64 | RISCV, HTTP, "fcntl", { 9, F_DUPFD_CLOEXEC, 0 } },
	/* musl adds O_LARGEFILE, of that architecture. */
	{ X86 | RISCV, HTTP, "fcntl", { 9, F_SETFL, O_NONBLOCK | 0100000 } },
	{ A64, HTTP, "fcntl", { 9, F_SETFL, O_NONBLOCK | 0400000 } },
	{ ARM, HTTP, "fcntl64", { 9, F_SETFL, O_NONBLOCK | 0400000 } },
	{ ARM, HTTP, "fcntl64", { 9, F_GETFL } },
	{ ARM, HTTP, "fcntl64", { 9, F_SETFL, O_NONBLOCK } },
	{ ARM, HTTP, "fcntl64", { 9, F_SETFD, FD_CLOEXEC } },
	{ ARM, HTTP, "fcntl64", { 9, F_DUPFD_CLOEXEC, 0 } },
	{ EVERY, NET | REC, "ioctl", { 6, TIOCSWINSZ, ANY } },
	{ EVERY, REC, "ioctl", { 3, TIOCGWINSZ, ANY } },
	{ EVERY, REC, "ioctl", { 3, TIOCNOTTY, 0 } },
	{ EVERY, NET | DMSG | CON, "ioctl", { 6, FIONREAD, ANY } },
	{ EVERY, REC, "fdatasync", { 5 } },
	{ EVERY, REC, "fstatfs", { 5, ANY } },
	{ ARM, REC, "fstatfs64", { 5, 88, ANY } },
	{ X86 | ARM, NET | DMSG, "epoll_wait", { 7, ANY, 32, 1000 } },
	{ EVERY, NET | DMSG, "epoll_pwait", { 7, ANY, 32, 1000, 0, 8 } },
	{ EVERY, NET | DMSG, "epoll_ctl", { 7, 3, 5, ANY } },
	{ X86 | ARM, HTTP | TLS | CON | AGENT | FWD, "poll",
	    { ANY, 2, UINT64_MAX } },
	{ EVERY, HTTP | TLS | CON | AGENT | REC | FWD, "ppoll",
	    { ANY, 2, 0, 0, 8 } },
	{ ARM, HTTP | TLS | CON | AGENT | REC | FWD, "ppoll_time64",
	    { ANY, 2, 0, 0, 8 } },
	{ EVERY, ALL, "clock_gettime", { CLOCK_MONOTONIC, ANY } },
	{ EVERY, ALL, "clock_gettime", { CLOCK_REALTIME, ANY } },
	{ ARM, ALL, "clock_gettime64", { CLOCK_MONOTONIC, ANY } },
	{ EVERY, ALL, "gettimeofday", { ANY, 0 } },
	{ X86, ALL, "time", { 0 } },
	{ EVERY, ALL, "brk", { ANY } },
	{ EVERY, ALL, "munmap", { ANY, 4096 } },
	{ EVERY, ALL, "mprotect", { ANY, 4096, PROT_READ | PROT_WRITE } },
	{ EVERY, ALL, "mprotect", { ANY, 4096, PROT_NONE } },
	{ EVERY, ALL, "mremap", { ANY, 4096, 8192, MREMAP_MAYMOVE, 0 } },
	{ EVERY, ALL, "madvise", { ANY, 4096, MADV_DONTNEED } },
	{ EVERY, ALL, "madvise", { ANY, 4096, MADV_FREE } },
	/* sodium_malloc() and sodium_free() of a handshake. */
	{ EVERY, ALL, "madvise", { ANY, 4096, MADV_DONTDUMP } },
	{ EVERY, AGENT, "madvise", { ANY, 4096, MADV_DODUMP } },
	{ EVERY, AGENT, "mlock", { ANY, 4096 } },
	{ EVERY, AGENT, "munlock", { ANY, 4096 } },
	{ X86 | A64 | RISCV, ALL, "mmap",
	    { 0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		UINT64_MAX, 0 } },
	{ X86 | A64 | RISCV, ALL, "mmap",
	    { 0, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		UINT64_MAX, 0 } },
	/* musl's allocator, and the state of the vDSO's getrandom. */
	{ X86 | A64 | RISCV, ALL, "mmap",
	    { ANY, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		UINT64_MAX, 0 } },
	{ X86 | A64 | RISCV, ALL, "mmap",
	    { 0, 4096, PROT_READ | PROT_WRITE, DROPPABLE | MAP_ANONYMOUS,
		UINT64_MAX, 0 } },
	{ ARM, ALL, "mmap2",
	    { 0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		UINT64_MAX, 0 } },
	{ ARM, ALL, "mmap2",
	    { 0, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		UINT64_MAX, 0 } },
	{ EVERY, ALL, "futex", { ANY, PRIVATE(FUTEX_WAIT), 2, 0 } },
	{ EVERY, ALL, "futex", { ANY, PRIVATE(FUTEX_WAKE), INT32_MAX } },
	{ ARM, ALL, "futex_time64", { ANY, PRIVATE(FUTEX_WAIT), 2, 0 } },
	{ EVERY, HTTP | TLS | CON, "getpid", { 0 } },
	{ EVERY, HTTP | TLS | CON | AGENT, "getrandom", { ANY, 32, 0 } },
	{ EVERY, ALL, "rt_sigprocmask", { SIG_SETMASK, ANY, 0, 8 } },
	{ EVERY, ALL, "rt_sigreturn", { 0 } },
	{ ARM, ALL, "sigreturn", { 0 } },
	{ EVERY, ALL, "restart_syscall", { 0 } },
	{ EVERY, ALL, "exit", { 0 } },
	{ EVERY, ALL, "exit_group", { 0 } },
	/* getaddrinfo, getifaddrs and connecting. */
	{ EVERY, CON, "socket", { AF_INET, SOCK_STREAM | SOCK_CLOEXEC } },
	{ EVERY, CON, "socket",
	    { AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0 } },
	{ EVERY, CON, "socket",
	    { AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0 } },
	{ EVERY, CON, "socket", { AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0 } },
	{ EVERY, CON, "socket", { AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0 } },
	{ EVERY, CON, "connect", { 4, ANY, 16 } },
	{ EVERY, CON, "bind", { 4, ANY, 12 } },
	{ EVERY, CON, "sendto", { 4, ANY, 20, 0, ANY, 12 } },
	{ EVERY, CON, "sendmmsg", { 4, ANY, 2, MSG_NOSIGNAL } },
	{ EVERY, CON, "setsockopt", { 4, SOL_SOCKET, SO_KEEPALIVE, ANY, 4 } },
	{ EVERY, CON, "setsockopt", { 4, IPPROTO_IP, IP_RECVERR, ANY, 4 } },
	{ EVERY, CON, "setsockopt", { 4, IPPROTO_IPV6, IPV6_RECVERR, ANY, 4 } },
	{ EVERY, CON, "openat",
	    { UINT64_MAX - 99, ANY, O_RDONLY | O_CLOEXEC, 0 } },
	/* What arm adds to it, and musl everywhere. */
	{ ARM, CON, "openat", { UINT64_MAX - 99, ANY, O_CLOEXEC | 0400000 } },
	{ X86, CON, "open", { ANY, O_RDONLY | O_CLOEXEC | 0100000, 0 } },
	{ ARM, CON, "open", { ANY, O_RDONLY | O_CLOEXEC | 0400000, 0 } },
	{ X86 | A64 | RISCV, CON, "newfstatat", { 4, ANY, ANY, 0x1000 } },
	{ EVERY, CON, "fstat", { 4, ANY } },
	{ X86 | ARM, CON, "stat", { ANY, ANY } },
	{ ARM, CON, "fstat64", { 4, ANY } },
	{ ARM, CON, "stat64", { ANY, ANY } },
	{ ARM, CON, "fstatat64", { 4, ANY, ANY, 0 } },
	{ EVERY, CON, "statx", { 4, ANY, 0x1000, 0x7ff, ANY } },
	{ EVERY, CON, "lseek", { 4, 0, SEEK_SET } },
	{ ARM, CON, "_llseek", { 4, 0, 0, ANY, SEEK_SET } },
	{ EVERY, CON, "uname", { ANY } },
	/* A process for a name; glibc's fork(3), musl's on x86_64 and arm. */
	{ EVERY, NAMES, "clone", { 0x01200011, 0, 0, 0, ANY } },
	{ EVERY, NAMES, "clone", { SIGCHLD, 0 } },
	{ X86 | ARM, NAMES, "fork", { 0 } },
	{ EVERY, NAMES, "set_robust_list", { ANY, 24 } },
	{ EVERY, NAMES, "set_tid_address", { ANY } },
	{ EVERY, NAMES, "gettid", { 0 } },
	{ EVERY, NAMES, "prctl", { PR_SET_PDEATHSIG, SIGKILL } },
	{ X86, NAMES, "alarm", { 20 } },
	{ EVERY, NAMES, "setitimer", { ITIMER_REAL, ANY, ANY } },
	/* Connecting and listening as the session's user. */
	{ EVERY, FWD, "socket",
	    { AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0 } },
	{ EVERY, FWD, "socket",
	    { AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0 } },
	{ EVERY, FWD, "socket",
	    { AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0 } },
	{ EVERY, FWD, "connect", { 4, ANY, 16 } },
	{ EVERY, FWD, "bind", { 4, ANY, 16 } },
	{ EVERY, FWD, "listen", { 4, 128 } },
	{ EVERY, FWD, "setsockopt", { 4, SOL_SOCKET, SO_KEEPALIVE, ANY, 4 } },
	{ EVERY, FWD, "setsockopt", { 4, SOL_SOCKET, SO_REUSEADDR, ANY, 4 } },
	{ EVERY, FWD, "setsockopt", { 4, IPPROTO_IPV6, IPV6_V6ONLY, ANY, 4 } },
	{ X86 | A64 | RISCV, FWD, "newfstatat", { 4, ANY, ANY, 0x100 } },
	{ X86 | ARM, FWD, "lstat", { ANY, ANY } },
	{ ARM, FWD, "lstat64", { ANY, ANY } },
	{ ARM, FWD, "fstatat64", { 4, ANY, ANY, 0x100 } },
	{ EVERY, FWD, "statx", { 4, ANY, 0x100, 0x7ff, ANY } },
	{ X86 | ARM, FWD, "unlink", { ANY } },
	{ EVERY, FWD, "unlinkat", { UINT64_MAX - 99, ANY, 0 } },
};

static void
check_calls(const struct call *calls, size_t n, bool pass)
{
	unsigned tried = 0;
	int number;

	for (size_t i = 0; i < n; i++)
		for (size_t a = 0; a < LENGTH(archs); a++) {
			const struct call *c = &calls[i];

			if (!(c->archs & 1U << a))
				continue;
			number = seccomp_syscall_resolve_name_arch(archs[a],
			    c->name);
			if (number < 0 && !pass)
				continue; /* unknown there */
			assert_true(number >= 0);
			for (int p = 0; p < SANDBOX_PROGRAMS; p++) {
				if (!(c->programs & 1U << p))
					continue;
				tried++;
				if (passes(&filters[a][p], number, c->args) !=
				    pass)
					fail_msg("row %zu: %s, %s, arch %#x", i,
					    c->name, programs[p], archs[a]);
			}
		}
	assert_true(tried > 300);
}

static void
test_needed(void **state)
{
	(void)state;
	check_calls(needed, LENGTH(needed), true);
}

/* --- the same calls with what they must not have --- */

static const struct call forbidden[] = {
	/* A recording only grows, and nothing else is written to. */
	{ EVERY, ALL, "ftruncate", { 5, 0 } },
	{ ARM, ALL, "ftruncate64", { 5, 0, 0 } },
	{ EVERY, ALL, "truncate", { ANY, 0 } },
	{ EVERY, ALL, "fallocate", { 5, 3, 0, 4096 } },
	{ EVERY, ALL, "pwrite64", { 5, ANY, 10, 0 } },
	{ EVERY, ALL, "pwritev", { 5, ANY, 1, 0 } },
	{ EVERY, ALL, "copy_file_range", { 5, 0, 4, 0, 10 } },
	{ EVERY, ALL, "sendfile", { 5, 4, 0, 10 } },
	{ EVERY, ALL, "fchmod", { 5, 0666 } },
	{ EVERY, ALL, "fchown", { 5, 0, 0 } },
	{ EVERY, ALL, "ftruncate", { GARBAGE | 5, 0 } },
	{ EVERY, REC, "lseek", { 5, 0, SEEK_SET } },
	{ EVERY, REC, "fcntl", { 5, F_SETFL, 0 } },
	{ ARM, REC, "fcntl64", { 5, F_SETFL, 0 } },
	{ EVERY, REC, "ioctl", { 5, FIONREAD, ANY } },
	{ EVERY, REC, "fstat", { 5, ANY } },
	/* Connections by the way of sending. */
	{ EVERY, ALL, "sendmsg", { 4, ANY, MSG_FASTOPEN } },
	{ EVERY, ALL, "sendmsg", { 4, ANY, MSG_FASTOPEN | MSG_NOSIGNAL } },
	{ EVERY, ALL, "sendmsg", { 4, ANY, GARBAGE | MSG_FASTOPEN } },
	{ EVERY, ALL, "sendmsg", { 4, ANY, MSG_OOB } },
	{ EVERY, ALL, "sendmsg", { 4, ANY, MSG_ZEROCOPY } },
	{ EVERY, TLS, "sendmsg", { 4, ANY, 0 } },
	{ EVERY, ALL, "sendmmsg", { 4, ANY, 1, MSG_FASTOPEN } },
	{ EVERY, SIX | FWD, "sendmmsg", { 4, ANY, 1, 0 } },
	{ EVERY, ALL, "sendto", { 9, ANY, 10, MSG_FASTOPEN, ANY, 16 } },
	{ EVERY, ALL, "sendto", { 9, ANY, 10, MSG_FASTOPEN, 0, 0 } },
	{ EVERY, SIX | FWD, "sendto", { 9, ANY, 10, 0, ANY, 16 } },
	{ X86 | A64 | RISCV, SIX | FWD, "sendto",
	    { 9, ANY, 10, 0, UINT64_C(1) << 32, 16 } },
	{ EVERY, NET | DMSG | TLS, "sendto", { 9, ANY, 10, 0, 0, 0 } },
	{ ARM, ALL, "send", { 9, ANY, 10, MSG_FASTOPEN } },
	{ EVERY, SIX, "connect", { 9, ANY, 16 } },
	{ EVERY, SIX, "bind", { 9, ANY, 16 } },
	{ EVERY, ALL & ~FWD, "listen", { 9, 5 } },
	{ EVERY, SIX, "socket", { 2, 1, 0 } },
	{ EVERY, ALL, "socketpair", { 1, 1, 0, ANY } },
	/* Of the one that connects: other families, kinds and protocols. */
	{ EVERY, CON, "socket", { AF_UNIX, SOCK_STREAM, 0 } },
	{ EVERY, CON, "socket", { AF_INET, SOCK_RAW, 0 } },
	{ EVERY, CON, "socket", { AF_INET, SOCK_STREAM, 262 } },
	{ EVERY, CON, "socket", { AF_INET, SOCK_STREAM, 132 } },
	{ EVERY, CON, "socket", { AF_INET, SOCK_DGRAM, 1 } },
	{ EVERY, CON, "socket", { AF_INET, SOCK_SEQPACKET, 0 } },
	{ EVERY, CON, "socket", { AF_PACKET, SOCK_RAW, 0 } },
	{ EVERY, CON, "socket", { AF_PACKET, SOCK_DGRAM, 0 } },
	{ EVERY, CON, "socket", { 38, SOCK_SEQPACKET, 0 } }, /* AF_ALG */
	{ EVERY, CON, "socket", { 40, SOCK_STREAM, 0 } },    /* AF_VSOCK */
	{ EVERY, CON, "socket", { AF_NETLINK, SOCK_RAW, 12 } },
	{ EVERY, CON, "socket", { AF_NETLINK, SOCK_DGRAM, 0 } },
	{ EVERY, CON, "sendmmsg", { 4, ANY, 1, MSG_OOB } },
	{ EVERY, CON, "setsockopt", { 9, IPPROTO_IPV6, 1, ANY, 4 } },
	{ EVERY, SIX | FWD, "openat", { 4, ANY, O_RDONLY } },
	{ EVERY, ALL, "openat", { 4, ANY, O_WRONLY } },
	{ EVERY, ALL, "openat", { 4, ANY, O_RDWR } },
	{ EVERY, ALL, "openat", { 4, ANY, O_CREAT, 0600 } },
	{ EVERY, ALL, "openat", { 4, ANY, O_TRUNC } },
	{ EVERY, ALL, "openat", { 4, ANY, O_PATH } },
	{ EVERY, ALL, "openat", { 4, ANY, GARBAGE | O_RDWR } },
	{ EVERY, ALL, "open", { ANY, O_WRONLY } },
	{ EVERY, ALL, "open", { ANY, O_RDWR | O_CREAT, 0600 } },
	{ EVERY, SIX | FWD, "open", { ANY, O_RDONLY } },
	{ EVERY, ALL, "openat2", { 4, ANY, ANY, 24 } },
	{ EVERY, ALL, "kill", { 1, 9 } },
	{ EVERY, ALL, "tkill", { 1, 9 } },
	{ EVERY, ALL, "tgkill", { 1, 1, 9 } },
	{ EVERY, ALL, "execve", { ANY, ANY, ANY } },
	{ EVERY, ALL, "execveat", { ANY, ANY, ANY } },
	{ EVERY, ALL & ~NAMES, "clone", { 17 } },
	{ EVERY, ALL, "clone3", { ANY, 88 } },
	{ EVERY, ALL & ~NAMES, "alarm", { 0 } },
	{ EVERY, ALL & ~NAMES, "setitimer", { 0, ANY, 0 } },
	{ EVERY, ALL, "accept", { 5, 0, 0 } },
	{ EVERY, ALL, "accept4", { 5, 0, 0, 1 } },
	{ EVERY, ALL, "accept4", { 5, 0, 0, 0 } },
	{ EVERY, ALL & ~NET, "accept4",
	    { 5, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC } },
	/* Descriptors by other sockets than the monitor's. */
	{ EVERY, NET, "sendmsg", { 3, ANY, MSG_NOSIGNAL } },
	{ EVERY, NET, "sendmsg", { 9, ANY, 0 } },
	{ EVERY, NET, "recvmsg", { 9, ANY, MSG_CMSG_CLOEXEC } },
	{ EVERY, ALL, "accept4", { 5, 0, 0, SOCK_CLOEXEC } },
	{ EVERY, ALL, "shutdown", { 5, SHUT_RD } },
	{ EVERY, ALL, "shutdown", { 5, SHUT_RDWR } },
	{ EVERY, ALL, "shutdown", { 5, GARBAGE | SHUT_RDWR } },
	{ EVERY, TLS | CON | FWD, "shutdown", { 5, SHUT_WR } },
	{ EVERY, ALL, "recvmsg", { 4, ANY, MSG_ERRQUEUE } },
	{ EVERY, ALL, "recvmsg", { 4, ANY, MSG_OOB } },
	{ EVERY, ALL, "recvfrom", { 9, ANY, 10, MSG_OOB, 0, 0 } },
	{ EVERY, ALL, "recvfrom", { 9, ANY, 10, MSG_ERRQUEUE, 0, 0 } },
	{ ARM, ALL, "recv", { 9, ANY, 10, MSG_ERRQUEUE } },
	{ EVERY, ALL, "recvmmsg", { 9, ANY, 1, 0, 0 } },
	/* Options. */
	{ EVERY, SIX, "setsockopt", { 9, SOL_SOCKET, SO_KEEPALIVE, ANY, 4 } },
	{ EVERY, ALL, "setsockopt", { 9, SOL_SOCKET, SO_ATTACH_FILTER } },
	{ EVERY, ALL, "setsockopt", { 9, SOL_SOCKET, TCP_NODELAY } },
	{ EVERY, ALL, "setsockopt", { 9, IPPROTO_TCP, TCP_ULP, ANY, 4 } },
	{ EVERY, ALL, "setsockopt", { 9, IPPROTO_TCP, TCP_REPAIR, ANY, 4 } },
	{ EVERY, ALL, "setsockopt", { 9, IPPROTO_TCP, TCP_FASTOPEN_CONNECT } },
	{ EVERY, ALL, "setsockopt", { 9, IPPROTO_IP, 1, ANY, 4 } },
	{ EVERY, ALL, "setsockopt", { 9, IPPROTO_IPV6, 1, ANY, 4 } },
	{ EVERY, ALL, "getsockopt", { 9, SOL_SOCKET, SO_PEERCRED, ANY, 4 } },
	{ EVERY, ALL, "getsockopt", { 9, IPPROTO_IP, 64, ANY, 4 } },
	{ EVERY, ALL, "getsockopt", { 9, IPPROTO_TCP, TCP_ULP, ANY, 4 } },
	{ EVERY, ALL, "getsockopt", { 9, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE } },
	{ EVERY, DMSG | HTTP | TLS | CON, "getsockopt",
	    { 9, IPPROTO_TCP, TCP_INFO, ANY, ANY } },
	{ EVERY, NET, "getsockopt", { 9, SOL_SOCKET, SO_ERROR, ANY, ANY } },
	{ EVERY, NET | DMSG | TLS, "setsockopt",
	    { 9, IPPROTO_TCP, TCP_NODELAY } },
	{ EVERY, DMSG | HTTP | TLS | CON, "setsockopt",
	    { 9, IPPROTO_TCP, TCP_NOTSENT_LOWAT } },
	{ EVERY, NET, "setsockopt", { 9, SOL_SOCKET, TCP_NOTSENT_LOWAT } },
/* Signals to others by the way of a descriptor. */
#define FCNTL(name)                                                     \
	{ EVERY, ALL, name, { 9, F_SETOWN, 1 } },                       \
	    { EVERY, ALL, name, { 9, F_SETOWN_EX, ANY } },              \
	    { EVERY, ALL, name, { 9, F_SETSIG, 9 } },                   \
	    { EVERY, ALL, name, { 9, F_SETFL, O_ASYNC } },              \
	    { EVERY, ALL, name, { 9, F_SETFL, O_ASYNC | O_NONBLOCK } }, \
	    { EVERY, ALL, name, { 9, F_SETFL, O_DIRECT } },             \
	    { EVERY, ALL, name, { 9, F_SETFL, GARBAGE | O_ASYNC } },    \
	    { EVERY, ALL, name, { 9, F_DUPFD, 0 } },                    \
	    { EVERY, ALL, name, { 9, F_SETLEASE, 0 } },                 \
	    { EVERY, ALL, name, { 9, F_NOTIFY, 1 } },                   \
	    { EVERY, ALL, name, { 9, F_SETPIPE_SZ, 1 << 20 } },         \
	    { EVERY, ALL, name, { 9, F_SETLK, ANY } },                  \
	    { EVERY, ALL, name, { 9, F_OFD_SETLKW, ANY } },             \
	    { EVERY, ALL, name, { 9, F_ADD_SEALS, 1 } },                \
	{                                                               \
		EVERY, NET | DMSG | TLS, name,                          \
		{                                                       \
			9, F_GETFL                                      \
		}                                                       \
	}
	FCNTL("fcntl"),
	FCNTL("fcntl64"),
	{ EVERY, ALL, "ioctl", { 9, TIOCSTI, ANY } },
	{ EVERY, ALL, "ioctl", { 9, TIOCSCTTY, 0 } },
	{ EVERY, ALL, "ioctl", { 9, FIOASYNC, ANY } },
	{ EVERY, ALL, "ioctl", { 9, FIONBIO, ANY } },
	{ EVERY, ALL, "ioctl", { 9, FIOSETOWN, ANY } },
	{ EVERY, ALL, "ioctl", { 9, SIOCSPGRP, ANY } },
	{ EVERY, ALL, "ioctl", { 9, TIOCSPGRP, ANY } },
	{ X86 | A64 | RISCV, ALL, "ioctl", { 9, GARBAGE | TIOCSWINSZ, ANY } },
	{ EVERY, DMSG | HTTP | TLS | CON, "ioctl", { 9, TIOCSWINSZ, ANY } },
	{ EVERY, HTTP | TLS, "ioctl", { 9, FIONREAD, ANY } },
/* Memory. */
#define MAP(name)                                                            \
	{ EVERY, ALL, name,                                                  \
		{ 0, 4096, PROT_READ | PROT_EXEC,                            \
		    MAP_PRIVATE | MAP_ANONYMOUS } },                         \
	    { EVERY, ALL, name,                                              \
		    { 0, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS } },   \
	    { EVERY, ALL, name, { 0, 4096, PROT_READ, MAP_PRIVATE, 9, 0 } }, \
	    { EVERY, ALL, name, { 0, 4096, PROT_READ, MAP_SHARED, 9, 0 } },  \
	    { EVERY, ALL, name,                                              \
		    { 0, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS } },    \
	    { EVERY, ALL, name,                                              \
		    { 0, 4096, PROT_READ,                                    \
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB } },       \
	    { EVERY, ALL, name,                                              \
		    { 0, 4096, PROT_READ,                                    \
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED } },        \
	    { EVERY, ALL, name,                                              \
		    { 0, 4096, PROT_READ,                                    \
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN } },     \
	    { EVERY, ALL, name,                                              \
		    { 0, 4096, PROT_READ,                                    \
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE } },      \
	    { EVERY, ALL, name,                                              \
		    { 0, 4096, PROT_READ | PROT_EXEC,                        \
			DROPPABLE | MAP_ANONYMOUS } },                       \
	{                                                                    \
		EVERY, ALL, name,                                            \
		{                                                            \
			0, 4096, PROT_READ, DROPPABLE, 9, 0                  \
		}                                                            \
	}
	MAP("mmap"),
	MAP("mmap2"),
	{ EVERY, ALL, "mprotect", { ANY, 4096, PROT_READ | PROT_EXEC } },
	{ EVERY, ALL, "mprotect", { ANY, 4096, PROT_EXEC } },
	{ EVERY, ALL, "mprotect", { ANY, 4096, PROT_READ | PROT_GROWSDOWN } },
	{ EVERY, ALL, "pkey_mprotect", { ANY, 4096, PROT_READ, 0 } },
	{ EVERY, ALL, "mremap",
	    { ANY, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, ANY } },
	{ EVERY, ALL, "mremap", { ANY, 4096, 4096, 4 | MREMAP_MAYMOVE, ANY } },
	{ EVERY, ALL, "madvise", { ANY, 4096, MADV_HWPOISON } },
	{ EVERY, ALL, "madvise", { ANY, 4096, MADV_MERGEABLE } },
	{ EVERY, ALL, "madvise", { ANY, 4096, MADV_REMOVE } },
	{ EVERY, ALL, "madvise", { ANY, 4096, MADV_WILLNEED } },
	{ EVERY, ALL, "madvise", { ANY, 4096, MADV_POPULATE_WRITE } },
	{ EVERY, ALL & ~AGENT, "madvise", { ANY, 4096, MADV_DODUMP } },
	{ EVERY, ALL, "mlockall", { 1 } },
	{ EVERY, ALL, "remap_file_pages", { ANY, 4096, 0, 0, 0 } },
	{ EVERY, ALL, "process_madvise", { 9, ANY, 1, MADV_COLD, 0 } },
/* Locks. */
#define FUTEX(name)                                                    \
	{ EVERY, ALL, name, { ANY, FUTEX_WAIT, 0, 0 } },               \
	    { EVERY, ALL, name, { ANY, FUTEX_WAKE, 1 } },              \
	    { EVERY, ALL, name, { ANY, PRIVATE(FUTEX_LOCK_PI), 0 } },  \
	    { EVERY, ALL, name, { ANY, PRIVATE(FUTEX_LOCK_PI2), 0 } }, \
	    { EVERY, ALL, name, { ANY, FUTEX_UNLOCK_PI, 0 } },         \
	    { EVERY, ALL, name, { ANY, FUTEX_TRYLOCK_PI, 0 } },        \
	    { EVERY, ALL, name, { ANY, FUTEX_CMP_REQUEUE_PI, 1 } },    \
	    { EVERY, ALL, name, { ANY, FUTEX_WAIT_REQUEUE_PI, 1 } },   \
	    { EVERY, ALL, name, { ANY, PRIVATE(FUTEX_REQUEUE), 1 } },  \
	    { EVERY, ALL, name, { ANY, PRIVATE(FUTEX_WAKE_OP), 1 } },  \
	{                                                              \
		EVERY, ALL, name,                                      \
		{                                                      \
			ANY, GARBAGE | FUTEX_LOCK_PI, 0                \
		}                                                      \
	}
	FUTEX("futex"),
	FUTEX("futex_time64"),
	/* Clocks of other processes and of devices. */
	{ EVERY, ALL, "clock_gettime", { UINT32_MAX - 8 * 100 + 2, ANY } },
	{ EVERY, ALL, "clock_gettime", { 16, ANY } },
	{ ARM, ALL, "clock_gettime64", { UINT32_MAX - 8 * 100 + 2, ANY } },
	{ EVERY, NET | DMSG, "getpid", { 0 } },
	{ EVERY, NET | DMSG, "getrandom", { ANY, 32, 0 } },
	{ EVERY, NET | DMSG, "poll", { ANY, 1, 0 } },
	{ EVERY, HTTP | TLS | CON, "epoll_wait", { ANY, 1, 0 } },
	/* Threads, namespaces; what else prctl(2) has. */
	{ EVERY, NAMES, "clone", { 0x003d0f00 } },
	{ EVERY, NAMES, "clone", { CLONE_NEWUSER | SIGCHLD } },
	{ EVERY, NAMES, "clone", { CLONE_VM | SIGCHLD } },
	{ EVERY, NAMES, "prctl", { 22, 1 } },
	{ EVERY, ALL & ~NAMES, "prctl", { PR_SET_PDEATHSIG, SIGKILL } },
	{ X86 | ARM, ALL & ~NAMES, "fork", { 0 } },
	{ EVERY, ALL, "vfork", { 0 } },
	/* Of the one that listens: other kinds, folders, files. */
	{ EVERY, FWD, "socket", { AF_UNIX, SOCK_DGRAM, 0 } },
	{ EVERY, FWD, "socket", { AF_UNIX, SOCK_SEQPACKET, 0 } },
	{ EVERY, FWD, "socket", { AF_INET, SOCK_DGRAM, 0 } },
	{ EVERY, FWD, "socket", { AF_INET, SOCK_STREAM, 262 } },
	{ EVERY, FWD, "socket", { AF_NETLINK, SOCK_RAW, 0 } },
	{ EVERY, FWD, "unlinkat", { UINT64_MAX - 99, ANY, 0x200 } },
	{ EVERY, FWD, "setsockopt", { 9, SOL_SOCKET, SO_REUSEPORT, ANY, 4 } },
	{ EVERY, FWD, "setsockopt", { 9, SOL_SOCKET, SO_BINDTODEVICE } },
	{ EVERY, FWD, "rename", { ANY, ANY } },
	{ EVERY, FWD, "mkdirat", { UINT64_MAX - 99, ANY, 0700 } },
	{ EVERY, ALL & ~FWD, "unlinkat", { UINT64_MAX - 99, ANY, 0 } },
};

static void
test_forbidden(void **state)
{
	(void)state;
	check_calls(forbidden, LENGTH(forbidden), false);
}

/* --- every other call there is --- */

static bool
is_needed(const char *name, size_t arch, int program)
{
	for (size_t i = 0; i < LENGTH(needed); i++)
		if (needed[i].archs & 1U << arch &&
		    needed[i].programs & 1U << program &&
		    strcmp(needed[i].name, name) == 0)
			return true;
	return false;
}

/* Some that pass with what they are tried with; the rest have arguments. */
static void
test_others(void **state)
{
	static const uint64_t args[][6] = { { 0 }, { 3, 1, 0, 0, 0, 0 },
		{ 0, 4096, 1, 0x22, UINT64_MAX, 0 }, { 1, 2, 3, 4, 5, 6 } };
	unsigned passed = 0, unnamed = 0;
	char *name;

	(void)state;
	for (size_t a = 0; a < LENGTH(archs); a++)
		for (int p = 0; p < SANDBOX_PROGRAMS; p++)
			for (int n = 0; n < NUMBERS; n++)
				for (size_t i = 0; i < LENGTH(args); i++) {
					if (!passes(&filters[a][p], n, args[i]))
						continue;
					passed++;
					name = seccomp_syscall_resolve_num_arch(
					    archs[a], n);
					unnamed += name == NULL;
					if (name != NULL &&
					    !is_needed(name, a, p))
						fail_msg("%s, %s, arch %#x",
						    name, programs[p],
						    archs[a]);
					free(name);
				}
	assert_int_equal(unnamed, 0);
	assert_true(passed > 1000);
}

/* The numbers of another architecture, and those outside of the table. */
static void
test_elsewhere(void **state)
{
	static const uint32_t foreign[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86,
		SCMP_ARCH_AARCH64, SCMP_ARCH_ARM, SCMP_ARCH_RISCV64,
		SCMP_ARCH_MIPS, 0 };
	static const int numbers[] = { -1, 0x40000000, 0x40000003, ARM_PRIVATE,
		ARM_PRIVATE + 2, ARM_PRIVATE + 5, INT32_MAX };
	static const uint64_t args[6];
	struct filter *f;

	(void)state;
	for (size_t a = 0; a < LENGTH(archs); a++)
		for (int p = 0; p < SANDBOX_PROGRAMS; p++) {
			f = &filters[a][p];
			for (size_t i = 0; i < LENGTH(numbers); i++)
				assert_false(passes(f, numbers[i], args));
			for (size_t i = 0; i < LENGTH(foreign); i++) {
				f->arch = foreign[i];
				for (int n = 0; n < NUMBERS; n++)
					if (foreign[i] != archs[a])
						assert_false(
						    passes(f, n, args));
			}
			f->arch = archs[a];
		}
}

/* What skyptyd check prints: of net by hand. */
static void
test_count(void **state)
{
	unsigned n = 0;
	int number;

	(void)state;
	for (size_t i = 0; i < LENGTH(needed); i++) {
		if (!(needed[i].programs & NET) ||
		    (i != 0 && strcmp(needed[i].name, needed[i - 1].name) == 0))
			continue;
		number = seccomp_syscall_resolve_name(needed[i].name);
		n += number >= 0;
	}
	assert_true(n > 20);
	/* ioctl stands in two rows. */
	assert_int_equal(sandbox_filter_calls(SANDBOX_NET), n);
	assert_true(sandbox_filter_calls(SANDBOX_TLS) <
	    sandbox_filter_calls(SANDBOX_HTTP));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_needed),
		cmocka_unit_test(test_forbidden),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_count),
	};

	return cmocka_run_group_tests(tests, make_all, NULL);
}
