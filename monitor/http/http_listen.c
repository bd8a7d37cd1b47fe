/* SPDX-License-Identifier: ISC */
/*
 * Where the terminal for browsers listens: under which names it may be asked
 * for there, and whether that is safe.
 */
#include "monitor/http/http_monitor.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/addr.h"

#define DEFAULT_ADDR "127.0.0.1:8080"

/* --- addresses --- */

static bool
is_loopback(const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)a)
				 ->sin_addr.s_addr) >>
		    24 ==
		    IN_LOOPBACKNET;
	return a->ss_family == AF_INET6 &&
	    IN6_IS_ADDR_LOOPBACK(
		&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
}

static bool
is_wildcard(const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET)
		return ((const struct sockaddr_in *)(const void *)a)
			   ->sin_addr.s_addr == htonl(INADDR_ANY);
	return a->ss_family == AF_INET6 &&
	    IN6_IS_ADDR_UNSPECIFIED(
		&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
}

/* --- names --- */

/* Browsers leave out the scheme's own port. */
static int
add_host(struct http_conf *c, const char *name, const char *port)
{
	const char *own = *c->cert != '\0' ? "443" : "80";
	char text[HTTP_TEXT];
	int r;

	snprintf(text, sizeof(text), "%s:%s", name, port);
	if ((r = http_list_add(&c->hosts, text)) == 0 && strcmp(port, own) == 0)
		r = http_list_add(&c->hosts, name);
	return r;
}

/* The names that a browser may have for this address. */
static int
add_hosts(struct http_conf *c, char *hostport, bool wildcard, bool loopback)
{
	char *port = strrchr(hostport, ':'), name[256];
	int r;

	*port++ = '\0';
	c->any_literal |= wildcard;
	if ((r = add_host(c, hostport, port)) == 0 && (loopback || wildcard))
		r = add_host(c, "localhost", port);
	if (r == 0 && wildcard && gethostname(name, sizeof(name)) == 0)
		r = add_host(c, name, port);
	return r;
}

static void
set_where(const struct http_options *o, const char *hostport, bool wildcard,
    char where[HTTP_TEXT])
{
	const char *scheme = *o->conf.cert != '\0' ? "https" : "http";
	char name[256];

	if (o->conf.origins.n != 0)
		strlcpy(where, o->conf.origins.word[0], HTTP_TEXT);
	else if (wildcard && gethostname(name, sizeof(name)) == 0)
		snprintf(where, HTTP_TEXT, "%s://%s%s", scheme, name,
		    strrchr(hostport, ':'));
	else
		snprintf(where, HTTP_TEXT, "%s://%s", scheme, hostport);
}

/* Of two terminals on two ports, neither is to log the other out. */
static int
name_cookie(struct http_conf *c, const char *port)
{
	char name[32];

	snprintf(name, sizeof(name), "skypty%s", port);
	free(c->cookie);
	return (c->cookie = strdup(name)) != NULL ? 0 : -1;
}

/* Behind a proxy that is known by https alone its cookie is, too. */
static void
set_secure(struct http_options *o)
{
	struct http_conf *c = &o->conf;
	bool https = c->origins.n != 0 && o->path != NULL;

	for (size_t i = 0; i < c->origins.n; i++)
		https = https && strncmp(c->origins.word[i], "https:", 6) == 0;
	c->secure = *c->cert != '\0' || https;
}

/* --- whether it is safe --- */

/* On TCP any user of this machine at least can send what a proxy would. */
static int
check_header(const struct http_options *o, const char *text)
{
	if (*o->conf.auth_header == '\0')
		return 0;
	if (!o->i_know) {
		log_error("--auth-header on %s: who else can connect there can "
			  "send that header, too; take --unix, or say by "
			  "--i-know that it is meant",
		    text);
		return -1;
	}
	log_warn("--auth-header on %s: whoever can connect there, every user "
		 "of this machine at least, can send it",
	    text);
	return 0;
}

static int
check_exposed(const struct http_options *o, const char *text)
{
	if (o->conf.no_auth && !o->i_know) {
		log_error("--no-auth on %s gives everybody who can reach it a "
			  "shell; --i-know says that this is meant",
		    text);
		return -1;
	}
	if (*o->conf.cert == '\0')
		log_warn("%s can be reached by others, without TLS: what is "
			 "typed can be read on the way (--tls-cert)",
		    text);
	return 0;
}

/* --- */

static int
look_at_unix(struct http_options *o, char where[HTTP_TEXT])
{
	if (o->conf.origins.n == 0) {
		log_error("a socket without a name for browsers: say by "
			  "--origin what the proxy in front of it is called");
		return -1;
	}
	set_where(o, "", false, where);
	return name_cookie(&o->conf, "");
}

static int
look_at(struct http_options *o, const struct sockets_one *l,
    char where[HTTP_TEXT])
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);
	char text[ADDR_TEXT_MAX];
	bool wildcard, loopback;

	if (getsockname(l->fd, (struct sockaddr *)&a, &len) == -1)
		return -1;
	if (a.ss_family == AF_UNIX)
		return look_at_unix(o, where);
	addr_hostport((struct sockaddr *)&a, len, text);
	wildcard = is_wildcard(&a);
	loopback = is_loopback(&a);
	if (check_header(o, text) == -1 ||
	    (!loopback && check_exposed(o, text) == -1))
		return -1;
	if (*where == '\0') {
		set_where(o, text, wildcard, where);
		if (name_cookie(&o->conf, strrchr(text, ':') + 1) == -1)
			return -1;
	}
	return add_hosts(&o->conf, text, wildcard, loopback) == 0 ? 0 : -1;
}

int
http_listen(struct http_options *o, struct sockets *ls, char where[HTTP_TEXT])
{
	const char *addr = o->addr != NULL ? o->addr : DEFAULT_ADDR;
	int n = sockets_inherit(ls);

	if (n < 0)
		return -1;
	if (n == 0 &&
	    (o->path != NULL ? sockets_unix(ls, o->path, o->group) :
			       sockets_tcp(ls, addr)) != 0)
		return -1;
	if (n == 0 && o->path != NULL)
		log_info("Listening on %s", o->path);
	for (size_t i = 0; i < ls->n; i++)
		if (look_at(o, &ls->each[i], where) == -1)
			return -1;
	set_secure(o);
	if (o->conf.no_auth)
		log_warn("--no-auth: every user of this machine, and every "
			 "program of theirs, has a shell as the host's user");
	return 0;
}
