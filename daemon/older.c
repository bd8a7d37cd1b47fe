/* SPDX-License-Identifier: ISC */
/*
 * Connections of a skyptyd that has ended, or listens no more: their monitors
 * go on, and who serves now does not know them.  They are found by their
 * processes, so that who has revoked a key is not left to believe that nothing
 * of it is open.
 */
#include "daemon/older.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define MONITOR "skyptyd-monitor"
#define TITLE	"skyptyd: monitor "
#define SHOWN	16 /* processes that are named */

struct older_process {
	char name[32];
	long parent, uid;
};

/* The beginning of /proc/PID/WHAT; false if there is none, or no such one. */
static bool
older_read(long pid, const char *what, char *text, size_t len)
{
	char path[64];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%ld/%s", pid, what);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return false;
	n = read(fd, text, len - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static long
older_number(const char *text, const char *field)
{
	const char *at = strstr(text, field);

	return at != NULL ? strtol(at + strlen(field), NULL, 10) : -1;
}

static bool
older_look(long pid, struct older_process *p)
{
	char text[1024];

	if (!older_read(pid, "status", text, sizeof(text)) ||
	    sscanf(text, "Name:\t%31s", p->name) != 1)
		return false;
	p->parent = older_number(text, "\nPPid:\t");
	p->uid = older_number(text, "\nUid:\t");
	return true;
}

/*
 * Whether it is a monitor whose parent is no skyptyd that listens: that of
 * another one which does is known to that one, and what a monitor has forked is
 * not counted beside it.  Whoever else's is not ours to end.
 */
static bool
older_is_left(long pid)
{
	struct older_process p, parent;
	char title[64];

	return older_look(pid, &p) && strcmp(p.name, MONITOR) == 0 &&
	    p.uid == (long)geteuid() &&
	    older_read(pid, "cmdline", title, sizeof(title)) &&
	    strncmp(title, TITLE, strlen(TITLE)) == 0 &&
	    older_look(p.parent, &parent) &&
	    strcmp(parent.name, "skyptyd") != 0 &&
	    strcmp(parent.name, MONITOR) != 0;
}

void
older_tell(void)
{
	const struct dirent *e;
	char pids[SHOWN * 16] = "";
	size_t n = 0, at = 0;
	DIR *d = opendir("/proc");

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		long pid = strtol(e->d_name, NULL, 10);

		if (!isdigit((unsigned char)*e->d_name) || !older_is_left(pid))
			continue;
		if (n++ < SHOWN)
			at += (size_t)snprintf(pids + at, sizeof(pids) - at,
			    " %ld", pid);
	}
	closedir(d);
	if (n != 0)
		(void)fprintf(stderr,
		    "skyptyd: %zu more connection%s of a skyptyd that has "
		    "ended, which this one does not know: the log says by the "
		    "process whose; to end: kill%s%s\n",
		    n, n == 1 ? " is" : "s are", pids, n > SHOWN ? " ..." : "");
}
