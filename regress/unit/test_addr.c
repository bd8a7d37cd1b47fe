/* SPDX-License-Identifier: ISC */
/* addr: "host:port" in all its spellings, good and bad, and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "common/base/addr.h"
#include "common/base/err.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- splitting -------------------------------------------------------- */

/* port: the default; NULL is none. */
static const struct {
	const char *text, *port, *host, *portname;
} good[] = {
	{ "host:22", NULL, "host", "22" },
	{ "host:22", "2022", "host", "22" },
	{ "host.example.org:ssh", NULL, "host.example.org", "ssh" },
	{ "192.0.2.1:0", NULL, "192.0.2.1", "0" },
	{ "192.0.2.1:1", NULL, "192.0.2.1", "1" },
	{ "192.0.2.1:65535", NULL, "192.0.2.1", "65535" },
	{ "192.0.2.1:00022", NULL, "192.0.2.1", "00022" },
	{ ":2022", NULL, "", "2022" },
	{ ":2022", "1", "", "2022" },
	{ "[::]:2022", NULL, "::", "2022" },
	{ "[::1]:22", NULL, "::1", "22" },
	{ "[2001:db8::1]:http", "1", "2001:db8::1", "http" },
	{ "[fe80::1%eth0]:22", NULL, "fe80::1%eth0", "22" },
	{ "[host]:22", NULL, "host", "22" },
	{ "[192.0.2.1]:22", NULL, "192.0.2.1", "22" },
	{ "host", "2022", "host", "2022" },
	{ "192.0.2.1", "2022", "192.0.2.1", "2022" },
	{ "host", "ssh", "host", "ssh" },
	{ "::1", "2022", "::1", "2022" },
	{ "::", "2022", "::", "2022" },
	{ "2001:db8::1", "2022", "2001:db8::1", "2022" },
	{ "fe80::1%eth0", "2022", "fe80::1%eth0", "2022" },
	{ "[::1]", "2022", "::1", "2022" },
	{ "[host]", "2022", "host", "2022" },
	{ "host:3com-tsmux", NULL, "host", "3com-tsmux" },
};

static const struct {
	const char *text, *port;
} bad[] = {
	{ "", NULL },
	{ "host", NULL },
	{ "22", NULL },
	{ "::1", NULL },
	{ "2001:db8::1", NULL },
	{ "host:22:33", NULL },
	{ "[::1]", NULL },
	{ ":", NULL },
	{ ":", "2022" },
	{ "host:", NULL },
	{ "host:", "2022" },
	{ "[::1]:", "2022" },
	{ "[::1", "2022" },
	{ "[::1:22", "2022" },
	{ "[", "2022" },
	{ "[]", "2022" },
	{ "[]:22", NULL },
	{ "[::1]22", "2022" },
	{ "[::1]x:22", "2022" },
	{ "[::1]]:22", "2022" },
	{ "[::1]::22", "2022" },
	{ "host:65536", NULL },
	{ "host:99999", NULL },
	{ "host:100000", NULL },
	{ "host:4294967318", NULL },
	{ "host:-1", NULL },
	{ "host:-ssh", NULL },
	{ "host:+22", NULL },
	{ "host: 22", NULL },
	{ "host:22 ", NULL },
	{ "host:2.2", NULL },
	{ "host:ssh/tcp", NULL },
	{ "host:ss\nh", NULL },
	{ "host", "" },
	{ "host", "65536" },
	{ "host", "-1" },
};

static void
test_split_good(void **state)
{
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		if (addr_split(good[i].text, good[i].port, host, port) != 0)
			fail_msg("\"%s\" refused", good[i].text);
		assert_string_equal(host, good[i].host);
		assert_string_equal(port, good[i].portname);
	}
}

static void
test_split_bad(void **state)
{
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (addr_split(bad[i].text, bad[i].port, host, port) !=
		    SKY_ERR_FORMAT)
			fail_msg("\"%s\" (%s) accepted or another error",
			    bad[i].text,
			    bad[i].port != NULL ? bad[i].port : "none");
}

static int
split_long(const char *before, size_t n, const char *behind,
    char host[ADDR_HOST_MAX], char port[ADDR_PORT_MAX])
{
	char text[1024], name[512];

	memset(name, 'a', n);
	name[n] = '\0';
	snprintf(text, sizeof(text), "%s%s%s", before, name, behind);
	return addr_split(text, "22", host, port);
}

static void
test_split_limits(void **state)
{
	char host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];

	(void)state;
	assert_int_equal(split_long("", ADDR_HOST_MAX - 1, ":22", host, port),
	    0);
	assert_int_equal(strlen(host), ADDR_HOST_MAX - 1);
	assert_int_equal(split_long("", ADDR_HOST_MAX, ":22", host, port),
	    SKY_ERR_LIMIT);
	assert_int_equal(split_long("", ADDR_HOST_MAX - 1, "", host, port), 0);
	assert_int_equal(split_long("", ADDR_HOST_MAX, "", host, port),
	    SKY_ERR_LIMIT);
	assert_int_equal(split_long("[", ADDR_HOST_MAX - 1, "]:1", host, port),
	    0);
	assert_int_equal(split_long("[", ADDR_HOST_MAX, "]:1", host, port),
	    SKY_ERR_LIMIT);
	assert_int_equal(split_long("host:", ADDR_PORT_MAX - 1, "", host, port),
	    0);
	assert_int_equal(strlen(port), ADDR_PORT_MAX - 1);
	assert_int_equal(split_long("host:", ADDR_PORT_MAX, "", host, port),
	    SKY_ERR_LIMIT);
}

/* --- writing ---------------------------------------------------------- */

/* A socket address of either family. */
static socklen_t
make(struct sockaddr_storage *ss, const char *host, uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, host, &sin.sin_addr) == 1) {
		memcpy(ss, &sin, sizeof(sin));
		return sizeof(sin);
	}
	assert_int_equal(inet_pton(AF_INET6, host, &sin6.sin6_addr), 1);
	memcpy(ss, &sin6, sizeof(sin6));
	return sizeof(sin6);
}

static const struct {
	const char *host;
	uint16_t port;
	const char *text, *hostport;
} written[] = {
	{ "192.0.2.1", 22, "192.0.2.1 port 22", "192.0.2.1:22" },
	{ "0.0.0.0", 0, "0.0.0.0 port 0", "0.0.0.0:0" },
	{ "255.255.255.255", 65535, "255.255.255.255 port 65535",
	    "255.255.255.255:65535" },
	{ "::1", 2022, "::1 port 2022", "[::1]:2022" },
	{ "::", 1, ":: port 1", "[::]:1" },
	{ "2001:db8::1", 22, "2001:db8::1 port 22", "[2001:db8::1]:22" },
	{ "::ffff:192.0.2.1", 22, "192.0.2.1 port 22",
	    "[::ffff:192.0.2.1]:22" },
};

static void
test_text(void **state)
{
	char text[ADDR_TEXT_MAX], host[ADDR_HOST_MAX], port[ADDR_PORT_MAX];
	struct sockaddr_storage ss;
	socklen_t len;
	const struct sockaddr *sa = (const struct sockaddr *)&ss;

	(void)state;
	for (size_t i = 0; i < COUNT(written); i++) {
		len = make(&ss, written[i].host, written[i].port);
		addr_text(sa, len, text);
		assert_string_equal(text, written[i].text);
		addr_hostport(sa, len, text);
		assert_string_equal(text, written[i].hostport);
		/* And back. */
		assert_int_equal(addr_split(text, NULL, host, port), 0);
		assert_string_equal(host, written[i].host);
		assert_int_equal(atoi(port), written[i].port);
	}
}

static void
test_text_of_others(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX,
		.sun_path = "/a:b\n" };
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	char text[ADDR_TEXT_MAX];

	(void)state;
	addr_text((struct sockaddr *)&sun, sizeof(sun), text);
	assert_string_equal(text, "local");
	addr_hostport((struct sockaddr *)&sun, sizeof(sun), text);
	assert_string_equal(text, "local");
	/* As accept(2) gives it for an unbound peer. */
	addr_text((struct sockaddr *)&sun, sizeof(sa_family_t), text);
	assert_string_equal(text, "local");
	addr_text((struct sockaddr *)&ss, sizeof(ss), text);
	assert_string_equal(text, "unknown");
	addr_hostport((struct sockaddr *)&ss, sizeof(ss), text);
	assert_string_equal(text, "unknown");
	/* Too short for its family. */
	ss.ss_family = AF_INET6;
	addr_text((struct sockaddr *)&ss, 4, text);
	assert_string_equal(text, "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split_good),
		cmocka_unit_test(test_split_bad),
		cmocka_unit_test(test_split_limits),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_of_others),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
