#include "tsdb/newest_set.h"

#include "base/by_cpu.h"
#include "tsdb/head_read.h"
#include "tsdb/postings_runs.h"
#include "tsdb/series_grouping.h"
#include <sched.h>
#include <string.h>

enum { ALL_MAX_BYTES = 1 << 30 };

struct newest_set {
	struct series_set base;
	struct select_range range;
	const struct matcher *const *matchers;
	size_t n_matchers;
	struct postings matched;
	struct ref_runs runs;
	struct lock lock;       /* LOCK_TSDB_BLOCKS */
	struct series_set *all; /* lock: what matches, parts included; NULL until somebody needs it */
	int all_rc;             /* lock */
	struct err all_err;     /* lock */
	struct arena *all_arena;
};

static struct newest_set *set_of(struct series_set *s)
{
	return (struct newest_set *)s;
}

static struct head *head_of(const struct newest_set *s)
{
	return s->range.head;
}

/* --- labels ---------------------------------------------------------------------------------------------------- */

/* A series that was dropped since it was selected is on the list of those, or (who drops it is between two locks) on its way
 * there. */
static uint32_t handle_of(const struct newest_set *s, series_ref ref)
{
	for (;;) {
		uint32_t handle = head_series_handle(head_of(s), ref);
		if (!handle)
			handle = head_dropped_handle(head_of(s), ref);
		if (handle)
			return handle;
		sched_yield();
	}
}

static const struct labels *set_labels(struct series_set *base, size_t i, struct arena *arena)
{
	struct newest_set *s = set_of(base);
	uint32_t handle = handle_of(s, ref_runs_at(&s->runs, i));
	return series_labels_copy(&head_of(s)->index.labels, handle, arena);
}

/* Asked from first to last. */
struct handle_walk {
	const struct newest_set *set;
	size_t run;
};

static uint32_t next_handle(void *arg, size_t i)
{
	struct handle_walk *w = arg;
	const struct ref_runs *runs = &w->set->runs;
	while (i >= ref_runs_end(runs, w->run))
		w->run++;
	return handle_of(w->set, runs->v[w->run].ref + (series_ref)(i - runs->v[w->run].at));
}

static bool set_groups(struct series_set *base, const struct slice *names, size_t n_names,
    struct arena *arena, struct series_groups *out)
{
	struct newest_set *s = set_of(base);
	struct handle_walk w = {.set = s};
	if (n_names == 1 && group_by_postings(head_of(s), &s->matched, &s->runs, names[0], arena, out))
		return true;
	return group_by_handles(head_of(s), base->n, next_handle, &w, names, n_names, arena, out);
}

/* --- samples --------------------------------------------------------------------------------------------------- */

/* Whether any time is out of [min_ms, max_ms]. */
BY_CPU static bool any_outside(const struct newest_sample *s, size_t n, int64_t min_ms, int64_t max_ms)
{
	uint64_t any = 0;
	for (size_t i = 0; i < n; i++)
		any |= (uint64_t)(s[i].t_ms < min_ms) | (uint64_t)(s[i].t_ms > max_ms);
	return any;
}

/* What the newest sample cannot answer is marked. */
static void judge(const struct select_range *range, struct newest_sample *out, size_t n)
{
	int64_t deleted_ms = atomic_load_explicit(&range->db->deleted_until_ms, memory_order_relaxed);
	int64_t min_ms = range->min_t_ms, max_ms = range->max_t_ms;
	if (deleted_ms < min_ms && !any_outside(out, n, min_ms, max_ms))
		return;
	for (size_t i = 0; i < n; i++) {
		if (out[i].t_ms < min_ms)
			out[i].t_ms = NEWEST_NONE;
		else if (out[i].t_ms > max_ms || out[i].t_ms <= deleted_ms)
			out[i].t_ms = NEWEST_READ;
	}
}

_Static_assert(sizeof(struct newest_sample) == sizeof(struct last_sample), "the same under another name");

/* Of neighbours within one block. */
static void copy_newest(const struct newest_set *s, series_ref ref, size_t n, struct newest_sample *out)
{
	struct head *h = head_of(s);
	const struct head_block *b = head_columns_block(&h->columns, ref);
	struct series_stripe *stripe = &h->stripes[series_stripe_of(ref)];
	unsigned at = series_in_block(ref);
	for (size_t i = 0; !b && i < n; i++) /* never: the index gave the ref */
		out[i].t_ms = NEWEST_NONE;
	if (!b)
		return;
	lock_take(&stripe->lock);
	memcpy(out, &b->last[at], n * sizeof(*out));
	for (size_t i = 0; b->has_histograms && i < n; i++)
		if (b->series[at + i].flags & SERIES_LAST_IS_HISTOGRAM && out[i].t_ms >= s->range.min_t_ms)
			out[i].t_ms = INT64_MAX;
	lock_release(&stripe->lock);
	judge(&s->range, out, n);
}

static void set_newest(struct series_set *base, size_t first, size_t n, struct newest_sample *out)
{
	struct newest_set *s = set_of(base);
	size_t run = ref_runs_find(&s->runs, first);
	for (size_t done = 0, some; done < n; done += some) {
		while (first + done >= ref_runs_end(&s->runs, run))
			run++;
		series_ref ref = s->runs.v[run].ref + (series_ref)(first + done - s->runs.v[run].at);
		some = ref_runs_end(&s->runs, run) - (first + done);
		size_t in_block = HEAD_BLOCK_SERIES - series_in_block(ref);
		some = some < in_block ? some : in_block;
		some = some < n - done ? some : n - done;
		copy_newest(s, ref, some, out + done);
	}
}

/* The open chunk alone has what is newest up to the range's end. */
static bool open_chunk_answers(const struct newest_set *s, series_ref ref)
{
	const struct head_block *b = head_columns_block(&head_of(s)->columns, ref);
	struct series_stripe *stripe = &head_of(s)->stripes[series_stripe_of(ref)];
	if (!b)
		return false;
	const struct head_series *series = &b->series[series_in_block(ref)];
	lock_take(&stripe->lock);
	bool answers =
	    series->chunk.count > 0 && series->chunk.first_t_ms <= s->range.max_t_ms &&
	    series->chunk.first_t_ms >
		atomic_load_explicit(&s->range.db->deleted_until_ms, memory_order_relaxed) &&
	    !(series->flags & (SERIES_HAS_HISTOGRAMS | SERIES_LAST_IS_HISTOGRAM | SERIES_HAS_LATE));
	lock_release(&stripe->lock);
	return answers;
}

/* Everything that matches, looked up as for any other query, the first time that it is needed. */
static int select_all(struct newest_set *s, struct series_set **out, struct err *err)
{
	lock_take(&s->lock);
	if (!s->all && s->all_rc == 0) {
		s->all_arena = arena_new(ALL_MAX_BYTES);
		s->all_rc = tsdb_select_all(
		    &s->range, s->all_arena, s->matchers, s->n_matchers, &s->all, &s->all_err);
	}
	int rc = s->all_rc;
	*out = s->all;
	lock_release(&s->lock);
	return rc ? err_set(err, rc, "%s", s->all_err.msg) : 0;
}

static int set_read(struct series_set *base, size_t i, struct sample_column *out, struct err *err)
{
	struct newest_set *s = set_of(base);
	series_ref ref = ref_runs_at(&s->runs, i);
	struct newest_sample newest;
	struct series_set *all;
	size_t place;
	sample_column_reset(out);
	set_newest(base, i, 1, &newest);
	if (newest.t_ms == NEWEST_NONE)
		return 0;
	if (newest.t_ms != NEWEST_READ)
		return sample_column_push(out, newest.t_ms, newest.v, NULL)
			   ? 0
			   : err_set(err, ERR_NO_MEMORY, "no memory for a sample");
	if (open_chunk_answers(s, ref)) {
		int rc = head_read(head_of(s), ref, s->range.parts->sealed_seq, s->range.min_t_ms,
		    s->range.max_t_ms, out, err);
		if (rc != 0 || out->n > 0)
			return rc;
	}
	int rc = select_all(s, &all, err);
	if (rc == 0 && tsdb_select_find(all, ref, &place))
		rc = all->ops->read(all, place, out, err);
	return rc;
}

static size_t set_estimate(struct series_set *base, size_t i)
{
	(void)base, (void)i;
	return 1;
}

static const struct series_set_ops set_ops = {
    .labels = set_labels,
    .read = set_read,
    .estimate = set_estimate,
    .newest = set_newest,
    .groups = set_groups,
};

/* --- making it ------------------------------------------------------------------------------------------------- */

/* Series leave the head when they had no sample for a long time: those of the newest hours are all there. */
bool newest_set_applies(const struct select_range *range)
{
	const struct tsdb *db = range->db;
	int64_t newest = range->head->max_t_ms, known_from;
	return range->newest_only && newest != INT64_MIN && !db->series_missing &&
	       !__builtin_sub_overflow(newest, 2 * db->options.seal_interval_ms, &known_from) &&
	       range->min_t_ms > known_from;
}

static void set_done(void *ptr)
{
	struct newest_set *s = ptr;
	postings_done(&s->matched);
	ref_runs_done(&s->runs);
	arena_free(s->all_arena);
	lock_done(&s->lock);
}

struct series_set *newest_set_new(const struct select_range *range, struct arena *arena,
    const struct matcher *const *matchers, size_t n_matchers, struct postings *matched)
{
	struct newest_set *s = ARENA_NEW(arena, struct newest_set);
	const struct matcher **own = ARENA_ARRAY(arena, const struct matcher *, n_matchers + 1);
	for (size_t i = 0; i < n_matchers; i++)
		own[i] = matchers[i];
	s->base.ops = &set_ops;
	s->range = *range;
	s->matchers = own;
	s->n_matchers = n_matchers;
	s->matched = *matched;
	*matched = (struct postings){0};
	ref_runs_of(&s->runs, &s->matched);
	s->base.n = s->runs.n_refs;
	lock_init(&s->lock, LOCK_TSDB_BLOCKS, "newest samples");
	arena_at_free(arena, set_done, s);
	return &s->base;
}
