/* Records of the log and series snapshots, from bytes that may be anything. The first byte chooses the type. What decodes is
 * applied to a head, as replay does. */
#include "base/clock.h"
#include "base/xmalloc.h"
#include "tsdb/series_snapshot.h"
#include "tsdb/wal_apply.h"
#include "tsdb/wal_frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TYPES = WAL_TYPE_MAX + 1, SNAPSHOT = 0, SEGMENT = 5 };

static void replay_frames(struct head *h, struct slice content)
{
	struct wal_frames frames;
	struct wal_frame f;
	struct slice payload;
	struct wal_gather gather;
	struct wal_apply_counts counts = {0};
	struct wal_apply a = {.head = h};
	wal_gather_init(&gather);
	wal_frames_open(&frames, content, 0, 1);
	while (wal_frames_next(&frames, &f, &payload) == 0)
		if (!wal_gather_add(&gather, &f, payload) && wal_apply_record(&a, &f, payload, &counts) != 0)
			break;
	for (unsigned i = 0; i < HEAD_STRIPES; i++)
		wal_gather_apply(&gather, &a, i);
	wal_gather_done(&gather);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	unsigned type = data[0] % TYPES;
	struct slice payload = slice_of((const char *)data + 1, size - 1);
	struct head *h = xcalloc(1, sizeof(*h));
	head_init(h, &(struct head_options){.clock = clock_real(), .max_exemplars = 100});
	struct wal_apply_counts counts = {0};
	struct wal_apply a = {.head = h};
	int rc = 0;
	if (type == SNAPSHOT)
		rc = series_snapshot_parse(
		    h, payload.len ? (uint8_t)payload.ptr[0] % HEAD_STRIPES : 0, payload, NULL);
	else if (type == SEGMENT)
		replay_frames(h, payload);
	else
		rc = wal_apply_record(
		    &a, &(struct wal_frame){.type = (uint8_t)type, .number = 1}, payload, &counts);
	(void)rc; /* refusing is fine, falling over is not */
	head_done(h);
	free(h);
	return 0;
}
