/* SPDX-License-Identifier: ISC */
/* Confinement of a process that meets the network. */
#include "common/privsep/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/privsep/sandbox_filter.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Newer than the kernel headers of Debian 12.  Facts: the kernel's
 * include/uapi/linux/landlock.h and prctl.h.
 */
#define MY_PR_SET_MDWE		 65
#define MY_MDWE_REFUSE_EXEC_GAIN 1
#define MY_LANDLOCK_VERSION	 1U
#define MY_LANDLOCK_PATH	 1 /* rule types */
#define MY_LANDLOCK_PORT	 2
#define MY_LANDLOCK_READ_FILE	 (UINT64_C(1) << 2)
#define MY_LANDLOCK_REMOVE_FILE	 (UINT64_C(1) << 5)
#define MY_LANDLOCK_MAKE_SOCK	 (UINT64_C(1) << 9)
#define MY_LANDLOCK_CONNECT_TCP	 (UINT64_C(1) << 1)
#define MY_LANDLOCK_ABI_PORTS	 4

struct ruleset_attr {
	uint64_t fs;	 /* since ABI 1 */
	uint64_t net;	 /* since ABI 4 */
	uint64_t scoped; /* since ABI 6 */
};

struct path_attr {
	uint64_t access;
	int32_t parent;
} __attribute__((packed));

struct port_attr {
	uint64_t access;
	uint64_t port;
};

struct sandbox_step {
	const char *name;
	int (*run)(const struct sandbox *, char *detail, size_t);
	bool drop_only;
};

static int
sandbox_set_limit(int what, rlim_t value)
{
	struct rlimit rl = { .rlim_cur = value, .rlim_max = value };

	return setrlimit(what, &rl);
}

/* As many descriptors as the job needs, or as there may be here. */
static unsigned
sandbox_descriptors(const struct sandbox *sb)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_max < sb->nofile)
		return (unsigned)rl.rlim_max;
	return sb->nofile;
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
	unsigned descriptors = sandbox_descriptors(sb);

	snprintf(detail, n, "%u descriptors", descriptors);
	if ((!SKYPTY_SANITIZE && sb->memory != 0 &&
		sandbox_set_limit(RLIMIT_DATA, sb->memory) == -1) ||
	    sandbox_set_limit(RLIMIT_CORE, 0) == -1 ||
	    (!SKYPTY_SANITIZE && !sb->files &&
		sandbox_set_limit(RLIMIT_FSIZE, 0) == -1) ||
	    (!sb->forks && sandbox_set_limit(RLIMIT_NPROC, 0) == -1))
		return -1;
	return sandbox_set_limit(RLIMIT_NOFILE, descriptors);
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
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/*
 * One that was taken over goes with its monitor all the same.  A client's
 * skypty-tls is nobody's child.  Behind the change of users, which would undo
 * it.
 */
static int
step_monitor(const struct sandbox *sb, char *detail, size_t n)
{
	return sb->nobodys ? 0 : prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

static int
step_noprivs(const struct sandbox *sb, char *detail, size_t n)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Older kernels do not know it; seccomp says the same once more below. */
static int
step_mdwe(const struct sandbox *sb, char *detail, size_t n)
{
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

/* What cannot be had now cannot be had later. */
static int
let_path(int ruleset, const char *path, uint64_t access)
{
	struct path_attr attr = { .access = access };
	int r;

	attr.parent = open(path, O_PATH | O_CLOEXEC);
	if (attr.parent == -1)
		return 0;
	r = (int)syscall(SYS_landlock_add_rule, ruleset, MY_LANDLOCK_PATH,
	    &attr, 0U);
	close(attr.parent);
	return r;
}

static int
sandbox_let(const struct sandbox *sb, int abi, int ruleset)
{
	struct port_attr port = { .access = MY_LANDLOCK_CONNECT_TCP };
	int r = 0;

	for (size_t i = 0;
	     r == 0 && sb->readable != NULL && sb->readable[i] != NULL; i++)
		r = let_path(ruleset, sb->readable[i], MY_LANDLOCK_READ_FILE);
	if (r == 0 && sb->sockets)
		r = let_path(ruleset, "/",
		    MY_LANDLOCK_MAKE_SOCK | MY_LANDLOCK_REMOVE_FILE);
	for (size_t i = 0;
	     r == 0 && abi >= MY_LANDLOCK_ABI_PORTS && i < sb->nports; i++) {
		port.port = sb->ports[i];
		r = (int)syscall(SYS_landlock_add_rule, ruleset,
		    MY_LANDLOCK_PORT, &port, 0U);
	}
	return r;
}

static int
step_landlock(const struct sandbox *sb, char *detail, size_t n)
{
	struct ruleset_attr attr;
	int abi, fd, r;
	size_t size;

	abi = (int)syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
	    MY_LANDLOCK_VERSION);
	if (abi == -1)
		return -1;
	snprintf(detail, n, "ABI %d", abi);
	size = deny_all(abi, &attr);
	if (sb->sockets)
		attr.net = 0;
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0U);
	if (fd == -1)
		return -1;
	r = sandbox_let(sb, abi, fd);
	if (r == 0)
		r = (int)syscall(SYS_landlock_restrict_self, fd, 0U);
	close(fd);
	return r;
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
	snprintf(detail, n, "%u calls, kill process",
	    sandbox_filter_calls(sb->program));
	if ((ctx = seccomp_init(SCMP_ACT_KILL_PROCESS)) == NULL) {
		errno = ENOMEM;
		return -1;
	}
	/* x32 and i386 numbers: killed as well, not only refused. */
	r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS);
	if (r == 0 && (r = sandbox_filter_add(ctx, sb->program)) == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	errno = -r;
	return r == 0 ? 0 : -1;
}

static const struct sandbox_step steps[] = {
	{ "chroot", step_chroot, true },
	{ "rlimits", step_limits, false },
	{ "user", step_user, true },
	{ "no dump", step_nodump, false },
	{ "end with its monitor", step_monitor, false },
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
