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

#include "conf_util.h"

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

/* --- reading --- */

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
	    ERR_FORMAT, "wl[1]: not a public key");
	refuse_wl(put_file("a", "{\"wl\":[\"" PK1 "\",\"\"]}"), ERR_FORMAT,
	    "wl[1]: not a public key");
	refuse_wl(put_file("a", "{\"wl\":[\"" PK1 "\",7]}"), ERR_FORMAT,
	    "wl[1]: not a string");
	refuse_wl(put_file("a", "{\"wl\":\"" PK1 "\"}"), ERR_FORMAT,
	    "wl: not an array");
	refuse_wl(put_file("a", "{\"wl\":[\"" PK1 "\"],\"wl\":[]}"), ERR_FORMAT,
	    "duplicate key \"wl\"");
	refuse_wl(put_file("a", "{\"wl\":[\"" PK1 "\"]} x"), ERR_FORMAT,
	    "line 1");
	refuse_wl(put_file("a", "[\"" PK1 "\"]"), ERR_FORMAT,
	    "not a JSON object");
	for (size_t i = 0; i < strlen(conf_full); i++) {
		memcpy(text, conf_full, i);
		text[i] = '\0';
		refuse_wl(put_file("a", text), ERR_FORMAT, ": line ");
	}
	refuse_wl(in_dir("none"), ERR_SYS, "No such file");
	refuse_wl(test.dir, ERR_TYPE, "not a regular file");
}

/* --- writing: where the list stands --- */

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
	{ " { ", "\"wl\": ", "} ", "" },
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
	refuse_write("", ERR_FORMAT);
	refuse_write("[]", ERR_FORMAT);
	refuse_write("[1]", ERR_FORMAT);
	refuse_write("null", ERR_FORMAT);
	refuse_write("\"wl\"", ERR_FORMAT);
	refuse_write("{\"wl\":\"x\"}", ERR_FORMAT);
	refuse_write("{\"wl\":{}}", ERR_FORMAT);
	refuse_write("{\"wl\":7,\"a\":1}", ERR_FORMAT);
	refuse_write("{\"wl\":true}", ERR_FORMAT);
	refuse_write("{\"wl\":[],\"wl\":[]}", ERR_FORMAT);
	refuse_write("{\"wl\":[]} x", ERR_FORMAT);
	for (size_t i = 0; i < strlen(conf_full); i++) {
		memcpy(text, conf_full, i);
		text[i] = '\0';
		refuse_write(text, ERR_FORMAT);
	}
	assert_int_equal(config_write_wl(test.dir, pks, 1), ERR_TYPE);
	assert_int_equal(config_write_wl("/dev/null", pks, 1), ERR_TYPE);
	assert_int_equal(config_write_wl(in_dir("none"), pks, 1), ERR_SYS);
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
	assert_int_equal(
	    config_write_wl(path, many, CONFIG_WL_MAX + 1), ERR_LIMIT);
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
	assert_int_equal(config_write_wl(big, pks, 1), ERR_LIMIT);
	expect_wl(big, 0);
	free(text);
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
	};

	return cmocka_run_group_tests_name("config_wl", tests, set_up_keys, tear_down);
}
