/* Aggregations: grouping, and which file does which operator. */
#include "promql/aggregate.h"

#include "base/double_text.h"
#include "base/utf8.h"
#include <math.h>

void aggregation_assign(struct aggregation *a)
{
	const struct aggregate *agg = a->agg;
	struct arena *arena = a->eval->arena;

	a->n_groups = 1;
	if (!agg->without && agg->n_labels == 0) {
		a->dropped = ARENA_ARRAY(arena, uint8_t, 1);
		return;
	}
	label_groups_init(&a->groups, arena, agg->labels, agg->n_labels, !agg->without);
	a->group = ARENA_ARRAY(arena, uint32_t, a->below->n + 1);
	for (size_t i = 0; i < a->below->n; i++)
		a->group[i] = label_groups_add(&a->groups, source_labels(a->below, i));
	a->n_groups = a->groups.n;
	a->dropped = ARENA_ARRAY(arena, uint8_t, a->n_groups + 1);
}

const struct labels *aggregation_labels(const struct aggregation *a, size_t group)
{
	if (a->group == NULL)
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
	/* Without __name__ among the grouping labels nothing is there to be dropped. */
	s->unique_nameless = true;
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

static int go_v(char *out, double v)
{
	return (int)double_to_go_g(v, out);
}

static int check_count(const double *k, uint32_t n, struct err *err)
{
	char text[DOUBLE_TEXT_MAX];

	for (uint32_t i = 0; i < n; i++) {
		if (isnan(k[i]))
			return err_set(err, ERR_EXECUTION, "Parameter value is NaN");
	}
	for (uint32_t i = 0; i < n; i++) {
		if (k[i] < -0x1p63)
			return err_set(
			    err, ERR_EXECUTION, "Scalar value %.*s underflows int64", go_v(text, k[i]), text);
		if (k[i] >= 0x1p63)
			return err_set(
			    err, ERR_EXECUTION, "Scalar value %.*s overflows int64", go_v(text, k[i]), text);
	}
	return 0;
}

static int check_ratio(struct aggregation *a, double *ratio, struct err *err)
{
	char text[DOUBLE_TEXT_MAX];

	for (uint32_t i = 0; i < a->grid->n; i++) {
		if (isnan(ratio[i]))
			return err_set(err, ERR_EXECUTION, "Ratio value is NaN");
		if (fabs(ratio[i]) <= 1)
			continue;
		double capped = ratio[i] < 0 ? -1 : 1;
		annotate_warning(&a->eval->notes, a->agg->param->pos,
		    "ratio value should be between -1 and 1, got %.*s, capping to %d", go_v(text, ratio[i]),
		    text, (int)capped);
		ratio[i] = capped;
	}
	return 0;
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
	switch ((int)a->agg->op) {
	case AGG_TOPK:
	case AGG_BOTTOMK:
	case AGG_LIMITK:
		return check_count(own, a->grid->n, err);
	case AGG_LIMIT_RATIO:
		return check_ratio(a, own, err);
	default:
		return 0;
	}
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
		return aggregate_best(a, out, err);
	case AGG_LIMITK:
	case AGG_LIMIT_RATIO:
		return aggregate_some(a, out, err);
	case AGG_QUANTILE:
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
