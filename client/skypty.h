/* SPDX-License-Identifier: ISC */
/* skypty, the client: its parts and what they share. */
#ifndef CLIENT_SKYPTY_H
#define CLIENT_SKYPTY_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "common/base/addr.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/reach.h"
#include "common/pty/exec_stream.h"
#include "common/pty/frame.h"
#include "common/pty/keys.h"
#include "common/pty/modes.h"
#include "common/pty/mux.h"
#include "common/pty/rpc.h"

#define EXIT_LOCAL   1 /* something here, not the connection */
#define EXIT_USAGE   64
#define EXIT_TIMEOUT 124
/* As shells have it, and env(1) and timeout(1). */
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND	    127
#define EXIT_FAILED	    255 /* connection or call, not the command */

#define DEFAULT_PORT  "2022"
#define DMSG_PORT     "22"
#define DEFAULT_RPC   "localhost:3435"
#define DEFAULT_SHELL "/bin/bash"
#define VISOR_CONF    "/opt/skywire/skywire.json"

/* --- skypty.c --- */

/* "skypty: ..." on standard error. */
void complain(const char *, ...) __attribute__((format(printf, 1, 2)));
/* From now on to syslog(3), as nobody reads our error output any more. */
void complain_to_syslog(void);
/* What was said last there, or "". */
const char *complain_last(void);
/*
 * Where they go from now on: to standard error, a file of ours, syslog(3),
 * which the caller has opened, or nowhere.
 */
enum complain_where {
	COMPLAIN_STDERR,
	COMPLAIN_FILE,
	COMPLAIN_SYSLOG,
	COMPLAIN_NOBODY
};
void complain_to(enum complain_where, FILE *);
/* Text of a host, with what is not printable escaped; static memory. */
const char *printable(const struct buf *);

/* --- dest.c: where to --- */

enum dest_kind { DEST_LOCAL, DEST_TCP, DEST_DMSG };

struct dest {
	enum dest_kind kind;
	struct key_public pk;
	char host[ADDR_HOST_MAX];
	char port[ADDR_PORT_MAX];
	uint16_t dmsg_port;
	bool skynet; /* DEST_DMSG: by a visor's other network */
	/* DEST_LOCAL: */
	const char *socket; /* NULL: where it is by default */
};

/* Whether a word looks like a destination rather than a command. */
bool dest_like(const char *);
/* 0, or EXIT_USAGE with the reason told.  port NULL: the carrier's own. */
int
dest_parse(struct dest *, struct keyctx *, const char *text, const char *port);

/* --- remote.c: a file on a host --- */

/*
 * Splits "DEST:path", where DEST is what dest_parse takes: pk@host:path,
 * pk@host:port:path, pk@[::1]:path, pk@[::1]:2022:path, all of them also behind
 * tcp://, or word:path without a '/' in the word.  Digits between two colons
 * are a port: a path that begins so is written ./2022:x.  True with both parts
 * malloc'ed, the path maybe empty; false for a local file (or without memory).
 */
bool remote_split(const char *word, char **dest, char **path);

/* --- hosts.c: ~/.config/skypty/config --- */

/* What the file says of one alias; all malloc'ed, NULL where it is silent. */
struct host {
	char *key, *address, *port, *identity, *via, *visor_key, *timeout,
	    *escape, *discovery, *dmsg_servers;
	char *proxy; /* ProxyCommand; not where it is among ssh's options */
};

/*
 * Looks an alias up in file (NULL: the user's own).  1 if it leads to a host,
 * 0 if not, EXIT_USAGE for a mistake in the file, told.
 */
int hosts_find(struct host *, const char *file, const char *alias);
/* The same with keywords of ssh's: to skypty-ssh's options, or NULL. */
struct ssh_opts;
int hosts_find_ssh(struct host *, const char *file, const char *alias,
    struct ssh_opts *);
void hosts_free(struct host *);
/* Prints the names without wildcards, for completion. */
int hosts_list(const char *file);

/* --- options.c: flags of the commands that connect --- */

#define ENV_MAX 1024

/* How a connection over TCP is made; all 0: as usual. */
struct dial_how {
	int family;		    /* AF_INET, AF_INET6; AF_UNSPEC: any */
	const char *bind_address;   /* of ours */
	const char *bind_interface; /* the same, by the name of a device */
	int64_t timeout_ms;	    /* for connecting, and for the handshake */
	int attempts;		    /* one a second */
	int alive, alive_count;	    /* seconds, how often: until it is dead */
	const char *proxy;	    /* a command that makes it, or NULL */
};

struct offer;

struct options {
	const char *sk;
	const char *identity;
	struct offer *offer; /* several, in place of it; or NULL */
	bool visor_key;
	const char *env[ENV_MAX];
	size_t nenv;
	int64_t timeout_ms;
	bool no_pty;
	bool no_stdin;
	bool terminal; /* the command gets one */
	bool keep;     /* it goes on when we are gone */
	bool login;    /* in place of it the account's login shell */
	const char *port;
	const char *via, *addr;
	const char *clinet, *cliaddr, *confpath;
	const char *dmsgdisc;	  /* NULL: the public one */
	const char *dmsg_servers; /* to begin with; NULL: built in */
	const char *rpc;	  /* of the visor; NULL: where it always is */
	bool standalone;	  /* neither it nor skyptyd here */
	enum {
		TRANSPORT_AUTO,
		TRANSPORT_TCP,
		TRANSPORT_DMSG,
		TRANSPORT_SKYNET
	} transport;
	const char *hosts; /* file of aliases, NULL: the own one */
	struct host alias; /* what it says; texts above may point into it */
	bool timeout_given, escape_given, visor_key_given;
	bool duplex; /* input cannot be gathered before the command runs */
	const char *cmd, *args;
	int escape; /* character, or -1 */
	bool quiet, verbose;
	struct dial_how how;
	int (*started)(void); /* when the command runs; EXIT_* ends it */
	struct dest dest;
	char **command; /* NULL-terminated, at least empty */
};

enum command_style {
	STYLE_SHELL,
	STYLE_EXEC,  /* a first word may begin a command for this machine */
	STYLE_FILES, /* sftp, fs mount: no command */
	STYLE_KEY,   /* pk: no destination either */
	STYLE_SOCKET /* of the host here, and no more */
};

/* Tells what is wrong with an option, as usage_explain() does: EXIT_USAGE. */
struct option;
int options_unknown(const char *command, int opt, const char *word,
    const struct option *);
/* 0, EXIT_USAGE with the reason told, or -1 when help was printed. */
int options_parse(struct options *, struct keyctx *, enum command_style,
    int argc, char **argv);
/*
 * As options_parse, with more flags: take gets those that are not known here
 * and says 1 if it knows them.
 */
typedef int options_taker(int opt, int *result);
struct command_of {
	const char *name; /* as help knows it */
	enum command_style style;
	const struct option *flags;
	options_taker *take;
};
int options_parse_more(struct options *, struct keyctx *,
    const struct command_of *, int argc, char **argv);
/* A port given by a flag: 0, or EXIT_USAGE, told. */
int options_port(struct options *, const char *flag, const char *text);
/* What stands before any flag; exec has a time limit, unless told. */
void options_init(struct options *);
/* A destination or an alias.  0, EXIT_USAGE, EXIT_FAILED, told. */
int options_dest(struct options *, struct keyctx *, const char *word);
int64_t duration_ms(const char *); /* Go's "1m30s"; -1 */

/* --- fs.c, fs_notes.c: mounts --- */

/* Whether a FUSE file system is mounted on the folder; it is not touched. */
bool fs_is_mounted(const char *dir);
/* What is listed of a mount; state "" is one that is there. */
void note_write(const char *dir, const char *host, const char *state);
/* It has gone without being asked to. */
void note_lost(const char *dir, const char *host, const char *why);
void note_remove(const char *dir);
/* Prints folder, host and state of each, divided by tabs; an exit status. */
int note_list(void);

/* --- runtime.c: sockets and notes --- */

#define RUNTIME_MAX 108 /* what an address of a socket holds */

/*
 * A folder that is ours alone, and made if it is not there; false where none
 * can be trusted.
 */
bool runtime_folder(char path[RUNTIME_MAX]);
/* A file in it, named by what it is of; false also for a name too long. */
bool runtime_path(char path[RUNTIME_MAX], const void *of, size_t len,
    const char *suffix);

/* --- identity.c: who we are --- */

struct identity {
	uint8_t *sk; /* sodium_malloc'ed */
	struct key_public pk;
	const char *source;
	bool fresh; /* made for this process */
};

int identity_find(struct identity *, struct keyctx *, const struct options *);
void identity_free(struct identity *);
/* That of a file.  0, or EXIT_FAILED, told. */
int identity_public(struct keyctx *, const char *path, char pk[KEY_PUBLIC_HEX]);
/* ~/.config/skypty/NAME, malloc'ed; NULL without a home. */
char *user_file(const char *name);
char *identity_default_path(void);

/* --- patience.c: how long a host is waited for --- */

/* Four keepalives of a command's host; nobody is waited for longer. */
#define QUIET_MS 180000

/* Of a connection; milliseconds. */
struct patience {
	int64_t seen;	   /* now_ms() when the clock was last looked at */
	int64_t time;	   /* in which we would have read */
	int64_t heard;	   /* time when the host last said or took something */
	int64_t next_look; /* now_ms() of the next look at TCP */
	bool slept;	   /* we were stopped for long */
};

/* --- conn.c: a connection with a service open on it --- */

struct conn {
	int fd;
	bool plain; /* control socket: no Noise, no frames */
	enum { WAY_OWN, WAY_DAEMON, WAY_VISOR } way; /* who dialed it */
	bool accepted;				     /* the mux has answered */
	bool eof;
	bool optional; /* a rejection is no failure */
	bool offered;  /* nor is it while there are other keys to try */
	bool is_sftp;
	bool verbose;	 /* how far we are is told */
	const char *uri; /* of the service that is asked for */
	int64_t begun_ms;
	int64_t kept_ms;      /* conn_keep: when something was sent last */
	uint64_t sent_frames; /* and how many there were then */
	bool rejected;	      /* optional, and the host has no such service */
	bool hold;	      /* what has arrived must go first: read no more */
	pid_t proxy;	      /* the command that has made it, or 0 */
	struct frame_key rx, tx;
	struct buf wire_in, in; /* in: plaintext behind the mux's answer */
	struct buf out, wire_out;
	uint64_t received; /* bytes off the wire */
	int64_t dial_ms;   /* for the handshake */
	int seconds;	   /* of silence until TCP asks the host; 0: none */
	struct patience patience;
	const struct dest *dest;
	char us[KEY_PUBLIC_HEX];
};

/* Empty, without a socket: conn_close frees it. */
void conn_init(struct conn *);
/*
 * Connects, shakes hands and queues the request for uri; what is put into out
 * leaves right behind it.  0, or EXIT_FAILED with the reason told.
 */
int conn_open(struct conn *, struct keyctx *, const struct options *,
    const char *uri);
/* The same, but a host without the service sets rejected and eof only. */
int conn_try(struct conn *, struct keyctx *, const struct options *,
    const char *uri);
/* As conn_open or, optional, conn_try, with the one key that is in turn. */
int conn_once(struct conn *, struct keyctx *, const struct options *,
    const char *uri, bool optional);
/* What poll(2) is to wait for on fd. */
short conn_events(const struct conn *);
/* Reads and writes what is possible.  0, or EXIT_FAILED, told. */
int conn_pump(struct conn *, short revents);
/* Sends what can be sent now.  0, or EXIT_FAILED, told. */
int conn_flush(struct conn *);
/*
 * For who only listens: servers of dmsg end a stream with a direction that is
 * quiet for some minutes, and a frame with nothing in it is something.  0, or
 * EXIT_FAILED, told.
 */
int conn_keep(struct conn *);
/* The host's end where more was due: tells why. */
int conn_ended(const struct conn *);
/* Waits for the mux's answer.  0, or EXIT_FAILED, told. */
int conn_await(struct conn *);
/* The same; an end without one is no failure: neither accepted nor rejected. */
int conn_hear(struct conn *);
/* Bytes that have not arrived yet, as far as we know. */
size_t conn_unsent(const struct conn *);
/* The mux has said no where that is a failure: tells why. */
int conn_rejected(const struct conn *);
/* A message that makes no sense. */
int conn_bad(const struct conn *, int error);
void conn_close(struct conn *);
/* Closes it, so that another can be opened in the same struct. */
void conn_hang_up(struct conn *);
/* Begins with its clock.  conn_open does so. */
void patience_begin(struct conn *);
/*
 * term_poll(), for at most so many milliseconds (-1: some seconds), with the
 * time kept and TCP asked whether the host is still there.  The signals that
 * are let in are those of the mask, or none more (NULL).  0, or EXIT_FAILED
 * when the host's machine is dead, told, or for an error of poll(2).
 */
int conn_wait(struct conn *, struct pollfd *, size_t n, int64_t ms,
    const sigset_t *open);
/* The clock, which stands while we do. */
int64_t conn_time(const struct conn *);
/* Whether we were stopped since the last call: the host is to be asked anew. */
bool conn_slept(struct conn *);
/* EXIT_FAILED, told, when the host has said nothing for longer than that. */
int conn_check_silence(const struct conn *, int64_t ms);

/*
 * The time limit of a command, which the host keeps: ours is a little longer,
 * and whatever the host says does not put it off.
 */
struct limit {
	int64_t ms, ends;
	int64_t sent_by; /* when the host has got all of it, at the latest */
	bool begun;
	uint64_t received; /* before it was over */
};

/* For what is being sent; 0 ms is none. */
void limit_begin(struct limit *, const struct conn *, int64_t ms);
bool limit_passed(struct limit *, const struct conn *);
/* EXIT_TIMEOUT, told. */
int limit_tell(void);

/*
 * Connects to a control socket, the configured or default one: 0, EXIT_FAILED.
 * Quiet says nothing when there is none that can be trusted.
 */
int conn_local(struct conn *, const struct options *, bool quiet);

/*
 * A TCP connection, not blocking, to addresses no farther in than reach:
 * REACH_LOCAL where the user named the host.  how may be NULL.  -1 with the
 * reason (static) in why.
 */
int tcp_connect(const char *host, const char *port, enum reach,
    const struct dial_how *, const char **why);

/* --- dial.c: how a connection is made --- */

/* Time for connecting, and again for the handshake; how may be NULL. */
int64_t dial_ms(const struct dial_how *);
/* Sets how a connection is probed, where the user has said so. */
void dial_probe(int fd, const struct dial_how *);
/*
 * Our own address for a connection of that family: len 0 for any.  0, or an
 * errno when there is none.
 */
int dial_from(const struct dial_how *, int family, struct sockaddr_storage *,
    socklen_t *len);

/* --- proxy.c: a connection by a command --- */

struct ssh_tokens;
/*
 * A ProxyCommand with its tokens replaced; malloc'ed, or NULL with the reason
 * told.
 */
char *proxy_command(const char *text, const struct ssh_tokens *);

/* Has the shell run it.  0, or EXIT_FAILED, told. */
int proxy_open(struct conn *, const char *command);
/* Ends it; the connection is closed already. */
void proxy_close(struct conn *);

/* --- offer.c: keys of ours, one after the other --- */

#define OFFER_MAX 10 /* each that is refused costs the host a handshake */

struct offer {
	struct offer_key {
		char *file;
		char pk[KEY_PUBLIC_HEX];
	} key[OFFER_MAX];
	size_t n, now;
	size_t left_out; /* beyond OFFER_MAX */
	bool taken;	 /* by the host: that one it is from now on */
};

/* One that is there already is passed over.  0, or EXIT_FAILED, told. */
int offer_add(struct offer *, struct keyctx *, const char *file);
/*
 * As conn_once, with each key in its order until the host takes one; for two
 * and more its answer has been heard.
 */
int offer_open(struct conn *, struct keyctx *, const struct options *,
    const char *uri, bool optional);
void offer_free(struct offer *);

/* --- via.c, dmsg.c: a connection by key alone --- */

int via_open(struct conn *, struct keyctx *, const struct options *,
    const char *uri);

/* As conn_open, for an initialised conn; the service is open already. */
int dmsg_open(struct conn *, struct keyctx *, const struct options *,
    const char *uri);

/* --- term.c: our terminal --- */

/* Raw mode on standard input, undone at exit and by deadly signals. */
int term_raw(void);
void term_restore(void);
/* Output that is shown on it. */
void term_watch(const uint8_t *, size_t);
/*
 * Takes back what the output has made of it, as another screen or reports of
 * the mouse: whoever would have done so cannot be heard any more.  While it is
 * raw; complain() does so, too.
 */
void term_lost(void);
bool term_is_raw(void);
/* Size of the terminal on standard input or output; false: none. */
bool term_size(struct rpc_winsize *);
/* Modes of the one on standard input, as the user has set them. */
bool term_modes(uint8_t modes[MODES_LEN]);
/* Restores, stops the process, and is raw again when it continues. */
void term_suspend(void);
/*
 * ppoll(2), which also lets in signals that wait while a descriptor is ready: a
 * new size of the window comes before what was typed in it.  0, interrupted or
 * not, or -1.
 */
int term_poll(struct pollfd *, size_t n, const struct timespec *,
    const sigset_t *open);

/* --- wishes.c: what is asked of a session besides its command --- */

/*
 * The service's URI with keep, login and, for a terminal, its modes.  Hosts
 * that do not know them pass over them.
 */
int wishes_uri(char uri[MUX_URI_MAX + 1], const char *service,
    const struct options *, bool terminal);

/* --- typed.c: escape sequences --- */

struct typed {
	int escape; /* character, or -1 */
	enum { TYPED_NEWLINE, TYPED_IN_LINE, TYPED_ESCAPE } place;
};

#define TYPED_END     1000 /* ~. */
#define TYPED_SUSPEND 1001 /* ~^Z */

/* One key; what is meant for the host goes to out.  0, EXIT_FAILED, TYPED_*. */
int typed_key(struct typed *, uint8_t c, struct buf *out);

/* --- sink.c: where a command's output goes --- */

#define SINK_FRAME_MAX 8192 /* payload of a frame that is no output */

enum {
	SINK_MORE = 2000, /* what is there has been written */
	SINK_BLOCKED,	  /* standard output or error takes no more now */
	SINK_FRAME,	  /* a frame that is no output */
	SINK_BAD	  /* too large a frame */
};

struct sink_end {
	int fd;
	bool never_blocks, is_socket;
	size_t piece; /* what may be written at once */
};

struct sink {
	struct sink_end end[2]; /* standard output, error */
	struct sink_end *blocked;
	bool inside; /* a frame of output */
	uint8_t tag;
	uint32_t left;
};

/*
 * Opens standard output and error for us.  Once, at the very beginning: a
 * process that may not be dumped cannot look at its own descriptors.
 */
void sink_prepare(void);
/* Closes what it opened; a sink made before is not to be used again. */
void sink_release(void);
/* Standard output or error, or a socket. */
void sink_end_init(struct sink_end *, int fd);
/* How many bytes went, 0 when it would block, -1 told. */
ssize_t sink_write(struct sink_end *, const uint8_t *, size_t);
void sink_init(struct sink *);
/*
 * Writes output out of src, up to the next other frame.  SINK_*, or
 * EXIT_FAILED when it cannot be written, told.
 */
int
sink_next(struct sink *, struct buf *src, uint8_t *tag, struct buf *payload);
/* What poll(2) is to wait for when blocked. */
struct pollfd sink_poll(const struct sink *);

/* --- call.c: one call --- */

/*
 * Sends what has been put and waits for the next reply, of a command with that
 * time limit, or NULL.  0, EXIT_FAILED or EXIT_TIMEOUT, told.
 */
int call_await(struct conn *, struct rpc_client *, struct limit *,
    struct rpc_reply *);

/* --- session.c, exec.c --- */

/* An interactive session.  An exit status. */
int session_run(struct keyctx *, const struct options *);
/* A command by the best of the ways that the host has.  An exit status. */
int exec_run(struct keyctx *, const struct options *);

/* The same without skypty/1/exec. */
int exec_older(struct keyctx *, const struct options *);

/* --- stream.c, exec_http.c, exec_rpc.c: the ways to run a command --- */

#define TRY_NEXT 3000 /* the host does not know this way */

/* An exit status or TRY_NEXT. */
int stream_run(struct keyctx *, const struct options *);
int
exec_http_run(struct keyctx *, const struct options *, const struct buf *input);
int
exec_rpc_run(struct keyctx *, const struct options *, const struct buf *input);
/* Words as a list that owns its memory. */
int exec_put_list(struct gob_list *, const char *const *, size_t n);
/* The command of the options; its lists own memory, also after an error. */
int exec_describe(struct rpc_exec *, const struct options *);
void exec_describe_free(struct rpc_exec *);
/* Whether standard input can give anything. */
bool exec_has_input(const struct options *);
/* The exit status for a command that could not be started, and why. */
int exec_not_started(const struct buf *why);
/* What a command's end means: an exit status, told. */
int exec_ended(const struct options *, enum xs_how, int64_t status,
    int64_t duration_ms);

/* --- sftp_asker.c: that a stream of dmsg is not ended for being quiet --- */

struct sftp_asker {
	bool on;
	bool begun;	   /* the host has answered something */
	bool asked;	   /* and is to answer us */
	int64_t at;	   /* when to ask */
	uint32_t sending;  /* bytes that are due of the program's packet */
	uint8_t length[4]; /* of the next one, as far as it is known */
	size_t nlength;
	uint64_t passing;  /* bytes of the host's packet for the program */
	uint64_t dropping; /* or for us */
};

void sftp_asker_init(struct sftp_asker *, const struct conn *);
/* What the program has said. */
void sftp_asker_sent(struct sftp_asker *, const uint8_t *, size_t);
/* How long to wait at most, where it would have been ms (-1: for ever). */
int sftp_asker_wait(const struct sftp_asker *, int ms);
/* Puts the question where it is due.  0 or one of SKY_ERR_*. */
int sftp_asker_ask(struct sftp_asker *, struct buf *out);
/* How many bytes from the front on are the program's; the answer is skipped. */
size_t sftp_asker_filter(struct sftp_asker *, struct buf *in, bool eof);
/* So many of them have gone. */
void sftp_asker_passed(struct sftp_asker *, size_t);

/* --- relay.c: bytes as they are --- */

/*
 * Until either side ends: 0 when the local side did, else EXIT_FAILED, told;
 * 0 with c->rejected for a service that a host lacks.
 */
int relay_run(struct conn *, int in, int out);
/* The same, asking a watcher now and then: how long to wait (-1: for ever),
 * or RELAY_STOP. */
#define RELAY_STOP (-2)
typedef int relay_watcher(void *);
int relay_watch(struct conn *, int in, int out, relay_watcher *, void *arg);

/* --- subcommands --- */

int shell_main(int argc, char **argv);
int exec_main(int argc, char **argv);
int whitelist_main(int argc, char **argv);
int cp_main(int argc, char **argv);
int host_main(int argc, char **argv);
int keygen_main(int argc, char **argv);
int pk_main(int argc, char **argv);
int ssh_main(int argc, char **argv);
int sftp_main(int argc, char **argv);
int fs_main(int argc, char **argv);
int config_main(int argc, char **argv);
int dmsg_main(int argc, char **argv);

#endif
