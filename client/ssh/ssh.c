/* SPDX-License-Identifier: ISC */
/*
 * skypty ssh, also under the name skypty-ssh: ssh's command line, as rsync,
 * git, scp, sftp, sshfs and ansible write it.  ssh_table.c has what becomes of
 * each option, ssh_dest.c where it leads; here is what is then done.
 */
#include "client/agent_call.h"
#include "client/background.h"
#include "client/commands.h"
#include "client/complain.h"
#include "client/conn.h"
#include "client/dial.h"
#include "client/exec.h"
#include "client/exits.h"
#include "client/forward/forward_cmd.h"
#include "client/forward/forward_flags.h"
#include "client/hosts.h"
#include "client/hub/hub_conn.h"
#include "client/identity.h"
#include "client/offer.h"
#include "client/options.h"
#include "client/obscure.h"
#include "client/passphrase.h"
#include "client/proxy.h"
#include "client/relay.h"
#include "client/shell_rpc.h"
#include "client/shell_words.h"
#include "client/ssh/ssh_dest.h"
#include "client/ssh/ssh_opts.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "common/base/process.h"
#include "common/pty/keys.h"
#include "common/pty/mux.h"

extern char **environ;

struct ssh {
	struct client_options o;
	struct ssh_opts opts;
	struct ssh_dest dest;
	char *command;	     /* what the account's shell is to run, or NULL */
	struct offers offer; /* -i, expanded */
	char *local;	     /* LocalCommand, expanded */
	char *proxy;	     /* ProxyCommand, expanded */
	char *control;	     /* ControlPath, expanded */
};

/* --- the arguments --- */

/*
 * ssh takes options behind the destination, too, unless "--" came before.  What
 * follows is the command, with a blank between its words.
 */
static int
ssh_arguments(struct ssh *s, int argc, char **argv)
{
	size_t n = 1;
	bool dashes;
	int r;

	if ((r = ssh_opts_flags(&s->opts, argc, argv, &dashes)) != 0)
		return r;
	if (s->opts.version)
		return 0;
	if (optind >= argc) {
		ssh_opts_usage();
		return EXIT_FAILED;
	}
	if ((r = ssh_dest_word(&s->dest, &s->opts, argv[optind])) != 0)
		return r;
	argc -= optind;
	argv += optind;
	optind = 1;
	if (!dashes && (r = ssh_opts_flags(&s->opts, argc, argv, &dashes)) != 0)
		return r;
	for (int i = optind; i < argc; i++)
		n += strlen(argv[i]) + 1;
	if (optind < argc && (s->command = calloc(1, n)) == NULL)
		return EXIT_FAILED;
	for (int i = optind; i < argc; i++) {
		if (i != optind)
			strlcat(s->command, " ", n);
		strlcat(s->command, argv[i], n);
	}
	return 0;
}

/* --- messages --- */

static int
ssh_facility(const char *name)
{
	if (name == NULL || strcmp(name, "USER") == 0)
		return LOG_USER;
	if (strcmp(name, "DAEMON") == 0)
		return LOG_DAEMON;
	if (strcmp(name, "AUTH") == 0)
		return LOG_AUTH;
	return LOG_LOCAL0 + ((name[5] - '0') << 3);
}

static bool
ssh_level_is(struct ssh *s, const char *name)
{
	const char *level = ssh_opts_text(&s->opts, SSH_LOG_LEVEL);

	return level != NULL && strcmp(level, name) == 0;
}

/* Where they go from now on, and how many there are. */
static int
ssh_messages(struct ssh *s)
{
	const char *level = ssh_opts_text(&s->opts, SSH_LOG_LEVEL);
	FILE *f;

	s->o.quiet = ssh_level_is(s, "QUIET") || ssh_level_is(s, "FATAL") ||
	    ssh_level_is(s, "ERROR");
	s->o.verbose = ssh_level_is(s, "VERBOSE") ||
	    (level != NULL && strncmp(level, "DEBUG", 5) == 0);
	if (s->opts.syslog && s->opts.log_file != NULL) {
		complain("Can't specify both -y and -E");
		return EXIT_FAILED;
	}
	if (s->opts.log_file != NULL) {
		if ((f = fopen(s->opts.log_file, "ae")) == NULL) {
			complain("-E %s: %s", s->opts.log_file,
			    strerror(errno));
			return EXIT_FAILED;
		}
		setlinebuf(f);
		complain_to(COMPLAIN_FILE, f);
	}
	if (s->opts.syslog) {
		openlog("skypty-ssh", LOG_PID,
		    ssh_facility(ssh_opts_text(&s->opts, SSH_FACILITY)));
		complain_to(COMPLAIN_SYSLOG, NULL);
	}
	if (ssh_level_is(s, "QUIET"))
		complain_to(COMPLAIN_NOBODY, NULL);
	return 0;
}

/* --- what the options mean --- */

static int
ssh_identity(struct ssh *s, struct keyctx *ctx, const char *text,
    const struct ssh_tokens *t)
{
	char *path = ssh_expand_path(text, t, "IdentityFile");

	if (path == NULL)
		return EXIT_FAILED;
	if (access(path, F_OK) == -1) {
		if (!s->o.quiet)
			complain("Identity file %s not accessible: %s", path,
			    strerror(errno));
	} else
		(void)offer_add(&s->offer, ctx, path);
	free(path);
	return 0;
}

/* Those that can be used, of which the host is to take one. */
static int
ssh_identities(struct ssh *s, struct keyctx *ctx)
{
	const struct ssh_texts *list = &s->opts.identities;
	struct ssh_tokens t;
	int r;

	ssh_dest_tokens(&s->dest, &s->opts, &s->o, &t);
	for (size_t i = 0; i < list->n; i++)
		if (strcasecmp(list->text[i], "none") != 0 &&
		    (r = ssh_identity(s, ctx, list->text[i], &t)) != 0)
			return r;
	if (list->n != 0 && s->offer.n == 0) {
		complain("no key is left of those that -i and IdentityFile "
			 "name, and nobody is let in but by a key");
		return EXIT_FAILED;
	}
	if (list->n == 0 && (r = identity_offers(&s->offer, ctx, &s->o)) != 0)
		return r;
	/* One of the agent's is found by itself. */
	if (s->offer.n != 0)
		s->o.identity = s->offer.key[0].file;
	if (s->offer.n > 1)
		s->o.offer = &s->offer;
	return 0;
}

static void
ssh_variables(struct ssh *s)
{
	struct client_options *o = &s->o;
	struct dial_how *how = &o->how;
	const struct ssh_opts *from = &s->opts;
	const char *text;

	o->dmsgdisc = ssh_opts_text(from, SSH_DISCOVERY);
	o->dmsg_servers = ssh_opts_text(from, SSH_DMSG_SERVERS);
	o->cliaddr = ssh_opts_text(from, SSH_CONTROL_SOCKET);
	o->rpc = ssh_opts_text(from, SSH_VISOR_RPC);
	o->standalone = ssh_opts_yes(from, SSH_STANDALONE);
	if (ssh_opts_yes(from, SSH_BATCH_MODE))
		passphrase_never_ask();
	/* Any other one is an agent of ssh's. */
	text = ssh_opts_text(from, SSH_IDENTITY_AGENT);
	if (text != NULL && strcmp(text, "none") == 0)
		(void)unsetenv(AGENT_ENV);
	o->identities_only = ssh_opts_yes(from, SSH_IDENTITIES_ONLY);
	o->no_stdin =
	    ssh_opts_yes(from, SSH_STDIN_NULL) || ssh_opts_yes(from, SSH_FORK);
	text = ssh_opts_text(from, SSH_VISOR_KEY);
	o->visor_key = text == NULL || strcmp(text, "yes") == 0;
	o->visor_key_given = text != NULL;
	if (ssh_opts_yes(from, SSH_REQUIRE_PQ))
		o->require_pq = true;
	o->duplex = true;
	o->timeout_ms = 0;

	/* "x", "^x" or "none"; the form has been checked. */
	if ((text = ssh_opts_text(from, SSH_ESCAPE)) == NULL)
		o->escape = '~';
	else if (strcmp(text, "none") == 0)
		o->escape = -1;
	else
		o->escape =
		    strlen(text) == 2 ? text[1] & 0x1f : (unsigned char)*text;

	if ((text = ssh_opts_text(from, SSH_OBSCURE)) != NULL)
		(void)obscure_parse(text, &o->obscure_ms);

	text = ssh_opts_text(from, SSH_ADDRESS_FAMILY);
	how->family = text == NULL || strcmp(text, "any") == 0 ? AF_UNSPEC :
	    strcmp(text, "inet") == 0			       ? AF_INET :
								 AF_INET6;
	how->bind_address = ssh_opts_text(from, SSH_BIND_ADDRESS);
	how->bind_interface = ssh_opts_text(from, SSH_BIND_INTERFACE);
	how->attempts = ssh_opts_number(from, SSH_CONNECTION_ATTEMPTS, 1);
	how->timeout_ms =
	    (int64_t)ssh_opts_number(from, SSH_CONNECT_TIMEOUT, 0) * 1000;
	how->alive = ssh_opts_number(from, SSH_ALIVE_INTERVAL, 0);
	how->alive_count = ssh_opts_number(from, SSH_ALIVE_COUNT, 3);
}

/* The hosts to go by, where there is no command that leads there. */
static int
ssh_jump(struct ssh *s)
{
	const char *list = ssh_opts_jump(&s->opts);

	if (list == NULL)
		return 0;
	if (s->o.dest.kind != DEST_TCP) {
		complain("ProxyJump: the host at its end needs an address, as "
			 "those before it see it");
		return EXIT_FAILED;
	}
	s->proxy =
	    forward_jump(&s->o, "ssh", list, s->o.dest.host, s->o.dest.port);
	s->o.how.proxy = s->proxy;
	return s->proxy != NULL ? 0 : EXIT_FAILED;
}

/* RemoteCommand, LocalCommand and ProxyCommand, with their tokens replaced. */
static int
ssh_commands(struct ssh *s)
{
	const char *remote = ssh_opts_text(&s->opts, SSH_REMOTE_COMMAND);
	const char *local = ssh_opts_text(&s->opts, SSH_LOCAL_COMMAND);
	const char *proxy = ssh_opts_proxy(&s->opts);
	struct ssh_tokens t;

	ssh_dest_tokens(&s->dest, &s->opts, &s->o, &t);
	if (remote != NULL && strcasecmp(remote, "none") != 0) {
		if (s->command != NULL) {
			complain("Cannot execute command-line and remote "
				 "command.");
			return EXIT_FAILED;
		}
		s->command =
		    ssh_expand(remote, "%" SSH_TOKENS, &t, "RemoteCommand");
		if (s->command == NULL)
			return EXIT_FAILED;
	}
	if (local != NULL && ssh_opts_yes(&s->opts, SSH_PERMIT_LOCAL)) {
		s->local =
		    ssh_expand(local, "%T" SSH_TOKENS, &t, "LocalCommand");
		if (s->local == NULL)
			return EXIT_FAILED;
	}
	if (proxy == NULL)
		return ssh_jump(s);
	/* In the place of its shell, so that it is the one that is ended. */
	s->o.how.proxy = s->proxy = proxy_command(proxy, &t);
	return s->proxy != NULL ? 0 : EXIT_FAILED;
}

/* Whether the connection is shared, and where it is found. */
static int
ssh_control(struct ssh *s)
{
	const struct ssh_opts *from = &s->opts;
	const char *master = ssh_opts_text(from, SSH_CONTROL_MASTER);
	const char *path = ssh_opts_text(from, SSH_CONTROL_PATH);
	const char *persist = ssh_opts_text(from, SSH_CONTROL_PERSIST);
	struct ssh_tokens t;

	if (master != NULL &&
	    options_master(&s->o, "ControlMaster", master) != 0)
		return EXIT_FAILED;
	if (persist != NULL &&
	    options_persist(&s->o, "ControlPersist", persist) != 0)
		return EXIT_FAILED;
	if (path == NULL)
		return 0;
	ssh_dest_tokens(&s->dest, from, &s->o, &t);
	s->control = ssh_expand_path(path, &t, "ControlPath");
	s->o.control.path = s->control;
	s->o.control.path_whole = true;
	return s->control != NULL ? 0 : EXIT_FAILED;
}

/* --- the environment --- */

static bool
ssh_wanted(struct ssh *s, const char *entry)
{
	char name[128];
	size_t n = strcspn(entry, "=");

	if (n >= sizeof(name) || entry[n] == '\0')
		return false;
	memcpy(name, entry, n);
	name[n] = '\0';
	if (s->o.terminal &&
	    (strcmp(name, "TERM") == 0 || strcmp(name, "COLORTERM") == 0))
		return true;
	for (size_t i = 0; i < s->opts.send_env.n; i++)
		if (ssh_match(s->opts.send_env.text[i], name))
			return true;
	return false;
}

/* SetEnv comes last: of two of a name the host keeps the last. */
static int
ssh_environment(struct ssh *s)
{
	const struct ssh_texts *set = &s->opts.set_env;
	size_t n = 0;

	for (char **e = environ; *e != NULL && n < ENV_MAX; e++)
		if (ssh_wanted(s, *e))
			s->o.env[n++] = *e;
	for (size_t i = 0; i < set->n && n < ENV_MAX; i++)
		s->o.env[n++] = set->text[i];
	s->o.nenv = n;
	if (n < ENV_MAX)
		return 0;
	complain("SendEnv, SetEnv: more than %d variables", ENV_MAX - 1);
	return EXIT_FAILED;
}

/* --- what to run --- */

/*
 * The account's shell runs the command, as with sshd.  What it is called is
 * known over there, to the environment of the session.
 *
 * Whose session it is, is known over there only, too, and to the session itself
 * for sure: where a login name was given, the session runs nothing before it
 * has seen that its user is that one.  Not by name, as several may be one user.
 */
#define SSH_ASK_USER                                                         \
	"u=$(id -u \"$1\" 2>/dev/null) && [ -n \"$u\" ] && "                 \
	"[ \"$u\" = \"$(id -u)\" ] || { echo \"skypty: your key's sessions " \
	"there are $(id -un)'s and not $1's\" >&2; exit 255; }; "
#define SSH_RUN	  "exec \"${SHELL:-/bin/sh}\" -c \"$0\""
#define SSH_LOGIN "exec \"${SHELL:-/bin/sh}\" -l"

static void
ssh_words_to_run(struct ssh *s, const char *asked)
{
	static char sh[] = "/bin/sh", c[] = "-c", none[] = "sh";
	static char run[] = SSH_RUN, ask_run[] = SSH_ASK_USER SSH_RUN;
	static char login[] = SSH_LOGIN, ask_login[] = SSH_ASK_USER SSH_LOGIN;
	static char *argv[6];
	char *user = (char *)(uintptr_t)asked;

	s->o.line = s->command != NULL;
	/* Who is to look at the user first is no shell yet. */
	s->o.login = s->command == NULL && user == NULL;
	argv[0] = sh;
	argv[1] = c;
	if (s->command != NULL)
		argv[2] = user != NULL ? ask_run : run;
	else
		argv[2] = user != NULL ? ask_login : login;
	argv[3] = s->command;
	if (user != NULL && s->command == NULL)
		argv[3] = none;
	argv[4] = user;
	s->o.command = argv;
}

/*
 * A host that knows of users sees to it; one that does not says so, and nothing
 * has been run.  False: it has to be asked whose session it is.
 */
static bool
ssh_run_as_user(struct ssh *s, struct keyctx *ctx, int *status)
{
	char uri[MUX_URI_MAX + 1];
	bool ran;

	s->o.user = ssh_opts_text(&s->opts, SSH_USER);
	if (s->o.user == NULL || mux_put_user(uri, s->o.user, "") != 0) {
		s->o.user = NULL;
		return false;
	}
	s->o.user_optional = true;
	ssh_words_to_run(s, NULL);
	ran = exec_frames_run(ctx, &s->o, status);
	s->o.user = NULL;
	return ran;
}

/* Where no user is asked for, an older host has the shell of skypty shell. */
static int
ssh_older_shell(struct ssh *s, struct keyctx *ctx)
{
	static char shell[] = DEFAULT_SHELL;
	static char *argv[] = { shell, NULL };
	struct shell_words words = { .words = NULL };
	int r;

	if (ssh_opts_text(&s->opts, SSH_USER) == NULL)
		s->o.command = argv;
	if ((r = shell_words_env(&words, &s->o)) == 0)
		r = shell_rpc_run(ctx, &s->o);
	shell_words_free(&words);
	return r;
}

/* --- when we are let in --- */

static int
ssh_run_local(struct ssh *s)
{
	const char *shell = getenv("SHELL");
	pid_t pid;
	int status;

	switch (process_fork(&pid)) {
	case -1:
		complain("LocalCommand: %s", strerror(errno));
		return EXIT_FAILED;
	case 0:
		process_reset_signals();
		if (shell == NULL || *shell == '\0')
			shell = "/bin/sh";
		execl(shell, shell, "-c", s->local, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	return 0; /* its status does not matter, as with ssh */
}

/* Just before the command, or while it begins. */
static int
ssh_let_in(void *arg)
{
	struct ssh *s = arg;
	int r = 0;

	if (s->local != NULL)
		r = ssh_run_local(s);
	if (r == 0 && ssh_opts_yes(&s->opts, SSH_FORK))
		r = background();
	return r;
}

/* --- subsystems --- */

/*
 * On a connection of its own: what serves files does not say whose they are.
 * The key that was taken there is the one for these, too.
 */
static int
ssh_check_user(struct ssh *s, struct keyctx *ctx)
{
	static char sh[] = "/bin/sh", c[] = "-c", name[] = "sh";
	static char ask[] = SSH_ASK_USER "exit 0";
	char *argv[] = { sh, c, ask, name, s->opts.said[SSH_USER].text, NULL };
	struct client_options o = s->o;
	int key[2], status, r;
	pid_t pid;

	if (pipe2(key, O_CLOEXEC) == -1) {
		complain("%s", strerror(errno));
		return EXIT_FAILED;
	}
	o.command = argv;
	o.terminal = false;
	o.no_stdin = true;
	o.started = NULL;
	switch (process_fork(&pid)) {
	case -1:
		complain("%s", strerror(errno));
		return EXIT_FAILED;
	case 0:
		r = exec_command(ctx, &o);
		/* Without it the others are tried once more. */
		if (s->offer.taken &&
		    write(key[1], &s->offer.now, sizeof(s->offer.now)) == -1 &&
		    s->o.verbose)
			complain("the key that was taken: %s", strerror(errno));
		fflush(NULL);
		_exit(r);
	}
	close(key[1]);
	s->offer.taken = read(key[0], &s->offer.now, sizeof(s->offer.now)) ==
	    sizeof(s->offer.now);
	close(key[0]);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return EXIT_FAILED;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : EXIT_FAILED;
}

/* As ssh_run_as_user: asked where the host does not know. */
static int
ssh_open_files(struct ssh *s, struct keyctx *ctx, struct conn *c)
{
	char uri[MUX_URI_MAX + 1];
	int r;

	conn_init(c);
	s->o.user = ssh_opts_text(&s->opts, SSH_USER);
	if (s->o.user == NULL)
		return relay_open_sftp(c, ctx, &s->o);
	s->o.user_optional = true;
	if (mux_put_user(uri, s->o.user, "") == 0) {
		if ((r = conn_try(c, ctx, &s->o, MUX_URI_SFTP)) != 0 ||
		    (r = conn_await(c)) != 0 || !c->rejected)
			return r;
		conn_close(c);
		conn_init(c);
	}
	s->o.user = NULL;
	r = ssh_check_user(s, ctx);
	return r == 0 ? relay_open_sftp(c, ctx, &s->o) : r;
}

static int
ssh_subsystem(struct ssh *s, struct keyctx *ctx)
{
	int in = STDIN_FILENO, r;
	struct conn c;

	if (s->command == NULL) {
		complain("You must specify a subsystem to invoke.");
		ssh_opts_usage();
		return EXIT_FAILED;
	}
	if (strcmp(s->command, "sftp") != 0) {
		complain("subsystem %s: there is sftp only", s->command);
		return EXIT_FAILED;
	}
	if ((r = ssh_open_files(s, ctx, &c)) == 0 && (r = ssh_let_in(s)) == 0) {
		if (s->o.no_stdin)
			in = open("/dev/null", O_RDONLY);
		r = in != -1 ? relay_run(&c, in, STDOUT_FILENO) : EXIT_FAILED;
		if (in != STDIN_FILENO)
			close(in);
	}
	conn_close(&c);
	return r;
}

/* --- commands --- */

static bool
ssh_gets_terminal(struct ssh *s)
{
	const char *said = ssh_opts_text(&s->opts, SSH_REQUEST_TTY);
	bool asked = said != NULL && strcmp(said, "yes") == 0;
	bool own = isatty(STDIN_FILENO) == 1 && !s->o.no_stdin;

	if (said != NULL && strcmp(said, "force") == 0)
		return true;
	if (said != NULL && strcmp(said, "no") == 0)
		return false;
	if (asked && !own && !s->o.quiet)
		complain("Pseudo-terminal will not be allocated because stdin "
			 "is not a terminal.");
	return own && (asked || s->command == NULL);
}

static int
ssh_command(struct ssh *s, struct keyctx *ctx)
{
	int r;

	if (ssh_opts_yes(&s->opts, SSH_FORK) && s->command == NULL) {
		complain("Cannot fork into background without a command to "
			 "execute.");
		return EXIT_FAILED;
	}
	s->o.terminal = ssh_gets_terminal(s);
	s->o.started = ssh_let_in;
	s->o.started_arg = s;
	s->o.keep = true;
	if ((r = ssh_environment(s)) != 0)
		return r;
	if (ssh_run_as_user(s, ctx, &r))
		return r;
	ssh_words_to_run(s, ssh_opts_text(&s->opts, SSH_USER));
	if (exec_frames_run(ctx, &s->o, &r))
		return r;
	if ((r = ssh_let_in(s)) != 0)
		return r;
	if (s->o.terminal && s->command == NULL)
		return ssh_older_shell(s, ctx);
	return exec_older(ctx, &s->o);
}

/* --- what is forwarded --- */

static int
ssh_forwards(struct ssh *s)
{
	struct forward_flags *f = &s->o.forward;
	const struct ssh_opts *from = &s->opts;
	const struct ssh_texts *list = &from->forwards;
	const char *type = ssh_opts_text(from, SSH_SESSION_TYPE);

	f->target = from->target;
	f->nothing = type != NULL && strcmp(type, "none") == 0;
	f->background = ssh_opts_yes(from, SSH_FORK);
	f->gateway = ssh_opts_yes(from, SSH_GATEWAY_PORTS);
	f->strict = ssh_opts_yes(from, SSH_EXIT_ON_FAILURE);
	f->unlink = ssh_opts_yes(from, SSH_UNLINK_SOCKETS);
	f->clear = ssh_opts_yes(from, SSH_CLEAR_FORWARDINGS);
	for (size_t i = 0; i < list->n; i++)
		if (forward_wish_add(f, (enum forward_way) * list->text[i],
			list->text[i] + 1, "forwarding") != 0)
			return EXIT_FAILED;
	return 0;
}

/* As ssh_run_as_user: a connection for others is one as that user, too. */
static int
ssh_begin_forwards(struct ssh *s, struct keyctx *ctx, struct forward_held *held)
{
	struct client_options *o = &s->o;
	int r;

	o->user = ssh_opts_text(&s->opts, SSH_USER);
	o->user_optional = true;
	if (o->forward.target != NULL)
		r = forward_stdio(ctx, o);
	else
		r = forward_begin(held, ctx, o);
	o->user = NULL;
	return r == EXIT_USAGE ? EXIT_FAILED : r;
}

static int
ssh_forward_only(struct ssh *s, struct forward_held *held)
{
	int r = ssh_let_in(s);

	return r == 0 ? forward_wait(held) : r;
}

static int
ssh_serve(struct ssh *s, struct keyctx *ctx)
{
	const char *type = ssh_opts_text(&s->opts, SSH_SESSION_TYPE);
	struct forward_held held = { .epoll = -1 };
	int r;

	if ((r = ssh_begin_forwards(s, ctx, &held)) != 0 ||
	    s->o.forward.target != NULL)
		;
	else if (s->o.forward.nothing)
		r = ssh_forward_only(s, &held);
	else if (type != NULL && strcmp(type, "subsystem") == 0)
		r = ssh_subsystem(s, ctx);
	else
		r = ssh_command(s, ctx);
	forward_leave(&held);
	return r;
}

static int
ssh_run(struct ssh *s, struct keyctx *ctx, int argc, char **argv)
{
	int r;

	if ((r = ssh_arguments(s, argc, argv)) != 0)
		return r;
	if (s->opts.version) {
		fputs("skypty " SKYPTY_VERSION "\n", stderr);
		return 0;
	}
	s->opts.command = s->command;
	if ((r = ssh_dest_find(&s->dest, &s->opts, &s->o, ctx)) != 0 ||
	    (r = ssh_opts_check(&s->opts)) != 0 || (r = ssh_messages(s)) != 0)
		return r;
	ssh_variables(s);
	if ((r = ssh_commands(s)) != 0)
		return r;
	if (s->opts.print) {
		ssh_print(&s->dest, &s->opts, &s->o);
		return 0;
	}
	if ((r = ssh_identities(s, ctx)) != 0 || (r = ssh_control(s)) != 0)
		return r;
	if ((r = ssh_forwards(s)) != 0)
		return r;
	if (s->opts.order != NULL) {
		s->o.user = ssh_opts_text(&s->opts, SSH_USER);
		s->o.control.order = s->opts.order;
		return hub_order(ctx, &s->o, true);
	}
	return ssh_serve(s, ctx);
}

int
ssh_main(int argc, char **argv)
{
	struct ssh s = { .command = NULL };
	struct keyctx *ctx;
	int r;

	if ((ctx = keyctx_new()) == NULL)
		return EXIT_FAILED;
	options_init(&s.o);
	r = ssh_run(&s, ctx, argc, argv);
	ssh_opts_free(&s.opts);
	forward_flags_free(&s.o.forward);
	ssh_dest_free(&s.dest);
	hosts_free(&s.o.alias);
	free(s.command);
	offer_free(&s.offer);
	free(s.local);
	free(s.proxy);
	free(s.control);
	keyctx_free(ctx);
	return r;
}
