/* SPDX-License-Identifier: ISC */
/* The flags of all commands but ssh and host.  PROTOCOL.pty 11.4, 11.5, 11.7.
 */
#include "client/flags.h"
#include "client/complain.h"
#include "client/exits.h"
#include "client/fleet/fleet_flags.h"
#include "client/options.h"
#include "client/status_fd.h"

#include <getopt.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/usage.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define COLUMN	  25 /* of what a flag does, in the help */

/* What has a meaning for which commands; others do not know it. */
#define BIT(style) (1U << STYLE_##style)
#define COMMAND	   (BIT(SHELL) | BIT(EXEC))
#define SESSIONS   (BIT(SESSIONS) | BIT(ATTACH))
#define DESTINATION \
	(COMMAND | BIT(SFTP) | BIT(MOUNT) | BIT(JOB) | BIT(CONTROL) | SESSIONS)
#define SHARED	 (COMMAND | BIT(MOUNT) | BIT(JOB) | BIT(COPY) | SESSIONS)
#define FORWARDS (COMMAND | BIT(CONTROL))
#define CONNECT	 (DESTINATION | BIT(COPY) | BIT(FLEET))
#define SECRET	 (DESTINATION | BIT(COPY) | BIT(KEY))
#define IDENTITY (CONNECT | BIT(KEY))
#define LOCAL	 (BIT(SOCKET) | BIT(STATUS))

struct client_flag {
	const char *name;
	int letter; /* or 0 */
	int takes;  /* no_argument, required_argument, optional_argument */
	unsigned styles;
	/* NULL: a field is set, a bool or a text. */
	int (*set)(struct client_options *, const char *flag, const char *);
	size_t field;
	const char *value; /* what it is called in the help */
	const char *help;  /* NULL: another name of the flag before it */
};

#define NO	    no_argument
#define VALUE	    required_argument
#define MAYBE	    optional_argument
#define FIELD(name) NULL, offsetof(struct client_options, name)
#define BY(set)	    set, 0

/* clang-format off */
static const struct client_flag table[] = {
	/* fleet */
	{ "jobs", 'j', VALUE, BIT(FLEET), BY(fleet_flag), "N",
	    "how many hosts at once (64)" },
	{ "tag", 0, VALUE, BIT(FLEET), BY(fleet_flag), "TAG[,TAG]",
	    "only hosts of a file with one of these tags" },
	{ "exclude", 0, VALUE, BIT(FLEET), BY(fleet_flag), "PATTERN",
	    "leave hosts out, or #TAG those with it; repeatable" },
	{ "order", 0, VALUE, BIT(FLEET), BY(fleet_flag), "O",
	    "listed, sorted, reverse or random" },
	{ "seed", 0, VALUE, BIT(FLEET), BY(fleet_flag), "N",
	    "the same random order each time" },
	{ "batch", 0, VALUE, BIT(FLEET), BY(fleet_flag), "1,10%,50%,100%",
	    "how far each batch goes" },
	{ "canary", 0, VALUE, BIT(FLEET), BY(fleet_flag), "N",
	    "a first batch of so many hosts" },
	{ "pause", 0, VALUE, BIT(FLEET), BY(fleet_flag), "TIME",
	    "between batches" },
	{ "max-fail", 0, VALUE, BIT(FLEET), BY(fleet_flag), "N|P%",
	    "stop when more hosts fail (with batches: 0)" },
	{ "timeout", 't', VALUE, BIT(FLEET), BY(options_timeout), "TIME",
	    "of the command on each host (none)" },
	{ "connect-timeout", 0, VALUE, BIT(FLEET), BY(fleet_flag), "TIME",
	    "until a host has let us in (30s)" },
	{ "retry", 0, VALUE, BIT(FLEET), BY(fleet_flag), "N",
	    "further attempts at hosts that are not reached" },
	{ "idempotent", 0, NO, BIT(FLEET), FIELD(fleet.idempotent), NULL,
	    "the command may run on a host more than once" },
	{ "detach", 0, NO, BIT(FLEET), FIELD(fleet.detach), NULL,
	    "begin it there as a job, and print that's id" },
	{ "check", 0, VALUE, BIT(FLEET), FIELD(fleet.check), "CMD",
	    "has to succeed there when the command has" },
	{ "check-within", 0, VALUE, BIT(FLEET), BY(fleet_flag), "TIME",
	    "tried until then (5m)" },
	{ "script", 0, VALUE, BIT(FLEET), FIELD(fleet.script), "FILE",
	    "run it there; words behind -- are its arguments" },
	{ "put", 0, VALUE, BIT(FLEET), BY(fleet_flag), "SRC DST",
	    "copy a file to each host" },
	{ "get", 0, VALUE, BIT(FLEET), BY(fleet_flag), "SRC DIR",
	    "copy one from each, to a folder of its name in DIR" },
	{ "recursive", 0, NO, BIT(FLEET), FIELD(recursive), NULL,
	    "copy directories, too" },
	{ "preserve", 0, NO, BIT(FLEET), FIELD(preserve), NULL,
	    "keep modes and times" },
	{ "env", 'e', VALUE, BIT(FLEET), BY(options_env), "K=V",
	    "set in the remote environment; repeatable" },
	{ "live", 0, NO, BIT(FLEET), FIELD(fleet.live), NULL,
	    "output as it comes, each line with its host's name" },
	{ "output", 'o', VALUE, BIT(FLEET), FIELD(fleet.output), "DIR",
	    "keep the output and status of each host there" },
	{ "json", 0, NO, BIT(FLEET), FIELD(json), NULL,
	    "a line of JSON for each host" },
	{ "junit", 0, VALUE, BIT(FLEET), FIELD(fleet.junit), "FILE",
	    "write a JUnit report there" },
	{ "dry-run", 0, NO, BIT(FLEET), FIELD(fleet.dry_run), NULL,
	    "print the plan, and leave" },
	{ "resume", 0, MAYBE, BIT(FLEET), BY(fleet_flag), NULL,
	    "go on with a run that was cut off (=ID)" },
	/* job */
	{ "follow", 'f', NO, BIT(JOB), FIELD(follow), NULL,
	    "run, log: what it writes, until it has ended" },
	{ "signal", 0, VALUE, BIT(JOB), FIELD(signal), "NAME",
	    "kill: which (TERM)" },
	{ "json", 0, NO, BIT(JOB), FIELD(json), NULL,
	    "list: a line of JSON for each" },
	{ "timeout", 't', VALUE, BIT(JOB), BY(options_timeout), "TIME",
	    "run: of the command (none)" },
	{ "env", 'e', VALUE, BIT(JOB), BY(options_env), "K=V",
	    "run: set in its environment; repeatable" },
	{ "no-stdin", 0, NO, BIT(JOB), FIELD(no_stdin), NULL,
	    "run: give it no input" },
	/* sessions, attach */
	{ "kill", 0, VALUE, BIT(SESSIONS), FIELD(kill_session), "ID|NAME",
	    "end that one" },
	{ "json", 0, NO, BIT(SESSIONS), FIELD(json), NULL,
	    "a line of JSON for each" },
	{ "share", 0, NO, BIT(ATTACH), FIELD(share), NULL,
	    "let who types there already go on" },
	{ "view", 0, NO, BIT(ATTACH), FIELD(view), NULL,
	    "look on, and type nothing" },
	/* cp */
	{ "recursive", 'r', NO, BIT(COPY), FIELD(recursive), NULL,
	    "directories, with all that is in them" },
	{ "preserve", 'p', NO, BIT(COPY), FIELD(preserve), NULL,
	    "keep modes and times" },
	{ "resume", 0, NO, BIT(COPY), FIELD(resume), NULL,
	    "go on with what is there of a file" },
	{ "port", 0, VALUE, BIT(COPY), BY(options_port), "PORT",
	    "where the destination has none (2022)" },
	{ "cliaddr", 0, VALUE, BIT(COPY) | BIT(FLEET), FIELD(cliaddr), "PATH",
	    "control socket of the host here" },
	/* fs mount */
	{ "background", 0, NO, BIT(MOUNT), FIELD(background), NULL,
	    "leave once the mount is there" },
	{ "ro", 0, NO, BIT(MOUNT), FIELD(read_only), NULL, "read-only" },
	{ "remote-root", 0, VALUE, BIT(MOUNT), FIELD(remote_root), "PATH",
	    "which directory of the host (/)" },
	{ "attr-ttl", 0, VALUE, BIT(MOUNT), BY(options_attr_ttl), "TIME",
	    "attributes may be that old (1s)" },
	{ "entry-ttl", 0, VALUE, BIT(MOUNT), BY(options_entry_ttl), "TIME",
	    "so may names (1s)" },
	{ "debug", 0, NO, BIT(MOUNT), FIELD(debug), NULL,
	    "let sshfs say what it does" },
	/* dmsg status, keygen */
	{ "json", 0, NO, BIT(STATUS), FIELD(json), NULL, "as JSON" },
	{ "force", 'f', NO, BIT(KEYGEN), FIELD(force), NULL,
	    "replace a file that is there" },
	{ "passphrase", 'p', NO, BIT(KEYGEN), FIELD(change), NULL,
	    "give the file that is there another passphrase" },
	{ "public-key", 'y', NO, BIT(KEYGEN), FIELD(public_only), NULL,
	    "print the public key of the file that is there" },
	{ "passphrase-file", 0, VALUE, BIT(KEYGEN), FIELD(pass_file), "FILE",
	    "passphrase, in its first line; with -p, the old one" },
	{ "passphrase-file", 0, VALUE, BIT(ADD), FIELD(pass_file), "FILE",
	    "passphrase, in its first line" },
	{ "new-passphrase-file", 0, VALUE, BIT(KEYGEN), FIELD(new_pass_file),
	    "FILE", "with -p, the new one; empty for none" },

	/* agent, add */
	{ "socket", 'a', VALUE, BIT(AGENT), FIELD(socket), "PATH",
	    "where it is called" },
	{ "sh", 's', NO, BIT(AGENT), FIELD(sh), NULL,
	    "lines for the Bourne shell" },
	{ "csh", 'c', NO, BIT(AGENT), FIELD(csh), NULL, "lines for csh" },
	{ "foreground", 'D', NO, BIT(AGENT), FIELD(foreground), NULL,
	    "do not fork" },
	{ "debug", 'd', NO, BIT(AGENT), FIELD(debug), NULL,
	    "the same, and say what happens" },
	{ "kill", 'k', NO, BIT(AGENT), FIELD(kill), NULL,
	    "end the one that SKYPTY_AUTH_SOCK names" },
	{ "life", 't', VALUE, BIT(AGENT) | BIT(ADD), BY(options_life), "TIME",
	    "how long it keeps keys: 3600, 8h, 1d" },
	{ "confirm", 'c', NO, BIT(ADD), FIELD(confirm), NULL,
	    "each use of the key is to be confirmed" },
	{ "delete", 'd', NO, BIT(ADD), FIELD(delete_key), NULL,
	    "remove these keys" },
	{ "delete-all", 'D', NO, BIT(ADD), FIELD(delete_all), NULL,
	    "remove all keys" },
	{ "list", 'l', NO, BIT(ADD), FIELD(list), NULL, "list its keys" },
	{ "list-keys", 'L', NO, BIT(ADD), FIELD(list_keys), NULL,
	    "the same, public keys and comments alone" },
	{ "lock", 'x', NO, BIT(ADD), FIELD(lock), NULL,
	    "lock it with a passphrase" },
	{ "unlock", 'X', NO, BIT(ADD), FIELD(unlock), NULL, "unlock it" },
	{ "quiet", 'q', NO, BIT(ADD), FIELD(quiet), NULL, "say less" },

	/* Whom we are, and how much is said. */
	{ "sk", 's', VALUE, SECRET, FIELD(sk), "KEY",
	    "secret key (64 hex digits)" },
	{ "identity", 'i', VALUE, IDENTITY, FIELD(identity), "FILE",
	    "file with a secret key" },
	{ "visor-key", 0, MAYBE, IDENTITY, BY(options_visor_key), NULL,
	    "use the local visor's key" },
	{ "via-visor", 0, MAYBE, IDENTITY, BY(options_visor_key), NULL, NULL },
	{ "no-visor-key", 0, NO, IDENTITY, BY(options_no_visor_key), NULL,
	    "do not" },
	{ "quiet", 'q', NO, IDENTITY, FIELD(quiet), NULL, "say less" },
	{ "verbose", 'v', NO, IDENTITY, FIELD(verbose), NULL, "say more" },

	/* The way to the host. */
	{ "user", 'l', VALUE, CONNECT, BY(options_user), "NAME",
	    "the account there" },
	{ "config", 'F', VALUE, CONNECT, FIELD(hosts), "FILE",
	    "names of hosts (~/.config/skypty/config)" },
	{ "config", 'F', VALUE, BIT(CONFIG), FIELD(hosts), "FILE",
	    "in place of ~/.config/skypty/config" },
	{ "rpc", 0, VALUE, CONNECT, FIELD(rpc), "HOST:PORT",
	    "of a visor here (localhost:3435)" },
	{ "standalone", 0, NO, CONNECT, BY(options_standalone), NULL,
	    "dial keys by neither it nor skyptyd here" },
	{ "dmsgdisc", 0, VALUE, CONNECT, FIELD(dmsgdisc), "URL",
	    "where keys without an address are looked up" },
	{ "dmsg-servers", 0, VALUE, CONNECT, FIELD(dmsg_servers),
	    "'PK@HOST:PORT ...'", "by which servers to look there" },
	{ "require-pq", 0, NO, CONNECT, BY(options_require_pq), NULL,
	    "no host without a post-quantum handshake" },
	{ "cliaddr", 'r', VALUE, DESTINATION | LOCAL, FIELD(cliaddr), "PATH",
	    "control socket of the host here" },
	{ "clinet", 'n', VALUE, COMMAND | LOCAL, FIELD(clinet), "unix",
	    "its network" },
	{ "confpath", 0, VALUE, COMMAND | LOCAL, FIELD(confpath), "FILE",
	    "take these two from a host's configuration" },
	{ "port", 'p', VALUE, DESTINATION | BIT(FLEET), BY(options_port), "PORT",
	    "where the destination has none (2022)" },
	{ "via", 0, VALUE, DESTINATION, FIELD(via), "tcp://PK@HOST:PORT",
	    "the destination, by TCP" },
	{ "addr", 0, VALUE, DESTINATION, FIELD(addr), "PK[:PORT]",
	    "the same, over dmsg" },
	{ "transport", 0, VALUE, DESTINATION | BIT(FLEET), BY(options_transport), "T",
	    "auto, tcp, dmsg or skynet" },
	{ "scheme", 0, VALUE, DESTINATION | BIT(FLEET), BY(options_transport), "T", NULL },

	/* Sharing the connection. */
	{ "control-master", 'M', NO, SHARED, BY(options_master), NULL,
	    "others may use the connection, too" },
	{ "control-persist", 0, VALUE, SHARED, BY(options_persist), "TIME",
	    "how long it waits for them: 10m, yes or no" },
	{ "control-path", 'S', VALUE, SHARED | BIT(CONTROL),
	    FIELD(control.path), "PATH", "its socket, or none" },
	{ "control", 'O', VALUE, COMMAND, FIELD(control.order), "ORDER",
	    "check, stop or exit the one that is shared" },

	/* Forwarding. */
	{ "local-forward", 'L', VALUE, FORWARDS, BY(forward_flag),
	    "[A:]PORT:HOST:PORT", "listen here, connect there; repeatable" },
	{ "remote-forward", 'R', VALUE, FORWARDS, BY(forward_flag),
	    "[A:]PORT:HOST:PORT", "listen there, connect here; repeatable" },
	{ "dynamic-forward", 'D', VALUE, FORWARDS, BY(forward_flag),
	    "[A:]PORT", "listen here for SOCKS, connect there" },
	{ "stdio-forward", 'W', VALUE, COMMAND, BY(forward_flag),
	    "HOST:PORT", "connect there, by standard input and output" },
	{ "jump", 'J', VALUE, CONNECT, FIELD(forward.jump), "DEST[,DEST]",
	    "go by these hosts" },
	{ "no-command", 'N', NO, COMMAND, FIELD(forward.nothing), NULL,
	    "run nothing: forward only" },
	{ "background", 'f', NO, COMMAND, FIELD(forward.background), NULL,
	    "go to the background once that stands" },
	{ "gateway-ports", 'g', NO, FORWARDS, FIELD(forward.gateway), NULL,
	    "forwards without an address: on all of them" },
	{ "exit-on-forward-failure", 0, NO, COMMAND, FIELD(forward.strict),
	    NULL, "do nothing if one of them fails" },
	{ "unlink-sockets", 0, NO, FORWARDS, FIELD(forward.unlink), NULL,
	    "take away sockets in the way of them" },
	{ "clear-forwards", 0, NO, COMMAND, FIELD(forward.clear), NULL,
	    "forward nothing, whatever the file of names says" },

	/* A shell or a command. */
	{ "env", 'e', VALUE, COMMAND, BY(options_env), "K=V",
	    "set in the remote environment; repeatable" },
	{ "timeout", 't', VALUE, COMMAND, BY(options_timeout), "D",
	    "of a command: 30s, 5m (default 30s)" },
	{ "connect-timeout", 0, VALUE,
	    COMMAND | BIT(COPY) | BIT(JOB) | SESSIONS,
	    BY(options_connect_timeout), "D",
	    "until the host has proven its key (10s)" },
	{ "pty", 0, NO, COMMAND, FIELD(terminal), NULL,
	    "give the command a terminal" },
	{ "no-pty", 0, NO, COMMAND, FIELD(no_pty), NULL,
	    "only with a command" },
	{ "status-fd", 0, VALUE, COMMAND, BY(status_fd_flag), "N",
	    "tell there how far the command is, for programs" },
	{ "no-stdin", 0, NO, COMMAND, FIELD(no_stdin), NULL,
	    "give the command no input" },
	{ "escape", 0, VALUE, COMMAND | BIT(ATTACH), BY(options_escape), "C",
	    "escape character (~), or none" },
	{ "obscure", 0, VALUE, COMMAND, BY(options_obscure), "O",
	    "hide typing: yes (20 ms), no, interval:MS" },
	{ "cmd", 'c', VALUE, COMMAND, FIELD(cmd), "CMD",
	    "shell to start (/bin/bash)" },
	{ "args", 'a', VALUE, COMMAND, FIELD(args), "A,B", "its arguments" },
	{ "detach-ok", 0, NO, BIT(SHELL), FIELD(detach_ok), NULL,
	    "it outlives the connection; ~d leaves it" },
	{ "name", 0, VALUE, BIT(SHELL), BY(options_session_name), "NAME",
	    "the same, by a name; the one that there is of it" },
};
/* clang-format on */

static bool
flags_has(const struct client_flag *f, enum flags_style style)
{
	return (f->styles >> style & 1) != 0;
}

/* What getopt_long(3) gives for it: the same for both names of one. */
static int
flags_value(size_t i)
{
	if (table[i].letter != 0)
		return table[i].letter;
	while (table[i].help == NULL)
		i--;
	return UINT8_MAX + 1 + (int)i;
}

/* The tables of getopt_long(3); a row without a name ends the list. */
static void
flags_list(enum flags_style style, struct option *list, char *letters)
{
	for (size_t i = 0; i < LENGTH(table); i++) {
		const struct client_flag *f = &table[i];

		if (!flags_has(f, style))
			continue;
		*list++ =
		    (struct option){ f->name, f->takes, NULL, flags_value(i) };
		if (f->letter == 0)
			continue;
		*letters++ = (char)f->letter;
		if (f->takes == required_argument)
			*letters++ = ':';
	}
	*list = (struct option){ NULL, 0, NULL, 0 };
	*letters = '\0';
}

static int
flags_set(struct client_options *o, enum flags_style style, int opt,
    const char *value)
{
	const struct client_flag *f;
	void *field;
	char flag[32];
	size_t i = 0;

	while (!flags_has(&table[i], style) || flags_value(i) != opt)
		i++;
	f = &table[i];
	field = (char *)o + f->field;
	if (f->set != NULL) {
		snprintf(flag, sizeof(flag), "--%s", f->name);
		return f->set(o, flag, value);
	}
	if (f->takes == no_argument)
		*(bool *)field = true;
	else
		*(const char **)field = value;
	return 0;
}

static int
flags_unknown(const char *command, int opt, const char *word,
    const struct option *list)
{
	char text[USAGE_TEXT_MAX];

	usage_explain(text, opt, word, list);
	if (strchr(text, '?') != NULL)
		complain("%s", text);
	else
		complain("%s; 'skypty help %s' lists them", text, command);
	return EXIT_USAGE;
}

int
flags_take(struct client_options *o, enum flags_style style,
    const char *command, int argc, char **argv, bool *dashes)
{
	bool anywhere = style == STYLE_COPY || style == STYLE_KEYGEN;
	struct option list[LENGTH(table) + 1];
	char letters[2 * LENGTH(table) + 3] = "+:", *all = letters;
	int before = optind, word, opt, r;

	flags_list(style, list, letters + 2);
	if (anywhere)
		all++;
	opterr = 0;
	for (word = optind;; word = optind) {
		opt = getopt_long(argc, argv, all, list, NULL);
		if (opt == -1)
			break;
		if (opt == '?' || opt == ':')
			return flags_unknown(command, opt,
			    argv[anywhere ? optind - 1 : word], list);
		if ((r = flags_set(o, style, opt, optarg)) != 0)
			return r;
	}
	if (dashes != NULL)
		*dashes =
		    optind > before && strcmp(argv[optind - 1], "--") == 0;
	return 0;
}

/* --- help --- */

/* "  -s, --sk KEY", with the other names that it has. */
static int
flags_names(const struct client_flag *f, const struct client_flag *end,
    FILE *to)
{
	char letter[] = { '-', (char)f->letter, ',', '\0' };
	int n =
	    fprintf(to, "  %3s --%s", f->letter != 0 ? letter : "", f->name);

	for (const struct client_flag *g = f + 1; g < end && g->help == NULL;
	     g++)
		n += fprintf(to, ", --%s", g->name);
	if (f->value != NULL)
		n += fprintf(to, " %s", f->value);
	return n;
}

void
flags_help(enum flags_style style, FILE *to)
{
	const struct client_flag *end = table + LENGTH(table);
	int n;

	for (const struct client_flag *f = table; f < end; f++) {
		if (!flags_has(f, style) || f->help == NULL)
			continue;
		n = flags_names(f, end, to);
		if (n >= COLUMN) {
			putc('\n', to);
			n = 0;
		}
		fprintf(to, "%*s%s\n", COLUMN - n, "", f->help);
	}
}
