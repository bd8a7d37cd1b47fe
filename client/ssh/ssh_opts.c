/* SPDX-License-Identifier: ISC */
/*
 * What options of ssh say, and the lines that say it.  Of a keyword that is
 * said twice the first counts.
 */
#include "client/ssh/ssh_opts.h"
#include "client/complain.h"
#include "client/exits.h"
#include "client/forward/forward.h"
#include "client/obscure.h"
#include "client/ssh/ssh_table.h"

#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/pty/keys.h"

#define IDENTITIES_MAX	100 /* as in ssh */
#define ENVIRONMENT_MAX 1024
#define BLANKS		" \t\r\n"

/* --- what was said --- */

const char *
ssh_opts_text(const struct ssh_opts *o, enum ssh_name name)
{
	return o->said[name].text;
}

bool
ssh_opts_yes(const struct ssh_opts *o, enum ssh_name name)
{
	const char *text = o->said[name].text;

	return text != NULL && strcmp(text, "yes") == 0;
}

const char *
ssh_opts_jump(const struct ssh_opts *o)
{
	const char *text = o->said[SSH_PROXY_JUMP].text;

	return text != NULL && strcasecmp(text, "none") != 0 ? text : NULL;
}

const char *
ssh_opts_proxy(const struct ssh_opts *o)
{
	const char *text = o->said[SSH_PROXY_COMMAND].text;

	return text != NULL && strcasecmp(text, "none") != 0 ? text : NULL;
}

/* The texts have been checked. */
int
ssh_opts_number(const struct ssh_opts *o, enum ssh_name name, int otherwise)
{
	const char *text = o->said[name].text;
	int n;

	if (text == NULL || (n = ssh_time(text)) == -1)
		return otherwise;
	return n;
}

int
ssh_opts_last(struct ssh_opts *o, enum ssh_name name, const char *text,
    const char *from)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return EXIT_FAILED;
	free(o->said[name].text);
	o->said[name].text = copy;
	strlcpy(o->said[name].from, from, sizeof(o->said[name].from));
	return 0;
}

static int
ssh_keep_first(struct ssh_opts *o, enum ssh_name name, const char *text,
    const char *from)
{
	return o->said[name].text != NULL ? 0 :
					    ssh_opts_last(o, name, text, from);
}

bool
ssh_is_key(const char *text)
{
	return strlen(text) == KEY_PUBLIC_HEX - 1 &&
	    strspn(text, "0123456789abcdefABCDEF") == KEY_PUBLIC_HEX - 1;
}

/* "login@key": where ssh has a login name only, the key has its place, too. */
static int
ssh_keep_user(struct ssh_opts *o, const char *text, const char *from)
{
	const char *at = strrchr(text, '@');
	char *login;
	int r;

	if (ssh_is_key(text))
		return ssh_keep_first(o, SSH_KEY, text, from);
	if (at == NULL || at == text || !ssh_is_key(at + 1))
		return ssh_keep_first(o, SSH_USER, text, from);
	if ((login = strndup(text, (size_t)(at - text))) == NULL)
		return EXIT_FAILED;
	if ((r = ssh_keep_first(o, SSH_KEY, at + 1, from)) == 0)
		r = ssh_keep_first(o, SSH_USER, login, from);
	free(login);
	return r;
}

int
ssh_opts_first(struct ssh_opts *o, enum ssh_name name, const char *text,
    const char *from)
{
	if (name == SSH_USER)
		return ssh_keep_user(o, text, from);
	/* They are two ways to say one thing. */
	if (name == SSH_PROXY_JUMP && o->said[SSH_PROXY_COMMAND].text != NULL)
		return 0;
	if (name == SSH_PROXY_COMMAND && ssh_opts_jump(o) != NULL)
		return 0;
	return ssh_keep_first(o, name, text, from);
}

static int
ssh_opts_add(struct ssh_texts *list, const char *text, size_t most,
    const char *what)
{
	char **more;

	if (list->n == most) {
		complain("%s: more than %zu", what, most);
		return EXIT_FAILED;
	}
	more = reallocarray(list->text, list->n + 1, sizeof(*more));
	if (more == NULL)
		return EXIT_FAILED;
	list->text = more;
	if ((more[list->n] = strdup(text)) == NULL)
		return EXIT_FAILED;
	list->n++;
	return 0;
}

int
ssh_opts_identity(struct ssh_opts *o, const char *path)
{
	return ssh_opts_add(&o->identities, path, IDENTITIES_MAX,
	    "IdentityFile");
}

int
ssh_opts_forward(struct ssh_opts *o, int letter, const char *text)
{
	static const char *const names[] = { "local", "remote", "dynamic" };
	static const char letters[] = "LRD";
	const char *name = names[strchr(letters, letter) - letters], *why;
	struct forward_spec spec;
	char *line;
	int r;

	why = forward_spec_parse(&spec, (enum forward_way)letter, text, false);
	if (why != NULL) {
		complain("Bad %s forwarding specification '%s': %s", name, text,
		    why);
		return EXIT_FAILED;
	}
	if (asprintf(&line, "%c%s", letter, text) == -1)
		return EXIT_FAILED;
	r = ssh_opts_add(&o->forwards, line, FORWARDS_MAX, "forwardings");
	free(line);
	return r;
}

static void
ssh_opts_forget(struct ssh_texts *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->text[i]);
	free(list->text);
	*list = (struct ssh_texts){ .n = 0 };
}

void
ssh_opts_free(struct ssh_opts *o)
{
	for (size_t i = 0; i < SSH_NAMES; i++) {
		free(o->said[i].text);
		o->said[i].text = NULL;
	}
	ssh_opts_forget(&o->identities);
	ssh_opts_forget(&o->send_env);
	ssh_opts_forget(&o->set_env);
	ssh_opts_forget(&o->forwards);
}

/* --- values --- */

bool
ssh_one_of(const char *list, const char *word, char *found, size_t len)
{
	const char *same = strcasecmp(word, "true") == 0 ? "yes" :
	    strcasecmp(word, "false") == 0		 ? "no" :
							   word;
	size_t n;

	for (; *list != '\0'; list += n + strspn(list + n, " ")) {
		n = strcspn(list, " ");
		if (strlen(same) != n || strncasecmp(list, same, n) != 0)
			continue;
		if (n < len) {
			memcpy(found, list, n);
			found[n] = '\0';
		}
		return n < len;
	}
	return false;
}

uint16_t
ssh_port(const char *text)
{
	const struct servent *known;
	const char *problem;
	long long port = strtonum(text, 0, UINT16_MAX, &problem);

	if (problem == NULL)
		return (uint16_t)port;
	known = getservbyname(text, "tcp");
	return known != NULL ? ntohs((uint16_t)known->s_port) : 0;
}

bool
ssh_is_escape(const char *text)
{
	return strcmp(text, "none") == 0 || strlen(text) == 1 ||
	    (strlen(text) == 2 && *text == '^' && (text[1] & 0xc0) == 0x40);
}

static int
ssh_bad(const char *where, const char *what, const char *word)
{
	complain("%s: %s '%s'", where, what, word);
	return EXIT_FAILED;
}

/* What a single word says, as it is kept. */
static int
ssh_value(const struct ssh_keyword *k, const char *word, char *kept, size_t len,
    const char *where)
{
	const char *problem = NULL;
	int64_t ms;

	if (strlcpy(kept, word, len) >= len)
		return ssh_bad(where, "too long a value of", k->keyword);
	switch (k->form) {
	case FORM_ONE_OF:
		if (ssh_one_of(k->values, word, kept, len))
			return 0;
		complain("%s: %s: unsupported option \"%s\"; there is %s",
		    where, k->keyword, word, k->values);
		return EXIT_FAILED;
	case FORM_PORT:
		if (ssh_port(word) == 0)
			return ssh_bad(where, "Bad port", word);
		snprintf(kept, len, "%u", ssh_port(word));
		return 0;
	case FORM_NUMBER:
		(void)strtonum(word, 0, INT_MAX, &problem);
		if (problem != NULL)
			return ssh_bad(where, "Bad number", word);
		return 0;
	case FORM_TIME:
		if (strcmp(word, "none") != 0 && ssh_time(word) == -1)
			return ssh_bad(where, "invalid time value", word);
		return 0;
	case FORM_ESCAPE:
		if (!ssh_is_escape(word))
			return ssh_bad(where, "Bad escape character", word);
		return 0;
	case FORM_OBSCURE:
		(void)ssh_one_of("yes no", word, kept, len);
		if (!obscure_parse(kept, &ms))
			return ssh_bad(where,
			    "Bad ObscureKeystrokeTiming (yes, no, interval:20)",
			    word);
		return 0;
	default:
		return 0;
	}
}

/* Takes patterns out again: "-LC_*" those that it matches. */
static void
ssh_unsend(struct ssh_opts *o, const char *pattern)
{
	struct ssh_texts *list = &o->send_env;
	size_t left = 0;

	for (size_t i = 0; i < list->n; i++)
		if (ssh_match(pattern, list->text[i]))
			free(list->text[i]);
		else
			list->text[left++] = list->text[i];
	list->n = left;
}

static int
ssh_take_patterns(struct ssh_opts *o, char **words, const char *where)
{
	int r = 0;

	for (; r == 0 && *words != NULL; words++) {
		if (**words == '\0' || strchr(*words, '=') != NULL)
			r = ssh_bad(where, "Invalid environment name", *words);
		else if (**words == '-')
			ssh_unsend(o, *words + 1);
		else
			r = ssh_opts_add(&o->send_env, *words, ENVIRONMENT_MAX,
			    "SendEnv");
	}
	return r;
}

/* Of one name the first value counts, and of lines the first one. */
static int
ssh_take_settings(struct ssh_opts *o, char **words, const char *where)
{
	bool first = o->set_env.n == 0, there;
	int r = 0;
	size_t n;

	for (; r == 0 && *words != NULL; words++) {
		n = strcspn(*words, "=");
		if (n == 0 || (*words)[n] == '\0')
			return ssh_bad(where,
			    "Invalid SetEnv, which needs NAME=VALUE:", *words);
		there = false;
		for (size_t i = 0; first && i < o->set_env.n; i++)
			there = there ||
			    strncmp(o->set_env.text[i], *words, n + 1) == 0;
		if (first && !there)
			r = ssh_opts_add(&o->set_env, *words, ENVIRONMENT_MAX,
			    "SetEnv");
	}
	return r;
}

/* Where to listen and where to connect are two words of a line, or one. */
static int
ssh_take_forward(struct ssh_opts *o, const struct ssh_keyword *k, char **words,
    const char *where)
{
	char *text;
	int r;

	if (words[1] != NULL && (words[2] != NULL || *k->keyword == 'D'))
		return ssh_bad(where, "extra arguments at end of line of",
		    k->keyword);
	if (asprintf(&text, "%s%s%s", words[0], words[1] != NULL ? ":" : "",
		words[1] != NULL ? words[1] : "") == -1)
		return EXIT_FAILED;
	r = ssh_opts_forward(o, *k->keyword, text);
	free(text);
	return r;
}

static int
ssh_take_words(struct ssh_opts *o, const struct ssh_keyword *k, char **words,
    const char *where)
{
	char kept[4096];
	int r;

	switch (k->form) {
	case FORM_PATTERNS:
		return ssh_take_patterns(o, words, where);
	case FORM_SETTINGS:
		return ssh_take_settings(o, words, where);
	case FORM_FORWARD:
		return ssh_take_forward(o, k, words, where);
	case FORM_WORDS:
		return k->name == SSH_NONE ?
		    0 :
		    ssh_opts_first(o, k->name, words[0], k->keyword);
	default:
		break;
	}
	if (words[1] != NULL)
		return ssh_bad(where, "extra arguments at end of line of",
		    k->keyword);
	if (*words[0] == '\0' && k->form != FORM_PORT)
		return ssh_bad(where, "missing argument of", k->keyword);
	if (k->form == FORM_IDENTITY)
		return ssh_opts_identity(o, words[0]);
	r = ssh_value(k, words[0], kept, sizeof(kept), where);
	if (r == 0 && k->name != SSH_NONE)
		r = ssh_opts_first(o, k->name, kept, k->keyword);
	return r;
}

/* --- lines --- */

bool
ssh_opts_known(const char *keyword)
{
	return ssh_keyword_find(keyword) != NULL;
}

/* Divides "Keyword value", "Keyword=value", "Keyword = value" in place. */
static char *
ssh_divide(char *line)
{
	char *rest = line + strcspn(line, " \t=");
	bool equals = *rest == '=';

	if (*rest == '\0')
		return rest;
	*rest++ = '\0';
	rest += strspn(rest, BLANKS);
	if (!equals && *rest == '=')
		rest += 1 + strspn(rest + 1, BLANKS);
	return rest;
}

static int
ssh_unknown(const struct ssh_opts *o, char *keyword, const char *where)
{
	const char *ignored = ssh_opts_text(o, SSH_IGNORE_UNKNOWN);

	for (char *p = keyword; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + ('a' - 'A'));
	if (ignored != NULL && ssh_match_list(ignored, keyword, true))
		return 0;
	complain("%s: Bad configuration option: %s", where, keyword);
	return EXIT_FAILED;
}

static int
ssh_take_line(struct ssh_opts *o, char *keyword, const char *where)
{
	char *rest = ssh_divide(keyword), **words;
	const struct ssh_keyword *k = ssh_keyword_find(keyword);
	int r;

	if (*rest == '\0')
		return ssh_bad(where, "no argument after keyword", keyword);
	if (k == NULL)
		return ssh_unknown(o, keyword, where);
	if (k->form == FORM_DIRECTIVE)
		return ssh_bad(where,
		    "not supported on a command line:", k->keyword);
	if (k->form == FORM_REST)
		return k->name == SSH_NONE ?
		    0 :
		    ssh_opts_first(o, k->name, rest + strspn(rest, " \t="),
			k->keyword);
	if (ssh_words(rest, &words) == -1)
		return ssh_bad(where, "invalid quotes after", k->keyword);
	if (words[0] == NULL)
		r = ssh_bad(where, "missing argument of", k->keyword);
	else
		r = ssh_take_words(o, k, words, where);
	ssh_words_free(words);
	return r;
}

int
ssh_opts_line(struct ssh_opts *o, const char *line, const char *where)
{
	char *copy = strdup(line + strspn(line, BLANKS));
	size_t n;
	int r = 0;

	if (copy == NULL)
		return EXIT_FAILED;
	n = strlen(copy);
	while (n != 0 && strchr(BLANKS "\f", copy[n - 1]) != NULL)
		copy[--n] = '\0';
	if (*copy != '\0' && *copy != '#')
		r = ssh_take_line(o, copy, where);
	free(copy);
	return r;
}

int
ssh_opts_look(const struct ssh_opts *o, const char *line, const char *where)
{
	const char *ignored = ssh_opts_text(o, SSH_IGNORE_UNKNOWN);
	struct ssh_opts other = { .print = false };
	int r = 0;

	if (ignored != NULL)
		r = ssh_keep_first(&other, SSH_IGNORE_UNKNOWN, ignored, "");
	if (r == 0)
		r = ssh_opts_line(&other, line, where);
	ssh_opts_free(&other);
	return r;
}

/* --- what is not offered --- */

/* "session=0 x11=0": limits that never end anything. */
static bool
ssh_no_limit(const char *text)
{
	const char *equals;
	char **words;
	bool none = ssh_words(text, &words) == 0;

	if (!none)
		return false;
	for (char **w = words; *w != NULL; w++)
		none = none && (equals = strchr(*w, '=')) != NULL &&
		    ssh_time(equals + 1) == 0;
	ssh_words_free(words);
	return none;
}

int
ssh_opts_check(const struct ssh_opts *o)
{
	bool cleared = ssh_opts_yes(o, SSH_CLEAR_FORWARDINGS);
	const struct ssh_keyword *k;
	const char *text;
	char found[32];

	for (size_t i = 0; (k = ssh_keyword_at(i)) != NULL; i++) {
		text = o->said[k->name].text;
		if (k->why == NULL || text == NULL ||
		    ssh_one_of(k->fine, text, found, sizeof(found)) ||
		    (k->name == SSH_CHANNEL_TIMEOUT && ssh_no_limit(text)) ||
		    (cleared && k->name == SSH_TUNNEL))
			continue;
		complain("%s: %s", o->said[k->name].from, k->why);
		return EXIT_FAILED;
	}
	text = ssh_opts_text(o, SSH_REFUSE);
	if (text != NULL)
		complain("RefuseConnection: %s", text);
	return text != NULL ? EXIT_FAILED : 0;
}
