/* SPDX-License-Identifier: ISC */
/* Where the control socket is when nobody says so. */
#include "common/privsep/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/paths.h"
#include "common/base/unix.h"

#define NAME	 "/skyptyd/pty.sock"
#define USERS	 "/run/user"	 /* where pam_systemd(8) has it */
#define ORIGINAL "/tmp/pty.sock" /* PROTOCOL.pty 9 */
#define PLACES	 3
#define FULL_MS	 5000 /* how long a full queue is tried */
#define PAUSE_MS 20

/* Ours, and nobody else may write to it. */
static bool
control_is_ours(const char *folder)
{
	struct stat st;

	return *folder == '/' && stat(folder, &st) == 0 &&
	    S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	    (st.st_mode & 022) == 0;
}

/* pam_systemd(8) makes the folder; not everybody passes its name on. */
bool
control_runtime(char path[CONTROL_PATH_MAX])
{
	const char *folder = getenv("XDG_RUNTIME_DIR");
	char usual[64];

	snprintf(usual, sizeof(usual), USERS "/%lu", (unsigned long)geteuid());
	if (folder == NULL || !control_is_ours(folder))
		folder = usual;
	return control_is_ours(folder) &&
	    strlcpy(path, folder, CONTROL_PATH_MAX) < CONTROL_PATH_MAX;
}

static bool
control_own(char path[CONTROL_PATH_MAX])
{
	char folder[CONTROL_PATH_MAX];

	return geteuid() != 0 && control_runtime(folder) &&
	    (size_t)snprintf(path, CONTROL_PATH_MAX, "%s" NAME, folder) <
	    CONTROL_PATH_MAX;
}

void
control_default(char path[CONTROL_PATH_MAX])
{
	if (geteuid() == 0)
		strcpy(path, SYSTEM_SOCKET);
	else if (!control_own(path))
		strcpy(path, ORIGINAL);
}

/* Root's is for the members of a group as well: their way leads through it. */
int
control_make_folder(const char *path)
{
	mode_t mode = geteuid() == 0 ? 0755 : 0700;
	char folder[CONTROL_PATH_MAX];

	control_default(folder);
	if (strcmp(path, folder) != 0 || strcmp(path, ORIGINAL) == 0)
		return 0;
	*strrchr(folder, '/') = '\0';
	if (mkdir(folder, mode) == -1)
		return errno == EEXIST ? 0 : -1;
	return chmod(folder, mode);
}

/* Who made the name may have meant another socket of root's by it. */
static bool
control_is_strange(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && st.st_uid != 0 &&
	    st.st_uid != geteuid();
}

/*
 * Never waits: whoever has a name in /tmp could keep us waiting for ever.  A
 * daemon that has much to do is tried again for a while.
 */
int
control_connect_to(const char *path, int flags)
{
	struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	bool strange = control_is_strange(path);
	int fd = -1;

	for (int i = 0; !strange && i < FULL_MS / PAUSE_MS; i++) {
		fd = unix_connect(path, flags | SOCK_NONBLOCK);
		if (fd != -1 || errno != EAGAIN)
			break;
		nanosleep(&pause, NULL);
	}
	if (strange || (fd != -1 && !unix_is_trusted(fd))) {
		if (fd != -1)
			close(fd);
		errno = EPERM;
		return -1;
	}
	return fd;
}

int
control_connect(int flags, char path[CONTROL_PATH_MAX])
{
	char own[CONTROL_PATH_MAX];
	const char *places[PLACES] = { SYSTEM_SOCKET,
		control_own(own) ? own : ORIGINAL, ORIGINAL };
	int error = ENOENT, fd;

	control_default(path);
	for (size_t i = 0; i < PLACES; i++) {
		if ((fd = control_connect_to(places[i], flags)) != -1) {
			strcpy(path, places[i]);
			return fd;
		}
		/* The first that is there at all tells why. */
		if (error == ENOENT && errno != ENOENT) {
			error = errno;
			strcpy(path, places[i]);
		}
	}
	errno = error;
	return -1;
}

/* A process has 65,536 at most; those of a user are few. */
static bool
control_in_group(int fd, gid_t group)
{
	gid_t *groups = NULL, few[64];
	socklen_t len = sizeof(few);
	bool found = false;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, few, &len) == 0)
		groups = few;
	else if (errno != ERANGE || (groups = malloc(len)) == NULL)
		return false;
	if (groups != few &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == -1)
		len = 0;
	for (size_t i = 0; i < len / sizeof(*groups); i++)
		found = found || groups[i] == group;
	if (groups != few)
		free(groups);
	return found;
}

bool
control_may_call(int fd, gid_t group, struct ucred *who)
{
	socklen_t len = sizeof(*who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, who, &len) == -1 ||
	    len != sizeof(*who)) {
		*who = (struct ucred){ .uid = (uid_t)-1, .gid = (gid_t)-1 };
		return false;
	}
	if (who->uid == 0 || who->uid == geteuid())
		return true;
	return group != (gid_t)-1 &&
	    (who->gid == group || control_in_group(fd, group));
}
