/* SPDX-License-Identifier: ISC */
/* skypty job: commands that outlive their connection.  See PROTOCOL. */
#include "client/job.h"
#include "client/commands.h"
#include "client/complain.h"
#include "client/conn.h"
#include "client/exec.h"
#include "client/exits.h"
#include "client/frames.h"
#include "client/options.h"
#include "client/patience.h"
#include "client/sink.h"
#include "client/wishes.h"

#include <ctype.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/hex.h"
#include "common/base/json.h"
#include "common/base/visible.h"
#include "common/pty/jobmsg.h"

#define SHOWN_ID     12 /* digits of an id in a list */
#define SHOWN_STATUS 48
#define SHOWN_TIME   32
#define INPUT_PIECE  JOB_OUTPUT_MAX

struct job_call {
	const struct client_options *o;
	struct conn conn;
	struct sink sink;
	bool over;
	int status;
	/* What it does with an entry, and with the end of a job. */
	int (*entry)(struct job_call *, const struct job_entry *);
	bool waits; /* how the job has ended is our own status */
	bool any;   /* entries, of a list */
};

/* --- frames --- */

static int
job_put_attach(struct job_call *j, const char *id, uint8_t flags)
{
	struct job_attach a = { .flags = flags };
	struct buf b;
	int r;

	(void)strlcpy(a.id, id, sizeof(a.id));
	buf_init(&b, JOB_ASK_MAX);
	if ((r = jobmsg_put_attach(&b, &a)) == 0)
		r = frames_put(&j->conn, JOB_ATTACH, buf_ptr(&b), buf_len(&b));
	buf_free(&b);
	return r;
}

static int
job_take_exit(struct job_call *j, struct buf *b)
{
	struct xs_exit e;
	int r;

	if ((r = xs_get_exit(b, &e)) != 0)
		return conn_bad(&j->conn, r);
	j->over = true;
	if (j->waits)
		j->status =
		    exec_ended(j->o, e.how, e.status, (int64_t)e.duration_ms);
	return 0;
}

static int
job_take_frame(void *arg, uint8_t tag, struct buf *b)
{
	struct job_call *j = arg;
	struct job_entry e;
	uint64_t n;
	int r;

	switch (tag) {
	case XS_KEEPALIVE:
		return 0;
	case JOB_ENTRY:
		if ((r = jobmsg_get_entry(b, &e)) != 0)
			return conn_bad(&j->conn, r);
		return j->entry != NULL ? j->entry(j, &e) : 0;
	case JOB_GAP:
		if (buf_get_u64(b, &n) != 0)
			return conn_bad(&j->conn, SKY_ERR_FORMAT);
		complain("%" PRIu64 " bytes of its output are not kept", n);
		return 0;
	case XS_EXIT:
		return job_take_exit(j, b);
	case JOB_DONE:
		j->over = true;
		return 0;
	case XS_FAILED:
		complain("%s", complain_printable(b));
		j->over = true;
		j->status = j->any ? EXIT_FAILED : exec_not_started(b);
		return 0;
	}
	complain("protocol error: unknown frame tag %u", tag);
	return EXIT_FAILED;
}

/* Until all is said.  An exit status, told. */
static int
job_talk(struct job_call *j)
{
	struct conn *c = &j->conn;
	int r;

	while (!j->over) {
		struct pollfd p[2] = { { .fd = c->fd,
					   .events = conn_events(c) },
			sink_poll(&j->sink) };

		if ((r = conn_wait(c, p, 2, 1000, NULL)) != 0 ||
		    (r = conn_pump(c, p[0].revents)) != 0 ||
		    (c->accepted &&
			(r = frames_take(c, &j->sink, &j->over, job_take_frame,
			     j)) != 0) ||
		    (r = conn_check_silence(c, QUIET_MS)) != 0 ||
		    (c->accepted && (r = conn_keep(c)) != 0))
			return r;
		if (!j->over && c->eof && j->sink.blocked == NULL)
			return conn_ended(c);
		if (!j->over && (r = conn_flush(c)) != 0)
			return r;
	}
	return j->status;
}

static int
job_open(struct job_call *j, struct keyctx *ctx, const struct client_options *o)
{
	char uri[MUX_URI_MAX + 1];

	memset(j, 0, sizeof(*j));
	j->o = o;
	conn_init(&j->conn);
	sink_init(&j->sink);
	if (wishes_uri(uri, MUX_URI_JOB, o, false) != 0)
		return EXIT_FAILED;
	return conn_open(&j->conn, ctx, o, uri);
}

/* --- run --- */

static int
job_begun(struct job_call *j, const struct job_entry *e)
{
	char id[JOB_ID_HEX];

	if (j->any)
		return 0;
	j->any = true;
	hex_encode(e->id, JOB_ID_LEN, id);
	if (j->o->follow) {
		if (!j->o->quiet)
			complain("job %s", id);
		return job_put_attach(j, id, JOB_OUTPUT | JOB_FOLLOW);
	}
	printf("%s\n", id);
	j->over = true;
	if (j->o->ended != NULL)
		j->o->ended(j->o->watch_arg, XS_EXITED, 0);
	return fflush(stdout) == 0 ? 0 : EXIT_LOCAL;
}

/* All of it before the job begins: nobody will be there to give it more. */
static int
job_put_input(struct job_call *j)
{
	static uint8_t piece[INPUT_PIECE];
	size_t all = 0;
	ssize_t n;
	int r;

	while ((n = read(STDIN_FILENO, piece, sizeof(piece))) > 0) {
		if ((all += (size_t)n) > JOB_INPUT_MAX) {
			complain("a job takes at most 1 MiB of standard input; "
				 "copy it into a file there first ('skypty "
				 "cp')");
			return EXIT_USAGE;
		}
		if ((r = frames_put(&j->conn, XS_STDIN, piece, (size_t)n)) != 0)
			return r;
	}
	if (n == -1) {
		complain("standard input: %s", err_text(SKY_ERR_SYS));
		return EXIT_LOCAL;
	}
	return frames_put(&j->conn, XS_STDIN_END, NULL, 0);
}

static int
job_put_start(struct job_call *j)
{
	const struct rpc_winsize none = { 0 };
	uint8_t flags =
	    exec_has_input(j->o) && !isatty(STDIN_FILENO) ? XS_HAS_STDIN : 0;
	int r;

	if ((r = frames_put_start(&j->conn, j->o, flags, &none)) == 0 &&
	    flags != 0)
		r = job_put_input(j);
	return r;
}

int
job_run(struct keyctx *ctx, const struct client_options *o)
{
	struct job_call j;
	int r;

	if ((r = job_open(&j, ctx, o)) == 0 && o->leaving != NULL &&
	    (r = conn_await(&j.conn)) == 0)
		r = o->leaving(o->watch_arg);
	j.entry = job_begun;
	j.waits = o->follow;
	if (r == 0 && (r = job_put_start(&j)) == 0)
		r = job_talk(&j);
	conn_close(&j.conn);
	return r;
}

/* --- list --- */

static void
job_status_text(const struct job_entry *e, char text[SHOWN_STATUS])
{
	if (e->state == JOB_RUNS)
		(void)snprintf(text, SHOWN_STATUS, "running");
	else if (e->state == JOB_IS_LOST)
		(void)snprintf(text, SHOWN_STATUS, "lost");
	else if (e->how == XS_TIMEDOUT)
		(void)snprintf(text, SHOWN_STATUS, "time limit");
	else if (e->how == XS_SIGNALED)
		(void)snprintf(text, SHOWN_STATUS, "signal %s",
		    xs_signal_name((int)e->status));
	else
		(void)snprintf(text, SHOWN_STATUS, "exit %u", e->status);
}

static void
job_time_text(uint64_t when, char text[SHOWN_TIME])
{
	time_t t = (time_t)when;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL ||
	    strftime(text, SHOWN_TIME, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		(void)snprintf(text, SHOWN_TIME, "?");
}

static void
job_print(const struct job_entry *e)
{
	char command[VISIBLE_GROWTH * JOB_COMMAND_MAX + 1], id[JOB_ID_HEX],
	    status[SHOWN_STATUS], begun[SHOWN_TIME];

	hex_encode(e->id, JOB_ID_LEN, id);
	job_status_text(e, status);
	job_time_text(e->begun, begun);
	(void)visible_text(command, sizeof(command), buf_ptr(&e->command),
	    buf_len(&e->command), 0);
	printf("%.*s  %-12s  %s  %8" PRIu64 "  %s\n", SHOWN_ID, id, status,
	    begun, e->output, command);
}

/* What is no printable ASCII as an escape, so that it is JSON. */
static int
job_print_json(const struct job_entry *e)
{
	static const char *const states[] = { "running", "ended", "lost" };
	static const char *const hows[] = { "exited", "signaled", "timed out" };
	char command[VISIBLE_GROWTH * JOB_COMMAND_MAX + 1], id[JOB_ID_HEX],
	    key[KEY_PUBLIC_HEX];
	struct buf b;
	size_t n;
	int r;

	hex_encode(e->id, JOB_ID_LEN, id);
	hex_encode(e->pk.b, KEY_PUBLIC_LEN, key);
	n = visible_text(command, sizeof(command), buf_ptr(&e->command),
	    buf_len(&e->command), VISIBLE_SLASH);
	buf_init(&b, 2 * sizeof(command) + 16);
	if ((r = json_put_string(&b, command, n)) == 0) {
		printf("{\"id\":\"%s\",\"key\":\"%s\",\"state\":\"%s\"", id,
		    *key == '0' && e->pk.b[0] == 0 ? "" : key,
		    states[e->state]);
		if (e->state == JOB_ENDED)
			printf(",\"how\":\"%s\",\"status\":%u,"
			       "\"duration_ms\":%" PRIu64 ",\"ended\":%" PRIu64,
			    hows[e->how], e->status, e->duration_ms, e->ended);
		printf(",\"begun\":%" PRIu64 ",\"output\":%" PRIu64
		       ",\"kept\":%" PRIu64 ",\"pid\":%u,\"command\":%.*s}\n",
		    e->begun, e->output, e->kept, e->pid, (int)buf_len(&b),
		    (const char *)buf_ptr(&b));
	}
	buf_free(&b);
	return r;
}

static int
job_listed(struct job_call *j, const struct job_entry *e)
{
	if (j->o->json)
		return job_print_json(e);
	if (!j->any)
		printf("%-*s  %-12s  %-19s  %8s  %s\n", SHOWN_ID, "ID",
		    "STATUS", "BEGUN", "OUTPUT", "COMMAND");
	j->any = true;
	job_print(e);
	return 0;
}

/* --- the commands --- */

static int
job_ask_list(struct job_call *j, const char *id)
{
	(void)id;
	j->entry = job_listed;
	return frames_put(&j->conn, JOB_LIST, NULL, 0);
}

static int
job_ask_log(struct job_call *j, const char *id)
{
	return job_put_attach(j, id,
	    JOB_OUTPUT | (j->o->follow ? JOB_FOLLOW : 0));
}

static int
job_ask_wait(struct job_call *j, const char *id)
{
	j->waits = true;
	return job_put_attach(j, id, JOB_FOLLOW);
}

static int
job_ask_kill(struct job_call *j, const char *id)
{
	const char *signal = j->o->signal != NULL ? j->o->signal : "TERM";
	struct buf b, name;
	int r;

	if (strncmp(signal, "SIG", 3) == 0)
		signal += 3;
	buf_view(&name, signal, strlen(signal));
	if (xs_signal(&name) == 0) {
		complain("--signal %s: there are HUP, INT, QUIT, TERM, KILL, "
			 "USR1, USR2 and CONT",
		    signal);
		return EXIT_USAGE;
	}
	buf_init(&b, JOB_ASK_MAX);
	if ((r = jobmsg_put_kill(&b, id, signal)) == 0)
		r = frames_put(&j->conn, JOB_KILL, buf_ptr(&b), buf_len(&b));
	buf_free(&b);
	return r;
}

static int
job_ask_forget(struct job_call *j, const char *id)
{
	struct buf b;
	int r;

	buf_init(&b, JOB_ASK_MAX);
	if ((r = buf_put_cstring(&b, id)) == 0)
		r = frames_put(&j->conn, JOB_FORGET, buf_ptr(&b), buf_len(&b));
	buf_free(&b);
	return r;
}

static const struct job_command {
	const char *name;
	enum { TAKES_COMMAND, TAKES_NOTHING, TAKES_ID } takes;
	int (*ask)(struct job_call *, const char *id);
} job_commands[] = {
	{ "run", TAKES_COMMAND, NULL },
	{ "list", TAKES_NOTHING, job_ask_list },
	{ "log", TAKES_ID, job_ask_log },
	{ "wait", TAKES_ID, job_ask_wait },
	{ "kill", TAKES_ID, job_ask_kill },
	{ "forget", TAKES_ID, job_ask_forget },
};

static const struct job_command *
job_find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(job_commands) / sizeof(job_commands[0]);
	     i++)
		if (strcmp(job_commands[i].name, name) == 0)
			return &job_commands[i];
	return NULL;
}

/* In lower case.  0, or EXIT_USAGE, told. */
static int
job_read_id(const char *word, char id[JOB_ID_HEX])
{
	size_t n = strlen(word);

	for (size_t i = 0; n < JOB_ID_HEX && i <= n; i++)
		id[i] = (char)tolower((unsigned char)word[i]);
	if (n < JOB_ID_HEX && jobmsg_is_id(id))
		return 0;
	complain("'%s' is no job's id: write its first digits, at least %d; "
		 "'skypty job list' lists them",
	    word, JOB_PREFIX_MIN);
	return EXIT_USAGE;
}

static int
job_ask(const struct job_command *cmd, struct keyctx *ctx,
    const struct client_options *o, const char *id)
{
	struct job_call j;
	int r;

	if ((r = job_open(&j, ctx, o)) == 0 && (r = cmd->ask(&j, id)) == 0)
		r = job_talk(&j);
	conn_close(&j.conn);
	return r;
}

static int
job_serve(const struct job_command *cmd, struct keyctx *ctx,
    struct client_options *o)
{
	char id[JOB_ID_HEX] = "";
	char **word = o->command;
	int r;

	if (!o->timeout_given)
		o->timeout_ms = 0;
	if (cmd->takes == TAKES_COMMAND && *word == NULL) {
		complain("what is to be run? skypty job run [flags] "
			 "<destination> -- command [arguments]");
		return EXIT_USAGE;
	}
	if (cmd->takes == TAKES_COMMAND)
		return job_run(ctx, o);
	if (cmd->takes == TAKES_ID && *word == NULL) {
		complain("which job? skypty job %s [flags] <destination> <id>",
		    cmd->name);
		return EXIT_USAGE;
	}
	if ((cmd->takes == TAKES_ID ? word[1] : word[0]) != NULL) {
		complain("job %s: '%s' is one word too many", cmd->name,
		    cmd->takes == TAKES_ID ? word[1] : word[0]);
		return EXIT_USAGE;
	}
	if (cmd->takes == TAKES_ID && (r = job_read_id(*word, id)) != 0)
		return r;
	return job_ask(cmd, ctx, o, id);
}

int
job_main(int argc, char **argv)
{
	const struct job_command *cmd;
	struct client_options o;
	struct keyctx *ctx;
	int r;

	if (argc < 2 || (cmd = job_find_verb(argv[1])) == NULL) {
		complain("%s%s%sthere are run, list, log, wait, kill and "
			 "forget; 'skypty help job'",
		    argc < 2 ? "" : "unknown command 'job ",
		    argc < 2 ? "job: " : argv[1], argc < 2 ? "" : "': ");
		return EXIT_USAGE;
	}
	if ((ctx = keyctx_new()) == NULL)
		return EXIT_FAILED;
	if ((r = options_parse(&o, ctx, STYLE_JOB, "job", argc - 1,
		 argv + 1)) == 0)
		r = job_serve(cmd, ctx, &o);
	hosts_free(&o.alias);
	offer_free(&o.agents);
	keyctx_free(ctx);
	return r;
}
