/* SPDX-License-Identifier: ISC */
/*
 * What mounts there are, and which have gone without being asked to: nobody
 * reads the error output of one in the background, and its folder looks like
 * any other afterwards.  A note is a file: folder, host, and what became of it.
 */
#include "client/fs_notes.h"
#include "client/complain.h"
#include "client/exits.h"
#include "client/fs.h"
#include "client/runtime.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/process.h"
#include "common/base/visible.h"

#define SUFFIX ".mount"
#define LINE   (PROCESS_PATH_MAX + 64)

static bool
fs_note_path(char path[RUNTIME_MAX], const char *dir)
{
	return runtime_path(path, dir, strlen(dir), SUFFIX);
}

/* Without one there is less to list. */
void
fs_note_write(const char *dir, const char *host, const char *state)
{
	char path[RUNTIME_MAX];
	struct file_new f;

	if (!fs_note_path(path, dir) || file_new_open(&f, path) != 0)
		return;
	if (dprintf(f.fd, "%s%c%s%c%s%c", dir, 0, host, 0, state, 0) < 0)
		file_new_drop(&f);
	else
		(void)file_new_commit(&f, true);
}

void
fs_note_lost(const char *dir, const char *host, const char *why)
{
	char state[1200], when[64] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%F %T", &tm);
	snprintf(state, sizeof(state), "not mounted any more since %s: %s",
	    when, why);
	fs_note_write(dir, host, state);
}

void
fs_note_remove(const char *dir)
{
	char path[RUNTIME_MAX];

	if (fs_note_path(path, dir))
		(void)unlink(path);
}

/* --- the list --- */

/* Folder, host, state.  Killed, a mount could leave no word of its end. */
static void
fs_note_show(char *const part[3])
{
	const char *state = part[2];
	char text[LINE];

	if (*state == '\0')
		state =
		    fs_is_mounted(part[0]) ? "mounted" : "not mounted any more";
	for (int i = 0; i < 3; i++) {
		const char *p = i < 2 ? part[i] : state;

		visible_text(text, sizeof(text), p, strlen(p), 0);
		printf("%s%c", text, i < 2 ? '\t' : '\n');
	}
}

static void
fs_note_print(const char *folder, const char *name)
{
	char path[RUNTIME_MAX + 256], *part[3] = { NULL };
	size_t size[3] = { 0 };
	int n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if ((f = fopen(path, "re")) == NULL)
		return;
	while (n < 3 && getdelim(&part[n], &size[n], 0, f) != -1)
		n++;
	/* A folder that is gone leaves nobody to be told. */
	if (n == 3 && access(part[0], F_OK) == -1 && errno == ENOENT)
		(void)unlink(path);
	else if (n == 3)
		fs_note_show(part);
	for (int i = 0; i < 3; i++)
		free(part[i]);
	fclose(f);
}

int
fs_note_list(void)
{
	char folder[RUNTIME_MAX];
	struct dirent *e;
	DIR *d;

	if (!runtime_folder(folder) || (d = opendir(folder)) == NULL) {
		complain("there is no folder of ours for notes: neither "
			 "XDG_RUNTIME_DIR nor HOME is one that others cannot "
			 "write to");
		return EXIT_FAILED;
	}
	while ((e = readdir(d)) != NULL) {
		size_t n = strlen(e->d_name);

		if (n > strlen(SUFFIX) &&
		    strcmp(e->d_name + n - strlen(SUFFIX), SUFFIX) == 0)
			fs_note_print(folder, e->d_name);
	}
	closedir(d);
	return 0;
}
