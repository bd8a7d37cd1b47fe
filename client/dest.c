/* SPDX-License-Identifier: ISC */
/* Destinations: pk@host, pk@host:port, tcp://..., or a bare key. */
#include "client/dest.h"
#include "client/complain.h"
#include "client/exits.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "common/pty/keys.h"

#define PK_DIGITS (2 * KEY_PUBLIC_LEN)

static const struct {
	const char *prefix;
	enum dest_kind kind;
} schemes[] = {
	{ "tcp://", DEST_TCP },
	{ "dmsg://", DEST_DMSG },
	{ "skynet://", DEST_DMSG },
};

/* What follows the scheme; kind is left alone without one.  0, or EXIT_USAGE.
 */
static int
dest_scheme(const char *text, enum dest_kind *kind, const char **rest)
{
	const char *colon = strstr(text, "://");
	size_t n;

	*rest = text;
	if (colon == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		n = strlen(schemes[i].prefix);
		if (strncmp(text, schemes[i].prefix, n) == 0) {
			*kind = schemes[i].kind;
			*rest = text + n;
			return 0;
		}
	}
	complain("'%s': %.*s:// is no way to a host; write "
		 "tcp://<pk>@host[:port], or dmsg://<pk>",
	    text, (int)(colon - text), text);
	return EXIT_USAGE;
}

/* An '@' or a scheme is no accident, whatever stands before it. */
bool
dest_like(const char *text)
{
	size_t digits = strspn(text, "0123456789abcdefABCDEF");

	if (strchr(text, '@') != NULL || strstr(text, "://") != NULL)
		return true;
	return digits == PK_DIGITS &&
	    (text[digits] == '\0' || text[digits] == ':');
}

static int
dest_parse_pk(struct dest *d, struct keyctx *ctx, const char *text, size_t n)
{
	char hex[KEY_PUBLIC_HEX];
	int r;

	if (n != PK_DIGITS) {
		complain("'%.*s' is not a public key: it has %zu digits and "
			 "not %d",
		    (int)n, text, n, PK_DIGITS);
		return EXIT_USAGE;
	}
	memcpy(hex, text, n);
	hex[n] = '\0';
	if ((r = key_parse_public(ctx, hex, &d->pk)) != 0) {
		complain("'%s' is not a public key: %s", hex,
		    r == SKY_ERR_KEY ? "no point of the curve" :
				       "not hexadecimal");
		return EXIT_USAGE;
	}
	return 0;
}

/* What follows the key, or what -p says, or 22. */
static int
dest_parse_dmsg_port(struct dest *d, const char *colon, const char *port)
{
	const char *problem;

	if (colon != NULL)
		port = colon + 1;
	else if (port == NULL)
		port = DMSG_PORT;
	d->dmsg_port = (uint16_t)strtonum(port, 1, UINT16_MAX, &problem);
	if (problem == NULL)
		return 0;
	complain("'%s' is not a dmsg port: %s", port, problem);
	return EXIT_USAGE;
}

/* A resolver that is asked for both does not say which one it does not know. */
static int
dest_check_port(const char *address, const char *port)
{
	if (port[strspn(port, "0")] == '\0')
		complain("'%s': port 0 is no port: write 1 to 65535", address);
	else if (port[strspn(port, "0123456789")] != '\0' &&
	    getservbyname(port, "tcp") == NULL)
		complain("'%s': port '%s' is neither a number nor in "
			 "/etc/services",
		    address, port);
	else
		return 0;
	return EXIT_USAGE;
}

int
dest_parse(struct dest *d, struct keyctx *ctx, const char *text,
    const char *port)
{
	const char *rest, *at;
	int r;

	*d = (struct dest){ .kind = DEST_DMSG };
	d->skynet = strncmp(text, "skynet://", 9) == 0;
	if ((r = dest_scheme(text, &d->kind, &rest)) != 0)
		return r;
	if ((at = strchr(rest, '@')) == NULL) {
		if (d->kind == DEST_TCP) {
			complain("'%s': tcp needs an address: "
				 "tcp://<pk>@host[:port]",
			    text);
			return EXIT_USAGE;
		}
		if ((r = dest_parse_pk(d, ctx, rest, strcspn(rest, ":"))) != 0)
			return r;
		return dest_parse_dmsg_port(d, strchr(rest, ':'), port);
	}
	if (d->kind == DEST_DMSG && rest != text) {
		complain("'%s': a key is found by itself: no '@' there", text);
		return EXIT_USAGE;
	}
	d->kind = DEST_TCP;
	if ((r = dest_parse_pk(d, ctx, rest, (size_t)(at - rest))) != 0)
		return r;
	if (addr_split(at + 1, port != NULL ? port : DEFAULT_PORT, d->host,
		d->port) != 0 ||
	    *d->host == '\0') {
		complain("'%s' is not an address: host, host:port or "
			 "[v6]:port",
		    at + 1);
		return EXIT_USAGE;
	}
	return dest_check_port(at + 1, d->port);
}
