/* SPDX-License-Identifier: ISC */
/* The message with which a monitor's life begins. */
#include "common/privsep/start.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/privsep/permits.h"

#define PATH_LIMIT    4096
#define SERVERS_LIMIT 65536

static int
put_settings(struct buf *b, const struct start *s)
{
	int r;

	if ((r = buf_put_u32(b, PRIVMSG_VERSION)) != 0 ||
	    (r = buf_put_u8(b, (uint8_t)s->carrier)) != 0 ||
	    (r = buf_put_u8(b, s->log_level)) != 0 ||
	    (r = buf_put_u8(b, s->use_syslog)) != 0 ||
	    (r = buf_put_u8(b, s->log_format)) != 0 ||
	    (r = buf_put_u8(b, s->quiet)) != 0 ||
	    (r = buf_put_u16(b, s->handshake_timeout)) != 0 ||
	    (r = buf_put_u8(b, s->welcome)) != 0 ||
	    (r = buf_put_u32(b, s->uid)) != 0 ||
	    (r = buf_put_u32(b, s->gid)) != 0 ||
	    (r = buf_put_cstring(b, s->peer)) != 0 ||
	    (r = buf_put_cstring(b, s->chroot_dir)) != 0 ||
	    (r = buf_put_u16(b, s->oom_score)) != 0)
		return r;
	return buf_put_u64(b, s->id);
}

static int
put_dmsg(struct buf *b, const struct start *s)
{
	int r;

	if ((r = buf_put_u16(b, s->dmsgport)) != 0 ||
	    (r = buf_put_u32(b, s->dmsgsessions)) != 0 ||
	    (r = buf_put_cstring(b, s->dmsgdisc)) != 0)
		return r;
	return buf_put_cstring(b, s->dmsg_servers);
}

static int
put_conn(struct buf *b, const struct start *s)
{
	int r;

	if (s->nwl > START_WL_MAX)
		return SKY_ERR_LIMIT;
	if ((r = buf_put_u32(b, s->cligroup)) != 0 ||
	    (r = buf_put_cstring(b, s->conf)) != 0 ||
	    (r = buf_put_cstring(b, s->sftp_server)) != 0 ||
	    (r = buf_put_u8(b, s->sftp_readonly)) != 0 ||
	    (r = buf_put_u8(b, s->sftp_log)) != 0 ||
	    (r = buf_put_cstring(b, s->authorized)) != 0 ||
	    (r = buf_put_u8(b, s->authorized_given)) != 0 ||
	    (r = buf_put_cstring(b, s->revoked)) != 0 ||
	    (r = buf_put_u8(b, s->revoked_given)) != 0 ||
	    (r = buf_put_cstring(b, s->accept_env)) != 0 ||
	    (r = buf_put_cstring(b, s->record)) != 0 ||
	    (r = buf_put_u8(b, s->record_all)) != 0 ||
	    (r = buf_put_u8(b, s->pam)) != 0 ||
	    (r = buf_put_u8(b, s->require_pq)) != 0 ||
	    (r = buf_put_u32(b, s->max_jobs)) != 0 ||
	    (r = buf_put_u32(b, s->job_output)) != 0 ||
	    (r = buf_put_u32(b, s->job_age)) != 0 ||
	    (r = buf_put_cstring(b, s->job_dir)) != 0 ||
	    (r = buf_put_cstring(b, s->permitopen)) != 0 ||
	    (r = buf_put_cstring(b, s->permitlisten)) != 0)
		return r;
	for (size_t i = 0; r == 0 && i < s->nwl; i++)
		r = buf_put(b, s->wl[i].b, KEY_PUBLIC_LEN);
	return r;
}

int
start_send(int sock, const struct start *s)
{
	struct buf b;
	int r;

	buf_init(&b, PRIVMSG_MAX - PRIVMSG_HEAD_LEN);
	if ((r = put_settings(&b, s)) == 0 &&
	    (r = buf_put(&b, s->pk.b, KEY_PUBLIC_LEN)) == 0 &&
	    (r = buf_put_string(&b, s->sk,
		 s->sk != NULL ? KEY_SECRET_LEN : 0)) == 0 &&
	    (r = s->carrier == PRIV_DMSG ? put_dmsg(&b, s) : put_conn(&b, s)) ==
		0)
		r = privmsg_send(sock, PM_START, 0, &b, NULL, 0);
	buf_free(&b);
	return r;
}

static int
get_settings(struct buf *b, struct start *s)
{
	uint8_t carrier, use_syslog, quiet;
	uint32_t version;
	int r;

	if ((r = buf_get_u32(b, &version)) != 0)
		return r;
	if (version != PRIVMSG_VERSION)
		return SKY_ERR_FORMAT;
	if ((r = buf_get_u8(b, &carrier)) != 0 ||
	    (r = buf_get_u8(b, &s->log_level)) != 0 ||
	    (r = buf_get_u8(b, &use_syslog)) != 0 ||
	    (r = buf_get_u8(b, &s->log_format)) != 0 ||
	    (r = buf_get_u8(b, &quiet)) != 0 ||
	    (r = buf_get_u16(b, &s->handshake_timeout)) != 0 ||
	    (r = buf_get_u8(b, &s->welcome)) != 0 ||
	    (r = buf_get_u32(b, &s->uid)) != 0 ||
	    (r = buf_get_u32(b, &s->gid)) != 0 ||
	    (r = buf_get_cstring(b, &s->peer, PATH_LIMIT)) != 0 ||
	    (r = buf_get_cstring(b, &s->chroot_dir, PATH_LIMIT)) != 0 ||
	    (r = buf_get_u16(b, &s->oom_score)) != 0 ||
	    (r = buf_get_u64(b, &s->id)) != 0)
		return r;
	s->carrier = (enum priv_carrier)carrier;
	s->use_syslog = use_syslog != 0;
	s->quiet = quiet != 0;
	return carrier > PRIV_DMSG ? SKY_ERR_RANGE : 0;
}

static int
get_sk(struct buf *b, struct start *s)
{
	struct buf v;
	uint8_t *sk;
	int r;

	if ((r = buf_get_string(b, &v)) != 0)
		return r;
	if (buf_len(&v) == 0)
		return s->carrier == PRIV_CONTROL ? 0 : SKY_ERR_FORMAT;
	if (buf_len(&v) != KEY_SECRET_LEN)
		return SKY_ERR_FORMAT;
	if ((sk = sodium_malloc(KEY_SECRET_LEN)) == NULL)
		return SKY_ERR_NOMEM;
	s->sk = sk;
	return buf_get(&v, sk, KEY_SECRET_LEN);
}

static int
get_wl(struct buf *b, struct start *s)
{
	size_t n = buf_len(b) / KEY_PUBLIC_LEN;
	struct key_public *wl;

	if (n > START_WL_MAX || buf_len(b) % KEY_PUBLIC_LEN != 0)
		return SKY_ERR_FORMAT;
	if (n == 0)
		return 0;
	if ((wl = calloc(n, sizeof(*wl))) == NULL)
		return SKY_ERR_NOMEM;
	s->wl = wl;
	s->nwl = n;
	return buf_get(b, wl, n * sizeof(*wl));
}

static int
get_dmsg(struct buf *b, struct start *s)
{
	int r;

	s->cligroup = (gid_t)-1;
	if ((r = buf_get_u16(b, &s->dmsgport)) != 0 ||
	    (r = buf_get_u32(b, &s->dmsgsessions)) != 0 ||
	    (r = buf_get_cstring(b, &s->dmsgdisc, PATH_LIMIT)) != 0 ||
	    (r = buf_get_cstring(b, &s->dmsg_servers, SERVERS_LIMIT)) != 0)
		return r;
	return buf_at_end(b);
}

static int
get_conn(struct buf *b, struct start *s)
{
	uint8_t readonly, authorized, revoked, record_all, pam, require_pq;
	int r;

	if ((r = buf_get_u32(b, &s->cligroup)) != 0 ||
	    (r = buf_get_cstring(b, &s->conf, PATH_LIMIT)) != 0 ||
	    (r = buf_get_cstring(b, &s->sftp_server, PATH_LIMIT)) != 0 ||
	    (r = buf_get_u8(b, &readonly)) != 0 ||
	    (r = buf_get_u8(b, &s->sftp_log)) != 0 ||
	    (r = buf_get_cstring(b, &s->authorized, PATH_LIMIT)) != 0 ||
	    (r = buf_get_u8(b, &authorized)) != 0 ||
	    (r = buf_get_cstring(b, &s->revoked, PATH_LIMIT)) != 0 ||
	    (r = buf_get_u8(b, &revoked)) != 0 ||
	    (r = buf_get_cstring(b, &s->accept_env, PATH_LIMIT)) != 0 ||
	    (r = buf_get_cstring(b, &s->record, PATH_LIMIT)) != 0 ||
	    (r = buf_get_u8(b, &record_all)) != 0 ||
	    (r = buf_get_u8(b, &pam)) != 0 ||
	    (r = buf_get_u8(b, &require_pq)) != 0 ||
	    (r = buf_get_u32(b, &s->max_jobs)) != 0 ||
	    (r = buf_get_u32(b, &s->job_output)) != 0 ||
	    (r = buf_get_u32(b, &s->job_age)) != 0 ||
	    (r = buf_get_cstring(b, &s->job_dir, PATH_LIMIT)) != 0 ||
	    (r = buf_get_cstring(b, &s->permitopen, PERMITS_TEXT_MAX)) != 0 ||
	    (r = buf_get_cstring(b, &s->permitlisten, PERMITS_TEXT_MAX)) != 0)
		return r;
	s->sftp_readonly = readonly != 0;
	s->authorized_given = authorized != 0;
	s->revoked_given = revoked != 0;
	s->record_all = record_all != 0;
	s->pam = pam != 0;
	s->require_pq = require_pq != 0;
	return get_wl(b, s);
}

int
start_recv(int sock, struct start *s)
{
	struct privmsg m = { 0 };
	int r;

	memset(s, 0, sizeof(*s));
	if (sodium_init() == -1)
		return SKY_ERR_STATE;
	if ((r = privmsg_recv(sock, &m, false)) == 1)
		r = m.type == PM_START ? 0 : SKY_ERR_STATE;
	if (r == 0 && (r = get_settings(&m.body, s)) == 0 &&
	    (r = buf_get(&m.body, s->pk.b, KEY_PUBLIC_LEN)) == 0 &&
	    (r = get_sk(&m.body, s)) == 0)
		r = s->carrier == PRIV_DMSG ? get_dmsg(&m.body, s) :
					      get_conn(&m.body, s);
	privmsg_free(&m);
	if (r != 0)
		start_free(s);
	return r;
}

void
start_free(struct start *s)
{
	sodium_free(s->sk);
	free(s->peer);
	free(s->chroot_dir);
	free(s->dmsgdisc);
	free(s->dmsg_servers);
	free(s->conf);
	free(s->sftp_server);
	free(s->authorized);
	free(s->revoked);
	free(s->accept_env);
	free(s->record);
	free(s->job_dir);
	free(s->permitopen);
	free(s->permitlisten);
	free(s->wl);
	memset(s, 0, sizeof(*s));
}
