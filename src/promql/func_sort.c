/* sort, sort_desc, sort_by_label, sort_by_label_desc: the order of an instant query's result. */
#include "promql/eval.h"

#include <math.h>
#include <stdlib.h>

struct sort_entry {
	struct source *source;
	const struct call *call;
	size_t row;
	double v;
};

static bool is_label_sort(enum function_id id)
{
	return id == FN_SORT_BY_LABEL || id == FN_SORT_BY_LABEL_DESC;
}

/* NaN stands last in both directions. */
static int cmp_values(const void *pa, const void *pb)
{
	const struct sort_entry *a = pa, *b = pb;
	bool descending = a->call->func->id == FN_SORT_DESC;

	if (isnan(a->v) || isnan(b->v))
		return isnan(a->v) != isnan(b->v) ? (isnan(a->v) ? 1 : -1)
						  : (a->row > b->row) - (a->row < b->row);
	if (a->v != b->v)
		return (a->v > b->v) == descending ? -1 : 1;
	return (a->row > b->row) - (a->row < b->row);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The longest piece at the front that is all digits or has none. */
static struct slice first_chunk(struct slice s)
{
	size_t n = 1;

	while (n < s.len && is_digit(s.ptr[n]) == is_digit(s.ptr[0]))
		n++;
	return slice_of(s.ptr, n);
}

static int cmp_numbers(struct slice a, struct slice b)
{
	while (a.len > 1 && a.ptr[0] == '0')
		a = slice_from(a, 1);
	while (b.len > 1 && b.ptr[0] == '0')
		b = slice_from(b, 1);
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return slice_cmp(a, b);
}

/* Natural order: digits compare as numbers. */
static int cmp_natural(struct slice a, struct slice b)
{
	while (a.len && b.len) {
		struct slice x = first_chunk(a), y = first_chunk(b);
		int c = is_digit(x.ptr[0]) && is_digit(y.ptr[0]) ? cmp_numbers(x, y) : slice_cmp(x, y);
		if (c)
			return c;
		a = slice_from(a, x.len);
		b = slice_from(b, y.len);
	}
	return (a.len > 0) - (b.len > 0);
}

static int cmp_labels(const void *pa, const void *pb)
{
	const struct sort_entry *a = pa, *b = pb;
	const struct labels *la = source_labels(a->source, a->row), *lb = source_labels(b->source, b->row);
	int sign = a->call->func->id == FN_SORT_BY_LABEL_DESC ? -1 : 1;

	for (size_t i = 1; i < a->call->n_args; i++) {
		struct slice name = expr_unparen(a->call->args[i])->string;
		int c = cmp_natural(labels_get(la, name), labels_get(lb, name));
		if (c)
			return sign * c;
	}
	return sign * labels_cmp(la, lb);
}

/* The rows that have a value to sort by. */
static size_t collect(struct source *s, const struct call *call, struct sort_entry *entries)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct row r = tile_row(s->all, (uint32_t)i);
		if (!bit_get(r.present, 0) || (r.h && r.h[0] && !is_label_sort(call->func->id)))
			continue;
		entries[n++] = (struct sort_entry){.source = s, .call = call, .row = i, .v = r.v[0]};
	}
	return n;
}

static int reorder(
    struct source *s, const struct sort_entry *entries, size_t n, struct source **out, struct err *err)
{
	struct source *sorted = source_matrix_new(s->eval, s->grid, n);

	if (sorted == NULL)
		return query_limits_no_memory(err);
	sorted->dropped = ARENA_ARRAY(s->eval->arena, uint8_t, n + 1);
	sorted->unique = s->unique;
	sorted->unique_nameless = s->unique_nameless;
	for (size_t i = 0; i < n; i++) {
		tile_copy_row(sorted->all, (uint32_t)i, s->all, (uint32_t)entries[i].row);
		sorted->cache[i] = source_labels(s, entries[i].row);
		sorted->dropped[i] = source_name_dropped(s, entries[i].row);
	}
	*out = sorted;
	return 0;
}

static void apply_floats_only(void *arg, struct tile *t, size_t first)
{
	(void)arg, (void)first;

	for (uint32_t r = 0; t->h && r < t->rows; r++) {
		struct row row = tile_row(t, r);
		BITS_EACH(k, row.present, t->words)
		{
			if (row.h[k])
				bit_clear(row.present, k);
		}
	}
	t->h = NULL;
}

int eval_sort(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	const struct call *call = &x->call;
	struct source *s;
	int rc = eval_vector(e, call->args[0], grid, &s, err);

	if (rc)
		return rc;
	/* In a range query and within a subquery order means nothing. */
	if (grid->n > 1) {
		annotate_warning(&e->notes, x->pos,
		    "sort is ineffective for range queries since results are always ordered by labels");
		*out = is_label_sort(call->func->id) ? s : source_map_new(s, apply_floats_only, NULL, false);
		return 0;
	}
	rc = source_materialise(s, err);
	if (rc)
		return rc;
	struct sort_entry *entries = ARENA_ARRAY(e->arena, struct sort_entry, s->n + 1);
	size_t n = collect(s, call, entries);
	qsort(entries, n, sizeof(*entries), is_label_sort(call->func->id) ? cmp_labels : cmp_values);
	return reorder(s, entries, n, out, err);
}
