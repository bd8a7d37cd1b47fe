/* SPDX-License-Identifier: ISC */
/* What we take from a visor's configuration: its key, the servers it knows. */
#include "common/privsep/config_file.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "common/base/json.h"

/* --- the key --- */

struct visor {
	struct keyctx *keyctx;
	uint8_t *sk;
	bool bad;
};

static int
on_visor_event(void *arg, const struct json_event *e)
{
	struct visor *v = arg;

	if (e->depth != 1 || e->key == NULL || strcmp(e->key, "sk") != 0)
		return 0;
	v->bad = e->type != JSON_STRING ||
	    key_parse_secret(v->keyctx, e->text, v->sk) != 0;
	return v->bad ? SKY_ERR_KEY : SKY_ERR_EXISTS; /* no need to read on */
}

int
config_visor_sk(struct keyctx *ctx, const char *path, uint8_t **sk,
    const struct config_report *report)
{
	struct visor v = { .keyctx = ctx };
	struct stat st;
	struct buf text;
	char why[256];
	int r;

	if ((v.sk = sodium_malloc(KEY_SECRET_LEN)) == NULL)
		return SKY_ERR_NOMEM;
	if ((r = config_slurp(path, &text, &st)) != 0) {
		sodium_free(v.sk);
		return config_cannot_read(report, path, r);
	}
	if ((r = config_check_safety(report, path, &st)) != 0) {
		sodium_free(v.sk);
		buf_free(&text);
		return r;
	}
	r = json_parse((const char *)buf_ptr(&text), buf_len(&text),
	    on_visor_event, &v, why, sizeof(why));
	buf_free(&text);
	if (r == SKY_ERR_EXISTS) {
		config_warn_readable(report, path, &st);
		*sk = v.sk;
		return 0;
	}
	sodium_free(v.sk);
	if (r == 0)
		config_say(report, true, path, "sk", "is missing");
	else
		config_say(report, true, path, v.bad ? "sk" : "", "%s",
		    v.bad ? "not a secret key" : why);
	return SKY_ERR_KEY;
}

/* --- "dmsg": { "servers": [ { "static", "server": { "address" } } ] } --- */

struct visor_servers {
	struct keyctx *keyctx;
	struct buf list;
	unsigned index; /* of the one that these two are of */
	char pk[KEY_PUBLIC_HEX];
	char address[ADDR_TEXT_MAX];
};

static int
put_server(struct visor_servers *s)
{
	struct key_public pk;
	int r;

	if (*s->address == '\0' || strpbrk(s->address, " @") != NULL ||
	    key_parse_public(s->keyctx, s->pk, &pk) != 0)
		return 0;
	if ((buf_len(&s->list) != 0 && (r = buf_put_u8(&s->list, ' ')) != 0) ||
	    (r = buf_put(&s->list, s->pk, strlen(s->pk))) != 0 ||
	    (r = buf_put_u8(&s->list, '@')) != 0)
		return r;
	return buf_put(&s->list, s->address, strlen(s->address));
}

/* Whether the path is of that member of a server. */
static bool
is_member(const char *path, const char *name)
{
	const char *rest = strchr(path, ']');

	return strncmp(path, "dmsg.servers[", 13) == 0 && rest != NULL &&
	    strcmp(rest + 1, name) == 0;
}

static int
on_servers_event(void *arg, const struct json_event *e)
{
	struct visor_servers *s = arg;

	if (is_member(e->path, "") && e->type == JSON_OBJECT)
		*s->pk = *s->address = '\0';
	else if (is_member(e->path, "") && e->type == JSON_END)
		return put_server(s);
	else if (is_member(e->path, ".static") && e->type == JSON_STRING)
		strlcpy(s->pk, e->text, sizeof(s->pk));
	else if (is_member(e->path, ".server.address") &&
	    e->type == JSON_STRING)
		strlcpy(s->address, e->text, sizeof(s->address));
	return 0;
}

static void
say_nothing(void *arg, bool fatal, const char *text)
{
}

char *
config_visor_servers(struct keyctx *ctx, const char *path)
{
	const struct config_report quiet = { .say = say_nothing };
	struct visor_servers s = { .keyctx = ctx };
	struct buf text;
	struct stat st;
	char *list = NULL;

	if (config_slurp(path, &text, &st) != 0)
		return strdup("");
	buf_init(&s.list, CONFIG_FILE_MAX);
	if (config_check_safety(&quiet, path, &st) == 0 &&
	    json_parse((const char *)buf_ptr(&text), buf_len(&text),
		on_servers_event, &s, NULL, 0) == 0)
		list =
		    strndup((const char *)buf_ptr(&s.list), buf_len(&s.list));
	buf_free(&text);
	buf_free(&s.list);
	return list != NULL ? list : strdup("");
}
