/* SPDX-License-Identifier: ISC */
/*
 * skypty fs mount and umount.  sshfs speaks SFTP on a socket whose other end
 * is here, between it and our connection.  When the host goes the socket ends,
 * and sshfs takes the mount away; so nothing is left to hang on.
 */
#include "client/fs.h"
#include "client/commands.h"
#include "client/complain.h"
#include "client/conn.h"
#include "client/dest.h"
#include "client/duration.h"
#include "client/exits.h"
#include "client/fs_notes.h"
#include "client/hosts.h"
#include "client/options.h"
#include "client/relay.h"
#include "client/signals.h"
#include "client/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/base/clock.h"
#include "common/base/process.h"
#include "common/pty/keys.h"
#include "common/pty/mux.h"

#define LEAVE_MS 15000 /* for sshfs to end once it is unmounted */
#define BUSY_MS	 500   /* and while its mount is in use */
#define GRACE_MS 3000  /* and once the connection is over */

/* Asked to end. */
static volatile sig_atomic_t fs_asked;

struct fs {
	struct client_options o;
	char dir[PROCESS_PATH_MAX];
	pid_t sshfs;
	int ready;  /* who waits for the mount to be there, or -1 */
	int errors; /* what sshfs says until then, in the background; or -1 */
	pid_t unmounter;  /* that is at work on that, or 0 */
	int64_t leave_at; /* whatever sshfs does then; 0: not yet */
	bool up, busy;
	char host[KEY_PUBLIC_HEX + ADDR_HOST_MAX + 64]; /* for notes */
};

/* --- the mount table --- */

/* Octal escapes as the kernel writes them. */
static void
fs_unescape(char *path)
{
	char *out = path;

	for (; *path != '\0'; path++) {
		if (path[0] == '\\' && path[1] >= '0' && path[1] <= '3' &&
		    path[2] != '\0' && path[3] != '\0') {
			*out++ = (char)((path[1] - '0') * 64 +
			    (path[2] - '0') * 8 + (path[3] - '0'));
			path += 3;
		} else
			*out++ = *path;
	}
	*out = '\0';
}

/* Whether a FUSE file system is mounted on the folder; it is not touched. */
bool
fs_is_mounted(const char *dir)
{
	char *line = NULL, *rest, *where, *type;
	bool found = false;
	size_t size = 0;
	FILE *f;

	if ((f = fopen("/proc/self/mounts", "re")) == NULL)
		return false;
	while (getline(&line, &size, f) != -1) {
		rest = line;
		if (strsep(&rest, " ") == NULL ||
		    (where = strsep(&rest, " ")) == NULL ||
		    (type = strsep(&rest, " ")) == NULL)
			continue;
		fs_unescape(where);
		if (strcmp(where, dir) == 0)
			found = strncmp(type, "fuse", 4) == 0;
	}
	free(line);
	fclose(f);
	return found;
}

/* --- sshfs --- */

/* pid: 0 if it could not be started. */
static void
fs_start_unmount(const char *dir, bool lazy, pid_t *pid)
{
	char flags[] = "-u", lazily[] = "-uz";
	char fusermount[] = "fusermount3", dashes[] = "--";
	char *argv[] = { fusermount, lazy ? lazily : flags, dashes,
		(char *)(uintptr_t)dir, NULL };

	if (process_fork(pid) != 0)
		return;
	process_reset_signals();
	execvp(argv[0], argv);
	_exit(127);
}

static int
fs_unmounted(int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		complain("there is no fusermount3 here; on Debian it is in the "
			 "package fuse3");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
fs_unmount(const char *dir, bool lazy)
{
	int status;
	pid_t pid;

	fs_start_unmount(dir, lazy, &pid);
	if (pid == 0)
		return -1;
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	return fs_unmounted(status);
}

/* sshfs has a cache of its own, in seconds; of 0 it makes up to one. */
static char *
fs_mount_options(struct fs *s)
{
	char *cache, *options;
	int r;

	if (s->o.attr_ms == 0)
		r = asprintf(&cache, "dir_cache=no");
	else
		r = asprintf(&cache, "dcache_timeout=%lld",
		    (long long)(s->o.attr_ms + 999) / 1000);
	if (r == -1)
		return NULL;
	r = asprintf(&options,
	    "passive,fsname=skypty,auto_unmount,attr_timeout=%.3f,"
	    "entry_timeout=%.3f,%s%s%s",
	    (double)s->o.attr_ms / 1000, (double)s->o.entry_ms / 1000, cache,
	    s->o.read_only ? ",ro" : "", s->o.debug ? ",sshfs_debug" : "");
	free(cache);
	return r != -1 ? options : NULL;
}

static void
fs_become_sshfs(struct fs *s, int sock, int errors)
{
	char *spec, *options = fs_mount_options(s);

	if (options == NULL ||
	    asprintf(&spec, "skypty:%s", s->o.remote_root) == -1)
		_exit(126);
	process_reset_signals();
	/* A terminal's interrupt is ours to act on. */
	setpgid(0, 0);
	if (dup2(sock, 0) == -1 || dup2(sock, 1) == -1 ||
	    (errors != -1 && dup2(errors, 2) == -1) || chdir("/") == -1)
		_exit(126);
	execlp("sshfs", "sshfs", spec, s->dir, "-f", "-o", options,
	    (char *)NULL);
	_exit(127);
}

static int
fs_start_sshfs(struct fs *s, int *sock)
{
	int sv[2], errors[2] = { -1, -1 }, r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1 ||
	    fcntl(sv[0], F_SETFL, O_NONBLOCK) == -1 ||
	    (s->o.background && pipe2(errors, O_CLOEXEC | O_NONBLOCK) == -1))
		return EXIT_FAILED;
	if ((r = process_fork(&s->sshfs)) == 0)
		fs_become_sshfs(s, sv[1], errors[1]);
	close(sv[1]);
	close(errors[1]);
	s->errors = errors[0];
	if (r == -1) {
		complain("sshfs: %s", strerror(errno));
		close(sv[0]);
		return EXIT_FAILED;
	}
	*sock = sv[0];
	return 0;
}

/* --- while it is mounted --- */

/* Whoever started us may be waiting for the end of what we could write. */
static void
fs_let_go(struct fs *s)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; fd != -1 && i < 3; i++)
		(void)dup2(fd, i);
	close(fd);
	sink_release();
	close(s->errors);
	s->errors = -1;
	(void)!chdir("/");
	complain_to_syslog();
	(void)!write(s->ready, "", 1);
	close(s->ready);
	s->ready = -1;
}

static void
fs_on_signal(int sig)
{
	(void)sig;
	fs_asked = 1;
}

/*
 * sshfs may wait for answers before it lets go of what it has mounted, so they
 * are passed on until it has ended.  In use, it is not waited for.
 */
static int
fs_leave(struct fs *s)
{
	int status;

	if (s->leave_at == 0) {
		s->leave_at = now_ms() + LEAVE_MS;
		if (!fs_is_mounted(s->dir))
			return RELAY_STOP;
		fs_start_unmount(s->dir, false, &s->unmounter);
		s->busy = s->unmounter == 0;
	} else if (s->unmounter != 0 &&
	    waitpid(s->unmounter, &status, WNOHANG) == s->unmounter) {
		s->unmounter = 0;
		s->busy = fs_unmounted(status) != 0;
	}
	return s->busy || now_ms() >= s->leave_at ? RELAY_STOP : 10;
}

/* Until the mount is there it is looked for often. */
static int
fs_watch(void *arg)
{
	struct fs *s = arg;

	if (fs_asked)
		return fs_leave(s);
	if (!s->up && !fs_is_mounted(s->dir))
		return 10;
	if (!s->up) {
		s->up = true;
		fs_note_write(s->dir, s->host, "");
		if (s->ready != -1)
			fs_let_go(s);
	}
	return 1000;
}

static bool
fs_sshfs_ended(struct fs *s, int64_t ms, int *status)
{
	int64_t until = now_ms() + ms;
	pid_t pid;

	while (
	    (pid = waitpid(s->sshfs, status, WNOHANG)) == 0 && now_ms() < until)
		(void)poll(NULL, 0, 10);
	return pid != 0;
}

/* Unmounted it ends by itself, else when it hears nothing any more. */
static int
fs_end_sshfs(struct fs *s, int sock)
{
	int status = 0;
	bool ended = fs_asked && s->up &&
	    fs_sshfs_ended(s, s->busy ? BUSY_MS : GRACE_MS, &status);

	close(sock);
	if (!ended && !fs_sshfs_ended(s, GRACE_MS, &status)) {
		(void)process_signal(s->sshfs, SIGKILL);
		(void)waitpid(s->sshfs, &status, 0);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Busy or dead, the folder comes free. */
static void
fs_clear_mount(struct fs *s)
{
	if (!fs_is_mounted(s->dir) ||
	    (!s->busy && fs_unmount(s->dir, false) == 0))
		return;
	(void)fs_unmount(s->dir, true);
}

static int
fs_explain(struct fs *s, int status, bool was_up)
{
	char text[1024];
	ssize_t n;

	while (s->errors != -1 && (n = read(s->errors, text, sizeof(text))) > 0)
		(void)!write(STDERR_FILENO, text, (size_t)n);
	if (status == 127)
		complain("there is no sshfs here; on Debian it is in the "
			 "package sshfs");
	else if (!was_up && access("/dev/fuse", R_OK | W_OK) == -1)
		complain("/dev/fuse: %s; mounting needs it", strerror(errno));
	else if (!was_up)
		complain("sshfs did not mount %s (status %d)", s->dir, status);
	return EXIT_FAILED;
}

static int
fs_serve(struct fs *s, struct conn *c)
{
	int sock, r, status;

	if ((r = fs_start_sshfs(s, &sock)) != 0)
		return r;
	r = relay_watch(c, sock, sock, fs_watch, s);
	if (fs_asked)
		fs_clear_mount(s);
	status = fs_end_sshfs(s, sock);
	fs_clear_mount(s);
	/* Unmounted by somebody else: sshfs ended by itself. */
	if (fs_asked || (r == 0 && s->up)) {
		fs_note_remove(s->dir);
		return 0;
	}
	if (r == 0 || !s->up)
		return fs_explain(s, status, s->up);
	/* Whoever is in the foreground reads it. */
	if (s->o.background)
		fs_note_lost(s->dir, s->host, complain_last());
	else
		fs_note_remove(s->dir);
	complain("%s is not mounted any more", s->dir);
	return r;
}

static int
fs_connect_and_serve(struct fs *s, struct keyctx *ctx)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, 0 };
	struct conn c;
	int r;

	signals_catch(signals, fs_on_signal, NULL);
	if ((r = relay_open_sftp(&c, ctx, &s->o)) == 0)
		r = fs_serve(s, &c);
	conn_close(&c);
	return fs_asked ? 0 : r;
}

/* --- in the background --- */

/* What the one in the foreground exits with. */
static int
fs_await_ready(int fd, pid_t pid)
{
	int status = 0;
	ssize_t n;
	char c;

	do
		n = read(fd, &c, 1);
	while (n == -1 && errno == EINTR);
	if (n == 1)
		return 0;
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
}

/* An exit status, but for the process that is to serve. */
static int
fs_go_background(struct fs *s, bool *serves)
{
	int p[2], r;
	pid_t pid;

	*serves = false;
	if (pipe2(p, O_CLOEXEC) == -1 || (r = process_fork(&pid)) == -1)
		return EXIT_FAILED;
	if (r == 1) {
		close(p[1]);
		return fs_await_ready(p[0], pid);
	}
	close(p[0]);
	s->ready = p[1];
	setsid();
	*serves = true;
	return 0;
}

/* --- mount and umount --- */

/* The folder by its one true name, as the mount table has it. */
static int
fs_set_dir(struct fs *s, const char *dir)
{
	struct stat st;
	char *real = realpath(dir, NULL);

	if (real == NULL || stat(real, &st) == -1) {
		complain("%s: %s", dir, strerror(errno));
		free(real);
		return EXIT_USAGE;
	}
	if (!S_ISDIR(st.st_mode) ||
	    strlcpy(s->dir, real, sizeof(s->dir)) >= sizeof(s->dir)) {
		complain("%s: no directory", dir);
		free(real);
		return EXIT_USAGE;
	}
	free(real);
	return 0;
}

static void
fs_set_host(struct fs *s)
{
	const struct dest *d = &s->o.dest;
	char pk[KEY_PUBLIC_HEX];

	key_text(&d->pk, pk);
	if (d->kind == DEST_DMSG)
		strlcpy(s->host, pk, sizeof(s->host));
	else
		snprintf(s->host, sizeof(s->host), "%s@%s port %s", pk, d->host,
		    d->port);
}

static int
fs_mount(struct fs *s, struct keyctx *ctx, int argc, char **argv)
{
	bool serves = true;
	int r;

	if ((r = options_parse(&s->o, ctx, STYLE_MOUNT, "fs", argc, argv)) != 0)
		return r;
	if (s->o.dest.kind == DEST_LOCAL || s->o.command[0] == NULL ||
	    s->o.command[1] != NULL) {
		complain("usage: skypty fs mount [flags] <pk>@host[:port] dir");
		return EXIT_USAGE;
	}
	if ((r = fs_set_dir(s, s->o.command[0])) != 0)
		return r;
	if (access("/dev/fuse", F_OK) == -1) {
		complain("/dev/fuse: %s; mounting needs it (modprobe fuse)",
		    strerror(errno));
		return EXIT_FAILED;
	}
	fs_set_host(s);
	if (fs_is_mounted(s->dir)) {
		complain("%s: something is mounted there already", s->dir);
		return EXIT_USAGE;
	}
	if (s->o.background)
		r = fs_go_background(s, &serves);
	return serves ? fs_connect_and_serve(s, ctx) : r;
}

static int
fs_umount_dir(const char *dir)
{
	if (fs_unmount(dir, false) == 0)
		return 0;
	if (!fs_is_mounted(dir)) {
		fs_note_remove(dir);
		return 1;
	}
	complain("%s is in use; it goes when its last user does", dir);
	return fs_unmount(dir, true) == 0 ? 0 : 1;
}

/* A mount whose process has died has no true name any more: it is tried. */
static int
fs_umount(int argc, char **argv)
{
	char *real;
	int r;

	if (argc != 2) {
		complain("usage: skypty fs umount dir");
		return EXIT_USAGE;
	}
	real = realpath(argv[1], NULL);
	if (real == NULL && errno == ENOENT) {
		complain("%s: %s", argv[1], strerror(errno));
		return EXIT_LOCAL;
	}
	if (real != NULL && !fs_is_mounted(real)) {
		complain("%s: nothing of ours is mounted there", argv[1]);
		fs_note_remove(real);
		r = EXIT_LOCAL;
	} else
		r = fs_umount_dir(real != NULL ? real : argv[1]);
	free(real);
	return r;
}

int
fs_main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	struct keyctx *ctx;
	struct fs s = { .ready = -1, .errors = -1 };
	int r;

	if (strcmp(what, "umount") == 0 || strcmp(what, "unmount") == 0)
		return fs_umount(argc - 1, argv + 1);
	if (strcmp(what, "list") == 0 && argc == 2)
		return fs_note_list();
	if (strcmp(what, "mount") != 0) {
		complain("usage: skypty fs mount [flags] <pk>@host[:port] dir "
			 "| umount dir | list");
		return EXIT_USAGE;
	}
	if ((ctx = keyctx_new()) == NULL)
		return EXIT_FAILED;
	r = fs_mount(&s, ctx, argc - 1, argv + 1);
	hosts_free(&s.o.alias);
	keyctx_free(ctx);
	return r;
}
