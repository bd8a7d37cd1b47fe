/* SPDX-License-Identifier: ISC */
/* skypty: the client for Skywire's pty protocol. */
#include "client/skypty.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <vis.h>

static const struct command {
	const char *name;
	int (*main)(int, char **);
	const char *args;
	const char *what;
} commands[] = {
	{ "shell", shell_main, "[flags] [pk@host[:port]] [-- cmd [args]]",
	    "a shell, or a command by itself; no destination: on this "
	    "machine" },
	{ "start", shell_main, "[flags] tcp://pk@host[:port]",
	    "a shell, with the original's defaults of 'start'" },
	{ "exec", exec_main, "[flags] tcp://pk@host[:port] -- cmd [args]",
	    "run a command; exit with its status" },
	{ "cp", cp_main, "[flags] file ... pk@host[:port]:path, or the reverse",
	    "copy files to a host or from one (-r: directories)" },
	{ "whitelist", whitelist_main, "[flags]",
	    "print the keys that the local host lets in" },
	{ "whitelist-add", whitelist_main, "[flags] pk ...",
	    "let more keys in" },
	{ "whitelist-remove", whitelist_main, "[flags] pk ...",
	    "let keys in no longer" },
	{ "ssh", ssh_main, "[options of ssh] pk@host [command]",
	    "as ssh, for rsync -e, GIT_SSH_COMMAND, ansible and the like" },
	{ "sftp", sftp_main, "[flags] pk@host[:port] [-- options of sftp]",
	    "files, by the sftp program" },
	{ "fs", fs_main, "mount [flags] pk@host[:port] dir | umount dir",
	    "a host's files in a folder here, by sshfs" },
	{ "config", config_main, "[-F file] [name]",
	    "what ~/.config/skypty/config says of a name" },
	{ "dmsg", dmsg_main, "status [--json] [--cliaddr path]",
	    "how the local host is reachable over dmsg" },
	{ "host", host_main, "[flags of skyptyd host]", "run skyptyd host" },
	{ "keygen", keygen_main, "[-f] [file]",
	    "make an identity (~/.config/skypty/identity)" },
	{ "pk", pk_main, "[-i file] [--sk key]",
	    "print the public key that would be used" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char flags_text[] =
    "flags of shell, start and exec:\n"
    "  -s, --sk KEY           secret key (64 hex digits)\n"
    "  -i, --identity FILE    file with a secret key\n"
    "      --visor-key        use the local visor's key (shell: default)\n"
    "      --no-visor-key     do not\n"
    "  -e, --env K=V          set in the remote environment; repeatable\n"
    "  -t, --timeout D        of a command: 30s, 5m (default 30s)\n"
    "  -p, --port PORT        where the destination has none (2022)\n"
    "      --via tcp://PK@HOST:PORT\n"
    "      --transport T      auto, tcp, dmsg or skynet\n"
    "      --rpc HOST:PORT    of a visor here (localhost:3435)\n"
    "      --standalone       dial keys by neither it nor skyptyd here\n"
    "      --dmsgdisc URL     where keys without an address are looked up\n"
    "      --dmsg-servers 'PK@HOST:PORT ...'\n"
    "      --no-pty           only with a command\n"
    "      --no-stdin         give the command no input\n"
    "      --escape C         escape character (~), or none\n"
    "  -c, --cmd CMD          shell to start (/bin/bash)\n"
    "  -a, --args A,B         its arguments\n"
    "  -r, --cliaddr PATH     control socket (/tmp/pty.sock)\n"
    "  -n, --clinet unix      its network\n"
    "      --confpath FILE    take these two from a host's configuration\n"
    "  -F, --config FILE      names of hosts (~/.config/skypty/config)\n"
    "  -q, -v                 say less, say more\n"
    "\n"
    "skypty(1) tells more.\n";

void
complain(const char *fmt, ...)
{
	va_list ap;

	/* In raw mode a line feed alone does not go back to the margin. */
	fputs("skypty: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs(term_is_raw() ? "\r\n" : "\n", stderr);
}

const char *
printable(const struct buf *text)
{
	static char out[2048];
	char raw[512];
	size_t n = buf_len(text);

	if (n >= sizeof(raw))
		n = sizeof(raw) - 1;
	memcpy(raw, buf_ptr(text), n);
	raw[n] = '\0';
	strnvis(out, raw, sizeof(out), VIS_CSTYLE | VIS_NL | VIS_TAB);
	return out;
}

static void
usage(FILE *f)
{
	fputs("usage: skypty command [flags] [arguments]\n\n", f);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(f, "  %-17s %s\n", commands[i].name, commands[i].what);
	fputs("  version\n  help [command]\n\n", f);
	fputs(flags_text, f);
}

static const struct command *
find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int
help(const char *name)
{
	const struct command *c = name != NULL ? find(name) : NULL;

	if (c == NULL) {
		usage(stdout);
		return 0;
	}
	printf("usage: skypty %s %s\n\n%s\n", c->name, c->args, c->what);
	if (c->main == shell_main || c->main == exec_main ||
	    c->main == sftp_main || c->main == fs_main)
		printf("\n%s", flags_text);
	return 0;
}

/* How many letters two words have in common at their beginnings. */
static size_t
likeness(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] != '\0' && a[n] == b[n])
		n++;
	return n;
}

static int
unknown(const char *word)
{
	const char *best = NULL;
	size_t n, most = 1;

	for (size_t i = 0; i < COMMANDS; i++)
		if ((n = likeness(word, commands[i].name)) > most) {
			most = n;
			best = commands[i].name;
		}
	if (dest_like(word))
		complain("'%s' is no command; did you mean 'skypty shell %s'?",
		    word, word);
	else if (best != NULL)
		complain("unknown command '%s'; did you mean '%s'?", word,
		    best);
	else
		complain("unknown command '%s'; 'skypty help' lists them all",
		    word);
	return EXIT_USAGE;
}

static bool
wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return true;
		if (*argv[i] != '-')
			return false;
	}
	return false;
}

static const char *
own_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* What was printed may not have arrived, on a full disk for one. */
static int
finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	complain("output: %s", strerror(errno));
	return status != 0 ? status : EXIT_FAILED;
}

int
main(int argc, char **argv)
{
	const struct command *c;
	const char *word = argc > 1 ? argv[1] : NULL;

	sink_prepare();
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(own_name(argv[0]), "skypty-ssh") == 0)
		return ssh_main(argc, argv);
	if (word == NULL) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(word, "version") == 0 || strcmp(word, "--version") == 0) {
		puts("skypty " SKYPTY_VERSION);
		return finish(0);
	}
	if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 ||
	    strcmp(word, "-h") == 0)
		return finish(help(argc > 2 ? argv[2] : NULL));
	if ((c = find(word)) == NULL)
		return unknown(word);
	if (c->main != host_main && c->main != ssh_main &&
	    wants_help(argc - 1, argv + 1))
		return help(word);
	return finish(c->main(argc - 1, argv + 1));
}
