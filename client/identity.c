/* SPDX-License-Identifier: ISC */
/*
 * Whose key is used: --sk, -i, DMSGPTY_SK, the local visor's, our own file, a
 * random one.  PROTOCOL.pty 11.8.
 */
#include "client/identity.h"
#include "client/complain.h"
#include "client/exits.h"
#include "client/offer.h"
#include "client/options.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/privsep/config.h"
#include "common/pty/keys.h"

char *
user_file(const char *name)
{
	const char *home = getenv("HOME");
	const struct passwd *pw;
	char *path;

	if ((home == NULL || *home == '\0') &&
	    (pw = getpwuid(getuid())) != NULL)
		home = pw->pw_dir;
	if (home == NULL ||
	    asprintf(&path, "%s/.config/skypty/%s", home, name) == -1)
		return NULL;
	return path;
}

void
identity_free(struct identity *id)
{
	sodium_free(id->sk);
	id->sk = NULL;
}

static int
identity_from_text(struct identity *id, struct keyctx *ctx, const char *text,
    const char *source)
{
	id->source = source;
	return key_parse_secret(ctx, text, id->sk);
}

/* A file that others can read holds no secret. */
static int
identity_from_file(struct identity *id, struct keyctx *ctx, const char *path)
{
	char text[KEY_SECRET_HEX + 2];
	struct stat st;
	int fd, r = EXIT_FAILED;
	ssize_t n;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1) {
		complain("%s: %s", path, strerror(errno));
		return EXIT_FAILED;
	}
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		complain("%s: not a regular file", path);
	else if ((st.st_mode & 077) != 0)
		complain("%s: others may read it (mode %04o); run: chmod 600 "
			 "%s",
		    path, (unsigned)(st.st_mode & 07777), path);
	else {
		n = read(fd, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		text[strcspn(text, "\r\n")] = '\0';
		if (identity_from_text(id, ctx, text, path) == 0)
			r = 0;
		else
			complain("%s: holds no secret key (64 hexadecimal "
				 "digits)",
			    path);
		explicit_bzero(text, sizeof(text));
	}
	close(fd);
	return r;
}

static void
identity_say_visor(void *arg, bool fatal, const char *text)
{
	(void)arg, (void)fatal;
	complain("the visor's key is not used: %s", text);
}

/* A visor that is not there is not worth a word. */
static bool
identity_from_visor(struct identity *id, struct keyctx *ctx,
    const struct client_options *o)
{
	struct config_report report = { .say = o->quiet ? NULL :
							  identity_say_visor };
	uint8_t *sk;

	if (access(VISOR_CONF, F_OK) == -1) {
		if (o->verbose)
			complain("no visor here (%s)", VISOR_CONF);
		return false;
	}
	if (config_visor_sk(ctx, VISOR_CONF, &sk, &report) != 0)
		return false;
	sodium_free(id->sk);
	id->sk = sk;
	id->source = VISOR_CONF;
	return true;
}

/* DMSGPTY_SK with a mistake: said, and passed over. */
static bool
identity_from_environment(struct identity *id, struct keyctx *ctx)
{
	const char *text = getenv("DMSGPTY_SK");

	if (text == NULL || *text == '\0')
		return false;
	if (identity_from_text(id, ctx, text, "DMSGPTY_SK") == 0)
		return true;
	complain("DMSGPTY_SK is not a secret key and is not used");
	return false;
}

static int
identity_from_own_file(struct identity *id, struct keyctx *ctx, bool *found)
{
	char *path = user_file("identity");
	int r = 0;

	*found = path != NULL && access(path, F_OK) == 0;
	if (*found && (r = identity_from_file(id, ctx, path)) == 0)
		id->source = "~/.config/skypty/identity";
	free(path);
	return r;
}

static int
identity_choose(struct identity *id, struct keyctx *ctx,
    const struct client_options *o)
{
	bool found;
	int r;

	if (o->sk != NULL && *o->sk != '\0') {
		if (identity_from_text(id, ctx, o->sk, "--sk") == 0)
			return 0;
		complain("--sk: not a secret key (64 hexadecimal digits)");
		return EXIT_USAGE;
	}
	/* ssh has one status for all that is its own fault. */
	if (o->offer != NULL)
		return identity_from_file(id, ctx,
		    o->offer->key[o->offer->now].file);
	if (o->identity != NULL)
		return identity_from_file(id, ctx, o->identity) == 0 ? 0 :
		    o->duplex ? EXIT_FAILED :
				EXIT_USAGE;
	if (identity_from_environment(id, ctx))
		return 0;
	if (o->visor_key && identity_from_visor(id, ctx, o))
		return 0;
	if ((r = identity_from_own_file(id, ctx, &found)) != 0)
		return o->duplex ? EXIT_FAILED : EXIT_USAGE;
	if (found)
		return 0;
	id->source = "random; 'skypty keygen' makes one that stays";
	id->fresh = true;
	return key_generate(ctx, id->sk) == 0 ? 0 : EXIT_FAILED;
}

int
identity_find(struct identity *id, struct keyctx *ctx,
    const struct client_options *o)
{
	int r;

	if ((id->sk = sodium_malloc(KEY_SECRET_LEN)) == NULL)
		return EXIT_FAILED;
	if ((r = identity_choose(id, ctx, o)) == 0 &&
	    key_public(ctx, id->sk, &id->pk) != 0)
		r = EXIT_FAILED;
	if (r != 0)
		identity_free(id);
	return r;
}

int
identity_public(struct keyctx *ctx, const char *path, char pk[KEY_PUBLIC_HEX])
{
	struct client_options o = { .identity = path, .duplex = true };
	struct identity id = { 0 };

	if (identity_find(&id, ctx, &o) != 0)
		return EXIT_FAILED;
	key_text(&id.pk, pk);
	identity_free(&id);
	return 0;
}
