/* SPDX-License-Identifier: ISC */
/*
 * skypty cp, whole copies in both directions with real files here, against a
 * host whose SFTP server answers as the input has it: mostly what was asked
 * for, in any order, and now and then something else.  All files have the same
 * bytes, so that whatever is not at its place shows; and nothing but the target
 * may have changed.
 */
#include "client/cp/cp.h"
#include "regress/fuzz/cp_place.h"
#include "regress/fuzz/host.h"

#define INPUT_MAX 400
#define ASKED_MAX 256
#define HANDLES	  256
#define BODY_MAX  512 /* of a request that is kept, without what is written */
#define NAMES_MAX 5

struct asked {
	uint8_t type;
	uint32_t id;
	struct buf body;
};

/* What has been opened; its number is the handle, unless that is made up. */
struct opened {
	uint64_t size;
	bool is_dir, told;
};

static struct keyctx *ctx;

static struct {
	struct cp cp; /* of the client */
	struct asked asked[ASKED_MAX];
	size_t nasked;
	struct opened opened[HANDLES];
	uint32_t nopened;
	struct buf said; /* what host.out is given later */
	bool lied;	 /* the copy may end in any way */
	bool greeted;
} way;

static const uint64_t sizes[] = { 100, 0, 1, 32768, 40000, 131073, 300000,
	4500000 };

/* --- answers --- */

static void
packet(uint8_t type, uint32_t id, const struct buf *body)
{
	require(buf_put_u32(&way.said, (uint32_t)buf_len(body) + 5) == 0 &&
	    buf_put_u8(&way.said, type) == 0 &&
	    buf_put_u32(&way.said, id) == 0 &&
	    buf_put(&way.said, buf_ptr(body), buf_len(body)) == 0);
}

static void
put_status(struct buf *b, uint32_t code, uint8_t how)
{
	static const char *const texts[] = { "Failure", "\033[31mso", "",
		"no" };

	require(buf_put_u32(b, code) == 0);
	if (how % 5 == 4)
		return;
	require(buf_put_cstring(b, texts[how % 5]) == 0 &&
	    buf_put_cstring(b, "") == 0);
}

/* What a name stands for: d* directories, l* links, p* pipes, else files. */
static uint32_t
mode_of(const char *name, bool follow, uint8_t how)
{
	uint32_t perm = how & 64 ? how * 077U & 07777 : 0644;

	if (*name == 'l' && !follow)
		return S_IFLNK | 0777;
	if (*name == 'd' || (*name == 'l' && name[1] == 'd'))
		return S_IFDIR | (how & 64 ? perm : 0755);
	return (*name == 'p' ? S_IFIFO : S_IFREG) | perm;
}

static void
put_attrs(struct buf *b, uint32_t mode, uint8_t how)
{
	uint32_t has = SFTP_ATTR_SIZE | SFTP_ATTR_MODE | SFTP_ATTR_TIMES;

	if (how & 128)
		has = (has & ~(how & 13U)) |
		    (how & 16 ? SFTP_ATTR_EXTENDED : 0) |
		    (how & 32 ? SFTP_ATTR_OWNER : 0);
	require(buf_put_u32(b, has) == 0);
	if (has & SFTP_ATTR_SIZE)
		require(buf_put_u64(b,
			    (how & 160) == 160 ? UINT64_MAX >> how % 64 :
						 sizes[how % 8]) == 0);
	if (has & SFTP_ATTR_OWNER)
		require(buf_put_u64(b, 0) == 0);
	if (has & SFTP_ATTR_MODE)
		require(buf_put_u32(b, mode) == 0);
	if (has & SFTP_ATTR_TIMES)
		require(buf_put_u32(b, how * 0x1000000U) == 0 &&
		    buf_put_u32(b, how * 0x1010101U) == 0);
	if (has & SFTP_ATTR_EXTENDED)
		require(buf_put_u32(b, 1) == 0 &&
		    buf_put_cstring(b, "name") == 0 &&
		    buf_put_cstring(b, "value") == 0);
}

/* Names that are files' names come first. */
static void
put_name(struct buf *b, uint8_t which, char text[SFTP_NAME_MAX + 2])
{
	static const char *const names[] = { "f1", "d1", "f2", "l1", "ld", "d2",
		"f3", "p1", ".", "..", "../canary/f", "/f1", "", "d1/f1",
		"\033[2J", ".hid", "../../canary", "*", "t", "canary" };
	size_t n = which % 23;

	text[0] = 'f';
	if (which < 160)
		n = which % 8;
	if (n < sizeof(names) / sizeof(names[0])) {
		strlcpy(text, names[n], SFTP_NAME_MAX);
		require(buf_put_cstring(b, names[n]) == 0);
	} else if (n == 20) {
		require(buf_put_string(b, "f1\0x", 4) == 0);
	} else if (n == 21) {
		memset(text, 'd', SFTP_NAME_MAX + 1);
		require(
		    buf_put_string(b, text, SFTP_NAME_MAX + which % 2) == 0);
	} else
		require(buf_put_cstring(b, place.canary) == 0);
}

static void
put_entries(struct buf *b, uint32_t n, uint32_t count)
{
	char text[SFTP_NAME_MAX + 2];

	require(buf_put_u32(b, count) == 0);
	for (; n > 0; n--) {
		uint8_t which = next(), how = which & 8 ? next() : 0;

		put_name(b, which, text);
		require(buf_put_cstring(b, "as ls shows it") == 0);
		put_attrs(b, mode_of(text, false, how), how);
	}
}

/* The only name of an answer. */
static void
put_path(struct buf *b, const char *path)
{
	require(buf_put_u32(b, 1) == 0 && buf_put_cstring(b, path) == 0 &&
	    buf_put_cstring(b, "") == 0 && buf_put_u32(b, 0) == 0);
}

static const char *
odd_path(uint8_t which)
{
	static const char *const paths[] = { "/", "..", "/d1", "d1", "/d1/d1",
		"../..", "ld", "/home/.ssh", "", "//", ".", "/a*/[d]?",
		"f1/../ld", "/d1/ld/ld", "/d1/.." };
	static char lengthy[16 * 1024 + 8];

	if (which % 16 == 15) {
		memset(lengthy, '/', sizeof(lengthy) - 1);
		lengthy[sizeof(lengthy) - 1 - which / 16] = '\0';
		return lengthy;
	}
	return paths[which % 16];
}

/* --- answers to what was asked --- */

static const char *
last_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static char *
path_of(struct asked *q)
{
	struct buf b = q->body, name;
	char *path;

	if (q->type == SFTP_EXTENDED)
		require(buf_get_string(&b, &name) == 0);
	require(buf_get_cstring(&b, &path, 65536) == 0);
	return path;
}

static struct opened *
opened_of(struct buf *body)
{
	struct buf handle;
	uint32_t n;

	require(buf_get_string(body, &handle) == 0);
	if (buf_len(&handle) != 4 || buf_get_u32(&handle, &n) != 0 ||
	    n >= HANDLES)
		return NULL;
	return &way.opened[n];
}

static uint8_t
say_handle(struct buf *b, bool is_dir)
{
	uint32_t n = way.nopened++ % HANDLES;

	way.opened[n].is_dir = is_dir;
	way.opened[n].told = false;
	way.opened[n].size =
	    is_dir ? 0 : sizes[next() % (sizeof(sizes) / sizeof(sizes[0]))];
	require(buf_put_u32(b, 4) == 0 && buf_put_u32(b, n) == 0);
	return SFTP_HANDLE;
}

static uint8_t
say_names(struct buf *b, struct asked *q)
{
	struct buf body = q->body;
	struct opened *o = opened_of(&body);
	uint32_t n = 0;

	if (o != NULL && !o->told)
		n = next() % NAMES_MAX;
	if (n == 0 || o == NULL) {
		put_status(b, SFTP_EOF, 0);
		return SFTP_STATUS;
	}
	o->told = next() % 4 != 3;
	put_entries(b, n, n);
	return SFTP_NAME;
}

static void
put_bytes(struct buf *b, uint64_t offset, uint32_t n)
{
	uint8_t *p = NULL;

	require(buf_put_u32(b, n) == 0 && buf_extend(b, n, &p) == 0);
	cp_place_fill(p, offset, n);
}

static uint8_t
say_data(struct buf *b, struct asked *q)
{
	struct buf body = q->body;
	struct opened *o = opened_of(&body);
	uint64_t offset = 0;
	uint32_t n = 0;

	require(
	    buf_get_u64(&body, &offset) == 0 && buf_get_u32(&body, &n) == 0);
	if (o == NULL || offset >= o->size) {
		put_status(b, SFTP_EOF, 0);
		return SFTP_STATUS;
	}
	if (n > o->size - offset)
		n = (uint32_t)(o->size - offset);
	put_bytes(b, offset, n);
	return SFTP_DATA;
}

/* A path that is there, or what stands behind a link. */
static uint8_t
say_path(struct buf *b, struct asked *q)
{
	uint8_t how = next();
	char *path = path_of(q);

	if (q->type == SFTP_READLINK && *last_of(path) != 'l') {
		put_status(b, SFTP_FAILURE, how);
		free(path);
		return SFTP_STATUS;
	}
	if (how % 4 == 0 && q->type == SFTP_EXTENDED)
		put_path(b, "/home/bob");
	else if (how % 4 == 0 && q->type == SFTP_REALPATH && *path == '/')
		put_path(b, path);
	else
		put_path(b, how < 4 ? "/d1" : odd_path(how / 4));
	free(path);
	return SFTP_NAME;
}

/* Uploads ask whether something is there. */
static uint8_t
say_attrs(struct buf *b, struct asked *q)
{
	char *path = path_of(q);
	uint8_t how = next();

	if (how % 4 == 3 || (how == 0 && way.cp.way == cp_put_way())) {
		put_status(b, SFTP_NO_SUCH_FILE, how);
		free(path);
		return SFTP_STATUS;
	}
	put_attrs(b, mode_of(last_of(path), true, how), how);
	free(path);
	return SFTP_ATTRS;
}

static uint8_t
say_truth(struct buf *b, struct asked *q)
{
	switch (q->type) {
	case SFTP_OPEN:
	case SFTP_OPENDIR:
		return say_handle(b, q->type == SFTP_OPENDIR);
	case SFTP_READDIR:
		return say_names(b, q);
	case SFTP_READ:
		return say_data(b, q);
	case SFTP_REALPATH:
	case SFTP_READLINK:
	case SFTP_EXTENDED:
		return say_path(b, q);
	case SFTP_STAT:
		return say_attrs(b, q);
	}
	put_status(b, SFTP_OK, 0);
	return SFTP_STATUS;
}

/* --- other answers --- */

/* Fewer bytes than were asked for, or none, or more, or from behind the end. */
static uint8_t
say_other_data(struct buf *b, struct asked *q, uint8_t how)
{
	struct buf body = q->body, handle;
	uint64_t offset = 0;
	uint32_t n = 0;

	if (q->type != SFTP_READ)
		return say_truth(b, q);
	require(buf_get_string(&body, &handle) == 0 &&
	    buf_get_u64(&body, &offset) == 0 && buf_get_u32(&body, &n) == 0);
	if (how < 192)
		n = n > how * 200U ? how * 200U + 1 : n;
	else if (how > 250)
		n = how % 2 ? n + 1 : 0;
	put_bytes(b, offset, n);
	return SFTP_DATA;
}

static uint8_t
say_odd(struct buf *b, struct asked *q, uint8_t kind)
{
	uint8_t how = next();

	switch (kind) {
	case 0:
		put_status(b, how % 10, how / 10);
		return SFTP_STATUS;
	case 1:
		return say_other_data(b, q, how);
	case 2:
		put_status(b, SFTP_EOF, how);
		return SFTP_STATUS;
	case 3:
		require(buf_put_u32(b, how * 2U) == 0);
		for (unsigned i = 0; i < how * 2U; i++)
			require(buf_put_u8(b, 'h') == 0);
		return SFTP_HANDLE;
	case 4:
		put_attrs(b, how * 01001U, how);
		return SFTP_ATTRS;
	case 5:
		put_entries(b, how % NAMES_MAX, how % NAMES_MAX + how / 64);
		return SFTP_NAME;
	case 6:
		put_path(b, odd_path(how));
		return SFTP_NAME;
	default:
		for (unsigned i = 0; i < how % 32; i++)
			require(buf_put_u8(b, next()) == 0);
		return how & 32 ? say_truth(b, q) : (uint8_t)(100 + how / 32);
	}
}

static void
end_asked(size_t i)
{
	buf_free(&way.asked[i].body);
	way.nasked--;
	memmove(&way.asked[i], &way.asked[i + 1],
	    (way.nasked - i) * sizeof(way.asked[0]));
}

static void
answer(size_t i, int kind)
{
	struct asked *q = &way.asked[i];
	struct buf b;
	uint8_t type;

	buf_init(&b, HOST_ROOM);
	type = kind < 0 ? say_truth(&b, q) : say_odd(&b, q, (uint8_t)kind);
	packet(type, q->id, &b);
	buf_free(&b);
	end_asked(i);
}

/* What no server would do. */
static void
misbehave(size_t i, uint8_t kind)
{
	struct buf b;

	switch (kind % 5) {
	case 0:
		answer(i, kind / 5 % 8);
		return;
	case 1: /* answered twice, or to another */
		buf_init(&b, HOST_ROOM);
		put_status(&b, SFTP_EOF, 0);
		packet(SFTP_STATUS, way.asked[i].id + kind / 5, &b);
		buf_free(&b);
		return;
	case 2: /* never */
		host.stays = false;
		end_asked(i);
		return;
	case 3: /* of a packet whose end may never come */
		host.stays = false;
		for (unsigned n = kind / 5; n > 0; n--)
			require(buf_put_u8(&way.said, next()) == 0);
		return;
	default:
		host.stays = false;
		if (kind > 250)
			host_gone();
	}
}

/* --- the host --- */

static void
check_written(struct buf *body)
{
	struct buf handle, bytes;
	uint64_t offset = 0;

	require(buf_get_string(body, &handle) == 0 &&
	    buf_get_u64(body, &offset) == 0 &&
	    buf_get_string(body, &bytes) == 0 && buf_at_end(body) == 0);
	require(cp_place_is(buf_ptr(&bytes), offset, buf_len(&bytes)));
}

static void
take_request(struct buf *body)
{
	struct asked *q = &way.asked[way.nasked];
	uint8_t type, greeting = 0;

	require(buf_get_u8(body, &type) == 0);
	if (type == SFTP_INIT) {
		if (host.left % 32 == 31)
			greeting = next();
		way.lied |= greeting != 0;
		require(buf_put_u32(&way.said, 5) == 0 &&
		    buf_put_u8(&way.said, SFTP_VERSION_ANSWER + greeting / 2) ==
			0 &&
		    buf_put_u32(&way.said, SFTP_VERSION + greeting) == 0);
		return;
	}
	require(way.nasked < ASKED_MAX);
	q->type = type;
	require(buf_get_u32(body, &q->id) == 0);
	buf_init(&q->body, 65536);
	if (type == SFTP_WRITE)
		check_written(body);
	else
		require(buf_put(&q->body, buf_ptr(body), buf_len(body)) == 0);
	way.nasked++;
}

static void
take_requests(void)
{
	struct buf peek, body;
	uint32_t n;

	for (;;) {
		peek = host.in;
		if (buf_get_u32(&peek, &n) != 0 ||
		    buf_get_view(&peek, n, &body) != 0)
			return;
		take_request(&body);
		require(buf_skip(&host.in, 4 + (size_t)n) == 0);
	}
}

static void
send_said(size_t n)
{
	require(buf_put(&host.out, buf_ptr(&way.said), n) == 0 &&
	    buf_skip(&way.said, n) == 0);
}

static void
answer_all(void)
{
	while (way.nasked > 0)
		answer(0, -1);
}

static void
take_turn(void)
{
	uint8_t what = next();

	take_requests();
	if (way.nasked > 0) {
		if (what % 4 == 1)
			answer(0, -1);
		else if (what % 4 == 2)
			answer(way.nasked - 1, -1);
		else if (what % 4 == 3) {
			way.lied = true;
			misbehave(what / 4 % way.nasked, next());
		} else
			answer_all();
	}
	send_said(what >= 0xe0 ? buf_len(&way.said) / 2 : buf_len(&way.said));
}

/* The input is used up: a copy that is to come to its end does so. */
static void
rest(void)
{
	take_requests();
	if (host.stays)
		answer_all();
	send_said(buf_len(&way.said));
}

/* --- copies --- */

/* What is asked for, and what that may be called here; none: anything. */
static const struct {
	const char *words[3], *called[2];
	bool patterns; /* alone */
} downloads[] = {
	{ { "f1" }, { "f1" }, false },
	{ { "d1" }, { "d1" }, false },
	{ { "f1", "x/d1" }, { "f1", "d1" }, false },
	{ { "d1/*" }, { "*" }, true },
	{ { "~bob/f1" }, { "f1" }, false },
	{ { "~bob" }, { "bob" }, false },
	{ { "." }, { NULL }, false },
	{ { "*/l*/f1", "/[fd]?" }, { "f1", "[fd]?" }, false },
	{ { "~bob/d*", "~bob/x\\*/.." }, { "d*", "" }, true },
};

static const char *const uploads[] = { "up", "~bob", "~bob/up", "/d1", "." };

static void
set_words(char *const words[3], const char *const from[3])
{
	for (size_t i = 0; i < 3 && from[i] != NULL; i++)
		strlcpy(words[i], from[i], 16);
}

/* An exit status; signals are caught in it. */
static int
copy(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction was[3];
	sigset_t mask;
	int r;

	for (size_t i = 0; i < 3; i++)
		sigaction(signals[i], NULL, &was[i]);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	cp_place_enter();
	r = cp_run(&way.cp, ctx);
	cp_place_leave();
	for (size_t i = 0; i < 3; i++)
		sigaction(signals[i], &was[i], NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return r;
}

static void
run(uint8_t flags, uint8_t which, uint8_t before)
{
	static char text[3][16], target[32];
	char *words[4] = { text[0], text[1], text[2], NULL };
	static const char *const folder[3] = { "../src" };
	static const char *const parts[3] = { "../src/big", "../src/d" };
	struct client_options o;
	size_t n = which % (sizeof(downloads) / sizeof(downloads[0]));
	bool up = flags & 1;
	int r;

	options_init(&o);
	o.dest.kind = DEST_DMSG;
	memset(text, 0, sizeof(text));
	if (up)
		set_words(words, which & 64 ? parts : folder);
	else
		set_words(words, downloads[n].words);
	for (size_t i = 0; i < 3; i++)
		if (text[i][0] == '\0')
			words[i] = NULL;
	memset(&way.cp, 0, sizeof(way.cp));
	way.cp.opts = &o;
	way.cp.read_size = SFTP_CHUNK;
	way.cp.mask = 022;
	way.cp.recursive = flags & 2;
	way.cp.preserve = flags & 4;
	way.cp.resume = flags & 8;
	way.cp.way = up ? cp_put_way() : cp_get_way();
	way.cp.sources = words;
	way.cp.many = words[1] != NULL;
	strlcpy(target,
	    up ? uploads[which % 5] :
		 cp_place_prepare(before, downloads[n].patterns),
	    sizeof(target));
	way.cp.target = target;
	r = copy();
	require(r != EXIT_FAILED || way.lied || !host.stays);
	cp_place_check(up ? NULL : downloads[n].called);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	signal(SIGPIPE, SIG_IGN);
	cp_place_make();
	require((ctx = keyctx_new()) != NULL);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t flags;

	if (n < 4 || n > INPUT_MAX)
		return 0;
	flags = data[0];
	host_begin(data + 3, n - 3);
	host.turn = take_turn;
	host.rest = rest;
	host.stays = !(flags & 16);
	way.nasked = 0;
	way.nopened = 0;
	way.lied = data[3] % 16 == 15; /* the service is refused */
	buf_init(&way.said, HOST_ROOM);
	run(flags, data[1], data[2]);
	while (way.nasked > 0)
		end_asked(0);
	buf_free(&way.said);
	host_end();
	return 0;
}
