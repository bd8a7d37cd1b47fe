/* SPDX-License-Identifier: ISC */
/*
 * What a browser gets over plain HTTP: the page, what belongs to it, and a
 * cookie for a token.  PROTOCOL.pty 10.
 */
#include "daemon/http/http_main.h"
#include "daemon/http/http_mon.h"
#include "daemon/http/http_origin.h"
#include "daemon/http/http_page.h"
#include "daemon/http/http_text.h"
#include "daemon/http/http_tls.h"
#include "daemon/http/http_ws.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/hex.h"
#include "common/base/json.h"
#include "daemon/http/page/assets.h"

#define CHUNK	     8192
#define HEAD_MAX     2048
#define PATH_LEN     512
#define HOST_LEN     300
#define COMMANDS_LEN 512

static const char page_csp[] =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self'; img-src 'self' data:; font-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

static const struct {
	const char *name, *value;
} fixed_headers[] = {
	{ "content-security-policy:", page_csp },
	{ "x-content-type-options:", "nosniff" },
	{ "x-frame-options:", "DENY" },
	{ "referrer-policy:", "no-referrer" },
	{ "cross-origin-opener-policy:", "same-origin" },
	{ "cross-origin-resource-policy:", "same-origin" },
	{ "cache-control:", "no-cache" },
};

static const struct {
	enum lws_token_indexes token;
	const char *name;
} methods[] = {
	{ WSI_TOKEN_POST_URI, "POST" },
	{ WSI_TOKEN_OPTIONS_URI, "OPTIONS" },
	{ WSI_TOKEN_PUT_URI, "PUT" },
	{ WSI_TOKEN_PATCH_URI, "PATCH" },
	{ WSI_TOKEN_DELETE_URI, "DELETE" },
	{ WSI_TOKEN_CONNECT, "CONNECT" },
	{ WSI_TOKEN_HEAD_URI, "HEAD" },
};

/* A request of which more may come than its head. */
static const enum lws_token_indexes with_body[] = {
	WSI_TOKEN_HTTP_CONTENT_LENGTH,
	WSI_TOKEN_HTTP_TRANSFER_ENCODING,
};

/* The first member is ws_callback's: a WebSocket begins as this. */
struct page_user {
	void *client;
	const uint8_t *body; /* what is left to be sent */
	size_t left;
	bool last;		  /* the connection ends behind it */
	char text[HTTP_WORD_MAX]; /* body that was made here */
};

struct reply {
	unsigned status;
	const char *type;
	const char *etag;
	const char *location;
	char cookie[512];
	bool gzip;
};

/* --- who asks --- */

/* Its digits do not stay here. */
static bool
get_cookie(struct http *h, struct lws *wsi, uint8_t cookie[HTTP_TOKEN_LEN])
{
	char text[HTTP_DIGITS + 1] = "";
	size_t n = sizeof(text);
	bool found = lws_http_cookie_get(wsi, h->conf.cookie, text, &n) == 0 &&
	    hex_decode(text, cookie, HTTP_TOKEN_LEN) == 0;

	sodium_memzero(text, sizeof(text));
	return found;
}

static bool
has_cookie(struct http *h, struct lws *wsi)
{
	uint8_t cookie[HTTP_TOKEN_LEN];
	bool good = get_cookie(h, wsi, cookie) && http_check(h, cookie);

	sodium_memzero(cookie, sizeof(cookie));
	return good;
}

/* A proxy in front of us says who it is, and is the only one to reach us. */
static bool
has_header(struct http *h, struct lws *wsi)
{
	char name[128];
	int n = snprintf(name, sizeof(name), "%s:", h->conf.auth_header);

	for (char *p = name; *p != '\0'; p++) /* as libwebsockets keeps them */
		*p = (char)tolower((unsigned char)*p);
	return *h->conf.auth_header != '\0' && n < (int)sizeof(name) &&
	    lws_hdr_custom_length(wsi, name, n) > 0;
}

/* Whether links decide: else nobody is asked for a cookie. */
static bool
by_link(const struct http *h)
{
	return !h->conf.no_auth && *h->conf.auth_header == '\0';
}

static bool
is_allowed(struct http *h, struct lws *wsi)
{
	bool allowed = by_link(h)	 ? has_cookie(h, wsi) :
	    *h->conf.auth_header != '\0' ? has_header(h, wsi) :
					   true;

	if (allowed)
		visitor_move(visitor_of(wsi), VISITOR_KNOWN);
	return allowed;
}

static bool
host_ok(struct http *h, struct lws *wsi, char host[HOST_LEN])
{
	return lws_hdr_copy(wsi, host, HOST_LEN, WSI_TOKEN_HOST) > 0 &&
	    origin_host_ok(&h->conf, host);
}

/* --- a WebSocket --- */

/* libwebsockets' own answer is of HTTP/1.0. */
void
page_refuse(struct lws *wsi, int status)
{
	static const struct {
		int status;
		const char *text;
	} known[] = {
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 426, "Upgrade Required" },
	};
	uint8_t head[LWS_PRE + 192];
	const char *text = "";
	int n;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].status == status)
			text = known[i].text;
	n = snprintf((char *)head + LWS_PRE, sizeof(head) - LWS_PRE,
	    "HTTP/1.1 %d %s\r\nsec-websocket-version: 13\r\n"
	    "content-length: 0\r\nconnection: close\r\n\r\n",
	    status, text);
	(void)lws_write(wsi, head + LWS_PRE, (size_t)n, LWS_WRITE_HTTP_FINAL);
}

static bool
origin_allowed(struct http *h, struct lws *wsi)
{
	char host[HOST_LEN], origin[HOST_LEN];
	bool has_origin = lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) > 0;

	return host_ok(h, wsi, host) &&
	    (!has_origin ||
		lws_hdr_copy(wsi, origin, sizeof(origin), WSI_TOKEN_ORIGIN) >
		    0) &&
	    origin_ok(&h->conf, has_origin ? origin : NULL, host);
}

/* None, or a list with one of ours in it: the first is meant. */
static bool
get_kind(struct lws *wsi, enum http_kind *kind)
{
	char list[128], *rest = list, *name;

	*kind = HTTP_TERMINAL;
	if (lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) <= 0)
		return true;
	if (lws_hdr_copy(wsi, list, sizeof(list), WSI_TOKEN_PROTOCOL) <= 0)
		return false;
	while ((name = strsep(&rest, ", \t")) != NULL) {
		if (strcmp(name, "skypty.sftp") == 0)
			*kind = HTTP_FILES;
		if (*kind == HTTP_FILES || strcmp(name, "skypty.1") == 0)
			return true;
	}
	return false;
}

static enum http_admission
page_admit(struct http *h, struct lws *wsi, struct visitor *v)
{
	uint8_t cookie[HTTP_TOKEN_LEN];
	enum http_admission a = HTTP_DENIED;

	if (!by_link(h))
		return is_allowed(h, wsi) ?
		    http_admit(h, v->kind, NULL, &v->ticket) :
		    HTTP_DENIED;
	if (get_cookie(h, wsi, cookie))
		a = http_admit(h, v->kind, cookie, &v->ticket);
	sodium_memzero(cookie, sizeof(cookie));
	return a;
}

/* What it may not be asked for by; 0 if nothing. */
static int
upgrade_objection(struct http *h, struct lws *wsi, enum http_kind *kind)
{
	char path[PATH_LEN], version[8];

	if (!origin_allowed(h, wsi)) {
		http_log(h, LOG_LEVEL_WARN,
		    "Refused a WebSocket of another origin");
		return 403;
	}
	if (lws_hdr_copy(wsi, path, sizeof(path), WSI_TOKEN_GET_URI) <= 0 ||
	    strncmp(path, h->conf.base, strlen(h->conf.base)) != 0)
		return 404;
	if (lws_hdr_copy(wsi, version, sizeof(version), WSI_TOKEN_VERSION) <=
		0 ||
	    strcmp(version, "13") != 0)
		return 426;
	if (!get_kind(wsi, kind))
		return 400;
	return *kind == HTTP_FILES && h->conf.readonly ? 403 : 0;
}

int
page_upgrade(struct lws *wsi, const char *to)
{
	struct visitor *v = visitor_of(wsi);
	struct http *h = http_of(wsi);
	enum http_admission a = HTTP_DENIED;
	int status;

	if (v == NULL || v->asked != ASKED_NOTHING ||
	    strcasecmp(to, "websocket") != 0)
		return -1;
	status = upgrade_objection(h, wsi, &v->kind);
	if (status == 0 && (a = page_admit(h, wsi, v)) == HTTP_DENIED)
		status = 401;
	if (status != 0) {
		page_refuse(wsi, status);
		return -1;
	}
	v->asked = a == HTTP_ADMITTED ? ASKED_ADMITTED : ASKED_FULL;
	visitor_move(v, a == HTTP_ADMITTED ? VISITOR_ADMITTED : VISITOR_KNOWN);
	return 0;
}

/* --- answers --- */

static int
page_add(struct lws *wsi, const char *name, const char *value,
    unsigned char **p, unsigned char *end)
{
	return lws_add_http_header_by_name(wsi, (const unsigned char *)name,
	    (const unsigned char *)value, (int)strlen(value), p, end);
}

static int
page_put_head(struct lws *wsi, const struct reply *r, size_t len, bool last,
    unsigned char **p, unsigned char *end)
{
	if (lws_add_http_header_status(wsi, r->status, p, end) != 0 ||
	    lws_add_http_header_content_length(wsi, len, p, end) != 0)
		return -1;
	for (size_t i = 0; i < sizeof(fixed_headers) / sizeof(fixed_headers[0]);
	     i++)
		if (page_add(wsi, fixed_headers[i].name, fixed_headers[i].value,
			p, end) != 0)
			return -1;
	if ((r->type != NULL &&
		page_add(wsi, "content-type:", r->type, p, end) != 0) ||
	    (r->gzip &&
		page_add(wsi, "content-encoding:", "gzip", p, end) != 0) ||
	    (r->etag != NULL && page_add(wsi, "etag:", r->etag, p, end) != 0) ||
	    (r->location != NULL &&
		page_add(wsi, "location:", r->location, p, end) != 0) ||
	    (*r->cookie != '\0' &&
		page_add(wsi, "set-cookie:", r->cookie, p, end) != 0) ||
	    (last && page_add(wsi, "connection:", "close", p, end) != 0))
		return -1;
	return 0;
}

static int
is_done(struct lws *wsi, const struct page_user *u)
{
	return u->last || lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int
send_reply(struct lws *wsi, struct page_user *u, const struct reply *r,
    const void *body, size_t len)
{
	unsigned char head[LWS_PRE + HEAD_MAX], *p = head + LWS_PRE;
	unsigned char *end = head + sizeof(head) - 1;

	int result = page_put_head(wsi, r, len, u->last, &p, end);

	if (result == 0)
		result = lws_finalize_write_http_header(wsi, head + LWS_PRE, &p,
		    end);
	sodium_memzero(head, sizeof(head)); /* there may be a cookie in it */
	if (result != 0)
		return -1;
	u->body = body;
	u->left = len;
	if (len == 0)
		return is_done(wsi, u);
	lws_callback_on_writable(wsi);
	return 0;
}

static int
send_text(struct lws *wsi, struct page_user *u, unsigned status,
    const char *text)
{
	struct reply r = { .status = status,
		.type = "text/plain; charset=utf-8" };

	strlcpy(u->text, text, sizeof(u->text));
	return send_reply(wsi, u, &r, u->text, strlen(u->text));
}

static int
send_more(struct lws *wsi, struct page_user *u)
{
	static unsigned char chunk[LWS_PRE + CHUNK];
	size_t n = u->left < CHUNK ? u->left : CHUNK;

	memcpy(chunk + LWS_PRE, u->body, n);
	u->body += n;
	u->left -= n;
	if (lws_write(wsi, chunk + LWS_PRE, n,
		u->left == 0 ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0)
		return -1;
	if (u->left != 0) {
		lws_callback_on_writable(wsi);
		return 0;
	}
	return is_done(wsi, u);
}

static int
wrong_method(struct lws *wsi, struct page_user *u, const char *path)
{
	struct reply r = { .status = 405, .type = "application/json" };
	const char *method = "?";
	char text[PATH_LEN + 64];
	struct buf b;
	int result;

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (lws_hdr_total_length(wsi, methods[i].token) > 0)
			method = methods[i].name;
	snprintf(text, sizeof(text), "http method %s is invalid for path %.*s",
	    method, PATH_LEN, path);
	buf_init(&b, sizeof(u->text) - 1);
	if (buf_put(&b, "{\"error_code\":405,\"error_msg\":", 30) != 0 ||
	    json_put_string(&b, text, strlen(text)) != 0 ||
	    buf_put_u8(&b, '}') != 0)
		buf_reset(&b);
	memcpy(u->text, buf_ptr(&b), buf_len(&b));
	result = send_reply(wsi, u, &r, u->text, buf_len(&b));
	buf_free(&b);
	return result;
}

/* --- a token for a cookie --- */

static bool
header_is(struct lws *wsi, const char *name, const char *value)
{
	char text[32];
	int n = (int)strlen(name);

	return lws_hdr_custom_copy(wsi, text, sizeof(text), name, n) > 0 &&
	    strcmp(text, value) == 0;
}

/* Other pages may make a browser load what is no page; that is no try. */
static bool
is_no_page(struct lws *wsi)
{
	static const char mode[] = "sec-fetch-mode:",
			  dest[] = "sec-fetch-dest:";

	return (lws_hdr_custom_length(wsi, mode, sizeof(mode) - 1) > 0 &&
		   !header_is(wsi, mode, "navigate")) ||
	    (lws_hdr_custom_length(wsi, dest, sizeof(dest) - 1) > 0 &&
		!header_is(wsi, dest, "document"));
}

static bool
take_token(struct http *h, struct lws *wsi, const char *text,
    char cookie[HTTP_DIGITS], enum http_entry *entry)
{
	uint8_t token[HTTP_TOKEN_LEN], old[HTTP_TOKEN_LEN],
	    fresh[HTTP_TOKEN_LEN];
	bool has = get_cookie(h, wsi, old);
	char address[HTTP_ADDRESS_MAX] = "";

	/* What cannot be one is refused as one that is wrong. */
	if (hex_decode(text, token, sizeof(token)) != 0)
		memset(token, 0, sizeof(token));
	lws_get_peer_simple(wsi, address, sizeof(address));
	*entry = http_enter(h, token, has ? old : NULL, address, fresh);
	if (*entry == HTTP_ENTERED)
		hex_encode(fresh, sizeof(fresh), cookie);
	sodium_memzero(token, sizeof(token));
	sodium_memzero(old, sizeof(old));
	sodium_memzero(fresh, sizeof(fresh));
	return *entry != HTTP_REFUSED;
}

static int
open_link(struct http *h, struct lws *wsi, struct page_user *u,
    const char *token)
{
	struct reply r = { .status = 303, .location = h->conf.base };
	char cookie[HTTP_DIGITS];
	const char *body = "";
	enum http_entry entry;
	int result;

	if (is_no_page(wsi))
		return send_text(wsi, u, 403, "A token is for a page.\n");
	if (by_link(h) && !take_token(h, wsi, token, cookie, &entry))
		return send_text(wsi, u, 403,
		    "This link has been used, or is wrong. Take the one that "
		    "skyptyd printed last;\nSIGUSR1 makes it print a new "
		    "one.\n");
	if (by_link(h) && entry == HTTP_ENTERED)
		snprintf(r.cookie, sizeof(r.cookie),
		    "%s=%s; Path=%s; HttpOnly; SameSite=Strict; Max-Age=%u%s",
		    h->conf.cookie, cookie, h->conf.base, h->conf.session_s,
		    h->conf.secure ? "; Secure" : "");
	sodium_memzero(cookie, sizeof(cookie));
	/* Sent on from another site it would come without the cookie. */
	if (header_is(wsi, "sec-fetch-site:", "cross-site")) {
		r.status = 200;
		r.type = "text/html; charset=utf-8";
		r.location = NULL;
		snprintf(u->text, sizeof(u->text),
		    "<!DOCTYPE html><meta http-equiv=refresh "
		    "content=\"0; url=%s\"><a href=\"%s\">Go on</a>\n",
		    h->conf.base, h->conf.base);
		body = u->text;
	}
	result = send_reply(wsi, u, &r, body, strlen(body));
	sodium_memzero(r.cookie, sizeof(r.cookie));
	return result;
}

/* --- what there is --- */

static int
put_names(struct buf *b, const struct http_list *l)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->n; i++) {
		if (i > 0 && (r = buf_put_u8(b, ',')) != 0)
			return r;
		r = json_put_string(b, l->word[i], strcspn(l->word[i], "="));
	}
	return r;
}

static int
send_config(struct http *h, struct lws *wsi, struct page_user *u)
{
	struct reply r = { .status = 200, .type = "application/json" };
	const struct http_conf *c = &h->conf;
	char tail[128];
	struct buf b;
	int result = -1;

	snprintf(tail, sizeof(tail),
	    "],\"readonly\":%s,\"sftp\":%s,\"version\":\"" SKYPTY_VERSION "\"}",
	    c->readonly ? "true" : "false", c->readonly ? "false" : "true");
	buf_init(&b, sizeof(u->text));
	if (buf_put(&b, "{\"title\":", 9) == 0 &&
	    json_put_string(&b, c->title, strlen(c->title)) == 0 &&
	    buf_put(&b, ",\"commands\":[", 13) == 0 &&
	    put_names(&b, &c->commands) == 0 &&
	    buf_put(&b, tail, strlen(tail)) == 0) {
		memcpy(u->text, buf_ptr(&b), buf_len(&b));
		result = send_reply(wsi, u, &r, u->text, buf_len(&b));
	}
	buf_free(&b);
	return result;
}

static int
send_asset(struct lws *wsi, struct page_user *u, const struct web_asset *a)
{
	struct reply r = { .status = 200,
		.type = a->type,
		.etag = a->etag,
		.gzip = true };
	char known[128];

	if (lws_hdr_copy(wsi, known, sizeof(known),
		WSI_TOKEN_HTTP_IF_NONE_MATCH) > 0 &&
	    strcmp(known, a->etag) == 0) {
		r.status = 304;
		r.gzip = false;
		r.type = NULL;
		return send_reply(wsi, u, &r, "", 0);
	}
	return send_reply(wsi, u, &r, a->data, a->len);
}

static int
page_serve(struct http *h, struct lws *wsi, struct page_user *u,
    const char *name)
{
	if (strcmp(name, "config.json") == 0)
		return send_config(h, wsi, u);
	if (*name == '\0')
		name = "index.html";
	for (size_t i = 0; i < web_nassets; i++)
		if (strcmp(web_assets[i].name, name) == 0)
			return send_asset(wsi, u, &web_assets[i]);
	return send_text(wsi, u, 404,
	    web_nassets == 0 ? "The page was left out when this was built "
			       "(make WEB=yes).\n" :
			       "There is nothing of that name.\n");
}

/*
 * Whether a page that is not ours has sent the browser here with something to
 * be typed.  names: what it is, all of it in our list.
 */
static bool
is_told_to_type(struct http *h, struct lws *wsi, char names[COMMANDS_LEN])
{
	static const char site[] = "sec-fetch-site:";
	const char *value;
	struct buf b;
	bool known;

	if (lws_hdr_custom_length(wsi, site, sizeof(site) - 1) <= 0 ||
	    header_is(wsi, site, "none") || header_is(wsi, site, "same-origin"))
		return false;
	value = page_arg(wsi, "commands=", names, COMMANDS_LEN);
	if (value == NULL)
		return false;
	memmove(names, value, strlen(value) + 1);
	buf_init(&b, HTTP_INPUT_MAX);
	known = text_commands(&h->conf.commands, names, &b);
	buf_free(&b);
	return known;
}

/* The names have no characters that mean anything here. */
static int
ask_whether(struct lws *wsi, struct page_user *u, const char *names)
{
	struct reply r = { .status = 200, .type = "text/html; charset=utf-8" };

	snprintf(u->text, sizeof(u->text),
	    "<!DOCTYPE html><meta name=viewport content=\"width=device-width\">"
	    "<title>skypty</title><p>Another page wants this to be typed into "
	    "a "
	    "new terminal: %s<p><a href=\"?commands=%s\">Type it</a>\n",
	    names, names);
	return send_reply(wsi, u, &r, u->text, strlen(u->text));
}

static bool
has_body(struct lws *wsi)
{
	for (size_t i = 0; i < sizeof(with_body) / sizeof(with_body[0]); i++)
		if (lws_hdr_total_length(wsi, with_body[i]) > 0)
			return true;
	return false;
}

const char *
page_arg(struct lws *wsi, const char *name, char *text, int max)
{
	const enum lws_token_indexes args = WSI_TOKEN_HTTP_URI_ARGS;

	/* A part may be empty, or too long; behind the last one it is both. */
	for (int i = 0;; i++)
		if (lws_hdr_copy_fragment(wsi, text, max, args, i) < 0) {
			if (lws_hdr_fragment_length(wsi, args, i) == 0)
				return NULL;
		} else if (strncmp(text, name, strlen(name)) == 0)
			return text + strlen(name);
}

static int
page_on_request(struct lws *wsi, struct page_user *u, const char *path)
{
	struct http *h = http_of(wsi);
	char host[HOST_LEN], token[HTTP_DIGITS + 64]; /* with its name */
	char names[COMMANDS_LEN];
	struct reply moved = { .status = 301, .location = h->conf.base };
	const char *value;
	size_t n = strlen(h->conf.base);
	int result;

	/* What follows a body that is not read is no request of theirs. */
	u->last =
	    has_body(wsi) || lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) <= 0;
	if (!host_ok(h, wsi, host))
		return send_text(wsi, u, 403,
		    "This terminal does not go by that name, or not with that "
		    "port. Through ssh -L take\nthe same port here as there, "
		    "as 8080:127.0.0.1:8080; for a name, or a proxy, start\n"
		    "skyptyd http with --origin and what stands in the address "
		    "bar.\n");
	if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) <= 0)
		return wrong_method(wsi, u, path);
	if (u->last)
		return send_text(wsi, u, 400, "There is nothing to send.\n");
	if (strncmp(path, h->conf.base, n) != 0) {
		if (strlen(path) == n - 1 &&
		    strncmp(path, h->conf.base, n - 1) == 0)
			return send_reply(wsi, u, &moved, "", 0);
		return send_text(wsi, u, 404,
		    "There is nothing of that name.\n");
	}
	value = page_arg(wsi, "token=", token, sizeof(token));
	if (value != NULL) {
		result = open_link(h, wsi, u, value);
		sodium_memzero(token, sizeof(token));
		return result;
	}
	if (!is_allowed(h, wsi))
		return send_text(wsi, u, 401,
		    "Open the link that skyptyd http printed when it "
		    "started;\nSIGUSR1 makes it print a new one.\n");
	if (is_told_to_type(h, wsi, names))
		return ask_whether(wsi, u, names);
	return page_serve(h, wsi, u, path + n);
}

int
page_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
    void *in, size_t len)
{
	struct page_user *u = user;

	switch (reason) {
	case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
		http_tls_begin(http_of(wsi), user);
		return 0;
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return page_upgrade(wsi, in);
	case LWS_CALLBACK_RAW_ADOPT: /* by CONNECT */
	case LWS_CALLBACK_RAW_RX:
		return -1;
	case LWS_CALLBACK_HTTP:
		return page_on_request(wsi, u, in);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return u->left != 0 ? send_more(wsi, u) : 0;
	case LWS_CALLBACK_WSI_DESTROY: /* of whatever it has become */
		visitor_gone(wsi);
		return ws_callback(wsi, reason, user, in, len);
	default:
		return ws_callback(wsi, reason, user, in, len);
	}
}
