/* Checking the files of a store: every checksum of every part, the manifest, the deletions, the records of the log, the series snapshots;
 * every record and chunk decoded. Nothing is changed, no engine started. Beside a server it checks what is there at the
 * moment; the end of the log may be unfinished then, and parts may go while it looks. One thread. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "tsdb/wal_record.h"
#include <stdbool.h>
#include <stdint.h>

enum store_damage_kind {
	DAMAGE_MANIFEST,
	DAMAGE_PART,     /* `number` is its seq */
	DAMAGE_SEGMENT,  /* `number` is that of the log segment */
	DAMAGE_TAIL,     /* the last segment ends within a record, as after a crash: the next start cuts it */
	DAMAGE_GAP,      /* records are missing in front of this place of the log; the file itself is whole */
	DAMAGE_SNAPSHOT, /* `number` is the stripe */
	DAMAGE_DELETIONS,
};

struct store_damage {
	enum store_damage_kind kind;
	uint64_t number;
	const char *path; /* borrowed during the call */
	uint64_t offset;  /* in the file; NO_OFFSET: the file as a whole */
	const char *why;  /* borrowed during the call */
};
#define NO_OFFSET UINT64_MAX

struct store_verify {
	struct fs *fs;
	const char *path;
	void (*damage)(void *arg, const struct store_damage *d);
	void *arg;

	/* results; zeroed by the caller */
	bool in_use;
	uint64_t parts, series, chunks, samples; /* of parts */
	uint64_t segments, records, snapshots;
	uint64_t damages;
};

/* ERR_NOT_FOUND: no store; ERR_EXISTS: that of a Prometheus; ERR_IO: cannot be listed. What cannot be read is a damage. */
MUST_CHECK int store_verify_run(struct store_verify *v, struct err *err);
/* The same for a store whose lock the caller holds. */
MUST_CHECK int store_verify_locked(struct store_verify *v, struct err *err);

/* Whether the payload is what the type says, of a record of the log and of a frame of a series snapshot. Types that are not
 * known are those of a later version, and good. */
bool store_record_is_good(const struct wal_frame *f, struct slice payload);
bool store_snapshot_frame_is_good(const struct wal_frame *f, struct slice payload);
