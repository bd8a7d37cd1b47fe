/* SPDX-License-Identifier: ISC */
/* What -L, -R, -D and -W say. */
#include "client/forward/forward_spec.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define FIELDS_MAX 4
#define HOST_MAX   255

static const char spec_form[] = "write [address:]port:host:port, with a path "
				"in the place of either end";
static const char spec_dynamic_form[] = "write [address:]port";
static const char spec_long[] = "a name in it is too long";
static const char spec_port[] = "a port is 1 to 65535";

struct spec_field {
	const char *text;
	bool is_path;
};

/* --- fields --- */

/* In brackets: as it stands.  False without the end of either. */
static bool
spec_bracketed(char **p, struct spec_field *f)
{
	char *end = strchr(*p, ']');

	if (end == NULL || (end[1] != ':' && end[1] != '\0'))
		return false;
	*end++ = '\0';
	f->text = *p + 1;
	f->is_path = strchr(f->text, '/') != NULL;
	*p = *end == ':' ? end + 1 : NULL;
	return true;
}

/* Up to a colon, in place; *p: the next one, or NULL behind the last. */
static bool
spec_field(char **p, struct spec_field *f)
{
	char *from = *p, *to = *p;

	if (*from == '[')
		return spec_bracketed(p, f);
	f->text = *p;
	f->is_path = false;
	for (; *from != '\0' && *from != ':'; from++) {
		if (*from == '\\' && *++from == '\0')
			return false;
		f->is_path = f->is_path || *from == '/';
		*to++ = *from;
	}
	*p = *from == ':' ? from + 1 : NULL;
	*to = '\0';
	return true;
}

/* How many there are; 0: not one to FIELDS_MAX, or malformed. */
static size_t
spec_fields(char *text, struct spec_field f[FIELDS_MAX])
{
	size_t n = 0;

	while (text != NULL) {
		if (n == FIELDS_MAX || !spec_field(&text, &f[n]))
			return 0;
		n++;
	}
	return n;
}

/* --- places --- */

/* A number, or a service's name. */
static bool
spec_read_port(const char *text, uint16_t *port)
{
	const struct servent *known;
	const char *problem;
	long long n = strtonum(text, 0, UINT16_MAX, &problem);

	*port = (uint16_t)n;
	if (problem == NULL)
		return *text != '+' && *text != ' ' && *text != '-';
	if ((known = getservbyname(text, "tcp")) == NULL)
		return false;
	*port = ntohs((uint16_t)known->s_port);
	return true;
}

static const char *
spec_path(struct mux_place *p, const struct spec_field *f)
{
	struct sockaddr_un sa;

	*p = (struct mux_place){ .is_path = true };
	if (strlcpy(p->name, f->text, sizeof(p->name)) >= sizeof(sa.sun_path))
		return spec_long;
	return NULL;
}

static const char *
spec_host(struct mux_place *p, const char *name, const struct spec_field *port)
{
	*p = (struct mux_place){ .is_path = false };
	if (strlcpy(p->name, name, sizeof(p->name)) >= HOST_MAX)
		return spec_long;
	return port->is_path || !spec_read_port(port->text, &p->port) ?
	    spec_port :
	    NULL;
}

/* The last of them: "host:port" or a path. */
static const char *
spec_connect(struct mux_place *p, const struct spec_field *f, size_t n)
{
	const char *why;

	if (n == 1)
		return f->is_path ? spec_path(p, f) : spec_form;
	if (f[0].is_path || *f[0].text == '\0')
		return spec_form;
	if ((why = spec_host(p, f[0].text, &f[1])) == NULL && p->port == 0)
		why = spec_port;
	return why;
}

/* The first of them: "[address:]port" or a path. */
static const char *
spec_listen(struct forward_spec *s, const struct spec_field *f, size_t n,
    bool gateway)
{
	const char *name = gateway ? "" : FORWARD_LOOPBACK, *why;

	if (n == 1 && f->is_path)
		return spec_path(&s->listen, f);
	if (n == 2 && f->is_path)
		return spec_form;
	if (n == 2)
		name = strcmp(f->text, "*") == 0 ? "" : f->text;
	why = spec_host(&s->listen, name, &f[n - 1]);
	if (why == NULL && s->listen.port == 0 && s->way != FORWARD_REMOTE)
		why = spec_port;
	return why;
}

/* --- specifications --- */

/* How many of n fields say where to listen. */
static size_t
spec_first(const struct spec_field *f, size_t n)
{
	size_t connect = f[n - 1].is_path ? 1 : 2;

	return n > connect ? n - connect : 0;
}

static const char *
spec_take(struct forward_spec *s, const struct spec_field *f, size_t n,
    bool gateway)
{
	const char *why;
	size_t first;

	if (s->way == FORWARD_DYNAMIC)
		return n == 1 || n == 2 ? spec_listen(s, f, n, gateway) :
					  spec_dynamic_form;
	first = n != 0 ? spec_first(f, n) : 0;
	if (first != 1 && first != 2)
		return spec_form;
	if ((why = spec_listen(s, f, first, gateway)) != NULL)
		return why;
	return spec_connect(&s->connect, f + first, n - first);
}

const char *
forward_spec_parse(struct forward_spec *s, enum forward_way way,
    const char *text, bool gateway)
{
	struct spec_field f[FIELDS_MAX];
	char *copy = strdup(text);
	const char *why;

	if (copy == NULL)
		return "there is no memory";
	memset(s, 0, sizeof(*s));
	s->way = way;
	why = spec_take(s, f, spec_fields(copy, f), gateway);
	free(copy);
	return why;
}

const char *
forward_listen_parse(struct forward_spec *s, enum forward_way way,
    const char *text, bool gateway)
{
	const char *why = forward_spec_parse(s, FORWARD_DYNAMIC, text, gateway);

	s->way = way;
	return why;
}

const char *
forward_target_parse(struct mux_place *p, const char *text)
{
	struct spec_field f[FIELDS_MAX];
	char *copy = strdup(text);
	const char *why = "write host:port, or a path";
	size_t n;

	if (copy == NULL)
		return "there is no memory";
	n = spec_fields(copy, f);
	if (n == 2 || (n == 1 && f->is_path))
		why = spec_connect(p, f, n);
	free(copy);
	return why;
}

/* --- as texts --- */

/* With brackets around what has colons, and backslashes. */
void
forward_place_text(const struct mux_place *p, char text[FORWARD_TEXT_MAX])
{
	bool brackets = strpbrk(p->name, ":\\") != NULL;

	snprintf(text, FORWARD_TEXT_MAX, "%s%s%s", brackets ? "[" : "",
	    *p->name != '\0' ? p->name : "*", brackets ? "]" : "");
	if (!p->is_path)
		snprintf(text + strlen(text), FORWARD_TEXT_MAX - strlen(text),
		    ":%u", p->port);
}

void
forward_spec_text(const struct forward_spec *s, char text[FORWARD_TEXT_MAX])
{
	char connect[FORWARD_TEXT_MAX];

	forward_place_text(&s->listen, text);
	if (s->way == FORWARD_DYNAMIC)
		return;
	forward_place_text(&s->connect, connect);
	strlcat(text, ":", FORWARD_TEXT_MAX);
	strlcat(text, connect, FORWARD_TEXT_MAX);
}

bool
forward_spec_same(const struct forward_spec *a, const struct forward_spec *b)
{
	return (a->way == FORWARD_REMOTE) == (b->way == FORWARD_REMOTE) &&
	    a->listen.is_path == b->listen.is_path &&
	    a->listen.port == b->listen.port &&
	    strcmp(a->listen.name, b->listen.name) == 0;
}
