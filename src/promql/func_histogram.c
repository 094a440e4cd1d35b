/* Functions of histograms. Those of one native histogram change tiles in place; quantiles and fractions also take classic
 * histograms, whose buckets are rows of their own and are brought together by their labels without le. */
#include "base/double_text.h"
#include "base/utf8.h"
#include "model/duration.h"
#include "model/label_builder.h"
#include "promql/classic_histogram.h"
#include "promql/eval.h"
#include "promql/label_groups.h"

#include <math.h>
#include <stdlib.h>

/* --- of one native histogram -------------------------------------------------------------------------------------------- */

static double simple_value(enum function_id id, const struct histogram *h)
{
	switch ((int)id) {
	case FN_HISTOGRAM_COUNT:
		return h->count;
	case FN_HISTOGRAM_SUM:
		return h->sum;
	case FN_HISTOGRAM_AVG:
		return h->sum / h->count;
	case FN_HISTOGRAM_STDVAR:
		return histogram_stdvar(h);
	default:
		return sqrt(histogram_stdvar(h));
	}
}

static void apply_simple(void *arg, struct tile *t, size_t first)
{
	const enum function_id *id = arg;
	(void)first;

	if (t->h == NULL) {
		tile_begin(t, t->rows);
		return;
	}
	for (uint32_t r = 0; r < t->rows; r++) {
		struct row row = tile_row(t, r);
		BITS_EACH(k, row.present, t->words)
		{
			if (row.h[k])
				row.v[k] = simple_value(*id, row.h[k]);
			else
				bit_clear(row.present, k);
		}
	}
	t->h = NULL;
}

static int eval_simple(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	enum function_id *id = ARENA_NEW(e->arena, enum function_id);
	struct source *below;
	int rc = eval_vector(e, x->call.args[0], grid, &below, err);

	if (rc)
		return rc;
	*id = x->call.func->id;
	*out = source_map_new(below, apply_simple, id, true);
	return source_merge_same(out, err);
}

/* --- quantiles and fractions -------------------------------------------------------------------------------------------- */

/* A row of the input, in the order of groups and bounds. */
struct bucket_row {
	uint32_t group, row;
	double upper;
	bool has_upper;
};

/* What classic histograms' counts needed to be put right, over all steps. */
struct group_fix {
	struct slice name; /* of the metric, where it is told */
	struct classic_fix fix;
	uint64_t samples;
	int64_t first_ms, last_ms;
};

struct quantile_call {
	struct eval *eval;
	enum function_id id;
	const struct grid *grid;
	struct source *below;
	struct ast_range where;
	struct label_groups groups;
	struct bucket_row *rows;
	struct classic_bucket *buckets; /* scratch */
	const double *const *param;     /* quantiles; or the lower and the upper bound */
	size_t n_results;               /* per group: quantiles asked for */
	struct source *out;
	struct group_fix *fixes; /* one for each metric name that is told apart */
	size_t n_fixes;
};

static int cmp_bucket_rows(const void *pa, const void *pb)
{
	const struct bucket_row *a = pa, *b = pb;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (a->upper != b->upper)
		return a->upper < b->upper ? -1 : 1;
	return (a->row > b->row) - (a->row < b->row);
}

/* The metric's name as annotations tell it: none when names go at once, since it is gone when the result is there. */
static struct slice told_name(const struct quantile_call *c, uint32_t group)
{
	if (!c->eval->options->delayed_name_removal)
		return SL_EMPTY;
	return labels_metric_name(c->groups.member[group]);
}

/* "%s for metric name %q", the end only when there is a name. */
static void annotate_named(struct quantile_call *c, bool warning, uint32_t group, const char *text)
{
	struct slice name = told_name(c, group);
	struct strbuf sb = STRBUF_INIT;

	strbuf_adds(&sb, text);
	if (name.len) {
		strbuf_adds(&sb, " for metric name ");
		utf8_quote_go(&sb, name);
	}
	if (warning)
		annotate_warning(&c->eval->notes, c->where, "%s", strbuf_cstr(&sb));
	else
		annotate_info(&c->eval->notes, c->where, "%s", strbuf_cstr(&sb));
	strbuf_done(&sb);
}

static void annotate_bad_bound(struct quantile_call *c, const struct bucket_row *b)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_adds(&sb, "bucket label \"le\" is missing or has a malformed value of ");
	utf8_quote_go(&sb, labels_get(source_labels(c->below, b->row), SL(LABEL_LE)));
	annotate_named(c, true, b->group, strbuf_cstr(&sb));
	strbuf_done(&sb);
}

/* Groups all rows, and orders them by group and bound. */
static void collect_rows(struct quantile_call *c)
{
	struct arena *arena = c->eval->arena;
	struct slice le = SL(LABEL_LE);

	label_groups_init(&c->groups, arena, &le, 1, false);
	c->groups.keep_name = true;
	c->rows = ARENA_ARRAY(arena, struct bucket_row, c->below->n + 1);
	c->buckets = ARENA_ARRAY(arena, struct classic_bucket, c->below->n + 1);
	for (size_t i = 0; i < c->below->n; i++) {
		const struct labels *ls = source_labels(c->below, i);
		struct bucket_row *b = &c->rows[i];
		b->row = (uint32_t)i;
		b->group = label_groups_add(&c->groups, ls);
		b->has_upper = double_parse(labels_get(ls, le), &b->upper) && !isnan(b->upper);
		if (!b->has_upper)
			b->upper = 0;
	}
	qsort(c->rows, c->below->n, sizeof(*c->rows), cmp_bucket_rows);
}

/* Whether observations that are NaN were counted: they are in no bucket. */
static bool has_nan_observations(const struct histogram *h)
{
	struct histogram_walk walk;
	struct histogram_bucket b;
	double in_buckets = 0;

	if (!isnan(h->sum))
		return false;
	histogram_walk_init(&walk, h);
	while (histogram_walk_next(&walk, &b))
		in_buckets += b.count;
	return in_buckets < h->count;
}

static double native_fraction(
    struct quantile_call *c, uint32_t group, const struct histogram *h, double lower, double upper)
{
	if (h->count != 0 && lower < upper && has_nan_observations(h))
		annotate_named(c, false, group,
		    "input to histogram_fraction has NaN observations, which are excluded from all "
		    "fractions");
	return histogram_fraction(h, lower, upper);
}

static double native_value(
    struct quantile_call *c, uint32_t group, const struct histogram *h, size_t result, uint32_t k)
{
	if (c->id == FN_HISTOGRAM_FRACTION)
		return native_fraction(c, group, h, c->param[0][k], c->param[1][k]);
	double q = c->param[result][k], v = histogram_quantile(h, q);
	if (h->count != 0 && q >= 0 && q <= 1 && has_nan_observations(h))
		annotate_named(c, false, group,
		    isnan(v) ? "input to histogram_quantile has NaN observations, result is NaN"
			     : "input to histogram_quantile has NaN observations, result is skewed higher");
	return v;
}

static struct group_fix *fix_of(struct quantile_call *c, uint32_t group)
{
	struct slice name = told_name(c, group);

	for (size_t i = 0; i < c->n_fixes; i++) {
		if (slice_eq(c->fixes[i].name, name))
			return &c->fixes[i];
	}
	struct group_fix *g = &c->fixes[c->n_fixes++];
	*g = (struct group_fix){.name = name};
	return g;
}

static void widen_fix(struct quantile_call *c, uint32_t group, const struct classic_fix *fix, uint32_t k)
{
	int64_t t = grid_time_ms(c->grid, k);

	if (!fix->forced)
		return;
	struct group_fix *g = fix_of(c, group);
	if (g->samples == 0) {
		g->fix = *fix;
		g->first_ms = t;
	}
	g->fix.min_bucket = fmin(g->fix.min_bucket, fix->min_bucket);
	g->fix.max_bucket = fmax(g->fix.max_bucket, fix->max_bucket);
	g->fix.max_diff = fmax(g->fix.max_diff, fix->max_diff);
	g->first_ms = t < g->first_ms ? t : g->first_ms;
	g->last_ms = g->samples && g->last_ms > t ? g->last_ms : t;
	g->samples++;
}

static double classic_value(struct quantile_call *c, uint32_t group, size_t n, size_t result, uint32_t k)
{
	struct classic_fix fix = {0};

	if (c->id == FN_HISTOGRAM_FRACTION)
		return classic_fraction(c->param[0][k], c->param[1][k], c->buckets, n);
	double v = classic_quantile(c->param[result][k], c->buckets, n, &fix);
	widen_fix(c, group, &fix, k);
	return v;
}

/* The buckets of a classic histogram at a step, and the native one, should there be one. */
static size_t gather(struct quantile_call *c, const struct bucket_row *rows, size_t n, uint32_t k,
    const struct histogram **native)
{
	size_t found = 0;

	*native = NULL;
	for (size_t i = 0; i < n; i++) {
		struct row r = tile_row(c->below->all, rows[i].row);
		if (!bit_get(r.present, k))
			continue;
		if (r.h && r.h[k])
			*native = r.h[k];
		else if (rows[i].has_upper)
			c->buckets[found++] = (struct classic_bucket){rows[i].upper, r.v[k]};
	}
	return found;
}

static void compute_group(struct quantile_call *c, const struct bucket_row *rows, size_t n, size_t first_out)
{
	uint32_t group = rows[0].group;

	for (size_t j = 0; j < c->n_results; j++) {
		struct row out = tile_row(c->out->all, (uint32_t)(first_out + j));
		for (uint32_t k = 0; k < c->grid->n; k++) {
			const struct histogram *native;
			size_t found = gather(c, rows, n, k, &native);
			if (native && found) {
				annotate_named(
				    c, true, group, "vector contains a mix of classic and native histograms");
				continue;
			}
			if (native)
				out.v[k] = native_value(c, group, native, j, k);
			else if (found)
				out.v[k] = classic_value(c, group, found, j, k);
			else
				continue;
			bit_set(out.present, k);
		}
	}
}

static void annotate_fix(struct quantile_call *c, const struct group_fix *g)
{
	struct strbuf sb = STRBUF_INIT;
	char from[DOUBLE_TEXT_MAX + 1], to[DOUBLE_TEXT_MAX + 1];

	from[double_to_go_g(g->fix.min_bucket, from)] = '\0';
	to[double_to_go_g(g->fix.max_bucket, to)] = '\0';
	strbuf_adds(&sb,
	    "input to histogram_quantile needed to be fixed for monotonicity (see "
	    "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)");
	if (g->name.len) {
		strbuf_adds(&sb, " for metric name ");
		utf8_quote_go(&sb, g->name);
	}
	strbuf_addf(&sb, ", from buckets %s to %s, with a max diff of %.2g, over %llu samples from ", from,
	    to, g->fix.max_diff, (unsigned long long)g->samples);
	rfc3339_print(&sb, g->first_ms, 0);
	strbuf_adds(&sb, " to ");
	rfc3339_print(&sb, g->last_ms, 0);
	annotate_info(&c->eval->notes, c->where, "%s", strbuf_cstr(&sb));
	strbuf_done(&sb);
}

static void annotate_bounds(struct quantile_call *c, const struct bucket_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct row r = tile_row(c->below->all, rows[i].row);
		bool bad = false;
		if (rows[i].has_upper)
			continue;
		BITS_EACH(k, r.present, c->below->all->words)
		bad |= r.h == NULL || r.h[k] == NULL;
		if (bad)
			annotate_bad_bound(c, &rows[i]);
	}
}

/* The labels of the group's results: without le, and without name where names go at once. */
static const struct labels *group_labels(struct quantile_call *c, uint32_t group)
{
	const struct labels *ls = label_groups_labels(&c->groups, c->groups.member[group]);

	return c->eval->options->delayed_name_removal ? ls : labels_nameless(c->eval->arena, ls);
}

static void compute_all(struct quantile_call *c,
    const struct labels *(*label_maker)(struct quantile_call *c, const struct labels *group, size_t result))
{
	size_t at = 0;

	for (size_t first = 0, end; first < c->below->n; first = end) {
		uint32_t group = c->rows[first].group;
		const struct labels *ls = group_labels(c, group);
		for (end = first + 1; end < c->below->n && c->rows[end].group == group; end++)
			;
		annotate_bounds(c, c->rows + first, end - first);
		compute_group(c, c->rows + first, end - first, at);
		for (size_t j = 0; j < c->n_results; j++)
			c->out->cache[at++] = label_maker(c, ls, j);
	}
	for (size_t i = 0; i < c->n_fixes; i++)
		annotate_fix(c, &c->fixes[i]);
}

static const struct labels *same_labels(struct quantile_call *c, const struct labels *group, size_t result)
{
	(void)c, (void)result;
	return group;
}

static int run(struct quantile_call *c, const struct expr *vector, struct source **out,
    const struct labels *(*label_maker)(struct quantile_call *c, const struct labels *group, size_t result),
    struct err *err)
{
	int rc = eval_vector(c->eval, vector, c->grid, &c->below, err);

	if (rc == 0)
		rc = source_materialise(c->below, err);
	if (rc)
		return rc;
	c->where = vector->pos;
	collect_rows(c);
	c->out = source_matrix_new(c->eval, c->grid, c->groups.n * c->n_results);
	if (c->out == NULL)
		return query_limits_no_memory(err);
	c->out->all_dropped = c->eval->options->delayed_name_removal;
	c->fixes = ARENA_ARRAY(c->eval->arena, struct group_fix, c->groups.n + 1);
	compute_all(c, label_maker);
	*out = c->out;
	return source_merge_same(out, err);
}

static int eval_quantile(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	struct quantile_call c = {.eval = e, .id = FN_HISTOGRAM_QUANTILE, .grid = grid, .n_results = 1};
	const double *q;
	int rc = eval_scalar(e, x->call.args[0], grid, &q, err);

	if (rc)
		return rc;
	annotate_bad_quantiles(e, x->call.args[0], q, grid->n);
	c.param = &q;
	return run(&c, x->call.args[1], out, same_labels, err);
}

static int eval_fraction(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	struct quantile_call c = {.eval = e, .id = FN_HISTOGRAM_FRACTION, .grid = grid, .n_results = 1};
	const double *bounds[2];
	int rc = eval_scalar(e, x->call.args[0], grid, &bounds[0], err);

	if (rc == 0)
		rc = eval_scalar(e, x->call.args[1], grid, &bounds[1], err);
	if (rc)
		return rc;
	c.param = bounds;
	return run(&c, x->call.args[2], out, same_labels, err);
}

/* --- histogram_quantiles ------------------------------------------------------------------------------------------------ */

struct quantiles_call {
	struct quantile_call c; /* first: found back from it */
	struct slice label;
	struct slice *texts;
};

/* As OpenMetrics writes the label: "0.9", "1.0". */
static struct slice quantile_text(struct arena *arena, double q)
{
	char text[DOUBLE_TEXT_MAX + 2];
	size_t n = double_to_go_g(q, text);
	bool whole = true;

	for (size_t i = 0; i < n; i++)
		whole = whole && (text[i] == '-' || (text[i] >= '0' && text[i] <= '9'));
	if (whole) {
		text[n++] = '.';
		text[n++] = '0';
	}
	return arena_slice(arena, slice_of(text, n));
}

static const struct labels *labels_with_quantile(
    struct quantile_call *c, const struct labels *group, size_t result)
{
	const struct quantiles_call *q = (const struct quantiles_call *)c;
	struct label_builder b;

	label_builder_init(&b, c->eval->arena, group);
	label_builder_set(&b, q->label, q->texts[result]);
	return label_builder_labels(&b);
}

static int eval_quantiles(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	const struct call *call = &x->call;
	size_t n = call->n_args - 2;
	const double **q = ARENA_ARRAY(e->arena, const double *, n);
	struct quantiles_call c = {
	    .c = {.eval = e, .id = FN_HISTOGRAM_QUANTILE, .grid = grid, .n_results = n, .param = q},
	    .label = expr_unparen(call->args[1])->string,
	    .texts = ARENA_ARRAY(e->arena, struct slice, n),
	};

	if (!label_name_valid(c.label))
		return err_set(err, ERR_EXECUTION, "invalid label name %" SL_FMT, SL_ARG(c.label));
	for (size_t i = 0; i < n; i++) {
		int rc = eval_scalar(e, call->args[i + 2], grid, &q[i], err);
		if (rc)
			return rc;
		annotate_bad_quantiles(e, call->args[i + 2], q[i], grid->n);
		c.texts[i] = quantile_text(e->arena, q[i][0]);
	}
	return run(&c.c, call->args[0], out, labels_with_quantile, err);
}

int eval_histogram_call(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	switch ((int)x->call.func->id) {
	case FN_HISTOGRAM_QUANTILE:
		return eval_quantile(e, x, grid, out, err);
	case FN_HISTOGRAM_QUANTILES:
		return eval_quantiles(e, x, grid, out, err);
	case FN_HISTOGRAM_FRACTION:
		return eval_fraction(e, x, grid, out, err);
	default:
		return eval_simple(e, x, grid, out, err);
	}
}
