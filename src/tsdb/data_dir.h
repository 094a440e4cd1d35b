/* The data directory as a whole: whether it is ours, and its lock. */
#pragma once

#include "base/err.h"
#include "base/fs.h"

/* The paths below the directory; each on the heap. */
struct data_dir {
	struct fs *fs;
	char *path, *wal, *head, *parts;
	int lock_fd; /* -1: not locked */
};

/* Checks, makes what is missing, and locks. When it fails nothing was made or changed but, perhaps, empty folders.
 * ERR_EXISTS: it belongs to a Prometheus; ERR_BUSY: locked; ERR_IO: not writable. */
MUST_CHECK int data_dir_open(struct fs *fs, const char *path, struct data_dir *out, struct err *err);
/* The same of a store that is there, for reading: nothing is made. ERR_NOT_FOUND: there is no store. */
MUST_CHECK int data_dir_open_existing(struct fs *fs, const char *path, struct data_dir *out, struct err *err);
/* Only the paths: nothing is checked or locked. */
struct data_dir data_dir_at(struct fs *fs, const char *path);
void data_dir_close(struct data_dir *d);
