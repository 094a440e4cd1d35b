/* The list of parts that count, durable: a log of "part added / part removed / log cut" records in one file,
 * rewritten when it has grown. A part directory that the manifest does not name is garbage of a crash. A
 * change is one record with one checksum, so a crash leaves either the old or the new list. One owner; the
 * owner's lock. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct manifest;

struct manifest_part {
	uint64_t seq;
	int level;
	int64_t min_t_ms, max_t_ms;
};

/* One step from list to list. */
struct manifest_change {
	const struct manifest_part *add;
	size_t n_add;
	const uint64_t *remove; /* their seq */
	size_t n_remove;
	uint64_t wal_segment; /* the log before this segment is no longer needed; 0: as it was */
};

enum manifest_state {
	MANIFEST_NEW, /* there was none */
	MANIFEST_WHOLE,
	MANIFEST_DAMAGED, /* what stood behind a bad record is not in the list */
};

/* Reads "<dir>/manifest", which is made when absent. What a crash tore and what lost a bit look alike: the list is that of
 * the good records at the beginning, the file is kept as "<dir>/manifest.damaged", and the owner looks for parts that are
 * missing from the list. ERR_UNSUPPORTED: a newer format. */
MUST_CHECK int manifest_open(
    struct fs *fs, const char *dir, struct manifest **out, enum manifest_state *state, struct err *err);
/* The same of a manifest that is there, without changing anything: it takes no commits. */
MUST_CHECK int manifest_read(
    struct fs *fs, const char *dir, struct manifest **out, enum manifest_state *state, struct err *err);
void manifest_close(struct manifest *m);

/* A number no part had before; durable only with the part that uses it. */
uint64_t manifest_next_seq(struct manifest *m);
/* A number that is taken, though the list may not know it. */
void manifest_skip_seq(struct manifest *m, uint64_t seq);
/* In order of seq; borrowed until the next commit. */
const struct manifest_part *manifest_parts(const struct manifest *m, size_t *n);
bool manifest_has(const struct manifest *m, uint64_t seq);
/* The first log segment that is still needed. */
uint64_t manifest_wal_segment(const struct manifest *m);

/* Appends, syncs, then changes the list. ERR_IO: the list is as it was. */
MUST_CHECK int manifest_commit(struct manifest *m, const struct manifest_change *change, struct err *err);
/* After a failed commit: whether the next start may find that change in the file all the same. Then the files of what it
 * adds must stay until a later commit went well. */
bool manifest_may_have_it(const struct manifest *m);
