/* SPDX-License-Identifier: ISC */
/* The environment of a session: a login's, with the client's on top. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/account.h"
#include "monitor/env.h"
#include "monitor/origin.h"

/* Debian's login.defs, ENV_SUPATH and ENV_PATH. */
#define PATH_ROOT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define PATH_USER "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"

/* Of the daemon's own environment only what says where it stands. */
static const char *const inherited[] = { "LANG", "LC_ALL", "LC_CTYPE", "TZ" };

#define INHERITED  (sizeof(inherited) / sizeof(inherited[0]))
#define LOGIN_VARS 10
#define MAIL_DIR   "/var/mail/"

const char *
env_path(const struct passwd *pw)
{
	return pw->pw_uid == 0 ? PATH_ROOT : PATH_USER;
}

/* Same name up to the equals sign; entries without one are never the same. */
static bool
env_same_name(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return a[n] == '=' && strncmp(a, b, n + 1) == 0;
}

/* Replaces an entry of that name or adds one; takes the string over. */
static int
env_set(char **env, size_t *n, char *entry)
{
	if (entry == NULL)
		return -1;
	for (size_t i = 0; i < *n; i++)
		if (env_same_name(entry, env[i])) {
			free(env[i]);
			env[i] = entry;
			return 0;
		}
	env[(*n)++] = entry;
	return 0;
}

static int
env_set_named(char **env, size_t *n, const char *name, const char *value)
{
	char *s;

	return env_set(env, n,
	    asprintf(&s, "%s=%s", name, value) == -1 ? NULL : s);
}

/* What software asks to find out whether it is far from its user. */
static int
env_set_origin(char **env, size_t *n, const struct session_origin *o,
    const char *tty)
{
	if (*o->pk != '\0' && env_set_named(env, n, "SKYPTY_PK", o->pk) == -1)
		return -1;
	if (*o->client == '\0')
		return 0;
	if (env_set_named(env, n, "SSH_CLIENT", o->client) == -1 ||
	    env_set_named(env, n, "SSH_CONNECTION", o->connection) == -1)
		return -1;
	return tty != NULL ? env_set_named(env, n, "SSH_TTY", tty) : 0;
}

static int
env_set_login(char **env, size_t *n, const struct passwd *pw)
{
	const char *value;
	char *mail;

	for (size_t i = 0; i < INHERITED; i++)
		if ((value = getenv(inherited[i])) != NULL &&
		    env_set_named(env, n, inherited[i], value) == -1)
			return -1;
	if (env_set_named(env, n, "HOME", pw->pw_dir) == -1 ||
	    env_set_named(env, n, "USER", pw->pw_name) == -1 ||
	    env_set_named(env, n, "LOGNAME", pw->pw_name) == -1 ||
	    env_set_named(env, n, "SHELL", account_shell(pw)) == -1 ||
	    env_set(env, n,
		asprintf(&mail, "MAIL=" MAIL_DIR "%s", pw->pw_name) == -1 ?
		    NULL :
		    mail) == -1)
		return -1;
	return env_set_named(env, n, "PATH", env_path(pw));
}

const char *
env_get(char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; *env != NULL; env++)
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

size_t
env_count(char *const *list)
{
	size_t n = 0;

	while (list != NULL && list[n] != NULL)
		n++;
	return n;
}

static int
env_set_list(char **env, size_t *n, char *const *list)
{
	for (; list != NULL && *list != NULL; list++)
		if (env_set(env, n, strdup(*list)) == -1)
			return -1;
	return 0;
}

char **
env_login(const struct passwd *pw, const struct session_origin *o,
    const char *tty, char *const *pam, char *const *client)
{
	size_t n = 0, more = env_count(pam) + env_count(client);
	char **env = calloc(LOGIN_VARS + INHERITED + more + 1, sizeof(*env));

	if (env == NULL)
		return NULL;
	if (env_set_login(env, &n, pw) == 0 &&
	    env_set_origin(env, &n, o, tty) == 0 &&
	    env_set_list(env, &n, pam) == 0 &&
	    env_set_list(env, &n, client) == 0)
		return env;
	env_free(env);
	return NULL;
}

void
env_free(char **env)
{
	for (size_t i = 0; env != NULL && env[i] != NULL; i++)
		free(env[i]);
	free(env);
}
