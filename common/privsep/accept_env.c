/* SPDX-License-Identifier: ISC */
/*
 * Which variables of a client pass.  The list of those that do is what keeps
 * the others out; the one of those that never do is for a list that is too
 * wide.  It holds what sudo takes away (env_bad of its env.c) and what has been
 * found dangerous since.
 */
#include "common/privsep/accept_env.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#define LETTERS \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
#define DIGITS	    "0123456789"
#define PATTERN_MAX 128
#define VALUE_MAX   1024

static const char *const never[] = {
	/* Who somebody is, and where programs are. */
	"PATH", "HOME", "SHELL", "USER", "LOGNAME", "MAIL", "PWD", "OLDPWD",
	"CDPATH", "TMPDIR", "TMP", "TEMP", "SSH_*", "SKYPTY_*", "XDG_*",
	"DBUS_*", "SYSTEMD_*", "SUDO_*", "DOAS_*", "NOTIFY_SOCKET", "LISTEN_*",
	/* The linker and the C library. */
	"LD_*", "_RLD*", "DYLD_*", "LIBPATH", "SHLIB_PATH", "LDR_*",
	"GLIBC_TUNABLES", "GCONV_PATH", "GETCONF_DIR", "LOCPATH", "NLSPATH",
	"PATH_LOCALE", "MALLOC_*", "RES_OPTIONS", "RESOLV_*", "HOSTALIASES",
	"LOCALDOMAIN", "TZDIR", "NIS_PATH", "ASAN_*", "UBSAN_*", "LSAN_*",
	/* Terminals. */
	"TERMINFO*", "TERMPATH", "TERMCAP",
	/* Shells. */
	"ENV", "BASH*", "SHELLOPTS", "PS[0-9]", "PROMPT*", "IFS", "FPATH",
	"GLOBIGNORE", "ZDOTDIR", "NULLCMD", "READNULLCMD", "KSH*", "ZSH*",
	"HIST*", "INPUTRC", "TMPPREFIX", "EXECIGNORE", "FCEDIT",
	/* What others run, or load. */
	"PYTHON*", "PERL*", "RUBY*", "GEM_*", "BUNDLE_*", "NODE_*", "NPM_*",
	"LUA*", "TCL*", "JAVA*", "_JAVA*", "JDK_*", "CLASSPATH", "PHP*", "R_*",
	"GO*", "CARGO*", "RUST*", "GUILE_*", "EMACS*", "VIM*", "EXINIT",
	"GIT_*", "SVN_*", "HG*", "CVS_*", "RSYNC_*", "TAR_*", "ZIPOPT",
	"GREP_OPTIONS", "LESS*", "MORE", "PAGER", "MANPAGER", "BROWSER",
	"EDITOR", "VISUAL", "SYSTEMD_EDITOR", "KRB5*", "OPENSSL_*", "SSL_*",
	"CURL_*", "WGETRC", "GNUPGHOME", "GPG_*", "MAKE*", "QT_*", "GTK_*",
	"GIO_*", "DISPLAY", "XAUTHORITY", "WAYLAND_*", "*_PROXY", "*_proxy",
	"*_PRELOAD", "*_LIBRARY_PATH", "*_ASKPASS"
};

bool
accept_env_is_list(const char *patterns)
{
	return strspn(patterns, LETTERS "*? ") == strlen(patterns);
}

/* Copies a name, so that it ends where it does. */
static bool
accept_env_matches(const char *pattern, const char *name, size_t len)
{
	char copy[PATTERN_MAX];

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, name, len);
	copy[len] = '\0';
	return fnmatch(pattern, copy, FNM_NOESCAPE) == 0;
}

bool
accept_env_never(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (accept_env_matches(never[i], name, len))
			return true;
	return false;
}

static bool
accept_env_is_listed(const char *patterns, const char *name, size_t len)
{
	char pattern[PATTERN_MAX];
	size_t n;

	for (; *(patterns += strspn(patterns, " ")) != '\0'; patterns += n) {
		n = strcspn(patterns, " ");
		if (n >= sizeof(pattern))
			continue;
		memcpy(pattern, patterns, n);
		pattern[n] = '\0';
		if (accept_env_matches(pattern, name, len))
			return true;
	}
	return false;
}

/*
 * As sudo looks at those that it lets through (env_check): a language, a
 * terminal or a time zone is found in files that its value names.
 */
static bool
accept_env_is_plain(const char *name, size_t len, const char *value)
{
	bool is_zone = len == 2 && strncmp(name, "TZ", 2) == 0;

	if (strlen(value) > VALUE_MAX)
		return false;
	for (const char *p = value; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == '\177')
			return false;
	if (is_zone)
		return *value != '/' && *value != ':' &&
		    strstr(value, "..") == NULL;
	return strpbrk(value, "/%") == NULL && strncmp(value, "() {", 4) != 0;
}

bool
accept_env(const char *patterns, const char *entry)
{
	size_t len = strspn(entry, LETTERS);

	return len > 0 && len < PATTERN_MAX && entry[len] == '=' &&
	    strchr(DIGITS, *entry) == NULL &&
	    accept_env_is_listed(patterns, entry, len) &&
	    !accept_env_never(entry, len) &&
	    accept_env_is_plain(entry, len, entry + len + 1);
}
