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

int series_select(struct eval *e, const struct selector *sel, const struct window_spec *spec,
    bool newest_only, const char *func, struct series_set **out, struct err *err)
{
	struct select_hints hints = {
	    .start_ms = spec->end_ms - spec->range_ms - spec->before_ms + 1,
	    .end_ms = window_end_ms(spec, spec->n - 1) + spec->after_ms,
	    .step_ms = spec->n > 1 ? spec->step_ms : 0,
	    .range_ms = sel->range.ms,
	    .newest_only = newest_only,
	    .func = func,
	};
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
	return set->n ? set->n * (uint64_t)set->ops->estimate(set, 0) : 0;
}
