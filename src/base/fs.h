/* Files, through one seam: all storage I/O goes through `struct fs`, so that a test can make any call fail (EIO, ENOSPC,
 * a short write, a lost fsync). fs_real() is the operating system. Paths are NUL-terminated. Thread-safe as the system's
 * calls are. Errors are ERR_IO with path and errno's text, except where said. */
#pragma once

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include <stdbool.h>
#include <stdint.h>

struct fs;

/* Process-wide constant. */
struct fs *fs_real(void);

/* What a test's file system is asked about. */
enum fs_call {
	FS_CALL_OPEN,
	FS_CALL_WRITE,
	FS_CALL_READ,
	FS_CALL_SYNC,
	FS_CALL_ALLOCATE,
	FS_CALL_TRUNCATE,
	FS_CALL_SIZE,
	FS_CALL_RENAME,
	FS_CALL_LINK,
	FS_CALL_UNLINK,
	FS_CALL_MKDIR,
	FS_CALL_SYNC_DIR,
	FS_CALL_LIST,
	FS_CALL_SPACE,
	FS_CALL_LOCK,
};
enum { FS_PRETEND = -1 };

/* The real one with a fault injector before each call, for tests. `fault` returns 0 (go on), an errno (fail with it), or
 * FS_PRETEND (do nothing, say it went well: the lost sync or write). For FS_CALL_WRITE it may lower *n, and that many bytes
 * are written before the call fails; for FS_CALL_SPACE, and *n is the room there is. `path` is the file's, for calls by descriptor too. */
struct fs *fs_faulty_new(int (*fault)(void *arg, enum fs_call call, const char *path, size_t *n), void *arg);
void fs_faulty_free(struct fs *fs);

enum fs_open_mode {
	FS_READ,       /* must exist */
	FS_CREATE,     /* write; made or cut to zero */
	FS_CREATE_NEW, /* write; ERR_EXISTS when it is there */
	FS_READ_WRITE, /* must exist */
};

/* ERR_NOT_FOUND and ERR_EXISTS when that is the reason. */
MUST_CHECK int fs_open(struct fs *fs, const char *path, enum fs_open_mode mode, int *fd, struct err *err);
void fs_close(struct fs *fs, int fd);
/* All of it, at the offset; a short write is an error. */
MUST_CHECK int fs_pwrite(
    struct fs *fs, int fd, const void *bytes, size_t n, uint64_t offset, struct err *err);
/* Up to n bytes; *got < n only at the end of the file. */
MUST_CHECK int fs_pread(
    struct fs *fs, int fd, void *bytes, size_t n, uint64_t offset, size_t *got, struct err *err);
MUST_CHECK int fs_datasync(struct fs *fs, int fd, struct err *err);
/* Reserves blocks; the file's length becomes at least `n`. */
MUST_CHECK int fs_allocate(struct fs *fs, int fd, uint64_t n, struct err *err);
MUST_CHECK int fs_truncate(struct fs *fs, int fd, uint64_t n, struct err *err);
MUST_CHECK int fs_size(struct fs *fs, int fd, uint64_t *n, struct err *err);

MUST_CHECK int fs_rename(struct fs *fs, const char *from, const char *to, struct err *err);
/* A second name for a file, on the same file system. */
MUST_CHECK int fs_link(struct fs *fs, const char *from, const char *to, struct err *err);
/* Not there is no error. */
MUST_CHECK int fs_unlink(struct fs *fs, const char *path, struct err *err);
/* With its parents; there already is no error. */
MUST_CHECK int fs_mkdir(struct fs *fs, const char *path, struct err *err);
/* A directory and all below it; not there is no error. */
MUST_CHECK int fs_remove_tree(struct fs *fs, const char *path, struct err *err);
MUST_CHECK int fs_sync_dir(struct fs *fs, const char *path, struct err *err);
bool fs_exists(struct fs *fs, const char *path);
/* Calls `each` for each entry but . and .., sorted by name; stops at its first non-zero and returns that. */
MUST_CHECK int fs_list(struct fs *fs, const char *path, int (*each)(void *arg, const char *name, bool is_dir),
    void *arg, struct err *err);
/* Bytes free for us, and bytes in all, on the file system of `path`. */
MUST_CHECK int fs_space(
    struct fs *fs, const char *path, uint64_t *free_bytes, uint64_t *total_bytes, struct err *err);

/* A whole file into `out`; ERR_LIMIT when it is longer than out's bound. ERR_NOT_FOUND when it is not there. */
MUST_CHECK int fs_read_file(struct fs *fs, const char *path, struct strbuf *out, struct err *err);
/* Temporary name, write, sync, rename, sync of the folder: the file is the old or the new one, never a mix. */
MUST_CHECK int fs_write_file(struct fs *fs, const char *path, struct slice content, struct err *err);

/* An exclusive lock file that is given back by the kernel when the process ends. ERR_BUSY when another holds it. */
MUST_CHECK int fs_lock_file(struct fs *fs, const char *path, int *fd, struct err *err);
