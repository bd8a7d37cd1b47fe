/* SPDX-License-Identifier: ISC */
/*
 * Commands of the client, whole, against a host that says what the input has
 * it say: our own stream, the original's over HTTP, its calls, and a shell;
 * and what the local host tells of its whitelist and of dmsg.
 */
#include "client/commands.h"
#include "client/exec.h"
#include "client/shell_rpc.h"
#include "client/sink.h"
#include "regress/fuzz/host.h"

#include "common/pty/exec_stream.h"

#define INPUT_MAX 800
#define BIG	  65536

int __wrap_unix_connect(const char *, int);

static const uint8_t big[BIG];
static struct keyctx *ctx;
static struct rpc_host *rpc;
static int output; /* what the command says, read here */

/* --- what a host says --- */

static void
say(const void *p, size_t n)
{
	if (buf_room(&host.out) >= n)
		require(buf_put(&host.out, p, n) == 0);
}

static void
say_input(uint8_t how)
{
	size_t n = how < host.left ? how : host.left;

	say(host.input, n);
	host.input += n;
	host.left -= n;
}

static void
say_frame(uint8_t what, uint8_t how)
{
	struct buf b;
	int r = 0;

	buf_init(&b, HOST_ROOM);
	switch (what % 8) {
	case 0:
		r = xs_put_frame(&b, XS_STARTED, NULL, 0);
		break;
	case 1:
		r = xs_put_frame(&b, XS_STDOUT, big, how * 250U);
		break;
	case 2:
		r = xs_put_frame(&b, XS_STDERR, big, how * 3U);
		break;
	case 3:
		r = xs_put_frame(&b, XS_WINDOW_ADD, &how, how % 2 ? 1 : 0);
		break;
	case 4:
		r = xs_put_frame(&b, XS_FAILED, "\033[31mno", how % 9);
		break;
	case 5: {
		uint8_t body[13] = { how % 4, 0, 0, how & 4, how };

		r = xs_put_frame(&b, XS_EXIT, body, how < 240 ? 13 : how % 13);
		break;
	}
	case 6:
		r = xs_put_frame(&b, XS_KEEPALIVE, NULL, 0);
		break;
	default:
		r = xs_put_frame(&b, (enum xs_tag)(how % 24), big, how);
	}
	require(r == 0);
	/* Over HTTP in a chunk. */
	if (what & 8) {
		char line[16];

		say(line,
		    (size_t)snprintf(line, sizeof(line), "%zx\r\n",
			buf_len(&b)));
	}
	say(buf_ptr(&b), buf_len(&b));
	if (what & 8)
		say("\r\n", 2);
	buf_free(&b);
}

static void
say_words(uint8_t which)
{
	static const char *const words[] = {
		"HTTP/1.1 200 OK\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n",
		"HTTP/1.1 404 \033[31mNo\r\n",
		"HTTP/1.1 400 Bad\r\n",
		"Content-Type: " XS_MEDIA_TYPE "\r\n",
		"Content-Type: text/plain\r\n",
		"Transfer-Encoding: chunked\r\n",
		"Content-Length: 8\r\n",
		"Trailer: " XS_TRAILER_EXIT "\r\n",
		"\r\n",
		"0\r\n",
		XS_TRAILER_EXIT ": 3\r\n",
		XS_TRAILER_EXIT ": -1\r\n",
		XS_TRAILER_TIMEDOUT ": true\r\n",
		XS_TRAILER_ERROR ": \033]0;x\007 no\r\n",
		XS_TRAILER_DURATION ": 99\r\n",
		"8\r\nabcdefg\n\r\n",
	};
	const char *s = words[which % (sizeof(words) / sizeof(words[0]))];

	say(s, strlen(s));
}

static void
say_reply(uint8_t method, uint8_t how)
{
	enum rpc_method m = method % RPC_METHODS;
	union rpc_value v;
	struct buf b;

	memset(&v, 0, sizeof(v));
	buf_init(&b, HOST_ROOM);
	if (m == RPC_PTY_READ)
		buf_view(&v.bytes, big, how * 8U);
	else if (m == RPC_PTY_WRITE)
		v.number = (int8_t)how;
	else if (m == RPC_PTY_EXEC) {
		buf_view(&v.result.out, big, how * 250U);
		buf_view(&v.result.err, "e\033", how % 3);
		v.result.exit_code = (int8_t)how;
		v.result.timed_out = how % 5 == 4;
		v.result.out_cut = how & 8;
	} else if (m == RPC_WL_LIST) {
		buf_init(&v.keys.raw, BIG);
		for (int i = 0; i < how % 4; i++)
			require(gob_list_add(&v.keys, big + i,
				    how & 4 ? KEY_PUBLIC_LEN : how) == 0);
	} else if (m == RPC_PTY_STARTSESSION || m == RPC_PTY_ATTACH)
		m = RPC_PTY_PING;
	if (how < 224)
		(void)rpc_host_reply(rpc, &b, m, how / 8 % 8, &v);
	else
		(void)rpc_host_error(rpc, &b, m, how % 8,
		    how & 8 ? "EOF" : "rpc: \033[2Jno");
	if (m == RPC_WL_LIST)
		buf_free(&v.keys.raw);
	say(buf_ptr(&b), buf_len(&b));
	buf_free(&b);
}

static void
say_status(uint8_t which)
{
	static const char *const words[] = {
		"{\"port\":22,\"sessions\":[",
		"{\"address\":\"127.0.0.1:8080\",\"pk\":\"02ab\",",
		"\"rtt_ms\":12,\"up\":true,\"streams\":3},",
		"\"proven_age_s\":-1}",
		"],\"servers\":2,\"streams\":9,\"entry_age_s\":7,",
		"\"last_error\":\"\\u001b[2J no\"}",
		"]}",
		"\"\033]0;x\007\":",
	};

	say(words[which % 8], strlen(words[which % 8]));
}

/* Who reads it may be slow. */
static void
read_output(void)
{
	static char bytes[BIG];

	while (read(output, bytes, sizeof(bytes)) > 0)
		;
}

static void
take_turn(void)
{
	uint8_t what = next(), how = next();

	buf_reset(&host.in);
	if (how % 4 != 3)
		read_output();
	switch (what % 11) {
	case 0:
		say_input(how);
		break;
	case 1:
	case 2:
	case 3:
		say_frame(next(), how);
		break;
	case 4:
	case 5:
		say_words(how);
		break;
	case 6:
	case 7:
		say_reply(next(), how);
		break;
	case 8:
		say(big, how * 64U);
		break;
	case 9:
		say_status(how);
		break;
	default:
		if (how % 8 == 7)
			host_gone();
	}
}

/* --- commands --- */

int
__wrap_unix_connect(const char *path, int flags)
{
	(void)path, (void)flags;
	return host_connect();
}

static void
run_job(uint8_t which, char *control)
{
	static char job[] = "job", list[] = "list", json[] = "--json";
	static char log[] = "log", wait[] = "wait", follow[] = "-f";
	static char dashes[] = "--", id[] = "0123", forget[] = "forget";
	char *asked[] = { list, log, wait, forget };
	char *argv[] = { job, asked[which], control,
		which == 0     ? json :
		    which == 1 ? follow :
				 control,
		which == 0 ? NULL : dashes, id, NULL };

	(void)job_main(which == 0 ? 4 : 6, argv);
}

/* What is printed is read by nobody, but for terminals nothing is in it. */
static void
run_local(uint8_t which)
{
	static char pk[] = "0279be667ef9dcbbac55a06295ce870b07"
			   "029bfcdb2dce28d959f2815b16f81798";
	static char control[] = "--cliaddr=sock", json[] = "--json";
	static char add[] = "whitelist-add", list[] = "whitelist";
	static char rm[] = "whitelist-remove", dmsg[] = "dmsg";
	static char status[] = "status";
	char *said = NULL;
	size_t n = 0;
	FILE *saved = stdout;

	require((stdout = open_memstream(&said, &n)) != NULL);
	optind = 1;
	if (which & 32) {
		run_job(which % 4, control);
	} else if (which % 4 == 0) {
		char *argv[] = { dmsg, status, control, which & 8 ? json : NULL,
			NULL };

		(void)dmsg_main(which & 8 ? 4 : 3, argv);
	} else {
		char *word = which % 4 == 1 ? list : which % 4 == 2 ? add : rm;
		char *argv[] = { word, control, word == list ? NULL : pk,
			NULL };

		(void)whitelist_main(word == list ? 2 : 3, argv);
	}
	fclose(stdout);
	stdout = saved;
	for (size_t i = 0; i < n; i++)
		require(((uint8_t)said[i] >= ' ' && said[i] != 0x7f) ||
		    said[i] == '\n');
	if (getenv("FUZZ_TELL") != NULL)
		fputs(said, stderr);
	free(said);
}

static void
run(uint8_t which)
{
	static char name[] = "ls", arg[] = "-l";
	char *command[] = { name, arg, NULL };
	struct client_options o;
	struct buf in;
	int status;

	if (which & 64) {
		run_local(which);
		return;
	}
	options_init(&o);
	o.dest.kind = DEST_DMSG;
	o.command = command;
	o.timeout_ms = which & 8 ? 1000 : 0;
	o.verbose = which & 16;
	o.no_stdin = true;
	buf_view(&in, "input", which & 32 ? 5 : 0);
	switch (which % 4) {
	case 0:
		(void)exec_frames_run(ctx, &o, &status);
		break;
	case 1:
		(void)exec_http_run(ctx, &o, &in, &status);
		break;
	case 2:
		(void)exec_rpc_run(ctx, &o, &in);
		break;
	default:
		(void)shell_rpc_run(ctx, &o);
	}
}

/* What would go to standard output and error comes by a pipe. */
static void
catch_output(void)
{
	int p[2], saved = dup(STDERR_FILENO), nowhere;

	require(pipe2(p, O_NONBLOCK | O_CLOEXEC) == 0);
	require((nowhere = open("/dev/null", O_RDWR | O_CLOEXEC)) != -1);
	require(dup2(nowhere, STDIN_FILENO) != -1);
	require(dup2(p[1], STDOUT_FILENO) != -1);
	require(dup2(p[1], STDERR_FILENO) != -1);
	sink_prepare();
	/* What is written at once, as pty.Exec's result, is not read. */
	require(dup2(nowhere, STDOUT_FILENO) != -1);
	require(dup2(saved, STDERR_FILENO) != -1);
	close(saved);
	output = p[0];
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	signal(SIGPIPE, SIG_IGN);
	catch_output();
	require((ctx = keyctx_new()) != NULL);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n == 0 || n > INPUT_MAX)
		return 0;
	host_begin(data + 1, n - 1);
	host.turn = take_turn;
	host.rest = read_output;
	require((rpc = rpc_host_new(RPC_SERVICE_PTY | RPC_SERVICE_WHITELIST)) !=
	    NULL);
	run(*data);
	rpc_host_free(rpc);
	host_end();
	return 0;
}
