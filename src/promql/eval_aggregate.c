/* Aggregations: grouping, and which file does which operator. */
#include "promql/aggregate.h"

#include "base/double_text.h"
#include "base/utf8.h"
#include <math.h>

/* Names that functions drop are not asked of the store: its series have them still. */
static bool store_can_group(const struct aggregation *a)
{
	const struct series_set *set = a->below->series;

	for (size_t i = 0; i < a->agg->n_labels; i++) {
		if (slice_starts(a->agg->labels[i], SL("__")))
			return false;
	}
	return !a->agg->without && set && set->ops->groups;
}

void aggregation_expand_runs(struct aggregation *a)
{
	if (a->runs == NULL)
		return;
	a->group = ARENA_ARRAY(a->eval->arena, uint32_t, a->below->n + 1);
	for (size_t i = 0; i < a->n_runs; i++) {
		for (uint32_t k = 0; k < a->runs[i].n; k++)
			a->group[a->runs[i].first + k] = a->runs[i].group;
	}
	a->runs = NULL;
}

/* The store numbers the groups; labels are made of one member each. */
static bool assign_by_store(struct aggregation *a, bool runs)
{
	struct series_set *set = a->below->series;
	struct series_groups g;

	if (!store_can_group(a) ||
	    !set->ops->groups(set, a->agg->labels, a->agg->n_labels, a->eval->arena, &g))
		return false;
	uint32_t *number = ARENA_ARRAY(a->eval->arena, uint32_t, g.n + 1);
	/* Past the cache, which has room for all rows. */
	for (uint32_t i = 0; i < g.n; i++)
		number[i] = label_groups_add(&a->groups, a->below->ops->labels(a->below, g.member[i]));
	for (size_t i = 0; i < g.n_runs; i++)
		g.runs[i].group = number[g.runs[i].group];
	for (size_t i = 0; g.group && i < a->below->n; i++)
		g.group[i] = number[g.group[i]];
	a->group = g.group;
	a->runs = g.group ? NULL : g.runs;
	a->n_runs = g.n_runs;
	if (!runs)
		aggregation_expand_runs(a);
	return true;
}

void aggregation_assign(struct aggregation *a, bool runs)
{
	const struct aggregate *agg = a->agg;
	struct arena *arena = a->eval->arena;

	a->n_groups = 1;
	if (!agg->without && agg->n_labels == 0) {
		a->dropped = ARENA_ARRAY(arena, uint8_t, 1);
		return;
	}
	label_groups_init(&a->groups, arena, agg->labels, agg->n_labels, !agg->without);
	if (!assign_by_store(a, runs)) {
		a->group = ARENA_ARRAY(arena, uint32_t, a->below->n + 1);
		for (size_t i = 0; i < a->below->n; i++)
			a->group[i] = label_groups_add(&a->groups, source_labels(a->below, i));
	}
	a->n_groups = a->groups.n;
	a->dropped = ARENA_ARRAY(arena, uint8_t, a->n_groups + 1);
}

const struct labels *aggregation_labels(const struct aggregation *a, size_t group)
{
	if (a->groups.n == 0)
		return &labels_empty;
	return label_groups_labels(&a->groups, a->groups.member[group]);
}

struct source *aggregation_result(struct aggregation *a)
{
	struct source *s = source_matrix_new(a->eval, a->grid, a->n_groups);

	if (s == NULL)
		return NULL;
	for (size_t g = 0; g < a->n_groups; g++)
		s->cache[g] = aggregation_labels(a, g);
	s->dropped = a->dropped;
	s->unique = true;
	/* Without __name__ and its like among the grouping labels nothing is there to be dropped. */
	s->unique_nameless = !a->agg->without;
	for (size_t i = 0; !a->agg->without && i < a->agg->n_labels; i++) {
		if (slice_starts(a->agg->labels[i], SL("__")))
			s->unique_nameless = false;
	}
	return s;
}

void aggregation_mark(struct aggregation *a, size_t first, const struct tile *t)
{
	if (!a->below->all_dropped && a->below->dropped == NULL)
		return;
	for (uint32_t r = 0; r < t->rows; r++) {
		if (source_name_dropped(a->below, first + r) && bits_any(tile_row(t, r).present, t->words))
			a->dropped[aggregation_group(a, first + r)] = true;
	}
}

/* --- parameters --------------------------------------------------------------------------------------------------------- */

struct extent {
	double low, high; /* of what is a number */
	bool has_nan;
};

static struct extent extent_of(const double *v, uint32_t n)
{
	struct extent x = {INFINITY, -INFINITY, false};

	for (uint32_t i = 0; i < n; i++) {
		x.has_nan |= isnan(v[i]);
		x.low = fmin(x.low, v[i]);
		x.high = fmax(x.high, v[i]);
	}
	return x;
}

/* How many to pick; *none: nobody at any step. */
static int check_count(const struct aggregation *a, bool *none, struct err *err)
{
	struct extent k = extent_of(a->param, a->grid->n);
	char text[DOUBLE_TEXT_MAX];

	*none = !k.has_nan && k.high < 1;
	if (*none)
		return 0;
	if (k.has_nan)
		return err_set(err, ERR_EXECUTION, "Parameter value is NaN");
	if (k.low <= -0x1p63)
		return err_set(err, ERR_EXECUTION, "Scalar value %.*s underflows int64",
		    (int)double_to_go_g(k.low, text), text);
	if (k.high >= 0x1p63)
		return err_set(err, ERR_EXECUTION, "Scalar value %.*s overflows int64",
		    (int)double_to_go_g(k.high, text), text);
	return 0;
}

static void warn_of_ratio(struct aggregation *a, double ratio, int capped)
{
	char text[DOUBLE_TEXT_MAX];
	int len = (int)double_to_go_g(ratio, text);

	annotate_warning(&a->eval->notes, a->agg->param->pos,
	    "ratio value should be between -1 and 1, got %.*s, capping to %d", len, text, capped);
}

static int check_ratio(struct aggregation *a, double *ratio, struct err *err)
{
	struct extent x = extent_of(ratio, a->grid->n);

	if (x.has_nan)
		return err_set(err, ERR_EXECUTION, "Ratio value is NaN");
	if (x.high > 1)
		warn_of_ratio(a, x.high, 1);
	if (x.low < -1)
		warn_of_ratio(a, x.low, -1);
	for (uint32_t i = 0; i < a->grid->n; i++)
		ratio[i] = fmax(-1, fmin(1, ratio[i]));
	return 0;
}

/* The worst on each side, whatever there is to take quantiles of. */
static void warn_of_quantiles(struct aggregation *a)
{
	struct extent x = extent_of(a->param, a->grid->n);
	double nan = NAN;

	if (x.has_nan)
		annotate_bad_quantiles(a->eval, a->agg->param, &nan, 1);
	if (x.high > 1)
		annotate_bad_quantiles(a->eval, a->agg->param, &x.high, 1);
	if (x.low < 0)
		annotate_bad_quantiles(a->eval, a->agg->param, &x.low, 1);
}

static int eval_param(struct aggregation *a, struct err *err)
{
	const struct expr *param = a->agg->param;
	const double *v;

	if (param == NULL || param->type != TYPE_SCALAR)
		return 0;
	int rc = eval_scalar(a->eval, param, a->grid, &v, err);
	if (rc)
		return rc;
	double *own = eval_numbers(a->eval, a->grid);
	if (own == NULL)
		return query_limits_no_memory(err);
	for (uint32_t k = 0; k < a->grid->n; k++)
		own[k] = v[k];
	a->param = own;
	return 0;
}

static int check_label_name(const struct aggregation *a, struct err *err)
{
	if (a->agg->op != AGG_COUNT_VALUES)
		return 0;
	struct slice name = expr_unparen(a->agg->param)->string;
	if (label_name_valid(name))
		return 0;
	struct strbuf quoted = STRBUF_INIT;
	utf8_quote_go(&quoted, name);
	int rc = err_set(err, ERR_EXECUTION, "invalid label name %s", strbuf_cstr(&quoted));
	strbuf_done(&quoted);
	return rc;
}

static int pick_counted(struct aggregation *a, struct source **out, struct err *err)
{
	bool none;
	int rc = check_count(a, &none, err);

	if (rc)
		return rc;
	if (none) {
		/* For the sake of what it has to say. */
		rc = source_materialise(a->below, err);
		*out = source_matrix_new(a->eval, a->grid, 0);
		return rc || *out ? rc : query_limits_no_memory(err);
	}
	return a->agg->op == AGG_LIMITK ? aggregate_some(a, out, err) : aggregate_best(a, out, err);
}

int eval_aggregate(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	struct aggregation *a = ARENA_NEW(e->arena, struct aggregation);

	*a = (struct aggregation){
	    .eval = e, .x = x, .agg = &x->aggregate, .grid = grid, .where = x->aggregate.inner->pos};
	int rc = eval_param(a, err);
	if (rc == 0)
		rc = check_label_name(a, err);
	if (rc == 0)
		rc = eval_vector(e, x->aggregate.inner, grid, &a->below, err);
	if (rc)
		return rc;
	switch (a->agg->op) {
	case AGG_TOPK:
	case AGG_BOTTOMK:
	case AGG_LIMITK:
		return pick_counted(a, out, err);
	case AGG_LIMIT_RATIO:
		rc = check_ratio(a, a->param, err);
		return rc ? rc : aggregate_some(a, out, err);
	case AGG_QUANTILE:
		warn_of_quantiles(a);
		return aggregate_quantile(a, out, err);
	case AGG_COUNT_VALUES:
		return aggregate_values(a, out, err);
	case AGG_SUM:
	case AGG_AVG:
	case AGG_COUNT:
	case AGG_MIN:
	case AGG_MAX:
	case AGG_GROUP:
	case AGG_STDDEV:
	case AGG_STDVAR:
		break;
	}
	return aggregate_fold(a, out, err);
}
