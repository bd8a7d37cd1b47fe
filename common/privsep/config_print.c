/* SPDX-License-Identifier: ISC */
/* Writing a complete configuration with a new identity. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/err.h"
#include "common/base/hex.h"
#include "common/base/json.h"
#include "common/privsep/config_file.h"
#include "common/privsep/control.h"

/* PROTOCOL.dmsg 6.9. */
static const struct {
	const char *pk;
	const char *address;
} seeds[] = {
	{ "0281a102c82820e811368c8d028cf11b1a985043b726b1bcdb8fce89b27384b2cb",
	    "139.162.160.227:30086" },
	{ "0371ab4bcff7b121f4b91f6856d6740c6f9dc1fe716977850aeb5d84378b300a13",
	    "139.162.160.227:30087" },
	{ "02a49bc0aa1b5b78f638e9189be4ed095bac5d6839c828465a8350f80ac07629c0",
	    "139.162.160.227:30081" },
	{ "0326978f5a53aff537dbb47fed58b1f123af3b00132d365f1309a14db4168dcff7",
	    "70.121.13.123:9083" },
	{ "02a2d4c346dabd165fd555dfdba4a7f4d18786fe7e055e562397cd5102bdd7f8dd",
	    "139.162.173.101:30082" },
	{ "03717576ada5b1744e395c66c2bb11cea73b0e23d0dcd54422139b1a7f12e962c4",
	    "139.162.173.101:30083" },
};

#define SEEDS (sizeof(seeds) / sizeof(seeds[0]))

char *
config_seeds(void)
{
	char *text = strdup(""), *longer;

	for (size_t i = 0; text != NULL && i < SEEDS; i++) {
		if (asprintf(&longer, "%s%s%s@%s", text, i > 0 ? " " : "",
			seeds[i].pk, seeds[i].address) == -1)
			longer = NULL;
		free(text);
		text = longer;
	}
	return text;
}

static bool
is_seed(const char *server)
{
	const char *at = strchr(server, '@');
	size_t len = at != NULL ? (size_t)(at - server) : strlen(server);

	for (size_t i = 0; i < SEEDS; i++)
		if (strlen(seeds[i].pk) == len &&
		    strncasecmp(server, seeds[i].pk, len) == 0)
			return true;
	return false;
}

char *
config_without_seeds(const char *servers, size_t *left_out)
{
	char *copy = strdup(servers), *rest = copy, *word;
	size_t room = strlen(servers) + 1;
	char *kept = calloc(1, room);

	*left_out = 0;
	while (kept != NULL && (word = strsep(&rest, " ")) != NULL) {
		if (is_seed(word)) {
			++*left_out;
			continue;
		}
		if (*kept != '\0')
			strlcat(kept, " ", room);
		strlcat(kept, word, room);
	}
	if (copy == NULL) {
		free(kept);
		kept = NULL;
	}
	free(copy);
	return kept;
}

static void
print_seeds(FILE *f)
{
	fputs(",\n    \"dmsg_servers\": [\n", f);
	for (size_t i = 0; i < SEEDS; i++)
		fprintf(f,
		    "        {\n"
		    "            \"static\": \"%s\",\n"
		    "            \"server\": { \"address\": \"%s\" }\n"
		    "        }%s\n",
		    seeds[i].pk, seeds[i].address, i + 1 < SEEDS ? "," : "");
	fputs("    ]", f);
}

/* Its value comes from the environment, perhaps. */
static int
print_path(FILE *f, const char *name, const char *path)
{
	struct buf b;
	int r;

	buf_init(&b, 8 * (strlen(path) + 2));
	if ((r = json_put_string(&b, path, strlen(path))) == 0)
		fprintf(f, "    \"%s\": %.*s,\n", name, (int)buf_len(&b),
		    (const char *)buf_ptr(&b));
	buf_free(&b);
	return r;
}

static int
print_members(FILE *f, const struct config *c, const char *sk,
    const char *sk_file, const char *pk)
{
	int r;

	fprintf(f, "    \"dmsgdisc\": \"%s\",\n", c->dmsgdisc);
	fprintf(f, "    \"dmsgsessions\": %u,\n", c->dmsgsessions);
	fprintf(f, "    \"dmsgport\": %u,\n", c->dmsgport);
	fprintf(f, "    \"clinet\": \"%s\",\n", c->clinet);
	if ((r = print_path(f, "cliaddr", c->cliaddr)) != 0)
		return r;
	if (sk_file == NULL)
		fprintf(f, "    \"sk\": \"%s\",\n", sk);
	else if ((r = print_path(f, "sk_file", sk_file)) != 0)
		return r;
	fprintf(f, "    \"pk\": \"%s\",\n", pk);
	fputs("    \"wl\": [],\n", f);
	fputs("    \"ssh_listen\": \"\"", f);
	return 0;
}

int
config_print(FILE *f, struct keyctx *ctx, const uint8_t *sk,
    const char *sk_file, bool with_seeds)
{
	char pk_text[KEY_PUBLIC_HEX], *sk_text;
	struct key_public pk;
	struct config c;
	int r;

	if ((r = key_public(ctx, sk, &pk)) != 0)
		return r;
	if ((sk_text = sodium_malloc(KEY_SECRET_HEX)) == NULL)
		return SKY_ERR_NOMEM;
	if ((r = config_defaults(&c)) == 0) {
		hex_encode(sk, KEY_SECRET_LEN, sk_text);
		key_text(&pk, pk_text);
		fputs("{\n", f);
		r = print_members(f, &c, sk_text, sk_file, pk_text);
		if (r == 0 && with_seeds)
			print_seeds(f);
		fputs("\n}\n", f);
		if (r == 0 && ferror(f))
			r = SKY_ERR_SYS;
	}
	config_free(&c);
	sodium_free(sk_text);
	return r;
}
