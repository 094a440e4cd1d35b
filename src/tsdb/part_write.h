/* Making a part: an immutable directory with the sealed chunks of many series over a stretch of time.
 * Everything is written below "<name>.tmp", synced, and renamed at commit; what a crash leaves there is
 * removed at the next start. A part counts only when the manifest names it (tsdb/manifest.h). One thread.
 * docs/formats/part.md has the bytes.
 *
 *   part_writer_new -> for each series: part_writer_series, part_writer_floats/_histograms ... ->
 * part_writer_commit */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "model/histogram.h"
#include "model/labels.h"
#include "storage/querier.h"
#include "tsdb/part_meta.h"
#include <stdint.h>

struct part_writer;

struct part_write_options {
	struct fs *fs;
	const char *parts_dir; /* where parts live; made when absent */
	uint64_t seq;          /* from manifest_next_seq() */
	uint64_t newest_seq;   /* part_meta.newest_seq; 0: seq */
	int level;
	bool out_of_order;
	uint32_t chunk_samples;  /* samples a chunk at most; 0: 2048 */
	const uint64_t *parents; /* may be NULL */
	size_t n_parents;
};

MUST_CHECK int part_writer_new(
    const struct part_write_options *opt, struct part_writer **out, struct err *err);
/* Begins the next series. In labels_cmp() order, each once: neighbours share text, and readers may rely on
 * it. ERR_INVALID when out of order. */
MUST_CHECK int part_writer_series(struct part_writer *w, const struct labels *labels, struct err *err);
/* Samples of the current series, in time order, also over several calls; times ascend strictly. They are cut
 * into chunks here. A series without samples is left out of the part. */
MUST_CHECK int part_writer_floats(
    struct part_writer *w, const int64_t *t, const double *v, size_t n, struct err *err);
MUST_CHECK int part_writer_histograms(
    struct part_writer *w, const int64_t *t, const struct histogram *const *h, size_t n, struct err *err);
/* Floats and histograms as they take turns in `c`. */
MUST_CHECK int part_writer_column(struct part_writer *w, const struct sample_column *c, struct err *err);
/* Syncs everything and renames. The writer is freed in every case; on failure nothing is left but perhaps the
 * temporary directory. `meta` (NULL: not wanted) is what was written. ERR_INVALID: no sample was added. */
MUST_CHECK int part_writer_commit(struct part_writer *w, struct part_meta *meta, struct err *err);
/* Gives up and removes the temporary directory. Takes NULL. */
void part_writer_free(struct part_writer *w);
/* Whether anything was added yet. */
bool part_writer_is_empty(const struct part_writer *w);
