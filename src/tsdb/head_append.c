#include "tsdb/head_append.h"

#include "base/counters.h"
#include "base/hash.h"
#include "base/xmalloc.h"
#include "model/stale_marker.h"
#include "tsdb/chunk_histogram.h"
#include "tsdb/head_exemplar.h"
#include "tsdb/head_find.h"
#include "tsdb/head_late.h"
#include <string.h>

enum {
	RUN_MAX = 2048, /* samples a stripe's lock is held for */
	PREFETCH = 12,  /* samples ahead */
	SPARE_MAX = 16,
	HISTOGRAM_MAX_BYTES = 1 << 20, /* encoded; a log record must hold it */
	SPARE_SAMPLES = 1 << 17,       /* a larger appender gives its memory back */
};
VEC_DEFINE(sample_vec, struct sample);

struct pending_histogram {
	series_ref ref;
	int64_t t_ms;
	size_t offset, len; /* in the appender's bytes */
	uint64_t index;     /* in the order of appending */
};
VEC_DEFINE(pending_histograms, struct pending_histogram);

struct head_appender {
	struct appender base;
	struct head *head;
	struct append_bounds bounds;
	series_ref last_found;     /* 0: none */
	struct sample_vec samples; /* `round` is the place in the order of appending from here on */
	struct sample_vec sorted;  /* scratch */
	struct pending_histograms histograms;
	struct strbuf histogram_bytes, metadata;
	struct exemplar_batch exemplars;
	struct append_stats stats;
	uint64_t epoch;
	uint8_t *encoded; /* room for the log record of RUN_MAX samples */
};

static struct head_appender *appender_of(struct appender *a)
{
	return (struct head_appender *)a;
}

/* The block of a series, whose neighbour's was the last one. */
struct block_of_last {
	const struct head_columns *columns;
	struct head_block *b;
	uint32_t number;
};

static inline struct head_block *block_of(struct block_of_last *last, series_ref ref)
{
	if (ref >> HEAD_BLOCK_SHIFT != last->number) {
		last->number = ref >> HEAD_BLOCK_SHIFT;
		last->b = head_columns_block(last->columns, ref);
	}
	return last->b;
}

static inline void prefetch_series(struct block_of_last *last, series_ref ref)
{
	const struct head_block *b = block_of(last, ref);
	if (!b)
		return;
	unsigned i = series_in_block(ref);
	__builtin_prefetch(&b->last[i], 1);
	__builtin_prefetch(&b->series[i], 1);
}

/* --- begin and end ------------------------------------------------------------------------------------------- */

static const struct appender_ops head_appender_ops;

static struct head_appender *appender_new(void)
{
	struct head_appender *a = xcalloc(1, sizeof(*a));
	a->base.ops = &head_appender_ops;
	strbuf_init(&a->histogram_bytes, STRBUF_NO_LIMIT);
	strbuf_init(&a->metadata, STRBUF_NO_LIMIT);
	a->encoded = xmalloc(RUN_MAX * (size_t)WAL_SAMPLE_MAX_BYTES);
	return a;
}

static void appender_free(struct head_appender *a)
{
	sample_vec_done(&a->samples);
	sample_vec_done(&a->sorted);
	pending_histograms_done(&a->histograms);
	strbuf_done(&a->histogram_bytes);
	strbuf_done(&a->metadata);
	exemplar_batch_done(&a->exemplars);
	free(a->encoded);
	free(a);
}

void head_free_spare(struct head *h)
{
	while (h->spare.len > 0)
		appender_free(head_appenders_pop(&h->spare));
	head_appenders_done(&h->spare);
}

static void appender_end(
    struct head_appender *a, void (*durable)(void *arg, int rc, const char *why), void *arg)
{
	struct head *h = a->head;
	ref_recycler_leave(&h->refs, a->epoch);
	wal_end(h->wal, durable, arg);
	sample_vec_reset(&a->samples);
	pending_histograms_reset(&a->histograms);
	strbuf_reset(&a->histogram_bytes);
	strbuf_reset(&a->metadata);
	exemplar_batch_reset(&a->exemplars);
	a->stats = (struct append_stats){0};
	bool keep = a->samples.cap <= SPARE_SAMPLES && a->histogram_bytes.cap <= 1 << 20;
	lock_take(&h->spare_lock);
	keep = keep && h->spare.len < SPARE_MAX;
	if (keep)
		head_appenders_push(&h->spare, a);
	lock_release(&h->spare_lock);
	if (!keep)
		appender_free(a);
}

static int64_t late_from(const struct head *h)
{
	int64_t window_ms = h->late_window_ms, newest = h->max_t_ms, from;
	if (window_ms <= 0)
		return LATE_NEVER;
	return newest == INT64_MIN || __builtin_sub_overflow(newest, window_ms, &from) ? INT64_MIN : from;
}

static struct append_bounds bounds_now(const struct head *h)
{
	struct append_bounds b = {INT64_MIN, INT64_MAX, late_from(h)};
	int64_t now_ms = clock_now_ms(h->options.clock), retention_ms = h->retention_ms;
	if (retention_ms > 0 && __builtin_sub_overflow(now_ms, retention_ms, &b.min_t_ms))
		b.min_t_ms = INT64_MIN;
	if (h->options.future_limit_ms >= 0 &&
	    __builtin_add_overflow(now_ms, h->options.future_limit_ms, &b.max_t_ms))
		b.max_t_ms = INT64_MAX;
	return b;
}

int head_begin(struct appendable *self, struct appender **out, struct err *err)
{
	struct head *h = (struct head *)self;
	int rc = h->wal ? wal_begin(h->wal, err)
			: err_set(err, ERR_UNAVAILABLE,
			      "no samples are taken: the store is being read back, or open for reading only");
	if (rc != 0)
		return rc;
	lock_take(&h->spare_lock);
	struct head_appender *a = h->spare.len > 0 ? head_appenders_pop(&h->spare) : NULL;
	lock_release(&h->spare_lock);
	if (!a)
		a = appender_new();
	a->head = h;
	a->epoch = ref_recycler_enter(&h->refs);
	a->base.round = atomic_load(&h->refs.round);
	a->bounds = bounds_now(h);
	a->last_found = 0;
	a->base.in_order_only = false;
	*out = &a->base;
	return 0;
}

static void rollback(struct appender *a)
{
	appender_end(appender_of(a), NULL, NULL);
}

/* --- finding ------------------------------------------------------------------------------------------------- */

static void find(struct appender *ap, const struct series_key *keys, size_t n, series_ref *refs)
{
	struct head_appender *a = appender_of(ap);
	a->last_found = head_find(a->head, a->last_found, keys, n, refs);
}

static int add_series(struct appender *a, const struct series_key *key, const struct labels *labels,
    series_ref *ref, struct err *err)
{
	return head_add_series(appender_of(a)->head, key, labels, ref, err);
}

/* --- what is accepted ---------------------------------------------------------------------------------------- */

/* STRIPE */
static inline enum append_result judge(const struct append_bounds *bounds, const struct series_stripe *stripe,
    const struct head_block *b, const struct sample *s)
{
	if (unlikely(!b))
		return APPEND_UNKNOWN_REF;
	unsigned i = series_in_block(s->ref);
	const struct head_series *series = &b->series[i];
	if (unlikely(atomic_load_explicit(&series->labels, memory_order_relaxed) == 0))
		return APPEND_UNKNOWN_REF;
	if (unlikely(s->t_ms <= b->last[i].t_ms))
		return head_judge_late(
		    bounds, stripe, b, &(struct late_sample){.ref = s->ref, .t_ms = s->t_ms, .v = s->v});
	if (unlikely(s->t_ms > bounds->max_t_ms))
		return APPEND_TOO_FAR;
	if (unlikely(s->t_ms < bounds->min_t_ms))
		return APPEND_EXPIRED;
	return APPEND_OK;
}

/* STRIPE */
static enum append_result judge_histogram(const struct append_bounds *bounds,
    const struct series_stripe *stripe, const struct head_block *b, const struct late_sample *s)
{
	if (b && b->series[series_in_block(s->ref)].labels != 0 &&
	    s->t_ms <= b->last[series_in_block(s->ref)].t_ms)
		return head_judge_late(bounds, stripe, b, s);
	return judge(bounds, stripe, b, &(struct sample){.ref = s->ref, .t_ms = s->t_ms, .v = s->v});
}

/* --- appending: samples wait --------------------------------------------------------------------------------- */

/* The end of the stretch of samples from `i` on whose series share a stripe. */
static size_t stripe_run(const struct sample *s, size_t i, size_t n)
{
	unsigned stripe = series_stripe_of(s[i].ref);
	size_t end = i + 1, max = n - i > RUN_MAX ? i + RUN_MAX : n;
	while (end < max && series_stripe_of(s[end].ref) == stripe)
		end++;
	return end;
}

/* Of a sample that is not newer than the one before it in its batch. */
static enum append_result judge_behind(
    const struct append_bounds *bounds, const struct sample *s, const struct sample *before)
{
	if (s->t_ms == before->t_ms)
		return double_bits(s->v) == double_bits(before->v) ? APPEND_REPEATED : APPEND_DUPLICATE;
	if (bounds->late_from_ms == LATE_NEVER)
		return APPEND_OUT_OF_ORDER;
	return s->t_ms < bounds->late_from_ms ? APPEND_TOO_OLD : APPEND_OK;
}

/* What would be said of the samples now. A series may come several times in a row: then each is judged by the one before. */
static void preview(struct head_appender *a, const struct sample *s, size_t n, uint8_t *results)
{
	for (size_t i = 0, end; i < n; i = end) {
		end = stripe_run(s, i, n);
		struct series_stripe *stripe = &a->head->stripes[series_stripe_of(s[i].ref)];
		lock_take(&stripe->lock);
		for (size_t k = i; k < end; k++) {
			const struct head_block *b = head_columns_block(&a->head->columns, s[k].ref);
			enum append_result r = judge(&a->bounds, stripe, b, &s[k]);
			const struct sample *before = k > 0 && s[k - 1].ref == s[k].ref ? &s[k - 1] : NULL;
			if (r == APPEND_OK && before && s[k].t_ms <= before->t_ms)
				r = judge_behind(&a->bounds, &s[k], before);
			results[k] = r == JUDGED_LATE ? APPEND_OK : (uint8_t)r;
		}
		lock_release(&stripe->lock);
	}
}

/* A ref that was kept too long may have gone to another series: it is none. */
static inline series_ref ref_in_time(const struct head_appender *a, series_ref ref, uint32_t round)
{
	return likely(round == 0 || a->base.round - round <= 1) ? ref : 0;
}

static void note_in_order_only(struct head_appender *a)
{
	if (a->base.in_order_only)
		a->bounds.late_from_ms = LATE_NEVER;
}

static int append(struct appender *ap, const struct sample *s, size_t n, uint8_t *results, struct err *err)
{
	(void)err;
	struct head_appender *a = appender_of(ap);
	size_t first = a->samples.len;
	note_in_order_only(a);
	sample_vec_reserve(&a->samples, first + n);
	for (size_t i = 0; i < n; i++) {
		struct sample *copy = &a->samples.v[first + i];
		*copy = s[i];
		copy->ref = ref_in_time(a, s[i].ref, s[i].round);
		copy->round = (uint32_t)(first + i + a->histograms.len);
	}
	a->samples.len += n;
	if (results)
		preview(a, a->samples.v + first, n, results);
	return 0;
}

static int append_histograms(
    struct appender *ap, const struct histogram_sample *s, size_t n, uint8_t *results, struct err *err)
{
	(void)err;
	struct head_appender *a = appender_of(ap);
	note_in_order_only(a);
	for (size_t i = 0; i < n; i++) {
		size_t offset = a->histogram_bytes.len;
		chunk_histogram_encode(&s[i].t_ms, &s[i].h, 1, &a->histogram_bytes);
		pending_histograms_push(
		    &a->histograms, (struct pending_histogram){.ref = ref_in_time(a, s[i].ref, s[i].round),
					.t_ms = s[i].t_ms,
					.offset = offset,
					.len = a->histogram_bytes.len - offset,
					.index = a->samples.len + a->histograms.len});
	}
	for (size_t i = 0; results && i < n; i++) {
		const struct pending_histogram *p = &a->histograms.v[a->histograms.len - n + i];
		struct series_stripe *stripe = &a->head->stripes[series_stripe_of(p->ref)];
		uint64_t hash = hash64(a->histogram_bytes.ptr + p->offset, p->len);
		struct late_sample as = {p->ref, s[i].t_ms, double_from_bits(hash),
		    slice_of(a->histogram_bytes.ptr + p->offset, p->len)};
		lock_take(&stripe->lock);
		enum append_result r =
		    judge_histogram(&a->bounds, stripe, head_columns_block(&a->head->columns, p->ref), &as);
		lock_release(&stripe->lock);
		results[i] = r == JUDGED_LATE ? APPEND_OK : (uint8_t)r;
	}
	return 0;
}

static void append_exemplars(struct appender *ap, const struct exemplar_sample *e, size_t n, uint8_t *results)
{
	struct head_appender *a = appender_of(ap);
	head_append_exemplars(a->head, a->base.round, &a->exemplars, e, n, results);
}

static void set_metadata(struct appender *ap, struct slice metric, const struct metadata *m)
{
	struct head_appender *a = appender_of(ap);
	if (metadata_store_set(&a->head->metadata, metric, m))
		wal_metadata_add(&a->metadata, metric, m);
}

/* --- committing ---------------------------------------------------------------------------------------------- */

static void count(struct append_stats *stats, enum append_result r, uint64_t index)
{
	stats->by_result[r]++;
	if (r <= APPEND_REPEATED || (stats->first_reason != APPEND_OK && index >= stats->first_refused))
		return;
	stats->first_refused = index;
	stats->first_reason = r;
}

/* Where the next bits of a chunk go; its state has come by now. */
static inline void prefetch_bytes(const struct head_block *b, const struct slab *slab, series_ref ref)
{
	if (!b)
		return;
	const struct chunk_xor *c = &b->series[series_in_block(ref)].chunk;
	const char *bytes = slab_ptr(slab, c->handle);
	if (bytes)
		__builtin_prefetch(bytes + c->bits / 8, 1);
}

static void note_stripe_times(struct series_stripe *stripe, int64_t min_t_ms, int64_t max_t_ms)
{
	if (min_t_ms < stripe->min_t_ms)
		stripe->min_t_ms = min_t_ms;
	if (max_t_ms > stripe->max_t_ms)
		stripe->max_t_ms = max_t_ms;
}

static enum append_result take_late(
    struct head *h, struct series_stripe *stripe, struct head_block *b, const struct sample *s)
{
	return head_take_late(h, stripe, b, &(struct late_sample){.ref = s->ref, .t_ms = s->t_ms, .v = s->v});
}

/* Takes samples of one stripe: the good ones go to the chunks and to `log` (NULL: none is wanted). Returns how many. */
static size_t take_samples(struct head *h, struct series_stripe *stripe, const struct append_bounds *bounds,
    const struct sample *s, size_t n, struct wal_samples_writer *log, struct append_stats *stats)
{
	int64_t min_t_ms = INT64_MAX, max_t_ms = INT64_MIN;
	size_t taken = 0, late = 0;
	struct block_of_last here = {&h->columns, NULL, UINT32_MAX}, ahead = here, far_ahead = here;
	for (size_t i = 0; i < n; i++) {
		if (i + PREFETCH < n)
			prefetch_series(&far_ahead, s[i + PREFETCH].ref);
		if (i + PREFETCH / 2 < n) {
			series_ref next = s[i + PREFETCH / 2].ref;
			prefetch_bytes(block_of(&ahead, next), stripe->slab, next);
		}
		struct head_block *b = block_of(&here, s[i].ref);
		enum append_result r = judge(bounds, stripe, b, &s[i]);
		if (unlikely(r == APPEND_OK && b->series[series_in_block(s[i].ref)].flags & SERIES_DYING))
			head_revive_series(h, s[i].ref);
		if (likely(r == APPEND_OK) &&
		    unlikely(!series_stripe_append(stripe, b, s[i].ref, s[i].t_ms, s[i].v)))
			r = APPEND_NO_ROOM;
		if (likely(r == APPEND_OK)) {
			b->series[series_in_block(s[i].ref)].flags &=
			    (uint32_t) ~(SERIES_LAST_IS_HISTOGRAM | SERIES_IDLE) & 0xff;
		} else if (r != JUDGED_LATE || (r = take_late(h, stripe, b, &s[i])) != APPEND_OK) {
			count(stats, r, s[i].round);
			continue;
		} else {
			late++;
		}
		if (log)
			wal_samples_add(log, s[i].ref, s[i].t_ms, s[i].v);
		taken++;
		if (s[i].t_ms < min_t_ms)
			min_t_ms = s[i].t_ms;
		if (s[i].t_ms > max_t_ms)
			max_t_ms = s[i].t_ms;
	}
	stats->by_result[APPEND_OK] += taken;
	stripe->open_samples += taken;
	note_stripe_times(stripe, min_t_ms, max_t_ms);
	if (taken)
		head_note_times(h, min_t_ms, max_t_ms);
	if (late && log)
		counter_add(M_TSDB_LATE_APPENDED, late);
	return taken;
}

static void commit_run(struct head_appender *a, const struct sample *s, size_t n)
{
	struct head *h = a->head;
	struct series_stripe *stripe = &h->stripes[series_stripe_of(s[0].ref)];
	struct wal_samples_writer log;
	wal_samples_begin(&log, a->encoded);
	lock_take(&stripe->lock);
	take_samples(h, stripe, &a->bounds, s, n, &log, &a->stats);
	if (log.len > 0)
		wal_append(h->wal, WAL_SAMPLES, stripe->number, slice_of((const char *)log.bytes, log.len));
	lock_release(&stripe->lock);
}

/* Whether so many neighbours are of different stripes that sorting pays. */
static bool is_scattered(const struct sample_vec *v)
{
	size_t changes = 0;
	for (size_t i = 1; i < v->len; i++)
		changes += series_stripe_of(v->v[i].ref) != series_stripe_of(v->v[i - 1].ref);
	return changes > HEAD_STRIPES && changes > v->len / 64;
}

/* Stable, by stripe: a series' samples keep their order. */
static void sort_by_stripe(struct head_appender *a)
{
	size_t at[HEAD_STRIPES + 1] = {0};
	sample_vec_reserve(&a->sorted, a->samples.len);
	VEC_EACH (struct sample, s, &a->samples)
		at[series_stripe_of(s->ref) + 1]++;
	for (size_t i = 1; i <= HEAD_STRIPES; i++)
		at[i] += at[i - 1];
	VEC_EACH (struct sample, s, &a->samples)
		a->sorted.v[at[series_stripe_of(s->ref)]++] = *s;
	a->sorted.len = a->samples.len;
}

static void commit_samples(struct head_appender *a)
{
	const struct sample_vec *v = &a->samples;
	if (is_scattered(v)) {
		sort_by_stripe(a);
		v = &a->sorted;
	}
	for (size_t i = 0, end; i < v->len; i = end) {
		end = stripe_run(v->v, i, v->len);
		commit_run(a, v->v + i, end - i);
	}
}

/* STRIPE. In front of the newest: the open float chunk ends before it. */
static enum append_result put_histogram(
    struct head *h, struct series_stripe *stripe, struct head_block *b, const struct late_sample *s)
{
	unsigned i = series_in_block(s->ref);
	struct head_series *series = &b->series[i];
	if (series->flags & SERIES_DYING)
		head_revive_series(h, s->ref);
	series_stripe_close_chunk(stripe, b, s->ref);
	if (head_histograms_add(&stripe->histograms, s->ref, s->t_ms, s->chunk, NULL) != 0)
		return APPEND_LIMIT;
	b->last[i] = (struct last_sample){s->t_ms, s->v};
	series->flags &= (uint32_t)~SERIES_IDLE & 0xff;
	series->flags |= SERIES_LAST_IS_HISTOGRAM | SERIES_HAS_HISTOGRAMS;
	b->has_histograms = true;
	return APPEND_OK;
}

/* STRIPE */
static enum append_result take_histogram(struct head *h, struct series_stripe *stripe,
    const struct append_bounds *bounds, series_ref ref, int64_t t_ms, struct slice chunk)
{
	if (chunk.len > HISTOGRAM_MAX_BYTES)
		return APPEND_LIMIT;
	struct late_sample s = {ref, t_ms, double_from_bits(hash64(chunk.ptr, chunk.len)), chunk};
	struct head_block *b = head_columns_block(&h->columns, ref);
	enum append_result r = judge_histogram(bounds, stripe, b, &s);
	bool is_late = r == JUDGED_LATE;
	if (is_late)
		r = head_take_late(h, stripe, b, &s);
	else if (r == APPEND_OK)
		r = put_histogram(h, stripe, b, &s);
	if (r != APPEND_OK)
		return r;
	if (is_late && h->wal)
		counter_add(M_TSDB_HISTOGRAMS_LATE_APPENDED, 1);
	stripe->open_samples++;
	note_stripe_times(stripe, t_ms, t_ms);
	head_note_times(h, t_ms, t_ms);
	return APPEND_OK;
}

static void commit_histograms(struct head_appender *a)
{
	struct strbuf record = STRBUF_INIT;
	for (size_t i = 0; i < a->histograms.len; i++) {
		const struct pending_histogram *p = &a->histograms.v[i];
		struct series_stripe *stripe = &a->head->stripes[series_stripe_of(p->ref)];
		struct slice chunk = slice_of(a->histogram_bytes.ptr + p->offset, p->len);
		lock_take(&stripe->lock);
		enum append_result r = take_histogram(a->head, stripe, &a->bounds, p->ref, p->t_ms, chunk);
		if (r == APPEND_OK) {
			strbuf_reset(&record);
			wal_histogram_add(&record, p->ref, p->t_ms, chunk);
			wal_append(a->head->wal, WAL_HISTOGRAMS, stripe->number, strbuf_slice(&record));
			counter_add(M_TSDB_HISTOGRAMS_APPENDED, 1);
		}
		lock_release(&stripe->lock);
		count(&a->stats, r, p->index);
	}
	strbuf_done(&record);
}

/* What was refused between two states of the stats. */
static void count_refused(const struct append_stats *before, const struct append_stats *now, bool histograms)
{
	static const struct {
		enum append_result result;
		enum metric_id floats, histograms;
	} metrics[] = {
	    {APPEND_OUT_OF_ORDER, M_TSDB_OUT_OF_ORDER, M_TSDB_HISTOGRAMS_OUT_OF_ORDER},
	    {APPEND_TOO_OLD, M_TSDB_TOO_OLD, M_TSDB_HISTOGRAMS_TOO_OLD},
	    {APPEND_EXPIRED, M_TSDB_OUT_OF_BOUNDS, M_TSDB_HISTOGRAMS_OUT_OF_BOUNDS},
	    {APPEND_TOO_FAR, M_TSDB_OUT_OF_BOUNDS, M_TSDB_HISTOGRAMS_OUT_OF_BOUNDS},
	    {APPEND_NO_ROOM, M_TSDB_NO_ROOM, M_TSDB_NO_ROOM},
	};
	for (size_t i = 0; i < ARRAY_LEN(metrics); i++) {
		uint64_t n = now->by_result[metrics[i].result] - before->by_result[metrics[i].result];
		if (n)
			counter_add(histograms ? metrics[i].histograms : metrics[i].floats, n);
	}
}

static int commit(struct appender *ap, struct append_stats *stats,
    void (*durable)(void *arg, int rc, const char *why), void *arg, struct err *err)
{
	static const struct append_stats none;
	struct head_appender *a = appender_of(ap);
	struct wal *wal = a->head->wal;
	struct err why;
	int rc = wal_ready(wal, &why);
	if (rc != 0) {
		appender_end(a, NULL, NULL);
		if (durable)
			durable(arg, rc, why.msg);
		return err_set(err, rc, "%s", why.msg);
	}
	commit_samples(a);
	counter_add(M_TSDB_SAMPLES_APPENDED, a->stats.by_result[APPEND_OK]);
	count_refused(&none, &a->stats, false);
	struct append_stats floats = a->stats;
	commit_histograms(a);
	if (a->histograms.len > 0)
		count_refused(&floats, &a->stats, true);
	head_commit_exemplars(a->head, &a->exemplars);
	if (a->metadata.len > 0)
		wal_append(wal, WAL_METADATA, 0, strbuf_slice(&a->metadata));
	if (stats)
		*stats = a->stats;
	appender_end(a, durable, arg);
	return 0;
}

static const struct appender_ops head_appender_ops = {
    .find = find,
    .add_series = add_series,
    .append = append,
    .append_histograms = append_histograms,
    .append_exemplars = append_exemplars,
    .set_metadata = set_metadata,
    .commit = commit,
    .rollback = rollback,
};

/* --- replay -------------------------------------------------------------------------------------------------- */

static const struct append_bounds no_bounds = {INT64_MIN, INT64_MAX, INT64_MIN};

size_t head_replay_samples(struct head *h, const struct sample *s, size_t n)
{
	struct append_stats ignored = {0};
	size_t taken = 0;
	for (size_t i = 0, end; i < n; i = end) {
		end = stripe_run(s, i, n);
		struct series_stripe *stripe = &h->stripes[series_stripe_of(s[i].ref)];
		lock_take(&stripe->lock);
		taken += take_samples(h, stripe, &no_bounds, s + i, end - i, NULL, &ignored);
		lock_release(&stripe->lock);
	}
	return taken;
}

size_t head_replay_histogram(struct head *h, series_ref ref, int64_t t_ms, struct slice chunk)
{
	struct series_stripe *stripe = &h->stripes[series_stripe_of(ref)];
	lock_take(&stripe->lock);
	enum append_result r = take_histogram(h, stripe, &no_bounds, ref, t_ms, chunk);
	lock_release(&stripe->lock);
	return r == APPEND_OK;
}
