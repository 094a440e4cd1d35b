/* A native histogram with float counts, as PromQL computes with it. (Integer histograms of the wire and of storage are
 * turned into this when read.) Schemas -4..8 are exponential, -53 has custom bounds. Spec 1.9.
 *
 * Buckets lie in spans: `offset` buckets are skipped (for the first span: the index of its first bucket), then `length`
 * consecutive ones follow. `pos` and `neg` hold absolute counts, one per bucket of the spans.
 * Values are plain memory: they live in an arena and are not changed once shared. */
#pragma once

#include "base/arena.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include <stdint.h>

enum histogram_hint { HINT_UNKNOWN, HINT_RESET, HINT_NOT_RESET, HINT_GAUGE };
enum { HISTOGRAM_CUSTOM_SCHEMA = -53 };

struct histogram_span {
	int32_t offset;
	uint32_t length;
};

struct histogram {
	enum histogram_hint hint;
	int32_t schema;
	double zero_threshold;
	double zero_count;
	double count;
	double sum;
	uint32_t n_pos_spans, n_neg_spans;
	uint32_t n_pos, n_neg;    /* buckets: the sums of the span lengths */
	uint32_t n_custom;
	const struct histogram_span *pos_spans, *neg_spans;
	const double *pos, *neg;
	const double *custom;     /* upper bounds, ascending, +Inf not stored */
};

/* One bucket as a walk gives it. */
struct histogram_bucket {
	double lower, upper;
	bool lower_inclusive, upper_inclusive;
	double count;
	int32_t index;
};

struct histogram *histogram_copy(struct arena *a, const struct histogram *h);
bool histogram_eq(const struct histogram *a, const struct histogram *b); /* hints ignored; after compaction */
bool histogram_is_stale(const struct histogram *h);
static inline bool histogram_is_custom(const struct histogram *h)
{
	return h->schema == HISTOGRAM_CUSTOM_SCHEMA;
}

/* What happened on the way, for annotations. */
enum histogram_note {
	HISTOGRAM_NOTE_RESET_CONFLICT = 1, /* reset and not_reset met */
	HISTOGRAM_NOTE_BOUNDS_RECONCILED = 2, /* custom bounds differed: intersected */
};

/* a + b, a - b: bucketwise after bringing schema and zero bucket together. NULL: exponential met custom.
 * `notes` is or-ed to. */
struct histogram *histogram_add(struct arena *a, const struct histogram *x, const struct histogram *y, unsigned *notes);
struct histogram *histogram_sub(struct arena *a, const struct histogram *x, const struct histogram *y, unsigned *notes);
/* The running sum of many, with compensation terms of its own: begin with a copy of the first. */
struct histogram_sum;
struct histogram_sum *histogram_sum_new(struct arena *a, const struct histogram *first);
MUST_CHECK bool histogram_sum_add(struct histogram_sum *s, const struct histogram *h, unsigned *notes); /* false: incompatible */
struct histogram *histogram_sum_result(struct histogram_sum *s, struct arena *a);
/* The same divided by n, as avg wants it. */
struct histogram *histogram_sum_mean(struct histogram_sum *s, struct arena *a, double n);

struct histogram *histogram_scale(struct arena *a, const struct histogram *h, double factor);
struct histogram *histogram_divide(struct arena *a, const struct histogram *h, double divisor);
struct histogram *histogram_reduce(struct arena *a, const struct histogram *h, int32_t schema); /* to a lower resolution */
struct histogram *histogram_compact(struct arena *a, const struct histogram *h); /* without empty buckets at edges and in gaps */
/* Observations above (upper) / below threshold removed: the </ and >/ operators. */
struct histogram *histogram_trim(struct arena *a, const struct histogram *h, double threshold, bool trim_upper);

/* Whether `h` after `prev` means that the counter began anew. Spec 1.8 "Reset detection". */
bool histogram_detect_reset(const struct histogram *h, const struct histogram *prev);

double histogram_quantile(const struct histogram *h, double q);
double histogram_fraction(const struct histogram *h, double lower, double upper);
double histogram_stdvar(const struct histogram *h);

/* All buckets from the lowest to the highest, the zero bucket among them. */
struct histogram_walk {
	const struct histogram *h;
	int stage;
	uint32_t span, in_span, bucket;
	int32_t index;
};
void histogram_walk_init(struct histogram_walk *w, const struct histogram *h);
bool histogram_walk_next(struct histogram_walk *w, struct histogram_bucket *b);
void histogram_walk_init_reverse(struct histogram_walk *w, const struct histogram *h);
bool histogram_walk_prev(struct histogram_walk *w, struct histogram_bucket *b);
double histogram_bucket_upper(int32_t schema, int32_t index);

/* {count:5, sum:18.4, (0.5,1]:2, ...} as count_values writes it. */
void histogram_print(struct strbuf *out, const struct histogram *h);
/* In samples, for limits: (bytes + 8) / 16. */
size_t histogram_sample_size(const struct histogram *h);
