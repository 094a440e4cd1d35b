/* An open part: labels by ordinal, ordinals by matchers, samples by ordinal and time. Series of a part are
 * numbered 0..n-1 in labels_cmp() order (their ordinal). Immutable and refcounted; all functions are
 * thread-safe. Data come through the page cache; what is wrong on disk is ERR_CORRUPT with the file's name.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/vec.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "storage/querier.h"
#include "tsdb/page_file.h"
#include "tsdb/part_meta.h"
#include "tsdb/postings.h"

struct part;

/* Opens "<parts_dir>/<name>". The caller has the first reference. ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO,
 * ERR_UNSUPPORTED. */
MUST_CHECK int part_open(struct fs *fs, const char *parts_dir, const char *name, struct page_cache *cache,
    struct part **out, struct err *err);
struct part *part_ref(struct part *p);
/* Closes with the last reference. Takes NULL. */
void part_unref(struct part *p);
/* Removes the directory when the last reference goes. */
void part_unlink_when_done(struct part *p);

const struct part_meta *part_meta(const struct part *p);
uint32_t part_series_count(const struct part *p);
/* What its files take, all of them, as of its opening. */
uint64_t part_disk_bytes(const struct part *p);

/* The ordinals whose labels match all matchers; `out` must be empty. */
MUST_CHECK int part_select(struct part *p, const struct matcher *const *matchers, size_t n_matchers,
    struct postings *out, struct err *err);
/* The labels of one series, text included, in the arena. */
MUST_CHECK int part_labels(
    struct part *p, uint32_t ordinal, struct arena *arena, const struct labels **out, struct err *err);
/* The ordinal of these labels; ERR_NOT_FOUND. */
MUST_CHECK int part_find(struct part *p, const struct labels *labels, uint32_t *ordinal, struct err *err);

/* Appends the samples of one series within [min_t_ms, max_t_ms] to `out`, in time order. */
MUST_CHECK int part_read(struct part *p, uint32_t ordinal, int64_t min_t_ms, int64_t max_t_ms,
    struct sample_column *out, struct err *err);
/* An upper bound of what part_read() would append; 0 when no chunk touches the range. Never fails: a
 * directory that cannot be read counts as empty here, and part_read() says why. */
uint64_t part_estimate(struct part *p, uint32_t ordinal, int64_t min_t_ms, int64_t max_t_ms);

/* touches[i] says whether the series ordinals[i] (ascending, n of them) may have samples in the range: it has some before its
 * end and some behind its beginning. ERR_CORRUPT, ERR_IO. */
MUST_CHECK int part_touches(struct part *p, const uint32_t *ordinals, size_t n, int64_t min_t_ms,
    int64_t max_t_ms, bool *touches, struct err *err);

/* A chunk of a series: there are samples at its first and its last time, none outside of these. */
struct chunk_span {
	int64_t min_t_ms, max_t_ms;
	bool has_summary;
	struct sample_summary summary;
};
VEC_DEFINE(chunk_spans, struct chunk_span);
/* Appends the chunks of one series that touch the range, in time order, those that are deleted as a whole left out. One of
 * which anything is deleted has no summary. */
MUST_CHECK int part_spans(struct part *p, uint32_t ordinal, int64_t min_t_ms, int64_t max_t_ms,
    struct chunk_spans *out, struct err *err);

/* What a series takes: the samples of its chunks, deleted ones included, and the chunks' bytes (not the time columns that it
 * shares with others). */
struct part_series_size {
	uint64_t chunks, samples, bytes;
	int64_t min_t_ms, max_t_ms;
};
MUST_CHECK int part_series_size(
    struct part *p, uint32_t ordinal, struct part_series_size *out, struct err *err);

/* Notes that the samples of these ordinals within [min_t_ms, max_t_ms] are deleted, durably. This part goes on showing them:
 * parts do not change while they are open. One that is opened from now on does not. *changed false: there was nothing to
 * delete. One caller at a time for a directory. */
MUST_CHECK int part_delete(struct part *p, const struct postings *series, int64_t min_t_ms, int64_t max_t_ms,
    bool *changed, struct err *err);
bool part_has_tombstones(const struct part *p);

/* Calls each(arg, text) for all label names / all values of a name in byte order; the text is borrowed during
 * the call. Stops at the first non-zero and returns that. A name that no series has: none. */
MUST_CHECK int part_each_name(
    struct part *p, int (*each)(void *arg, struct slice name), void *arg, struct err *err);
MUST_CHECK int part_each_value(struct part *p, struct slice name,
    int (*each)(void *arg, struct slice value, uint64_t series), void *arg, struct err *err);
/* Those values of `name` that some series of `among` has, in byte order. */
MUST_CHECK int part_each_value_among(struct part *p, struct slice name, const struct postings *among,
    int (*each)(void *arg, struct slice value, uint64_t series), void *arg, struct err *err);

/* Reads and checks every byte: checksums, format, and that each chunk decodes. For `verify` and repair. */
MUST_CHECK int part_verify(struct part *p, struct err *err);
/* The part about format and chunks alone, past what is wrong: calls bad(arg, why) for each series that is. */
void part_verify_series(struct part *p, void (*bad)(void *arg, const struct err *why), void *arg);
