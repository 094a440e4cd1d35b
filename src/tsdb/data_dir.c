#include "tsdb/data_dir.h"

#include "base/xmalloc.h"
#include <string.h>

enum { ULID_LEN = 26, PROMETHEUS_SEGMENT_DIGITS = 8 };

/* A block of Prometheus is a folder named by a ULID. */
static bool is_ulid(const char *name)
{
	return strlen(name) == ULID_LEN && strspn(name, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == ULID_LEN;
}

static int find_prometheus(void *arg, const char *name, bool is_dir)
{
	bool *found = arg;
	*found = (is_dir && (is_ulid(name) || strcmp(name, "chunks_head") == 0)) ||
		 strcmp(name, "queries.active") == 0;
	return *found;
}

static int find_prometheus_log(void *arg, const char *name, bool is_dir)
{
	(void)is_dir;
	bool *found = arg;
	*found = strncmp(name, "checkpoint.", 11) == 0 ||
		 (strlen(name) == PROMETHEUS_SEGMENT_DIGITS &&
		     strspn(name, "0123456789") == PROMETHEUS_SEGMENT_DIGITS);
	return *found;
}

/* Our own manifest says that the directory is ours, whatever else lies there. */
static int check_owner(const struct data_dir *d, struct err *err)
{
	char *manifest = xasprintf("%s/manifest", d->path);
	bool is_ours = fs_exists(d->fs, manifest);
	free(manifest);
	if (is_ours || !fs_exists(d->fs, d->path))
		return 0;
	bool found = false;
	int rc = fs_list(d->fs, d->path, find_prometheus, &found, err);
	if (rc >= 0 && !found && fs_exists(d->fs, d->wal))
		rc = fs_list(d->fs, d->wal, find_prometheus_log, &found, err);
	if (found)
		return err_set(err, ERR_EXISTS,
		    "%s belongs to a Prometheus: give another directory with --storage.tsdb.path", d->path);
	return rc;
}

static int lock_dir(struct data_dir *d, struct err *err)
{
	char *lock = xasprintf("%s/lock", d->path);
	int rc = fs_lock_file(d->fs, lock, &d->lock_fd, err);
	if (rc == ERR_BUSY)
		rc = err_set(err, ERR_BUSY, "%s is locked by another process", d->path);
	free(lock);
	return rc;
}

/* The name of a new directory must be on disk before anything in it counts. */
static int make_dir(struct data_dir *d, struct err *err)
{
	bool is_new = !fs_exists(d->fs, d->path);
	int rc = fs_mkdir(d->fs, d->path, err);
	if (rc != 0)
		return rc;
	char *parent = xasprintf("%s/..", d->path);
	rc = fs_sync_dir(d->fs, parent, is_new ? err : NULL);
	free(parent);
	return is_new ? rc : 0; /* an old one may lie where we cannot read */
}

static int make_and_lock(struct data_dir *d, struct err *err)
{
	int rc = make_dir(d, err);
	if (rc == 0)
		rc = lock_dir(d, err);
	if (rc == 0)
		rc = fs_mkdir(d->fs, d->wal, err);
	if (rc == 0)
		rc = fs_mkdir(d->fs, d->head, err);
	if (rc == 0)
		rc = fs_mkdir(d->fs, d->parts, err);
	return rc;
}

struct data_dir data_dir_at(struct fs *fs, const char *path)
{
	return (struct data_dir){
	    .fs = fs,
	    .path = xstrdup(path),
	    .wal = xasprintf("%s/wal", path),
	    .head = xasprintf("%s/head", path),
	    .parts = xasprintf("%s/parts", path),
	    .lock_fd = -1,
	};
}

int data_dir_open(struct fs *fs, const char *path, struct data_dir *out, struct err *err)
{
	struct data_dir d = data_dir_at(fs, path);
	int rc = check_owner(&d, err);
	if (rc == 0)
		rc = make_and_lock(&d, err);
	if (rc != 0)
		data_dir_close(&d);
	else
		*out = d;
	return rc;
}

/* Whoever made the store made the manifest and the lock file: a copy without the latter is in nobody's use. */
int data_dir_open_existing(struct fs *fs, const char *path, struct data_dir *out, struct err *err)
{
	struct data_dir d = data_dir_at(fs, path);
	char *manifest = xasprintf("%s/manifest", path), *lock = xasprintf("%s/lock", path);
	int rc = check_owner(&d, err);
	if (rc == 0 && !fs_exists(fs, manifest))
		rc = err_set(err, ERR_NOT_FOUND, "%s holds no store: there is no manifest", path);
	if (rc == 0 && fs_exists(fs, lock))
		rc = lock_dir(&d, err);
	free(manifest);
	free(lock);
	if (rc != 0)
		data_dir_close(&d);
	else
		*out = d;
	return rc;
}

void data_dir_close(struct data_dir *d)
{
	if (d->lock_fd >= 0)
		fs_close(d->fs, d->lock_fd);
	free(d->path);
	free(d->wal);
	free(d->head);
	free(d->parts);
}
