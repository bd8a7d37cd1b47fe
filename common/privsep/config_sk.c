/* SPDX-License-Identifier: ISC */
/*
 * The secret key in a file of its own, so that the configuration need not be
 * one.  A credential of systemd is a file, too.
 */
#include "common/privsep/config.h"

#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/err.h"
#include "common/privsep/config_file.h"
#include "common/pty/key_file.h"

#define CREDENTIAL "credential:"

/* The bits that nobody else may have; systemd's list for a user shows 0040. */
#define OTHERS		  0077
#define OTHERS_CREDENTIAL 0037

bool
config_sk_is_credential(const char *name)
{
	return strncmp(name, CREDENTIAL, sizeof(CREDENTIAL) - 1) == 0;
}

static int
config_sk_credential(const char *name, const char *conf, char path[PATH_MAX],
    const struct config_report *report)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	const char *id = name + sizeof(CREDENTIAL) - 1;

	if (*id == '\0' || strchr(id, '/') != NULL || *id == '.') {
		config_say(report, true, conf, "sk_file",
		    "\"%s\" names no credential", name);
		return SKY_ERR_FORMAT;
	}
	if (folder == NULL || *folder != '/') {
		config_say(report, true, conf, "sk_file",
		    "%s: systemd has passed no credentials on; the unit needs "
		    "LoadCredential=%s:FILE",
		    name, id);
		return SKY_ERR_NOTFOUND;
	}
	if (snprintf(path, PATH_MAX, "%s/%s", folder, id) >= PATH_MAX)
		return SKY_ERR_LIMIT;
	return 0;
}

/* A relative name is looked up where the configuration is. */
static int
config_sk_path(const char *name, const char *conf, char path[PATH_MAX],
    const struct config_report *report)
{
	const char *slash = strrchr(conf, '/');
	int n = *name == '/' || slash == NULL ? 0 : (int)(slash - conf) + 1;

	if (config_sk_is_credential(name))
		return config_sk_credential(name, conf, path, report);
	if (snprintf(path, PATH_MAX, "%.*s%s", n, conf, name) >= PATH_MAX)
		return SKY_ERR_LIMIT;
	return 0;
}

static int
config_sk_check(const struct config_report *report, const char *path,
    bool credential, const struct stat *st)
{
	mode_t others = credential ? OTHERS_CREDENTIAL : OTHERS;
	int r;

	if ((r = config_check_safety(report, path, st)) != 0)
		return r;
	if ((st->st_mode & others) == 0)
		return 0;
	config_say(report, true, path, "",
	    "others may read the secret key (mode %04o); run: chmod 600 %s",
	    (unsigned)(st->st_mode & 07777), path);
	return SKY_ERR_DENIED;
}

static int
config_sk_take(struct keyctx *ctx, struct buf *text, uint8_t *sk,
    const char **why)
{
	struct key_file f;
	char *digits;
	int r;

	*why = "holds no secret key (64 hexadecimal digits)";
	r = key_file_parse(&f, ctx, buf_ptr(text), buf_len(text));
	if (r == SKY_ERR_SHORT || f.kind == KEY_FILE_SEALED) {
		*why = "has a passphrase, which a daemon cannot be asked for; "
		       "'skypty keygen -p FILE' takes it away, and systemd can "
		       "encrypt the file (LoadCredentialEncrypted=)";
		return SKY_ERR_DENIED;
	}
	if (r == 0 && f.kind == KEY_FILE_PUBLIC)
		*why = "holds a public key; the secret one is needed";
	if (r != 0 || f.kind != KEY_FILE_PLAIN)
		return SKY_ERR_FORMAT;
	if ((digits = sodium_malloc(KEY_SECRET_HEX)) == NULL)
		return SKY_ERR_NOMEM;
	memcpy(digits, buf_ptr(text), KEY_SECRET_HEX - 1);
	digits[KEY_SECRET_HEX - 1] = '\0';
	r = key_parse_secret(ctx, digits, sk);
	sodium_free(digits);
	return r;
}

int
config_read_sk(struct keyctx *ctx, const char *name, const char *conf,
    uint8_t **sk, const struct config_report *report)
{
	const char *why = NULL;
	char path[PATH_MAX];
	struct stat st;
	struct buf text;
	int r;

	*sk = NULL;
	if ((r = config_sk_path(name, conf, path, report)) != 0)
		return r;
	if ((r = config_slurp(path, &text, &st)) != 0)
		return config_cannot_read(report, path, r);
	r = config_sk_check(report, path, config_sk_is_credential(name), &st);
	if (r == 0 && (*sk = sodium_malloc(KEY_SECRET_LEN)) == NULL)
		r = SKY_ERR_NOMEM;
	if (r == 0 && (r = config_sk_take(ctx, &text, *sk, &why)) != 0)
		config_say(report, true, path, "", "%s", why);
	buf_free(&text);
	if (r != 0) {
		sodium_free(*sk);
		*sk = NULL;
	}
	return r;
}
