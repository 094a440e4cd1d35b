/* Where the reference evaluator's samples come from: selectors, windows, subqueries, and the durations in them. */
#include "tests/lib/reference_priv.h"

#include "model/stale_marker.h"
#include <math.h>

/* --- durations ---------------------------------------------------------------------------------------------------------- */

static int fail_at(struct reference *r, const struct duration_expr *d, const char *what)
{
	return err_set(r->err, ERR_INVALID, "%u:%u: %s", d->pos.start, d->pos.end, what);
}

static int duration_seconds(struct reference *r, const struct duration_expr *d, double *out)
{
	double a = 0, b = 0;
	int rc = d->lhs ? duration_seconds(r, d->lhs, &a) : 0;
	if (rc == 0 && d->rhs)
		rc = duration_seconds(r, d->rhs, &b);
	if (rc)
		return rc;
	switch (d->op) {
	case DURATION_NUMBER:
		*out = d->number;
		break;
	case DURATION_ADD:
		*out = d->lhs ? a + b : b;
		break;
	case DURATION_SUB:
		*out = d->lhs ? a - b : -b;
		break;
	case DURATION_MUL:
		*out = a * b;
		break;
	case DURATION_DIV:
		if (b == 0)
			return fail_at(r, d, "division by zero");
		*out = a / b;
		break;
	case DURATION_MOD:
		if (b == 0)
			return fail_at(r, d, "modulo by zero");
		*out = fmod(a, b);
		break;
	case DURATION_POW:
		*out = pow(a, b);
		break;
	case DURATION_STEP:
		*out = (double)r->query->step_ms / 1000;
		break;
	case DURATION_RANGE:
		*out = (double)(r->query->end_ms - r->query->start_ms) / 1000;
		break;
	case DURATION_MIN_OF:
		*out = ref_min(a, b);
		break;
	case DURATION_MAX_OF:
		*out = ref_max(a, b);
		break;
	}
	return 0;
}

static int check_duration(struct reference *r, const struct ast_duration *d, bool positive)
{
	double seconds = 0;
	if (!d->expr)
		return 0;
	int rc = duration_seconds(r, d->expr, &seconds);
	if (rc)
		return rc;
	if (isnan(seconds) || isinf(seconds))
		return fail_at(r, d->expr, "duration is NaN or infinite");
	if (positive && seconds <= 0)
		return fail_at(r, d->expr, "duration must be greater than 0");
	if (fabs(seconds) * 1e9 >= 0x1p63)
		return fail_at(r, d->expr, "duration is out of range");
	return 0;
}

int64_t ref_duration_ms(struct reference *r, const struct ast_duration *d)
{
	double seconds = 0;
	if (!d->expr)
		return d->ms;
	/* Was checked before anything was evaluated. */
	return duration_seconds(r, d->expr, &seconds) ? 0 : (int64_t)(seconds * 1000);
}

static int check_subquery(struct reference *r, const struct subquery *s)
{
	int rc = ref_check_durations(r, s->inner);
	if (rc == 0)
		rc = check_duration(r, &s->range, true);
	if (rc == 0)
		rc = check_duration(r, &s->step, true);
	return rc ? rc : check_duration(r, &s->shift.offset, false);
}

static int check_selector(struct reference *r, const struct selector *s)
{
	int rc = check_duration(r, &s->range, true);
	return rc ? rc : check_duration(r, &s->shift.offset, false);
}

int ref_check_durations(struct reference *r, const struct expr *e)
{
	int rc = 0;
	switch (e->kind) {
	case EXPR_NUMBER:
	case EXPR_STRING:
		return 0;
	case EXPR_SELECTOR:
	case EXPR_RANGE_SELECTOR:
		return check_selector(r, &e->selector);
	case EXPR_SUBQUERY:
		return check_subquery(r, &e->subquery);
	case EXPR_AGGREGATE:
		rc = e->aggregate.param ? ref_check_durations(r, e->aggregate.param) : 0;
		return rc ? rc : ref_check_durations(r, e->aggregate.inner);
	case EXPR_BINARY:
		rc = ref_check_durations(r, e->binary.lhs);
		return rc ? rc : ref_check_durations(r, e->binary.rhs);
	case EXPR_UNARY:
		return ref_check_durations(r, e->unary.inner);
	case EXPR_PAREN:
		return ref_check_durations(r, e->paren);
	case EXPR_CALL:
		for (size_t i = 0; rc == 0 && i < e->call.n_args; i++)
			rc = ref_check_durations(r, e->call.args[i]);
		return rc;
	}
	return 0;
}

int64_t ref_shifted(struct reference *r, const struct time_shift *shift, int64_t t_ms)
{
	int64_t base = t_ms;
	if (shift->at == AT_TIME)
		base = shift->at_ms;
	else if (shift->at == AT_START)
		base = r->query->start_ms;
	else if (shift->at == AT_END)
		base = r->query->end_ms;
	return base - ref_duration_ms(r, &shift->offset);
}

/* --- series ------------------------------------------------------------------------------------------------------------- */

bool ref_point_is_stale(const struct ref_point *p)
{
	return p->h ? histogram_is_stale(p->h) : is_stale(p->v);
}

static int read_series(struct reference *r, struct series_set *set, size_t i, struct sample_column *column,
    struct ref_series *out)
{
	int rc = set->ops->read(set, i, column, r->err);
	if (rc)
		return rc;
	out->labels = set->ops->labels(set, i, r->arena);
	out->p = ARENA_ARRAY(r->arena, struct ref_point, column->n + 1);
	out->n = column->n;
	for (size_t k = 0; k < column->n; k++)
		out->p[k] = (struct ref_point){column->t[k], column->v[k], column->h ? column->h[k] : NULL,
		    column->start ? column->start[k] : 0};
	return 0;
}

int ref_select(struct reference *r, const struct matcher *const *matchers, size_t n_matchers,
    struct ref_series_list *out)
{
	struct select_hints hints = {.start_ms = INT64_MIN / 4, .end_ms = INT64_MAX / 4};
	struct sample_column column;
	struct series_set *set;
	int rc =
	    r->querier->ops->select(r->querier, r->arena, matchers, n_matchers, false, &hints, &set, r->err);
	if (rc)
		return rc;
	*out = (struct ref_series_list){
	    ARENA_ARRAY(r->arena, struct ref_series, set->n + 1), set->n, set->n + 1};
	sample_column_init(&column, r->arena);
	for (size_t i = 0; rc == 0 && i < set->n; i++)
		rc = read_series(r, set, i, &column, &out->v[i]);
	sample_column_done(&column);
	return rc;
}

long ref_newest(const struct reference *r, const struct ref_series *s, int64_t t_ms)
{
	long newest = -1;
	for (size_t i = 0; i < s->n; i++)
		if (s->p[i].t_ms <= t_ms && s->p[i].t_ms > t_ms - r->lookback_ms)
			newest = (long)i;
	return newest >= 0 && ref_point_is_stale(&s->p[newest]) ? -1 : newest;
}

/* Where samples are repeated or left out, what a hint says of the sample before is no longer true. */
static const struct histogram *without_reset_hint(struct reference *r, const struct histogram *h)
{
	if (!h || (h->hint != HINT_RESET && h->hint != HINT_NOT_RESET))
		return h;
	struct histogram *copy = histogram_copy(r->arena, h);
	copy->hint = HINT_UNKNOWN;
	return copy;
}

/* --- smoothed instant selectors ----------------------------------------------------------------------------------------- */

/* The value at t_ms between two samples of one kind. */
static void between(struct reference *r, const struct expr *e, const struct ref_series *s,
    const struct ref_point *a, const struct ref_point *b, int64_t t_ms, struct ref_cell *cell)
{
	unsigned subtracted = 0, added = 0;
	if (!a->h) {
		cell->present = true;
		cell->v = a->v + (b->v - a->v) * (double)(t_ms - a->t_ms) / (double)(b->t_ms - a->t_ms);
		return;
	}
	bool is_counter = a->h->hint != HINT_GAUGE || b->h->hint != HINT_GAUGE;
	if (histogram_is_custom(a->h) == histogram_is_custom(b->h))
		cell->h = ref_histogram_line(r, a, b, t_ms, is_counter, &subtracted, &added);
	cell->present = cell->h != NULL;
	if (!cell->h)
		ref_warn(r, e->pos,
		    "vector contains a mix of histograms with exponential and custom buckets schemas for "
		    "metric name "
		    "%s",
		    ref_quote(r, labels_metric_name(s->labels)));
	ref_note_histogram(r, e->pos, subtracted, HISTOGRAM_NOTE_BOUNDS_RECONCILED, "subtraction");
	ref_note_histogram(r, e->pos, added, HISTOGRAM_NOTE_BOUNDS_RECONCILED, "addition");
}

/* What a hint says of the sample before is not true of a sample that is repeated later. */
static const struct histogram *carried_on(struct reference *r, const struct histogram *h)
{
	struct histogram *copy = histogram_copy(r->arena, h);
	copy->hint = HINT_UNKNOWN;
	return copy;
}

/* The exact sample, else between its neighbours, else the last one before; nothing where floats and histograms are in reach. */
static void smooth_cell(struct reference *r, const struct expr *e, const struct ref_series *s, int64_t t_ms,
    struct ref_cell *cell)
{
	const struct ref_point *before = NULL, *after = NULL;
	bool floats = false, histograms = false;
	for (size_t i = 0; i < s->n; i++) {
		const struct ref_point *p = &s->p[i];
		if (p->t_ms <= t_ms - r->lookback_ms || p->t_ms > t_ms + r->lookback_ms ||
		    ref_point_is_stale(p))
			continue;
		floats |= p->h == NULL;
		histograms |= p->h != NULL;
		if (p->t_ms < t_ms)
			before = p;
		else if (!after)
			after = p;
	}
	if (floats && histograms)
		ref_warn(r, e->pos, "encountered a mix of histograms and floats for metric name %s",
		    ref_quote(r, labels_metric_name(s->labels)));
	else if (after && after->t_ms == t_ms)
		*cell = (struct ref_cell){true, after->v, after->h};
	else if (before && after)
		between(r, e, s, before, after, t_ms, cell);
	else if (before)
		*cell = (struct ref_cell){true, before->v, before->h ? carried_on(r, before->h) : NULL};
}

/* --- instant selectors -------------------------------------------------------------------------------------------------- */

int ref_selector(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out)
{
	const struct selector *sel = &e->selector;
	struct ref_series_list list;
	int rc = ref_select(r, sel->matchers, sel->n_matchers, &list);
	if (rc)
		return rc;
	*out = ref_table_new(r, times);
	for (size_t i = 0; i < list.n; i++) {
		const struct ref_series *s = &list.v[i];
		struct ref_row *row = ref_table_add(r, *out, s->labels, false);
		for (size_t k = 0; k < times->n; k++) {
			int64_t t_ms = ref_shifted(r, &sel->shift, ref_time(times, k));
			if (sel->smoothed) {
				smooth_cell(r, e, s, t_ms, &row->cells[k]);
				continue;
			}
			long newest = ref_newest(r, s, t_ms);
			if (newest >= 0)
				row->cells[k] = (struct ref_cell){true, s->p[newest].v, s->p[newest].h};
		}
	}
	ref_table_drop_empty(*out);
	return 0;
}

/* --- ranges ------------------------------------------------------------------------------------------------------------- */

/* The first multiple of the step after (t - range). */
static int64_t first_multiple_after(int64_t t_ms, int64_t step_ms)
{
	int64_t n = t_ms / step_ms * step_ms;
	while (n > t_ms)
		n -= step_ms;
	while (n <= t_ms)
		n += step_ms;
	return n;
}

int ref_subquery(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out)
{
	const struct subquery *s = &e->subquery;
	struct ref_times inner = {.step_ms = ref_duration_ms(r, &s->step)};
	if (inner.step_ms == 0)
		inner.step_ms = r->default_step_ms;
	int64_t first = ref_shifted(r, &s->shift, times->start_ms);
	inner.end_ms = ref_shifted(r, &s->shift, ref_time(times, times->n - 1));
	inner.start_ms = first_multiple_after(first - ref_duration_ms(r, &s->range), inner.step_ms);
	if (inner.end_ms >= inner.start_ms)
		inner.n = (size_t)((inner.end_ms - inner.start_ms) / inner.step_ms) + 1;
	return ref_vector(r, s->inner, &inner, out);
}

static void series_of_row(
    struct reference *r, const struct ref_table *t, const struct ref_row *row, struct ref_series *s)
{
	*s = (struct ref_series){
	    row->labels, row->drop_name, ARENA_ARRAY(r->arena, struct ref_point, t->times.n + 1), 0};
	for (size_t k = 0; k < t->times.n; k++) {
		const struct ref_cell *c = &row->cells[k];
		if (c->present)
			s->p[s->n++] =
			    (struct ref_point){ref_time(&t->times, k), c->v, without_reset_hint(r, c->h), 0};
	}
}

int ref_range(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_series_list *out)
{
	struct ref_table *t;
	e = expr_unparen(e);
	if (e->kind == EXPR_RANGE_SELECTOR)
		return ref_select(r, e->selector.matchers, e->selector.n_matchers, out);
	int rc = ref_subquery(r, e, times, &t);
	if (rc)
		return rc;
	*out = (struct ref_series_list){ARENA_ARRAY(r->arena, struct ref_series, t->n + 1), t->n, t->n + 1};
	for (size_t i = 0; i < t->n; i++)
		series_of_row(r, t, &t->rows[i], &out->v[i]);
	return 0;
}

struct ref_window ref_window_of(
    struct reference *r, const struct expr *e, const struct ref_series *s, int64_t t_ms)
{
	e = expr_unparen(e);
	bool is_selector = e->kind == EXPR_RANGE_SELECTOR;
	const struct time_shift *shift = is_selector ? &e->selector.shift : &e->subquery.shift;
	int64_t range_ms = ref_duration_ms(r, is_selector ? &e->selector.range : &e->subquery.range);
	struct ref_window w = {.now_ms = t_ms, .metric = labels_metric_name(s->labels)};
	w.end_ms = ref_shifted(r, shift, t_ms);
	w.from_ms = w.end_ms - range_ms;
	/* Extended ranges hold all that is within reach: what of it counts is for the functions to say. */
	int64_t lowest = w.from_ms, highest = w.end_ms;
	if (is_selector && (e->selector.anchored || e->selector.smoothed))
		lowest -= r->lookback_ms;
	if (is_selector && e->selector.smoothed)
		highest += r->lookback_ms;
	struct ref_point *p = ARENA_ARRAY(r->arena, struct ref_point, s->n + 1);
	for (size_t i = 0; i < s->n; i++) {
		if (s->p[i].t_ms <= lowest || s->p[i].t_ms > highest || ref_point_is_stale(&s->p[i]))
			continue;
		if (s->p[i].h)
			w.n_histograms++;
		else
			w.n_floats++;
		p[w.n++] = s->p[i];
	}
	w.p = p;
	return w;
}
