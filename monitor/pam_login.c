/* SPDX-License-Identifier: ISC */
/*
 * A login by PAM.  The library is loaded by the process that needs it: a
 * monitor is started for each connection, also for those that are refused, and
 * linked with it would need a third longer for that.
 */
#include "monitor/pam_login.h"

#include <ctype.h>
#include <dlfcn.h>
#include <security/pam_appl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"

#define SERVICE	 "skypty"
#define LIBRARY	 "libpam.so.0"
#define SAID_MAX 4096
/* Modules want to have a terminal: sshd says "ssh" where there is none. */
#define NO_TTY "skypty"

struct pam_login {
	pam_handle_t *h;
	int last; /* PAM_SUCCESS or what went wrong last */
	bool has_credentials, has_session;
	char said[SAID_MAX];
	/* The library's: */
	__typeof__(pam_start) *start;
	__typeof__(pam_end) *end;
	__typeof__(pam_set_item) *set_item;
	__typeof__(pam_get_item) *get_item;
	__typeof__(pam_putenv) *putenv;
	__typeof__(pam_getenvlist) *getenvlist;
	__typeof__(pam_strerror) *strerror;
	__typeof__(pam_acct_mgmt) *acct_mgmt;
	__typeof__(pam_setcred) *setcred;
	__typeof__(pam_open_session) *open_session;
	__typeof__(pam_close_session) *close_session;
};

/* As POSIX wants a function to be had from a pointer to data. */
static bool
pam_login_find(void *lib, const char *name, void *function)
{
	void *p = dlsym(lib, name);

	memcpy(function, &p, sizeof(p));
	return p != NULL;
}

static bool
pam_login_load(struct pam_login *l)
{
	void *lib = dlopen(LIBRARY, RTLD_NOW);

	return lib != NULL && pam_login_find(lib, "pam_start", &l->start) &&
	    pam_login_find(lib, "pam_end", &l->end) &&
	    pam_login_find(lib, "pam_set_item", &l->set_item) &&
	    pam_login_find(lib, "pam_get_item", &l->get_item) &&
	    pam_login_find(lib, "pam_putenv", &l->putenv) &&
	    pam_login_find(lib, "pam_getenvlist", &l->getenvlist) &&
	    pam_login_find(lib, "pam_strerror", &l->strerror) &&
	    pam_login_find(lib, "pam_acct_mgmt", &l->acct_mgmt) &&
	    pam_login_find(lib, "pam_setcred", &l->setcred) &&
	    pam_login_find(lib, "pam_open_session", &l->open_session) &&
	    pam_login_find(lib, "pam_close_session", &l->close_session);
}

/* What is told is kept; a question has nobody to answer it. */
static int
pam_login_converse(int n, const struct pam_message **msg,
    struct pam_response **resp, void *arg)
{
	struct pam_login *l = arg;

	if (n < 1 || n > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	for (int i = 0; i < n; i++)
		if (msg[i]->msg_style != PAM_TEXT_INFO &&
		    msg[i]->msg_style != PAM_ERROR_MSG)
			return PAM_CONV_ERR;
	if ((*resp = calloc((size_t)n, sizeof(**resp))) == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < n; i++) {
		strlcat(l->said, msg[i]->msg, sizeof(l->said));
		strlcat(l->said, "\n", sizeof(l->said));
	}
	return PAM_SUCCESS;
}

static bool
pam_login_put(const struct pam_login *l, const char *name, const char *value)
{
	char entry[512];

	if (*value == '\0')
		return true;
	snprintf(entry, sizeof(entry), "%s=%s", name, value);
	return l->putenv(l->h, entry) == PAM_SUCCESS;
}

static bool
pam_login_begin(struct pam_login *l, const struct pam_wish *w)
{
	const struct pam_conv conv = { pam_login_converse, l };

	l->last = l->start(SERVICE, w->user, &conv, &l->h);
	if (l->last != PAM_SUCCESS)
		return false;
	l->last = l->set_item(l->h, PAM_TTY, w->tty != NULL ? w->tty : NO_TTY);
	if (l->last == PAM_SUCCESS && *w->host != '\0')
		l->last = l->set_item(l->h, PAM_RHOST, w->host);
	return l->last == PAM_SUCCESS &&
	    pam_login_put(l, "SSH_CONNECTION", w->connection) &&
	    pam_login_put(l, "SKYPTY_PK", w->pk);
}

/* A module may make another user of him: that is not who was asked for. */
static bool
pam_login_is_same(struct pam_login *l, const char *user)
{
	const void *now = NULL;

	if (l->get_item(l->h, PAM_USER, &now) == PAM_SUCCESS && now != NULL &&
	    strcmp(now, user) == 0)
		return true;
	l->last = PAM_USER_UNKNOWN;
	return false;
}

/* These return what failed, or NULL. */
static const char *
pam_login_account(struct pam_login *l, const struct pam_wish *w)
{
	if ((l->last = l->acct_mgmt(l->h, 0)) != PAM_SUCCESS ||
	    !pam_login_is_same(l, w->user))
		return "account";
	return NULL;
}

static const char *
pam_login_run(struct pam_login *l, const struct pam_wish *w)
{
	const char *failed = pam_login_account(l, w);

	if (failed != NULL)
		return failed;
	if ((l->last = l->setcred(l->h, PAM_ESTABLISH_CRED)) != PAM_SUCCESS)
		return "credentials";
	l->has_credentials = true;
	if ((l->last = l->open_session(l->h, 0)) != PAM_SUCCESS)
		return "session";
	l->has_session = true;
	return NULL;
}

/* Of what modules have said, as one line. */
static void
pam_login_join(char *said)
{
	size_t n = strlen(said);

	while (n > 0 && isspace((unsigned char)said[n - 1]))
		said[--n] = '\0';
	for (; *said != '\0'; said++)
		if (iscntrl((unsigned char)*said))
			*said = ' ';
}

static int
pam_login_try(struct pam_login **login, const struct pam_wish *w,
    const char *(*run)(struct pam_login *, const struct pam_wish *), char *why,
    size_t len)
{
	struct pam_login *l = calloc(1, sizeof(*l));
	const char *failed = "start";

	*login = NULL;
	if (l == NULL || !pam_login_load(l)) {
		snprintf(why, len, "PAM cannot be loaded: " LIBRARY);
		free(l);
		return SKY_ERR_DENIED;
	}
	if (pam_login_begin(l, w) && (failed = run(l, w)) == NULL) {
		*login = l;
		return 0;
	}
	pam_login_join(l->said);
	snprintf(why, len, "%s may not log in by PAM (%s): %s%s%s", w->user,
	    failed, l->strerror(l->h, l->last), *l->said != '\0' ? ": " : "",
	    l->said);
	pam_login_close(l);
	return SKY_ERR_DENIED;
}

int
pam_login_open(struct pam_login **login, const struct pam_wish *w, char *why,
    size_t len)
{
	return pam_login_try(login, w, pam_login_run, why, len);
}

int
pam_login_check(const struct pam_wish *w, char *why, size_t len)
{
	struct pam_login *l;
	int r = pam_login_try(&l, w, pam_login_account, why, len);

	if (r == 0)
		pam_login_close(l);
	return r;
}

const char *
pam_login_said(const struct pam_login *l)
{
	return l->said;
}

char **
pam_login_env(struct pam_login *l)
{
	return l->getenvlist(l->h);
}

void
pam_login_close(struct pam_login *l)
{
	if (l->has_session)
		l->last = l->close_session(l->h, 0);
	if (l->has_credentials)
		l->last = l->setcred(l->h, PAM_DELETE_CRED);
	if (l->h != NULL)
		l->end(l->h, l->last);
	free(l);
}
