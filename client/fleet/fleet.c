/* SPDX-License-Identifier: ISC */
/*
 * skypty fleet: a command, a script or a copy on many hosts, with a journal
 * from which a run that was cut off goes on.
 */
#include "client/fleet/fleet.h"
#include "client/commands.h"
#include "client/complain.h"
#include "client/exits.h"
#include "client/flags.h"
#include "client/hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/hex.h"
#include "common/base/visible.h"

#define FDS_EACH  3 /* of a host that has its turn */
#define FDS_OTHER 64
#define SHOWN	  10 /* names of hosts in a question */
#define SUM_HEX	  (2 * crypto_hash_sha256_BYTES + 1)

/* The words of the command line, apart. */
struct fleet_words {
	char **host, **flag;
	size_t nhost, nflag;
	char **command; /* NULL-terminated */
	bool dashes;
};

/* --- the command line --- */

static int
fleet_misused(const char *why)
{
	complain("fleet: %s; 'skypty help fleet' lists its flags", why);
	return EXIT_USAGE;
}

static void
fleet_free_words(struct fleet_words *w)
{
	free(w->host);
	free(w->flag);
}

/* Flags and hosts in any order, up to "--". */
static int
fleet_parse(struct client_options *o, struct fleet_words *w, int argc,
    char **argv)
{
	int before, r;

	*w = (struct fleet_words){ .nhost = 0 };
	w->host = calloc((size_t)argc + 1, sizeof(*w->host));
	w->flag = calloc((size_t)argc + 1, sizeof(*w->flag));
	if (w->host == NULL || w->flag == NULL)
		return EXIT_FAILED;
	o->fleet.argv = argv;
	o->fleet.argc = argc;
	for (;;) {
		before = optind;
		r = flags_take(o, STYLE_FLEET, "fleet", argc, argv, &w->dashes);
		if (r != 0)
			return r;
		for (int i = before; i < optind - w->dashes; i++)
			w->flag[w->nflag++] = argv[i];
		if (w->dashes || optind >= argc)
			break;
		w->host[w->nhost++] = argv[optind++];
		/* Words behind a host may be flags, or the dashes. */
		if (optind < argc && strcmp(argv[optind], "--") == 0) {
			w->dashes = true;
			optind++;
			break;
		}
	}
	w->command = argv + optind;
	return 0;
}

static int
fleet_check_flags(const struct client_options *o, const struct fleet_words *w)
{
	const struct fleet_flags *f = &o->fleet;
	int acts = (f->script != NULL) + (f->source != NULL);

	if (w->nhost == 0)
		return fleet_misused("hosts are needed: names, patterns, "
				     "destinations, @file or - for standard "
				     "input");
	if (acts == 2)
		return fleet_misused("a script or a copy, not both in one run");
	if (acts == 0 && *w->command == NULL)
		return fleet_misused("a command is needed behind --, or "
				     "--script, --put or --get");
	if (f->source != NULL && *w->command != NULL)
		return fleet_misused("a copy has no command behind it");
	if (o->fleet.detach && o->fleet.source != NULL)
		return fleet_misused(
		    "a copy is no job: --detach is for commands");
	if (o->json && f->live)
		return fleet_misused("--json and --live both want standard "
				     "output");
	return 0;
}

/* --- scripts --- */

/* The first line of a script says which shell; others than shells read their
 * standard input in ways of their own. */
static int
fleet_read_shell(const char *path, const char *line, char **shell)
{
	static const char *const shells[] = { "sh", "bash", "dash", "ksh",
		"mksh", "zsh", "busybox" };
	char word[128];
	const char *last;

	if (strncmp(line, "#!", 2) != 0) {
		*shell = strdup("sh");
		return *shell != NULL ? 0 : EXIT_FAILED;
	}
	line += 2 + strspn(line + 2, " \t");
	if (strncmp(line, "/usr/bin/env ", 13) == 0)
		line += 13 + strspn(line + 13, " \t");
	strlcpy(word, line, sizeof(word));
	word[strcspn(word, " \t\r\n")] = '\0';
	last = strrchr(word, '/') != NULL ? strrchr(word, '/') + 1 : word;
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (strcmp(last, shells[i]) == 0) {
			*shell = strdup(word);
			return *shell != NULL ? 0 : EXIT_FAILED;
		}
	complain("%s: '%s' is no shell that takes a script as its standard "
		 "input; copy it there with --put, and run it",
	    path, word);
	return EXIT_USAGE;
}

static int
fleet_script_sum(FILE *in, const char *path, char hex[SUM_HEX], char first[256])
{
	uint8_t chunk[8192], hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state st;
	size_t n;

	crypto_hash_sha256_init(&st);
	*first = '\0';
	while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0) {
		if (*first == '\0') {
			memcpy(first, chunk, n < 255 ? n : 255);
			first[n < 255 ? n : 255] = '\0';
		}
		crypto_hash_sha256_update(&st, chunk, n);
	}
	if (ferror(in)) {
		complain("%s: %s", path, strerror(errno));
		return EXIT_USAGE;
	}
	crypto_hash_sha256_final(&st, hash);
	hex_encode(hash, sizeof(hash), hex);
	return 0;
}

/* "sh -s -- arguments", and the script as its input. */
static int
fleet_take_script(struct fleet *f, char hex[SUM_HEX])
{
	static char dash_s[] = "-s", dashes[] = "--";
	const char *path = f->o->fleet.script;
	char first[256];
	size_t n = 0;
	FILE *in;
	int r;

	if ((in = fopen(path, "re")) == NULL ||
	    fstat(fileno(in), &f->script) == -1) {
		complain("%s: %s", path, strerror(errno));
		return EXIT_USAGE;
	}
	if (!S_ISREG(f->script.st_mode)) {
		complain("%s: is no regular file", path);
		fclose(in);
		return EXIT_USAGE;
	}
	r = fleet_script_sum(in, path, hex, first);
	fclose(in);
	while (f->command[n] != NULL)
		n++;
	f->shell = calloc(n + 4, sizeof(*f->shell));
	if (r != 0 || f->shell == NULL)
		return r != 0 ? r : EXIT_FAILED;
	if ((r = fleet_read_shell(path, first, &f->shell[0])) != 0)
		return r;
	f->shell[1] = dash_s;
	f->shell[2] = dashes;
	memcpy(f->shell + 3, f->command, n * sizeof(*f->shell));
	return 0;
}

/* --- what is needed here --- */

static int
fleet_raise_limit(const struct fleet *f)
{
	rlim_t need = FDS_EACH * (rlim_t)f->o->fleet.jobs + FDS_OTHER;
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == -1 || l.rlim_cur >= need)
		return 0;
	l.rlim_cur = l.rlim_max < need ? l.rlim_max : need;
	if (setrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur >= need)
		return 0;
	complain("--jobs %u: there are descriptors for %llu here (ulimit -n)",
	    f->o->fleet.jobs,
	    l.rlim_cur > FDS_OTHER ?
		(unsigned long long)(l.rlim_cur - FDS_OTHER) / FDS_EACH :
		0);
	return EXIT_USAGE;
}

static int
fleet_open_folder(struct fleet *f)
{
	const char *path = f->o->fleet.output;

	f->folder = -1;
	if (path == NULL)
		return 0;
	if (mkdir(path, 0777) == -1 && errno != EEXIST) {
		complain("--output %s: %s", path, strerror(errno));
		return EXIT_USAGE;
	}
	f->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->folder != -1)
		return 0;
	complain("--output %s: %s", path, strerror(errno));
	return EXIT_USAGE;
}

static int
fleet_prepare(struct fleet *f)
{
	const struct fleet_flags *flags = &f->o->fleet;
	int r;

	if (flags->get && mkdir(flags->target, 0777) == -1 && errno != EEXIST) {
		complain("%s: %s", flags->target, strerror(errno));
		return EXIT_USAGE;
	}
	if ((r = fleet_raise_limit(f)) != 0 || (r = fleet_open_folder(f)) != 0)
		return r;
	f->terminal = isatty(STDERR_FILENO) == 1 && !f->o->quiet;
	/* A rollout that goes on whatever happens needs no batches. */
	f->has_max_fail =
	    flags->max_fail_given || flags->nstep != 0 || flags->canary != 0;
	f->max_fail = flags->max_fail_given ?
	    fleet_plan_share_down(&flags->max_fail, f->hosts.n) :
	    0;
	f->pid = getpid();
	return 0;
}

/* --- a new run --- */

static void
fleet_print_words(char *const *words)
{
	for (; *words != NULL; words++)
		visible_line(stdout, "  %s", *words);
}

static void
fleet_print_plan(const struct fleet *f)
{
	const struct fleet_flags *flags = &f->o->fleet;
	size_t i = 0;

	if (flags->source != NULL)
		visible_line(stdout, "%s %s to %s",
		    flags->put ? "copy here" : "copy there", flags->source,
		    flags->target);
	else if (flags->script != NULL)
		visible_line(stdout, "script %s, by:", flags->script);
	else
		puts("command:");
	if (flags->source == NULL)
		fleet_print_words(f->shell != NULL ? f->shell : f->command);
	printf("%zu hosts, %u at once", f->hosts.n, flags->jobs);
	if (flags->order == ORDER_RANDOM)
		printf(", in the order of --seed %llu",
		    (unsigned long long)flags->seed);
	putchar('\n');
	for (size_t b = 0; b < f->plan.nbatch; b++) {
		printf("batch %zu of %zu:\n", b + 1, f->plan.nbatch);
		for (; i < f->plan.end[b]; i++)
			visible_line(stdout, "  %s", f->hosts.host[i].dest);
	}
}

/* All that a run needs to go on later. */
static int
fleet_write_plan(struct fleet *f, const struct fleet_words *w, const char *sum)
{
	struct fleet_journal *j = &f->journal;
	char *folder = getcwd(NULL, 0);
	int r = 0;

	if (folder != NULL)
		r |= fleet_journal_add(j, folder, "folder");
	free(folder);
	for (size_t i = 0; i < w->nflag; i++)
		r |= fleet_journal_add(j, w->flag[i], "word");
	for (char **c = f->command; *c != NULL; c++)
		r |= fleet_journal_add(j, *c, "command");
	if (sum != NULL)
		r |= fleet_journal_add(j, sum, "sum");
	for (size_t i = 0; i < f->hosts.n; i++)
		r |= fleet_journal_add_host(j, &f->hosts.host[i]);
	for (size_t i = 0; i < f->plan.nbatch; i++)
		r |= fleet_journal_add(j, NULL, "batch %zu", f->plan.end[i]);
	r |= fleet_journal_add(j, NULL, "planned %zu", f->hosts.n);
	if (r != 0) {
		complain("out of memory");
		return EXIT_FAILED;
	}
	return fleet_journal_sync(j);
}

static int
fleet_finish(struct fleet *f)
{
	int status;

	if (!f->o->quiet)
		fleet_say(f, "run %s", f->journal.id);
	status = fleet_run(f);
	if (f->o->json)
		fleet_report_json(f, status);
	else
		fleet_output_tell(f);
	fflush(stdout);
	if (f->o->fleet.junit != NULL && fleet_report_junit(f) != 0 &&
	    status == 0)
		status = EXIT_LOCAL;
	if (f->stopped != NULL && status == FLEET_STOPPED)
		fleet_say(f, "stopped: %s", f->stopped);
	if (!f->o->quiet)
		fleet_table(f);
	if (status == FLEET_STOPPED)
		fleet_say(f, "'skypty fleet --resume %s' goes on",
		    f->journal.id);
	return status;
}

static int
fleet_new(struct fleet *f, struct fleet_words *w)
{
	struct fleet_flags *flags = &f->o->fleet;
	char sum[SUM_HEX];
	int r;

	if ((r = fleet_check_flags(f->o, w)) != 0)
		return r;
	f->command = w->command;
	if (flags->script != NULL && (r = fleet_take_script(f, sum)) != 0)
		return r;
	if ((r = fleet_hosts_find(&f->hosts, f->ctx, f->o, w->host,
		 w->nhost)) != 0)
		return r;
	if (f->hosts.n == 0)
		return fleet_misused("no host is left by --tag and --exclude");
	if (!flags->seed_given)
		flags->seed = randombytes_random();
	fleet_plan_order(&f->hosts, flags);
	if ((r = fleet_plan_batches(&f->plan, f->hosts.n, flags)) != 0)
		return r;
	if (flags->dry_run) {
		fleet_print_plan(f);
		return 0;
	}
	if ((r = fleet_prepare(f)) != 0 ||
	    (r = fleet_journal_new(&f->journal)) != 0 ||
	    (r = fleet_write_plan(f, w, flags->script != NULL ? sum : NULL)) !=
		0)
		return r;
	return fleet_finish(f);
}

/* --- an earlier run --- */

static bool
fleet_ask(size_t n)
{
	char answer[16];
	FILE *tty = fopen("/dev/tty", "r+e");
	bool yes;

	if (tty == NULL || !isatty(STDIN_FILENO)) {
		if (tty != NULL)
			fclose(tty);
		return false;
	}
	fprintf(tty, "Run the command there again? %zu host%s [y/N] ", n,
	    n == 1 ? "" : "s");
	fflush(tty);
	yes = fgets(answer, sizeof(answer), tty) != NULL &&
	    (answer[0] == 'y' || answer[0] == 'Y');
	fclose(tty);
	return yes;
}

/* The command may have run there, and nobody knows. */
static void
fleet_ask_about_lost(struct fleet *f)
{
	bool again = f->o->fleet.idempotent || f->o->fleet.source != NULL;
	size_t n = 0;

	for (size_t i = 0; i < f->hosts.n; i++)
		if (f->hosts.host[i].outcome == OUTCOME_LOST && ++n <= SHOWN &&
		    !again)
			complain("%s: the command began there, and its end is "
				 "not known",
			    f->hosts.host[i].label);
	if (n > SHOWN && !again)
		complain("so it is on %zu more", n - SHOWN);
	if (n != 0 && !again && !(again = fleet_ask(n)))
		complain("it is not run there again; --idempotent says that "
			 "this does no harm");
	for (size_t i = 0; again && i < f->hosts.n; i++)
		if (f->hosts.host[i].outcome == OUTCOME_LOST)
			f->hosts.host[i].outcome = OUTCOME_LEFT;
}

/* What was done stays so; what was not reached is tried again. */
static void
fleet_take_up(struct fleet *f)
{
	fleet_ask_about_lost(f);
	for (size_t i = 0; i < f->hosts.n; i++) {
		struct fleet_host *h = &f->hosts.host[i];

		if (h->outcome == OUTCOME_UNREACHED)
			h->outcome = OUTCOME_LEFT;
		if (h->outcome == OUTCOME_CHECK)
			h->outcome = OUTCOME_OK;
		if (h->outcome == OUTCOME_LEFT) {
			free(h->why);
			h->why = NULL;
		}
		h->attempts = 0;
		h->settled = h->outcome != OUTCOME_LEFT &&
		    (h->outcome != OUTCOME_OK || h->passed ||
			f->o->fleet.check == NULL);
		f->done += h->settled;
		f->failed += h->settled && fleet_host_failed(h);
	}
}

/* The flags of then, and then those of now. */
static int
fleet_flags_of_then(struct fleet *f, const struct fleet_record *rec, int argc,
    char **argv)
{
	struct fleet_words then, now = { .nhost = 0 };
	char **words = calloc(rec->nword + 2, sizeof(*words));
	int r;

	if (words == NULL)
		return EXIT_FAILED;
	f->words = words;
	words[0] = argv[0];
	memcpy(words + 1, rec->word, rec->nword * sizeof(*words));
	options_init(f->o);
	fleet_flags_init(f->o);
	optind = 0;
	r = fleet_parse(f->o, &then, (int)rec->nword + 1, words);
	f->o->fleet.resume = false;
	optind = 0;
	if (r == 0)
		r = fleet_parse(f->o, &now, argc, argv);
	fleet_free_words(&then);
	fleet_free_words(&now);
	return r;
}

static int
fleet_go_on(struct fleet *f, const struct fleet_words *w, int argc, char **argv)
{
	const char *id = f->o->fleet.id;
	struct fleet_record *rec = &f->record;
	char sum[SUM_HEX];
	int r;

	if (id == NULL && w->nhost == 1)
		id = w->host[0];
	if (w->nhost > (f->o->fleet.id == NULL ? 1 : 0) || *w->command != NULL)
		return fleet_misused("--resume has its hosts and its command "
				     "from the run that it goes on with");
	if ((r = fleet_journal_open(&f->journal, id, rec)) != 0)
		return r;
	if (!rec->planned) {
		complain("the run %s was cut off before anything began: start "
			 "it anew",
		    f->journal.id);
		return EXIT_USAGE;
	}
	if ((r = fleet_flags_of_then(f, rec, argc, argv)) != 0)
		return r;
	if (rec->folder != NULL && chdir(rec->folder) == -1) {
		complain("%s: %s", rec->folder, strerror(errno));
		return EXIT_FAILED;
	}
	f->command = rec->command != NULL ? rec->command : f->none;
	f->hosts = rec->hosts;
	f->plan = rec->plan;
	rec->hosts = (struct fleet_hosts){ .n = 0 };
	rec->plan.end = NULL;
	if (f->o->fleet.script != NULL) {
		if ((r = fleet_take_script(f, sum)) != 0)
			return r;
		if (rec->sum == NULL || strcmp(sum, rec->sum) != 0) {
			complain("%s is not the script that this run began "
				 "with: start a new run",
			    f->o->fleet.script);
			return EXIT_USAGE;
		}
	}
	if ((r = fleet_prepare(f)) != 0)
		return r;
	fleet_take_up(f);
	return fleet_finish(f);
}

/* --- skypty fleet --- */

static int
fleet_verb(struct fleet *f, struct fleet_words *w, int argc, char **argv)
{
	int r;

	if ((r = fleet_parse(f->o, w, argc, argv)) != 0)
		return r;
	if (!w->dashes && w->nhost >= 1 && w->nflag == 0) {
		if (strcmp(w->host[0], "list") == 0 && w->nhost == 1)
			return fleet_list();
		if (strcmp(w->host[0], "show") == 0 && w->nhost == 2)
			return fleet_show(w->host[1]);
		if (strcmp(w->host[0], "show") == 0)
			return fleet_misused("show needs the id of a run");
	}
	if ((f->ctx = keyctx_new()) == NULL)
		return EXIT_FAILED;
	r = f->o->fleet.resume ? fleet_go_on(f, w, argc, argv) :
				 fleet_new(f, w);
	fleet_output_free(f);
	fleet_journal_close(&f->journal);
	fleet_hosts_free(&f->hosts);
	free(f->plan.end);
	if (f->shell != NULL)
		free(f->shell[0]);
	free(f->shell);
	fleet_record_free(&f->record);
	free(f->words);
	keyctx_free(f->ctx);
	return r;
}

int
fleet_main(int argc, char **argv)
{
	struct client_options o;
	struct fleet f = { .o = &o, .folder = -1, .journal.fd = -1 };
	struct fleet_words w = { .nhost = 0 };
	int r;

	options_init(&o);
	fleet_flags_init(&o);
	r = fleet_verb(&f, &w, argc, argv);
	fleet_free_words(&w);
	return r;
}
