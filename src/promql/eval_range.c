/* Functions of range vectors: rows of samples (of series, or of a subquery) go through a kernel (promql/range_func.h). */
#include "base/double_text.h"
#include "base/utf8.h"
#include "base/xmalloc.h"
#include "promql/eval.h"
#include "promql/range_func.h"
#include "promql/range_summaries.h"
#include "promql/series_reader.h"
#include "promql/series_select.h"

#include <math.h>
#include <string.h>

struct range_source {
	struct source base;
	enum function_id id;
	const struct range_func *func;
	struct window_spec spec;
	struct series_set *set; /* a selector's series; or */
	struct source *inner;   /* a subquery's values, in memory */
	int64_t *inner_t;       /* and the times of its steps */
	const double *param[2];
	uint16_t *notes; /* enum row_note by row */
	struct leaf_counts *counts;
	struct ast_range where;
	const struct expr *quantile;    /* quantile_over_time(): the argument */
	struct ast_range ignored_where; /* what the note on ignored histograms is about */
	uint64_t *bad_steps;            /* at which a parameter is out of its range; NULL: none is */
	_Atomic uint64_t *bad_used;     /* those of them at which it was used; quantile_over_time() */
	bool drops_name_now;
	bool has_summaries; /* windows are long, and the store knows what stretches of samples add up to */
};

/* A thread's state. */
struct range_leaf {
	struct series_reader reader;
	struct range_call call;
	struct range_summaries summaries;
	/* a subquery's row without its gaps */
	int64_t *t;
	double *v;
	const struct histogram **h;
};

static void leaf_done(void *arg)
{
	struct range_leaf *l = arg;

	series_reader_done(&l->reader);
	range_call_done(&l->call);
	range_summaries_done(&l->summaries);
	free(l->t);
	free(l->v);
	free(l->h);
	free(l);
}

static struct range_leaf *leaf_of(struct worker *w, const struct range_source *s)
{
	if (w->leaf)
		return w->leaf;
	struct range_leaf *l = xcalloc(1, sizeof(*l));
	series_reader_init(&l->reader, w->eval, s->counts, w->eval->options->use_start_timestamps);
	range_call_init(&l->call, s->id, &s->spec, s->base.grid);
	l->call.limits = &w->eval->limits;
	l->call.param[0] = s->param[0];
	l->call.param[1] = s->param[1];
	if (s->inner) {
		l->t = xreallocarray(NULL, s->inner->grid->n, sizeof(*l->t));
		l->v = xreallocarray(NULL, s->inner->grid->n, sizeof(*l->v));
		l->h = xreallocarray(NULL, s->inner->grid->n, sizeof(*l->h));
	}
	w->leaf = l;
	w->leaf_done = leaf_done;
	return l;
}

/* A subquery's histograms do not follow each other as scraped ones do: what their hints say of resets means nothing. */
static const struct histogram *without_reset_hint(struct arena *arena, const struct histogram *h)
{
	if (h == NULL || h->hint == HINT_UNKNOWN || h->hint == HINT_GAUGE)
		return h;
	struct histogram *copy = ARENA_NEW(arena, struct histogram);
	*copy = *h;
	copy->hint = HINT_UNKNOWN;
	return copy;
}

static int subquery_input(struct range_source *s, struct range_leaf *l, size_t i, struct arena *arena,
    struct range_input *in, struct err *err)
{
	const struct tile *all = s->inner->all;
	struct row r = tile_row(all, (uint32_t)i);

	struct sample_column c = {.t = l->t, .v = l->v};
	if (!all->h && bits_count(r.present, all->words) == all->steps) {
		c = (struct sample_column){.n = all->steps, .t = s->inner_t, .v = r.v};
		return series_reader_input_of(&l->reader, &s->spec, &c, in, err);
	}
	BITS_EACH(k, r.present, all->words)
	{
		l->t[c.n] = s->inner_t[k];
		l->v[c.n] = r.v[k];
		l->h[c.n] = r.h ? without_reset_hint(arena, r.h[k]) : NULL;
		c.n++;
	}
	c.h = r.h ? l->h : NULL;
	return series_reader_input_of(&l->reader, &s->spec, &c, in, err);
}

static int range_input_of(struct range_source *s, struct range_leaf *l, size_t i, struct arena *arena,
    struct range_input *in, struct err *err)
{
	if (s->inner)
		return subquery_input(s, l, i, arena, in, err);
	int rc = series_reader_read(&l->reader, s->set, i, arena, err);
	return rc ? rc : series_reader_input(&l->reader, &s->spec, in, err);
}

static bool any_window_mixed(const struct range_input *in)
{
	for (uint32_t k = 0; in->n_histograms && k < in->fw->n; k++) {
		if (in->fw->hi[k] > in->fw->lo[k] && in->hw->hi[k] > in->hw->lo[k])
			return true;
	}
	return false;
}

/* double_exponential_smoothing(): factors are judged where there is something to smooth. */
static int check_factors(
    const struct range_source *s, const struct range_input *in, uint32_t words, struct err *err)
{
	static const char *const names[] = {"smoothing", "trend"};

	BITS_EACH(k, s->bad_steps, words)
	{
		bool used =
		    in->fw->hi[k] > in->fw->lo[k] || (in->n_histograms && in->hw->hi[k] > in->hw->lo[k]);
		for (size_t i = 0; used && i < ARRAY_LEN(names); i++) {
			double v = s->param[i][k];
			if (v <= 0 || v >= 1)
				return err_set(err, ERR_EXECUTION,
				    "invalid %s factor. Expected: 0 < %cf < 1, got: %f", names[i],
				    names[i][0], v);
		}
	}
	return 0;
}

static void note_used(const struct range_source *s, const uint64_t *present, uint32_t words)
{
	for (uint32_t w = 0; w < words; w++) {
		uint64_t used = s->bad_steps[w] & present[w];
		if (used)
			atomic_fetch_or_explicit(&s->bad_used[w], used, memory_order_relaxed);
	}
}

/* From what the store knows of whole stretches of samples, if it can be done so. */
static int summarise(struct range_source *s, struct range_leaf *l, size_t i, struct tile *t, uint32_t r,
    bool *done, struct err *err)
{
	*done = false;
	if (!s->has_summaries)
		return 0;
	return range_summaries_row(&l->summaries, &l->call, &l->reader, s->set, i, t, r, done, err);
}

static int range_fill(struct source *base, struct worker *w, size_t first, struct tile *t, struct err *err)
{
	struct range_source *s = (struct range_source *)base;
	struct range_leaf *l = leaf_of(w, s);
	struct range_input in;

	for (uint32_t r = 0; r < t->rows; r++) {
		bool done;
		l->call.notes = 0;
		int rc = summarise(s, l, first + r, t, r, &done, err);
		if (rc == 0 && done) {
			s->notes[first + r] = (uint16_t)l->call.notes;
			continue;
		}
		if (rc == 0)
			rc = range_input_of(s, l, first + r, t->arena, &in, err);
		if (rc)
			return rc;
		if (s->bad_steps && s->id == FN_DOUBLE_EXPONENTIAL_SMOOTHING)
			rc = check_factors(s, &in, t->words, err);
		if (rc)
			return rc;
		l->call.notes = 0;
		s->func->kernel(&l->call, &in, t, r);
		if (l->call.stopped)
			return query_limits_check(&w->eval->limits, err);
		if (s->func->floats_only && any_window_mixed(&in))
			l->call.notes |= NOTE_HISTOGRAMS_IGNORED;
		if (s->bad_used)
			note_used(s, tile_row(t, r).present, t->words);
		s->notes[first + r] = (uint16_t)l->call.notes;
	}
	return 0;
}

static const struct labels *labels_below(struct range_source *s, size_t i)
{
	if (s->inner)
		return source_labels(s->inner, i);
	return s->set->ops->labels(s->set, i, s->base.eval->arena);
}

static const struct labels *range_labels(struct source *base, size_t i)
{
	struct range_source *s = (struct range_source *)base;
	const struct labels *ls = labels_below(s, i);

	return s->drops_name_now ? labels_nameless(base->eval->arena, ls) : ls;
}

/* Where series carry their type, it tells better than the name whether rate() makes sense. */
static void annotate_type(struct range_source *s, const struct labels *ls)
{
	struct slice type = labels_get(ls, SL("__type__"));
	struct strbuf name = STRBUF_INIT, quoted = STRBUF_INIT;

	if (slice_eq_cstr(type, "counter") || slice_eq_cstr(type, "histogram") ||
	    labels_metric_name(ls).len == 0)
		return;
	utf8_quote_go(&name, labels_metric_name(ls));
	utf8_quote_go(&quoted, type);
	annotate_info(&s->base.eval->notes, s->where,
	    "metric might not be a counter, __type__ label is not set to \"counter\" or \"histogram\", got "
	    "%s: %s",
	    strbuf_cstr(&quoted), strbuf_cstr(&name));
	strbuf_done(&name);
	strbuf_done(&quoted);
}

static void range_drained(struct source *base)
{
	struct range_source *s = (struct range_source *)base;
	bool one_name = s->inner == NULL && base->unique_nameless;
	const char *operation =
	    s->id == FN_SUM_OVER_TIME || s->id == FN_AVG_OVER_TIME ? "aggregation" : "subtraction";
	unsigned all = 0;

	for (size_t i = 0; i < base->n; i++) {
		unsigned notes = s->notes[i];
		/* The texts name the metric alone: when all rows have one name, the first row with a note will do. */
		if (notes == 0 || (one_name && (notes | all) == all))
			continue;
		all |= notes;
		const struct labels *ls = labels_below(s, i);
		if (base->eval->options->type_and_unit_labels && notes & NOTE_MAYBE_NOT_COUNTER) {
			notes &= ~(unsigned)NOTE_MAYBE_NOT_COUNTER;
			annotate_type(s, ls);
		}
		annotate_row_notes(&base->eval->notes, s->where, notes & ~(unsigned)NOTE_HISTOGRAMS_IGNORED,
		    labels_metric_name(ls), operation);
		annotate_row_notes(&base->eval->notes, s->ignored_where, notes & NOTE_HISTOGRAMS_IGNORED,
		    labels_metric_name(ls), operation);
	}
	for (uint32_t k = 0; s->bad_used && k < base->grid->n; k++) {
		if (s->bad_used[k / 64] >> (k % 64) & 1)
			annotate_bad_quantiles(base->eval, s->quantile, &s->param[0][k], 1);
	}
}

static const struct source_ops range_ops = {
    .fill = range_fill, .labels = range_labels, .drained = range_drained};

static int64_t *grid_times(struct eval *e, const struct grid *g)
{
	int64_t *t = arena_try_alloc(e->arena, g->n, sizeof(*t));

	for (uint32_t k = 0; t && k < g->n; k++)
		t[k] = grid_time_ms(g, k);
	return t;
}

/* anchored and smoothed have functions of their own. */
static void extend_windows(struct range_source *s, const struct selector *sel)
{
	static const struct range_func rates = {range_extended_rate, false, false};

	window_spec_extend(&s->spec, sel, s->base.eval->lookback_ms);
	if (s->spec.kind != WINDOW_PLAIN && (s->id == FN_RATE || s->id == FN_INCREASE || s->id == FN_DELTA))
		s->func = &rates;
}

/* The range vector below the function: series or a subquery. */
static int open_range(struct range_source *s, const struct expr *arg, const struct grid *grid,
    const char *func, struct err *err)
{
	struct eval *e = s->base.eval;
	int rc;

	if (arg->kind == EXPR_SUBQUERY) {
		s->spec = window_spec_for(&arg->subquery.shift, grid, arg->subquery.range.ms);
		rc = eval_subquery(e, arg, grid, &s->inner, err);
		if (rc == 0)
			rc = source_materialise(s->inner, err);
		if (rc)
			return rc;
		s->inner_t = grid_times(e, s->inner->grid);
		s->base.n = s->inner->n;
		s->base.cost = (uint64_t)s->inner->n * s->inner->grid->n;
		s->base.unique = s->inner->unique;
		s->base.unique_nameless = s->inner->unique_nameless;
		s->base.all_dropped = s->inner->all_dropped;
		s->base.dropped = s->inner->dropped;
		return s->inner_t ? 0 : query_limits_no_memory(err);
	}
	s->spec = window_spec_for(&arg->selector.shift, grid, arg->selector.range.ms);
	extend_windows(s, &arg->selector);
	rc = series_select(e, arg, &s->spec, false, func, &s->set, err);
	if (rc)
		return rc;
	plan_node_of(&e->plan, arg)->series = s->set->n;
	s->base.n = s->set->n;
	s->base.series = s->set;
	s->base.cost = series_set_cost(s->set);
	s->base.unique = true;
	s->base.unique_nameless = selector_names_metric(e, &arg->selector);
	s->has_summaries = range_summaries_apply(s->id, &s->spec, s->set, e->options->use_start_timestamps);
	return 0;
}

static void drop_names(struct range_source *s)
{
	if (s->base.eval->options->delayed_name_removal) {
		s->base.all_dropped = true;
		return;
	}
	s->drops_name_now = true;
	s->base.unique = s->base.unique_nameless;
}

static size_t rows_with_values(const struct source *s)
{
	size_t n = 0;

	for (uint32_t i = 0; i < s->n; i++)
		n += bits_any(tile_row(s->all, i).present, s->all->words);
	return n;
}

/* Series that differ in their names alone: Prometheus refuses them even when they never meet at one step, as soon as two of
 * them have any result. */
static int check_unique(struct source **s, struct err *err)
{
	struct source *merged = *s;

	if (merged->unique || merged->n < 2)
		return 0;
	int rc = source_merge_same(&merged, err);
	if (rc || merged == *s)
		return rc;
	if (rows_with_values(merged) < rows_with_values(*s))
		return source_same_labelset(err);
	*s = merged;
	return 0;
}

static int make_range_source(struct eval *e, enum function_id id, const struct expr *arg,
    const struct grid *grid, struct range_source **out, struct err *err)
{
	struct range_source *s = ARENA_NEW(e->arena, struct range_source);

	s->base = (struct source){.ops = &range_ops, .eval = e, .grid = grid};
	s->id = id;
	s->func = range_func_of(id);
	s->where = s->ignored_where = arg->pos;
	s->counts = query_plan_counts(e, expr_unparen(arg), grid);
	int rc = open_range(s, expr_unparen(arg), grid, functions[id].name, err);
	if (rc)
		return rc;
	s->notes = ARENA_ARRAY(e->arena, uint16_t, s->base.n ? s->base.n : 1);
	*out = s;
	return 0;
}

/* The scalar arguments, in the order the kernels want them. */
static int eval_params(
    struct eval *e, const struct call *call, const struct grid *grid, const double **param, struct err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < call->n_args; i++) {
		if (call->args[i]->type != TYPE_SCALAR)
			continue;
		int rc = eval_scalar(e, call->args[i], grid, &param[n++], err);
		if (rc)
			return rc;
	}
	return 0;
}

static bool is_bad_parameter(const struct range_source *s, uint32_t k)
{
	const double *const *p = s->param;

	if (s->id == FN_QUANTILE_OVER_TIME)
		return isnan(p[0][k]) || p[0][k] < 0 || p[0][k] > 1;
	return p[0][k] <= 0 || p[0][k] >= 1 || p[1][k] <= 0 || p[1][k] >= 1;
}

/* Parameters that are out of their range: they matter only where they meet samples. */
static void find_bad_parameters(struct range_source *s)
{
	struct arena *arena = s->base.eval->arena;
	uint32_t n = s->base.grid->n, words = bit_words(n);
	uint64_t *bad = ARENA_ARRAY(arena, uint64_t, words);

	if (s->id != FN_QUANTILE_OVER_TIME && s->id != FN_DOUBLE_EXPONENTIAL_SMOOTHING)
		return;
	for (uint32_t k = 0; k < n; k++) {
		if (is_bad_parameter(s, k))
			bit_set(bad, k);
	}
	if (!bits_any(bad, words))
		return;
	s->bad_steps = bad;
	if (s->id == FN_QUANTILE_OVER_TIME)
		s->bad_used = ARENA_ARRAY(arena, _Atomic uint64_t, words);
}

void annotate_bad_quantiles(struct eval *e, const struct expr *x, const double *q, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		if (isnan(q[k]) || q[k] < 0 || q[k] > 1) {
			char text[DOUBLE_TEXT_MAX];
			size_t len = double_to_go_g(q[k], text);
			annotate_warning(&e->notes, x->pos,
			    "quantile value should be between 0 and 1, got %.*s", (int)len, text);
		}
	}
}

int eval_range_call(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	const struct call *call = &x->call;
	const double *param[2] = {NULL, NULL};
	size_t range_arg = call->func->id == FN_QUANTILE_OVER_TIME ? 1 : 0;
	struct range_source *s;

	int rc = eval_params(e, call, grid, param, err);
	if (rc == 0)
		rc = make_range_source(e, call->func->id, call->args[range_arg], grid, &s, err);
	if (rc)
		return rc;
	s->param[0] = param[0];
	s->param[1] = param[1];
	s->quantile = call->args[0];
	s->ignored_where = call->args[0]->pos;
	find_bad_parameters(s);
	if (!s->func->keeps_name)
		drop_names(s);
	*out = &s->base;
	return check_unique(out, err);
}

int eval_smoothed_selector(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	static const struct range_func value = {range_smoothed_value, true, false};
	struct range_source *s = ARENA_NEW(e->arena, struct range_source);

	s->base = (struct source){.ops = &range_ops, .eval = e, .grid = grid, .unique = true};
	s->base.unique_nameless = selector_names_metric(e, &x->selector);
	s->id = FN_LAST_OVER_TIME;
	s->func = &value;
	s->where = x->pos;
	s->spec = window_spec_for(&x->selector.shift, grid, 0);
	s->spec.kind = WINDOW_AROUND;
	s->spec.before_ms = s->spec.after_ms = e->lookback_ms;
	s->counts = query_plan_counts(e, x, grid);
	int rc = series_select(e, x, &s->spec, false, NULL, &s->set, err);
	if (rc)
		return rc;
	s->base.n = s->set->n;
	s->notes = ARENA_ARRAY(e->arena, uint16_t, s->base.n + 1);
	*out = &s->base;
	return 0;
}

static int or_presence(void *arg, size_t first, const struct tile *t, struct err *err)
{
	uint64_t *any = arg;
	(void)first, (void)err;

	for (uint32_t r = 0; r < t->rows; r++) {
		const uint64_t *present = tile_row(t, r).present;
		for (uint32_t i = 0; i < t->words; i++)
			any[i] |= present[i];
	}
	return 0;
}

/* Labels that the equality matchers of a selector fix; a label with more than one matcher is left out. */
static const struct labels *fixed_labels(struct eval *e, const struct expr *x)
{
	const struct expr *inner = expr_unparen(x);
	if (inner->kind != EXPR_SELECTOR && inner->kind != EXPR_RANGE_SELECTOR)
		return &labels_empty;
	const struct selector *sel = &inner->selector;
	struct label *l = ARENA_ARRAY(e->arena, struct label, sel->n_matchers + 1);
	const struct labels *out = &labels_empty;
	size_t n = 0;

	for (size_t i = 0; i < sel->n_matchers; i++) {
		const struct matcher *m = sel->matchers[i];
		bool alone = m->op == MATCH_EQUAL && !slice_eq(m->name, SL(LABEL_NAME));
		for (size_t j = 0; alone && j < sel->n_matchers; j++)
			alone = i == j || !slice_eq(sel->matchers[j]->name, m->name);
		if (alone)
			l[n++] = (struct label){m->name, m->value};
	}
	if (labels_from_pairs(e->arena, l, n, &out, NULL) != 0)
		return &labels_empty;
	return out;
}

/* 1 at the steps at which `s` has no value at all. */
int eval_absence(
    struct eval *e, const struct expr *arg, struct source *s, struct source **out, struct err *err)
{
	struct source *absent = source_matrix_new(e, s->grid, 1);
	if (absent == NULL)
		return query_limits_no_memory(err);
	uint64_t *any = ARENA_ARRAY(e->arena, uint64_t, absent->all->words);
	int rc = source_drain(s, or_presence, any, err);
	if (rc)
		return rc;
	struct row r = tile_row(absent->all, 0);
	bits_fill(r.present, s->grid->n);
	for (uint32_t i = 0; i < absent->all->words; i++)
		r.present[i] &= ~any[i];
	for (uint32_t k = 0; k < s->grid->n; k++)
		r.v[k] = 1;
	absent->cache[0] = fixed_labels(e, arg);
	absent->unique = absent->unique_nameless = true;
	*out = absent;
	return 0;
}

int eval_absent_over_time(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	struct range_source *s;
	int rc = make_range_source(e, FN_PRESENT_OVER_TIME, x->call.args[0], grid, &s, err);

	if (rc == 0)
		rc = eval_absence(e, x->call.args[0], &s->base, out, err);
	if (rc == 0)
		(*out)->all_dropped = e->options->delayed_name_removal;
	return rc;
}
