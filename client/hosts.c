/* SPDX-License-Identifier: ISC */
/*
 * ~/.config/skypty/config: names for destinations, in ssh_config's manner.
 * The first value found for a keyword counts.
 */
#include "client/hosts.h"
#include "client/commands.h"
#include "client/complain.h"
#include "client/exits.h"
#include "client/flags.h"
#include "client/hosts_match.h"
#include "client/identity.h"
#include "client/options.h"
#include "client/ssh/ssh_opts.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <getopt.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define WORDS_MAX 64
#define DEPTH_MAX 16   /* of Include, as in ssh */
#define FILES_MAX 1024 /* all in all, however they include each other */

static const struct hosts_keyword {
	const char *name;
	size_t offset;
	const char *what; /* for skypty config */
} keywords[] = {
	{ "Key", offsetof(struct host, key), "key" },
	{ "Address", offsetof(struct host, address), "address" },
	{ "HostName", offsetof(struct host, address), NULL },
	{ "Port", offsetof(struct host, port), "port" },
	{ "Identity", offsetof(struct host, identity), "identity" },
	{ "IdentityFile", offsetof(struct host, identity), NULL },
	{ "IdentitiesOnly", offsetof(struct host, identities_only),
	    "identitiesonly" },
	{ "User", offsetof(struct host, user), "user" },
	{ "Via", offsetof(struct host, via), "via" },
	{ "Discovery", offsetof(struct host, discovery), "discovery" },
	{ "DmsgServers", offsetof(struct host, dmsg_servers), "dmsgservers" },
	{ "VisorKey", offsetof(struct host, visor_key), "visorkey" },
	{ "RequirePQ", offsetof(struct host, require_pq), "requirepq" },
	{ "Timeout", offsetof(struct host, timeout), "timeout" },
	{ "ControlMaster", offsetof(struct host, control_master),
	    "controlmaster" },
	{ "ControlPath", offsetof(struct host, control_path), "controlpath" },
	{ "ControlPersist", offsetof(struct host, control_persist),
	    "controlpersist" },
	{ "Escape", offsetof(struct host, escape), "escape" },
	{ "ObscureKeystrokeTiming", offsetof(struct host, obscure),
	    "obscurekeystroketiming" },
	{ "ProxyJump", offsetof(struct host, jump), "proxyjump" },
	{ "LocalForward", offsetof(struct host, forwards), NULL },
	{ "RemoteForward", offsetof(struct host, forwards), NULL },
	{ "DynamicForward", offsetof(struct host, forwards), NULL },
	{ "GatewayPorts", offsetof(struct host, gateway_ports),
	    "gatewayports" },
	{ "ExitOnForwardFailure", offsetof(struct host, exit_on_failure),
	    "exitonforwardfailure" },
	{ "ClearAllForwardings", offsetof(struct host, clear_forwards),
	    "clearallforwardings" },
	{ "StreamLocalBindUnlink", offsetof(struct host, unlink_sockets),
	    "streamlocalbindunlink" },
	{ "Tags", offsetof(struct host, tags), "tags" },
};

#define KEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

struct hosts_reader {
	const char *path;
	size_t line;
	const char *alias;		    /* NULL: list the names */
	void (*name)(void *, const char *); /* is told of each */
	void *arg;
	struct host *host;
	struct ssh_opts *ssh; /* takes keywords of ssh's, or NULL */
	int depth;	      /* of Include */
	size_t files;
	bool never;	/* it was included where nothing applies */
	bool applies;	/* the section that we are in */
	bool has_proxy; /* which counts more than those that follow */
};

static char **
hosts_field(struct host *h, const struct hosts_keyword *k)
{
	return (char **)((char *)h + k->offset);
}

/* --- words of a line --- */

/* The next word, quotes taken off; NULL at the end or a comment. */
static char *
hosts_next_word(char **line, bool *open_quote)
{
	char *p = *line, *word, end;

	while (*p == ' ' || *p == '\t' || *p == '=')
		p++;
	if (*p == '\0' || *p == '#')
		return NULL;
	if ((end = *p) == '"') {
		word = ++p;
		p += strcspn(p, "\"");
		*open_quote = *p == '\0';
	} else {
		word = p;
		p += strcspn(p, " \t=");
	}
	if (*p != '\0')
		*p++ = '\0';
	*line = p;
	return word;
}

static int
hosts_mistake(const struct hosts_reader *r, const char *what, const char *word)
{
	complain("%s line %zu: %s%s%s", r->path, r->line, what,
	    *word != '\0' ? ": " : "", word);
	return EXIT_USAGE;
}

/* --- sections --- */

static bool
hosts_matches(const char *alias, char **patterns, size_t n)
{
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		if (patterns[i][0] == '!') {
			if (fnmatch(patterns[i] + 1, alias, 0) == 0)
				return false;
		} else if (fnmatch(patterns[i], alias, 0) == 0)
			found = true;
	}
	return found;
}

static int
hosts_begin_host(struct hosts_reader *r, char **words, size_t n)
{
	if (n == 0)
		return hosts_mistake(r, "Host needs a name", "");
	if (r->alias != NULL)
		r->applies = !r->never && hosts_matches(r->alias, words, n);
	for (size_t i = 0; r->alias == NULL && i < n; i++)
		if (strpbrk(words[i], "*?![") == NULL)
			r->name(r->arg, words[i]);
	return 0;
}

static int
hosts_begin_match(struct hosts_reader *r, char **words, size_t n)
{
	const struct hosts_known known = { r->alias, r->host, r->ssh };
	const char *why, *word;
	bool holds;

	if ((why = hosts_match(&known, words, n, &word, &holds)) != NULL)
		return hosts_mistake(r, why, word);
	r->applies = holds && !r->never;
	return 0;
}

/* The rest of a line behind its keyword. */
static char *
hosts_rest_of(const char *line)
{
	size_t n;

	line += strspn(line, " \t");
	line += strcspn(line, " \t=");
	line += strspn(line, " \t=");
	for (n = strlen(line); n != 0 && strchr(" \t", line[n - 1]) != NULL;)
		n--;
	return strndup(line, n);
}

/* The other commands go by it without a look, but for the way to the host. */
static int
hosts_pass_over(struct hosts_reader *r, const char *name, const char *value,
    const char *line)
{
	if (!ssh_opts_known(name))
		return hosts_mistake(r, "unknown keyword", name);
	if (!r->applies || r->host == NULL)
		return 0;
	if (strcasecmp(name, "ProxyCommand") != 0 || r->has_proxy)
		return 0;
	if (*value == '\0')
		return hosts_mistake(r, "a command is needed, or none", name);
	r->has_proxy = true;
	if (strcasecmp(value, "none") == 0)
		return 0;
	r->host->proxy = hosts_rest_of(line);
	return r->host->proxy != NULL ? 0 : EXIT_FAILED;
}

/* A keyword of ssh's is for skypty-ssh. */
static int
hosts_set_more(struct hosts_reader *r, const char *name, const char *value,
    const char *line)
{
	char *where;
	int result;

	if (r->ssh == NULL)
		return hosts_pass_over(r, name, value, line);
	if (asprintf(&where, "%s line %zu", r->path, r->line) == -1)
		return EXIT_FAILED;
	result = r->applies ? ssh_opts_line(r->ssh, line, where) :
			      ssh_opts_look(r->ssh, line, where);
	free(where);
	return result;
}

/* What ssh has words of its own for. */
static bool
hosts_is_ssh(const struct hosts_keyword *k)
{
	static const size_t same[] = { offsetof(struct host, identity),
		offsetof(struct host, user),
		offsetof(struct host, control_master),
		offsetof(struct host, control_path),
		offsetof(struct host, control_persist),
		offsetof(struct host, jump), offsetof(struct host, forwards),
		offsetof(struct host, gateway_ports),
		offsetof(struct host, exit_on_failure),
		offsetof(struct host, clear_forwards),
		offsetof(struct host, unlink_sockets) };

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (k->offset == same[i])
			return true;
	return false;
}

/* NULL for what is none of ours; ssh takes each key that there is. */
static const struct hosts_keyword *
hosts_find_keyword(const struct hosts_reader *r, const char *name)
{
	for (size_t i = 0; i < KEYWORDS; i++)
		if (strcasecmp(name, keywords[i].name) == 0)
			return r->ssh != NULL && hosts_is_ssh(&keywords[i]) ?
			    NULL :
			    &keywords[i];
	return NULL;
}

/* Of these each that is found counts. */
static int
hosts_set_tags(struct hosts_reader *r, char **words, size_t n)
{
	struct host *h = r->host;
	char *more;

	if (n == 0)
		return hosts_mistake(r, "Tags needs a word", "");
	for (size_t i = 0; r->applies && h != NULL && i < n; i++) {
		if (asprintf(&more, "%s%s%s", h->tags != NULL ? h->tags : "",
			h->tags != NULL ? " " : "", words[i]) == -1)
			return EXIT_FAILED;
		free(h->tags);
		h->tags = more;
	}
	return 0;
}

/* One more of them: where to listen, and, in a word of its own, to connect. */
static int
hosts_set_forward(struct hosts_reader *r, const struct hosts_keyword *k,
    char **words, size_t n)
{
	struct host *h = r->host;
	bool dynamic = *k->name == 'D';
	char *more;

	if (n == 0 || n > (dynamic ? 1 : 2))
		return hosts_mistake(r,
		    dynamic ? "write [address:]port" :
			      "write [address:]port host:port",
		    k->name);
	if (!r->applies || h == NULL)
		return 0;
	if (asprintf(&more, "%s%c%s%s%s\n",
		h->forwards != NULL ? h->forwards : "", *k->name, words[0],
		n == 2 ? ":" : "", n == 2 ? words[1] : "") == -1)
		return EXIT_FAILED;
	free(h->forwards);
	h->forwards = more;
	return 0;
}

static int
hosts_set(struct hosts_reader *r, const struct hosts_keyword *k, char **words,
    size_t n)
{
	const struct ssh_tokens t = { .host = r->alias, .hostname = r->alias };
	char **value;

	if (k->offset == offsetof(struct host, tags))
		return hosts_set_tags(r, words, n);
	if (k->offset == offsetof(struct host, forwards))
		return hosts_set_forward(r, k, words, n);
	if (n != 1)
		return hosts_mistake(r, "one value is needed", k->name);
	if (!r->applies || r->host == NULL)
		return 0;
	value = hosts_field(r->host, k);
	if (*value != NULL)
		return 0;
	/* Of the two ways to say how to get there the first counts. */
	if (k->offset == offsetof(struct host, jump)) {
		if (r->has_proxy)
			return 0;
		r->has_proxy = strcasecmp(words[0], "none") != 0;
	}
	/* ssh's word has tokens; in ours a % is that of a link's name. */
	*value = strcmp(k->name, "HostName") == 0 ?
	    ssh_expand(words[0], "%h", &t, "HostName") :
	    strdup(words[0]);
	return *value != NULL ? 0 : EXIT_USAGE;
}

static int hosts_include(struct hosts_reader *, char **words, size_t n);

static int
hosts_read_words(struct hosts_reader *r, char *line, const char *whole)
{
	char *words[WORDS_MAX], *name;
	const struct hosts_keyword *k;
	bool open_quote = false, host, match;
	size_t n = 0;

	if ((name = hosts_next_word(&line, &open_quote)) == NULL)
		return 0;
	k = hosts_find_keyword(r, name);
	host = strcasecmp(name, "Host") == 0;
	match = strcasecmp(name, "Match") == 0;
	if (k == NULL && !host && !match && strcasecmp(name, "Include") != 0) {
		line += strspn(line, " \t=");
		line[strcspn(line, " \t")] = '\0';
		return hosts_set_more(r, name, line, whole);
	}
	while (n < WORDS_MAX &&
	    (words[n] = hosts_next_word(&line, &open_quote)) != NULL)
		n++;
	if (open_quote)
		return hosts_mistake(r, "a quote is not closed", "");
	if (n == WORDS_MAX)
		return hosts_mistake(r, "too many words", "");
	if (host)
		return hosts_begin_host(r, words, n);
	if (match)
		return hosts_begin_match(r, words, n);
	return k != NULL ? hosts_set(r, k, words, n) :
			   hosts_include(r, words, n);
}

/* --- the file --- */

/*
 * Who may write to it decides whom we talk to.  A pipe is a file of ours, too,
 * where it was asked for by name, and /dev/null is an empty one.
 */
static int
hosts_check_owner(const struct hosts_reader *r, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 &&
	    ((S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)) ||
		((S_ISREG(st.st_mode) ||
		     (S_ISFIFO(st.st_mode) && r->depth == 0)) &&
		    (st.st_uid == 0 || st.st_uid == getuid()) &&
		    (st.st_mode & 022) == 0)))
		return 0;
	complain("%s: must be a file of yours that nobody else may write to",
	    r->path);
	return EXIT_USAGE;
}

/* Of what is included nobody waits for a writer. */
static int
hosts_read_path(struct hosts_reader *r, bool must)
{
	char *line = NULL, *copy;
	size_t size = 0;
	struct stat st;
	int fd, result;
	FILE *f;

	fd = open(r->path,
	    O_RDONLY | O_CLOEXEC | (r->depth != 0 ? O_NONBLOCK : 0));
	if (fd == -1 && errno == ENOENT && !must)
		return 0;
	if (fd == -1) {
		complain("%s: %s", r->path, strerror(errno));
		return EXIT_USAGE;
	}
	/* A pattern may have found a folder. */
	if (r->depth != 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(fd);
		return 0;
	}
	if ((result = hosts_check_owner(r, fd)) != 0 ||
	    (f = fdopen(fd, "r")) == NULL) {
		close(fd);
		return result != 0 ? result : EXIT_FAILED;
	}
	while (result == 0 && getline(&line, &size, f) != -1) {
		r->line++;
		line[strcspn(line, "\r\n")] = '\0';
		if ((copy = strdup(line)) == NULL)
			result = EXIT_FAILED;
		else
			result = hosts_read_words(r, copy, line);
		free(copy);
	}
	free(line);
	fclose(f);
	return result;
}

/* No file is an empty one, unless it was asked for by name. */
static int
hosts_read_file(struct hosts_reader *r, const char *file)
{
	char *own = file == NULL ? user_file("config") : NULL;
	int result = 0;

	r->path = file != NULL ? file : own;
	if (r->path != NULL)
		result = hosts_read_path(r, file != NULL);
	free(own);
	return result;
}

/* --- files in the place of a line --- */

/* With its tokens, and from the folder of the file that names it. */
static int
hosts_include_path(const struct hosts_reader *r, const char *word, char **path)
{
	const struct hosts_known known = { r->alias, r->host, r->ssh };
	const char *slash = strrchr(r->path, '/');
	struct ssh_tokens t;
	char *host = NULL, *text, *what;

	if (asprintf(&what, "%s line %zu: Include %s", r->path, r->line,
		word) == -1)
		return EXIT_FAILED;
	text = hosts_tokens(&known, &t, &host) == 0 ?
	    ssh_expand_path(word, &t, what) :
	    NULL;
	free(host);
	free(what);
	if (text == NULL)
		return EXIT_USAGE;
	*path = text;
	if (*text == '/' || slash == NULL)
		return 0;
	if (asprintf(path, "%.*s/%s", (int)(slash - r->path), r->path, text) ==
	    -1)
		*path = NULL;
	free(text);
	return *path != NULL ? 0 : EXIT_FAILED;
}

/* A section that begins there ends with the file. */
static int
hosts_include_one(struct hosts_reader *r, const char *path)
{
	struct hosts_reader inner = *r;
	int result;

	inner.path = path;
	inner.line = 0;
	inner.depth++;
	inner.files++;
	inner.never = !r->applies;
	if (inner.depth > DEPTH_MAX || inner.files > FILES_MAX)
		return hosts_mistake(r, "too many files include each other",
		    path);
	result = hosts_read_path(&inner, true);
	r->files = inner.files;
	r->has_proxy = inner.has_proxy;
	return result;
}

static int
hosts_include_word(struct hosts_reader *r, const char *word)
{
	char *path;
	glob_t g;
	int result;

	/* Names that hang on a destination cannot be listed. */
	if (r->alias == NULL && strchr(word, '%') != NULL)
		return 0;
	if ((result = hosts_include_path(r, word, &path)) != 0)
		return result;
	result = glob(path, 0, NULL, &g);
	free(path);
	if (result == GLOB_NOMATCH)
		return 0;
	if (result != 0)
		return hosts_mistake(r, "it cannot be read", word);
	for (size_t i = 0; result == 0 && i < g.gl_pathc; i++)
		result = hosts_include_one(r, g.gl_pathv[i]);
	globfree(&g);
	return result;
}

static int
hosts_include(struct hosts_reader *r, char **words, size_t n)
{
	int result = 0;

	if (n == 0)
		return hosts_mistake(r, "Include needs a file", "");
	for (size_t i = 0; result == 0 && i < n; i++) {
		if (*words[i] == '\0')
			return hosts_mistake(r, "Include of no name", "");
		result = hosts_include_word(r, words[i]);
	}
	return result;
}

/* "~/x" stands for a file of the home folder. */
static int
hosts_expand_home(char **path)
{
	const char *home = getenv("HOME");
	char *full;

	if (*path == NULL || strncmp(*path, "~/", 2) != 0 || home == NULL)
		return 0;
	if (asprintf(&full, "%s%s", home, *path + 1) == -1)
		return EXIT_FAILED;
	free(*path);
	*path = full;
	return 0;
}

int
hosts_find_ssh(struct host *h, const char *file, const char *alias,
    struct ssh_opts *ssh, bool *found)
{
	struct hosts_reader r = { .alias = alias,
		.host = h,
		.ssh = ssh,
		.applies = true };
	int result;

	memset(h, 0, sizeof(*h));
	if ((result = hosts_read_file(&r, file)) == 0)
		result = hosts_expand_home(&h->identity);
	*found = result == 0 && (h->via != NULL || h->key != NULL);
	if (result != 0)
		hosts_free(h);
	return result;
}

int
hosts_find(struct host *h, const char *file, const char *alias, bool *found)
{
	return hosts_find_ssh(h, file, alias, NULL, found);
}

void
hosts_free(struct host *h)
{
	for (size_t i = 0; i < KEYWORDS; i++) {
		free(*hosts_field(h, &keywords[i]));
		*hosts_field(h, &keywords[i]) = NULL;
	}
	free(h->proxy);
	h->proxy = NULL;
}

int
hosts_each(const char *file, void (*name)(void *, const char *), void *arg)
{
	struct hosts_reader r = { .name = name, .arg = arg };

	return hosts_read_file(&r, file);
}

static void
hosts_print(void *arg, const char *name)
{
	puts(name);
}

int
hosts_list(const char *file)
{
	return hosts_each(file, hosts_print, NULL);
}

/* --- skypty config --- */

static void
hosts_print_forwards(const char *line)
{
	size_t n;

	for (; line != NULL && *line != '\0'; line += n + 1) {
		n = strcspn(line, "\n");
		printf("%sforward %.*s\n",
		    *line == 'L'     ? "local" :
			*line == 'R' ? "remote" :
				       "dynamic",
		    (int)n - 1, line + 1);
	}
}

int
config_main(int argc, char **argv)
{
	struct client_options o;
	struct host h;
	char **value;
	bool found;
	int r;

	options_init(&o);
	if ((r = flags_take(&o, STYLE_CONFIG, argv[0], argc, argv, NULL)) != 0)
		return r;
	if (argc - optind > 1) {
		complain("config tells of one name, and these are %d",
		    argc - optind);
		return EXIT_USAGE;
	}
	if (optind >= argc)
		return hosts_list(o.hosts);
	if ((r = hosts_find(&h, o.hosts, argv[optind], &found)) != 0)
		return r;
	printf("host %s\n", argv[optind]);
	for (size_t i = 0; i < KEYWORDS; i++) {
		value = hosts_field(&h, &keywords[i]);
		if (keywords[i].what != NULL && *value != NULL)
			printf("%s %s\n", keywords[i].what, *value);
	}
	if (h.proxy != NULL)
		printf("proxycommand %s\n", h.proxy);
	hosts_print_forwards(h.forwards);
	hosts_free(&h);
	if (found)
		return 0;
	complain("'%s' leads nowhere: there is neither a Key nor a Via for it",
	    argv[optind]);
	return EXIT_LOCAL;
}
