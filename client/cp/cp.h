/* SPDX-License-Identifier: ISC */
/* skypty cp: what its parts share. */
#ifndef CLIENT_CP_CP_H
#define CLIENT_CP_CP_H

#include <dirent.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "client/conn.h"
#include "client/options.h"
#include "client/progress.h"
#include "client/sftp/sftp.h"

#define CP_FILES     32 /* being copied at once */
#define CP_LISTS     16 /* directories of the host being read at once */
#define CP_DEPTH_MAX 64
/* Names that a directory of the host may have, in front of our patience. */
#define CP_NAMES_MAX 10000000U
/* What a file may have grown by, since we were told its size. */
#define CP_GROWTH_MAX (64U * 1024 * 1024)

/*
 * A directory that is being copied.  It is held by those that work on it, by
 * its files and its directories, and is finished when the last lets go.
 */
struct cp_dir {
	struct cp_dir *next;	  /* being listed, or to be finished */
	LIST_ENTRY(cp_dir) entry; /* of all */
	struct cp_dir *parent;
	struct cp *cp;
	char *local, *remote; /* paths */
	unsigned depth, refs;
	bool failed;  /* told already */
	bool created; /* by us */
	struct sftp_attrs attrs;

	/* Upload: */
	DIR *stream;
	dev_t dev;
	ino_t ino;

	/* Download: */
	int fd;	    /* the local one */
	char *real; /* the host's name without links, for finding circles */
	struct sftp_handle handle;
	bool opened, asked, ended; /* its listing */
	unsigned stats;		   /* entries that may be directories */
	uint64_t listed;	   /* names, and how many of them are none */
	unsigned refused;
	struct buf names;
};

enum file_state {
	FILE_STAT, /* to be asked for */
	FILE_OPEN,
	FILE_WAIT, /* for an answer */
	FILE_COPY,
	FILE_ATTRS,
	FILE_CLOSE,
	FILE_CLOSING
};

/* A file that is being copied, or whatever it will turn out to be. */
struct cp_file {
	struct cp_file *next;
	struct cp *cp;
	struct cp_dir *dir;   /* NULL: named by the user */
	char *local, *remote; /* paths */
	const char *name;     /* last part of the local path */
	enum file_state state;
	bool failed;  /* told already */
	bool created; /* by us */
	bool stream;  /* no regular file: it takes bytes as they come */
	bool twin;    /* source and target may be one file */
	int fd;
	struct sftp_handle handle;
	struct sftp_attrs attrs;
	uint64_t size;	/* of the source, as it was told */
	uint64_t had;	/* --resume: bytes that were there */
	uint64_t at;	/* where the next READ or WRITE goes */
	uint64_t done;	/* bytes, for the progress meter */
	uint64_t high;	/* where the last byte that was written here ends */
	uint64_t eof;	/* where the host said that it ends */
	uint64_t bad;	/* the first byte that is known to be lost */
	unsigned asked; /* requests under way */
	/* A directory: its name without links, and what is left of it. */
	char *real, *rest;
	unsigned links;
};

/* What is copied from the host, and what that is called here: "": target. */
struct cp_source {
	char *path, *name;
};

struct cp;
struct cp_names;

/* The two directions. */
struct cp_way {
	/* Prepares; 0 or an exit status. */
	int (*begin)(struct cp *);
	/* Puts what requests are possible; 0 or EXIT_FAILED. */
	int (*work)(struct cp *);
	bool (*over)(const struct cp *);
	/* Saves what there is of a file whose copy ends early. */
	void (*abandon)(struct cp_file *);
};

struct cp {
	const struct client_options *opts;
	const struct cp_way *way;
	bool recursive, preserve, resume;
	char *host;	/* the destination, as it was written */
	char **sources; /* paths on their side, NULL-terminated */
	char *target;
	struct cp_names *names;
	const struct cp_source *found; /* download: the sources, looked up */
	bool into;		       /* the target is a directory */
	bool many;		       /* it has to be one */
	bool named;   /* names on the host have been looked up */
	bool globbed; /* the host has chosen some of them */
	time_t since; /* nothing was written before */

	struct conn conn;
	struct sftp sftp;
	bool begun; /* the host has been greeted, requests may go */
	bool known; /* the target has been looked at */
	bool failed;
	mode_t mask;
	struct cp_file *files;
	unsigned nfiles;
	struct cp_dir *dir; /* upload: being read; download: being listed */
	struct cp_dir *finished;  /* to be given their attributes */
	LIST_HEAD(, cp_dir) dirs; /* all of them */
	unsigned nlists, nstats;
	uint32_t read_size; /* that the host gives at once */
	struct progress progress;
	uint8_t chunk[SFTP_CHUNK];
};

/* --- cp.c --- */

/* One source, to the destination of the options or from there.  An exit status.
 */
int cp_one(const struct client_options *, struct keyctx *, bool put,
    const char *source, const char *target);

/* --- cp_run.c --- */

/* Copies, and frees what it needed for that.  An exit status. */
int cp_run(struct cp *, struct keyctx *);
/* A file has been copied: counts it and tells. */
void cp_done(struct cp_file *);

/* --- cp_file.c: files, directories, and what goes wrong with them --- */

/* "path: why"; the exit status will tell, too. */
void cp_fail(struct cp *, const char *path, const char *why);
/* The same for a path on the host, with its answer. */
void cp_fail_remote(struct cp *, const char *path, const struct sftp_reply *);
/* Without memory, or with a request that does not fit: EXIT_FAILED, told. */
int cp_fatal(int error);

/* "dir/name", malloc'ed; NULL without memory. */
char *cp_join(const char *dir, const char *name);
/* The last part of a path, malloc'ed; "" for what has none: ".", "..", "/". */
char *cp_last(const char *path);

/* NULL without memory.  The paths become the file's, also then. */
struct cp_file *
cp_file_new(struct cp *, struct cp_dir *, char *local, char *remote);
/* Ends it: it is no longer under way and takes no answers. */
void cp_file_free(struct cp_file *);
/*
 * Whether an earlier one is still being copied to the same place: both at once
 * would be mixed there.  The last one stays.
 */
bool cp_file_waits(const struct cp_file *);
/*
 * Whether a file with bytes in it looks as the other side's does, or did before
 * we wrote to one of its names.  It may be the very file, where the host is
 * this machine or shares a file system with it: such a target is never emptied,
 * but written over by what it holds.
 */
bool cp_file_is_twin(const struct cp_file *, const struct stat *,
    const struct sftp_attrs *);
/* Where what was copied without a gap ends. */
uint64_t cp_file_prefix(const struct cp_file *);
/* Tells that it ends too early, or has not ended in time: it has failed. */
void cp_file_is_short(struct cp_file *, const char *path, const char *where,
    uint64_t end);
void
cp_file_check_growth(struct cp_file *, const char *path, const char *where);
/* As file_new, for directories; it is held once. */
struct cp_dir *
cp_dir_new(struct cp *, struct cp_dir *, char *local, char *remote);
void cp_dir_hold(struct cp_dir *);
/* Puts it into finished when nobody holds it any more. */
void cp_dir_release(struct cp_dir *);
void cp_dir_free(struct cp_dir *);
/* Whatever is still under way. */
void cp_free_all(struct cp *);

/* As SFTP has a time, and what is meant by one; before 1970 and behind 2106. */
uint32_t cp_time_out(time_t);
time_t cp_time_in(uint32_t);

/* --- cp_names.c: ~user and patterns --- */

/* Looks the names on the host up, until cp->named.  0 or an exit status. */
int cp_names_work(struct cp *);
/* What was found goes with it, and the target is what it was before. */
void cp_names_free(struct cp *);

/* --- cp_walk.c: local trees --- */

/* The next step of the walk, which is over without one.  0 or EXIT_FAILED. */
int cp_walk_step(struct cp *);
bool cp_walk_is_over(const struct cp *);

/* --- cp_put.c: uploads --- */

/* To the host. */
const struct cp_way *cp_put_way(void);
/*
 * Begins to copy a local file, found to be one; takes the paths.  0 or
 * EXIT_FAILED.
 */
int cp_put_file(struct cp *, struct cp_dir *, char *local, char *remote);

/* --- cp_list.c: trees of the host --- */

/*
 * Begins with a directory of the host; takes the paths.  real is its name
 * without links, malloc'ed and taken, NULL where its parent's tells.
 */
int cp_list_dir(struct cp *, struct cp_dir *parent, char *local, char *remote,
    const struct sftp_attrs *, char *real);
/* Lists, and begins with what is found.  0 or EXIT_FAILED. */
int cp_list_work(struct cp *);

/* --- cp_real.c: links of the host --- */

/*
 * Finds out under what name a directory, still a file to us, really stands,
 * and goes on with list_dir; the file is freed.  0 or EXIT_FAILED.
 */
int cp_real_find(struct cp_file *);

/* --- cp_get.c: downloads --- */

/* From the host. */
const struct cp_way *cp_get_way(void);
/*
 * Begins to copy a file of the host, or with a name of which the host has yet
 * to tell what it is; takes the paths.  0 or EXIT_FAILED.
 */
int cp_get_file(struct cp *, struct cp_dir *, char *local, char *remote,
    const struct sftp_attrs *);

#endif
