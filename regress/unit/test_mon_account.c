/* SPDX-License-Identifier: ISC */
/*
 * account: who may have a session as whom, on accounts of this test's own: it
 * sees a /etc and a /run that it has mounted for itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/err.h"
#include "monitor/account.h"
#include "monitor/monitor.h"

#define A_LONG_TIME_AGO "1000"

static struct monitor mon;
static char why[512];
static bool ours; /* /etc and /run are */

static void
put(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "toor:x:0:0:root:/root:/nowhere/sh\n"
			     "alice:x:61001:61001::/:/bin/sh\n"
			     "bare:x:61002:61001::/nowhere:\n"
			     "locked:x:61003:61001::/:/bin/sh\n"
			     "gone:x:61004:61001::/:/bin/sh\n"
			     "stale:x:61005:61001::/:/bin/sh\n"
			     "change:x:61006:61001::/:/bin/sh\n"
			     "no:x:61007:61001::/:/usr/sbin/nologin\n"
			     "false:x:61008:61001::/:/bin/false\n"
			     "lost:x:61009:61001::/:/nowhere/sh\n"
			     "text:x:61010:61001::/:/etc/passwd\n"
			     "old:!:61011:61001::/:/bin/sh\n"
			     "key:x:61012:61001::/:/bin/sh\n";
static const char shadow[] = "root:!:19000:0:99999:7:::\n"
			     "alice:*:19000:0:99999:7:::\n"
			     "bare:*:19000:0:99999:7:::\n"
			     "locked:!$6$x:19000:0:99999:7:::\n"
			     "gone:*:19000:0:99999:7::" A_LONG_TIME_AGO ":\n"
			     "stale:*:" A_LONG_TIME_AGO ":0:90:7:::\n"
			     "change:*:0:0:99999:7:::\n"
			     "no:*:19000:0:99999:7:::\n"
			     "false:*:19000:0:99999:7:::\n"
			     "lost:*:19000:0:99999:7:::\n"
			     "text:*:19000:0:99999:7:::\n"
			     "key:*:19000:0::7:::\n";
static const char group[] = "root:x:0:\nfolk:x:61001:\n"
			    "club:x:61002:bob,alice\nother:x:61003:bob\n";

static int
set_up(void **state)
{
	(void)state;
	if (geteuid() != 0 || unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("none", "/etc", "tmpfs", 0, "mode=755") == -1 ||
	    mount("none", "/run", "tmpfs", 0, "mode=755") == -1)
		return 0;
	ours = true;
	put("/etc/passwd", passwd);
	put("/etc/shadow", shadow);
	put("/etc/group", group);
	put("/etc/nsswitch.conf",
	    "passwd: files\nshadow: files\ngroup: files\n");
	return 0;
}

static void
need_etc(void)
{
	if (!ours)
		skip();
}

static void
refused(const char *name, int error, const char *sentence)
{
	assert_int_equal(account_set(&mon, name, why, sizeof(why)), error);
	assert_string_equal(why, sentence);
}

static void
test_own(void **state)
{
	(void)state;
	assert_int_equal(account_set(&mon, NULL, why, sizeof(why)), 0);
	assert_int_equal(mon.account.pw_uid, geteuid());
	account_free(&mon.account);
	assert_null(mon.account.pw_name);
}

/* What skyptyd is already is not asked about: locked, and without a shell. */
static void
test_root(void **state)
{
	(void)state;
	need_etc();
	assert_int_equal(account_set(&mon, "root", why, sizeof(why)), 0);
	assert_int_equal(account_set(&mon, "toor", why, sizeof(why)), 0);
	assert_string_equal(mon.account.pw_name, "toor");
	account_free(&mon.account);
}

static void
test_allowed(void **state)
{
	(void)state;
	need_etc();
	assert_int_equal(account_set(&mon, "alice", why, sizeof(why)), 0);
	assert_string_equal(mon.account.pw_name, "alice");
	assert_int_equal(mon.account.pw_uid, 61001);
	assert_string_equal(account_shell(&mon.account), "/bin/sh");
	assert_int_equal(account_set(&mon, "bare", why, sizeof(why)), 0);
	assert_string_equal(account_shell(&mon.account), "/bin/sh");
	assert_int_equal(account_set(&mon, "key", why, sizeof(why)), 0);
	account_free(&mon.account);
}

/* Refused, and the session's account stays what it was. */
static void
test_refused(void **state)
{
	(void)state;
	need_etc();
	assert_int_equal(account_set(&mon, "alice", why, sizeof(why)), 0);
	refused("nobody-knows", SKY_ERR_NOTFOUND,
	    "there is no account nobody-knows");
	refused("", SKY_ERR_NOTFOUND, "there is no account ");
	refused("locked", SKY_ERR_DENIED, "the account locked is locked");
	refused("old", SKY_ERR_DENIED, "the account old is locked");
	refused("gone", SKY_ERR_DENIED, "the account gone has expired");
	refused("stale", SKY_ERR_DENIED,
	    "the password of stale has expired: it must be changed on the "
	    "host first");
	refused("change", SKY_ERR_DENIED,
	    "the password of change has expired: it must be changed on the "
	    "host first");
	refused("no", SKY_ERR_DENIED,
	    "nobody may log in as no: its shell is /usr/sbin/nologin");
	refused("false", SKY_ERR_DENIED,
	    "nobody may log in as false: its shell is /bin/false");
	refused("lost", SKY_ERR_DENIED,
	    "nobody can log in as lost: its shell /nowhere/sh does not exist");
	refused("text", SKY_ERR_DENIED,
	    "nobody can log in as text: its shell /etc/passwd is no program");
	assert_string_equal(mon.account.pw_name, "alice");
	account_free(&mon.account);
}

static void
test_nologin(void **state)
{
	(void)state;
	need_etc();
	put("/run/nologin", "The system\nis going\033 down.\n\n");
	refused("alice", SKY_ERR_DENIED,
	    "nobody but root may log in now (/run/nologin): The system is "
	    "going  down.");
	assert_int_equal(account_set(&mon, "root", why, sizeof(why)), 0);
	assert_int_equal(unlink("/run/nologin"), 0);
	put("/etc/nologin", "");
	refused("alice", SKY_ERR_DENIED,
	    "nobody but root may log in now (/etc/nologin)");
	assert_int_equal(unlink("/etc/nologin"), 0);
	/* Not one that would be waited for. */
	assert_int_equal(mkfifo("/etc/nologin", 0600), 0);
	refused("alice", SKY_ERR_DENIED,
	    "nobody but root may log in now (/etc/nologin)");
	assert_int_equal(unlink("/etc/nologin"), 0);
	assert_int_equal(account_set(&mon, "alice", why, sizeof(why)), 0);
	account_free(&mon.account);
}

/* Runs it in a new process. */
static int
in_child(int (*f)(void))
{
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(f());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
as_alice(void)
{
	gid_t groups[8];
	char folder[64];
	uid_t r, e, s;
	gid_t rg, eg, sg;

	if (account_set(&mon, "alice", why, sizeof(why)) != 0 ||
	    account_join(&mon.account) == -1 ||
	    account_become(&mon.account) == -1)
		return 1;
	if (getresuid(&r, &e, &s) == -1 || r != 61001 || e != r || s != r)
		return 2;
	if (getresgid(&rg, &eg, &sg) == -1 || rg != 61001 || eg != rg ||
	    sg != rg)
		return 3;
	if (getgroups(8, groups) != 2 || groups[0] + groups[1] != 122003)
		return 4;
	if (setuid(0) != -1 || setgid(0) != -1 || setgroups(0, NULL) != -1)
		return 5;
	if (prctl(PR_GET_DUMPABLE) != 0)
		return 6;
	return getcwd(folder, sizeof(folder)) == folder &&
		strcmp(folder, "/") == 0 ?
	    0 :
	    7;
}

/* Its home is not there. */
static int
as_bare(void)
{
	char folder[64];

	if (chdir("/etc") == -1 ||
	    account_set(&mon, "bare", why, sizeof(why)) != 0 ||
	    account_join(&mon.account) == -1 ||
	    account_become(&mon.account) == -1)
		return 1;
	return getcwd(folder, sizeof(folder)) == folder &&
		strcmp(folder, "/") == 0 ?
	    0 :
	    2;
}

/* Whoever is alice already becomes nobody else. */
static int
alice_to_bare(void)
{
	if (as_alice() != 0)
		return 1;
	if (account_set(&mon, "bare", why, sizeof(why)) != SKY_ERR_DENIED ||
	    strcmp(why,
		"nobody becomes bare here: skyptyd does not run as root") != 0)
		return 2;
	if (account_set(&mon, "root", why, sizeof(why)) != SKY_ERR_DENIED)
		return 3;
	mon.account.pw_uid = 61002;
	if (account_become(&mon.account) == 0 || errno != EPERM)
		return 4;
	mon.account.pw_uid = 0;
	return account_become(&mon.account) == 0;
}

static void
test_become(void **state)
{
	(void)state;
	need_etc();
	assert_int_equal(in_child(as_alice), 0);
	assert_int_equal(in_child(as_bare), 0);
	assert_int_equal(in_child(alice_to_bare), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nologin),
		cmocka_unit_test(test_become),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
