/* rate, increase, delta, irate, idelta over one window at a time, and their anchored and smoothed forms. */
#include "tests/lib/reference_priv.h"

#include <math.h>
#include <string.h>

static bool is_counter_function(const struct call *c)
{
	return c->func->id != FN_DELTA && c->func->id != FN_IDELTA;
}

static struct ast_range range_pos(const struct call *c)
{
	return c->args[0]->pos;
}

static void warn_named(
    struct reference *r, const struct call *c, const struct ref_window *w, const char *what)
{
	ref_warn(r, range_pos(c), "%s %s", what, ref_quote(r, w->metric));
}

static void warn_mixed_kinds(struct reference *r, const struct call *c, const struct ref_window *w)
{
	warn_named(r, c, w, "encountered a mix of histograms and floats for metric name");
}

static void warn_mixed_schemas(struct reference *r, const struct call *c, const struct ref_window *w)
{
	warn_named(r, c, w,
	    "vector contains a mix of histograms with exponential and custom buckets schemas for metric "
	    "name");
}

static void warn_not_counter(struct reference *r, const struct call *c, const struct ref_window *w)
{
	warn_named(r, c, w, "this native histogram metric is not a counter:");
}

static void warn_not_gauge(struct reference *r, const struct call *c, const struct ref_window *w)
{
	warn_named(r, c, w, "this native histogram metric is not a gauge:");
}

static const struct histogram *as_gauge(struct reference *r, const struct histogram *h)
{
	struct histogram *copy = histogram_copy(r->arena, h);
	copy->hint = HINT_GAUGE;
	return copy;
}

static double range_seconds(const struct ref_window *w)
{
	return (double)(w->end_ms - w->from_ms) / 1000;
}

/* --- resets ------------------------------------------------------------------------------------------------------------- */

bool ref_start_is_reset(const struct reference *r, const struct ref_point *before, const struct ref_point *p)
{
	if (!r->options->use_start_timestamps || p->start_ms == 0 || p->start_ms >= p->t_ms)
		return false;
	if (p->start_ms != before->t_ms)
		return p->start_ms > before->t_ms;
	/* The counter begins where the sample before lies: only a reset when the start of that one is known. */
	return before->start_ms != 0 && before->start_ms < before->t_ms;
}

static void warn_overlaps(struct reference *r, const struct call *c, const struct ref_window *w)
{
	for (size_t i = 1; r->options->use_start_timestamps && i < w->n; i++) {
		const struct ref_point *a = &w->p[i - 1], *b = &w->p[i];
		if (b->start_ms != 0 && b->start_ms < a->t_ms && b->start_ms != a->start_ms) {
			warn_named(r, c, w,
			    "sample has start time that overlaps with previous sample timestamp for metric");
			return;
		}
	}
}

/* --- growth between the first and the last sample ------------------------------------------------------------------------ */

static double float_growth(struct reference *r, const struct call *c, const struct ref_window *w)
{
	double growth = w->p[w->n - 1].v - w->p[0].v;
	if (!is_counter_function(c))
		return growth;
	for (size_t i = 1; i < w->n; i++)
		if (w->p[i].v < w->p[i - 1].v || ref_start_is_reset(r, &w->p[i - 1], &w->p[i]))
			growth += w->p[i - 1].v;
	return growth;
}

static bool is_histogram_reset(
    const struct reference *r, const struct ref_point *before, const struct ref_point *p)
{
	return ref_start_is_reset(r, before, p) || histogram_detect_reset(p->h, before->h);
}

/* An empty histogram with the layout of `h`. */
static const struct histogram *empty_like(struct reference *r, const struct histogram *h)
{
	struct histogram *empty = ARENA_NEW(r->arena, struct histogram);
	empty->schema = h->schema;
	empty->n_custom = h->n_custom;
	empty->custom = h->custom;
	return empty;
}

/* Whether the samples from `first` on are all exponential or all custom. */
static bool one_schema_kind(const struct ref_window *w, size_t first)
{
	for (size_t i = first + 1; i < w->n; i++)
		if (histogram_is_custom(w->p[i].h) != histogram_is_custom(w->p[first].h))
			return false;
	return true;
}

static void warn_of_kind(struct reference *r, const struct call *c, const struct ref_window *w)
{
	if (!is_counter_function(c)) {
		if (w->p[0].h->hint != HINT_GAUGE || w->p[w->n - 1].h->hint != HINT_GAUGE)
			warn_not_gauge(r, c, w);
		return;
	}
	for (size_t i = 0; i < w->n; i++)
		if (w->p[i].h->hint == HINT_GAUGE)
			warn_not_counter(r, c, w);
}

static int32_t lowest_schema(const struct ref_window *w, size_t first, bool all)
{
	int32_t schema = w->p[w->n - 1].h->schema;
	for (size_t i = first; i < w->n; i++)
		if ((all || i == first) && w->p[i].h->schema < schema)
			schema = w->p[i].h->schema;
	return schema;
}

/* last - first, and for counters plus what was reached before each reset. NULL, and a warning: they do not go together. */
static const struct histogram *histogram_growth(
    struct reference *r, const struct call *c, const struct ref_window *w)
{
	bool is_counter = is_counter_function(c);
	const struct histogram *first = w->p[0].h, *last = w->p[w->n - 1].h, *sum;
	bool ignore_first = is_counter && is_histogram_reset(r, &w->p[0], &w->p[1]);
	unsigned subtracted = 0, added = 0;

	if (ignore_first)
		first = empty_like(r, w->p[1].h);
	bool fit = histogram_is_custom(first) == histogram_is_custom(last) &&
		   (!is_counter || one_schema_kind(w, ignore_first ? 1 : 0));
	if (fit)
		warn_of_kind(r, c, w);
	int32_t schema = lowest_schema(w, ignore_first ? 1 : 0, is_counter);
	if (fit && !histogram_is_custom(last))
		last = histogram_reduce(r->arena, last, schema);
	sum = fit ? histogram_sub(r->arena, last, first, &subtracted) : NULL;
	for (size_t i = ignore_first ? 2 : 1; sum && is_counter && i < w->n; i++)
		if (is_histogram_reset(r, &w->p[i - 1], &w->p[i]))
			sum = histogram_add(r->arena, sum, w->p[i - 1].h, &added);
	if (!sum) {
		warn_mixed_schemas(r, c, w);
		return NULL;
	}
	/* That hints contradict each other is the matter of this function, not of the reader. */
	ref_note_histogram(r, range_pos(c), subtracted, HISTOGRAM_NOTE_BOUNDS_RECONCILED, "subtraction");
	ref_note_histogram(r, range_pos(c), added, HISTOGRAM_NOTE_BOUNDS_RECONCILED, "addition");
	return histogram_compact(r->arena, as_gauge(r, sum));
}

/* --- extrapolation ------------------------------------------------------------------------------------------------------ */

/* How far the growth is thought to go on before the first sample, in seconds. */
static double reach_before(const struct call *c, const struct ref_window *w, const struct ref_value *growth,
    double sampled, double average)
{
	double reach = (double)(w->p[0].t_ms - w->from_ms) / 1000, zero;
	if (reach >= average * 1.1)
		reach = average / 2;
	if (!is_counter_function(c))
		return reach;
	/* A counter was not below 0. */
	zero = reach;
	if (!growth->h && growth->v > 0 && w->p[0].v >= 0)
		zero = sampled * (w->p[0].v / growth->v);
	else if (growth->h && growth->h->count > 0 && w->p[0].h->count >= 0)
		zero = sampled * (w->p[0].h->count / growth->h->count);
	return zero < reach ? zero : reach;
}

static double reach_after(const struct ref_window *w, double average)
{
	double reach = (double)(w->end_ms - w->p[w->n - 1].t_ms) / 1000;
	return reach >= average * 1.1 ? average / 2 : reach;
}

/* Whether the first sample says that its counter began within the window: a sample of 0 at that time is as good as one. */
static bool starts_within(const struct reference *r, const struct call *c, const struct ref_window *w)
{
	int64_t start_ms = w->p[0].start_ms;
	return r->options->use_start_timestamps && is_counter_function(c) && start_ms != 0 &&
	       start_ms > w->from_ms && start_ms < w->p[0].t_ms;
}

static bool add_first(
    struct reference *r, const struct call *c, const struct ref_window *w, struct ref_value *growth)
{
	unsigned notes = 0;
	if (!w->n_histograms) {
		growth->v += w->p[0].v;
		return true;
	}
	if (!growth->h) {
		growth->h = histogram_copy(r->arena, w->p[0].h);
		return true;
	}
	growth->h = histogram_add(r->arena, growth->h, w->p[0].h, &notes);
	if (!growth->h)
		warn_mixed_schemas(r, c, w);
	else
		ref_note_histogram(r, range_pos(c), notes, HISTOGRAM_NOTE_BOUNDS_RECONCILED, "addition");
	return growth->h != NULL;
}

static bool find_growth(
    struct reference *r, const struct call *c, const struct ref_window *w, struct ref_value *growth)
{
	*growth = (struct ref_value){0};
	if (w->n < 2)
		return true;
	if (is_counter_function(c))
		warn_overlaps(r, c, w);
	if (!w->n_histograms) {
		growth->v = float_growth(r, c, w);
		return true;
	}
	growth->h = histogram_growth(r, c, w);
	return growth->h != NULL;
}

bool ref_rate(struct reference *r, const struct call *c, const struct ref_window *w, struct ref_value *out)
{
	if (w->n_histograms && w->n_floats) {
		warn_mixed_kinds(r, c, w);
		return false;
	}
	if (w->n == 0 || !find_growth(r, c, w, out))
		return false;
	double sampled = (double)(w->p[w->n - 1].t_ms - w->p[0].t_ms) / 1000;
	double average = w->n > 1 ? sampled / (double)(w->n - 1) : 0, before = 0;
	if (starts_within(r, c, w)) {
		sampled = (double)(w->p[w->n - 1].t_ms - w->p[0].start_ms) / 1000;
		if (!add_first(r, c, w, out))
			return false;
	} else if (w->n < 2) {
		return false;
	} else {
		before = reach_before(c, w, out, sampled, average);
	}
	double factor = (sampled + before + reach_after(w, average)) / sampled;
	if (c->func->id == FN_RATE)
		factor /= range_seconds(w);
	out->v *= factor;
	if (out->h)
		out->h = histogram_scale(r->arena, out->h, factor);
	return true;
}

/* --- the last two samples ----------------------------------------------------------------------------------------------- */

static bool irate_of_histograms(struct reference *r, const struct call *c, const struct ref_window *w,
    const struct ref_point *a, const struct ref_point *b, struct ref_value *out)
{
	bool is_rate = c->func->id == FN_IRATE,
	     both_gauge = a->h->hint == HINT_GAUGE && b->h->hint == HINT_GAUGE;
	const struct histogram *h = b->h;
	unsigned notes = 0;

	if (is_rate && (a->h->hint == HINT_GAUGE || b->h->hint == HINT_GAUGE))
		warn_not_counter(r, c, w);
	if (!is_rate && !both_gauge)
		warn_not_gauge(r, c, w);
	if (!is_rate || !is_histogram_reset(r, a, b))
		h = histogram_sub(r->arena, b->h, a->h, &notes);
	if (!h) {
		warn_mixed_schemas(r, c, w);
		return false;
	}
	ref_note_histogram(r, range_pos(c), notes, HISTOGRAM_NOTE_BOUNDS_RECONCILED, "subtraction");
	h = histogram_compact(r->arena, as_gauge(r, h));
	if (is_rate)
		h = histogram_divide(r->arena, h, (double)(b->t_ms - a->t_ms) / 1000);
	*out = (struct ref_value){0, h};
	return true;
}

bool ref_irate(struct reference *r, const struct call *c, const struct ref_window *w, struct ref_value *out)
{
	if (w->n < 2)
		return false;
	const struct ref_point *a = &w->p[w->n - 2], *b = &w->p[w->n - 1];
	if ((a->h != NULL) != (b->h != NULL)) {
		warn_mixed_kinds(r, c, w);
		return false;
	}
	if (a->h)
		return irate_of_histograms(r, c, w, a, b, out);
	bool is_rate = c->func->id == FN_IRATE;
	*out = (struct ref_value){b->v - a->v, NULL};
	if (is_rate && (b->v < a->v || ref_start_is_reset(r, a, b)))
		out->v = b->v;
	if (is_rate)
		out->v /= (double)(b->t_ms - a->t_ms) / 1000;
	return true;
}

/* --- anchored, smoothed ------------------------------------------------------------------------------------------------- */

/* The samples that matter: from the last at or before the start of the range (else the first of all) to the last of all, or,
 * smoothed, to the first at or after the end of the range. */
struct span {
	size_t first, last;
	bool smoothed;
};

static bool find_span(const struct call *c, const struct ref_window *w, struct span *s)
{
	s->smoothed = expr_unparen(c->args[0])->selector.smoothed;
	s->last = w->n - 1;
	s->first = 0;
	for (size_t i = 0; i < s->last; i++)
		if (w->p[i].t_ms <= w->from_ms)
			s->first = i;
	for (size_t i = 0; s->smoothed && i < s->last; i++)
		if (w->p[i].t_ms >= w->end_ms)
			s->last = i;
	if (w->p[s->last].t_ms <= w->from_ms)
		return false;
	return !s->smoothed || w->p[s->first].t_ms <= w->end_ms;
}

static double line(const struct ref_point *a, const struct ref_point *b, int64_t t_ms, bool is_counter)
{
	double from = is_counter && b->v < a->v ? 0 : a->v;
	return from + (b->v - from) * (double)(t_ms - a->t_ms) / (double)(b->t_ms - a->t_ms);
}

static double extended_float(const struct call *c, const struct ref_window *w, const struct span *s)
{
	bool is_counter = is_counter_function(c);
	const struct ref_point *p = w->p;
	double left = p[s->first].v, right = p[s->last].v, correction = 0;

	if (s->smoothed && p[s->first].t_ms < w->from_ms)
		left = line(&p[s->first], &p[s->first + 1], w->from_ms, is_counter);
	if (s->smoothed && s->last > 0 && p[s->last].t_ms > w->end_ms)
		right = line(&p[s->last - 1], &p[s->last], w->end_ms, is_counter);
	double before = left;
	for (size_t i = s->first; i <= s->last; i++) {
		if (p[i].t_ms <= w->from_ms || p[i].t_ms >= w->end_ms)
			continue;
		if (p[i].v < before)
			correction += before;
		before = p[i].v;
	}
	if (right < before)
		correction += before;
	return right - left + (is_counter ? correction : 0);
}

/* On the line from a to b. NULL: exponential met custom. */
const struct histogram *ref_histogram_line(struct reference *r, const struct ref_point *a,
    const struct ref_point *b, int64_t t_ms, bool is_counter, unsigned *subtracted, unsigned *added)
{
	double share = (double)(t_ms - a->t_ms) / (double)(b->t_ms - a->t_ms);
	if (is_counter && histogram_detect_reset(b->h, a->h))
		return histogram_scale(r->arena, b->h, share);
	const struct histogram *rise = histogram_sub(r->arena, b->h, a->h, subtracted);
	return rise ? histogram_add(r->arena, histogram_scale(r->arena, rise, share), a->h, added) : NULL;
}

static void warn_of_span(
    struct reference *r, const struct call *c, const struct ref_window *w, const struct span *s)
{
	struct ref_window part = *w;
	part.p += s->first;
	part.n = s->last - s->first + 1;
	warn_of_kind(r, c, &part);
}

/* What the counter had reached before each new beginning within the range. A beginning that the left line crosses is in that
 * line already. */
static const struct histogram *add_corrections(struct reference *r, const struct ref_window *w,
    const struct span *s, const struct histogram *sum, const struct histogram *left, unsigned *notes)
{
	bool line_left = s->smoothed && w->p[s->first].t_ms < w->from_ms;
	const struct histogram *correction = NULL;
	for (size_t i = s->first + 1; i <= s->last; i++) {
		const struct histogram *before = w->p[i - 1].h;
		if (!histogram_detect_reset(w->p[i].h, before) || (line_left && i == s->first + 1))
			continue;
		if (i == s->first + 1)
			before = left;
		correction = correction ? histogram_add(r->arena, correction, before, notes) : before;
		if (!correction)
			return NULL;
	}
	return correction ? histogram_add(r->arena, sum, correction, notes) : sum;
}

static bool extended_histogram(struct reference *r, const struct call *c, const struct ref_window *w,
    const struct span *s, struct ref_value *out)
{
	bool is_counter = is_counter_function(c);
	const struct ref_point *p = w->p;
	const struct histogram *left = p[s->first].h, *right = p[s->last].h, *sum = NULL;
	unsigned subtracted = 0, added = 0;

	for (size_t i = s->first; i <= s->last; i++) {
		if (histogram_is_custom(p[i].h) != histogram_is_custom(p[s->first].h)) {
			warn_mixed_schemas(r, c, w);
			return false;
		}
	}
	warn_of_span(r, c, w, s);
	if (s->smoothed && p[s->first].t_ms < w->from_ms)
		left = ref_histogram_line(
		    r, &p[s->first], &p[s->first + 1], w->from_ms, is_counter, &subtracted, &added);
	if (s->smoothed && s->last > 0 && p[s->last].t_ms > w->end_ms)
		right = ref_histogram_line(
		    r, &p[s->last - 1], &p[s->last], w->end_ms, is_counter, &subtracted, &added);
	if (left && right)
		sum = histogram_sub(r->arena, right, left, &subtracted);
	if (sum && is_counter)
		sum = add_corrections(r, w, s, sum, left, &added);
	if (!sum)
		return false;
	ref_note_histogram(r, range_pos(c), subtracted, HISTOGRAM_NOTE_BOUNDS_RECONCILED, "subtraction");
	ref_note_histogram(r, range_pos(c), added, HISTOGRAM_NOTE_BOUNDS_RECONCILED, "addition");
	if (c->func->id == FN_RATE)
		sum = histogram_divide(r->arena, sum, range_seconds(w));
	*out = (struct ref_value){0, histogram_compact(r->arena, as_gauge(r, sum))};
	return true;
}

bool ref_extended_rate(
    struct reference *r, const struct call *c, const struct ref_window *w, struct ref_value *out)
{
	struct span s;
	if (w->n_histograms && w->n_floats) {
		warn_mixed_kinds(r, c, w);
		return false;
	}
	if (w->n == 0 || !find_span(c, w, &s))
		return false;
	if (w->n_histograms)
		return extended_histogram(r, c, w, &s, out);
	*out = (struct ref_value){extended_float(c, w, &s), NULL};
	if (c->func->id == FN_RATE)
		out->v /= range_seconds(w);
	return true;
}
