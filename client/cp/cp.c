/* SPDX-License-Identifier: ISC */
/* skypty cp: copies files to a host or from one, by SFTP. */
#include "client/cp/cp.h"
#include "client/commands.h"
#include "client/complain.h"
#include "client/exits.h"
#include "client/flags.h"
#include "client/hosts.h"
#include "client/options.h"
#include "client/remote.h"
#include "client/sftp/sftp.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "common/pty/keys.h"

/* The one copy of this process. */
static struct cp cp;

/* --- sources and target --- */

static int
cp_misused(const char *why, const char *word)
{
	complain("cp%s%s: %s", word != NULL ? " " : "",
	    word != NULL ? word : "", why);
	return EXIT_USAGE;
}

/* Without a path it is where the host's SFTP server starts: home. */
static char *
cp_path_of(char *path)
{
	size_t skip = 0;

	if (path[0] == '~' && (path[1] == '/' || path[1] == '\0'))
		skip = path[1] == '/' ? 2 : 1;
	memmove(path, path + skip, strlen(path + skip) + 1);
	if (*path != '\0')
		return path;
	free(path);
	return strdup(".");
}

/* Takes the hosts off the words in place; they have to be one. */
static int
cp_split_sources(char **words)
{
	char *dest, *path;
	bool same;

	for (; *words != NULL; words++) {
		if (!remote_split(*words, &dest, &path))
			return cp_misused("names no host; one side of a copy "
					  "is pk@host:path, and only one",
			    *words);
		same = cp.host == NULL || strcmp(cp.host, dest) == 0;
		free(cp.host);
		cp.host = dest;
		if (!same) {
			free(path);
			return cp_misused("is on another host than the others",
			    *words);
		}
		if ((*words = cp_path_of(path)) == NULL)
			return EXIT_FAILED;
	}
	return 0;
}

static int
cp_check_local(char **words)
{
	char *dest, *path;

	for (; *words != NULL; words++) {
		if (**words == '\0')
			return cp_misused("an empty name", NULL);
		if (!remote_split(*words, &dest, &path))
			continue;
		free(dest);
		free(path);
		return cp_misused("is on a host, as the target is; a file here "
				  "is ./NAME",
		    *words);
	}
	return 0;
}

static int
cp_words(int n, char **words)
{
	char *dest, *path;

	if (n < 2)
		return cp_misused("a source and a target are needed", NULL);
	cp.target = words[n - 1];
	words[n - 1] = NULL;
	cp.sources = words;
	cp.many = n > 2;
	if (!remote_split(cp.target, &dest, &path)) {
		cp.way = cp_get_way();
		if (*cp.target == '\0')
			return cp_misused("an empty name", NULL);
		return cp_split_sources(words);
	}
	cp.way = cp_put_way();
	cp.host = dest;
	cp.target = cp_path_of(path);
	return cp.target != NULL ? cp_check_local(words) : EXIT_FAILED;
}

/* --- the command --- */

static void
cp_begin(const struct client_options *o)
{
	cp.opts = o;
	cp.read_size = SFTP_CHUNK;
	umask(cp.mask = umask(0));
	cp.recursive = o->recursive;
	cp.preserve = o->preserve;
	cp.resume = o->resume;
}

int
cp_one(const struct client_options *o, struct keyctx *ctx, bool put,
    const char *source, const char *target)
{
	char *words[] = { strdup(source), NULL };

	cp_begin(o);
	cp.sources = words;
	cp.way = put ? cp_put_way() : cp_get_way();
	cp.target = strdup(target);
	if (words[0] == NULL || cp.target == NULL)
		return EXIT_FAILED;
	if (put)
		cp.target = cp_path_of(cp.target);
	else
		words[0] = cp_path_of(words[0]);
	return words[0] != NULL && cp.target != NULL ? cp_run(&cp, ctx) :
						       EXIT_FAILED;
}

int
cp_main(int argc, char **argv)
{
	struct client_options o;
	struct keyctx *ctx;
	int r;

	options_init(&o);
	o.visor_key = true;
	if ((r = flags_take(&o, STYLE_COPY, argv[0], argc, argv, NULL)) != 0 ||
	    (r = cp_words(argc - optind, argv + optind)) != 0)
		return r;
	cp_begin(&o);
	if ((ctx = keyctx_new()) == NULL)
		return EXIT_FAILED;
	if ((r = options_dest(&o, ctx, cp.host)) == 0)
		r = cp_run(&cp, ctx);
	keyctx_free(ctx);
	hosts_free(&o.alias);
	offer_free(&o.agents);
	return r;
}
