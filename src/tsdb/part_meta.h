/* What a part says about itself: the file `meta` of its directory, as JSON, so that an operator can read it;
 * its last member is a checksum of the rest. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/slice.h"
#include <stdint.h>

enum { PART_VERSION = 2, PART_NAME_MAX = 64, PART_PARENTS_MAX = 128 };

struct part_meta {
	int version;
	char name[PART_NAME_MAX];   /* of its directory */
	uint64_t seq;               /* given by the manifest; grows */
	uint64_t newest_seq;        /* of the newest sealed part in it; its own when it was sealed */
	int level;                  /* 0: sealed from the head; 1, 2: compacted */
	bool out_of_order;          /* made of late samples: may overlap others */
	int64_t min_t_ms, max_t_ms; /* of the samples, both ends included */
	uint64_t series, chunks, samples;
	uint64_t chunks_bytes, dir_bytes, index_bytes; /* on disk */
	uint32_t n_parents; /* whose samples it has: the seq of what it was joined from, then theirs */
	uint64_t parents[PART_PARENTS_MAX];
};

/* "part-0000000000000042" */
void part_name(uint64_t seq, char out[PART_NAME_MAX]);
MUST_CHECK int part_meta_write(struct fs *fs, const char *path, const struct part_meta *m, struct err *err);
/* ERR_CORRUPT: a wrong checksum, or a field is missing or impossible; ERR_UNSUPPORTED: another version.
 */
MUST_CHECK int part_meta_read(struct fs *fs, const char *path, struct part_meta *m, struct err *err);
MUST_CHECK int part_meta_parse(struct slice text, struct part_meta *m, struct err *err);
