/* How full the disk is, and the room that is kept for getting out of it: data/reserve, a file of blocks that nobody else can
 * take. When there is no room to seal the head, the file goes; sealing makes small parts of a long log, and the log is cut;
 * then the file is made again. Sizes follow the file system, so that a small one is not filled by its own reserve.
 * One thread at a time (the store's maintenance). */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include <stdbool.h>
#include <stdint.h>

struct disk_room {
	struct fs *fs;
	char *dir, *path;
	uint64_t reserve_bytes; /* 0: the file system is too small for one, or does not say how large it is */
	uint64_t low_bytes;     /* less than this is too little */
	uint64_t free_bytes;    /* as of the last look; UINT64_MAX: not known */
	bool is_held;           /* the file is there */
};

/* Nothing is made yet. `reserve_max_bytes`: of the file, 0: there shall be none; `low_bytes`: what the log needs to go on. */
void disk_room_init(
    struct disk_room *r, struct fs *fs, const char *dir, uint64_t reserve_max_bytes, uint64_t low_bytes);
void disk_room_done(struct disk_room *r);

/* Asks the file system. */
void disk_room_look(struct disk_room *r);
/* As of the last look: too little; enough to begin again. */
bool disk_room_is_low(const struct disk_room *r);
bool disk_room_is_ample(const struct disk_room *r);

/* Makes the file when it is not there and enough is left behind it; removes it when none is wanted. */
void disk_room_refill(struct disk_room *r);
/* Gives its blocks up. False: it was not there. */
bool disk_room_release(struct disk_room *r);

/* How long segments of the log may be on this file system: `wanted`, or less on a small one. */
uint64_t disk_room_segment_bytes(struct fs *fs, const char *dir, uint64_t wanted);
