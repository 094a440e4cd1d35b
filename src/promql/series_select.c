#include "promql/series_select.h"

struct window_spec window_spec_for(const struct time_shift *shift, const struct grid *grid, int64_t range_ms)
{
	return (struct window_spec){
	    .end_ms = time_shifted(shift, grid->start_ms),
	    .step_ms = shift->at == AT_NONE ? grid->step_ms : 0,
	    .range_ms = range_ms,
	    .n = grid->n,
	};
}

void window_spec_extend(struct window_spec *spec, const struct selector *sel, int64_t lookback_ms)
{
	if (!sel->anchored && !sel->smoothed)
		return;
	spec->kind = sel->anchored ? WINDOW_ANCHORED : WINDOW_SMOOTHED;
	spec->before_ms = lookback_ms;
	spec->after_ms = sel->smoothed ? lookback_ms : 0;
}

struct select_hints select_hints_for(
    const struct selector *sel, const struct window_spec *spec, bool newest_only, const char *func)
{
	bool sparse = spec->n > 1 && spec->kind == WINDOW_PLAIN && spec->step_ms >= 2 * spec->range_ms;

	return (struct select_hints){
	    .start_ms = spec->end_ms - spec->range_ms - spec->before_ms + 1,
	    .end_ms = window_end_ms(spec, spec->n - 1) + spec->after_ms,
	    .step_ms = spec->n > 1 ? spec->step_ms : 0,
	    .range_ms = sel->range.ms,
	    .window_ms = sparse ? spec->range_ms : 0,
	    .newest_only = newest_only,
	    .func = func,
	};
}

int series_select(struct eval *e, const struct expr *x, const struct window_spec *spec, bool newest_only,
    const char *func, struct series_set **out, struct err *err)
{
	const struct selector *sel = &x->selector;
	struct select_hints hints = select_hints_for(sel, spec, newest_only, func);
	struct series_set *known = query_plan_set(&e->plan, x, &hints);

	if (known) {
		*out = known;
		return 0;
	}
	int rc = e->querier->ops->select(
	    e->querier, e->arena, sel->matchers, sel->n_matchers, false, &hints, out, err);
	return rc ? err_prefix(err, "expanding series: ") : 0;
}

bool selector_names_metric(const struct eval *e, const struct selector *sel)
{
	/* With the name go type and unit, in which series of one name may differ. */
	if (e->options->type_and_unit_labels)
		return false;
	for (size_t i = 0; i < sel->n_matchers; i++) {
		const struct matcher *m = sel->matchers[i];
		if (m->op == MATCH_EQUAL && m->value.len && slice_eq(m->name, SL(LABEL_NAME)))
			return true;
	}
	return false;
}

uint64_t series_set_cost(struct series_set *set)
{
	enum { LOOKED_AT = 8 };
	size_t looks = set->n < LOOKED_AT ? set->n : LOOKED_AT;
	uint64_t sum = 0;

	for (size_t i = 0; i < looks; i++)
		sum += set->ops->estimate(set, i * set->n / looks);
	return looks ? (uint64_t)((double)sum * (double)set->n / (double)looks) : 0;
}
