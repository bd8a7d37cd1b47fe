/* SPDX-License-Identifier: ISC */
/*
 * What programs that stand in for skyptyd-net share.  A test copies skyptyd
 * and skyptyd-monitor into a folder and puts such a program beside them under
 * the name of skyptyd-net.
 */
#ifndef REGRESS_SYS_STAND_IN_H
#define REGRESS_SYS_STAND_IN_H

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/privsep/http_conf.h"
#include "common/privsep/privmsg.h"
#include "common/privsep/sandbox.h"
#include "daemon/http/http_confine.h"
#include "regress/sys/less_landlock.h"

/* The path of a file in the program's own folder. */
static inline bool
stand_in_path(const char *name, char path[PATH_MAX])
{
	char self[PATH_MAX], *slash;
	ssize_t n;

	if ((n = readlink("/proc/self/exe", self, sizeof(self) - 1)) == -1)
		return false;
	self[n] = '\0';
	if ((slash = strrchr(self, '/')) == NULL)
		return false;
	*slash = '\0';
	return snprintf(path, PATH_MAX, "%s/%s", self, name) < PATH_MAX;
}

/* The first line of a file there. */
static inline bool
stand_in_order(const char *file, char *line, size_t len)
{
	char path[PATH_MAX];
	FILE *f;
	bool ok;

	if (!stand_in_path(file, path) || (f = fopen(path, "re")) == NULL)
		return false;
	if ((ok = fgets(line, (int)len, f) != NULL))
		line[strcspn(line, "\n")] = '\0';
	fclose(f);
	return ok;
}

/* Becomes the real program; nothing has been read from its descriptors. */
static inline void
stand_in_step_aside(void)
{
	char path[PATH_MAX];
	char *argv[] = { (char *)(uintptr_t) "skyptyd: net", NULL };
	char *envp[] = { NULL };

	if (stand_in_path("skyptyd-net.real", path))
		execve(path, argv, envp);
	_exit(1);
}

static inline void
stand_in_log(const char *text)
{
	struct buf b;

	buf_init(&b, 1024);
	if (buf_put_u8(&b, LOG_LEVEL_INFO) == 0 &&
	    buf_put_cstring(&b, text) == 0)
		(void)privmsg_send(PRIV_FD_PEER, PM_LOG, 0, &b, NULL, 0);
	buf_free(&b);
}

static inline void
stand_in_report(void *arg, const char *step, const char *detail, int error)
{
	char text[256];

	(void)arg, (void)detail;
	if (error == 0)
		return;
	snprintf(text, sizeof(text), "stand-in: confinement: %s: %s", step,
	    strerror(error));
	stand_in_log(text);
}

/* As if the kernel had the ABI of Landlock that the file "landlock" says. */
static inline void
stand_in_landlock(void)
{
	char abi[16];

	if (stand_in_order("landlock", abi, sizeof(abi)))
		less_landlock(atoi(abi));
}

/* The same for skyptyd-http, whose monitor tells more. */
static inline bool
stand_in_confine_http(struct buf *config)
{
	struct http_conf c;
	bool ok;

	stand_in_landlock();
	ok = http_conf_get(config, &c) == 0 &&
	    http_confine(&c, stand_in_report, NULL) == 0;

	http_conf_free(&c);
	return ok;
}

/*
 * Takes the monitor's WELCOME and enters the sandbox that it describes, as
 * daemon/net/net_mon.c does.
 */
static inline bool
stand_in_confine(unsigned nofile, enum priv_carrier *carrier)
{
	struct privmsg m = { 0 };
	struct sandbox sb = { .nofile = nofile };
	uint32_t version, uid, gid;
	uint8_t kind, flags;
	char *root = NULL;

	if (carrier != NULL)
		*carrier = PRIV_XK;
	if (privmsg_recv(PRIV_FD_PEER, &m, true) != 1)
		return false;
	if (m.type == HTTP_CONFIG)
		return stand_in_confine_http(&m.body);
	if (m.type != PM_WELCOME || buf_get_u32(&m.body, &version) != 0 ||
	    version != PRIVMSG_VERSION || buf_get_u8(&m.body, &kind) != 0 ||
	    buf_get_u32(&m.body, &uid) != 0 ||
	    buf_get_u32(&m.body, &gid) != 0 ||
	    buf_get_u8(&m.body, &flags) != 0 ||
	    buf_get_cstring(&m.body, &root, PRIVMSG_TEXT_MAX) != 0)
		return false;
	stand_in_landlock();
	sb.program = kind == PRIV_DMSG ? SANDBOX_DMSG : SANDBOX_NET;
	sb.drop = flags & PRIV_DROP;
	sb.best_effort = flags & PRIV_BEST_EFFORT;
	sb.root = root;
	sb.uid = uid;
	sb.gid = gid;
	if (carrier != NULL)
		*carrier = (enum priv_carrier)kind;
	privmsg_free(&m);
	return sandbox_enter(&sb, stand_in_report, NULL) == 0;
}

#endif
