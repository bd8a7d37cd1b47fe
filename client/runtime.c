/* SPDX-License-Identifier: ISC */
/* A folder for what lives no longer than its user is logged in. */
#include "client/runtime.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/hex.h"
#include "common/privsep/control.h"

#define NAME_BYTES 16

static bool
runtime_is_ours(const char *folder, mode_t others)
{
	struct stat st;

	return *folder == '/' && lstat(folder, &st) == 0 &&
	    S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	    (st.st_mode & others) == 0;
}

/* Makes a folder of ours alone in one that others may not write to. */
static bool
runtime_make(char *path, size_t len, const char *in, const char *name)
{
	if (!runtime_is_ours(in, 022) ||
	    (size_t)snprintf(path, len, "%s/%s", in, name) >= len)
		return false;
	return (mkdir(path, 0700) == 0 || errno == EEXIST) &&
	    runtime_is_ours(path, 077);
}

/* A system's service, and old systems, have no folder for a login. */
bool
runtime_folder(char path[RUNTIME_MAX])
{
	const char *home = getenv("HOME");
	char login[CONTROL_PATH_MAX], cache[RUNTIME_MAX];

	if (control_runtime(login) &&
	    runtime_make(path, RUNTIME_MAX, login, "skypty"))
		return true;
	if (geteuid() == 0 &&
	    runtime_make(path, RUNTIME_MAX, "/run", "skypty-sessions"))
		return true;
	if (home == NULL || !runtime_is_ours(home, 022) ||
	    (size_t)snprintf(cache, sizeof(cache), "%s/.cache", home) >=
		sizeof(cache))
		return false;
	(void)mkdir(cache, 0700);
	return runtime_make(path, RUNTIME_MAX, cache, "skypty");
}

bool
runtime_path(char path[RUNTIME_MAX], const void *of, size_t len,
    const char *suffix)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	char folder[RUNTIME_MAX], name[2 * NAME_BYTES + 1];

	if (!runtime_folder(folder))
		return false;
	crypto_hash_sha256(hash, of, len);
	hex_encode(hash, NAME_BYTES, name);
	return snprintf(path, RUNTIME_MAX, "%s/%s%s", folder, name, suffix) <
	    RUNTIME_MAX;
}
