/* SPDX-License-Identifier: ISC */
/*
 * What skypty fleet reads: files of hosts, and journals of earlier runs.  The
 * first byte says which of the two follows.
 */
#include "regress/fuzz/host.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "client/fleet/fleet.h"
#include "common/pty/keys.h"

#define INPUT_MAX 4096
#define ID	  "20261127-120000-0000"
#define NAMES                                                          \
	"Host web-1 web-2 web-10\nKey 02"                              \
	"79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f8" \
	"1798\nAddress web\nHost db-*\nVia tcp://x\n"

static struct keyctx *keys;
static char state[64], journal[128], list[64], names[64];
static int journal_fd, list_fd;

static int
memory(const char *name, char path[64])
{
	int fd = memfd_create(name, 0);

	require(fd != -1 && fchmod(fd, 0600) == 0);
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

static void
tidy(void)
{
	char folder[128];

	(void)unlink(journal);
	snprintf(folder, sizeof(folder), "%s/skypty/fleet", state);
	(void)rmdir(folder);
	snprintf(folder, sizeof(folder), "%s/skypty", state);
	(void)rmdir(folder);
	(void)rmdir(state);
}

static void
make_journal(void)
{
	char folder[128];

	strcpy(state, "/tmp/skypty-fleet-XXXXXX");
	require(mkdtemp(state) != NULL && atexit(tidy) == 0);
	snprintf(folder, sizeof(folder), "%s/skypty", state);
	require(mkdir(folder, 0700) == 0);
	snprintf(folder, sizeof(folder), "%s/skypty/fleet", state);
	require(mkdir(folder, 0700) == 0);
	snprintf(journal, sizeof(journal), "%s/skypty/fleet/" ID ".journal",
	    state);
	journal_fd = open(journal, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	require(journal_fd != -1);
	require(setenv("XDG_STATE_HOME", state, 1) == 0);
}

static void
fill(int fd, const uint8_t *data, size_t n)
{
	require(ftruncate(fd, 0) == 0);
	require(pwrite(fd, data, n, 0) == (ssize_t)n);
}

/* --- journals --- */

static void
check_record(const struct fleet_record *rec)
{
	const struct fleet_plan *p = &rec->plan;

	for (size_t i = 0; i < p->nbatch; i++)
		require(p->end[i] <= rec->hosts.n &&
		    (i == 0 || p->end[i] > p->end[i - 1]));
	require(!rec->planned ||
	    (p->nbatch != 0 && p->end[p->nbatch - 1] == rec->hosts.n));
	for (size_t i = 0; i < rec->hosts.n; i++) {
		const struct fleet_host *h = &rec->hosts.host[i];

		require(h->dest != NULL && h->canon != NULL && h->label);
		require(fleet_outcome_word(h->outcome) != NULL);
		require(rec->planned ||
		    (h->outcome == OUTCOME_LEFT && !h->began && !h->passed));
	}
	require(rec->nword == 0 || rec->word[rec->nword] == NULL);
	require(rec->ncommand == 0 || rec->command[rec->ncommand] == NULL);
}

/* What is taken over says the same once more, and is whole. */
static void
fuzz_journal(const uint8_t *data, size_t n)
{
	struct fleet_journal j;
	struct fleet_record rec, again;
	bool busy, ok;
	off_t len;

	fill(journal_fd, data, n);
	(void)fleet_list();
	(void)fleet_show(ID);
	ok = fleet_journal_look(&j, ID, &rec, &busy) == 0;
	len = j.len;
	fleet_journal_close(&j);
	if (ok) {
		require(len == 0 || data[len - 1] == '\n');
		check_record(&rec);
		require(fleet_journal_open(&j, ID, &again) == 0);
		fleet_record_free(&again);
		fleet_journal_close(&j);
		require(fleet_journal_look(&j, ID, &again, &busy) == 0);
		require(j.len == len && lseek(journal_fd, 0, SEEK_END) == len);
		require(again.hosts.n == rec.hosts.n &&
		    again.planned == rec.planned && again.nword == rec.nword &&
		    again.ncommand == rec.ncommand);
		fleet_record_free(&again);
		fleet_journal_close(&j);
	}
	fleet_record_free(&rec);
}

/* --- files of hosts --- */

static void
check_host(const struct fleet_host *h)
{
	require(h->dest != NULL && h->canon != NULL && h->label != NULL);
	for (const char *p = h->label; *p != '\0'; p++)
		require((uint8_t)*p >= ' ' && *p != 0x7f);
	for (size_t i = 0; h->tag != NULL && h->tag[i] != NULL; i++)
		require(*h->tag[i] != '\0');
}

static void
fuzz_hosts(const uint8_t *data, size_t n)
{
	struct client_options o;
	struct fleet_hosts hosts = { .n = 0 }, again = { .n = 0 };
	char word[80], *words[] = { word, word };
	int r;

	options_init(&o);
	o.hosts = names;
	fill(list_fd, data, n);
	snprintf(word, sizeof(word), "@%s", list);
	r = fleet_hosts_find(&hosts, keys, &o, words, 1);
	require(r == 0 || r == EXIT_USAGE || r == EXIT_FAILED);
	for (size_t i = 0; i < hosts.n; i++)
		check_host(&hosts.host[i]);
	/* Named once more, each still has one turn, in the same order. */
	require(fleet_hosts_find(&again, keys, &o, words, r == 0 ? 2 : 1) == r);
	require(r != 0 || again.n == hosts.n);
	for (size_t i = 0; r == 0 && i < hosts.n; i++)
		require(strcmp(hosts.host[i].canon, again.host[i].canon) == 0);
	fleet_hosts_free(&again);
	fleet_hosts_free(&hosts);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int fd;

	(void)argc, (void)argv;
	require((keys = keyctx_new()) != NULL);
	make_journal();
	list_fd = memory("list", list);
	fd = memory("names", names);
	fill(fd, (const uint8_t *)NAMES, sizeof(NAMES) - 1);
	require(freopen("/dev/null", "w", stdout) != NULL);
	require(setenv("HOME", "/nonexistent", 1) == 0);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n == 0 || n > INPUT_MAX)
		return 0;
	if (*data == 'j')
		fuzz_journal(data + 1, n - 1);
	else
		fuzz_hosts(data + 1, n - 1);
	return 0;
}
