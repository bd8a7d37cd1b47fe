/* SPDX-License-Identifier: ISC */
/* The configuration's keys: what each one must be and where it goes. */
#include "common/privsep/config.h"

#include <ctype.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/base/usage.h"
#include "common/privsep/accept_env.h"
#include "common/privsep/config_file.h"
#include "common/privsep/config_keys.h"
#include "common/privsep/control.h"
#include "common/privsep/metrics.h"
#include "common/privsep/permits.h"

#define COUNT_MAX   CONFIG_COUNT_MAX
#define SECONDS_MAX 600
#define JOBS_MAX    10000
#define DAYS_MAX    36500
#define NAME_SHOWN  200 /* bytes of a file's name in a message */

/* State of one parse. */
struct loader {
	struct config *conf;
	struct keyctx *keyctx;
	const struct config_report *report;
	const char *name;
	const struct config_key *key; /* top-level key that is being read */
	/* The element of dmsg_servers that is being read. */
	char server_pk[KEY_PUBLIC_HEX], server_addr[ADDR_TEXT_MAX];
	bool failed;
};

/* --- complaints --- */

void
config_say(const struct config_report *report, bool fatal, const char *name,
    const char *path, const char *fmt, ...)
{
	char what[256], line[768];
	size_t n = strlen(name);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	/* The end of a long name; the key and what is wrong must fit too. */
	snprintf(line, sizeof(line), "%s%s: %s%s%s",
	    n > NAME_SHOWN ? "..." : "",
	    n > NAME_SHOWN ? name + n - NAME_SHOWN : name, path,
	    *path != '\0' ? ": " : "", what);
	/* A key of the file may hold anything. */
	for (char *p = line; *p != '\0'; p++)
		if (iscntrl((unsigned char)*p))
			*p = '?';
	if (report != NULL && report->say != NULL)
		report->say(report->arg, fatal, line);
}

static void
config_bad(struct loader *l, const struct json_event *e, const char *why)
{
	l->failed = true;
	config_say(l->report, true, l->name, e->path, "%s", why);
}

/* --- setters --- */

static void
config_set_text(struct loader *l, const struct json_event *e)
{
	char **s = (char **)((char *)l->conf + l->key->offset);

	if (config_replace(s, e->text) != 0)
		config_bad(l, e, "out of memory");
}

static void
set_number(struct loader *l, const struct json_event *e)
{
	unsigned *n = (unsigned *)(void *)((char *)l->conf + l->key->offset);
	char why[64];

	if (config_parse_number(e->text, l->key->min, l->key->max, n) == 0)
		return;
	snprintf(why, sizeof(why), "not a whole number from %u to %u",
	    l->key->min, l->key->max);
	config_bad(l, e, why);
}

static void
config_set_port(struct loader *l, const struct json_event *e)
{
	unsigned port;

	if (config_parse_number(e->text, 0, UINT16_MAX, &port) == 0)
		l->conf->dmsgport = (uint16_t)port;
	else
		config_bad(l, e, "not a port number");
}

static void
set_sk(struct loader *l, const struct json_event *e)
{
	struct config *c = l->conf;

	if (c->sk == NULL && (c->sk = sodium_malloc(KEY_SECRET_LEN)) == NULL)
		config_bad(l, e, "out of locked memory");
	else if (key_parse_secret(l->keyctx, e->text, c->sk) != 0)
		config_bad(l, e, "not a secret key (64 hexadecimal digits)");
}

static void
set_pk(struct loader *l, const struct json_event *e)
{
	if (key_parse_public(l->keyctx, e->text, &l->conf->pk) != 0)
		config_bad(l, e, "not a public key (66 hexadecimal digits)");
}

static void
set_sandbox(struct loader *l, const struct json_event *e)
{
	if (strcmp(e->text, "strict") == 0)
		l->conf->best_effort = false;
	else if (strcmp(e->text, "best-effort") == 0)
		l->conf->best_effort = true;
	else
		config_bad(l, e, "neither \"strict\" nor \"best-effort\"");
}

static void
set_log_format(struct loader *l, const struct json_event *e)
{
	if (strcmp(e->text, "text") == 0)
		l->conf->log_format = LOG_FORMAT_TEXT;
	else if (strcmp(e->text, "json") == 0)
		l->conf->log_format = LOG_FORMAT_JSON;
	else
		config_bad(l, e, "neither \"text\" nor \"json\"");
}

static void
set_sftp_log(struct loader *l, const struct json_event *e)
{
	if (config_parse_sftp_log(e->text, &l->conf->sftp_log) != 0)
		config_bad(l, e,
		    "none of \"off\", \"info\", \"verbose\" and \"debug\"");
}

static void
config_set_metrics(struct loader *l, const struct json_event *e)
{
	struct sockaddr_storage addr;
	int r = *e->text != '\0' ? metrics_address(e->text, &addr) : 0;

	if (r == SKY_ERR_DENIED)
		config_bad(l, e,
		    "others can reach that; only an address of this machine "
		    "alone will do, as \"127.0.0.1:9100\"");
	else if (r < 0)
		config_bad(l, e,
		    "not an address in digits and a port, as "
		    "\"127.0.0.1:9100\" or \"[::1]:9100\"");
	else
		config_set_text(l, e);
}

static void
config_set_path(struct loader *l, const struct json_event *e)
{
	if (*e->text != '/' && *e->text != '\0' && strcmp(e->text, "none") != 0)
		config_bad(l, e, "neither an absolute path nor \"none\"");
	else
		config_set_text(l, e);
}

static void
config_set_folder(struct loader *l, const struct json_event *e)
{
	if (*e->text != '/' && strncmp(e->text, "~/", 2) != 0)
		config_bad(l, e,
		    "neither an absolute path nor one that begins with ~/");
	else
		config_set_text(l, e);
}

static void
set_bool(struct loader *l, const struct json_event *e)
{
	*(bool *)((char *)l->conf + l->key->offset) = e->truth;
}

static void
config_set_accept_env(struct loader *l, const struct json_event *e)
{
	const char *word = e->text;
	size_t n;

	if (!accept_env_is_list(e->text)) {
		config_bad(l, e,
		    "no list of names with * and ?, divided by blanks");
		return;
	}
	for (; *(word += strspn(word, " ")) != '\0'; word += n) {
		n = strcspn(word, " ");
		if (accept_env_never(word, n))
			config_say(l->report, false, l->name, e->path,
			    "%.*s never passes: it can change what runs",
			    (int)n, word);
	}
	config_set_text(l, e);
}

static void
set_startups(struct loader *l, const struct json_event *e)
{
	if (config_parse_startups(e->text, &l->conf->maxstartups) != 0)
		config_bad(l, e, "not of the form \"begin:rate:full\"");
}

static void
set_startuprate(struct loader *l, const struct json_event *e)
{
	if (config_parse_rates(e->text, &l->conf->startuprate) != 0)
		config_bad(l, e, "not of the form \"origin:network:all\"");
}

static void
set_netblocks(struct loader *l, const struct json_event *e)
{
	if (config_parse_blocks(e->text, &l->conf->netblocks) != 0)
		config_bad(l, e, "not of the form \"24:48\"");
}

/* The list as a whole: its elements come one by one. */
static void
set_wl(struct loader *l, const struct json_event *e)
{
	free(l->conf->wl);
	l->conf->wl = NULL;
	l->conf->nwl = 0;
}

static void
add_wl(struct loader *l, const struct json_event *e)
{
	struct config *c = l->conf;
	struct key_public *grown;

	if (e->type != JSON_STRING) {
		config_bad(l, e, "not a string");
		return;
	}
	if (c->nwl == CONFIG_WL_MAX) {
		config_bad(l, e, "too many keys");
		return;
	}
	grown = reallocarray(c->wl, c->nwl + 1, sizeof(*grown));
	if (grown == NULL) {
		config_bad(l, e, "out of memory");
		return;
	}
	c->wl = grown;
	if (key_parse_public(l->keyctx, e->text, &c->wl[c->nwl]) == 0)
		c->nwl++;
	else
		config_bad(l, e, "not a public key (66 hexadecimal digits)");
}

static void
set_penalties(struct loader *l, const struct json_event *e)
{
	if (config_parse_penalties(e->text, &l->conf->penalties) != 0)
		config_bad(l, e,
		    "neither \"off\" nor words like \"crash:90s\", which are "
		    "noauth, handshake, authfail, grace-exceeded, crash, and "
		    "min and max, min the lesser");
}

static void
set_penalty_blocks(struct loader *l, const struct json_event *e)
{
	if (config_parse_blocks(e->text, &l->conf->penalty_blocks) != 0)
		config_bad(l, e, "not of the form \"32:64\"");
}

static void
set_exempt(struct loader *l, const struct json_event *e)
{
	l->conf->npenalty_exempt = 0;
}

static int
config_add_cidr(struct config *c, const char *text)
{
	struct cidr *grown, one;
	int r;

	if (c->npenalty_exempt == CONFIG_CIDR_MAX)
		return SKY_ERR_LIMIT;
	if ((r = cidr_parse(text, &one)) != 0)
		return r;
	grown = reallocarray(c->penalty_exempt, c->npenalty_exempt + 1,
	    sizeof(*grown));
	if (grown == NULL)
		return SKY_ERR_NOMEM;
	grown[c->npenalty_exempt++] = one;
	c->penalty_exempt = grown;
	return 0;
}

static void
add_exempt(struct loader *l, const struct json_event *e)
{
	int r = e->type == JSON_STRING ? config_add_cidr(l->conf, e->text) :
					 SKY_ERR_FORMAT;

	if (r == SKY_ERR_FORMAT)
		config_bad(l, e, "not of the form \"192.0.2.0/24\"");
	else if (r != 0)
		config_bad(l, e, err_text(r));
}

static void
set_permits(struct loader *l, const struct json_event *e)
{
	char **s = (char **)((char *)l->conf + l->key->offset);

	if (config_replace(s, "") != 0)
		config_bad(l, e, "out of memory");
}

/* The list with one more, malloc'ed: SKY_ERR_FORMAT if that is none. */
static int
config_join_permit(enum permits_kind kind, const char *all, const char *text,
    char **joined)
{
	struct rights_permit *list;
	size_t n;
	int r = SKY_ERR_FORMAT;

	if (strchr(text, '\n') != NULL || *text == '\0')
		return SKY_ERR_FORMAT;
	if (asprintf(joined, "%s%s%s", all, *all != '\0' ? "\n" : "", text) ==
	    -1)
		return SKY_ERR_NOMEM;
	if ((r = permits_read(&list, &n, kind, *joined)) == 0)
		permits_free(list, n);
	else
		free(*joined);
	return r;
}

static void
add_permit(struct loader *l, const struct json_event *e)
{
	char **all = (char **)((char *)l->conf + l->key->offset), *joined;
	bool open = l->key->kind == CONFIG_IS_PERMITOPEN;
	int r = SKY_ERR_FORMAT;

	if (e->type == JSON_STRING)
		r = config_join_permit(open ? PERMITS_OPEN : PERMITS_LISTEN,
		    *all, e->text, &joined);
	if (r == 0) {
		free(*all);
		*all = joined;
	} else if (r == SKY_ERR_LIMIT)
		config_bad(l, e, "too many values");
	else if (r == SKY_ERR_NOMEM)
		config_bad(l, e, "out of memory");
	else
		config_bad(l, e,
		    open ? "not of the form \"host:port\", and no absolute "
			   "path of a socket" :
			   "not of the form \"address:port\" or \"port\", "
			   "and no absolute path of a socket");
}

static void
set_servers(struct loader *l, const struct json_event *e)
{
	if (config_replace(&l->conf->dmsg_servers, "") != 0)
		config_bad(l, e, "out of memory");
}

static void
config_add_server(struct loader *l, const struct json_event *e)
{
	struct key_public pk;
	char *joined;

	if (key_parse_public(l->keyctx, l->server_pk, &pk) != 0) {
		config_bad(l, e, "\"static\" is not a public key");
	} else if (*l->server_addr == '\0') {
		config_bad(l, e, "\"server\" has no \"address\"");
	} else if (asprintf(&joined, "%s%s%s@%s", l->conf->dmsg_servers,
		       *l->conf->dmsg_servers != '\0' ? " " : "", l->server_pk,
		       l->server_addr) == -1) {
		config_bad(l, e, "out of memory");
	} else {
		free(l->conf->dmsg_servers);
		l->conf->dmsg_servers = joined;
	}
}

/* [{ "static": pk, "server": { "address": host:port } }]; more is ignored. */
static void
config_take_server(struct loader *l, const struct json_event *e)
{
	if (e->depth == 2 && e->type == JSON_OBJECT)
		*l->server_pk = *l->server_addr = '\0';
	else if (e->depth == 2 && e->type == JSON_END)
		config_add_server(l, e);
	else if (e->depth == 3 && e->type == JSON_STRING && e->key != NULL &&
	    strcmp(e->key, "static") == 0)
		strlcpy(l->server_pk, e->text, sizeof(l->server_pk));
	else if (e->depth == 4 && e->type == JSON_STRING && e->key != NULL &&
	    strcmp(e->key, "address") == 0 && strchr(e->text, ' ') == NULL)
		strlcpy(l->server_addr, e->text, sizeof(l->server_addr));
}

#define FIELD(kind, field) kind, offsetof(struct config, field), 0, 0
#define TEXT(field)	   FIELD(CONFIG_IS_TEXT, field)
#define NUMBER(field, low, high) \
	CONFIG_IS_NUMBER, offsetof(struct config, field), low, high

static const struct config_key keys[] = {
	{ "sk_file", CONFIG_SK_FILE, JSON_STRING, TEXT(sk_file) },
	{ "sk", CONFIG_SK, JSON_STRING, CONFIG_IS_SK, 0, 0, 0 },
	{ "pk", CONFIG_PK, JSON_STRING, CONFIG_IS_PK, 0, 0, 0 },
	{ "wl", CONFIG_WL, JSON_ARRAY, CONFIG_IS_WL, 0, 0, 0 },
	{ "dmsgdisc", CONFIG_DMSGDISC, JSON_STRING, TEXT(dmsgdisc) },
	{ "dmsgsessions", CONFIG_DMSGSESSIONS, JSON_NUMBER,
	    NUMBER(dmsgsessions, 0, COUNT_MAX) },
	{ "dmsgport", CONFIG_DMSGPORT, JSON_NUMBER, CONFIG_IS_PORT, 0, 0, 0 },
	{ "clinet", CONFIG_CLINET, JSON_STRING, TEXT(clinet) },
	{ "cliaddr", CONFIG_CLIADDR, JSON_STRING, TEXT(cliaddr) },
	{ "ssh_listen", CONFIG_SSH_LISTEN, JSON_STRING, TEXT(ssh_listen) },
	{ "cligroup", CONFIG_CLIGROUP, JSON_STRING, TEXT(cligroup) },
	{ "sandbox", CONFIG_SANDBOX, JSON_STRING, CONFIG_IS_SANDBOX, 0, 0, 0 },
	{ "privsep_user", CONFIG_PRIVSEP_USER, JSON_STRING,
	    TEXT(privsep_user) },
	{ "maxstartups", CONFIG_MAXSTARTUPS, JSON_STRING, CONFIG_IS_STARTUPS, 0,
	    0, 0 },
	{ "startuprate", CONFIG_STARTUPRATE, JSON_STRING, CONFIG_IS_STARTUPRATE,
	    0, 0, 0 },
	{ "netblocks", CONFIG_NETBLOCKS, JSON_STRING,
	    FIELD(CONFIG_IS_NETBLOCKS, netblocks) },
	{ "penalties", CONFIG_PENALTIES, JSON_STRING, CONFIG_IS_PENALTIES, 0, 0,
	    0 },
	{ "penalty_blocks", CONFIG_PENALTY_BLOCKS, JSON_STRING,
	    FIELD(CONFIG_IS_PENALTY_BLOCKS, penalty_blocks) },
	{ "penalty_exempt", CONFIG_PENALTY_EXEMPT, JSON_ARRAY, CONFIG_IS_EXEMPT,
	    0, 0, 0 },
	{ "maxperkey", CONFIG_MAXPERKEY, JSON_NUMBER,
	    NUMBER(maxperkey, 1, COUNT_MAX) },
	{ "maxperaddr", CONFIG_MAXPERADDR, JSON_NUMBER,
	    NUMBER(maxperaddr, 1, COUNT_MAX) },
	{ "maxperrelay", CONFIG_MAXPERRELAY, JSON_NUMBER,
	    NUMBER(maxperrelay, 0, COUNT_MAX) },
	{ "startup_memory", CONFIG_STARTUPMEMORY, JSON_NUMBER,
	    NUMBER(startup_memory, 0, COUNT_MAX) },
	{ "handshake_timeout", CONFIG_HANDSHAKE, JSON_NUMBER,
	    NUMBER(handshake_timeout, 1, SECONDS_MAX) },
	{ "tcp_keepalive", CONFIG_KEEPALIVE, JSON_NUMBER,
	    NUMBER(tcp_keepalive, 1, SECONDS_MAX) },
	{ "dmsg_servers", CONFIG_SERVERS, JSON_ARRAY, CONFIG_IS_SERVERS, 0, 0,
	    0 },
	{ "sftp_server", CONFIG_SFTP_SERVER, JSON_STRING,
	    FIELD(CONFIG_IS_PATH, sftp_server) },
	{ "sftp_readonly", CONFIG_SFTP_READONLY, JSON_BOOL,
	    FIELD(CONFIG_IS_BOOL, sftp_readonly) },
	{ "sftp_log", CONFIG_SFTP_LOG, JSON_STRING, CONFIG_IS_SFTP_LOG, 0, 0,
	    0 },
	{ "accept_env", CONFIG_ACCEPT_ENV, JSON_STRING,
	    FIELD(CONFIG_IS_ACCEPT_ENV, accept_env) },
	{ "pam", CONFIG_PAM, JSON_BOOL, FIELD(CONFIG_IS_BOOL, pam) },
	{ "require_pq", CONFIG_REQUIRE_PQ, JSON_BOOL,
	    FIELD(CONFIG_IS_BOOL, require_pq) },
	{ "max_jobs", CONFIG_MAXJOBS, JSON_NUMBER,
	    NUMBER(max_jobs, 0, JOBS_MAX) },
	{ "job_output", CONFIG_JOBOUTPUT, JSON_NUMBER,
	    NUMBER(job_output, 1, COUNT_MAX) },
	{ "job_age", CONFIG_JOBAGE, JSON_NUMBER, NUMBER(job_age, 0, DAYS_MAX) },
	{ "job_dir", CONFIG_JOBDIR, JSON_STRING,
	    FIELD(CONFIG_IS_FOLDER, job_dir) },
	{ "authorized_pks", CONFIG_AUTHORIZED, JSON_STRING,
	    FIELD(CONFIG_IS_PATH, authorized_pks) },
	{ "revoked_pks", CONFIG_REVOKED, JSON_STRING,
	    FIELD(CONFIG_IS_PATH, revoked_pks) },
	{ "permitopen", CONFIG_PERMITOPEN, JSON_ARRAY,
	    FIELD(CONFIG_IS_PERMITOPEN, permitopen) },
	{ "permitlisten", CONFIG_PERMITLISTEN, JSON_ARRAY,
	    FIELD(CONFIG_IS_PERMITLISTEN, permitlisten) },
	{ "metrics", CONFIG_METRICS, JSON_STRING,
	    FIELD(CONFIG_IS_METRICS, metrics) },
	{ "log_format", CONFIG_LOG_FORMAT, JSON_STRING, CONFIG_IS_LOG_FORMAT, 0,
	    0, 0 },
	{ "record", CONFIG_RECORD, JSON_STRING, FIELD(CONFIG_IS_PATH, record) },
};

const struct config_key *
config_key(size_t i)
{
	return i < sizeof(keys) / sizeof(keys[0]) ? &keys[i] : NULL;
}

static void (*const setters[])(struct loader *, const struct json_event *) = {
	[CONFIG_IS_SK] = set_sk,
	[CONFIG_IS_PK] = set_pk,
	[CONFIG_IS_WL] = set_wl,
	[CONFIG_IS_TEXT] = config_set_text,
	[CONFIG_IS_PATH] = config_set_path,
	[CONFIG_IS_FOLDER] = config_set_folder,
	[CONFIG_IS_NUMBER] = set_number,
	[CONFIG_IS_BOOL] = set_bool,
	[CONFIG_IS_PORT] = config_set_port,
	[CONFIG_IS_SANDBOX] = set_sandbox,
	[CONFIG_IS_STARTUPS] = set_startups,
	[CONFIG_IS_STARTUPRATE] = set_startuprate,
	[CONFIG_IS_NETBLOCKS] = set_netblocks,
	[CONFIG_IS_PENALTIES] = set_penalties,
	[CONFIG_IS_PENALTY_BLOCKS] = set_penalty_blocks,
	[CONFIG_IS_EXEMPT] = set_exempt,
	[CONFIG_IS_SERVERS] = set_servers,
	[CONFIG_IS_ACCEPT_ENV] = config_set_accept_env,
	[CONFIG_IS_LOG_FORMAT] = set_log_format,
	[CONFIG_IS_SFTP_LOG] = set_sftp_log,
	[CONFIG_IS_METRICS] = config_set_metrics,
	[CONFIG_IS_PERMITOPEN] = set_permits,
	[CONFIG_IS_PERMITLISTEN] = set_permits,
};

/* Of elements of an array. */
static void (*const adders[CONFIG_KINDS])(struct loader *,
    const struct json_event *) = {
	[CONFIG_IS_WL] = add_wl,
	[CONFIG_IS_EXEMPT] = add_exempt,
	[CONFIG_IS_PERMITOPEN] = add_permit,
	[CONFIG_IS_PERMITLISTEN] = add_permit,
};

static const char *
type_name(enum json_type type)
{
	switch (type) {
	case JSON_STRING:
		return "not a string";
	case JSON_NUMBER:
		return "not a number";
	case JSON_ARRAY:
		return "not an array";
	case JSON_BOOL:
		return "neither true nor false";
	default:
		return "of the wrong type";
	}
}

static const struct config_key *
config_find(const char *name)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

/* What a visor's configuration calls them; else by slips of the pen. */
static const char *
config_meant(const char *name)
{
	static const char *const visors[][2] = { { "whitelist", "wl" },
		{ "dmsg_port", "dmsgport" }, { "cli_network", "clinet" },
		{ "cli_address", "cliaddr" } };
	struct usage_near near = { .word = name };

	for (size_t i = 0; i < sizeof(visors) / sizeof(visors[0]); i++)
		if (strcmp(name, visors[i][0]) == 0)
			return visors[i][1];
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		usage_try(&near, keys[i].name);
	return near.best;
}

/* A member of the outermost object. */
static void
config_take_member(struct loader *l, const struct json_event *e)
{
	const char *meant;

	if ((l->key = config_find(e->key)) == NULL) {
		meant = config_meant(e->key);
		config_say(l->report, false, l->name, e->path,
		    "unknown key, ignored%s%s%s",
		    meant != NULL ? "; did you mean \"" : "",
		    meant != NULL ? meant : "", meant != NULL ? "\"?" : "");
		return;
	}
	/* Go writes an empty list as null. */
	if (e->type != l->key->type &&
	    !(e->type == JSON_NULL && l->key->type == JSON_ARRAY)) {
		config_bad(l, e, type_name(l->key->type));
		l->key = NULL; /* what is in it is no list's */
		return;
	}
	l->conf->given |= l->key->bit;
	setters[l->key->kind](l, e);
}

static int
config_on_event(void *arg, const struct json_event *e)
{
	struct loader *l = arg;

	if (e->depth == 0 && e->type != JSON_OBJECT && e->type != JSON_END) {
		config_bad(l, e, "not a JSON object");
		return 0;
	}
	if (e->depth == 1 && e->key != NULL && e->type != JSON_END)
		config_take_member(l, e);
	else if (e->depth == 2 && e->type != JSON_END && l->key != NULL &&
	    adders[l->key->kind] != NULL)
		adders[l->key->kind](l, e);
	else if (e->depth >= 2 && l->key != NULL &&
	    l->key->kind == CONFIG_IS_SERVERS)
		config_take_server(l, e);
	return 0;
}

/* sk and pk may come from different places and in any order. */
static void
check_pair(struct loader *l)
{
	struct config *c = l->conf;
	struct key_public own;

	if (!(c->given & CONFIG_PK) || c->sk == NULL || l->failed)
		return;
	if (key_public(l->keyctx, c->sk, &own) != 0 ||
	    !key_equal(&own, &c->pk)) {
		l->failed = true;
		config_say(l->report, true, l->name, "pk",
		    "is not the public key of sk");
	}
}

int
config_parse(struct config *c, struct keyctx *ctx, const char *text, size_t n,
    const char *name, const struct config_report *report)
{
	struct loader l = { .conf = c,
		.keyctx = ctx,
		.report = report,
		.name = name };
	char why[256];
	int r;

	if ((r = json_parse(text, n, config_on_event, &l, why, sizeof(why))) !=
	    0) {
		config_say(report, true, name, "", "%s", why);
		return r == SKY_ERR_NOMEM ? r : SKY_ERR_FORMAT;
	}
	check_pair(&l);
	return l.failed ? SKY_ERR_FORMAT : 0;
}

int
config_defaults(struct config *c)
{
	char control[CONTROL_PATH_MAX];

	memset(c, 0, sizeof(*c));
	control_default(control);
	c->dmsgdisc = strdup(CONFIG_DISCOVERY);
	c->clinet = strdup("unix");
	c->cliaddr = strdup(control);
	c->ssh_listen = strdup("");
	c->cligroup = strdup("");
	c->privsep_user = strdup("_skypty");
	c->sftp_server = strdup("");
	c->sk_file = strdup("");
	c->dmsg_servers = strdup("");
	c->accept_env = strdup(ACCEPT_ENV_DEFAULT);
	c->metrics = strdup("");
	c->authorized_pks = strdup("");
	c->revoked_pks = strdup("");
	c->record = strdup("");
	c->job_dir = strdup(CONFIG_JOB_DIR);
	c->permitopen = strdup("");
	c->permitlisten = strdup("");
	c->max_jobs = 64;
	c->job_output = 16;
	c->job_age = 7;
	c->dmsgsessions = 1;
	c->dmsgport = 22;
	c->maxstartups = (struct config_startups){ 10, 30, 100 };
	c->startuprate = (struct config_rates){ 10, 40, 100 };
	c->netblocks = (struct config_blocks){ 24, 48 };
	config_default_penalties(&c->penalties);
	c->penalty_blocks = (struct config_blocks){ 32, 64 };
	/* Who comes by a tunnel or a proxy shares them with everybody. */
	if (config_add_cidr(c, "127.0.0.0/8") != 0 ||
	    config_add_cidr(c, "::1") != 0)
		return SKY_ERR_NOMEM;
	c->maxperkey = c->maxperaddr = 64;
	c->handshake_timeout = 10;
	c->tcp_keepalive = 15;
	return c->accept_env == NULL || c->dmsgdisc == NULL ||
		c->clinet == NULL || c->cliaddr == NULL ||
		c->ssh_listen == NULL || c->cligroup == NULL ||
		c->privsep_user == NULL || c->sk_file == NULL ||
		c->sftp_server == NULL || c->dmsg_servers == NULL ||
		c->authorized_pks == NULL || c->revoked_pks == NULL ||
		c->record == NULL || c->metrics == NULL || c->job_dir == NULL ||
		c->permitopen == NULL || c->permitlisten == NULL ?
	    SKY_ERR_NOMEM :
	    0;
}

void
config_free(struct config *c)
{
	sodium_free(c->sk);
	free(c->wl);
	free(c->dmsgdisc);
	free(c->clinet);
	free(c->cliaddr);
	free(c->ssh_listen);
	free(c->cligroup);
	free(c->privsep_user);
	free(c->sftp_server);
	free(c->sk_file);
	free(c->dmsg_servers);
	free(c->accept_env);
	free(c->metrics);
	free(c->job_dir);
	free(c->permitopen);
	free(c->permitlisten);
	free(c->authorized_pks);
	free(c->revoked_pks);
	free(c->record);
	free(c->penalty_exempt);
	memset(c, 0, sizeof(*c));
}
