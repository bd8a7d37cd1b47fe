/* SPDX-License-Identifier: ISC */
/*
 * What the rights of a key make of its session: what it is granted, once and
 * for good, whom it runs as, and how long it may be idle.
 */
#include "monitor/session.h"

#include <event2/event.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "monitor/about.h"
#include "monitor/account.h"
#include "monitor/monitor.h"

/* sshd's word for its own SFTP server, and for nothing else than files. */
#define FILES_ONLY "internal-sftp"

/* --- grants --- */

static bool
session_is_for_files(const struct rights *r)
{
	return r->command != NULL && strcmp(r->command, FILES_ONLY) == 0;
}

/*
 * A forced command runs by whatever way one is asked for; a key whose world is
 * a folder gets nothing that would run outside of it.
 */
static uint32_t
session_grants(const struct rights *r)
{
	uint32_t grants = r->grants & PRIV_GRANTS_KEY;

	if (session_is_for_files(r))
		return PRIV_GRANT_SFTP;
	/* What forwards connections is outside of the folder. */
	if (r->sftp_root != NULL)
		grants &= ~(uint32_t)PRIV_GRANT_FORWARD;
	if (r->command != NULL)
		return grants | PRIV_GRANT_EXEC | PRIV_GRANT_SFTP;
	if (r->sftp_root != NULL)
		return grants & PRIV_GRANT_SFTP;
	return grants;
}

bool
session_forces_files(const struct monitor *m)
{
	const struct rights *r = &m->rights;

	return r->command != NULL && !session_is_for_files(r) &&
	    (r->grants & PRIV_GRANT_SFTP) == 0;
}

/* --- idle time --- */

/*
 * A child that lies about it stays as long as its peer could by sending a
 * byte now and then; one that says nothing does not.
 */
static void
session_on_idle(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *m = arg;

	log_event(LOG_LEVEL_INFO, LOG_EVENT("idle"),
	    "Nothing moved for %u seconds (idle-timeout)",
	    m->rights.idle_timeout);
	half_die(&m->half, "idle");
}

static int
session_wait_idle(struct monitor *m)
{
	struct timeval tv = { .tv_sec = (time_t)m->rights.idle_timeout };

	return event_add(m->idle, &tv) == 0 ? 0 : SKY_ERR_NOMEM;
}

int
session_active(struct half *h, struct privmsg *msg)
{
	struct monitor *m = monitor_of(h);
	int r;

	if ((r = about_moved(m, &msg->body)) != 0)
		return r;
	return m->idle != NULL ? session_wait_idle(m) : 0;
}

/* --- the beginning --- */

void
session_begin(struct monitor *m)
{
	m->half.grants = session_grants(&m->rights);
	if (m->rights.verbose)
		log_set_level(LOG_LEVEL_DEBUG);
	if (m->rights.idle_timeout == 0)
		return;
	m->idle = evtimer_new(m->half.base, session_on_idle, m);
	if (m->idle == NULL || session_wait_idle(m) != 0)
		half_die(&m->half, "out of memory");
}

void
session_begin_control(struct monitor *m)
{
	m->rights.full = true;
	m->rights.grants = PRIV_GRANTS_KEY;
	session_begin(m);
	m->half.grants |= PRIV_GRANT_WHITELIST | PRIV_GRANT_DIAL;
}

/* --- whom it runs as --- */

/* By its number, as several names may be one user. */
static bool
session_is_own_user(const char *name)
{
	const struct passwd *pw = getpwnam(name);

	return pw != NULL && pw->pw_uid == geteuid();
}

static bool
session_may_be(const struct monitor *m, const char *name)
{
	const struct rights *r = &m->rights;

	if (r->nuser == 0)
		return session_is_own_user(name);
	for (size_t i = 0; i < r->nuser; i++)
		if (strcmp(r->user[i], name) == 0)
			return true;
	return false;
}

static void
session_refuse_user(const struct monitor *m, const char *name, char *why,
    size_t len)
{
	const struct rights *r = &m->rights;
	const struct passwd *pw = r->nuser == 0 ? getpwuid(geteuid()) : NULL;
	const char *own = pw != NULL ? pw->pw_name : "the daemon";

	(void)snprintf(why, len, "this key's sessions are %s's%s and not %s's",
	    r->nuser != 0 ? r->user[0] : own,
	    r->nuser > 1 ? ", or another's of its user=," : "", name);
	log_event(LOG_LEVEL_INFO, LOG_EVENT("user-refused"),
	    "Refused user %s: not one of this key's", name);
}

/* Who may not be somebody learns nothing of whether there is such a user. */
int
session_user(struct half *h, struct privmsg *msg)
{
	struct monitor *m = monitor_of(h);
	char why[PRIVMSG_TEXT_MAX] = "", *name;
	int r;

	if ((r = buf_get_cstring(&msg->body, &name, PRIV_USER_MAX)) != 0)
		return r;
	if ((r = buf_at_end(&msg->body)) == 0) {
		if (!session_may_be(m, name))
			session_refuse_user(m, name, why, sizeof(why));
		else
			(void)account_set(m, name, why, sizeof(why));
		half_answer_why(h, msg, why);
	}
	free(name);
	return r;
}

unsigned
session_started(const struct half *h)
{
	return monitor_of_const(h)->started;
}

bool
session_ready(struct monitor *m, char *why, size_t len)
{
	const struct rights *r = &m->rights;

	m->started = true;
	return m->account.pw_name != NULL ||
	    account_set(m, r->nuser != 0 ? r->user[0] : NULL, why, len) == 0;
}
