/* SPDX-License-Identifier: ISC */
/*
 * Flags of ssh, as getopt(3) gives them.  Most take back what was said before,
 * as in ssh.
 */
#include "client/complain.h"
#include "client/exits.h"
#include "client/forward/forward_spec.h"
#include "client/hub/hub_conn.h"
#include "client/ssh/ssh_opts.h"
#include "client/ssh/ssh_table.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void
ssh_opts_usage(void)
{
	fputs("usage: skypty-ssh [options of ssh] [user@]pk@host [command]\n"
	      "       skypty-ssh [options of ssh] [user@]name [command]\n"
	      "skypty-ssh(1) tells what becomes of each option.\n",
	    stderr);
}

/* The first -v counts more than what was said, the others raise it. */
static int
ssh_more_verbose(struct ssh_opts *o)
{
	static const char *const levels[] = { "QUIET", "FATAL", "ERROR", "INFO",
		"VERBOSE", "DEBUG1", "DEBUG2", "DEBUG3" };
	size_t n = sizeof(levels) / sizeof(levels[0]), i = 0;
	const char *said = ssh_opts_text(o, SSH_LOG_LEVEL);

	if (o->verbose++ == 0 || said == NULL)
		return ssh_opts_last(o, SSH_LOG_LEVEL, "DEBUG1", "-v");
	while (i < n && strcmp(levels[i], said) != 0)
		i++;
	if (i + 1 >= n)
		return 0;
	return ssh_opts_last(o, SSH_LOG_LEVEL, levels[i + 1], "-v");
}

static int
ssh_session_type(struct ssh_opts *o, const struct ssh_flag *f)
{
	const char *before = ssh_opts_text(o, SSH_SESSION_TYPE);

	if (before == NULL || strcmp(before, f->text) == 0)
		return ssh_opts_last(o, SSH_SESSION_TYPE, f->text,
		    f->letter == 'N' ? "-N" : "-s");
	complain("Cannot specify -%c with %s", f->letter,
	    f->letter == 'N' ? "-s/SessionType" : "-N/SessionType");
	return EXIT_FAILED;
}

/* A connection in the place of a session, and nothing else is forwarded. */
static int
ssh_stdio(struct ssh_opts *o, const char *value)
{
	struct mux_place to;
	const char *why = forward_target_parse(&to, value);

	if (o->target != NULL) {
		complain("Cannot specify stdio forward with -W twice");
		return EXIT_FAILED;
	}
	if (why != NULL) {
		complain("Bad stdio forwarding specification '%s': %s", value,
		    why);
		return EXIT_FAILED;
	}
	o->target = value;
	return 0;
}

static int
ssh_opts_own(struct ssh_opts *o, const struct ssh_flag *f, const char *value)
{
	switch (f->letter) {
	case 'D':
	case 'L':
	case 'R':
		return ssh_opts_forward(o, f->letter, value);
	case 'E':
		o->log_file = value;
		return 0;
	case 'F':
		o->config = value;
		return 0;
	case 'G':
		o->print = true;
		return 0;
	case 'J':
		if (ssh_opts_text(o, SSH_PROXY_COMMAND) == NULL ||
		    strcasecmp(value, "none") == 0)
			return ssh_opts_first(o, SSH_PROXY_JUMP, value, "-J");
		complain("Cannot specify -J with ProxyCommand");
		return EXIT_FAILED;
	case 'N':
	case 's':
		return ssh_session_type(o, f);
	case 'O':
		o->order = value;
		if (hub_is_order(value))
			return 0;
		complain("-O: Invalid multiplex command '%s': there are check, "
			 "stop and exit",
		    value);
		return EXIT_FAILED;
	case 'V':
		o->version = true;
		return 0;
	case 'W':
		return ssh_stdio(o, value);
	case 'f':
		(void)ssh_opts_last(o, SSH_STDIN_NULL, "yes", "-f");
		return ssh_opts_last(o, SSH_FORK, "yes", "-f");
	case 'i':
		return ssh_opts_identity(o, value);
	case 'o':
		return ssh_opts_line(o, value, "command-line line 0");
	case 't':
		/* "yes", and "force" when that was said. */
		return ssh_opts_last(o, SSH_REQUEST_TTY,
		    ssh_opts_yes(o, SSH_REQUEST_TTY) ? "force" : "yes", "-t");
	case 'v':
		return ssh_more_verbose(o);
	case 'y':
		o->syslog = true;
		return 0;
	}
	return EXIT_FAILED;
}

/* A flag's value, checked like that of its keyword. */
static int
ssh_flag_value(const struct ssh_flag *f, const char *value)
{
	switch (f->letter) {
	case 'e':
		if (ssh_is_escape(value))
			return 0;
		complain("-e: Bad escape character '%s'", value);
		return EXIT_FAILED;
	case 'p':
		if (ssh_port(value) != 0)
			return 0;
		complain("-p: Bad port '%s': write 1 to 65535", value);
		return EXIT_FAILED;
	case 'b':
	case 'B':
	case 'l':
		if (*value != '\0')
			return 0;
		complain("-%c: its value is empty", f->letter);
		return EXIT_FAILED;
	}
	return 0;
}

static int
ssh_take_flag(struct ssh_opts *o, const struct ssh_flag *f, const char *value)
{
	const char *text = f->text != NULL ? f->text : value;
	char name[3] = { '-', (char)f->letter, '\0' };
	int r;

	if (f->takes && (r = ssh_flag_value(f, value)) != 0)
		return r;
	switch (f->rule) {
	case FLAG_FIRST:
		return ssh_opts_first(o, f->name, text, name);
	case FLAG_LAST:
		return ssh_opts_last(o, f->name, text, name);
	case FLAG_REFUSED:
		complain("-%c: %s", f->letter, f->text);
		return EXIT_FAILED;
	case FLAG_OWN:
		return ssh_opts_own(o, f, value);
	case FLAG_HARMLESS:
		break;
	}
	return 0;
}

static int
ssh_bad_flag(int opt, const char *word)
{
	if (opt == ':')
		complain("option requires an argument -- %c", optopt);
	else if (strncmp(word, "--", 2) == 0)
		complain("unknown option %s: ssh has none with two dashes",
		    word);
	else
		complain("unknown option -- %c", optopt);
	ssh_opts_usage();
	return EXIT_FAILED;
}

int
ssh_opts_flags(struct ssh_opts *o, int argc, char **argv, bool *dashes)
{
	char letters[SSH_LETTERS_MAX];
	const struct ssh_flag *f;
	int opt, r = 0, before, word;

	ssh_flag_letters(letters);
	opterr = 0;
	before = word = optind;
	while (r == 0 && (opt = getopt(argc, argv, letters)) != -1) {
		f = opt == '?' || opt == ':' ? NULL : ssh_flag_find(opt);
		r = f != NULL ? ssh_take_flag(o, f, optarg) :
				ssh_bad_flag(opt, argv[word]);
		word = optind;
	}
	*dashes = optind > before && strcmp(argv[optind - 1], "--") == 0;
	return r;
}
