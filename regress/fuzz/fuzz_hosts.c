/* SPDX-License-Identifier: ISC */
/*
 * The file of names, as skypty, skypty-ssh and the completions read it.  What
 * it includes is itself, or nothing: glob is wrapped.
 */
#include "regress/fuzz/host.h"

#include <glob.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "client/hosts.h"
#include "client/ssh/ssh_opts.h"

#define INPUT_MAX 4096

int __wrap_glob(const char *, int, int (*)(const char *, int), glob_t *);
void __wrap_globfree(glob_t *);

static const char *const aliases[] = { "build", "a", "root@x.example", "", "-x",
	"[::1]:22" };

static int names = -1;
static char path[64];

int
__wrap_glob(const char *pattern, int flags, int (*error)(const char *, int),
    glob_t *g)
{
	(void)flags, (void)error;
	memset(g, 0, sizeof(*g));
	if (strchr(pattern, '0') != NULL)
		return GLOB_NOMATCH;
	if (strchr(pattern, '1') != NULL)
		return GLOB_ABORTED;
	require((g->gl_pathv = calloc(2, sizeof(*g->gl_pathv))) != NULL);
	require((g->gl_pathv[0] = strdup(path)) != NULL);
	g->gl_pathc = 1;
	return 0;
}

void
__wrap_globfree(glob_t *g)
{
	free(g->gl_pathv[0]);
	free(g->gl_pathv);
}

/* Its one value of each keyword, or none at all. */
static int
look(const char *alias, struct ssh_opts *ssh, struct host *h)
{
	bool found;
	int r = ssh != NULL ? hosts_find_ssh(h, path, alias, ssh, &found) :
			      hosts_find(h, path, alias, &found);

	require(r == 0 || r == EXIT_USAGE || r == EXIT_FAILED);
	require(!found || (r == 0 && (h->key != NULL || h->via != NULL)));
	return r;
}

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* What was said is asked of, as skypty-ssh does. */
static void
ask(struct ssh_opts *ssh)
{
	(void)ssh_opts_number(ssh, SSH_CONNECT_TIMEOUT, 0);
	(void)ssh_opts_number(ssh, SSH_ALIVE_INTERVAL, 0);
	(void)ssh_opts_proxy(ssh);
	(void)ssh_opts_yes(ssh, SSH_STDIN_NULL);
	(void)ssh_opts_check(ssh);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	require((names = memfd_create("names", 0)) != -1);
	require(fchmod(names, 0600) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", names);
	require(freopen("/dev/null", "w", stdout) != NULL);
	require(setenv("HOME", "/nonexistent", 1) == 0);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct ssh_opts ssh = { 0 };
	struct host h, again;
	const char *alias;
	int r;

	if (n == 0 || n > INPUT_MAX)
		return 0;
	alias = aliases[*data % (sizeof(aliases) / sizeof(aliases[0]))];
	require(ftruncate(names, 0) == 0);
	require(pwrite(names, data + 1, n - 1, 0) == (ssize_t)(n - 1));
	(void)hosts_list(path);
	r = look(alias, NULL, &h);
	require(look(alias, NULL, &again) == r);
	require(same(h.key, again.key) && same(h.address, again.address) &&
	    same(h.port, again.port) && same(h.via, again.via));
	hosts_free(&again);
	hosts_free(&h);
	if (look(alias, &ssh, &h) >= 0)
		ask(&ssh);
	hosts_free(&h);
	ssh_opts_free(&ssh);
	return 0;
}
