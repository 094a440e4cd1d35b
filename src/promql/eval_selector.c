/* Instant selectors: at each step the newest sample of each series within the lookback, unless it is a stale marker. */
#include "base/xmalloc.h"
#include "model/stale_marker.h"
#include "promql/columns.h"
#include "promql/eval.h"
#include "promql/series_reader.h"
#include "promql/series_select.h"

#include <string.h>

struct selector_source {
	struct source base;
	struct series_set *set;
	struct window_spec spec; /* the range is the lookback */
	enum selector_value want;
	struct leaf_counts *counts;
};

/* A thread's state: a reader, and where there is a sample at all for the time column at hand. */
struct selector_leaf {
	struct series_reader reader;
	uint64_t *present;
	uint64_t generation;
	struct newest_sample *newest; /* room for NEWEST_BATCH */
};

enum { NEWEST_BATCH = 1024 };

static void leaf_done(void *arg)
{
	struct selector_leaf *l = arg;

	series_reader_done(&l->reader);
	free(l->present);
	free(l->newest);
	free(l);
}

static struct selector_leaf *leaf_of(struct worker *w, const struct selector_source *s)
{
	if (w->leaf == NULL) {
		struct selector_leaf *l = xcalloc(1, sizeof(*l));
		series_reader_init(&l->reader, w->eval, s->counts, false);
		l->present = xcalloc(bit_words(s->spec.n), sizeof(*l->present));
		w->leaf = l;
		w->leaf_done = leaf_done;
	}
	return w->leaf;
}

static void find_present(struct selector_leaf *l)
{
	const struct windows *w = &l->reader.fw;

	if (l->generation == w->generation)
		return;
	l->generation = w->generation;
	memset(l->present, 0, bit_words(w->n) * sizeof(*l->present));
	for (uint32_t k = 0; k < w->n; k++) {
		if (w->hi[k] > w->lo[k])
			bit_set(l->present, k);
	}
}

/* The newest floats; stale markers among them are found by their bits and taken out. */
static void fill_floats(const struct selector_leaf *l, struct row r, uint32_t words)
{
	const struct windows *w = &l->reader.fw;
	const double *v = l->reader.col.v;
	bool stale = false;

	memcpy(r.present, l->present, words * sizeof(*r.present));
	BITS_EACH(k, l->present, words)
	{
		r.v[k] = v[w->hi[k] - 1];
		stale |= is_stale(r.v[k]);
	}
	if (likely(!stale))
		return;
	BITS_EACH(k, l->present, words)
	{
		if (is_stale(r.v[k]))
			bit_clear(r.present, k);
	}
}

static void fill_mixed(const struct selector_leaf *l, struct tile *t, uint32_t row)
{
	const struct windows *w = &l->reader.fw;
	const struct sample_column *col = &l->reader.col;

	tile_want_histograms(t);
	struct row r = tile_row(t, row);
	BITS_EACH(k, l->present, t->words)
	{
		size_t i = w->hi[k] - 1;
		bool stale = col->h[i] ? histogram_is_stale(col->h[i]) : is_stale(col->v[i]);
		if (stale)
			continue;
		r.h[k] = col->h[i];
		r.v[k] = col->v[i];
		bit_set(r.present, k);
	}
}

/* timestamp(), start_timestamp(): times of the samples instead of their values. */
static void replace_by_times(
    const struct selector_leaf *l, enum selector_value want, struct tile *t, uint32_t row)
{
	const struct sample_column *col = &l->reader.col;
	const int64_t *times = want == SELECTOR_TIMES ? col->t : col->start;
	struct row r = tile_row(t, row);

	BITS_EACH(k, r.present, t->words)
	{
		r.v[k] = times ? (double)times[l->reader.fw.hi[k] - 1] / 1000 : 0;
		if (r.h)
			r.h[k] = NULL;
	}
}

/* Every value is a sample that its step saw. */
static void count_row(struct leaf_counts *c, struct row r, uint32_t words)
{
	uint64_t n = 0;

	BITS_EACH(k, r.present, words)
	{
		uint64_t size = r.h && r.h[k] ? histogram_sample_size(r.h[k]) : 1;
		n += size;
		if (c->seen_by_step) {
			atomic_fetch_add_explicit(&c->seen_by_step[k], size, memory_order_relaxed);
			atomic_fetch_add_explicit(&c->fresh_by_step[k], size, memory_order_relaxed);
		}
	}
	atomic_fetch_add_explicit(&c->seen, n, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->fresh, n, memory_order_relaxed);
}

static void count_floats(struct leaf_counts *c, struct row r, uint32_t words)
{
	uint64_t n = bits_count(r.present, words);

	atomic_fetch_add_explicit(&c->seen, n, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->fresh, n, memory_order_relaxed);
}

static int fill_row(
    struct selector_source *s, struct selector_leaf *l, size_t i, struct tile *t, uint32_t r, struct err *err)
{
	struct sample_column *col = &l->reader.col;
	int rc = series_reader_read(&l->reader, s->set, i, t->arena, err);

	if (rc || col->n == 0)
		return rc;
	windows_set(&l->reader.fw, &s->spec, col->t, col->n, sample_column_times_id(col));
	find_present(l);
	if (col->h)
		fill_mixed(l, t, r);
	else
		fill_floats(l, tile_row(t, r), t->words);
	if (t->h || s->counts->seen_by_step)
		count_row(s->counts, tile_row(t, r), t->words);
	else
		count_floats(s->counts, tile_row(t, r), t->words);
	if (s->want != SELECTOR_VALUES)
		replace_by_times(l, s->want, t, r);
	return 0;
}

/* One step, and the store has the newest samples at hand: n rows from r on. The tile's rows are a value and a word each. */
static int fill_newest(struct selector_source *s, struct selector_leaf *l, size_t first, struct tile *t,
    uint32_t r, uint32_t n, struct err *err)
{
	const struct newest_sample *newest = l->newest;
	size_t to_read;
	int rc = 0;

	s->set->ops->newest(s->set, first + r, n, l->newest);
	uint64_t found = column_take_newest(newest, n, t->v + r, t->present + r, &to_read);
	for (uint32_t i = 0; s->want == SELECTOR_TIMES && i < n; i++)
		t->v[r + i] = (double)newest[i].t_ms / 1000;
	atomic_fetch_add_explicit(&s->counts->decoded, found, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->counts->seen, found, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->counts->fresh, found, memory_order_relaxed);
	if (s->counts->seen_by_step) {
		atomic_fetch_add_explicit(&s->counts->seen_by_step[0], found, memory_order_relaxed);
		atomic_fetch_add_explicit(&s->counts->fresh_by_step[0], found, memory_order_relaxed);
	}
	for (uint32_t i = 0; to_read && rc == 0 && i < n; i++) {
		if (newest[i].t_ms == NEWEST_READ)
			rc = fill_row(s, l, first + r + i, t, r + i, err);
	}
	return rc;
}

static int selector_fill(struct source *base, struct worker *w, size_t first, struct tile *t, struct err *err)
{
	struct selector_source *s = (struct selector_source *)base;
	struct selector_leaf *l = leaf_of(w, s);
	bool newest = t->steps == 1 && s->set->ops->newest && s->want != SELECTOR_STARTS;
	int rc = 0;

	if (newest && l->newest == NULL)
		l->newest = xreallocarray(NULL, NEWEST_BATCH, sizeof(*l->newest));
	for (uint32_t r = 0, n; rc == 0 && r < t->rows; r += n) {
		n = !newest ? 1 : t->rows - r < NEWEST_BATCH ? t->rows - r : NEWEST_BATCH;
		rc = newest ? fill_newest(s, l, first, t, r, n, err) : fill_row(s, l, first + r, t, r, err);
	}
	return rc;
}

static const struct labels *selector_labels(struct source *base, size_t i)
{
	struct selector_source *s = (struct selector_source *)base;
	return s->set->ops->labels(s->set, i, base->eval->arena);
}

static const struct source_ops selector_ops = {.fill = selector_fill, .labels = selector_labels};

static int make(struct eval *e, const struct expr *x, const struct grid *grid, const char *func,
    enum selector_value want, struct source **out, struct err *err)
{
	struct selector_source *s = ARENA_NEW(e->arena, struct selector_source);

	s->spec = window_spec_for(&x->selector.shift, grid, e->lookback_ms);
	s->want = want;
	s->counts = query_plan_counts(e, x, grid);
	int rc = series_select(e, x, &s->spec, grid->n == 1, func, &s->set, err);
	if (rc)
		return rc;
	s->base = (struct source){.ops = &selector_ops,
	    .eval = e,
	    .grid = grid,
	    .n = s->set->n,
	    .series = s->set,
	    .unique = true,
	    .cost = series_set_cost(s->set),
	    .unique_nameless = selector_names_metric(e, &x->selector)};
	*out = &s->base;
	return 0;
}

int eval_selector(struct eval *e, const struct expr *x, const struct grid *grid, const char *func,
    struct source **out, struct err *err)
{
	if (x->selector.smoothed)
		return eval_smoothed_selector(e, x, grid, out, err);
	return make(e, x, grid, func, SELECTOR_VALUES, out, err);
}

int eval_selector_times(struct eval *e, const struct expr *x, const struct grid *grid,
    enum selector_value want, struct source **out, struct err *err)
{
	return make(e, x, grid, "timestamp", want, out, err);
}
