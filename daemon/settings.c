/* SPDX-License-Identifier: ISC */
/* What is in force: defaults, files, environment, flags, identity. */
#include "daemon/skyptyd.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/paths.h"
#include "common/base/tls.h"
#include "common/privsep/account.h"
#include "common/privsep/pks.h"
#include "common/privsep/sockets.h"
#include "common/privsep/start.h"

#define DEFAULT_CONF   "./config.json"
#define SYSTEM_CONF    SYSCONFDIR "/skypty/skypty.json"
#define AUTHORIZED_PKS SYSCONFDIR "/skypty/authorized_pks"
#define REVOKED_PKS    SYSCONFDIR "/skypty/revoked_pks"
#define RECORDINGS     LOCALSTATEDIR "/log/skypty"

static void
settings_complain(void *arg, bool fatal, const char *text)
{
	log_at(fatal ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "%s", text);
}

static const struct config_report report = { .say = settings_complain };

/* The file to read, or NULL. */
static const char *
conf_file(const struct skyptyd_options *o)
{
	if (o->conf != NULL)
		return o->conf;
	if (o->conf_stdin || o->mode == MODE_HOST)
		return NULL;
	if (access(DEFAULT_CONF, F_OK) == 0)
		return DEFAULT_CONF;
	return access(SYSTEM_CONF, F_OK) == 0 ? SYSTEM_CONF : NULL;
}

static int
read_stdin(struct settings *s, struct keyctx *ctx)
{
	int r;

	r = config_read_fd(&s->conf, ctx, STDIN_FILENO, "standard input",
	    &report);
	if (r != 0)
		return EXIT_CONFIG;
	/* What no file holds cannot be read anew. */
	s->wl = s->conf.wl;
	s->nwl = s->conf.nwl;
	s->conf.wl = NULL;
	s->conf.nwl = 0;
	return 0;
}

/* malloc'ed; whoever reads it may be elsewhere. */
static char *
settings_absolute(const char *path)
{
	char *folder, *full;

	if (*path == '/')
		return strdup(path);
	if ((folder = getcwd(NULL, 0)) == NULL)
		return NULL;
	if (asprintf(&full, "%s/%s", folder, path) == -1)
		full = NULL;
	free(folder);
	return full;
}

static int
settings_read_file(struct settings *s, struct keyctx *ctx, const char *path)
{
	if (path == NULL)
		return (s->conf_path = strdup("")) != NULL ? 0 : EXIT_OS;
	/* A link may lead elsewhere one day, and the whitelist with it. */
	if (access(path, F_OK) == -1 ||
	    (s->conf_path = settings_absolute(path)) == NULL) {
		log_error("%s: %s%s", path, strerror(errno),
		    errno == ENOENT ? "; 'skyptyd confgen FILE' makes one" :
				      "");
		return EXIT_CONFIG;
	}
	return config_read_file(&s->conf, ctx, s->conf_path, &report) == 0 ?
	    0 :
	    EXIT_CONFIG;
}

static int
settings_replace(char **value, const char *flag)
{
	char *copy;

	if (flag == NULL)
		return 0;
	if ((copy = strdup(flag)) == NULL)
		return EXIT_OS;
	free(*value);
	*value = copy;
	return 0;
}

static int
number_flag(const char *name, const char *flag, unsigned max, unsigned *value)
{
	const char *problem;

	if (flag == NULL)
		return 0;
	*value = (unsigned)strtonum(flag, 0, max, &problem);
	if (problem == NULL)
		return 0;
	log_error("%s %s: %s", name, flag, problem);
	return EXIT_CONFIG;
}

static int
settings_take_flags(struct settings *s, const struct skyptyd_options *o)
{
	struct config *c = &s->conf;
	unsigned port = c->dmsgport;
	int r;

	if ((r = settings_replace(&c->dmsgdisc, o->dmsgdisc)) != 0 ||
	    (r = settings_replace(&c->clinet, o->clinet)) != 0 ||
	    (r = settings_replace(&c->cliaddr, o->cliaddr)) != 0 ||
	    (r = number_flag("--dmsgsessions", o->dmsgsessions, INT_MAX,
		 &c->dmsgsessions)) != 0)
		return r;
	r = number_flag("--dmsgport", o->dmsgport, UINT16_MAX, &port);
	c->dmsgport = (uint16_t)port;
	return r;
}

static int
take_allowed(struct settings *s, const struct skyptyd_options *o)
{
	struct key_public *wl;

	if (s->nwl + o->nallow > START_WL_MAX) {
		log_error("more than %d keys by flags and standard input; "
			  "put them into a configuration file",
		    START_WL_MAX);
		return EXIT_CONFIG;
	}
	wl = reallocarray(s->wl, s->nwl + o->nallow + 1, sizeof(*wl));
	if (wl == NULL)
		return EXIT_OS;
	if (o->nallow != 0)
		memcpy(&wl[s->nwl], o->allow, o->nallow * sizeof(*wl));
	s->wl = wl;
	s->nwl += o->nallow;
	return 0;
}

/* The configuration's key, a visor's that was named, the visor's that is
 * installed here. */
static int
find_identity(struct settings *s, const struct skyptyd_options *o,
    struct keyctx *ctx)
{
	const char *visor = o->sk_from_visor;
	struct config *c = &s->conf;

	if (visor != NULL && *visor == '\0')
		visor = VISOR_CONF;
	if (*c->sk_file != '\0') {
		if (c->sk != NULL) {
			log_error("%s: there are both \"sk\" and \"sk_file\"; "
				  "leave one out",
			    s->conf_path);
			return EXIT_CONFIG;
		}
		if (config_read_sk(ctx, c->sk_file, s->conf_path, &c->sk,
			&report) != 0)
			return EXIT_CONFIG;
	}
	if (c->sk == NULL && visor == NULL && access(VISOR_CONF, F_OK) == 0)
		visor = VISOR_CONF;
	if (c->sk == NULL && visor != NULL &&
	    config_visor_sk(ctx, visor, &c->sk, &report) != 0)
		return EXIT_CONFIG;
	if (c->sk == NULL) {
		log_error("no identity: no secret key in %s; 'skyptyd confgen "
			  "FILE' writes a configuration with a fresh one, "
			  "--sk-from-visor FILE uses a visor's",
		    *s->conf_path != '\0' ? s->conf_path : "any configuration");
		return EXIT_CONFIG;
	}
	if (key_public(ctx, c->sk, &s->pk) != 0)
		return EXIT_CONFIG;
	if ((c->given & CONFIG_PK) && !key_equal(&s->pk, &c->pk)) {
		log_error("%s: pk: is not the public key of the secret key in "
			  "use",
		    s->conf_path);
		return EXIT_CONFIG;
	}
	return 0;
}

static int
check_listen(const char *addrs, const char *from)
{
	char *copy, *rest, *addr;
	const char *problem = NULL;

	if ((copy = rest = strdup(addrs)) == NULL)
		return EXIT_OS;
	while (problem == NULL && (addr = strsep(&rest, ", ")) != NULL)
		if (*addr != '\0' && (problem = sockets_problem(addr)) != NULL)
			log_error("%s: \"%s\": %s", from, addr, problem);
	free(copy);
	return problem == NULL ? 0 : EXIT_CONFIG;
}

/* Whether there is more in a list of addresses than what divides them. */
static bool
settings_names_any(const char *list)
{
	return list != NULL && list[strspn(list, ", ")] != '\0';
}

/* A mode that has nothing but TCP listens where its clients will call. */
static int
find_listen(struct settings *s, const struct skyptyd_options *o)
{
	const char *addr = o->listen, *from = "--addr";
	int r;

	if (addr == NULL && settings_names_any(s->conf.ssh_listen)) {
		addr = s->conf.ssh_listen;
		from = "ssh_listen";
	}
	if (addr == NULL && (o->mode == MODE_HOST || o->mode == MODE_TCP))
		addr = ":" SOCKETS_PORT;
	s->listen = strdup(settings_names_any(addr) ? addr : "");
	if (s->listen == NULL)
		return EXIT_OS;
	if ((r = check_listen(s->listen, from)) != 0 && o->listen != NULL)
		return r == EXIT_CONFIG ? EXIT_USAGE : r;
	return r;
}

static int
check_control(struct settings *s, const struct skyptyd_options *o)
{
	const struct group *gr;

	s->control = o->mode != MODE_HOST && *s->conf.cliaddr != '\0';
	s->cligroup = (gid_t)-1;
	if (s->control && strcmp(s->conf.clinet, "unix") != 0) {
		log_error("clinet: \"%s\": only \"unix\" is served, where the "
			  "system tells who is calling",
		    s->conf.clinet);
		return EXIT_CONFIG;
	}
	if (*s->conf.cligroup == '\0')
		return 0;
	if ((gr = getgrnam(s->conf.cligroup)) == NULL) {
		log_error("cligroup: no group is called \"%s\"",
		    s->conf.cligroup);
		return EXIT_CONFIG;
	}
	s->cligroup = gr->gr_gid;
	return 0;
}

/* Root locks confined processes up as somebody else, who must exist. */
static int
find_user(struct settings *s)
{
	int r = account_find(s->conf.privsep_user, &s->drop, &s->uid, &s->gid);

	if (r == SKY_ERR_NOTFOUND)
		log_error("privsep_user: no account is called \"%s\"; 'useradd "
			  "--system --home-dir %s --no-create-home --shell "
			  "/usr/sbin/nologin %s' makes it",
		    s->conf.privsep_user, CHROOT_DIR, s->conf.privsep_user);
	else if (r != 0)
		log_error("privsep_user: \"%s\" is root or of root's group",
		    s->conf.privsep_user);
	return r == 0 ? 0 : EXIT_CONFIG;
}

/* Where distributions put OpenSSH's. */
static const char *
installed_sftp_server(void)
{
	static const char *const places[] = { "/usr/lib/openssh/sftp-server",
		"/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server",
		"/usr/libexec/sftp-server" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return "";
}

/* Where a client's refusal would be the first word of it. */
static void
tell_files(const struct settings *s, const struct skyptyd_options *o,
    const char *path)
{
	if (*path != '\0' || o->check || o->listen_fd != -1)
		return;
	if (strcmp(s->conf.sftp_server, "none") == 0)
		log_event(LOG_LEVEL_INFO, LOG_EVENT("no-files"),
		    "Files are not served: \"sftp_server\" is \"none\"");
	else
		log_warn("Files are not served: there is no sftp-server; "
			 "install one (Debian: openssh-sftp-server) and send "
			 "SIGHUP, or say \"sftp_server\": \"none\"");
}

/* Where pam_start(3) finds it. */
static const char *
settings_pam_file(void)
{
	static const char *const places[] = { "/etc/pam.d/skypty",
		"/usr/lib/pam.d/skypty" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (access(places[i], F_OK) == 0)
			return places[i];
	return NULL;
}

/*
 * Where it was installed, if the configuration does not say; as with sshd only
 * root has it.
 */
static int
settings_find_pam(struct settings *s)
{
	bool given = s->conf.given & CONFIG_PAM;

	if (given && s->conf.pam && !SKYPTY_PAM) {
		log_error("pam: this skyptyd was built without PAM");
		return EXIT_CONFIG;
	}
	s->pam = SKYPTY_PAM && geteuid() == 0 &&
	    (given ? s->conf.pam : settings_pam_file() != NULL);
	if (s->pam && settings_pam_file() == NULL)
		log_warn("pam: there is no /etc/pam.d/skypty: what \"other\" "
			 "says counts");
	return 0;
}

static int
find_sftp_server(struct settings *s, const struct skyptyd_options *o)
{
	const char *path = s->conf.sftp_server;

	if (o->sftp_readonly)
		s->conf.sftp_readonly = true;
	if (*path == '\0')
		path = installed_sftp_server();
	else if (strcmp(path, "none") == 0)
		path = "";
	else if (access(path, X_OK) == -1)
		log_warn("sftp_server: %s: %s; files cannot be served", path,
		    strerror(errno));
	tell_files(s, o, path);
	s->sftp_server = strdup(path);
	return s->sftp_server != NULL ? 0 : EXIT_OS;
}

/*
 * The built-in servers know the built-in discovery and no other, also where a
 * configuration or a visor names them.
 */
static char *
settings_find_servers(const struct settings *s, struct keyctx *ctx)
{
	bool builtin = strcmp(s->conf.dmsgdisc, CONFIG_DISCOVERY) == 0;
	const char *servers = s->conf.dmsg_servers;
	char *named, *kept;
	size_t left_out;

	if (builtin)
		return *servers == '\0' ? config_seeds() : strdup(servers);
	named = *servers == '\0' ? config_visor_servers(ctx, VISOR_CONF) :
				   strdup(servers);
	if (named == NULL)
		return NULL;
	kept = config_without_seeds(named, &left_out);
	free(named);
	if (kept != NULL && left_out != 0 && s->dmsg)
		log_warn("dmsg_servers: %zu of the public deployment are left "
			 "out, as dmsgdisc is another discovery",
		    left_out);
	return kept;
}

static int
find_dmsg(struct settings *s, const struct skyptyd_options *o,
    struct keyctx *ctx)
{
	int fd;

	s->dmsg = o->mode == MODE_DMSG && !o->no_dmsg;
	s->dmsg_servers = settings_find_servers(s, ctx);
	if (s->dmsg_servers == NULL)
		return EXIT_OS;
	if (!s->dmsg)
		return 0;
	if (s->conf.dmsgport == 0) {
		log_error("dmsgport: 0 is no port");
		return EXIT_CONFIG;
	}
	if (strncmp(s->conf.dmsgdisc, "http://", 7) == 0)
		return 0;
	if (strncmp(s->conf.dmsgdisc, "https://", 8) == 0) {
		if ((fd = tls_open()) >= 0) {
			close(fd);
			return 0;
		}
		log_error("dmsgdisc: \"%s\": " TLS_MISSING, s->conf.dmsgdisc);
		return EXIT_CONFIG;
	}
	if (strncmp(s->conf.dmsgdisc, "dmsg://", 7) != 0) {
		log_error("dmsgdisc: \"%s\": none of http://, https:// and "
			  "dmsg://",
		    s->conf.dmsgdisc);
		return EXIT_CONFIG;
	}
	if (*s->dmsg_servers != '\0')
		return 0;
	log_error("dmsgdisc: a discovery on dmsg is reached through servers "
		  "that \"dmsg_servers\" names, and it names none");
	return EXIT_CONFIG;
}

/*
 * The default places are root's, whose skyptyd lets in whom they name; "host"
 * reads nothing that it was not told to.
 */
static char *
settings_pks_path(const struct skyptyd_options *o, const char *path,
    const char *standard)
{
	if (strcmp(path, "none") == 0)
		return strdup("");
	if (*path != '\0')
		return strdup(path);
	return strdup(geteuid() == 0 && o->mode != MODE_HOST ? standard : "");
}

static int
find_pks(struct settings *s, const struct skyptyd_options *o)
{
	struct config *c = &s->conf;

	s->authorized = settings_pks_path(o, c->authorized_pks, AUTHORIZED_PKS);
	s->revoked = settings_pks_path(o, c->revoked_pks, REVOKED_PKS);
	if (s->authorized == NULL || s->revoked == NULL)
		return EXIT_OS;
	if (*c->authorized_pks == '\0')
		c->given &= ~CONFIG_AUTHORIZED;
	if (*c->revoked_pks == '\0')
		c->given &= ~CONFIG_REVOKED;
	return 0;
}

/* Where keys are recorded that say so, if not all are, elsewhere. */
static int
find_record(struct settings *s)
{
	char *path = s->conf.record;

	if (strcmp(path, "none") == 0)
		*path = '\0';
	s->record = strdup(*path != '\0' ? path :
		geteuid() == 0		 ? RECORDINGS :
					   "");
	return s->record != NULL ? 0 : EXIT_OS;
}

static int
check_whitelist(const struct settings *s, const struct skyptyd_options *o)
{
	if (s->nwl + s->conf.nwl != 0 ||
	    (*s->authorized != '\0' && pks_any(s->authorized)))
		return 0;
	if (o->mode == MODE_HOST) {
		log_error("nobody is allowed in: give --allow PK,PK or a "
			  "configuration with \"wl\"");
		return EXIT_CONFIG;
	}
	log_warn("the whitelist is empty: only the host's own key gets in");
	return 0;
}

/* An eighth of what the machine has, in MiB. */
static unsigned
settings_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	uint64_t mib = pages > 0 && page > 0 ?
	    (uint64_t)pages * (uint64_t)page / (8 * 1024 * 1024) :
	    0;

	return mib > 0 && mib < 1000000 ? (unsigned)mib : 1000000;
}

int
settings_load(struct settings *s, const struct skyptyd_options *o,
    struct keyctx *ctx)
{
	int r;

	memset(s, 0, sizeof(*s));
	if (config_defaults(&s->conf) != 0)
		return EXIT_OS;
	if (o->conf_stdin && (r = read_stdin(s, ctx)) != 0)
		return r;
	if ((r = settings_read_file(s, ctx, conf_file(o))) != 0)
		return r;
	if (config_read_env(&s->conf, o->envprefix, &report) != 0)
		return EXIT_CONFIG;
	if (!o->check)
		log_set_format(s->conf.log_format);
	/* Whoever has said how many there may be has said so. */
	if (s->conf.startup_memory == 0 &&
	    !(s->conf.given & CONFIG_MAXSTARTUPS))
		s->conf.startup_memory = settings_memory();
	if ((r = settings_take_flags(s, o)) != 0 ||
	    (r = take_allowed(s, o)) != 0 ||
	    (r = find_identity(s, o, ctx)) != 0 ||
	    (r = find_listen(s, o)) != 0 || (r = check_control(s, o)) != 0 ||
	    (r = find_user(s)) != 0 || (r = find_sftp_server(s, o)) != 0 ||
	    (r = settings_find_pam(s)) != 0 ||
	    (r = find_dmsg(s, o, ctx)) != 0 || (r = find_pks(s, o)) != 0 ||
	    (r = find_record(s)) != 0)
		return r;
	return check_whitelist(s, o);
}

int
settings_load_lists(struct settings *s, const struct skyptyd_options *o,
    struct keyctx *ctx)
{
	int r;

	memset(s, 0, sizeof(*s));
	if (config_defaults(&s->conf) != 0)
		return EXIT_OS;
	if ((r = settings_read_file(s, ctx, conf_file(o))) != 0)
		return r;
	return find_pks(s, o);
}

void
settings_free(struct settings *s)
{
	config_free(&s->conf);
	free(s->conf_path);
	free(s->wl);
	free(s->listen);
	free(s->sftp_server);
	free(s->authorized);
	free(s->revoked);
	free(s->record);
	free(s->dmsg_servers);
	memset(s, 0, sizeof(*s));
}
