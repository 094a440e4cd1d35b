#include "tsdb/disk_room.h"

#include "base/xmalloc.h"

enum {
	RESERVE_FRACTION = 16, /* of the file system */
	SEGMENT_FRACTION = 16,
	MIN_RESERVE_BYTES = 256 << 10,
	MIN_SEGMENT_BYTES = 64 << 10,
	BLOCK_BYTES = 4096,
};

/* 0: it does not say. */
static uint64_t total_bytes(struct fs *fs, const char *dir)
{
	uint64_t room, total;
	return fs_space(fs, dir, &room, &total, NULL) == 0 ? total : 0;
}

static uint64_t reserve_bytes(uint64_t total, uint64_t most)
{
	uint64_t n = total / RESERVE_FRACTION / BLOCK_BYTES * BLOCK_BYTES;
	if (n < MIN_RESERVE_BYTES)
		return 0;
	return n < most ? n : most;
}

/* One that was being made when the process ended is empty. */
static bool is_there(struct fs *fs, const char *path)
{
	uint64_t n = 0;
	int fd;
	if (fs_open(fs, path, FS_READ, &fd, NULL) != 0)
		return false;
	int rc = fs_size(fs, fd, &n, NULL);
	fs_close(fs, fd);
	return rc == 0 && n > 0;
}

void disk_room_init(
    struct disk_room *r, struct fs *fs, const char *dir, uint64_t reserve_max_bytes, uint64_t low_bytes)
{
	*r = (struct disk_room){.fs = fs,
	    .dir = xstrdup(dir),
	    .path = xasprintf("%s/reserve", dir),
	    .reserve_bytes = reserve_bytes(total_bytes(fs, dir), reserve_max_bytes),
	    .low_bytes = low_bytes,
	    .free_bytes = UINT64_MAX};
	r->is_held = is_there(fs, r->path);
}

void disk_room_done(struct disk_room *r)
{
	free(r->dir);
	free(r->path);
}

void disk_room_look(struct disk_room *r)
{
	uint64_t total;
	if (fs_space(r->fs, r->dir, &r->free_bytes, &total, NULL) != 0)
		r->free_bytes = UINT64_MAX;
}

bool disk_room_is_low(const struct disk_room *r)
{
	return r->free_bytes < r->low_bytes;
}

/* Twice of what is low: or it would go to and fro. */
bool disk_room_is_ample(const struct disk_room *r)
{
	return r->free_bytes / 2 >= r->low_bytes;
}

void disk_room_refill(struct disk_room *r)
{
	int fd;
	if (r->is_held && r->reserve_bytes == 0)
		disk_room_release(r);
	if (r->is_held || r->reserve_bytes == 0 || r->free_bytes < r->reserve_bytes ||
	    (r->free_bytes - r->reserve_bytes) / 2 < r->low_bytes)
		return;
	if (fs_open(r->fs, r->path, FS_CREATE, &fd, NULL) != 0)
		return;
	r->is_held = true;
	int rc = fs_allocate(r->fs, fd, r->reserve_bytes, NULL);
	fs_close(r->fs, fd);
	if (rc != 0)
		disk_room_release(r);
	disk_room_look(r);
}

bool disk_room_release(struct disk_room *r)
{
	if (!r->path || !r->is_held || fs_unlink(r->fs, r->path, NULL) != 0)
		return false;
	r->is_held = false;
	disk_room_look(r);
	return true;
}

uint64_t disk_room_segment_bytes(struct fs *fs, const char *dir, uint64_t wanted)
{
	uint64_t most = total_bytes(fs, dir) / SEGMENT_FRACTION;
	if (most == 0 || wanted <= most)
		return wanted;
	return most > MIN_SEGMENT_BYTES ? most : wanted < MIN_SEGMENT_BYTES ? wanted : MIN_SEGMENT_BYTES;
}
