/* Which series of the head have which label: for each name its values, for each pair of name and value the refs. Also the
 * home of the symbols and of the label sets.
 *
 * Everything here belongs to the head's index lock (LOCK_POSTINGS): writing needs it for writing, the rest for reading. */
#pragma once

#include "base/arena.h"
#include "base/vec.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "storage/appender.h"
#include "tsdb/postings.h"
#include "tsdb/series_labels.h"
#include "tsdb/symbols.h"
#include "tsdb/tag_table.h"

VEC_DEFINE(index_pair_ids, uint32_t);

/* A label name in use. */
struct index_name {
	uint32_t symbol;
	uint64_t value_bytes; /* the sum of the lengths of its values */
	struct index_pair_ids pairs;
};
VEC_DEFINE(index_names, struct index_name);

/* One name with one value. */
struct index_pair {
	uint32_t name;    /* place in names */
	uint32_t value;   /* symbol */
	uint32_t handles; /* label sets with it; 0: the number is free */
	uint32_t place;   /* among the pairs of its name */
	struct postings series;
};

/* What the last new series had: neighbours share most of their labels, and text that is equal needs no lookup. */
struct index_last {
	uint32_t schema, n, cap;
	uint32_t *names, *values, *pairs; /* name symbols, value symbols, pair numbers */
};

struct head_index {
	struct symbols symbols;
	struct series_labels labels;
	struct index_names names;
	struct tag_table by_name;  /* name symbol -> place in names + 1 */
	struct index_pair **pairs; /* segments */
	uint32_t n_pairs;
	struct index_pair_ids free_pairs;
	struct tag_table by_pair; /* -> pair number + 1 */
	struct postings all;
	struct index_last last;
};

void head_index_init(struct head_index *ix);
void head_index_done(struct head_index *ix);

/* Enters a new series; *handle is its label set. On failure (ERR_LIMIT) nothing refers to the series. */
MUST_CHECK int head_index_add(
    struct head_index *ix, series_ref ref, const struct labels *labels, uint32_t *handle, struct err *err);
/* Takes a series out of all sets; its labels stay, for readers that have the handle. */
void head_index_remove(struct head_index *ix, series_ref ref, uint32_t handle);
/* Nobody reads these labels any more: frees them and what only they used. */
void head_index_free(struct head_index *ix, uint32_t handle);

/* The refs of the series that match all matchers (all series when there are none). `out` must be empty. */
void head_index_select(
    const struct head_index *ix, const struct matcher *const *matchers, size_t n, struct postings *out);

/* Calls `each` for every name in use / every value of a name that a series of `among` (NULL: any) has; no order. Stops at
 * the first non-zero and returns that. */
int head_index_names(const struct head_index *ix, const struct postings *among,
    int (*each)(void *arg, struct slice name), void *arg);
int head_index_values(const struct head_index *ix, struct slice name, const struct postings *among,
    int (*each)(void *arg, struct slice value), void *arg);

/* Calls `each` with the series of every value of a name, in no order; stops at the first non-zero and returns that. 1, nothing
 * called: there are more than `max` values. */
int head_index_each_value(const struct head_index *ix, struct slice name, size_t max,
    int (*each)(void *arg, const struct postings *series), void *arg);

const struct index_pair *head_index_pair(const struct head_index *ix, uint32_t pair);
/* Bytes of symbols, label sets and tables; the containers of the postings are not counted. */
size_t head_index_bytes(const struct head_index *ix);
