/* Every function asks the fault injector, if there is one, then the system. What is built of other calls (whole files,
 * trees) goes through the functions here, so that each step of it can fail in a test. */
#include "base/fs.h"

#include "base/lock.h"
#include "base/vec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { FILE_MODE = 0666, FOLDER_MODE = 0777, READ_CHUNK_BYTES = 65536 };

VEC_DEFINE(path_vec, char *);

struct fs {
	int (*fault)(void *arg, enum fs_call call, const char *path, size_t *n); /* NULL: none */
	void *arg;
	struct lock lock;
	struct path_vec paths; /* POOL: of open descriptors, with a fault injector only */
};

static struct fs real;

struct fs *fs_real(void)
{
	return &real;
}

struct fs *fs_faulty_new(int (*fault)(void *arg, enum fs_call call, const char *path, size_t *n), void *arg)
{
	struct fs *fs = xcalloc(1, sizeof(*fs));
	fs->fault = fault;
	fs->arg = arg;
	lock_init(&fs->lock, LOCK_POOL, "test file system");
	return fs;
}

void fs_faulty_free(struct fs *fs)
{
	VEC_EACH (char *, path, &fs->paths)
		free(*path);
	path_vec_done(&fs->paths);
	lock_done(&fs->lock);
	free(fs);
}

static void track(struct fs *fs, int fd, const char *path)
{
	if (!fs->fault || fd < 0)
		return;
	lock_take(&fs->lock);
	while (fs->paths.len <= (size_t)fd)
		path_vec_push(&fs->paths, NULL);
	free(fs->paths.v[fd]);
	fs->paths.v[fd] = path ? xstrdup(path) : NULL;
	lock_release(&fs->lock);
}

/* 0: go on; 1: pretend; else failed, with errno set. */
static int ask_n(struct fs *fs, enum fs_call call, const char *path, size_t *n)
{
	int answer = fs->fault ? fs->fault(fs->arg, call, path, n) : 0;
	if (answer == FS_PRETEND)
		return 1;
	errno = answer;
	return answer ? -1 : 0;
}

static int ask(struct fs *fs, enum fs_call call, const char *path)
{
	size_t n = 0;
	return ask_n(fs, call, path, &n);
}

/* The path of a descriptor, for messages and faults; "" when it is not known. Made on the heap. */
static char *path_of(struct fs *fs, int fd)
{
	char link[64], path[PATH_MAX];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = fs->fault ? 0 : readlink(link, path, sizeof(path) - 1);
	if (n > 0) {
		path[n] = '\0';
		return xstrdup(path);
	}
	if (!fs->fault || fd < 0)
		return xstrdup("");
	lock_take(&fs->lock);
	bool is_known = (size_t)fd < fs->paths.len && fs->paths.v[fd];
	char *copy = xstrdup(is_known ? fs->paths.v[fd] : "");
	lock_release(&fs->lock);
	return copy;
}

static int ask_fd(struct fs *fs, enum fs_call call, int fd, size_t *n)
{
	if (!fs->fault)
		return 0;
	char *path = path_of(fs, fd);
	int answer = ask_n(fs, call, path, n);
	int saved = errno;
	free(path);
	errno = saved;
	return answer;
}

/* ERR_IO with what was tried, on which file, and why it failed. */
static int fail_fd(struct fs *fs, int fd, const char *verb, struct err *err)
{
	int saved = errno;
	char *path = path_of(fs, fd);
	errno = saved;
	err_set_errno(err, "%s %s", verb, path);
	free(path);
	return ERR_IO;
}

static int fail(const char *verb, const char *path, struct err *err)
{
	return err_set_errno(err, "%s %s", verb, path);
}

/* --- one file -------------------------------------------------------------------------------------------------- */

int fs_open(struct fs *fs, const char *path, enum fs_open_mode mode, int *fd, struct err *err)
{
	static const int flags[] = {[FS_READ] = O_RDONLY,
	    [FS_CREATE] = O_RDWR | O_CREAT | O_TRUNC,
	    [FS_CREATE_NEW] = O_RDWR | O_CREAT | O_EXCL,
	    [FS_READ_WRITE] = O_RDWR};
	if (ask(fs, FS_CALL_OPEN, path) < 0)
		return fail("open", path, err);
	int got = open(path, flags[mode] | O_CLOEXEC, FILE_MODE);
	if (got < 0) {
		int code = errno == EEXIST ? ERR_EXISTS : errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
		fail("open", path, err);
		if (err)
			err->code = code;
		return code;
	}
	track(fs, got, path);
	*fd = got;
	return 0;
}

void fs_close(struct fs *fs, int fd)
{
	track(fs, fd, NULL);
	close(fd);
}

static int write_all(int fd, const char *p, size_t n, uint64_t offset)
{
	while (n) {
		ssize_t wrote = pwrite(fd, p, n, (off_t)offset);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote == 0)
			errno = ENOSPC;
		if (wrote <= 0)
			return -1;
		p += wrote;
		n -= (size_t)wrote;
		offset += (uint64_t)wrote;
	}
	return 0;
}

int fs_pwrite(struct fs *fs, int fd, const void *bytes, size_t n, uint64_t offset, struct err *err)
{
	size_t allowed = n;
	int answer = ask_fd(fs, FS_CALL_WRITE, fd, &allowed);
	if (answer > 0)
		return 0;
	int saved = errno;
	if (allowed < n || answer == 0) {
		if (write_all(fd, bytes, allowed < n ? allowed : n, offset) < 0)
			return fail_fd(fs, fd, "write", err);
		if (answer == 0 && allowed >= n)
			return 0;
	}
	errno = saved ? saved : ENOSPC;
	return fail_fd(fs, fd, "write", err);
}

int fs_pread(struct fs *fs, int fd, void *bytes, size_t n, uint64_t offset, size_t *got, struct err *err)
{
	if (ask_fd(fs, FS_CALL_READ, fd, &n) < 0)
		return fail_fd(fs, fd, "read", err);
	char *p = bytes;
	size_t total = 0;
	while (total < n) {
		ssize_t some = pread(fd, p + total, n - total, (off_t)(offset + total));
		if (some < 0 && errno == EINTR)
			continue;
		if (some < 0)
			return fail_fd(fs, fd, "read", err);
		if (some == 0)
			break;
		total += (size_t)some;
	}
	*got = total;
	return 0;
}

int fs_datasync(struct fs *fs, int fd, struct err *err)
{
	size_t n = 0;
	int answer = ask_fd(fs, FS_CALL_SYNC, fd, &n);
	if (answer > 0)
		return 0;
	if (answer < 0 || fdatasync(fd) < 0)
		return fail_fd(fs, fd, "sync", err);
	return 0;
}

int fs_allocate(struct fs *fs, int fd, uint64_t n, struct err *err)
{
	size_t want = n;
	int answer = ask_fd(fs, FS_CALL_ALLOCATE, fd, &want);
	if (answer > 0)
		return 0;
	if (answer == 0)
		errno = posix_fallocate(fd, 0, (off_t)n);
	return errno ? fail_fd(fs, fd, "allocate", err) : 0;
}

int fs_truncate(struct fs *fs, int fd, uint64_t n, struct err *err)
{
	size_t want = n;
	int answer = ask_fd(fs, FS_CALL_TRUNCATE, fd, &want);
	if (answer > 0)
		return 0;
	if (answer < 0 || ftruncate(fd, (off_t)n) < 0)
		return fail_fd(fs, fd, "truncate", err);
	return 0;
}

int fs_size(struct fs *fs, int fd, uint64_t *n, struct err *err)
{
	struct stat st;
	size_t unused = 0;
	if (ask_fd(fs, FS_CALL_SIZE, fd, &unused) < 0 || fstat(fd, &st) < 0)
		return fail_fd(fs, fd, "stat", err);
	*n = (uint64_t)st.st_size;
	return 0;
}

/* --- names ----------------------------------------------------------------------------------------------------- */

int fs_rename(struct fs *fs, const char *from, const char *to, struct err *err)
{
	int answer = ask(fs, FS_CALL_RENAME, from);
	if (answer > 0)
		return 0;
	if (answer < 0 || rename(from, to) < 0)
		return err_set_errno(err, "rename %s to %s", from, to);
	return 0;
}

int fs_link(struct fs *fs, const char *from, const char *to, struct err *err)
{
	int answer = ask(fs, FS_CALL_LINK, from);
	if (answer > 0)
		return 0;
	if (answer < 0 || link(from, to) < 0)
		return err_set_errno(err, "link %s to %s", from, to);
	return 0;
}

int fs_unlink(struct fs *fs, const char *path, struct err *err)
{
	int answer = ask(fs, FS_CALL_UNLINK, path);
	if (answer > 0)
		return 0;
	if (answer < 0 || (unlink(path) < 0 && errno != ENOENT))
		return fail("remove", path, err);
	return 0;
}

static int make_folder(const char *path)
{
	struct stat st;
	if (mkdir(path, FOLDER_MODE) == 0)
		return 0;
	if (errno != EEXIST)
		return -1;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	errno = ENOTDIR;
	return -1;
}

int fs_mkdir(struct fs *fs, const char *path, struct err *err)
{
	int answer = ask(fs, FS_CALL_MKDIR, path);
	if (answer > 0)
		return 0;
	char *copy = xstrdup(path);
	int rc = answer;
	for (char *p = copy; rc == 0 && *p; p++) {
		if (*p != '/' || p == copy)
			continue;
		*p = '\0';
		rc = make_folder(copy);
		*p = '/';
	}
	if (rc == 0)
		rc = make_folder(copy);
	int saved = errno;
	free(copy);
	errno = saved;
	return rc < 0 ? fail("make folder", path, err) : 0;
}

int fs_sync_dir(struct fs *fs, const char *path, struct err *err)
{
	int answer = ask(fs, FS_CALL_SYNC_DIR, path);
	if (answer > 0)
		return 0;
	int fd = answer < 0 ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail("sync folder", path, err);
	int rc = fsync(fd);
	int saved = errno;
	close(fd);
	errno = saved;
	return rc < 0 ? fail("sync folder", path, err) : 0;
}

bool fs_exists(struct fs *fs, const char *path)
{
	(void)fs;
	return access(path, F_OK) == 0;
}

struct entry {
	char *name;
	bool is_dir;
};
VEC_DEFINE(entry_vec, struct entry);

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static bool is_folder(DIR *d, const struct dirent *e)
{
	struct stat st;
	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int read_entries(const char *path, struct entry_vec *out, struct err *err)
{
	DIR *d = opendir(path);
	if (!d)
		return fail("list", path, err);
	for (;;) {
		errno = 0;
		struct dirent *e = readdir(d);
		if (!e)
			break;
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			entry_vec_push(
			    out, (struct entry){.name = xstrdup(e->d_name), .is_dir = is_folder(d, e)});
	}
	int rc = errno ? fail("list", path, err) : 0;
	closedir(d);
	if (out->len)
		qsort(out->v, out->len, sizeof(out->v[0]), by_name);
	return rc;
}

int fs_list(struct fs *fs, const char *path, int (*each)(void *arg, const char *name, bool is_dir), void *arg,
    struct err *err)
{
	if (ask(fs, FS_CALL_LIST, path) < 0)
		return fail("list", path, err);
	struct entry_vec entries = {0};
	int rc = read_entries(path, &entries, err);
	VEC_EACH (struct entry, e, &entries) {
		if (rc == 0)
			rc = each(arg, e->name, e->is_dir);
		free(e->name);
	}
	entry_vec_done(&entries);
	return rc;
}

struct removal {
	struct fs *fs;
	const char *path;
	struct err *err;
};

static int remove_entry(void *arg, const char *name, bool is_dir)
{
	struct removal *r = arg;
	char *path = xasprintf("%s/%s", r->path, name);
	int rc = is_dir ? fs_remove_tree(r->fs, path, r->err) : fs_unlink(r->fs, path, r->err);
	free(path);
	return rc;
}

int fs_remove_tree(struct fs *fs, const char *path, struct err *err)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : fail("remove", path, err);
	if (!S_ISDIR(st.st_mode))
		return fs_unlink(fs, path, err);
	struct removal r = {.fs = fs, .path = path, .err = err};
	int rc = fs_list(fs, path, remove_entry, &r, err);
	if (rc)
		return rc;
	int answer = ask(fs, FS_CALL_UNLINK, path);
	if (answer > 0)
		return 0;
	if (answer < 0 || (rmdir(path) < 0 && errno != ENOENT))
		return fail("remove", path, err);
	return 0;
}

int fs_space(struct fs *fs, const char *path, uint64_t *free_bytes, uint64_t *total_bytes, struct err *err)
{
	struct statvfs st;
	size_t room = SIZE_MAX;
	if (ask_n(fs, FS_CALL_SPACE, path, &room) < 0 || statvfs(path, &st) < 0)
		return fail("ask for space on", path, err);
	*free_bytes = (uint64_t)st.f_bavail * st.f_frsize;
	if (room < *free_bytes)
		*free_bytes = room;
	*total_bytes = (uint64_t)st.f_blocks * st.f_frsize;
	return 0;
}

/* --- whole files ----------------------------------------------------------------------------------------------- */

/* At out's bound one more byte is asked for, which must not come. */
static int read_to_end(struct fs *fs, int fd, struct strbuf *out, struct err *err)
{
	for (uint64_t offset = 0;;) {
		size_t left = out->max - out->len, got;
		size_t room = left < READ_CHUNK_BYTES ? left : READ_CHUNK_BYTES;
		char one_too_many;
		char *to = room ? strbuf_reserve(out, room) : &one_too_many;
		if (!to)
			return err_set(err, ERR_NO_MEMORY, "no memory for the file's content");
		int rc = fs_pread(fs, fd, to, room ? room : 1, offset, &got, err);
		if (rc || got == 0)
			return rc;
		if (!room)
			return err_set(err, ERR_LIMIT, "file is longer than %zu bytes", out->max);
		strbuf_advance(out, got);
		offset += got;
	}
}

int fs_read_file(struct fs *fs, const char *path, struct strbuf *out, struct err *err)
{
	int fd;
	int rc = fs_open(fs, path, FS_READ, &fd, err);
	if (rc)
		return rc;
	rc = read_to_end(fs, fd, out, err);
	fs_close(fs, fd);
	if (rc == ERR_LIMIT || rc == ERR_NO_MEMORY)
		err_prefix(err, "read %s: ", path);
	return rc;
}

static int write_new(struct fs *fs, const char *path, struct slice content, struct err *err)
{
	int fd;
	int rc = fs_open(fs, path, FS_CREATE, &fd, err);
	if (rc)
		return rc;
	rc = fs_pwrite(fs, fd, content.ptr, content.len, 0, err);
	if (rc == 0)
		rc = fs_datasync(fs, fd, err);
	fs_close(fs, fd);
	return rc;
}

static int sync_parent(struct fs *fs, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *folder = !slash          ? xstrdup(".")
		       : slash == path ? xstrdup("/")
				       : slice_dup(slice_of(path, (size_t)(slash - path)));
	int rc = fs_sync_dir(fs, folder, err);
	free(folder);
	return rc;
}

int fs_write_file(struct fs *fs, const char *path, struct slice content, struct err *err)
{
	char *temporary = xasprintf("%s.tmp", path);
	int rc = write_new(fs, temporary, content, err);
	if (rc == 0)
		rc = fs_rename(fs, temporary, path, err);
	if (rc == 0)
		rc = sync_parent(fs, path, err);
	else
		unlink(temporary); /* the error that counts is the one above */
	free(temporary);
	return rc;
}

int fs_lock_file(struct fs *fs, const char *path, int *fd, struct err *err)
{
	int got = ask(fs, FS_CALL_LOCK, path) < 0 ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
	if (got < 0)
		return fail("open lock file", path, err);
	if (flock(got, LOCK_EX | LOCK_NB) == 0) {
		*fd = got;
		return 0;
	}
	bool is_busy = errno == EWOULDBLOCK;
	fail("lock", path, err);
	close(got);
	if (is_busy && err)
		err->code = ERR_BUSY;
	return is_busy ? ERR_BUSY : ERR_IO;
}
