/* SPDX-License-Identifier: ISC */
/*
 * What the hosts write.  Of each the beginning is kept, in bounded memory, and
 * a sum of the whole; --output keeps all of it in files.  Those that wrote the
 * same and ended alike are one group.  Bytes of hosts reach the terminal only
 * as text that drives nothing.
 */
#include "client/complain.h"
#include "client/exits.h"
#include "client/fleet/fleet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/visible.h"

#define TEXT_MAX       (256U * 1024)	   /* kept of a host, each of the two */
#define KEPT_MAX       (64U * 1024 * 1024) /* kept of all groups */
#define KEPT_LEAST     1024		   /* of each, when that is used up */
#define LINE_MAX_BYTES 4096 /* of --live; a longer one is broken */
#define TABLE	       4096
#define NAMES_SHOWN    12

/* --- while the command runs --- */

/* "a/b" as "a%2Fb", as in a URL. */
char *
fleet_file_name(const struct fleet_host *h, const char *more)
{
	size_t n = strlen(h->canon), size = 3 * n + strlen(more) + 1;
	char *name = malloc(size), *to = name;

	for (size_t i = 0; name != NULL && i < n; i++) {
		uint8_t c = (uint8_t)h->canon[i];

		if (c < ' ' || c == 0x7f || c == '/' || c == '%' ||
		    (c == '.' && i == 0))
			to += snprintf(to, 4, "%%%02X", c);
		else
			*to++ = (char)c;
	}
	if (name != NULL)
		strlcpy(to, more, size - (size_t)(to - name));
	return name;
}

static int
output_open_file(struct fleet *f, const struct fleet_host *h, const char *kind)
{
	char *name = fleet_file_name(h, kind);
	int fd;

	if (name == NULL)
		return -1;
	fd = openat(f->folder, name,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd == -1)
		fleet_say(f, "%s/%s: %s", f->o->fleet.output, name,
		    strerror(errno));
	free(name);
	return fd;
}

int
fleet_output_begin(struct fleet_output *out, struct fleet *f,
    const struct fleet_host *h)
{
	static const char *const kinds[] = { ".out", ".err" };

	memset(out, 0, sizeof(*out));
	for (int i = 0; i < 2; i++) {
		buf_init(&out->text[i], TEXT_MAX);
		buf_init(&out->line[i], LINE_MAX_BYTES);
		crypto_hash_sha256_init(&out->sum[i]);
		out->file[i] = -1;
	}
	for (int i = 0; i < 2 && f->folder != -1 && h != NULL; i++)
		if ((out->file[i] = output_open_file(f, h, kinds[i])) == -1) {
			fleet_output_drop(out);
			return -1;
		}
	return 0;
}

static void
output_live_line(struct fleet_output *out, struct fleet *f,
    const struct fleet_host *h, int which)
{
	struct buf *line = &out->line[which];
	FILE *to = which == 0 ? stdout : stderr;
	size_t n = buf_len(line), size = VISIBLE_GROWTH * n + 1;
	char *text = malloc(size);

	if (text != NULL) {
		visible_text(text, size, buf_ptr(line), n, 0);
		fleet_clear(f);
		fprintf(to, "%s: %s\n", h->label, text);
	}
	free(text);
	buf_reset(line);
}

static void
output_live(struct fleet_output *out, struct fleet *f,
    const struct fleet_host *h, int which, const uint8_t *p, size_t n)
{
	struct buf *line = &out->line[which];

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n' || buf_room(line) == 0)
			output_live_line(out, f, h, which);
		if (p[i] != '\n' && p[i] != '\r')
			(void)buf_put(line, p + i, 1);
	}
	fflush(which == 0 ? stdout : stderr);
}

/* A disk that is full ends the run: what is not kept is lost. */
static void
output_write(struct fleet_output *out, struct fleet *f,
    const struct fleet_host *h, int which, const uint8_t *p, size_t n)
{
	ssize_t r;

	while (n > 0 && out->file[which] != -1) {
		r = write(out->file[which], p, n);
		if (r == -1 && errno == EINTR)
			continue;
		if (r <= 0) {
			fleet_say(f, "%s: %s: output is lost: %s",
			    f->o->fleet.output, h->label, strerror(errno));
			close(out->file[which]);
			out->file[which] = -1;
			fleet_stop(f, "output cannot be written");
			return;
		}
		p += r;
		n -= (size_t)r;
	}
}

void
fleet_output_take(struct fleet_output *out, struct fleet *f,
    const struct fleet_host *h, int which, const uint8_t *p, size_t n)
{
	size_t room = buf_room(&out->text[which]);

	out->total[which] += n;
	crypto_hash_sha256_update(&out->sum[which], p, n);
	(void)buf_put(&out->text[which], p, n < room ? n : room);
	output_write(out, f, h, which, p, n);
	if (f->o->fleet.live)
		output_live(out, f, h, which, p, n);
}

void
fleet_output_drop(struct fleet_output *out)
{
	for (int i = 0; i < 2; i++) {
		buf_free(&out->text[i]);
		buf_free(&out->line[i]);
		if (out->file[i] != -1)
			close(out->file[i]);
		out->file[i] = -1;
	}
}

/* --- groups --- */

static void
output_hash(struct fleet_output *out, const struct fleet_host *h,
    uint8_t hash[32])
{
	uint8_t sum[crypto_hash_sha256_BYTES];
	int32_t end[2] = { (int32_t)h->outcome, h->status };
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, (const uint8_t *)end, sizeof(end));
	for (int i = 0; i < 2; i++) {
		crypto_hash_sha256_final(&out->sum[i], sum);
		crypto_hash_sha256_update(&st, sum, sizeof(sum));
	}
	crypto_hash_sha256_final(&st, hash);
}

/* A part of what was kept, in a buffer of its own size. */
static void
output_keep(struct fleet *f, struct buf *to, const struct buf *from)
{
	size_t n = buf_len(from);

	if (f->kept + n > KEPT_MAX && n > KEPT_LEAST)
		n = KEPT_LEAST;
	buf_init(to, TEXT_MAX);
	if (buf_put(to, buf_ptr(from), n) == 0)
		f->kept += n;
}

static struct fleet_group *
output_group(struct fleet *f, struct fleet_output *out,
    const struct fleet_host *h)
{
	struct fleet_group *g, **slot;
	uint8_t hash[32];

	output_hash(out, h, hash);
	if (f->table == NULL &&
	    (f->table = calloc(TABLE, sizeof(*f->table))) == NULL)
		return NULL;
	slot = &f->table[(hash[0] | (unsigned)hash[1] << 8) % TABLE];
	for (g = *slot; g != NULL; g = g->chain)
		if (memcmp(g->hash, hash, sizeof(hash)) == 0)
			return g;
	if ((g = calloc(1, sizeof(*g))) == NULL)
		return NULL;
	memcpy(g->hash, hash, sizeof(hash));
	for (int i = 0; i < 2; i++) {
		output_keep(f, &g->text[i], &out->text[i]);
		g->total[i] = out->total[i];
	}
	g->chain = *slot;
	*slot = g;
	if (f->groups == NULL)
		f->last_group = &f->groups;
	*f->last_group = g;
	f->last_group = &g->next;
	return g;
}

static void
output_status_file(struct fleet *f, const struct fleet_host *h)
{
	char text[64];
	int fd;

	if (f->folder == -1 || (fd = output_open_file(f, h, ".status")) == -1)
		return;
	snprintf(text, sizeof(text), "%s %d\n", fleet_outcome_word(h->outcome),
	    h->status);
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
		fleet_say(f, "%s: %s: %s", f->o->fleet.output, h->label,
		    strerror(errno));
		fleet_stop(f, "output cannot be written");
	}
	close(fd);
}

void
fleet_output_end(struct fleet_output *out, struct fleet *f,
    struct fleet_host *h)
{
	struct fleet_group *g;

	for (int i = 0; i < 2; i++)
		if (buf_len(&out->line[i]) != 0)
			output_live_line(out, f, h, i);
	output_status_file(f, h);
	/* There may be another attempt, and there is nothing to show. */
	if (h->outcome == OUTCOME_UNREACHED) {
		fleet_output_drop(out);
		return;
	}
	if ((g = output_group(f, out, h)) != NULL) {
		h->group = g;
		g->n++;
	}
	fleet_output_drop(out);
}

/* --- at the end --- */

static void
output_print(const struct buf *text, uint64_t total, FILE *to)
{
	const uint8_t *p = buf_ptr(text), *end = p + buf_len(text), *stop;
	char *line;
	size_t n, size;

	for (; p < end; p = stop + (stop < end)) {
		if ((stop = memchr(p, '\n', (size_t)(end - p))) == NULL)
			stop = end;
		n = (size_t)(stop - p);
		if (n > 0 && p[n - 1] == '\r')
			n--;
		size = VISIBLE_GROWTH * n + 1;
		if ((line = malloc(size)) == NULL)
			return;
		visible_text(line, size, p, n, 0);
		fprintf(to, "%s\n", line);
		free(line);
	}
	if (total > buf_len(text))
		fprintf(to, "[%llu more bytes: --output keeps all]\n",
		    (unsigned long long)(total - buf_len(text)));
}

static void
output_print_head(const struct fleet *f, const struct fleet_group *g)
{
	size_t shown = 0;
	char how[64];

	printf("%zu host%s: ", g->n, g->n == 1 ? "" : "s");
	for (const struct fleet_host *h = g->first; h != NULL;
	     h = h->next_in_group) {
		if (shown == NAMES_SHOWN && g->n > NAMES_SHOWN + 1 &&
		    !f->o->verbose) {
			printf(" and %zu more", g->n - shown);
			break;
		}
		printf("%s%s", shown++ != 0 ? ", " : "", h->label);
	}
	fleet_outcome_text(g->first, how, sizeof(how));
	if (g->first->outcome != OUTCOME_OK)
		printf(" (%s)", how);
	putchar('\n');
}

void
fleet_output_tell(struct fleet *f)
{
	struct fleet_host *h;

	if (f->o->fleet.live)
		return;
	/* In the order of the plan, whoever was done first. */
	for (size_t i = f->hosts.n; i-- > 0;) {
		h = &f->hosts.host[i];
		if (h->group == NULL)
			continue;
		h->next_in_group = h->group->first;
		h->group->first = h;
	}
	for (const struct fleet_group *g = f->groups; g != NULL; g = g->next) {
		if (g->total[0] == 0 && g->total[1] == 0)
			continue;
		output_print_head(f, g);
		output_print(&g->text[0], g->total[0], stdout);
		output_print(&g->text[1], g->total[1], stdout);
		putchar('\n');
	}
}

void
fleet_output_free(struct fleet *f)
{
	struct fleet_group *g;

	while ((g = f->groups) != NULL) {
		f->groups = g->next;
		buf_free(&g->text[0]);
		buf_free(&g->text[1]);
		free(g);
	}
	free(f->table);
	f->table = NULL;
}
