/* SPDX-License-Identifier: ISC */
/*
 * The table of system calls.  A row allows one call, to the programs that it
 * names, when all of its arguments are as it says; the comment above says what
 * the call can do then, and why that harms nobody.
 *
 * What every row rests on: a confined program, but for those that connect,
 *which are the last part of the table, can make no descriptor but by fcntl(2)'s
 * duplicates, by what its monitor sends, and, in the child of a connection, by
 * accepting who comes to a socket that was sent so; and what it was given are
 * pipes and terminals of its own sessions, and sockets, all of them streams or
 * packets in order, that are connected or listen.  A connected socket of TCP
 * stays so, in the kernel's books, until it is closed: connect(2) is not in the
 * table, a send that connects needs MSG_FASTOPEN or an address, shutdown(2)
 * makes an unconnected socket only of one that listens and only when it ends
 * reading.
 *
 * Names differ: an architecture has poll or only ppoll, mmap or mmap2, and the
 * 32-bit ones have calls for 64-bit times.  libseccomp leaves out what an
 * architecture does not know, so a row stands there for each name that libc
 * (glibc or musl) uses on x86_64, aarch64, arm and riscv64:
 *
 *	wait for descriptors	poll, ppoll, ppoll_time64
 *	wait for events		epoll_wait, epoll_pwait
 *	map memory		mmap, mmap2
 *	the time		clock_gettime, clock_gettime64, gettimeofday,
 *				time
 *	wait for a lock		futex, futex_time64
 *	send, receive		sendto and send, recvfrom and recv
 *	control a descriptor	fcntl, fcntl64
 *	after a signal		rt_sigreturn, sigreturn
 *	a file and its size	openat, open; fstat, fstat64, newfstatat,
 *				fstatat64, stat, stat64, statx; lseek, _llseek
 *
 * The kernel looks at the low half alone where an argument is an int, and libc
 * may leave anything in the upper one; of a long or a pointer it takes all.
 */
#include "common/privsep/sandbox_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "common/privsep/privmsg.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define ARGS_MAX  3

/* The argument is this value. */
#define IS(n, value)                                               \
	{                                                          \
		.arg = (n), .op = SCMP_CMP_EQ, .datum_a = (value), \
	}
/* An int that is this value, and one that has no bits but these. */
#define INT_IS(n, value)                                                     \
	{                                                                    \
		.arg = (n), .op = SCMP_CMP_MASKED_EQ, .datum_a = UINT32_MAX, \
		.datum_b = (scmp_datum_t)(value),                            \
	}
#define INT_BITS(n, bits)                                                    \
	{                                                                    \
		.arg = (n), .op = SCMP_CMP_MASKED_EQ,                        \
		.datum_a = UINT32_MAX & ~(scmp_datum_t)(bits), .datum_b = 0, \
	}
#define INT_BITS_AND(n, bits, always)                          \
	{                                                      \
		.arg = (n), .op = SCMP_CMP_MASKED_EQ,          \
		.datum_a = UINT32_MAX & ~(scmp_datum_t)(bits), \
		.datum_b = (always),                           \
	}
/* A long that has no bits but these, or these ones for certain. */
#define LONG_BITS(n, bits)                                      \
	{                                                       \
		.arg = (n), .op = SCMP_CMP_MASKED_EQ,           \
		.datum_a = ~(scmp_datum_t)(bits), .datum_b = 0, \
	}
#define LONG_BITS_AND(n, bits, always)                                 \
	{                                                              \
		.arg = (n), .op = SCMP_CMP_MASKED_EQ,                  \
		.datum_a = ~(scmp_datum_t)(bits), .datum_b = (always), \
	}

#define NET   (1U << SANDBOX_NET)
#define DMSG  (1U << SANDBOX_DMSG)
#define HTTP  (1U << SANDBOX_HTTP)
#define TLS   (1U << SANDBOX_TLS)
#define CON   (1U << SANDBOX_CONNECT)
#define AGENT (1U << SANDBOX_AGENT)
#define REC   (1U << SANDBOX_RECORD)
#define FWD   (1U << SANDBOX_FORWARD)
#define NAMES (1U << SANDBOX_NAMES)
/* Who asks name servers. */
#define ASK (CON | NAMES)
#define ALL (NET | DMSG | HTTP | TLS | ASK | AGENT | REC | FWD)

/* Newer than the headers of Debian 12: linux/mman.h, since Linux 6.11. */
#define MY_MAP_DROPPABLE 0x08

/* Flags of sending and receiving; what else there is, see the rows. */
#define SEND_BITS    (MSG_NOSIGNAL | MSG_DONTWAIT)
#define RECEIVE_BITS (MSG_CMSG_CLOEXEC | MSG_DONTWAIT | MSG_PEEK)

#define SOCKET_BITS (SOCK_CLOEXEC | SOCK_NONBLOCK)
/* O_LARGEFILE and O_NOFOLLOW, on arm and aarch64 the other way round. */
#define LARGE_BITS (0100000 | 0400000)
/* Reading is no bit. */
#define OPEN_BITS (O_CLOEXEC | O_NONBLOCK | O_NOCTTY | LARGE_BITS)
/* musl adds O_LARGEFILE, which the kernel leaves as it is. */
#define SETFL_BITS (O_ACCMODE | O_NONBLOCK | LARGE_BITS)

#define MAP_BITS (MAP_NORESERVE | MAP_STACK | MAP_FIXED)
#define MAP_OWN	 (MAP_PRIVATE | MAP_ANONYMOUS)

/* What the C library says to the kernel for a new process. */
#define FORK_BITS (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)

#define FUTEX_OWN(op) ((op) | FUTEX_PRIVATE_FLAG)

static const struct rule {
	int call;
	unsigned programs;
	unsigned nargs;
	struct scmp_arg_cmp arg[ARGS_MAX];
} rules[] = {
	/*
	 * Bytes of descriptors that it has.  Without flags and addresses; a
	 * write to a regular file, should it ever have one, is fatal by
	 * RLIMIT_FSIZE.  skypty-record has one, which it can only append to.
	 */
	{ SCMP_SYS(read), ALL, 0, { { 0 } } },
	{ SCMP_SYS(readv), ALL, 0, { { 0 } } },
	{ SCMP_SYS(write), ALL, 0, { { 0 } } },
	{ SCMP_SYS(writev), ALL, 0, { { 0 } } },
	{ SCMP_SYS(close), ALL, 0, { { 0 } } },

	/*
	 * Messages from and to the monitor.  The address in a message is behind
	 * a pointer and cannot be looked at: a connected stream has no use for
	 * it, without MSG_FASTOPEN, and a pair of packets ignores it.  So the
	 * flags decide.  Descriptors that go to a monitor are dropped there,
	 * and end the sender.  MSG_ERRQUEUE, MSG_OOB, MSG_ZEROCOPY and others
	 * only lead into seldom used parts of the kernel.  A connection's child
	 * has its monitor at one number: by a Unix socket that is forwarded no
	 * descriptor comes or goes.
	 */
	{ SCMP_SYS(sendmsg), DMSG | HTTP | ASK | AGENT | REC | FWD, 1,
	    { INT_BITS(2, SEND_BITS) } },
	{ SCMP_SYS(sendmsg), NET, 2,
	    { INT_IS(0, PRIV_FD_PEER), INT_BITS(2, SEND_BITS) } },
	{ SCMP_SYS(recvmsg), DMSG | HTTP | ASK | AGENT | FWD, 1,
	    { INT_BITS(2, RECEIVE_BITS) } },
	{ SCMP_SYS(recvmsg), NET, 2,
	    { INT_IS(0, PRIV_FD_PEER), INT_BITS(2, RECEIVE_BITS) } },

	/* Who comes to a listener that the monitor has sent. */
	{ SCMP_SYS(accept4), NET, 1,
	    { INT_IS(3, SOCK_NONBLOCK | SOCK_CLOEXEC) } },

	/* libwebsockets on its browsers' sockets, and a pair: no destination.
	 */
	{ SCMP_SYS(sendto), HTTP | FWD, 2,
	    { INT_BITS(3, SEND_BITS), IS(4, 0) } },
	{ SCMP_SYS(send), HTTP | FWD, 1, { INT_BITS(3, SEND_BITS) } },
	{ SCMP_SYS(recvfrom), HTTP | ASK | FWD, 1,
	    { INT_BITS(3, RECEIVE_BITS) } },
	{ SCMP_SYS(recv), HTTP | ASK | FWD, 1, { INT_BITS(3, RECEIVE_BITS) } },

	/*
	 * The end of what we send.  Ending the reading of a listener would turn
	 * it into a socket that can be connected; there is none, and no need.
	 */
	{ SCMP_SYS(shutdown), NET | DMSG | HTTP, 1, { INT_IS(1, SHUT_WR) } },

	/* libwebsockets sets this one on each of them, and no other. */
	{ SCMP_SYS(setsockopt), HTTP | ASK | FWD, 2,
	    { INT_IS(1, IPPROTO_TCP), INT_IS(2, TCP_NODELAY) } },
	/* How much may wait for the network, on its own connection. */
	{ SCMP_SYS(setsockopt), NET, 2,
	    { INT_IS(1, IPPROTO_TCP), INT_IS(2, TCP_NOTSENT_LOWAT) } },
	/* Whether its peer still answers: counters of that connection. */
	{ SCMP_SYS(getsockopt), NET, 2,
	    { INT_IS(1, IPPROTO_TCP), INT_IS(2, TCP_INFO) } },
	/* libssl's and libwebsockets' look at what went wrong. */
	{ SCMP_SYS(getsockopt), HTTP | ASK, 2,
	    { INT_IS(1, SOL_SOCKET), INT_IS(2, SO_ERROR) } },
	/* Addresses of its own sockets; nothing is changed. */
	{ SCMP_SYS(getpeername), HTTP | ASK, 0, { { 0 } } },
	{ SCMP_SYS(getsockname), HTTP | ASK | FWD, 0, { { 0 } } },

/*
 * Another number for a descriptor; whether it blocks and whether it
 * outlives execve(2), which there is none of.  Not F_SETOWN, F_SETSIG,
 * F_SETLEASE, F_NOTIFY nor O_ASYNC: they have the kernel send any
 * signal to any process of the same user.
 */
#define FCNTL(name)                                                    \
	{ SCMP_SYS(name), HTTP, 1, { INT_IS(1, F_GETFL) } },           \
	    { SCMP_SYS(name), HTTP, 2,                                 \
		    { INT_IS(1, F_SETFL), INT_BITS(2, SETFL_BITS) } }, \
	    { SCMP_SYS(name), HTTP, 1, { INT_IS(1, F_GETFD) } },       \
	    { SCMP_SYS(name), HTTP, 1, { INT_IS(1, F_SETFD) } },       \
	{                                                              \
		SCMP_SYS(name), HTTP, 1,                               \
		{                                                      \
			INT_IS(1, F_DUPFD_CLOEXEC)                     \
		}                                                      \
	}
	FCNTL(fcntl),
	FCNTL(fcntl64),
#undef FCNTL

	/*
	 * The size of its own terminal; how much there is to read.  Others,
	 * TIOCSTI and TIOCLINUX first of all, type into terminals.
	 */
	{ SCMP_SYS(ioctl), NET | REC, 1, { IS(1, TIOCSWINSZ) } },
	{ SCMP_SYS(ioctl), REC, 1, { IS(1, TIOCGWINSZ) } },
	{ SCMP_SYS(ioctl), REC, 1, { IS(1, TIOCNOTTY) } },
	{ SCMP_SYS(ioctl), NET | DMSG | ASK, 1, { IS(1, FIONREAD) } },

	/*
	 * Waiting.  Only descriptors that it has can be waited for; EPOLLWAKEUP
	 * needs a capability.  The signal masks are its own affair.
	 */
	{ SCMP_SYS(epoll_wait), NET | DMSG, 0, { { 0 } } },
	{ SCMP_SYS(epoll_pwait), NET | DMSG, 0, { { 0 } } },
	{ SCMP_SYS(epoll_ctl), NET | DMSG, 0, { { 0 } } },
	{ SCMP_SYS(poll), HTTP | TLS | ASK | AGENT | FWD, 0, { { 0 } } },
	{ SCMP_SYS(ppoll), HTTP | TLS | ASK | AGENT | FWD | REC, 0, { { 0 } } },
	{ SCMP_SYS(ppoll_time64), HTTP | TLS | ASK | AGENT | FWD | REC, 0,
	    { { 0 } } },

	/* Its one file to the disk, and how much room there is for it. */
	{ SCMP_SYS(fdatasync), REC, 0, { { 0 } } },
	{ SCMP_SYS(fstatfs), REC, 0, { { 0 } } },
	{ SCMP_SYS(fstatfs64), REC, 0, { { 0 } } },

	/*
	 * The time, where the vDSO does not serve.  Clocks from 16 on and below
	 * 0 belong to devices and other processes.
	 */
	{ SCMP_SYS(clock_gettime), ALL, 1, { INT_BITS(0, 15) } },
	{ SCMP_SYS(clock_gettime64), ALL, 1, { INT_BITS(0, 15) } },
	{ SCMP_SYS(gettimeofday), ALL, 0, { { 0 } } },
	{ SCMP_SYS(time), ALL, 0, { { 0 } } },

	/*
	 * Its own memory: private, of no file, never to be run.  Without
	 * MAP_FIXED musl's allocator does not work; what it may overlay is its
	 * own.  glibc keeps the state of the vDSO's getrandom(3) in droppable
	 * pages.
	 */
	{ SCMP_SYS(brk), ALL, 0, { { 0 } } },
#define MAP(name)                                                   \
	{ SCMP_SYS(name), ALL, 2,                                   \
		{ LONG_BITS(2, PROT_READ | PROT_WRITE),             \
		    LONG_BITS_AND(3, MAP_BITS, MAP_OWN) } },        \
	{                                                           \
		SCMP_SYS(name), ALL, 2,                             \
		{                                                   \
			LONG_BITS(2, PROT_READ | PROT_WRITE),       \
			    IS(3, MY_MAP_DROPPABLE | MAP_ANONYMOUS) \
		}                                                   \
	}
	MAP(mmap),
	MAP(mmap2),
#undef MAP
	{ SCMP_SYS(munmap), ALL, 0, { { 0 } } },
	{ SCMP_SYS(mprotect), ALL, 1,
	    { LONG_BITS(2, PROT_READ | PROT_WRITE) } },
	{ SCMP_SYS(mremap), ALL, 1, { LONG_BITS(3, MREMAP_MAYMOVE) } },
	/* What allocators say.  Others poison, pin, merge or fault in pages. */
	{ SCMP_SYS(madvise), ALL, 1, { INT_IS(2, MADV_DONTNEED) } },
	{ SCMP_SYS(madvise), ALL, 1, { INT_IS(2, MADV_FREE) } },
	{ SCMP_SYS(madvise), ALL, 1, { INT_IS(2, MADV_DONTDUMP) } },
	/*
	 * Memory for a key that is locked and given back again: no more than
	 * RLIMIT_MEMLOCK, and there is no dump that it could be in.
	 */
	{ SCMP_SYS(madvise), AGENT, 1, { INT_IS(2, MADV_DODUMP) } },
	{ SCMP_SYS(mlock), AGENT, 0, { { 0 } } },
	{ SCMP_SYS(munlock), AGENT, 0, { { 0 } } },

/*
 * Locks between threads, of which there is one: what libc's once and
 * stdio may call.  Only of private memory, and no inheritance of
 * priorities, no requeuing: that is where the kernel had its holes.
 */
#define FUTEX(name)                                                       \
	{ SCMP_SYS(name), ALL, 1, { INT_IS(1, FUTEX_OWN(FUTEX_WAIT)) } }, \
	{                                                                 \
		SCMP_SYS(name), ALL, 1,                                   \
		{                                                         \
			INT_IS(1, FUTEX_OWN(FUTEX_WAKE))                  \
		}                                                         \
	}
	FUTEX(futex),
	FUTEX(futex_time64),
#undef FUTEX

	/* Numbers that are no secret to it; no one else is concerned. */
	{ SCMP_SYS(getpid), HTTP | TLS | ASK, 0, { { 0 } } },
	{ SCMP_SYS(getrandom), HTTP | TLS | ASK | AGENT, 0, { { 0 } } },

	/* Its own signals and its own end. */
	{ SCMP_SYS(rt_sigprocmask), ALL, 0, { { 0 } } },
	{ SCMP_SYS(rt_sigreturn), ALL, 0, { { 0 } } },
	{ SCMP_SYS(sigreturn), ALL, 0, { { 0 } } },
	{ SCMP_SYS(restart_syscall), ALL, 0, { { 0 } } },
	{ SCMP_SYS(exit), ALL, 0, { { 0 } } },
	{ SCMP_SYS(exit_group), ALL, 0, { { 0 } } },

/*
 * skyptyd-connect alone.  It makes sockets of TCP and UDP and connects
 * them and sends from them where it likes: no filter can see an
 * address, Landlock can see a port of TCP where the kernel is new.  The
 * third kind asks the kernel for this machine's own addresses; to
 * change them would need a capability.  No other family, so that there
 * is no process on this machine to ask for help; no listen(2), so that
 * a bound socket meets nobody but by UDP.
 */
#define SOCKET(who, family, type)                                              \
	{                                                                      \
		SCMP_SYS(socket), who, 3,                                      \
		{                                                              \
			INT_IS(0, family), INT_BITS_AND(1, SOCKET_BITS, type), \
			    INT_IS(2, 0)                                       \
		}                                                              \
	}
	SOCKET(ASK | FWD, AF_INET, SOCK_STREAM),
	SOCKET(ASK, AF_INET, SOCK_DGRAM),
	SOCKET(ASK | FWD, AF_INET6, SOCK_STREAM),
	SOCKET(ASK, AF_INET6, SOCK_DGRAM),
	SOCKET(ASK, AF_NETLINK, SOCK_RAW),
	SOCKET(FWD, AF_UNIX, SOCK_STREAM),
#undef SOCKET
	{ SCMP_SYS(connect), ASK | FWD, 0, { { 0 } } },
	{ SCMP_SYS(bind), ASK | FWD, 0, { { 0 } } },
	{ SCMP_SYS(sendto), ASK, 1, { INT_BITS(3, SEND_BITS) } },
	{ SCMP_SYS(send), ASK, 1, { INT_BITS(3, SEND_BITS) } },
	{ SCMP_SYS(sendmmsg), ASK, 1, { INT_BITS(3, SEND_BITS) } },
	/* Keepalive, and that a refused question is told at once. */
	{ SCMP_SYS(setsockopt), ASK | FWD, 2,
	    { INT_IS(1, SOL_SOCKET), INT_IS(2, SO_KEEPALIVE) } },
	{ SCMP_SYS(setsockopt), ASK, 2,
	    { INT_IS(1, IPPROTO_IP), INT_IS(2, IP_RECVERR) } },
	{ SCMP_SYS(setsockopt), ASK, 2,
	    { INT_IS(1, IPPROTO_IPV6), INT_IS(2, IPV6_RECVERR) } },
	{ SCMP_SYS(setsockopt), ASK | FWD, 2,
	    { INT_IS(1, IPPROTO_IPV6), INT_IS(2, IPV6_V6ONLY) } },
	{ SCMP_SYS(setsockopt), FWD, 2,
	    { INT_IS(1, SOL_SOCKET), INT_IS(2, SO_REUSEADDR) } },

	/*
	 * The resolver's files, to be read and no more: Landlock says which
	 * ones, and without it those that anybody may read.
	 */
	{ SCMP_SYS(openat), ASK, 1, { INT_BITS(2, OPEN_BITS) } },
	{ SCMP_SYS(open), ASK, 1, { INT_BITS(1, OPEN_BITS) } },
	{ SCMP_SYS(lseek), ASK, 0, { { 0 } } },
	{ SCMP_SYS(_llseek), ASK, 0, { { 0 } } },
	{ SCMP_SYS(fstat), ASK, 0, { { 0 } } },
	{ SCMP_SYS(fstat64), ASK, 0, { { 0 } } },
	{ SCMP_SYS(stat), ASK, 0, { { 0 } } },
	{ SCMP_SYS(stat64), ASK, 0, { { 0 } } },
	{ SCMP_SYS(newfstatat), ASK | FWD, 0, { { 0 } } },
	{ SCMP_SYS(fstatat64), ASK | FWD, 0, { { 0 } } },
	{ SCMP_SYS(statx), ASK | FWD, 0, { { 0 } } },
	/* Its host's name, for the domain that it is in. */
	{ SCMP_SYS(uname), ASK, 0, { { 0 } } },

	/*
	 * skypty-forward's process for names: another one like itself for each,
	 * which shares nothing and ends with it, or after a while.  Which
	 * signal the end of one sends is among the flags; those of namespaces
	 * are not, nor are threads.
	 */
	{ SCMP_SYS(clone), NAMES, 1, { LONG_BITS_AND(0, FORK_BITS, SIGCHLD) } },
	{ SCMP_SYS(fork), NAMES, 0, { { 0 } } },
	{ SCMP_SYS(set_robust_list), NAMES, 0, { { 0 } } },
	{ SCMP_SYS(set_tid_address), NAMES, 0, { { 0 } } },
	{ SCMP_SYS(gettid), NAMES, 0, { { 0 } } },
	{ SCMP_SYS(alarm), NAMES, 0, { { 0 } } },
	{ SCMP_SYS(setitimer), NAMES, 0, { { 0 } } },
	{ SCMP_SYS(prctl), NAMES, 1, { INT_IS(0, PR_SET_PDEATHSIG) } },

	/*
	 * skypty-forward itself, which is the session's user: it connects and
	 * listens where that user may, and so do its sockets of the file
	 * system, which it removes again.  That it removes nothing else is its
	 * own doing: Landlock lets it make and remove names, but neither read
	 * nor write a file.
	 */
	{ SCMP_SYS(listen), FWD, 0, { { 0 } } },
	{ SCMP_SYS(lstat), FWD, 0, { { 0 } } },
	{ SCMP_SYS(lstat64), FWD, 0, { { 0 } } },
	{ SCMP_SYS(unlink), FWD, 0, { { 0 } } },
	{ SCMP_SYS(unlinkat), FWD, 1, { INT_IS(2, 0) } },
};

static bool
filter_has(const struct rule *r, enum sandbox_program program)
{
	return r->programs & 1U << program;
}

int
sandbox_filter_add(scmp_filter_ctx ctx, enum sandbox_program program)
{
	int r;

	for (size_t i = 0; i < LENGTH(rules); i++)
		if (filter_has(&rules[i], program) &&
		    (r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW,
			 rules[i].call, rules[i].nargs, rules[i].arg)) != 0)
			return r;
	return 0;
}

/* Rows of a call stand together. */
unsigned
sandbox_filter_calls(enum sandbox_program program)
{
	unsigned n = 0;
	int last = -1;

	for (size_t i = 0; i < LENGTH(rules); i++) {
		if (!filter_has(&rules[i], program) || rules[i].call == last)
			continue;
		last = rules[i].call;
		/* Below 0: what this architecture does not know. */
		n += last >= 0;
	}
	return n;
}
