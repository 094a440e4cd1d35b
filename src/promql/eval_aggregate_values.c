/* quantile and count_values: aggregations that need all values of a group at a step together. */
#include "base/double_text.h"
#include "base/hashtab.h"
#include "model/label_builder.h"
#include "promql/aggregate.h"
#include "promql/quantile.h"

#include <math.h>
#include <string.h>

/* Rows by group: a list of row + 1 each. */
static void list_members(const struct aggregation *a, uint32_t *first, uint32_t *next)
{
	for (size_t i = a->below->n; i-- > 0;) {
		uint32_t g = aggregation_group(a, i);
		next[i] = first[g];
		first[g] = (uint32_t)i + 1;
	}
}

static bool quantile_step(struct aggregation *a, uint32_t row, const uint32_t *next, uint32_t k,
    double *scratch, bool *ignored, double *result)
{
	size_t n = 0;

	for (uint32_t i = row; i; i = next[i - 1]) {
		struct row r = tile_row(a->below->all, i - 1);
		if (!bit_get(r.present, k))
			continue;
		if (r.h && r.h[k])
			*ignored = true;
		else
			scratch[n++] = r.v[k];
	}
	if (n == 0)
		return false;
	*result = quantile_of(a->param[k], scratch, n);
	return true;
}

int aggregate_quantile(struct aggregation *a, struct source **out, struct err *err)
{
	struct arena *arena = a->eval->arena;
	bool ignored = false;

	aggregation_assign(a, false);
	int rc = source_materialise(a->below, err);
	if (rc)
		return rc;
	struct source *s = aggregation_result(a);
	if (s == NULL)
		return query_limits_no_memory(err);
	uint32_t *first = ARENA_ARRAY(arena, uint32_t, a->n_groups + 1);
	uint32_t *next = ARENA_ARRAY(arena, uint32_t, a->below->n + 1);
	double *scratch = ARENA_ARRAY(arena, double, a->below->n + 1);
	list_members(a, first, next);
	for (uint32_t g = 0; g < a->n_groups; g++) {
		struct row r = tile_row(s->all, g);
		for (uint32_t k = 0; k < a->grid->n; k++) {
			if (quantile_step(a, first[g], next, k, scratch, &ignored, &r.v[k]))
				bit_set(r.present, k);
		}
	}
	aggregation_mark(a, 0, a->below->all);
	if (ignored)
		annotate_info(&a->eval->notes, a->where, "ignored histogram in quantile aggregation");
	*out = s;
	return 0;
}

/* --- count_values ------------------------------------------------------------------------------------------------------- */

/* A result row per group and text of a value, found by both. */
struct value_counts {
	struct aggregation *a;
	struct slice label;
	bool is_left_out;    /* named by `without`: the values do not show */
	struct hashtab rows; /* "group value" -> row */
	struct hashtab
	    by_labels; /* labels, printed -> row: the value may take the place of a grouping label */
	struct counted {
		const struct labels *labels;
		double *n;
		uint64_t *present;
		bool dropped;
	} * *v;
	size_t n, cap;
};

static struct slice value_text(double v, const struct histogram *h, struct strbuf *sb)
{
	char text[DOUBLE_TEXT_MAX];

	strbuf_reset(sb);
	if (h)
		histogram_print(sb, h);
	else
		strbuf_add(sb, text, double_to_shortest_f(v, text));
	return strbuf_slice(sb);
}

static void keep_row(struct value_counts *c, struct counted *row)
{
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 16;
		struct counted **v = ARENA_ARRAY(c->a->eval->arena, struct counted *, cap);
		if (c->n)
			memcpy(v, c->v, c->n * sizeof(struct counted *));
		c->v = v;
		c->cap = cap;
	}
	c->v[c->n++] = row;
}

static struct counted *count_row_new(struct value_counts *c, uint32_t group, struct slice value)
{
	struct arena *arena = c->a->eval->arena;
	struct strbuf key = STRBUF_INIT;
	struct label_builder b;

	label_builder_init(&b, arena, aggregation_labels(c->a, group));
	if (!c->is_left_out)
		label_builder_set_copy(&b, c->label, value);
	const struct labels *labels = label_builder_labels(&b);
	labels_print(&key, labels);
	struct counted *row = hashtab_get(&c->by_labels, strbuf_slice(&key));
	if (row == NULL) {
		row = ARENA_NEW(arena, struct counted);
		row->labels = labels;
		row->n = ARENA_ARRAY(arena, double, c->a->grid->n);
		row->present = ARENA_ARRAY(arena, uint64_t, bit_words(c->a->grid->n));
		hashtab_put(&c->by_labels, strbuf_slice(&key), row);
		keep_row(c, row);
	}
	strbuf_done(&key);
	return row;
}

static struct counted *count_row(
    struct value_counts *c, uint32_t group, struct slice value, struct strbuf *key)
{
	strbuf_reset(key);
	strbuf_addf(key, "%u ", group);
	strbuf_add_slice(key, value);
	struct counted *row = hashtab_get(&c->rows, strbuf_slice(key));
	if (row == NULL) {
		row = count_row_new(c, group, value);
		hashtab_put(&c->rows, strbuf_slice(key), row);
	}
	return row;
}

static int count_tile(void *arg, size_t first, const struct tile *t, struct err *err)
{
	struct value_counts *c = arg;
	struct strbuf text = STRBUF_INIT, key = STRBUF_INIT;

	for (uint32_t r = 0; r < t->rows; r++) {
		struct row row = tile_row(t, r);
		uint32_t group = aggregation_group(c->a, first + r);
		BITS_EACH(k, row.present, t->words)
		{
			struct slice value = value_text(row.v[k], row.h ? row.h[k] : NULL, &text);
			struct counted *counted = count_row(c, group, value, &key);
			counted->n[k]++;
			bit_set(counted->present, k);
			counted->dropped |= source_name_dropped(c->a->below, first + r);
		}
	}
	strbuf_done(&text);
	strbuf_done(&key);
	return query_limits_check(&c->a->eval->limits, err);
}

int aggregate_values(struct aggregation *a, struct source **out, struct err *err)
{
	struct value_counts c = {.a = a, .label = expr_unparen(a->agg->param)->string};

	for (size_t i = 0; i < a->agg->n_labels; i++)
		c.is_left_out |= a->agg->without && slice_eq(a->agg->labels[i], c.label);
	aggregation_assign(a, false);
	int rc = source_drain(a->below, count_tile, &c, err);
	hashtab_done(&c.rows);
	hashtab_done(&c.by_labels);
	if (rc)
		return rc;
	struct source *s = source_matrix_new(a->eval, a->grid, c.n);
	if (s == NULL)
		return query_limits_no_memory(err);
	s->dropped = ARENA_ARRAY(a->eval->arena, uint8_t, c.n + 1);
	for (size_t i = 0; i < c.n; i++) {
		struct row r = tile_row(s->all, (uint32_t)i);
		memcpy(r.v, c.v[i]->n, a->grid->n * sizeof(*r.v));
		memcpy(r.present, c.v[i]->present, s->all->words * sizeof(*r.present));
		s->cache[i] = c.v[i]->labels;
		s->dropped[i] = c.v[i]->dropped;
	}
	*out = s;
	return source_merge_same(out, err);
}
