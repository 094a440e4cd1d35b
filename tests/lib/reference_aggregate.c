/* Aggregations: at each step the members of each group are put into a list, and the list is computed on. */
#include "tests/lib/reference_priv.h"

#include "base/double_text.h"
#include "base/hash.h"
#include "model/label_builder.h"
#include <math.h>
#include <string.h>

struct member {
	size_t row;
	double v;
	const struct histogram *h;
};

struct group {
	const struct labels *labels;
	bool drop_name;
	struct member *v; /* of the step at hand, in the order of the rows */
	size_t n, n_histograms;
};

struct aggregation {
	struct reference *r;
	const struct expr *e;
	const struct aggregate *agg;
	const struct ref_table *in;
	size_t *group_of; /* a row's group */
	struct group *groups;
	size_t n;
	double *param; /* one a step */
	struct ref_table *out;
};

/* --- groups ------------------------------------------------------------------------------------------------------------- */

static bool among(struct slice name, const struct slice *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(name, names[i]))
			return true;
	return false;
}

/* The labels that make the group. `also` (count_values) counts as listed in `by`. */
static const struct labels *group_labels(
    struct reference *r, const struct aggregate *agg, const struct labels *ls, struct slice also)
{
	struct label *kept = ARENA_ARRAY(r->arena, struct label, ls->n + 1);
	size_t n = 0;
	LABELS_EACH (l, ls) {
		bool listed = among(l->name, agg->labels, agg->n_labels);
		if (agg->without ? !listed && !slice_eq(l->name, SL(LABEL_NAME))
				 : listed || (also.len && slice_eq(l->name, also)))
			kept[n++] = *l;
	}
	return labels_from_sorted(r->arena, kept, n);
}

static void find_groups(struct aggregation *a)
{
	struct reference *r = a->r;
	a->group_of = ARENA_ARRAY(r->arena, size_t, a->in->n + 1);
	a->groups = ARENA_ARRAY(r->arena, struct group, a->in->n + 1);
	for (size_t i = 0; i < a->in->n; i++) {
		const struct labels *labels = group_labels(r, a->agg, a->in->rows[i].labels, SL_EMPTY);
		size_t g = 0;
		while (g < a->n && !labels_eq(a->groups[g].labels, labels))
			g++;
		if (g == a->n) {
			a->groups[a->n++] = (struct group){
			    .labels = labels, .v = ARENA_ARRAY(r->arena, struct member, a->in->n)};
		}
		a->group_of[i] = g;
		a->groups[g].drop_name |= a->in->rows[i].drop_name;
	}
}

static void gather(struct aggregation *a, size_t step)
{
	for (size_t g = 0; g < a->n; g++)
		a->groups[g].n = a->groups[g].n_histograms = 0;
	for (size_t i = 0; i < a->in->n; i++) {
		const struct ref_cell *c = &a->in->rows[i].cells[step];
		struct group *g = &a->groups[a->group_of[i]];
		if (!c->present)
			continue;
		g->v[g->n++] = (struct member){i, c->v, c->h};
		g->n_histograms += c->h != NULL;
	}
}

/* --- one value for a group ---------------------------------------------------------------------------------------------- */

/* The floats of the group; a note where histograms are left out. */
static double *floats_of(struct aggregation *a, const struct group *g, size_t *n)
{
	double *v = ARENA_ARRAY(a->r->arena, double, g->n + 1);
	*n = 0;
	for (size_t i = 0; i < g->n; i++)
		if (!g->v[i].h)
			v[(*n)++] = g->v[i].v;
	if (g->n_histograms)
		ref_info(a->r, a->agg->inner->pos, "ignored histogram in %s aggregation",
		    aggregate_op_text(a->agg->op));
	return v;
}

static bool histograms_value(struct aggregation *a, const struct group *g, struct ref_value *out)
{
	struct reference *r = a->r;
	const struct histogram **h = ARENA_ARRAY(r->arena, const struct histogram *, g->n);
	const struct labels **labels = ARENA_ARRAY(r->arena, const struct labels *, g->n);
	struct ast_range where = a->agg->inner->pos;
	unsigned notes = 0;
	size_t n = 0, at;

	for (size_t i = 0; i < g->n; i++) {
		if (!g->v[i].h)
			continue;
		labels[n] = a->in->rows[g->v[i].row].labels;
		h[n++] = g->v[i].h;
	}
	const struct histogram *value = ref_sum_histograms(r, h, n, a->agg->op == AGG_AVG, &notes, &at);
	ref_note_histogram(r, where, notes, ~0u, "aggregation");
	if (!value) {
		ref_warn(r, where,
		    "vector contains a mix of histograms with exponential and custom buckets schemas for "
		    "metric name "
		    "%s",
		    ref_quote(r, labels_metric_name(labels[at])));
		return false;
	}
	out->h = histogram_compact(r->arena, value);
	return true;
}

static bool sum_or_avg(struct aggregation *a, const struct group *g, struct ref_value *out)
{
	bool found = g->n_histograms && histograms_value(a, g, out);
	if (g->n_histograms && g->n_histograms < g->n) {
		ref_warn(
		    a->r, a->agg->inner->pos, "encountered a mix of histograms and floats for aggregation");
		return false;
	}
	if (g->n_histograms)
		return found;
	double *v = ARENA_ARRAY(a->r->arena, double, g->n);
	struct ref_sum s = {g->v[0].v, 0};
	for (size_t i = 0; i < g->n; i++) {
		v[i] = g->v[i].v;
		if (i > 0)
			ref_sum_add(&s, v[i]);
	}
	out->v = a->agg->op == AGG_SUM ? s.sum + s.c : ref_mean(v, g->n);
	return true;
}

static double variance(const double *v, size_t n)
{
	double mean = v[0], m2 = isfinite(v[0]) ? 0 : (double)NAN;
	for (size_t i = 1; i < n; i++) {
		double d = v[i] - mean;
		mean += d / (double)(i + 1);
		m2 += d * (v[i] - mean);
	}
	return m2 / (double)n;
}

static double extreme(const double *v, size_t n, bool largest)
{
	double best = v[0];
	for (size_t i = 1; i < n; i++)
		if ((largest ? best < v[i] : best > v[i]) || isnan(best))
			best = v[i];
	return best;
}

static bool group_value(struct aggregation *a, const struct group *g, size_t step, struct ref_value *out)
{
	size_t n;
	*out = (struct ref_value){0, NULL};
	if (a->agg->op == AGG_SUM || a->agg->op == AGG_AVG)
		return sum_or_avg(a, g, out);
	if (a->agg->op == AGG_COUNT || a->agg->op == AGG_GROUP) {
		out->v = a->agg->op == AGG_COUNT ? (double)g->n : 1;
		return true;
	}
	double *v = floats_of(a, g, &n);
	if (n == 0)
		return false;
	if (a->agg->op == AGG_QUANTILE)
		out->v = ref_quantile(a->param[step], v, n);
	else if (a->agg->op == AGG_MIN || a->agg->op == AGG_MAX)
		out->v = extreme(v, n, a->agg->op == AGG_MAX);
	else
		out->v = a->agg->op == AGG_STDVAR ? variance(v, n) : sqrt(variance(v, n));
	return true;
}

static void fold_groups(struct aggregation *a)
{
	struct ref_value value;
	for (size_t g = 0; g < a->n; g++)
		ref_table_add(a->r, a->out, a->groups[g].labels, a->groups[g].drop_name);
	for (size_t k = 0; k < a->out->times.n; k++) {
		gather(a, k);
		for (size_t g = 0; g < a->n; g++)
			if (a->groups[g].n && group_value(a, &a->groups[g], k, &value))
				a->out->rows[g].cells[k] = (struct ref_cell){true, value.v, value.h};
	}
}

/* --- topk, bottomk ------------------------------------------------------------------------------------------------------ */

/* The k best so far as a binary heap with the worst on top, kept as Go's container/heap keeps it: which of several equal
 * values has to go depends on that. */
struct picks {
	struct member *v;
	size_t n;
	bool largest;
};

static bool worse(const struct picks *p, size_t i, size_t j)
{
	double a = p->v[i].v, b = p->v[j].v;
	return isnan(a) || (p->largest ? a < b : a > b);
}

static void swap(struct picks *p, size_t i, size_t j)
{
	struct member t = p->v[i];
	p->v[i] = p->v[j];
	p->v[j] = t;
}

static void push(struct picks *p, struct member m)
{
	size_t j = p->n++;
	p->v[j] = m;
	while (j > 0 && worse(p, j, (j - 1) / 2)) {
		swap(p, j, (j - 1) / 2);
		j = (j - 1) / 2;
	}
}

static void replace_worst(struct picks *p, struct member m)
{
	size_t i = 0;
	p->v[0] = m;
	while (2 * i + 1 < p->n) {
		size_t child = 2 * i + 1;
		if (child + 1 < p->n && worse(p, child + 1, child))
			child++;
		if (!worse(p, child, i))
			return;
		swap(p, i, child);
		i = child;
	}
}

static void offer(struct picks *p, size_t k, struct member m)
{
	if (p->n < k) {
		push(p, m);
		return;
	}
	double worst = p->v[0].v;
	if ((p->largest ? worst < m.v : worst > m.v) || (isnan(worst) && !isnan(m.v)))
		replace_worst(p, m);
}

/* Best first, NaN last. */
static void sort_picks(struct picks *p)
{
	for (size_t i = 1; i < p->n; i++)
		for (size_t j = i; j > 0 && worse(p, j - 1, j) && !isnan(p->v[j].v); j--)
			swap(p, j, j - 1);
}

static struct picks pick(struct aggregation *a, const struct group *g, size_t k)
{
	struct picks p = {ARENA_ARRAY(a->r->arena, struct member, g->n + 1), 0, a->agg->op == AGG_TOPK};
	for (size_t i = 0; i < g->n; i++)
		if (!g->v[i].h)
			offer(&p, k, g->v[i]);
	if (g->n_histograms)
		ref_info(
		    a->r, a->e->pos, "ignored histogram in %s aggregation", aggregate_op_text(a->agg->op));
	sort_picks(&p);
	return p;
}

/* --- limitk, limit_ratio ------------------------------------------------------------------------------------------------ */

static void add_sized(struct strbuf *sb, struct slice s)
{
	bool is_long = s.len >= 255;
	strbuf_addch(sb, (char)(is_long ? 255 : s.len));
	for (unsigned i = 0; is_long && i < 3; i++)
		strbuf_addch(sb, (char)(s.len >> (8 * i)));
	strbuf_add_slice(sb, s);
}

/* The place of a label set between 0 and 1: the hash of its names and values, each behind its length (from 255 on, that is three
 * bytes behind a 255). */
static double place_of(const struct labels *ls)
{
	struct strbuf sb = STRBUF_INIT;
	LABELS_EACH (l, ls) {
		add_sized(&sb, l->name);
		add_sized(&sb, l->value);
	}
	uint64_t h = hash_xxh64(strbuf_slice(&sb).ptr, sb.len);
	strbuf_done(&sb);
	return (double)h / 0x1p64;
}

static struct picks limit(struct aggregation *a, const struct group *g, double param)
{
	struct picks p = {ARENA_ARRAY(a->r->arena, struct member, g->n + 1), 0, false};
	double ratio = param < -1 ? -1 : param > 1 ? 1 : param;
	for (size_t i = 0; i < g->n; i++) {
		double place = place_of(a->in->rows[g->v[i].row].labels);
		bool stays = a->agg->op == AGG_LIMITK ? (double)i < trunc(param)
			     : ratio >= 0             ? place < ratio
						      : place >= 1 + ratio;
		if (stays)
			p.v[p.n++] = g->v[i];
	}
	return p;
}

/* --- all that pick ------------------------------------------------------------------------------------------------------ */

static int check_count(struct aggregation *a, bool *none)
{
	double low = a->param[0], high = a->param[0];
	bool has_nan = false;
	for (size_t k = 0; k < a->out->times.n; k++) {
		low = ref_min(low, a->param[k]);
		high = ref_max(high, a->param[k]);
		has_nan |= isnan(a->param[k]);
	}
	*none = high < 1;
	if (*none)
		return 0;
	if (has_nan)
		return ref_fail(a->r, "Parameter value is NaN");
	if (low <= -0x1p63)
		return ref_fail(a->r, "Scalar value %s underflows int64", ref_g(a->r, low));
	if (high >= 0x1p63)
		return ref_fail(a->r, "Scalar value %s overflows int64", ref_g(a->r, high));
	return 0;
}

static int check_ratio(struct aggregation *a, bool *none)
{
	double low = a->param[0], high = a->param[0];
	bool has_nan = false;
	for (size_t k = 0; k < a->out->times.n; k++) {
		low = ref_min(low, a->param[k]);
		high = ref_max(high, a->param[k]);
		has_nan |= isnan(a->param[k]);
	}
	*none = low == 0 && high == 0;
	if (has_nan)
		return ref_fail(a->r, "Ratio value is NaN");
	if (high > 1)
		ref_warn(a->r, a->agg->param->pos,
		    "ratio value should be between -1 and 1, got %s, capping to 1", ref_g(a->r, high));
	if (low < -1)
		ref_warn(a->r, a->agg->param->pos,
		    "ratio value should be between -1 and 1, got %s, capping to -1", ref_g(a->r, low));
	return 0;
}

/* The row of the result for a row that was picked. */
static struct ref_row *picked_row(struct aggregation *a, size_t *index, size_t row)
{
	if (index[row] == 0) {
		ref_table_add(a->r, a->out, a->in->rows[row].labels, a->in->rows[row].drop_name);
		index[row] = a->out->n;
	}
	return &a->out->rows[index[row] - 1];
}

static int pick_rows(struct aggregation *a)
{
	enum aggregate_op op = a->agg->op;
	size_t *index = ARENA_ARRAY(a->r->arena, size_t, a->in->n + 1);
	bool none;
	int rc = op == AGG_LIMIT_RATIO ? check_ratio(a, &none) : check_count(a, &none);
	if (rc || none)
		return rc;
	/* Only an instant query keeps the order of the best; everything else stands as it stood. */
	bool in_order = a->out->times.n > 1 || op == AGG_LIMITK || op == AGG_LIMIT_RATIO;
	for (size_t i = 0; in_order && i < a->in->n; i++)
		(void)picked_row(a, index, i);
	for (size_t k = 0; k < a->out->times.n; k++) {
		double param = a->param[k];
		gather(a, k);
		if (op != AGG_LIMIT_RATIO && param < 1)
			continue;
		for (size_t g = 0; g < a->n; g++) {
			const struct group *group = &a->groups[g];
			size_t count = param < (double)a->in->n ? (size_t)fmax(param, 0) : a->in->n;
			struct picks p = op == AGG_TOPK || op == AGG_BOTTOMK ? pick(a, group, count)
									     : limit(a, group, param);
			for (size_t i = 0; i < p.n; i++)
				picked_row(a, index, p.v[i].row)->cells[k] =
				    (struct ref_cell){true, p.v[i].v, p.v[i].h};
		}
	}
	ref_table_drop_empty(a->out);
	return 0;
}

/* --- count_values ------------------------------------------------------------------------------------------------------- */

static struct slice value_text(struct reference *r, const struct ref_cell *c)
{
	struct strbuf text = STRBUF_INIT;
	char digits[DOUBLE_TEXT_MAX];
	if (c->h)
		histogram_print(&text, c->h);
	else
		strbuf_add(&text, digits, double_to_shortest_f(c->v, digits));
	struct slice s = arena_slice(r->arena, strbuf_slice(&text));
	strbuf_done(&text);
	return s;
}

static int count_values(struct aggregation *a)
{
	struct slice label = ref_string(a->agg->param);
	for (size_t k = 0; k < a->out->times.n; k++) {
		for (size_t i = 0; i < a->in->n; i++) {
			const struct ref_cell *c = &a->in->rows[i].cells[k];
			struct label_builder b;
			if (!c->present)
				continue;
			label_builder_init(&b, a->r->arena, a->in->rows[i].labels);
			label_builder_set(&b, label, value_text(a->r, c));
			const struct labels *labels =
			    group_labels(a->r, a->agg, label_builder_labels(&b), label);
			size_t row = 0;
			while (row < a->out->n && !labels_eq(a->out->rows[row].labels, labels))
				row++;
			if (row == a->out->n)
				ref_table_add(a->r, a->out, labels, false);
			a->out->rows[row].drop_name |= a->in->rows[i].drop_name;
			struct ref_cell *count = &a->out->rows[row].cells[k];
			*count = (struct ref_cell){true, count->present ? count->v + 1 : 1, NULL};
		}
	}
	return 0;
}

/* --- all ---------------------------------------------------------------------------------------------------------------- */

/* The worst on each side, and NaN. */
static void warn_of_quantiles(struct aggregation *a)
{
	static const char text[] = "quantile value should be between 0 and 1, got %s";
	double low = 0, high = 1;
	for (size_t k = 0; k < a->out->times.n; k++) {
		if (isnan(a->param[k])) {
			ref_warn(a->r, a->agg->param->pos, text, "NaN");
			continue;
		}
		low = fmin(low, a->param[k]);
		high = fmax(high, a->param[k]);
	}
	if (high > 1)
		ref_warn(a->r, a->agg->param->pos, text, ref_g(a->r, high));
	if (low < 0)
		ref_warn(a->r, a->agg->param->pos, text, ref_g(a->r, low));
}

int ref_aggregate(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out)
{
	struct aggregation a = {.r = r, .e = e, .agg = &e->aggregate, .out = ref_table_new(r, times)};
	struct ref_table *in;
	int rc = 0;

	if (a.agg->op == AGG_COUNT_VALUES && !label_name_valid(ref_string(a.agg->param)))
		return ref_fail(r, "invalid label name %s", ref_quote(r, ref_string(a.agg->param)));
	if (a.agg->param && a.agg->op != AGG_COUNT_VALUES)
		rc = ref_scalar(r, a.agg->param, times, &a.param);
	if (rc == 0)
		rc = ref_vector(r, a.agg->inner, times, &in);
	if (rc)
		return rc;
	a.in = in;
	*out = a.out;
	if (a.agg->op == AGG_COUNT_VALUES)
		return count_values(&a);
	find_groups(&a);
	if (a.agg->op == AGG_TOPK || a.agg->op == AGG_BOTTOMK || a.agg->op == AGG_LIMITK ||
	    a.agg->op == AGG_LIMIT_RATIO)
		return pick_rows(&a);
	if (a.agg->op == AGG_QUANTILE)
		warn_of_quantiles(&a);
	fold_groups(&a);
	ref_table_drop_empty(a.out);
	return 0;
}
