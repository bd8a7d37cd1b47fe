/* SPDX-License-Identifier: ISC */
/* config: the whitelist in its file, read, and written without a trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "conf_util.h"
#include "lock_util.h"

#define NOBODY 65534

/* PK1, PK2 and PK3. */
static struct key_public pks[3];

static int
set_up_keys(void **state)
{
	if (set_up(state) != 0)
		return -1;
	parse_pk(PK1, &pks[0]);
	parse_pk(PK2, &pks[1]);
	parse_pk(PK3, &pks[2]);
	return 0;
}

/* The folder holds so many files. */
static size_t
count_files(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += *e->d_name != '.';
	closedir(d);
	return n;
}

static int
read_wl(const char *path, struct key_public **wl, size_t *n, struct said *s)
{
	struct config_report report = said_report(s);

	*wl = NULL;
	*n = 0;
	return config_read_wl(test.keyctx, path, wl, n, &report);
}

/* The file's list is the first n of the three keys. */
static void
expect_wl(const char *path, size_t n)
{
	struct key_public *wl;
	struct said s;
	size_t got;

	if (read_wl(path, &wl, &got, &s) != 0)
		fail_msg("%s", s.text);
	assert_int_equal(got, n);
	assert_memory_equal(wl, pks, n * sizeof(*wl));
	free(wl);
}

/* --- reading ---------------------------------------------------------- */

static void
test_read(void **state)
{
	(void)state;
	expect_wl(put_file("a", "{}"), 0);
	expect_wl(put_file("a", "{\"wl\":null}"), 0);
	expect_wl(put_file("a", "{\"wl\":[]}"), 0);
	expect_wl(put_file("a", "{\"wl\":[\"" PK1 "\"]}"), 1);
	expect_wl(put_file("a", conf_full), 2);
	/* Unknown keys are no mistake, and not a word is said of them here. */
	expect_wl(put_file("a", "{\"x\":{\"wl\":[1]},\"wl\":[\"" PK1 "\"]}"),
	    1);
}

static void
refuse_wl(const char *path, int error, const char *part)
{
	struct key_public *wl;
	struct said s;
	size_t n;

	assert_int_equal(read_wl(path, &wl, &n, &s), error);
	said_error(&s, part);
	assert_null(wl);
	assert_int_equal(n, 0);
	/* Without a listener as well. */
	assert_int_equal(config_read_wl(test.keyctx, path, &wl, &n, NULL),
	    error);
	assert_null(wl);
}

/* Half of a list is none. */
static void
test_read_strictly(void **state)
{
	char text[sizeof(conf_full)];

	(void)state;
	refuse_wl(put_file("a", "{\"wl\":[\"" PK1 "\",\"" PK_BAD "\"]}"),
	    SKY_ERR_FORMAT, "wl[1]: not a public key");
	refuse_wl(put_file("a", "{\"wl\":[\"" PK1 "\",\"\"]}"), SKY_ERR_FORMAT,
	    "wl[1]: not a public key");
	refuse_wl(put_file("a", "{\"wl\":[\"" PK1 "\",7]}"), SKY_ERR_FORMAT,
	    "wl[1]: not a string");
	refuse_wl(put_file("a", "{\"wl\":\"" PK1 "\"}"), SKY_ERR_FORMAT,
	    "wl: not an array");
	refuse_wl(put_file("a", "{\"wl\":[\"" PK1 "\"],\"wl\":[]}"),
	    SKY_ERR_FORMAT, "duplicate key \"wl\"");
	refuse_wl(put_file("a", "{\"wl\":[\"" PK1 "\"]} x"), SKY_ERR_FORMAT,
	    "line 1");
	refuse_wl(put_file("a", "[\"" PK1 "\"]"), SKY_ERR_FORMAT,
	    "not a JSON object");
	for (size_t i = 0; i < strlen(conf_full); i++) {
		memcpy(text, conf_full, i);
		text[i] = '\0';
		refuse_wl(put_file("a", text), SKY_ERR_FORMAT, ": line ");
	}
	refuse_wl(in_dir("none"), SKY_ERR_SYS, "No such file");
	refuse_wl(test.dir, SKY_ERR_TYPE, "not a regular file");
}

/* --- writing: where the list stands ----------------------------------- */

/* Texts around the list's value, and what the new one is indented with. */
static const struct {
	const char *before, *value, *behind;
	const char *indent, *step;
} places[] = {
	/* First, middle, last. */
	{ "{\n    \"wl\": ", "[]", ",\n    \"dmsgport\": 22\n}\n", "    ",
	    "    " },
	{ "{\n    \"dmsgport\": 22,\n    \"wl\": ", "[\n \"" PK3 "\"\n ]",
	    ",\n    \"clinet\": \"unix\"\n}\n", "    ", "    " },
	{ "{\n    \"dmsgport\": 22,\n    \"wl\": ", "[ ]", "\n}", "    ",
	    "    " },
	/* The only one, null, and already full. */
	{ "{\n  \"wl\": ", "null", "\n}\n", "  ", "  " },
	{ "{\"wl\":", "null", "}", "", "" },
	{ "{\"a\":1,\"wl\":", "[\"" PK3 "\",\"" PK2 "\"]", ",\"b\":\"]\"}", "",
	    "" },
	/* Tabs, and blanks where nobody puts any. */
	{ "{\n\t\"wl\"\t:\t", "[\t]", "\t,\n\t\"clinet\":\"unix\"\n}\n", "\t",
	    "\t" },
	{ "{\n\t\t\"a\": 1,\n\t\t\"wl\": ", "[]", "}\n\n\n", "\t\t", "\t" },
	{ "  \r\n {\r\n   \"a\" : 1 ,\r\n\r\n   \"wl\"\r\n     : ", "[\r\n]",
	    "\r\n}\r\n \t", "     ", "     " },
	/* Others' brackets, lists of the same name, text that looks like it. */
	{ "{\"x\":{\"wl\":[\"no\"]},\"y\":\"\\\"wl\\\":[]\",\n \"wl\":", "[]",
	    ",\"z\":[{\"wl\":null}]}", " ", " " },
	/* Escapes and letters beyond ASCII stay as they are. */
	{ "{ \"\xc3\xa9\xe2\x82\xac\": \"\\u00e9\\/\xf0\x9f\x98\x80\", "
	  "\"w\\u006c\": ",
	    "[]", ", \"n\": [1.50, -0e+1, 1E5] }", "", "" },
};

static void
append_list(char *text, size_t n, const char *indent, const char *step)
{
	char hex[KEY_PUBLIC_HEX];

	text += strlen(text);
	text = stpcpy(text, "[");
	for (size_t i = 0; i < n; i++) {
		key_text(&pks[i], hex);
		text += sprintf(text, "%s\n%s%s\"%s\"", i > 0 ? "," : "",
		    indent, step, hex);
	}
	if (n > 0)
		text += sprintf(text, "\n%s", indent);
	strcpy(text, "]");
}

static void
check_place(size_t i, size_t n)
{
	char text[1024], want[1024];
	const char *path;

	snprintf(text, sizeof(text), "%s%s%s", places[i].before,
	    places[i].value, places[i].behind);
	strcpy(want, places[i].before);
	append_list(want, n, places[i].indent, places[i].step);
	strcat(want, places[i].behind);
	path = put_file("a", text);
	assert_int_equal(config_write_wl(path, pks, n), 0);
	expect_file(path, want);
	expect_wl(path, n);
	/* Once more over its own work. */
	assert_int_equal(config_write_wl(path, pks, n), 0);
	expect_file(path, want);
}

static void
test_write_in_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(places); i++)
		for (size_t n = 0; n <= COUNT(pks); n++)
			check_place(i, n);
}

/* Without a list it comes behind the last member, whatever that is. */
static const struct {
	const char *before, *between, *behind, *indent;
} absent[] = {
	{ "{", "\"wl\": ", "}", "" },
	{ " { ", "\"wl\": ", "} ", " " },
	{ "{\n", "\"wl\": ", "}\n", "" },
	{ "{\n    \"dmsgport\": 22", ",\n    \"wl\": ", "\n}\n", "    " },
	{ "{\n\t\"a\": \"}\"", ",\n\t\"wl\": ", "\n}\n", "\t" },
	{ "{\"a\":null", ",\n\"wl\": ", " }", "" },
	{ "{\n  \"a\": true", ",\n  \"wl\": ", "  \n\n }", "  " },
	{ "{\"a\":[1,{\"wl\":[]}]", ",\n\"wl\": ", "}", "" },
	{ "{\n  \"a\": {\n    \"wl\": 5\n  }", ",\n  \"wl\": ", "\n}", "  " },
};

static void
test_write_absent(void **state)
{
	char text[1024], want[1024];
	const char *path;

	(void)state;
	for (size_t i = 0; i < COUNT(absent); i++)
		for (size_t n = 0; n <= COUNT(pks); n++) {
			snprintf(text, sizeof(text), "%s%s", absent[i].before,
			    absent[i].behind);
			snprintf(want, sizeof(want), "%s%s", absent[i].before,
			    absent[i].between);
			append_list(want, n, absent[i].indent,
			    *absent[i].indent != '\0' ? absent[i].indent : "");
			strcat(want, absent[i].behind);
			path = put_file("a", text);
			assert_int_equal(config_write_wl(path, pks, n), 0);
			expect_file(path, want);
			expect_wl(path, n);
		}
}

/* A very deep indent is cut, and the file is good all the same. */
static void
test_write_far_right(void **state)
{
	char text[512];
	const char *path;

	(void)state;
	snprintf(text, sizeof(text), "{\n%200s\"wl\": []\n}", "");
	path = put_file("a", text);
	assert_int_equal(config_write_wl(path, pks, 3), 0);
	expect_wl(path, 3);
}

/* --- writing: what is refused ----------------------------------------- */

static void
refuse_write(const char *text, int error)
{
	const char *path = put_file("a", text);
	size_t files = count_files(test.dir);

	assert_int_equal(config_write_wl(path, pks, 2), error);
	expect_file(path, text);
	assert_int_equal(count_files(test.dir), files);
}

static void
test_write_refused(void **state)
{
	char text[sizeof(conf_full)];

	(void)state;
	refuse_write("", SKY_ERR_FORMAT);
	refuse_write("[]", SKY_ERR_FORMAT);
	refuse_write("[1]", SKY_ERR_FORMAT);
	refuse_write("null", SKY_ERR_FORMAT);
	refuse_write("\"wl\"", SKY_ERR_FORMAT);
	refuse_write("{\"wl\":\"x\"}", SKY_ERR_FORMAT);
	refuse_write("{\"wl\":{}}", SKY_ERR_FORMAT);
	refuse_write("{\"wl\":7,\"a\":1}", SKY_ERR_FORMAT);
	refuse_write("{\"wl\":true}", SKY_ERR_FORMAT);
	refuse_write("{\"wl\":[],\"wl\":[]}", SKY_ERR_FORMAT);
	refuse_write("{\"wl\":[]} x", SKY_ERR_FORMAT);
	for (size_t i = 0; i < strlen(conf_full); i++) {
		memcpy(text, conf_full, i);
		text[i] = '\0';
		refuse_write(text, SKY_ERR_FORMAT);
	}
	assert_int_equal(config_write_wl(test.dir, pks, 1), SKY_ERR_TYPE);
	assert_int_equal(config_write_wl("/dev/null", pks, 1), SKY_ERR_TYPE);
	assert_int_equal(config_write_wl(in_dir("none"), pks, 1), SKY_ERR_SYS);
	assert_int_equal(errno, ENOENT);
}

static void
test_write_limits(void **state)
{
	struct key_public *many = calloc(CONFIG_WL_MAX + 1, sizeof(*many));
	const char *path = put_file("a", "{\"wl\":null}"), *big;
	struct key_public *wl;
	struct said s;
	size_t n;
	char *text;

	(void)state;
	assert_non_null(many);
	for (size_t i = 0; i <= CONFIG_WL_MAX; i++)
		many[i] = pks[i % 3];
	assert_int_equal(config_write_wl(path, many, CONFIG_WL_MAX + 1),
	    SKY_ERR_LIMIT);
	expect_file(path, "{\"wl\":null}");
	assert_int_equal(config_write_wl(path, many, CONFIG_WL_MAX), 0);
	assert_int_equal(read_wl(path, &wl, &n, &s), 0);
	assert_int_equal(n, CONFIG_WL_MAX);
	assert_memory_equal(wl, many, n * sizeof(*wl));
	free(wl);
	free(many);
	/* Into the last bytes that a file may have, and over. */
	text = calloc(1, CONFIG_FILE_MAX + 1);
	assert_non_null(text);
	memset(text, ' ', CONFIG_FILE_MAX);
	memcpy(text, "{\"wl\":[]}", 9);
	big = in_dir("big");
	write_file(big, text, CONFIG_FILE_MAX - 70);
	assert_int_equal(config_write_wl(big, pks, 1), 0);
	expect_wl(big, 1);
	write_file(big, text, CONFIG_FILE_MAX - 69);
	assert_int_equal(config_write_wl(big, pks, 1), SKY_ERR_LIMIT);
	expect_wl(big, 0);
	free(text);
}

/* --- writing: the file ------------------------------------------------ */

static const char empty[] = "{\"wl\":[]}";

static void
check_status(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_gid, gid);
}

static void
test_mode_and_owner(void **state)
{
	static const mode_t modes[] = { 0600, 0640, 0644, 0400, 0666, 0660 };
	const char *path = put_file("a", empty);
	bool root = geteuid() == 0;
	uid_t uid = root ? 1234 : geteuid();
	gid_t gid = root ? 4321 : getegid();
	mode_t mask;

	(void)state;
	mask = umask(077);
	assert_int_equal(chown(path, uid, gid), 0);
	for (size_t i = 0; i < COUNT(modes); i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		assert_int_equal(config_write_wl(path, pks, i % 3), 0);
		check_status(path, modes[i], uid, gid);
	}
	umask(mask);
	unlink(path);
}

static void
expect_link(const char *path, const char *target)
{
	char got[256];
	ssize_t n = readlink(path, got, sizeof(got) - 1);

	assert_int_not_equal(n, -1);
	got[n] = '\0';
	assert_string_equal(got, target);
}

static void
test_symlink(void **state)
{
	const char *target, *link = in_dir("link"), *second = in_dir("second");

	(void)state;
	assert_int_equal(mkdir(in_dir("sub"), 0700), 0);
	target = put_file("sub/target", empty);
	assert_int_equal(symlink("sub/target", link), 0);
	assert_int_equal(symlink(link, second), 0);
	assert_int_equal(config_write_wl(second, pks, 2), 0);
	expect_link(link, "sub/target");
	expect_link(second, link);
	expect_wl(target, 2);
	/* The temporary file was beside the target. */
	assert_int_equal(count_files(in_dir("sub")), 1);
	/* A relative path, and a link that leads nowhere. */
	assert_int_equal(chdir(in_dir("sub")), 0);
	assert_int_equal(config_write_wl("target", pks, 3), 0);
	expect_wl("target", 3);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(unlink(in_dir("sub/target")), 0);
	assert_int_equal(config_write_wl(second, pks, 1), SKY_ERR_SYS);
	assert_int_equal(errno, ENOENT);
}

/* Runs it as somebody who is not root. */
static void
as_nobody(void (*run)(void))
{
	if (geteuid() != 0) {
		run();
		return;
	}
	assert_int_equal(seteuid(NOBODY), 0);
	run();
	assert_int_equal(seteuid(0), 0);
}

static void
write_unwritable(void)
{
	assert_int_equal(config_write_wl(in_dir("closed/a"), pks, 2),
	    SKY_ERR_SYS);
	assert_int_equal(errno, EACCES);
	assert_string_equal(err_text(SKY_ERR_SYS), "Permission denied");
}

static void
test_unwritable_folder(void **state)
{
	const char *dir = in_dir("closed");

	(void)state;
	assert_int_equal(chmod(test.dir, 0755), 0);
	assert_int_equal(mkdir(dir, 0755), 0);
	put_file("closed/a", empty);
	assert_int_equal(chmod(in_dir("closed/a"), 0644), 0);
	assert_int_equal(chmod(dir, 0555), 0);
	as_nobody(write_unwritable);
	expect_file(in_dir("closed/a"), empty);
	assert_int_equal(count_files(dir), 1);
	assert_int_equal(chmod(dir, 0755), 0);
}

static void
write_foreign(void)
{
	assert_int_equal(config_write_wl(in_dir("open/a"), pks, 2),
	    SKY_ERR_SYS);
	assert_int_equal(errno, EPERM);
}

/* A file whose owner cannot be kept is not replaced. */
static void
test_foreign_owner(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("only root can make another's file\n");
		skip();
	}
	assert_int_equal(mkdir(in_dir("open"), 0755), 0);
	assert_int_equal(chmod(in_dir("open"), 0777), 0);
	put_file("open/a", empty);
	assert_int_equal(chmod(in_dir("open/a"), 0644), 0);
	as_nobody(write_foreign);
	expect_file(in_dir("open/a"), empty);
	check_status(in_dir("open/a"), 0644, 0, getegid());
	assert_int_equal(count_files(in_dir("open")), 1);
}

/*
 * Another name of the file would keep the old list.  Where strangers can make
 * such names they must not keep us from it.
 */
static void
test_hard_link(void **state)
{
	const char *path = put_file("linked", empty);
	FILE *f = fopen("/proc/sys/fs/protected_hardlinks", "re");
	bool guarded = f != NULL && fgetc(f) == '1';

	(void)state;
	if (f != NULL)
		fclose(f);
	assert_int_equal(link(path, in_dir("linked.too")), 0);
	assert_int_equal(config_write_wl(path, pks, 1),
	    guarded ? SKY_ERR_EXISTS : 0);
	expect_file(in_dir("linked.too"), empty);
	if (guarded)
		expect_file(path, empty);
	assert_int_equal(unlink(in_dir("linked.too")), 0);
	assert_int_equal(config_write_wl(path, pks, 1), 0);
	expect_wl(path, 1);
}

/* Attributes are the file's, not its content's. */
static void
test_attributes(void **state)
{
	const char *path = put_file("noted", empty);
	char got[8];

	(void)state;
	if (setxattr(path, "user.note", "keep", 4, 0) == -1)
		skip();
	assert_int_equal(config_write_wl(path, pks, 1), 0);
	assert_int_equal(getxattr(path, "user.note", got, sizeof(got)), 4);
	assert_memory_equal(got, "keep", 4);
}

/* --- several at once -------------------------------------------------- */

#define WRITERS 2
#define ROUNDS	40

/* Adds a key of its own each round; 0, or what failed. */
static int
add_keys(const char *path, uint8_t who)
{
	struct key_public *wl, *grown;
	uint8_t sk[KEY_SECRET_LEN] = { 0 };
	size_t n;
	int fd;

	sk[0] = who;
	for (uint8_t i = 1; i <= ROUNDS; i++) {
		sk[1] = i;
		if ((fd = config_lock_wl(path)) < 0)
			return 1;
		if (config_read_wl(test.keyctx, path, &wl, &n, NULL) != 0)
			return 2;
		if ((grown = reallocarray(wl, n + 1, sizeof(*wl))) == NULL ||
		    key_public(test.keyctx, sk, &grown[n]) != 0)
			return 3;
		if (config_write_wl(path, grown, n + 1) != 0)
			return 4;
		free(grown);
		close(fd);
	}
	return 0;
}

static bool
has_key(const struct key_public *wl, size_t n, uint8_t who, uint8_t round)
{
	uint8_t sk[KEY_SECRET_LEN] = { who, round };
	struct key_public pk;

	assert_int_equal(key_public(test.keyctx, sk, &pk), 0);
	for (size_t i = 0; i < n; i++)
		if (key_equal(&wl[i], &pk))
			return true;
	return false;
}

static void
test_writers_lose_nothing(void **state)
{
	const char *path = put_file("shared", "{\n  \"wl\": null\n}\n");
	struct key_public *wl;
	pid_t pid[WRITERS];
	struct said s;
	size_t n, ended = 0;
	int status;

	(void)state;
	for (size_t i = 0; i < WRITERS; i++) {
		assert_int_not_equal(pid[i] = fork(), -1);
		if (pid[i] == 0)
			_exit(add_keys(path, (uint8_t)(i + 1)));
	}
	/* A reader never waits and always finds a whole list. */
	while (ended < WRITERS) {
		assert_int_equal(read_wl(path, &wl, &n, &s), 0);
		assert_true(n <= WRITERS * ROUNDS);
		free(wl);
		if (waitpid(pid[ended], &status, WNOHANG) == 0)
			continue;
		assert_int_equal(status, 0);
		ended++;
	}
	assert_int_equal(read_wl(path, &wl, &n, &s), 0);
	assert_int_equal(n, WRITERS * ROUNDS);
	for (uint8_t i = 1; i <= WRITERS; i++)
		for (uint8_t j = 1; j <= ROUNDS; j++)
			assert_true(has_key(wl, n, i, j));
	free(wl);
}

/* --- the lock --------------------------------------------------------- */

static void
expect_child(pid_t pid, int told)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(told);
}

static void
test_lock(void **state)
{
	const char *path = put_file("locked", empty);
	int lock, told;
	pid_t pid;

	(void)state;
	assert_true((lock = config_lock_wl(path)) >= 0);
	assert_int_equal(fcntl(lock, F_GETFD), FD_CLOEXEC);
	pid = lock_in_child(config_lock_wl, path, lock, &told);
	assert_false(has_told(told, 200));
	close(lock);
	assert_true(has_told(told, 10000));
	expect_child(pid, told);
	/* Of another file, and by another name of the same. */
	assert_int_equal(symlink("locked", in_dir("alias")), 0);
	assert_true((lock = config_lock_wl(path)) >= 0);
	pid = lock_in_child(config_lock_wl, put_file("other", empty), lock,
	    &told);
	assert_true(has_told(told, 10000));
	expect_child(pid, told);
	pid = lock_in_child(config_lock_wl, in_dir("alias"), lock, &told);
	assert_false(has_told(told, 200));
	close(lock);
	assert_true(has_told(told, 10000));
	expect_child(pid, told);
}

/* It outlasts the file that is replaced under it. */
static void
test_lock_of_replaced(void **state)
{
	const char *path = put_file("replaced", empty);
	int lock, told;
	pid_t pid;

	(void)state;
	assert_true((lock = config_lock_wl(path)) >= 0);
	pid = lock_in_child(config_lock_wl, path, lock, &told);
	assert_false(has_told(told, 200));
	assert_int_equal(config_write_wl(path, pks, 1), 0);
	assert_false(has_told(told, 200));
	close(lock);
	assert_true(has_told(told, 10000));
	expect_child(pid, told);
}

/* What was left by a writer that was killed goes with the next one. */
static void
test_lock_cleans(void **state)
{
	const char *path = put_file("left", empty), *temp;
	int lock;

	(void)state;
	temp = put_file(".left.skypty-0123abcd", "secret");
	assert_true((lock = config_lock_wl(path)) >= 0);
	close(lock);
	assert_int_equal(access(temp, F_OK), -1);
	expect_file(path, empty);
}

static void
test_lock_of_nothing(void **state)
{
	(void)state;
	assert_int_equal(config_lock_wl(in_dir("none")), SKY_ERR_SYS);
	assert_int_equal(errno, ENOENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_strictly),
		cmocka_unit_test(test_write_in_place),
		cmocka_unit_test(test_write_absent),
		cmocka_unit_test(test_write_far_right),
		cmocka_unit_test(test_write_refused),
		cmocka_unit_test(test_write_limits),
		cmocka_unit_test(test_mode_and_owner),
		cmocka_unit_test(test_symlink),
		cmocka_unit_test(test_unwritable_folder),
		cmocka_unit_test(test_foreign_owner),
		cmocka_unit_test(test_hard_link),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_writers_lose_nothing),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_lock_of_replaced),
		cmocka_unit_test(test_lock_cleans),
		cmocka_unit_test(test_lock_of_nothing),
	};

	return cmocka_run_group_tests_name("config_wl", tests, set_up_keys,
	    tear_down);
}
