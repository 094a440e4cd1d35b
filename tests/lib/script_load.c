/* The `load` commands of test scripts. */
#include "base/double_text.h"
#include "model/label_builder.h"
#include "model/stale_marker.h"
#include "tests/lib/script_priv.h"
#include "tests/lib/script_start.h"
#include <math.h>
#include <stdlib.h>

/* The store of Prometheus tells of a histogram that the counter did not begin anew since the one before; where it did, that is
 * for the reader to find out: unknown, as with the first of a series and one behind a gap of kind. Gauges stay gauges. */
static const struct histogram *as_stored(
    struct arena *a, const struct histogram *h, const struct histogram *before)
{
	enum histogram_hint hint = h->hint;
	if (hint == HINT_UNKNOWN && before && before->hint != HINT_GAUGE && before->schema == h->schema)
		hint = histogram_detect_reset(h, before) ? HINT_UNKNOWN : HINT_NOT_RESET;
	if (hint == h->hint)
		return h;
	struct histogram *copy = histogram_copy(a, h);
	copy->hint = hint;
	return copy;
}

/* `starts` are those of the line before, which is spent by it. */
static void add_series(struct script_load *l, const struct series_notation *s)
{
	const struct histogram *before = NULL;
	struct script_starts starts = l->starts;
	l->starts = (struct script_starts){.n = 0};
	for (size_t i = 0; i < s->n; i++) {
		const struct series_value *v = &s->values[i];
		if (v->missing)
			continue;
		const struct histogram *h = v->h ? as_stored(l->arena, v->h, before) : NULL;
		int64_t t_ms = (int64_t)i * l->step_ms;
		mem_store_add_started(l->store, s->labels, t_ms, v->v, h, script_start_of(&starts, i, t_ms));
		before = v->h;
	}
}

int script_load_line(struct script_load *l, struct slice line, struct err *err)
{
	if (script_is_starts(line))
		return script_starts_parse(l->arena, line, &l->starts, err);
	struct series_notation s;
	int rc = series_notation_parse(l->arena, line, &s, err);
	if (rc)
		return rc;
	add_series(l, &s);
	expected_series_vec_push(&l->lines, s);
	return 0;
}

/* --- classic histograms as native ones --- */

struct bound {
	double le;
	const struct series_notation *series;
};
VEC_DEFINE(bound_vec, struct bound);

struct classic {
	const struct labels *labels; /* of the native series */
	struct bound_vec buckets;
	const struct series_notation *count, *sum;
};
VEC_DEFINE(classic_vec, struct classic);

static struct classic *classic_of(
    struct script_load *l, struct classic_vec *all, const struct labels *series, struct slice base_name)
{
	struct label_builder b;
	label_builder_init(&b, l->arena, series);
	label_builder_set(&b, SL(LABEL_NAME), base_name);
	label_builder_del(&b, SL(LABEL_LE));
	const struct labels *labels = label_builder_labels(&b);
	for (size_t i = 0; i < all->len; i++)
		if (labels_eq(all->v[i].labels, labels))
			return &all->v[i];
	struct classic *c = classic_vec_add(all);
	c->labels = labels;
	return c;
}

static bool without_suffix(struct slice name, struct slice suffix, struct slice *base)
{
	if (!slice_ends(name, suffix) || name.len == suffix.len)
		return false;
	*base = slice_of(name.ptr, name.len - suffix.len);
	return true;
}

static void collect(struct script_load *l, struct classic_vec *all, const struct series_notation *s)
{
	struct slice name = labels_metric_name(s->labels), base;
	double le;
	if (without_suffix(name, SL("_bucket"), &base)) {
		if (double_parse(labels_get(s->labels, SL(LABEL_LE)), &le) && !isnan(le))
			bound_vec_push(&classic_of(l, all, s->labels, base)->buckets, (struct bound){le, s});
	} else if (without_suffix(name, SL("_count"), &base)) {
		classic_of(l, all, s->labels, base)->count = s;
	} else if (without_suffix(name, SL("_sum"), &base)) {
		classic_of(l, all, s->labels, base)->sum = s;
	}
}

static bool value_at(const struct series_notation *s, size_t i, double *v)
{
	if (!s || i >= s->n || s->values[i].missing || s->values[i].h || is_stale(s->values[i].v))
		return false;
	*v = s->values[i].v;
	return true;
}

static int compare_bounds(const void *a, const void *b)
{
	double x = ((const struct bound *)a)->le, y = ((const struct bound *)b)->le;
	return (x > y) - (x < y);
}

/* The native histogram of sample `i`; NULL when there is none, or the counts do not make one. */
static const struct histogram *convert(struct arena *a, const struct classic *c, size_t i)
{
	double *bounds = ARENA_ARRAY(a, double, c->buckets.len + 1);
	double *counts = ARENA_ARRAY(a, double, c->buckets.len + 1);
	size_t n = 0;
	double below = 0, v, count = 0, sum = 0;
	bool has_infinite = false;
	for (size_t k = 0; k < c->buckets.len; k++) {
		if (!value_at(c->buckets.v[k].series, i, &v))
			continue;
		if (v < below)
			return NULL;
		if (isinf(c->buckets.v[k].le))
			has_infinite = true;
		else
			bounds[n] = c->buckets.v[k].le;
		counts[n++] = v - below;
		below = v;
	}
	bool has_count = value_at(c->count, i, &count), has_sum = value_at(c->sum, i, &sum);
	if (n == 0 && !has_count)
		return NULL;
	if (!has_infinite)
		counts[n++] = has_count ? count - below : 0;
	struct histogram *h = ARENA_NEW(a, struct histogram);
	h->schema = HISTOGRAM_CUSTOM_SCHEMA;
	h->count = has_count ? count : below;
	h->sum = has_sum ? sum : 0;
	h->custom = bounds;
	h->n_custom = (uint32_t)n - 1;
	struct histogram_span *span = ARENA_NEW(a, struct histogram_span);
	span->length = (uint32_t)n;
	h->pos_spans = span;
	h->n_pos_spans = 1;
	h->pos = counts;
	h->n_pos = (uint32_t)n;
	return histogram_compact(a, h);
}

static void add_native(struct script_load *l, const struct classic *c)
{
	size_t n = c->count ? c->count->n : 0;
	for (size_t k = 0; k < c->buckets.len; k++)
		if (c->buckets.v[k].series->n > n)
			n = c->buckets.v[k].series->n;
	const struct histogram *before = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct histogram *h = convert(l->arena, c, i);
		if (!h)
			continue;
		mem_store_add(
		    l->store, c->labels, (int64_t)i * l->step_ms, 0, as_stored(l->arena, h, before));
		before = h;
	}
}

void script_load_finish(struct script_load *l)
{
	struct classic_vec all = {0};
	for (size_t i = 0; l->with_nhcb && i < l->lines.len; i++)
		collect(l, &all, &l->lines.v[i]);
	for (size_t i = 0; i < all.len; i++) {
		if (all.v[i].buckets.len) {
			qsort(all.v[i].buckets.v, all.v[i].buckets.len, sizeof(struct bound), compare_bounds);
			add_native(l, &all.v[i]);
		}
		bound_vec_done(&all.v[i].buckets);
	}
	classic_vec_done(&all);
	expected_series_vec_done(&l->lines);
}
