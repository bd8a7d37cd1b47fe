/* SPDX-License-Identifier: ISC */
/* Texts of options as ssh reads them: words, patterns, times, tokens. */
#include "client/complain.h"
#include "client/exits.h"
#include "client/ssh/ssh_opts.h"

#include <ctype.h>
#include <limits.h>
#include <pwd.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- words --- */

/* What a backslash before it gives as it is. */
static bool
ssh_escaped(const char *p, char quote)
{
	return p[0] == '\\' && p[1] != '\0' &&
	    (strchr("'\"\\", p[1]) != NULL || (quote == '\0' && p[1] == ' '));
}

/* Copies the word at *p, which is moved behind it.  False: a quote is open. */
static bool
ssh_word(const char **p, char *out)
{
	const char *in = *p;
	char quote = '\0';

	for (; *in != '\0'; in++) {
		if (ssh_escaped(in, quote))
			*out++ = *++in;
		else if (quote == '\0' && (*in == ' ' || *in == '\t'))
			break;
		else if (quote == '\0' && (*in == '"' || *in == '\''))
			quote = *in;
		else if (quote != '\0' && *in == quote)
			quote = '\0';
		else
			*out++ = *in;
	}
	*out = '\0';
	*p = in;
	return quote == '\0';
}

int
ssh_words(const char *text, char ***words)
{
	size_t n = 0, most = strlen(text) / 2 + 2;
	bool closed = true;

	if ((*words = calloc(most, sizeof(**words))) == NULL)
		return -1;
	for (;;) {
		text += strspn(text, " \t");
		if (*text == '\0' || *text == '#')
			return 0;
		if (((*words)[n] = malloc(strlen(text) + 1)) != NULL)
			closed = ssh_word(&text, (*words)[n]);
		if ((*words)[n++] == NULL || !closed) {
			ssh_words_free(*words);
			return -1;
		}
	}
}

void
ssh_words_free(char **words)
{
	for (char **w = words; w != NULL && *w != NULL; w++)
		free(*w);
	free(words);
}

/* --- patterns --- */

bool
ssh_match(const char *pattern, const char *text)
{
	const char *star = NULL, *again = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			again = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star;
			text = ++again;
		} else
			return false;
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

bool
ssh_match_list(const char *patterns, const char *text, bool small)
{
	char *copy = strdup(patterns), *rest = copy, *one;
	bool found = false;

	for (char *p = copy; small && p != NULL && *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	while (copy != NULL && (one = strsep(&rest, ",")) != NULL) {
		if (*one == '!' && ssh_match(one + 1, text)) {
			found = false;
			break;
		}
		found = found || (*one != '!' && ssh_match(one, text));
	}
	free(copy);
	return found;
}

/* --- times --- */

int
ssh_time(const char *text)
{
	static const struct {
		char letter;
		int seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
		{ 'w', 604800 }, { '\0', 1 } };
	int64_t all = 0, n;
	size_t i;

	do {
		if (!isdigit((unsigned char)*text))
			return -1;
		for (n = 0; isdigit((unsigned char)*text); text++)
			if ((n = 10 * n + (*text - '0')) > INT_MAX)
				return -1;
		for (i = 0; units[i].letter != '\0'; i++)
			if (tolower((unsigned char)*text) == units[i].letter)
				break;
		if (units[i].letter == '\0' && *text != '\0')
			return -1;
		if ((all += n * units[i].seconds) > INT_MAX)
			return -1;
	} while (*text != '\0' && *++text != '\0');
	return (int)all;
}

/* --- tokens --- */

static const char *
ssh_home(void)
{
	const char *home = getenv("HOME");
	const struct passwd *pw;

	if (home != NULL && *home != '\0')
		return home;
	pw = getpwuid(getuid());
	return pw != NULL ? pw->pw_dir : NULL;
}

static const char *
ssh_local_user(void)
{
	const struct passwd *pw = getpwuid(getuid());

	return pw != NULL ? pw->pw_name : NULL;
}

/* A name for the connection: %C in 40 digits, of what ssh takes for it. */
static const char *
ssh_token_hash(const struct ssh_tokens *t, char *own)
{
	const char *of[] = { own, t->hostname, t->port, t->login };
	uint8_t hash[20];
	crypto_generichash_state state;

	if (gethostname(own, 255) == -1)
		return NULL;
	own[255] = '\0';
	crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		if (of[i] != NULL)
			crypto_generichash_update(&state,
			    (const uint8_t *)of[i], strlen(of[i]) + 1);
	crypto_generichash_final(&state, hash, sizeof(hash));
	return sodium_bin2hex(own, 2 * sizeof(hash) + 1, hash, sizeof(hash));
}

/* What a letter stands for, or NULL; own is 256 bytes. */
static const char *
ssh_token(char c, const struct ssh_tokens *t, char *own)
{
	own[0] = '\0';
	switch (c) {
	case '%':
		return "%";
	case 'C':
		return ssh_token_hash(t, own);
	case 'd':
		return ssh_home();
	case 'h':
		return t->hostname;
	case 'i':
		snprintf(own, 256, "%u", (unsigned)getuid());
		return own;
	case 'j':
		return ""; /* ProxyJump */
	case 'k':
		return t->key_alias;
	case 'n':
		return t->host;
	case 'L':
	case 'l':
		if (gethostname(own, 255) == -1)
			return NULL;
		own[255] = '\0';
		if (c == 'L')
			own[strcspn(own, ".")] = '\0';
		return own;
	case 'p':
		return t->port;
	case 'r':
		return t->login;
	case 'T':
		return "NONE";
	case 'u':
		return ssh_local_user();
	}
	return NULL;
}

/* Writes into the end of a text that grows. */
static int
ssh_append(char **text, const char *more, size_t n)
{
	size_t before = *text != NULL ? strlen(*text) : 0;
	char *bigger = realloc(*text, before + n + 1);

	if (bigger == NULL)
		return -1;
	memcpy(bigger + before, more, n);
	bigger[before + n] = '\0';
	*text = bigger;
	return 0;
}

static char *
ssh_expand_failed(char *out, const char *what, const char *why)
{
	complain("%s: %s", what, why);
	free(out);
	return NULL;
}

char *
ssh_expand(const char *text, const char *allowed, const struct ssh_tokens *t,
    const char *what)
{
	char own[256], *out = NULL, why[64];
	const char *value;
	size_t n;

	if (ssh_append(&out, "", 0) == -1)
		return NULL;
	while (*text != '\0') {
		n = strcspn(text, "%");
		if (ssh_append(&out, text, n) == -1)
			return ssh_expand_failed(out, what, "out of memory");
		if (*(text += n) == '\0')
			break;
		value = NULL;
		if (text[1] != '\0' && strchr(allowed, text[1]) != NULL)
			value = ssh_token(text[1], t, own);
		if (value == NULL) {
			snprintf(why, sizeof(why),
			    "%%%c is not known here, or says nothing", text[1]);
			return ssh_expand_failed(out, what,
			    text[1] != '\0' ? why : "a % at the end");
		}
		if (ssh_append(&out, value, strlen(value)) == -1)
			return ssh_expand_failed(out, what, "out of memory");
		text += 2;
	}
	return out;
}

/* ${NAME} out of our environment. */
static char *
ssh_expand_dollar(const char *text, const char *what)
{
	char *out = NULL, *name;
	const char *value;
	size_t n;

	if (ssh_append(&out, "", 0) == -1)
		return NULL;
	while (*text != '\0') {
		if (strncmp(text, "${", 2) != 0) {
			if (ssh_append(&out, text++, 1) == -1)
				return ssh_expand_failed(out, what,
				    "out of memory");
			continue;
		}
		n = strcspn(text += 2, "}");
		if (text[n] == '\0')
			return ssh_expand_failed(out, what, "${ without its }");
		name = strndup(text, n);
		value = name != NULL ? getenv(name) : NULL;
		free(name);
		if (value == NULL)
			return ssh_expand_failed(out, what,
			    "a variable of it is not set");
		if (ssh_append(&out, value, strlen(value)) == -1)
			return ssh_expand_failed(out, what, "out of memory");
		text += n + 1;
	}
	return out;
}

/* "~" and "~user" at the beginning. */
static char *
ssh_expand_tilde(const char *text, const char *what)
{
	size_t n = strcspn(text, "/");
	const struct passwd *pw;
	const char *home = NULL;
	char *name, *out = NULL;

	if (*text != '~')
		return strdup(text);
	if (n == 1)
		home = ssh_home();
	else if ((name = strndup(text + 1, n - 1)) != NULL) {
		if ((pw = getpwnam(name)) != NULL)
			home = pw->pw_dir;
		free(name);
	}
	if (home == NULL)
		return ssh_expand_failed(NULL, what, "no home for that '~'");
	return asprintf(&out, "%s%s", home, text + n) == -1 ? NULL : out;
}

char *
ssh_expand_path(const char *text, const struct ssh_tokens *t, const char *what)
{
	char *home, *dollar = NULL, *out = NULL;

	if ((home = ssh_expand_tilde(text, what)) != NULL)
		dollar = ssh_expand_dollar(home, what);
	if (dollar != NULL)
		out = ssh_expand(dollar, "%" SSH_TOKENS, t, what);
	free(home);
	free(dollar);
	return out;
}

/* --- for another reader --- */

char *
ssh_with_each(const char *text, const char *some, char before)
{
	char *out = malloc(2 * strlen(text) + 1), *p = out;

	for (; out != NULL && *text != '\0'; text++) {
		if (strchr(some, *text) != NULL)
			*p++ = before;
		*p++ = *text;
	}
	if (out != NULL)
		*p = '\0';
	return out;
}

char *
ssh_quoted(const char *text)
{
	char *inner = ssh_with_each(text, "\"\\", '\\'), *out;

	if (inner == NULL || asprintf(&out, "\"%s\"", inner) == -1)
		out = NULL;
	free(inner);
	return out;
}

/* --- names --- */

/*
 * What could be taken for something else where a text is put into.  A shell
 * takes "$IFS-x" for a flag; names of machines end in a '$'.
 */
static int
ssh_check_name(const char *what, const char *text, const char *never)
{
	const char *dollar = strchr(text, '$');
	bool good = *text != '-' && *text != '\0' &&
	    strpbrk(text, never) == NULL && text[strlen(text) - 1] != '\\' &&
	    (dollar == NULL || dollar[1] == '\0');

	for (const char *p = text; good && *p != '\0'; p++)
		good =
		    !isspace((unsigned char)*p) && !iscntrl((unsigned char)*p);
	if (good)
		return 0;
	complain("'%s': the %s is empty, or contains invalid characters", text,
	    what);
	return EXIT_FAILED;
}

int
ssh_check_host(const char *text)
{
	return ssh_check_name("host", text, "'`\"$\\;&<>|(){},");
}

int
ssh_check_login(const char *text)
{
	return ssh_check_name("login name", text, "'`\";&<>|(){}*?[");
}
