#include "promql/range_summaries.h"

#include "base/xmalloc.h"
#include "model/stale_marker.h"
#include "promql/kahan.h"
#include <math.h>
#include <stdlib.h>

enum { LONG_WINDOW_MS = 2 * 3600 * 1000 };

/* What a window's samples add up to, as far as they were looked at; in the order of time. */
struct total {
	uint64_t n;
	int64_t first_ms, last_ms;
	double first, last, min, max;
	struct kahan sum;
	double changes, resets;
};

bool range_summaries_apply(
    enum function_id id, const struct window_spec *spec, const struct series_set *set, bool use_starts)
{
	static const bool can[FUNCTION_COUNT] = {
	    [FN_MIN_OVER_TIME] = true,
	    [FN_MAX_OVER_TIME] = true,
	    [FN_SUM_OVER_TIME] = true,
	    [FN_AVG_OVER_TIME] = true,
	    [FN_COUNT_OVER_TIME] = true,
	    [FN_PRESENT_OVER_TIME] = true,
	    [FN_FIRST_OVER_TIME] = true,
	    [FN_LAST_OVER_TIME] = true,
	    [FN_TS_OF_FIRST_OVER_TIME] = true,
	    [FN_TS_OF_LAST_OVER_TIME] = true,
	    [FN_CHANGES] = true,
	    [FN_RESETS] = true,
	    [FN_RATE] = true,
	    [FN_INCREASE] = true,
	    [FN_DELTA] = true,
	};
	/* Windows that overlap would have the ends of the stretches decoded again for each. */
	bool apart = spec->n == 1 || spec->step_ms >= spec->range_ms;

	return can[id] && apart && !use_starts && spec->kind == WINDOW_PLAIN &&
	       spec->range_ms >= LONG_WINDOW_MS && set->ops->summaries && set->ops->read_between;
}

void range_summaries_done(struct range_summaries *s)
{
	sample_summaries_done(&s->found);
	free(s->drops);
	free(s->counts);
}

/* --- adding up ----------------------------------------------------------------------------------------------------------- */

static void add_drop(struct range_summaries *s, double v)
{
	if (s->n_drops == s->cap_drops) {
		s->cap_drops = s->cap_drops * 2 + 16;
		s->drops = xreallocarray(s->drops, s->cap_drops, sizeof(*s->drops));
	}
	s->drops[s->n_drops++] = v;
}

static void begin_total(struct total *t, int64_t t_ms, double v)
{
	*t = (struct total){.first_ms = t_ms, .last_ms = t_ms, .first = v, .last = v, .min = v, .max = v};
}

/* Between what is in the total and the value that comes. */
static void add_boundary(struct range_summaries *s, struct total *t, double v)
{
	if (t->n == 0)
		return;
	t->changes += v != t->last && !(isnan(v) && isnan(t->last));
	if (v < t->last) {
		t->resets++;
		add_drop(s, t->last);
	}
}

/* NaN gives way to anything, and takes the place of nothing. */
static void add_extremes(struct total *t, double min, double max)
{
	if (min < t->min || isnan(t->min))
		t->min = min;
	if (max > t->max || isnan(t->max))
		t->max = max;
}

static void add_sample(struct range_summaries *s, struct total *t, int64_t t_ms, double v)
{
	if (t->n == 0)
		begin_total(t, t_ms, v);
	add_boundary(s, t, v);
	add_extremes(t, v, v);
	kahan_add(&t->sum, v);
	t->last = v;
	t->last_ms = t_ms;
	t->n++;
}

static void add_summary(struct range_summaries *s, struct total *t, const struct sample_summary *x)
{
	if (t->n == 0) {
		begin_total(t, x->first_t_ms, x->first);
		t->min = x->min;
		t->max = x->max;
	}
	add_boundary(s, t, x->first);
	add_extremes(t, x->min, x->max);
	t->changes += x->changes;
	t->resets += x->resets;
	if (x->resets)
		add_drop(s, x->dropped);
	kahan_add(&t->sum, x->sum);
	t->sum.c += x->rest;
	t->last = x->last;
	t->last_ms = x->last_t_ms;
	t->n += x->count;
}

/* --- what lies beside ---------------------------------------------------------------------------------------------------- */

static int add_samples(struct range_summaries *s, struct series_reader *r, struct series_set *set, size_t i,
    int64_t min_ms, int64_t max_ms, struct arena *arena, struct total *t, bool *done, struct err *err)
{
	if (min_ms > max_ms)
		return 0;
	int rc = series_reader_read_between(r, set, i, min_ms, max_ms, arena, err);
	const struct sample_column *c = &r->col;
	if (rc || c->h) {
		*done = false;
		return rc;
	}
	for (size_t k = 0; k < c->n; k++) {
		if (!is_stale(c->v[k]))
			add_sample(s, t, c->t[k], c->v[k]);
	}
	return 0;
}

/* Of several resets in one stretch only the sum is known; each by itself counts in the order of additions. */
static bool summary_will_do(enum function_id id, const struct sample_summary *x)
{
	bool counts = id == FN_RATE || id == FN_INCREASE;
	bool sums = id == FN_SUM_OVER_TIME || id == FN_AVG_OVER_TIME;

	return !(counts && x->resets > 1) && !(sums && !isfinite(x->sum));
}

static int total_of(struct range_summaries *s, enum function_id id, struct series_reader *r,
    struct series_set *set, size_t i, int64_t min_ms, int64_t max_ms, struct arena *arena, struct total *t,
    bool *done, struct err *err)
{
	int64_t next_ms = min_ms;
	int rc = set->ops->summaries(set, i, min_ms, max_ms, &s->found, err);

	*done = rc == 0 && s->found.n > 0;
	s->n_drops = 0;
	t->n = 0;
	for (size_t k = 0; rc == 0 && *done && k < s->found.n; k++) {
		const struct sample_summary *x = &s->found.v[k];
		bool will_do = summary_will_do(id, x);
		if (!x->follows || !will_do)
			rc = add_samples(s, r, set, i, next_ms, will_do ? x->first_t_ms - 1 : x->last_t_ms,
			    arena, t, done, err);
		if (rc == 0 && will_do)
			add_summary(s, t, x);
		next_ms = x->last_t_ms + 1;
	}
	if (rc == 0 && *done && !s->found.nothing_follows)
		rc = add_samples(s, r, set, i, next_ms, max_ms, arena, t, done, err);
	return rc;
}

/* --- results ------------------------------------------------------------------------------------------------------------- */

/* False: it has no value, or (*done false) has to be walked. */
static bool value_of(
    struct range_summaries *s, struct range_call *c, const struct total *t, uint32_t k, double *v, bool *done)
{
	double n = (double)t->n;

	switch ((int)c->id) {
	case FN_MIN_OVER_TIME:
		*v = t->min;
		return true;
	case FN_MAX_OVER_TIME:
		*v = t->max;
		return true;
	case FN_SUM_OVER_TIME:
		*v = kahan_value(&t->sum);
		*done = isfinite(*v);
		return *done;
	case FN_AVG_OVER_TIME:
		*done = isfinite(kahan_value(&t->sum));
		*v = t->sum.sum / n + t->sum.c / n;
		return *done;
	case FN_COUNT_OVER_TIME:
		*v = n;
		return true;
	case FN_PRESENT_OVER_TIME:
		*v = 1;
		return true;
	case FN_FIRST_OVER_TIME:
		*v = t->first;
		return true;
	case FN_LAST_OVER_TIME:
		*v = t->last;
		return true;
	case FN_TS_OF_FIRST_OVER_TIME:
		*v = (double)t->first_ms / 1000;
		return true;
	case FN_TS_OF_LAST_OVER_TIME:
		*v = (double)t->last_ms / 1000;
		return true;
	case FN_CHANGES:
		*v = t->changes;
		return true;
	case FN_RESETS:
		*v = t->resets;
		return true;
	default:
		break;
	}
	struct rate_window w = {.n = t->n,
	    .first_ms = t->first_ms,
	    .last_ms = t->last_ms,
	    .first = t->first,
	    .last = t->last,
	    .drops = s->drops,
	    .n_drops = s->n_drops};
	return range_rate_of_window(c, k, &w, v);
}

int range_summaries_row(struct range_summaries *s, struct range_call *c, struct series_reader *r,
    struct series_set *set, size_t i, struct tile *out, uint32_t row, bool *done, struct err *err)
{
	const struct window_spec *spec = c->spec;
	struct row to = tile_row(out, row);
	int rc = 0;

	*done = true;
	if (s->counts == NULL)
		s->counts = xcalloc(spec->n, sizeof(*s->counts));
	for (uint32_t k = 0; rc == 0 && *done && k < spec->n; k++) {
		int64_t end_ms = window_end_ms(spec, k);
		struct total t;
		rc = total_of(
		    s, c->id, r, set, i, end_ms - spec->range_ms + 1, end_ms, out->arena, &t, done, err);
		s->counts[k] = t.n;
		if (rc == 0 && *done && t.n > 0 && value_of(s, c, &t, k, &to.v[k], done))
			bit_set(to.present, k);
	}
	if (rc == 0 && *done)
		return series_reader_count(r, s->counts, spec->n, err);
	for (uint32_t w = 0; w < out->words; w++)
		to.present[w] = 0;
	c->notes = 0;
	return rc;
}
