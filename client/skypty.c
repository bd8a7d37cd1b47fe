/* SPDX-License-Identifier: ISC */
/* skypty: the client for Skywire's pty protocol. */
#include "client/commands.h"
#include "client/complain.h"
#include "client/dest.h"
#include "client/exits.h"
#include "client/flags.h"
#include "client/sink.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <syslog.h>

#include "common/base/err.h"
#include "common/base/process.h"
#include "common/base/usage.h"

/* clang-format off */
static const struct client_command {
	const char *name;
	int (*main)(int, char **);
	enum flags_style style;
	const char *title; /* over its flags in the help */
	const char *args;
	const char *what;
} commands[] = {
	{ "shell", shell_main, STYLE_SHELL, "shell, start and exec",
	    "[flags] [pk@host[:port]] [-- cmd [args]]",
	    "a shell, or a command by itself; no destination: on this "
	    "machine" },
	{ "start", shell_main, STYLE_SHELL, "shell, start and exec",
	    "[flags] tcp://pk@host[:port]",
	    "a shell, with the original's defaults of 'start'" },
	{ "exec", exec_main, STYLE_EXEC, "shell, start and exec",
	    "[flags] tcp://pk@host[:port] -- cmd [args]",
	    "run a command; exit with its status" },
	{ "cp", cp_main, STYLE_COPY, "cp",
	    "[flags] file ... pk@host[:port]:path, or the reverse",
	    "copy files to a host or from one (-r: directories)" },
	{ "fleet", fleet_main, STYLE_FLEET, "fleet",
	    "[flags] host ... -- cmd [args] | list | show id",
	    "a command, script or copy on many hosts" },
	{ "job", job_main, STYLE_JOB, "job",
	    "run [flags] host -- cmd [args] | list host | "
	    "log|wait|kill|forget host id",
	    "a command that outlives its connection" },
	{ "control", control_main, STYLE_CONTROL, "control",
	    "[flags] host check|stop|exit|forward|cancel|forwards",
	    "look after a connection that commands share, or end it" },
	{ "sessions", sessions_main, STYLE_SESSIONS, "sessions",
	    "[flags] host [--kill id|name]",
	    "terminals there that outlive their connection" },
	{ "attach", attach_main, STYLE_ATTACH, "attach",
	    "[--share | --view] host [id|name]",
	    "go on with one of them" },
	{ "whitelist", whitelist_main, STYLE_SOCKET, "the whitelist's commands",
	    "[flags]",
	    "print the keys that the local host lets in" },
	{ "whitelist-add", whitelist_main, STYLE_SOCKET, "the whitelist's commands",
	    "[flags] pk ...",
	    "let more keys in" },
	{ "whitelist-remove", whitelist_main, STYLE_SOCKET, "the whitelist's commands",
	    "[flags] pk ...",
	    "let keys in no longer" },
	{ "ssh", ssh_main, STYLE_NONE, NULL,
	    "[options of ssh] pk@host [command]",
	    "as ssh, for rsync -e, GIT_SSH_COMMAND, ansible and the like" },
	{ "sftp", sftp_main, STYLE_SFTP, "sftp",
	    "[flags] pk@host[:port] [-- options of sftp]",
	    "files, by the sftp program" },
	{ "fs", fs_main, STYLE_MOUNT, "fs mount",
	    "mount [flags] pk@host[:port] dir | umount dir | list",
	    "a host's files in a folder here, by sshfs" },
	{ "config", config_main, STYLE_CONFIG, "config",
	    "[-F file] [name]",
	    "what ~/.config/skypty/config says of a name" },
	{ "dmsg", dmsg_main, STYLE_STATUS, "dmsg status",
	    "status [--json] [--cliaddr path]",
	    "how the local host is reachable over dmsg" },
	{ "host", host_main, STYLE_NONE, NULL,
	    "[flags of skyptyd host]", "run skyptyd host" },
	{ "keygen", keygen_main, STYLE_KEYGEN, "keygen",
	    "[-f | -p | -y] [file]",
	    "make an identity (~/.config/skypty/identity), or change its "
	    "passphrase" },
	{ "agent", agent_main, STYLE_AGENT, "agent",
	    "[flags] [command ...]",
	    "keep keys in memory; for a command, or eval \"$(skypty agent)\"" },
	{ "add", add_main, STYLE_ADD, "add",
	    "[flags] [file ...]", "give keys to the agent, or list them" },
	{ "pk", pk_main, STYLE_KEY, "pk",
	    "[flags]", "print the public key that would be used" },
};
/* clang-format on */

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

#define END "\nskypty(1) tells more.\n"

static void
skypty_usage(FILE *f)
{
	fputs("usage: skypty command [flags] [arguments]\n\n", f);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(f, "  %-17s %s\n", commands[i].name, commands[i].what);
	fputs("  version\n  help [command]\n\n", f);
	fputs("flags of shell, start and exec:\n", f);
	flags_help(STYLE_SHELL, f);
	fputs(END, f);
}

static const struct client_command *
skypty_find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* What the original has under other names, and what others look for. */
static const struct {
	const char *word, *instead;
} elsewhere[] = {
	{ "list",
	    "'skypty config' lists the names of hosts, 'skypty "
	    "whitelist' the keys that this host lets in" },
	{ "ui", "'skyptyd http' is the terminal in the browser" },
	{ "http", "'skyptyd http' is the terminal in the browser" },
	{ "check", "'skyptyd check'" },
	{ "tcp", "'skyptyd tcp'" },
	{ "url", "'skyptyd http' prints its own" },
	{ "pty", "leave it away: 'skypty shell', not 'skypty pty shell'" },
	{ "cli", "leave it away: 'skypty shell', not 'skypty cli shell'" },
	{ "mount", "'skypty fs mount'" },
	{ "umount", "'skypty fs umount'" },
	{ "scp", "'skypty cp', or scp -S skypty-ssh" },
	{ "rsync", "rsync -e skypty-ssh" },
	{ "sshd", "'skypty host'" },
	{ "run", "'skypty exec'" },
	{ "copy", "'skypty cp'" },
	{ "unmount", "'skypty fs umount'" },
	{ "status", "'skypty dmsg status'" },
	{ "allow", "'skypty whitelist-add'" },
	{ "revoke", "'skypty whitelist-remove'" },
	{ "whitelist-del", "'skypty whitelist-remove'" },
	{ "whitelist-delete", "'skypty whitelist-remove'" },
	{ "whitelist-rm", "'skypty whitelist-remove'" },
	{ "confgen", "'skyptyd confgen' writes a host's configuration" },
};

static int
skypty_unknown(const char *word)
{
	struct usage_near near = { .word = word };

	/* The nearest of our own words; nothing rather than the opposite. */
	for (size_t i = 0; i < COMMANDS; i++)
		usage_try(&near, commands[i].name);
	usage_try(&near, "version");
	usage_try(&near, "help");
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		if (strcmp(word, elsewhere[i].word) == 0) {
			complain("there is no command '%s'; %s", word,
			    elsewhere[i].instead);
			return EXIT_USAGE;
		}
	if (dest_like(word))
		complain("'%s' is no command; did you mean 'skypty shell %s'?",
		    word, word);
	else if (*word == '-')
		complain("unknown option '%s': a command comes first; 'skypty "
			 "help' lists them",
		    word);
	else if (near.best != NULL)
		complain("unknown command '%s'; did you mean '%s'?", word,
		    near.best);
	else
		complain("unknown command '%s'; 'skypty help' lists them all",
		    word);
	return EXIT_USAGE;
}

static int
skypty_help(const char *name)
{
	const struct client_command *c =
	    name != NULL ? skypty_find(name) : NULL;

	if (c == NULL && name != NULL && *name != '-' &&
	    strcmp(name, "version") != 0 && strcmp(name, "help") != 0)
		return skypty_unknown(name);
	if (c == NULL) {
		skypty_usage(stdout);
		return 0;
	}
	printf("usage: skypty %s %s\n\n%s\n", c->name, c->args, c->what);
	if (c->title != NULL) {
		printf("\nflags of %s:\n", c->title);
		flags_help(c->style, stdout);
		fputs(END, stdout);
	}
	return 0;
}

static bool
skypty_wants_help(int argc, char **argv)
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

/* What was printed may not have arrived, on a full disk for one. */
static int
skypty_finish(int status)
{
	/* One of SKY_ERR_*, which nobody has told. */
	if (status < 0) {
		complain("%s", err_text(status));
		status = EXIT_FAILED;
	}
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	complain("output: %s", strerror(errno));
	return status != 0 ? status : EXIT_FAILED;
}

static int
skypty_version(const char *word)
{
	if (word != NULL) {
		complain("version takes no words, and there is '%s'", word);
		return EXIT_USAGE;
	}
	puts("skypty " SKYPTY_VERSION);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'),
		   *word = argc > 1 ? argv[1] : NULL;
	const struct client_command *c;
	bool two_words;

	process_standard_fds();
	sink_prepare();
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(slash != NULL ? slash + 1 : argv[0], "skypty-ssh") == 0)
		return ssh_main(argc, argv);
	if (word == NULL) {
		skypty_usage(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(word, "version") == 0 || strcmp(word, "--version") == 0 ||
	    strcmp(word, "-V") == 0)
		return skypty_finish(skypty_version(argv[2]));
	if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 ||
	    strcmp(word, "-h") == 0)
		return skypty_finish(skypty_help(argc > 2 ? argv[2] : NULL));
	if ((c = skypty_find(word)) == NULL)
		return skypty_unknown(word);
	/* "fs mount --help" asks for it as "fs --help" does. */
	two_words =
	    c->main == fs_main || c->main == dmsg_main || c->main == job_main;
	if (c->style != STYLE_NONE &&
	    (skypty_wants_help(argc - 1, argv + 1) ||
		(two_words && argc > 2 &&
		    skypty_wants_help(argc - 2, argv + 2))))
		return skypty_finish(skypty_help(word));
	return skypty_finish(c->main(argc - 1, argv + 1));
}
