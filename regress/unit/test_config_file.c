/* SPDX-License-Identifier: ISC */
/* config: read from files, descriptors and the environment, and printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sodium.h>
#include <sys/wait.h>

#include "common/privsep/control.h"
#include "conf_util.h"

/* --- files and descriptors --- */

static int
read_path(struct config *c, struct said *s, const char *path)
{
	struct config_report report = said_report(s);

	defaults(c);
	return config_read_file(c, test.keyctx, path, &report);
}

static void
refuse_path(const char *path, int error, const char *what)
{
	struct config c;
	struct said s;
	char why[512];

	assert_int_equal(read_path(&c, &s, path), error);
	snprintf(why, sizeof(why), "E %s: %s\n", path, what);
	said_expect(&s, why);
	config_free(&c);
}

static void
test_file(void **state)
{
	const char *path = put_file("good.json", conf_full);
	struct config c;
	struct said s;

	(void)state;
	assert_int_equal(read_path(&c, &s, path), 0);
	said_expect(&s, "");
	assert_int_equal(c.nwl, 2);
	assert_int_equal(c.dmsgport, 23);
	config_free(&c);
	assert_int_equal(symlink("good.json", in_dir("link.json")), 0);
	assert_int_equal(read_path(&c, &s, in_dir("link.json")), 0);
	assert_int_equal(c.nwl, 2);
	config_free(&c);
	refuse_path(put_file("bad.json", "{\"wl\":1}"), SKY_ERR_FORMAT,
	    "wl: not an array");
}

static void
test_no_file(void **state)
{
	(void)state;
	refuse_path(in_dir("none.json"), SKY_ERR_SYS,
	    "No such file or directory");
	refuse_path(test.dir, SKY_ERR_TYPE, "not a regular file");
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	refuse_path(in_dir("fifo"), SKY_ERR_TYPE, "not a regular file");
	refuse_path("/dev/zero", SKY_ERR_TYPE, "not a regular file");
	refuse_path("/dev/null", SKY_ERR_TYPE, "not a regular file");
	assert_int_equal(symlink("loop", in_dir("loop")), 0);
	refuse_path(in_dir("loop"), SKY_ERR_SYS,
	    "Too many levels of symbolic links");
}

static const char only_sk[] = "{\"sk\":\"" SECRET "\"}";
static const char only_wl[] = "{\"wl\":[]}";

/* Who may write to it is refused, who may read a secret key is told. */
static void
test_mode(void **state)
{
	static const mode_t readable[] = { 0640, 0604, 0644 },
			    writable[] = { 0620, 0602, 0660, 0666 };
	const char *path = put_file("mode.json", only_sk);
	char why[128];
	struct config c;
	struct said s;

	(void)state;
	assert_int_equal(read_path(&c, &s, path), 0);
	said_expect(&s, "");
	config_free(&c);
	for (size_t i = 0; i < COUNT(readable); i++) {
		assert_int_equal(chmod(path, readable[i]), 0);
		assert_int_equal(read_path(&c, &s, path), 0);
		assert_int_equal(s.fatal, 0);
		snprintf(why, sizeof(why),
		    ": sk: others may read it (mode %04o)",
		    (unsigned)readable[i]);
		assert_non_null(strstr(s.text, why));
		config_free(&c);
	}
	for (size_t i = 0; i < COUNT(writable); i++) {
		assert_int_equal(chmod(path, writable[i]), 0);
		assert_int_equal(read_path(&c, &s, path), SKY_ERR_DENIED);
		said_error(&s, "others may write to it");
		assert_null(c.sk);
		config_free(&c);
	}
}

/* A secret key from elsewhere does not make the file secret. */
static void
test_mode_without_key(void **state)
{
	const char *path = put_file("open.json", only_wl);
	struct config c;
	struct said s;
	struct config_report report = said_report(&s);

	(void)state;
	assert_int_equal(chmod(path, 0644), 0);
	accept_text(&c, only_sk);
	assert_int_equal(config_read_file(&c, test.keyctx, path, &report), 0);
	said_expect(&s, "");
	assert_int_equal(c.given, CONFIG_SK | CONFIG_WL);
	assert_non_null(c.sk);
	config_free(&c);
}

static void
test_owner(void **state)
{
	const char *path = put_file("foreign.json", only_wl);
	struct config c;
	struct said s;

	(void)state;
	if (geteuid() != 0) {
		print_message("only root can make another's file\n");
		skip();
	}
	assert_int_equal(chown(path, 1234, 0), 0);
	assert_int_equal(read_path(&c, &s, path), SKY_ERR_DENIED);
	said_error(&s, "belongs to uid 1234");
	config_free(&c);
}

/* A configuration of n bytes: blanks behind an object. */
static char *
big_text(size_t n)
{
	char *text = malloc(n);

	assert_non_null(text);
	memset(text, ' ', n);
	memcpy(text, "{\"maxperkey\":9}", 15);
	return text;
}

static void
test_size_limit(void **state)
{
	char *text = big_text(CONFIG_FILE_MAX + 1);
	const char *path = in_dir("big.json");
	struct config c;
	struct said s;

	(void)state;
	for (size_t n = CONFIG_FILE_MAX - 1; n <= CONFIG_FILE_MAX; n++) {
		write_file(path, text, n);
		assert_int_equal(read_path(&c, &s, path), 0);
		assert_int_equal(c.maxperkey, 9);
		config_free(&c);
	}
	write_file(path, text, CONFIG_FILE_MAX + 1);
	refuse_path(path, SKY_ERR_LIMIT, "larger than 1048576 bytes");
	free(text);
}

/* Reads n bytes of text through a pipe. */
static int
read_pipe(struct config *c, struct said *s, const char *text, size_t n)
{
	struct config_report report = said_report(s);
	int fd[2], r;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		signal(SIGPIPE, SIG_DFL);
		close(fd[0]);
		for (size_t i = 0; i < n; i += 1000)
			if (write(fd[1], text + i,
				n - i < 1000 ? n - i : 1000) == -1)
				break;
		_exit(0);
	}
	close(fd[1]);
	defaults(c);
	r = config_read_fd(c, test.keyctx, fd[0], "stdin", &report);
	close(fd[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return r;
}

static void
test_descriptor(void **state)
{
	char *text = big_text(CONFIG_FILE_MAX + 1);
	struct config c;
	struct said s;

	(void)state;
	assert_int_equal(read_pipe(&c, &s, conf_full, strlen(conf_full)), 0);
	assert_int_equal(c.nwl, 2);
	config_free(&c);
	assert_int_equal(read_pipe(&c, &s, conf_full, strlen(conf_full) - 1),
	    SKY_ERR_FORMAT);
	said_error(&s, "E stdin: line ");
	config_free(&c);
	assert_int_equal(read_pipe(&c, &s, "", 0), SKY_ERR_FORMAT);
	config_free(&c);
	assert_int_equal(read_pipe(&c, &s, text, CONFIG_FILE_MAX), 0);
	assert_int_equal(c.maxperkey, 9);
	config_free(&c);
	assert_int_equal(read_pipe(&c, &s, text, CONFIG_FILE_MAX + 1),
	    SKY_ERR_LIMIT);
	said_expect(&s, "E stdin: larger than 1048576 bytes\n");
	config_free(&c);
	free(text);
}

static void
refuse_fd(int fd, int error, const char *want)
{
	struct config c;
	struct said s;
	struct config_report report = said_report(&s);

	defaults(&c);
	assert_int_equal(config_read_fd(&c, test.keyctx, fd, "fd", &report),
	    error);
	said_expect(&s, want);
	config_free(&c);
}

static void
test_bad_descriptor(void **state)
{
	int fd;

	(void)state;
	refuse_fd(-1, SKY_ERR_SYS, "E fd: Bad file descriptor\n");
	assert_int_not_equal(fd = open("/dev/zero", O_RDONLY), -1);
	refuse_fd(fd, SKY_ERR_LIMIT, "E fd: larger than 1048576 bytes\n");
	close(fd);
	assert_int_not_equal(fd = open(test.dir, O_RDONLY), -1);
	refuse_fd(fd, SKY_ERR_SYS, "E fd: Is a directory\n");
	close(fd);
}

/* --- the environment --- */

static const char *const variables[] = { "DMSGDISC", "DMSGSESSIONS", "DMSGPORT",
	"CLINET", "CLIADDR" };

static void
set_variable(const char *prefix, const char *name, const char *value)
{
	char var[64];

	snprintf(var, sizeof(var), "%s_%s", prefix, name);
	assert_int_equal(setenv(var, value, 1), 0);
}

static void
clear_variables(const char *prefix)
{
	char var[64];

	for (size_t i = 0; i < COUNT(variables); i++) {
		snprintf(var, sizeof(var), "%s_%s", prefix, variables[i]);
		assert_int_equal(unsetenv(var), 0);
	}
}

static int
read_env(struct config *c, struct said *s, const char *prefix)
{
	struct config_report report = said_report(s);

	return config_read_env(c, prefix, &report);
}

/* Over what a file says, but only where something is set. */
static void
test_env(void **state)
{
	struct config c;
	struct said s;

	(void)state;
	clear_variables("DMSGPTY");
	accept_text(&c,
	    "{\"cliaddr\":\"/file\",\"dmsgport\":5,"
	    "\"dmsgsessions\":6}");
	assert_int_equal(read_env(&c, &s, "DMSGPTY"), 0);
	assert_string_equal(c.cliaddr, "/file");
	assert_int_equal(c.dmsgport, 5);
	assert_int_equal(c.dmsgsessions, 6);
	set_variable("DMSGPTY", "CLIADDR", "/env");
	set_variable("DMSGPTY", "DMSGPORT", "65535");
	set_variable("DMSGPTY", "CLINET", ""); /* as good as unset */
	set_variable("DMSGPTY", "DMSGSESSIONS", "");
	assert_int_equal(read_env(&c, &s, "DMSGPTY"), 0);
	said_expect(&s, "");
	assert_string_equal(c.cliaddr, "/env");
	assert_string_equal(c.clinet, "unix");
	assert_int_equal(c.dmsgport, 65535);
	assert_int_equal(c.dmsgsessions, 6);
	set_variable("DMSGPTY", "DMSGDISC", "http://d");
	set_variable("DMSGPTY", "CLINET", "tcp");
	set_variable("DMSGPTY", "DMSGSESSIONS", "0");
	assert_int_equal(read_env(&c, &s, "DMSGPTY"), 0);
	assert_string_equal(c.dmsgdisc, "http://d");
	assert_string_equal(c.clinet, "tcp");
	assert_int_equal(c.dmsgsessions, 0);
	clear_variables("DMSGPTY");
	config_free(&c);
}

static void
test_env_prefix(void **state)
{
	struct config c;
	struct said s;

	(void)state;
	set_variable("DMSGPTY", "CLIADDR", "/one");
	set_variable("OTHER", "CLIADDR", "/two");
	defaults(&c);
	assert_int_equal(read_env(&c, &s, "OTHER"), 0);
	assert_string_equal(c.cliaddr, "/two");
	assert_int_equal(read_env(&c, &s, "NONE"), 0);
	assert_string_equal(c.cliaddr, "/two");
	assert_int_equal(read_env(&c, &s, "DMSGPTY"), 0);
	assert_string_equal(c.cliaddr, "/one");
	clear_variables("DMSGPTY");
	clear_variables("OTHER");
	config_free(&c);
}

static void
test_env_bad_numbers(void **state)
{
	static const char *const bad[] = { "x", "-1", "+1", " 1", "1 ", "0x10",
		"1.0", "1000001", "99999999999999999999" };
	struct config c;
	struct said s;

	(void)state;
	defaults(&c);
	for (size_t i = 0; i < COUNT(bad); i++) {
		set_variable("DMSGPTY", "DMSGSESSIONS", bad[i]);
		assert_int_equal(read_env(&c, &s, "DMSGPTY"), SKY_ERR_FORMAT);
		said_expect(&s,
		    "E environment: DMSGPTY_DMSGSESSIONS: not a whole number "
		    "from 0 to 1000000\n");
		assert_int_equal(c.dmsgsessions, 1);
	}
	/* Both are told. */
	set_variable("DMSGPTY", "DMSGPORT", "65536");
	assert_int_equal(read_env(&c, &s, "DMSGPTY"), SKY_ERR_FORMAT);
	assert_int_equal(s.fatal, 2);
	assert_non_null(strstr(s.text,
	    "DMSGPTY_DMSGPORT: not a whole number from 0 to 65535\n"));
	assert_int_equal(c.dmsgport, 22);
	set_variable("DMSGPTY", "DMSGSESSIONS", "1000000");
	assert_int_equal(read_env(&c, &s, "DMSGPTY"), SKY_ERR_FORMAT);
	assert_int_equal(s.fatal, 1);
	assert_int_equal(c.dmsgsessions, 1000000);
	clear_variables("DMSGPTY");
	config_free(&c);
}

/* --- a visor's key --- */

static int
visor(struct said *s, const char *text, bool want_key)
{
	struct config_report report = said_report(s);
	uint8_t *sk = NULL, want[KEY_SECRET_LEN];
	int r;

	r = config_visor_sk(test.keyctx, put_file("visor.json", text), &sk,
	    &report);
	assert_int_equal(r == 0, want_key);
	if (r == 0) {
		assert_int_equal(key_parse_secret(test.keyctx, SECRET, want),
		    0);
		assert_memory_equal(sk, want, sizeof(want));
		sodium_free(sk);
	} else
		assert_null(sk);
	return r;
}

static void
refuse_visor(const char *text, const char *why)
{
	struct said s;

	assert_int_equal(visor(&s, text, false), SKY_ERR_KEY);
	said_error(&s, why);
}

static void
test_visor(void **state)
{
	struct said s;

	(void)state;
	visor(&s, "{\"sk\":\"" SECRET "\"}", true);
	said_expect(&s, "");
	/* Others' keys are others' business. */
	visor(&s,
	    "{\"version\":1,\"wl\":5,\"dmsg\":{\"sk\":\"x\",\"a\":[{}]},"
	    "\"pk\":\"" PK1 "\",\"sk\":\"" SECRET "\",\"x\":true}",
	    true);
	said_expect(&s, "");
	refuse_visor("{}", "visor.json: sk: is missing");
	refuse_visor("{\"dmsg\":{\"sk\":\"" SECRET "\"}}", "is missing");
	refuse_visor("[\"" SECRET "\"]", "is missing");
	refuse_visor("\"" SECRET "\"", "is missing");
	refuse_visor("{\"sk\":null}", "visor.json: sk: not a secret key");
	refuse_visor("{\"sk\":[\"" SECRET "\"]}", "not a secret key");
	refuse_visor("{\"sk\":\"" SECRET_PART "\"}", "not a secret key");
	refuse_visor("{\"sk\":\"\"}", "not a secret key");
	refuse_visor("", "visor.json: line 1: ");
	refuse_visor("{\n\"sk\":\"" SECRET, "visor.json: line 2: ");
}

static void
test_visor_file(void **state)
{
	struct said s;
	struct config_report report = said_report(&s);
	uint8_t *sk = NULL;

	(void)state;
	assert_int_equal(
	    config_visor_sk(test.keyctx, in_dir("none"), &sk, &report),
	    SKY_ERR_SYS);
	said_error(&s, "No such file or directory");
	report = said_report(&s);
	assert_int_equal(config_visor_sk(test.keyctx, test.dir, &sk, &report),
	    SKY_ERR_TYPE);
	said_error(&s, "not a regular file");
	assert_null(sk);
}

static void
expect_servers(const char *text, const char *want)
{
	char *list =
	    config_visor_servers(test.keyctx, put_file("visor.json", text));

	assert_non_null(list);
	assert_string_equal(list, want);
	free(list);
}

static void
test_visor_servers(void **state)
{
	char *list;

	(void)state;
	expect_servers("{\"sk\":\"x\",\"dmsg\":{\"discovery\":\"dmsg://x\","
		       "\"servers\":[{\"static\":\"" PK1 "\",\"version\":\"1\","
		       "\"server\":{\"address\":\"192.0.2.1:8081\",\"n\":1}},"
		       "{\"server\":{\"address\":\"[2001:db8::1]:80\"},"
		       "\"static\":\"" PK2 "\"}]}}",
	    PK1 "@192.0.2.1:8081 " PK2 "@[2001:db8::1]:80");
	expect_servers("{\"dmsg\":{\"servers\":null}}", "");
	/* One that is no server is left out, and lends nothing to the next. */
	expect_servers("{\"dmsg\":{\"servers\":[{\"static\":\"" PK1 "\"},"
		       "{\"server\":{\"address\":\"a:1\"}},"
		       "{\"static\":\"00\",\"server\":{\"address\":\"a:1\"}},"
		       "{\"static\":\"" PK1 "\",\"server\":"
		       "{\"address\":\"a:1 " PK2 "@b:2\"}}]}}",
	    "");
	expect_servers("{\"servers\":[{\"static\":\"" PK1 "\","
		       "\"server\":{\"address\":\"a:1\"}}]}",
	    "");
	expect_servers("{\"dmsg\":", "");
	list = config_visor_servers(test.keyctx, in_dir("none"));
	assert_string_equal(list, "");
	free(list);
	assert_int_equal(chmod(put_file("visor.json",
				   "{\"dmsg\":{\"servers\":[{\"static\":"
				   "\"" PK1 "\",\"server\":"
				   "{\"address\":\"a:1\"}}]}}"),
			     0666),
	    0);
	list = config_visor_servers(test.keyctx, in_dir("visor.json"));
	assert_string_equal(list, "");
	free(list);
}

/* --- written --- */

static void
print_and_read(bool with_seeds)
{
	const char *path = in_dir("printed.json");
	uint8_t sk[KEY_SECRET_LEN];
	struct key_public pk;
	struct config c;
	struct said s;
	char control[CONTROL_PATH_MAX], want[512], *text;
	FILE *f;

	assert_int_equal(key_parse_secret(test.keyctx, SECRET, sk), 0);
	assert_int_equal(key_public(test.keyctx, sk, &pk), 0);
	assert_non_null(f = fopen(path, "w"));
	assert_int_equal(config_print(f, test.keyctx, sk, NULL, with_seeds), 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(read_path(&c, &s, path), 0);
	said_expect(&s, "");
	assert_memory_equal(c.sk, sk, sizeof(sk));
	assert_true(key_equal(&c.pk, &pk));
	assert_int_equal(c.given,
	    CONFIG_SK | CONFIG_PK | CONFIG_WL | CONFIG_DMSGDISC |
		CONFIG_DMSGSESSIONS | CONFIG_DMSGPORT | CONFIG_CLINET |
		CONFIG_CLIADDR | CONFIG_SSH_LISTEN |
		(with_seeds ? CONFIG_SERVERS : 0));
	text = with_seeds ? config_seeds() : strdup("");
	assert_string_equal(c.dmsg_servers, text);
	free(text);
	assert_int_equal(c.nwl, 0);
	assert_string_equal(c.dmsgdisc, CONFIG_DISCOVERY);
	assert_string_equal(c.ssh_listen, "");
	config_free(&c);
	/* The original's order, indent and end. */
	text = read_text(path);
	assert_ptr_equal(strstr(text, "{\n    \"dmsgdisc\": \"dmsg://"), text);
	control_default(control);
	snprintf(want, sizeof(want),
	    ",\n    \"dmsgsessions\": 1,\n    \"dmsgport\": 22,\n"
	    "    \"clinet\": \"unix\",\n    \"cliaddr\": \"%s\",\n"
	    "    \"sk\": \"" SECRET "\",\n    \"pk\": \"",
	    control);
	assert_non_null(strstr(text, want));
	assert_non_null(strstr(text, "\n    \"wl\": [],\n"));
	assert_string_equal(text + strlen(text) - 3, "\n}\n");
	free(text);
}

#define OTHER \
	"02"  \
	"79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798@h:1"

/* What is built in is left out of a list, whatever its address is. */
static void
test_without_seeds(void **state)
{
	char *seeds, *kept, *both, *at;
	size_t n;

	(void)state;
	assert_non_null(seeds = config_seeds());
	assert_non_null(kept = config_without_seeds(seeds, &n));
	assert_string_equal(kept, "");
	assert_true(n > 1);
	free(kept);
	assert_true(asprintf(&both, OTHER " %s " OTHER, seeds) > 0);
	for (at = both; (at = strstr(at, ":3")) != NULL; at++)
		at[1] = '4';
	assert_non_null(kept = config_without_seeds(both, &n));
	assert_string_equal(kept, OTHER " " OTHER);
	free(kept);
	assert_non_null(kept = config_without_seeds("", &n));
	assert_string_equal(kept, "");
	assert_true(n == 0);
	free(kept);
	free(both);
	free(seeds);
}

static void
test_print(void **state)
{
	(void)state;
	print_and_read(false);
}

static void
test_print_seeds(void **state)
{
	(void)state;
	print_and_read(true);
}

static void
test_print_fails(void **state)
{
	uint8_t sk[KEY_SECRET_LEN];
	FILE *f;

	(void)state;
	assert_int_equal(key_parse_secret(test.keyctx, SECRET, sk), 0);
	assert_non_null(f = fopen("/dev/full", "w"));
	setvbuf(f, NULL, _IONBF, 0);
	assert_int_equal(config_print(f, test.keyctx, sk, NULL, true),
	    SKY_ERR_SYS);
	fclose(f);
	memset(sk, 0, sizeof(sk));
	assert_int_equal(config_print(stdout, test.keyctx, sk, NULL, false),
	    SKY_ERR_KEY);
}

/*
 * The example names every key but the identity, whose key nobody has.  It is
 * read as text: whose it is and its mode are those of the source tree.
 */
static void
test_example(void **state)
{
	const char *path = getenv("SKYPTY_EXAMPLE");
	uint64_t all = (CONFIG_SERVERS - 1) | CONFIG_STARTUPRATE |
	    CONFIG_NETBLOCKS | CONFIG_PENALTIES | CONFIG_PENALTY_EXEMPT |
	    CONFIG_PENALTY_BLOCKS | CONFIG_MAXPERRELAY | CONFIG_STARTUPMEMORY |
	    CONFIG_LOG_FORMAT | CONFIG_SFTP_LOG | CONFIG_METRICS |
	    CONFIG_REQUIRE_PQ | CONFIG_MAXJOBS | CONFIG_JOBOUTPUT |
	    CONFIG_JOBAGE | CONFIG_JOBDIR | CONFIG_PERMITOPEN |
	    CONFIG_PERMITLISTEN;
	uint8_t hash[crypto_hash_sha256_BYTES];
	struct config c, d;
	char *text;

	(void)state;
	text = read_text(path != NULL ? path : "etc/skypty.json.example");
	accept_text(&c, text);
	free(text);
	assert_int_equal(c.given, all & ~(CONFIG_SK | CONFIG_PK));
	assert_int_equal(c.nwl, 1);
	crypto_hash_sha256(hash, (const unsigned char *)"skypty example key",
	    18);
	assert_int_equal(c.wl[0].b[0], 2);
	assert_memory_equal(c.wl[0].b + 1, hash, sizeof(hash));
	/* Where it says no more than the defaults it says the same. */
	defaults(&d);
	assert_string_equal(c.dmsgdisc, d.dmsgdisc);
	assert_int_equal(c.dmsgport, d.dmsgport);
	assert_string_equal(c.cligroup, d.cligroup);
	assert_string_equal(c.privsep_user, d.privsep_user);
	assert_int_equal(c.best_effort, d.best_effort);
	assert_memory_equal(&c.maxstartups, &d.maxstartups,
	    sizeof(c.maxstartups));
	assert_int_equal(c.maxperkey, d.maxperkey);
	assert_int_equal(c.maxperaddr, d.maxperaddr);
	assert_memory_equal(&c.startuprate, &d.startuprate,
	    sizeof(c.startuprate));
	assert_memory_equal(&c.netblocks, &d.netblocks, sizeof(c.netblocks));
	assert_int_equal(c.handshake_timeout, d.handshake_timeout);
	assert_int_equal(c.tcp_keepalive, d.tcp_keepalive);
	assert_int_equal(c.max_jobs, d.max_jobs);
	assert_int_equal(c.job_output, d.job_output);
	assert_int_equal(c.job_age, d.job_age);
	assert_string_equal(c.job_dir, d.job_dir);
	assert_string_equal(c.permitopen, d.permitopen);
	assert_string_equal(c.permitlisten, d.permitlisten);
	config_free(&c);
	config_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_mode_without_key),
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_size_limit),
		cmocka_unit_test(test_descriptor),
		cmocka_unit_test(test_bad_descriptor),
		cmocka_unit_test(test_env),
		cmocka_unit_test(test_env_prefix),
		cmocka_unit_test(test_env_bad_numbers),
		cmocka_unit_test(test_visor),
		cmocka_unit_test(test_visor_file),
		cmocka_unit_test(test_visor_servers),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_without_seeds),
		cmocka_unit_test(test_print_seeds),
		cmocka_unit_test(test_print_fails),
		cmocka_unit_test(test_example),
	};

	return cmocka_run_group_tests_name("config_file", tests, set_up,
	    tear_down);
}
