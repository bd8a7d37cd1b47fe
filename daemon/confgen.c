/* SPDX-License-Identifier: ISC */
/* skyptyd confgen: a complete configuration with a fresh key. */
#include "daemon/skyptyd.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/file.h"
#include "common/base/visible.h"
#include "common/pty/key_file.h"

static const struct option longopts[] = {
	{ "unsafe", no_argument, NULL, 'u' },
	{ "seeds", no_argument, NULL, 's' },
	{ "sk-file", required_argument, NULL, 'k' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const char usage[] =
    "usage: skyptyd confgen [--unsafe] [--seeds] [--sk-file KEY] [FILE]\n"
    "\n"
    "A configuration with a fresh key, in FILE of mode 0600, whose folder is\n"
    "made, or on standard output.\n"
    "      --unsafe   overwrite FILE, or what '>' has emptied\n"
    "      --seeds    with the servers of the public deployment of dmsg, to\n"
    "                 change them; without, they are used as well\n"
    "      --sk-file KEY\n"
    "                 keep the secret key in the file KEY, which is made if "
    "it\n"
    "                 is not there; FILE holds no secret then, mode 0644\n";

/* What the command line asks for. */
struct wish {
	bool force, seeds;
	const char *sk_file; /* NULL: in the configuration */
};

static void
confgen_say(void *arg, bool fatal, const char *text)
{
	visible_line(stderr, "skyptyd: %s", text);
}

static const struct config_report report = { .say = confgen_say };

static int
confgen_tell(int status, const char *path, const char *why)
{
	visible_line(stderr, "skyptyd: %s: %s", path, why);
	return status;
}

/* A fresh key in a new file of its own. */
static int
confgen_save_sk(const char *path, const uint8_t *sk)
{
	struct file_new f;
	struct buf text;
	int r;

	if ((r = config_check_place(&report, path)) != 0)
		return r;
	if (file_make_folders(path, 0755) == -1)
		return SKY_ERR_SYS;
	if ((r = file_new_open(&f, path)) != 0)
		return r;
	buf_init(&text, KEY_FILE_MAX);
	if ((r = key_file_plain(sk, &text)) == 0 &&
	    (buf_write(&text, f.fd) <= 0 || buf_len(&text) != 0))
		r = SKY_ERR_SYS;
	buf_free(&text);
	if (r == 0)
		return file_new_commit(&f, false);
	file_new_drop(&f);
	return r;
}

/*
 * The key: of the file that is there, which nothing overwrites, or a fresh one.
 */
static int
confgen_key(struct keyctx *ctx, const char *sk_file, uint8_t **sk)
{
	int r;

	if (sk_file != NULL && config_sk_is_credential(sk_file))
		return confgen_tell(EXIT_USAGE, sk_file,
		    "name the file here, and in the configuration "
		    "\"sk_file\": \"credential:NAME\" once the unit has "
		    "LoadCredential=NAME:FILE");
	if (sk_file != NULL && access(sk_file, F_OK) == 0) {
		if (config_read_sk(ctx, sk_file, "", sk, &report) != 0)
			return EXIT_CONFIG;
		return confgen_tell(0, sk_file, "its key is used");
	}
	if ((*sk = sodium_malloc(KEY_SECRET_LEN)) == NULL)
		return EXIT_OS;
	if ((r = key_generate(ctx, *sk)) == 0 && sk_file != NULL &&
	    (r = confgen_save_sk(sk_file, *sk)) != 0)
		return confgen_tell(EXIT_OS, sk_file, err_text(r));
	return r == 0 ? 0 : EXIT_OS;
}

static int
confgen_print(FILE *f, const struct wish *wish)
{
	struct keyctx *ctx = keyctx_new();
	uint8_t *sk = NULL;
	char *name = NULL;
	int r = EXIT_OS;

	if (ctx != NULL && (r = confgen_key(ctx, wish->sk_file, &sk)) == 0 &&
	    ((wish->sk_file != NULL &&
		 (name = realpath(wish->sk_file, NULL)) == NULL) ||
		config_print(f, ctx, sk, name, wish->seeds) != 0 ||
		fflush(f) != 0))
		r = EXIT_OS;
	free(name);
	sodium_free(sk);
	keyctx_free(ctx);
	return r;
}

/*
 * Whether a shell's '>' has emptied a file that was there before: one that it
 * makes is born as it is opened.  Where the file system does not keep when a
 * file was born, nobody knows.
 */
static bool
was_emptied(void)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);
	struct statx sx;

	return flags != -1 && (flags & O_APPEND) == 0 &&
	    statx(STDOUT_FILENO, "", AT_EMPTY_PATH,
		STATX_TYPE | STATX_SIZE | STATX_MTIME | STATX_BTIME,
		&sx) == 0 &&
	    (sx.stx_mask & STATX_BTIME) != 0 && S_ISREG(sx.stx_mode) &&
	    sx.stx_size == 0 && sx.stx_mtime.tv_sec > sx.stx_btime.tv_sec + 1;
}

/* A shell has made the file, with the mode that its umask leaves. */
static int
write_stdout(struct wish wish)
{
	struct stat st;

	if (!wish.force && was_emptied()) {
		fputs("skyptyd: the file on standard output was there before, "
		      "and the shell's '>' has emptied it: a key and a "
		      "whitelist that were in it are lost, unless there is a "
		      "copy to put back.  Nothing was written.  --unsafe "
		      "writes a fresh configuration there; 'skyptyd confgen "
		      "FILE', without '>', leaves a file alone that is there\n",
		    stderr);
		return EXIT_CONFIG;
	}
	if (wish.sk_file == NULL && fstat(STDOUT_FILENO, &st) == 0 &&
	    S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
		fprintf(stderr,
		    "skyptyd: others may read the file with the secret key "
		    "(mode %04o); chmod 600 it, or name it to confgen\n",
		    (unsigned)(st.st_mode & 07777));
	return confgen_print(stdout, &wish);
}

/* What has the name now may be replaced, or is nothing. */
static int
check_old(const char *path, bool force)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		return errno == ENOENT ?
		    0 :
		    confgen_tell(EXIT_OS, path, strerror(errno));
	if (S_ISLNK(st.st_mode))
		return confgen_tell(EXIT_CONFIG, path,
		    "is a symbolic link; name the file that it leads to");
	if (!force && file_is_stdout(path))
		return confgen_tell(EXIT_CONFIG, path,
		    "is standard output as well: the shell's '>' has made it "
		    "or emptied it, and what was in it is lost; leave out '>', "
		    "and put back a copy or remove the file");
	if (!force)
		return confgen_tell(EXIT_CONFIG, path,
		    "is there already; --unsafe overwrites it");
	if (!S_ISREG(st.st_mode))
		return confgen_tell(EXIT_CONFIG, path, "is not a regular file");
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return confgen_tell(EXIT_CONFIG, path,
		    "belongs to somebody else");
	return 0;
}

static int
write_new(const char *path, struct wish wish)
{
	struct file_new f;
	FILE *out = NULL;
	int fd, r;

	if ((r = file_new_open(&f, path)) != 0)
		return confgen_tell(EXIT_OS, path, err_text(r));
	r = SKY_ERR_SYS;
	if ((fd = dup(f.fd)) != -1 && (out = fdopen(fd, "w")) != NULL)
		r = confgen_print(out, &wish);
	if (out != NULL && fclose(out) != 0)
		r = SKY_ERR_SYS;
	if (r == 0 && wish.sk_file != NULL && fchmod(f.fd, 0644) == -1)
		r = SKY_ERR_SYS;
	if (r == 0)
		r = file_new_commit(&f, wish.force);
	else
		file_new_drop(&f);
	return r < 0 ? confgen_tell(EXIT_OS, path, err_text(r)) : r;
}

/*
 * A new file, so that nobody has it open; an old one stays whole until then.
 * Whoever is changing the old one's whitelist is waited for.
 */
static int
write_file(const char *path, struct wish wish)
{
	int lock = -1, r;

	if ((r = check_old(path, wish.force)) != 0)
		return r;
	if ((r = config_check_place(&report, path)) != 0)
		return r == SKY_ERR_DENIED ? EXIT_CONFIG : EXIT_OS;
	if (file_make_folders(path, 0755) == -1)
		return confgen_tell(EXIT_OS, path, strerror(errno));
	if (wish.force && access(path, F_OK) == 0 &&
	    (lock = config_lock_wl(path)) < 0)
		return confgen_tell(EXIT_OS, path,
		    lock == SKY_ERR_AGAIN ? "another process is changing it" :
					    err_text(lock));
	r = write_new(path, wish);
	if (lock >= 0)
		close(lock);
	return r;
}

int
confgen_main(int argc, char **argv)
{
	struct wish wish = { 0 };
	int opt, before = 1;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":h", longopts, NULL)) != -1) {
		if (opt == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (opt == '?' || opt == ':')
			return skyptyd_options_unknown(opt, argv[before],
			    longopts, "confgen ");
		if (opt == 'u')
			wish.force = true;
		else if (opt == 'k')
			wish.sk_file = optarg;
		else
			wish.seeds = true;
		before = optind;
	}
	if (argc - optind > 1) {
		fputs("skyptyd: confgen takes one file\n", stderr);
		return EXIT_USAGE;
	}
	if (optind < argc)
		return write_file(argv[optind], wish);
	return write_stdout(wish);
}
