/* A store in plain arrays that also knows what a crash may undo, to be compared with the real one: for each series and time
 * the sample that readers see now, and those they may see instead after a crash. storage/mem_store.h without an opinion on
 * crashes; slow and obvious. One thread. */
#pragma once

#include "base/vec.h"
#include "model/histogram.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "storage/querier.h"

/* A sample, or none. */
struct model_value {
	bool is_there;
	const struct histogram *h; /* NULL: a float; lives as long as the model */
	double v;
};
VEC_DEFINE(model_values, struct model_value);

struct model_entry {
	int64_t t_ms;
	struct model_value now;
	struct model_values others; /* what may be here after a crash, beside `now` */
};
VEC_DEFINE(model_entries, struct model_entry);

struct model_series {
	const struct labels *labels;
	struct model_entries entries; /* times ascend; without a sample: it was deleted */
	unsigned seen;                /* in which comparison */
	struct model_series *next_of_hash;
};
VEC_DEFINE(model_series_vec, struct model_series *);

struct sample_model;

struct sample_model *sample_model_new(void);
void sample_model_free(struct sample_model *m);

/* The series with these labels, made when new. Lives as long as the model, as do its labels. */
struct model_series *sample_model_series(struct sample_model *m, const struct labels *labels);
const struct model_series_vec *sample_model_all(const struct sample_model *m);
/* What readers see at this time. */
struct model_value sample_model_at(const struct model_series *s, int64_t t_ms);

/* The store took this sample; a crash may undo it until the next sample_model_sync(). Of several at one time the first
 * counts. */
void sample_model_put(struct sample_model *m, struct model_series *s, int64_t t_ms, struct model_value v);
/* The store failed to take this sample: readers do not see it; after a crash they may. */
void sample_model_put_maybe(
    struct sample_model *m, struct model_series *s, int64_t t_ms, struct model_value v);
/* Deleted for good; with `is_sure` false readers may see any of it after a crash. */
void sample_model_delete(struct sample_model *m, const struct matcher *const *matchers, size_t n,
    int64_t min_t_ms, int64_t max_t_ms, bool is_sure);
/* Everything that readers see is on disk. */
void sample_model_sync(struct sample_model *m);

/* What is asked, and what need not be there. */
struct model_query {
	const struct matcher *const *matchers;
	size_t n_matchers;
	int64_t min_t_ms, max_t_ms;
	int64_t keep_from_ms; /* what is older may be gone */
	bool newest_only;     /* only the newest of the range counts */
	bool is_partial;      /* any sample may be missing; none may be different */
};
/* Asks the store; fails the test, with the text `what`, when it does not say what the model says. */
void sample_model_check(
    struct sample_model *m, struct queryable *store, const struct model_query *q, const char *what);
/* The same for label names (`name` empty) or the values of a name. A series whose samples were all deleted may still be
 * named. */
void sample_model_check_names(struct sample_model *m, struct queryable *store, struct slice name,
    const struct model_query *q, const char *what);
/* After a crash: what is in the store is what readers see; fails the test when the crash cannot have left that. */
void sample_model_adopt(
    struct sample_model *m, struct queryable *store, int64_t keep_from_ms, const char *what);
