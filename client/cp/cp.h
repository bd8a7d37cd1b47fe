/* SPDX-License-Identifier: ISC */
/* skypty cp: what its parts share. */
#ifndef CLIENT_CP_CP_H
#define CLIENT_CP_CP_H

#include <dirent.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "client/progress.h"
#include "client/sftp/sftp.h"
#include "client/skypty.h"

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
struct dir {
	struct dir *next;      /* being listed, or to be finished */
	LIST_ENTRY(dir) entry; /* of all */
	struct dir *parent;
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
struct file {
	struct file *next;
	struct cp *cp;
	struct dir *dir;      /* NULL: named by the user */
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
struct source {
	char *path, *name;
};

struct cp;
struct names;

/* The two directions. */
struct cp_way {
	/* Prepares; 0 or an exit status. */
	int (*begin)(struct cp *);
	/* Puts what requests are possible; 0 or EXIT_FAILED. */
	int (*work)(struct cp *);
	bool (*over)(const struct cp *);
	/* Saves what there is of a file whose copy ends early. */
	void (*abandon)(struct file *);
};

struct cp {
	const struct options *opts;
	const struct cp_way *way;
	bool recursive, preserve, resume;
	char *host;	/* the destination, as it was written */
	char **sources; /* paths on their side, NULL-terminated */
	char *target;
	struct names *names;
	const struct source *found; /* download: the sources, looked up */
	bool into;		    /* the target is a directory */
	bool many;		    /* it has to be one */
	bool named;		    /* names on the host have been looked up */
	bool globbed;		    /* the host has chosen some of them */
	time_t since;		    /* nothing was written before */

	struct conn conn;
	struct sftp sftp;
	bool begun; /* the host has been greeted, requests may go */
	bool known; /* the target has been looked at */
	bool failed;
	mode_t mask;
	struct file *files;
	unsigned nfiles;
	struct dir *dir;       /* upload: being read; download: being listed */
	struct dir *finished;  /* to be given their attributes */
	LIST_HEAD(, dir) dirs; /* all of them */
	unsigned nlists, nstats;
	uint32_t read_size; /* that the host gives at once */
	struct progress progress;
	uint8_t chunk[SFTP_CHUNK];
};

/* --- cp_run.c --- */

/* Copies, and frees what it needed for that.  An exit status. */
int cp_run(struct cp *, struct keyctx *);
/* A file has been copied: counts it and tells. */
void cp_done(struct file *);

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
struct file *file_new(struct cp *, struct dir *, char *local, char *remote);
/* Ends it: it is no longer under way and takes no answers. */
void file_free(struct file *);
/*
 * Whether an earlier one is still being copied to the same place: both at once
 * would be mixed there.  The last one stays.
 */
bool file_waits(const struct file *);
/*
 * Whether a file with bytes in it looks as the other side's does, or did before
 * we wrote to one of its names.  It may be the very file, where the host is
 * this machine or shares a file system with it: such a target is never emptied,
 * but written over by what it holds.
 */
bool file_is_twin(const struct file *, const struct stat *,
    const struct sftp_attrs *);
/* Where what was copied without a gap ends. */
uint64_t file_prefix(const struct file *);
/* Tells that it ends too early, or has not ended in time: it has failed. */
void
file_is_short(struct file *, const char *path, const char *where, uint64_t end);
void file_check_growth(struct file *, const char *path, const char *where);
/* As file_new, for directories; it is held once. */
struct dir *dir_new(struct cp *, struct dir *, char *local, char *remote);
void dir_hold(struct dir *);
/* Puts it into finished when nobody holds it any more. */
void dir_release(struct dir *);
void dir_free(struct dir *);
/* Whatever is still under way. */
void cp_free_all(struct cp *);

/* As SFTP has a time, and what is meant by one; before 1970 and behind 2106. */
uint32_t cp_time_out(time_t);
time_t cp_time_in(uint32_t);

/* --- cp_names.c: ~user and patterns --- */

/* Looks the names on the host up, until cp->named.  0 or an exit status. */
int names_work(struct cp *);
/* What was found goes with it, and the target is what it was before. */
void names_free(struct cp *);

/* --- cp_walk.c: local trees --- */

/* The next step of the walk.  1, 0 when it is over, or EXIT_FAILED. */
int walk_step(struct cp *);

/* --- cp_put.c: uploads --- */

const struct cp_way *put_way(void);
/*
 * Begins to copy a local file, found to be one; takes the paths.  0 or
 * EXIT_FAILED.
 */
int put_file(struct cp *, struct dir *, char *local, char *remote);

/* --- cp_list.c: trees of the host --- */

/*
 * Begins with a directory of the host; takes the paths.  real is its name
 * without links, malloc'ed and taken, NULL where its parent's tells.
 */
int list_dir(struct cp *, struct dir *parent, char *local, char *remote,
    const struct sftp_attrs *, char *real);
/* Lists, and begins with what is found.  0 or EXIT_FAILED. */
int list_work(struct cp *);

/* --- cp_real.c: links of the host --- */

/*
 * Finds out under what name a directory, still a file to us, really stands,
 * and goes on with list_dir; the file is freed.  0 or EXIT_FAILED.
 */
int real_find(struct file *);

/* --- cp_get.c: downloads --- */

const struct cp_way *get_way(void);
/*
 * Begins to copy a file of the host, or with a name of which the host has yet
 * to tell what it is; takes the paths.  0 or EXIT_FAILED.
 */
int get_file(struct cp *, struct dir *, char *local, char *remote,
    const struct sftp_attrs *);

#endif
