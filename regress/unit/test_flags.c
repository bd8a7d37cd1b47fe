/* SPDX-License-Identifier: ISC */
/* flags: one table, in which a letter is another flag for another command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/complain.h"
#include "client/exits.h"
#include "client/flags.h"
#include "client/options.h"
#include "client/status_fd.h"

#define WORDS_MAX 8

static struct client_options o;
static char told[512];	    /* what was complained of last */
static const char *by, *of; /* the flag that options.c was called for */

void
complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(told, sizeof(told), fmt, ap);
	va_end(ap);
}

/* In place of options.c. */
#define RECORD(name)                                                         \
	int name(struct client_options *to, const char *flag, const char *v) \
	{                                                                    \
		assert_ptr_equal(to, &o);                                    \
		by = #name;                                                  \
		of = v;                                                      \
		assert_int_equal(strncmp(flag, "--", 2), 0);                 \
		return 0;                                                    \
	}
RECORD(options_port)
RECORD(options_user)
RECORD(options_env)
RECORD(options_timeout)
RECORD(options_transport)
RECORD(options_require_pq)
RECORD(options_master)
RECORD(options_persist)
RECORD(options_visor_key)
RECORD(options_no_visor_key)
RECORD(options_escape)
RECORD(options_obscure)
RECORD(forward_flag)
RECORD(options_standalone)
RECORD(options_attr_ttl)
RECORD(options_entry_ttl)
RECORD(fleet_flag)
RECORD(options_life)
RECORD(options_connect_timeout)
RECORD(options_session_name)
RECORD(status_fd_flag)

/* Takes a command's words, divided by blanks; the first is its name. */
static int
take(enum flags_style style, const char *line, bool *dashes)
{
	static char text[256];
	char *argv[WORDS_MAX + 1] = { NULL }, *rest = text;
	int argc = 0;

	memset(&o, 0, sizeof(o));
	by = of = NULL;
	*told = '\0';
	assert_true(strlcpy(text, line, sizeof(text)) < sizeof(text));
	while (argc < WORDS_MAX && (argv[argc] = strsep(&rest, " ")) != NULL)
		argc++;
	/* Begins anew, and with the order that the command is to have. */
	optind = 0;
	(void)getopt_long(1, argv,
	    style == STYLE_COPY || style == STYLE_KEYGEN ? "" : "+",
	    &(struct option){ 0 }, NULL);
	optind = 1;
	return flags_take(&o, style, argv[0], argc, argv, dashes);
}

static void
test_letters(void **state)
{
	(void)state;
	assert_int_equal(take(STYLE_COPY, "cp -rp a b", NULL), 0);
	assert_true(o.recursive && o.preserve);
	assert_null(by);
	assert_int_equal(take(STYLE_SHELL, "shell -r sock -p 22", NULL), 0);
	assert_string_equal(o.cliaddr, "sock");
	assert_string_equal(by, "options_port");
	assert_string_equal(of, "22");
	assert_int_equal(take(STYLE_KEYGEN, "keygen -f", NULL), 0);
	assert_true(o.force);
	assert_int_equal(take(STYLE_COPY, "cp -f", NULL), EXIT_USAGE);
	assert_non_null(strstr(told, "unknown option '-f'"));
	assert_int_equal(take(STYLE_SHELL, "shell -p", NULL), EXIT_USAGE);
	assert_non_null(strstr(told, "option '-p' needs a value"));
}

static void
test_names(void **state)
{
	(void)state;
	assert_int_equal(take(STYLE_KEY, "pk --via-visor", NULL), 0);
	assert_string_equal(by, "options_visor_key");
	assert_null(of);
	assert_int_equal(take(STYLE_KEY, "pk --visor-key=false", NULL), 0);
	assert_string_equal(of, "false");
	assert_int_equal(take(STYLE_EXEC, "exec --scheme tcp", NULL), 0);
	assert_string_equal(by, "options_transport");
	assert_int_equal(take(STYLE_EXEC, "exec --verb", NULL), 0);
	assert_true(o.verbose);
	assert_int_equal(take(STYLE_COPY, "cp --env A=B", NULL), EXIT_USAGE);
	assert_int_equal(take(STYLE_EXEC, "exec --json", NULL), EXIT_USAGE);
	assert_int_equal(take(STYLE_EXEC, "exec --quite", NULL), EXIT_USAGE);
	assert_non_null(strstr(told, "did you mean '--quiet'?"));
	assert_int_equal(take(STYLE_EXEC, "exec --quiet=1", NULL), EXIT_USAGE);
	assert_non_null(strstr(told, "takes no value"));
}

/* Behind a word a command's flags are the command's own, but for cp's. */
static void
test_places(void **state)
{
	bool dashes;

	(void)state;
	assert_int_equal(take(STYLE_EXEC, "exec -v host -q", &dashes), 0);
	assert_true(o.verbose && !o.quiet && !dashes);
	assert_int_equal(optind, 2);
	assert_int_equal(take(STYLE_EXEC, "exec -v -- ls -q", &dashes), 0);
	assert_true(o.verbose && !o.quiet && dashes);
	assert_int_equal(take(STYLE_COPY, "cp a -v b --resume", NULL), 0);
	assert_true(o.verbose && o.resume);
	assert_int_equal(optind, 3);
}

/* Takes what a line of the help names: "  -s, --sk KEY   secret key". */
static void
take_line(enum flags_style style, char *line)
{
	char *name, *end, text[128];
	bool value;

	while ((name = strstr(line, "--")) != NULL) {
		end = name + 2;
		while (isalpha((unsigned char)*end) || *end == '-')
			end++;
		line = end;
		value = *end == ',' || (*end == ' ' && end[1] != ' ');
		snprintf(text, sizeof(text), "x %.*s", (int)(end - name), name);
		if (take(style, text, NULL) == 0)
			continue;
		assert_true(value);
		assert_non_null(strstr(told, "needs a value"));
		strlcat(text, " 1", sizeof(text));
		assert_int_equal(take(style, text, NULL), 0);
	}
}

static void
test_help(void **state)
{
	char *text = NULL, *rest, *line;
	size_t size, lines;
	FILE *f;

	(void)state;
	for (int style = 0; style < STYLE_NONE; style++) {
		assert_non_null(f = open_memstream(&text, &size));
		flags_help((enum flags_style)style, f);
		assert_int_equal(fclose(f), 0);
		rest = text;
		for (lines = 0; (line = strsep(&rest, "\n")) != NULL; lines++)
			take_line((enum flags_style)style, line);
		assert_true(lines > 1);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests_name("flags", tests, NULL, NULL);
}
