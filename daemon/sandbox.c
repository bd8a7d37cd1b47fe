/* SPDX-License-Identifier: ISC */
/* Confinement of a process that meets the network. */
#include "daemon/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Newer than the kernel headers of Debian 12.  Facts: the kernel's
 * include/uapi/linux/landlock.h and prctl.h.
 */
#define MY_PR_SET_MDWE		 65
#define MY_MDWE_REFUSE_EXEC_GAIN 1
#define MY_LANDLOCK_VERSION	 1U

struct ruleset_attr {
	uint64_t fs;	 /* since ABI 1 */
	uint64_t net;	 /* since ABI 4 */
	uint64_t scoped; /* since ABI 6 */
};

struct step {
	const char *name;
	int (*run)(const struct sandbox *, char *detail, size_t);
	bool drop_only;
};

static int
set_limit(int what, rlim_t value)
{
	struct rlimit rl = { .rlim_cur = value, .rlim_max = value };

	return setrlimit(what, &rl);
}

/* Empty, root's and closed to others, or it is no place to be locked into. */
static int
step_chroot(const struct sandbox *sb, char *detail, size_t n)
{
	struct stat st;

	snprintf(detail, n, "%s", sb->root);
	if (stat(sb->root, &st) == -1)
		return -1;
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || st.st_mode & 022) {
		errno = EPERM;
		return -1;
	}
	if (chroot(sb->root) == -1)
		return -1;
	return chdir("/");
}

/*
 * No process, no file content, no core, and no more descriptors and memory
 * than the job needs.  RLIMIT_FSIZE kills a process that writes to a regular
 * file, also one that the sanitizers report to.
 */
static int
step_limits(const struct sandbox *sb, char *detail, size_t n)
{
	snprintf(detail, n, "%u descriptors", sb->nofile);
	if ((!SKYPTY_SANITIZE && sb->memory != 0 &&
		set_limit(RLIMIT_DATA, sb->memory) == -1) ||
	    set_limit(RLIMIT_CORE, 0) == -1 ||
	    (!SKYPTY_SANITIZE && set_limit(RLIMIT_FSIZE, 0) == -1) ||
	    set_limit(RLIMIT_NPROC, 0) == -1)
		return -1;
	return set_limit(RLIMIT_NOFILE, sb->nofile);
}

static int
step_user(const struct sandbox *sb, char *detail, size_t n)
{
	snprintf(detail, n, "uid %lu", (unsigned long)sb->uid);
	if (sb->uid == 0 || sb->gid == 0) {
		errno = EPERM;
		return -1;
	}
	if (setgroups(0, NULL) == -1 ||
	    setresgid(sb->gid, sb->gid, sb->gid) == -1)
		return -1;
	return setresuid(sb->uid, sb->uid, sb->uid);
}

static int
step_nodump(const struct sandbox *sb, char *detail, size_t n)
{
	(void)sb, (void)detail, (void)n;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int
step_noprivs(const struct sandbox *sb, char *detail, size_t n)
{
	(void)sb, (void)detail, (void)n;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Older kernels do not know it; seccomp says the same once more below. */
static int
step_mdwe(const struct sandbox *sb, char *detail, size_t n)
{
	(void)sb;
	if (prctl(MY_PR_SET_MDWE, MY_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == -1) {
		if (errno != EINVAL)
			return -1;
		snprintf(detail, n, "not in this kernel; seccomp serves");
	}
	return 0;
}

/* All rights that the kernel's ABI can take away. */
static size_t
deny_all(int abi, struct ruleset_attr *attr)
{
	/* Rights by ABI: 13 at first, REFER, TRUNCATE, -, IOCTL_DEV. */
	int fs_rights = 13 + (abi >= 2) + (abi >= 3) + (abi >= 5);

	memset(attr, 0, sizeof(*attr));
	attr->fs = (UINT64_C(1) << fs_rights) - 1;
	if (abi >= 4)
		attr->net = 3; /* bind and connect over TCP */
	if (abi >= 6)
		attr->scoped = 3; /* abstract sockets, signals */
	if (abi >= 6)
		return sizeof(*attr);
	return abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

static int
step_landlock(const struct sandbox *sb, char *detail, size_t n)
{
	struct ruleset_attr attr;
	int abi, fd, r;
	size_t size;

	(void)sb;
	abi = (int)syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
	    MY_LANDLOCK_VERSION);
	if (abi == -1)
		return -1;
	snprintf(detail, n, "ABI %d", abi);
	size = deny_all(abi, &attr);
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0U);
	if (fd == -1)
		return -1;
	r = (int)syscall(SYS_landlock_restrict_self, fd, 0U);
	close(fd);
	return r;
}

/* What reading, writing, waiting and the allocator need; no descriptor is
 * ever made but by a message from the monitor. */
static const int allowed[] = { SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write),
	SCMP_SYS(writev), SCMP_SYS(close), SCMP_SYS(recvmsg), SCMP_SYS(sendmsg),
	SCMP_SYS(shutdown), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_ctl), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(futex), SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(exit), SCMP_SYS(exit_group) };

static const int also_allowed[SANDBOX_CALLS] = {
	[SANDBOX_POLL] = SCMP_SYS(poll),
	[SANDBOX_GETRANDOM] = SCMP_SYS(getrandom),
	[SANDBOX_GETPID] = SCMP_SYS(getpid),
	[SANDBOX_ACCEPT4] = SCMP_SYS(accept4),
	[SANDBOX_RECVFROM] = SCMP_SYS(recvfrom),
	[SANDBOX_SENDTO] = SCMP_SYS(sendto),
	[SANDBOX_FCNTL] = SCMP_SYS(fcntl),
	[SANDBOX_SETSOCKOPT] = SCMP_SYS(setsockopt),
	[SANDBOX_GETSOCKOPT] = SCMP_SYS(getsockopt),
	[SANDBOX_GETPEERNAME] = SCMP_SYS(getpeername),
	[SANDBOX_GETSOCKNAME] = SCMP_SYS(getsockname),
};

/* Calls whose argument is looked at: no executable memory, no other ioctl. */
static const struct limited {
	int call;
	struct scmp_arg_cmp arg;
} limited[] = {
	{ SCMP_SYS(mmap),
	    { .arg = 2,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = PROT_EXEC,
		.datum_b = 0 } },
	{ SCMP_SYS(mprotect),
	    { .arg = 2,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = PROT_EXEC,
		.datum_b = 0 } },
	{ SCMP_SYS(ioctl),
	    { .arg = 1, .op = SCMP_CMP_EQ, .datum_a = TIOCSWINSZ } },
	{ SCMP_SYS(ioctl),
	    { .arg = 1, .op = SCMP_CMP_EQ, .datum_a = FIONREAD } },
};

static int
add_rules(scmp_filter_ctx ctx, const struct sandbox *sb)
{
	int r;

	for (size_t i = 0; i < LENGTH(allowed); i++)
		if ((r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i],
			 0)) != 0)
			return r;
	for (size_t i = 0; i < sb->nalso; i++)
		if ((r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW,
			 also_allowed[sb->also[i]], 0)) != 0)
			return r;
	for (size_t i = 0; i < LENGTH(limited); i++)
		if ((r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW,
			 limited[i].call, 1, &limited[i].arg)) != 0)
			return r;
	return 0;
}

static int
step_seccomp(const struct sandbox *sb, char *detail, size_t n)
{
	scmp_filter_ctx ctx;
	int r;

	if (SKYPTY_SANITIZE) {
		snprintf(detail, n, "left out: the sanitizers' runtime");
		return 0;
	}
	snprintf(detail, n, "%zu calls, kill process",
	    LENGTH(allowed) + sb->nalso + 3 /* mmap, mprotect, ioctl */);
	if ((ctx = seccomp_init(SCMP_ACT_KILL_PROCESS)) == NULL) {
		errno = ENOMEM;
		return -1;
	}
	/* x32 and i386 numbers: killed as well, not only refused. */
	r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS);
	if (r == 0 && (r = add_rules(ctx, sb)) == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	errno = -r;
	return r == 0 ? 0 : -1;
}

static const struct step steps[] = {
	{ "chroot", step_chroot, true },
	{ "rlimits", step_limits, false },
	{ "user", step_user, true },
	{ "no dump", step_nodump, false },
	{ "no_new_privs", step_noprivs, false },
	{ "no executable memory", step_mdwe, false },
	{ "landlock", step_landlock, false },
	{ "seccomp", step_seccomp, false },
};

int
sandbox_enter(const struct sandbox *sb, sandbox_report *report, void *arg)
{
	char detail[128];
	int error;

	for (size_t i = 0; i < LENGTH(steps); i++) {
		if (steps[i].drop_only && !sb->drop)
			continue;
		detail[0] = '\0';
		error = 0;
		if (steps[i].run(sb, detail, sizeof(detail)) == -1)
			error = errno;
		if (report != NULL)
			report(arg, steps[i].name, detail, error);
		if (error != 0 && !sb->best_effort)
			return -1;
	}
	return 0;
}
