/* SPDX-License-Identifier: ISC */
/* Sockets that connections are accepted from. */
#include "common/privsep/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "common/base/tcp.h"

#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78 /* newer than some headers */
#endif

#define BACKLOG		1024
#define INHERITED_FIRST 3 /* sd_listen_fds(3) */

static int
sockets_add(struct sockets *ss, struct sockets_one l)
{
	if (ss->n == SOCKETS_MAX) {
		ss->say(LOG_LEVEL_ERROR, "more than %d addresses to listen on",
		    SOCKETS_MAX);
		close(l.fd);
		return SKY_ERR_LIMIT;
	}
	ss->each[ss->n++] = l;
	return 0;
}

/* --- from a service manager --- */

static int
sockets_inherit_one(struct sockets *ss, int fd)
{
	int listening = 0, family = 0;
	socklen_t len = sizeof(int);

	if (!tcp_is_stream(fd) ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == -1 ||
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) == -1 ||
	    !listening) {
		ss->say(LOG_LEVEL_ERROR,
		    "inherited descriptor %d is no listening stream "
		    "socket; for a connected one (Accept=yes) use "
		    "--listen-fd",
		    fd);
		return SKY_ERR_TYPE;
	}
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) == -1) {
		ss->say(LOG_LEVEL_ERROR, "inherited descriptor %d: %s", fd,
		    strerror(errno));
		return SKY_ERR_SYS;
	}
	return sockets_add(ss,
	    (struct sockets_one){ .fd = fd,
		.control = family == AF_UNIX,
		.inherited = true });
}

int
sockets_inherit(struct sockets *ss)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	int n = 0, r;

	if (pid != NULL && fds != NULL && atol(pid) == (long)getpid())
		n = (int)strtonum(fds, 0, SOCKETS_MAX, NULL);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	for (int i = 0; i < n; i++)
		if ((r = sockets_inherit_one(ss, INHERITED_FIRST + i)) != 0)
			return r;
	return n;
}

/* --- TCP --- */

/*
 * An address that this machine does not have yet, as one that comes with a
 * network, may be listened on all the same.
 */
static int
sockets_bind_early(int fd, const struct addrinfo *ai, const char *text,
    sockets_say *say)
{
	bool v6 = ai->ai_family == AF_INET6;
	int on = 1;

	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return 0;
	if (errno != EADDRNOTAVAIL ||
	    setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
		v6 ? IPV6_FREEBIND : IP_FREEBIND, &on, sizeof(on)) == -1 ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) == -1)
		return -1;
	say(LOG_LEVEL_WARN,
	    "%s is no address of this machine yet; it is listened on for "
	    "when it comes",
	    text);
	return 0;
}

static int
sockets_bind(struct sockets *ss, const struct addrinfo *ai)
{
	char text[ADDR_TEXT_MAX];
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);
	int fd, on = 1;

	addr_hostport(ai->ai_addr, ai->ai_addrlen, text);
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd == -1) {
		/* A kernel without IPv6 is no mistake. */
		ss->say(errno == EAFNOSUPPORT ? LOG_LEVEL_WARN :
						LOG_LEVEL_ERROR,
		    "cannot listen on %s: %s", text, strerror(errno));
		return SKY_ERR_SYS;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
		    sizeof(on));
	if (sockets_bind_early(fd, ai, text, ss->say) == -1 ||
	    listen(fd, BACKLOG) == -1) {
		ss->say(LOG_LEVEL_ERROR, "cannot listen on %s: %s", text,
		    strerror(errno));
		close(fd);
		return SKY_ERR_SYS;
	}
	/* Port 0 has become another one. */
	if (getsockname(fd, (struct sockaddr *)&bound, &len) == 0)
		addr_hostport((struct sockaddr *)&bound, len, text);
	ss->say(LOG_LEVEL_INFO, "Listening on %s", text);
	return sockets_add(ss, (struct sockets_one){ .fd = fd });
}

const char *
sockets_problem(const char *addr)
{
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];

	if (addr_split(addr, SOCKETS_PORT, host, port) != 0)
		return "write HOST:PORT, [V6]:PORT or :PORT, with a port up "
		       "to 65535";
	if (strspn(port, "0123456789") != strlen(port) &&
	    getservbyname(port, "tcp") == NULL)
		return "its port is neither a number nor in /etc/services";
	return NULL;
}

/*
 * An address without a host is every address of both families.  0, or what
 * getaddrinfo says; it is told what that was.
 */
static int
sockets_resolve(const char *addr, struct addrinfo **list, sockets_say *say)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE };
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];
	int r;

	if (addr_split(addr, SOCKETS_PORT, host, port) != 0)
		r = EAI_NONAME;
	else
		r = getaddrinfo(*host != '\0' ? host : NULL, port, &hints,
		    list);
	if (r != 0)
		say(LOG_LEVEL_ERROR, "cannot listen on \"%s\": %s", addr,
		    gai_strerror(r));
	return r;
}

int
sockets_check(const char *addrs, sockets_say *say)
{
	char *copy, *rest, *addr;
	struct addrinfo *list;
	int r = 0;

	if ((copy = rest = strdup(addrs)) == NULL) {
		say(LOG_LEVEL_ERROR, "%s", err_text(SKY_ERR_NOMEM));
		return SKY_ERR_NOMEM;
	}
	while (r == 0 && (addr = strsep(&rest, ", ")) != NULL)
		if (*addr != '\0' &&
		    (r = sockets_resolve(addr, &list, say)) == 0)
			freeaddrinfo(list);
	free(copy);
	return r == 0 || r == EAI_AGAIN ? 0 : SKY_ERR_NOTFOUND;
}

static int
sockets_address(struct sockets *ss, const char *addr)
{
	struct addrinfo *list, *ai;
	int ok = 0;

	if (sockets_resolve(addr, &list, ss->say) != 0)
		return SKY_ERR_NOTFOUND;
	for (ai = list; ai != NULL; ai = ai->ai_next)
		if (sockets_bind(ss, ai) == 0)
			ok++;
	freeaddrinfo(list);
	return ok > 0 ? 0 : SKY_ERR_SYS;
}

int
sockets_tcp(struct sockets *ss, const char *addrs)
{
	char *copy, *rest, *addr;
	int r = 0;

	if ((copy = rest = strdup(addrs)) == NULL) {
		ss->say(LOG_LEVEL_ERROR, "%s", err_text(SKY_ERR_NOMEM));
		return SKY_ERR_NOMEM;
	}
	while (r == 0 && (addr = strsep(&rest, ", ")) != NULL)
		if (*addr != '\0')
			r = sockets_address(ss, addr);
	free(copy);
	return r;
}

/* --- the control socket --- */

/* A directory where others could swap names under us is no place for it. */
static int
sockets_check_directory(const char *path, sockets_say *say)
{
	char copy[PATH_MAX], *dir;
	struct stat st;

	strlcpy(copy, path, sizeof(copy));
	dir = dirname(copy);
	if (stat(dir, &st) == -1) {
		say(LOG_LEVEL_ERROR, "socket %s: %s", dir, strerror(errno));
		return SKY_ERR_SYS;
	}
	if (st.st_uid != 0 && st.st_uid != geteuid()) {
		say(LOG_LEVEL_ERROR,
		    "socket %s: belongs to uid %lu, who could "
		    "rename files there; choose another place",
		    dir, (unsigned long)st.st_uid);
		return SKY_ERR_DENIED;
	}
	if ((st.st_mode & 022) != 0 && !(st.st_mode & S_ISVTX)) {
		say(LOG_LEVEL_ERROR,
		    "socket %s: others may rename files there; "
		    "choose another place",
		    dir);
		return SKY_ERR_DENIED;
	}
	return 0;
}

static bool
sockets_is_alive(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool alive;

	if (fd == -1)
		return true;
	alive = connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == 0 ||
	    errno != ECONNREFUSED;
	close(fd);
	return alive;
}

/* Makes the name free, if what has it is a dead socket of ours. */
static int
sockets_clear_name(const struct sockaddr_un *sun, sockets_say *say)
{
	const char *path = sun->sun_path;
	struct stat st;

	if (lstat(path, &st) == -1) {
		if (errno == ENOENT)
			return 0;
		say(LOG_LEVEL_ERROR, "socket %s: %s", path, strerror(errno));
		return SKY_ERR_SYS;
	}
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid()) {
		say(LOG_LEVEL_ERROR,
		    "socket %s is there and is not a socket of "
		    "ours; remove it or choose another place",
		    path);
		return SKY_ERR_EXISTS;
	}
	if (sockets_is_alive(sun)) {
		say(LOG_LEVEL_ERROR,
		    "socket %s is in use by another process; "
		    "choose another place",
		    path);
		return SKY_ERR_EXISTS;
	}
	if (unlink(path) == -1 && errno != ENOENT) {
		say(LOG_LEVEL_ERROR, "socket %s: %s", path, strerror(errno));
		return SKY_ERR_SYS;
	}
	return 0;
}

static int
sockets_bind_private(int fd, const struct sockaddr_un *sun)
{
	mode_t old = umask(0177);
	int r = bind(fd, (const struct sockaddr *)sun, sizeof(*sun));

	umask(old);
	return r;
}

static void
sockets_remove(const struct sockets_one *l)
{
	struct stat st;

	if (lstat(l->path, &st) == 0 && st.st_dev == l->dev &&
	    st.st_ino == l->ino)
		unlink(l->path);
}

/* The name is bound: from here on it is ours to remove. */
static int
sockets_listen_unix(struct sockets_one *l, gid_t group)
{
	struct stat st;

	if (lstat(l->path, &st) == -1)
		return -1;
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	/* It stays ours in such a directory: no race in chown. */
	if (group != (gid_t)-1 &&
	    (lchown(l->path, (uid_t)-1, group) == -1 ||
		fchmodat(AT_FDCWD, l->path, 0660, 0) == -1))
		return -1;
	return listen(l->fd, BACKLOG);
}

int
sockets_unix(struct sockets *ss, const char *path, gid_t group)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct sockets_one l = { .control = true, .fd = -1 };
	int r;

	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		ss->say(LOG_LEVEL_ERROR, "socket %s: path too long", path);
		return SKY_ERR_LIMIT;
	}
	if ((r = sockets_check_directory(path, ss->say)) != 0 ||
	    (r = sockets_clear_name(&sun, ss->say)) != 0)
		return r;
	if ((l.path = strdup(path)) != NULL)
		l.fd = socket(AF_UNIX,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l.fd == -1 || sockets_bind_private(l.fd, &sun) == -1) {
		r = SKY_ERR_SYS;
		ss->say(LOG_LEVEL_ERROR, "socket %s: %s", path, err_text(r));
	} else if (sockets_listen_unix(&l, group) == -1) {
		r = SKY_ERR_SYS;
		ss->say(LOG_LEVEL_ERROR, "socket %s: %s", path, err_text(r));
		sockets_remove(&l);
	} else if (ss->n == SOCKETS_MAX) {
		r = SKY_ERR_LIMIT;
		ss->say(LOG_LEVEL_ERROR, "more than %d addresses to listen on",
		    SOCKETS_MAX);
		sockets_remove(&l);
	} else
		return sockets_add(ss, l);
	if (l.fd != -1)
		close(l.fd);
	free(l.path);
	return r;
}

void
sockets_close(struct sockets *ss)
{
	for (size_t i = 0; i < ss->n; i++) {
		if (ss->each[i].path != NULL)
			sockets_remove(&ss->each[i]);
		free(ss->each[i].path);
		close(ss->each[i].fd);
	}
	ss->n = 0;
}
