/* Arithmetic and comparisons between two vectors: the series of both sides are put into match groups once, by labels; then
 * each pair of rows that meets in a group is computed over all steps at once.
 *
 * What may not be is judged step by step, as Prometheus does, but with bits: several series of one group may be on the "one"
 * side as long as no two of them have a value at the same step, and likewise for the results. So a series that was replaced
 * by another in the middle of a range is no error.
 *
 * In what follows "many" is the side that drives: the left, or with group_right the right. */
#include "promql/eval_match.h"

#include "model/label_builder.h"
#include "promql/binary_value.h"
#include "promql/label_groups.h"
#include <string.h>

struct matching {
	struct eval *eval;
	const struct binary *b;
	const struct vector_matching *m;
	const struct grid *grid;
	struct value_op op;
	struct source *many, *one;
	bool swapped; /* many is the right operand */
	bool one_to_one;
	bool has_fill_many, has_fill_one;
	double fill_many, fill_one;
	struct label_groups groups;
	uint32_t *group_many, *group_one; /* by row */
	uint32_t *first_one, *next_one;   /* rows of the one side by group: lists of row + 1 */
	uint64_t *matched;                /* by group, the steps at which a pair has met */
	uint32_t words;
	uint64_t *allowed; /* the steps that are computed at all */
	/* scratch, a row each */
	double *scratch;
	uint64_t *pair_mask, *pair_met, *left;
	/* the result */
	struct source *out;
	size_t n_out;
	uint32_t *out_group; /* by row of the result: its match group, */
	uint64_t *out_met;   /* and the steps at which a pair has met; NULL: one-to-one */
};

/* --- the two sides ------------------------------------------------------------------------------------------------------ */

static uint32_t *assign_groups(struct matching *m, struct source *s)
{
	uint32_t *group = ARENA_ARRAY(m->eval->arena, uint32_t, s->n + 1);

	for (size_t i = 0; i < s->n; i++)
		group[i] = label_groups_add(&m->groups, source_labels(s, i));
	return group;
}

static void list_one_side(struct matching *m)
{
	m->first_one = ARENA_ARRAY(m->eval->arena, uint32_t, m->groups.n + 1);
	m->next_one = ARENA_ARRAY(m->eval->arena, uint32_t, m->one->n + 1);
	for (size_t i = m->one->n; i-- > 0;) {
		m->next_one[i] = m->first_one[m->group_one[i]];
		m->first_one[m->group_one[i]] = (uint32_t)i + 1;
	}
}

static uint64_t *steps_present(struct matching *m, const struct source *s)
{
	uint64_t *any = ARENA_ARRAY(m->eval->arena, uint64_t, m->words + 1);

	for (size_t i = 0; i < s->n; i++) {
		const uint64_t *row = tile_row(s->all, (uint32_t)i).present;
		for (uint32_t w = 0; w < m->words; w++)
			any[w] |= row[w];
	}
	return any;
}

static void print_group(struct matching *m, uint32_t group, struct strbuf *out)
{
	labels_print(out, label_groups_labels(&m->groups, m->groups.member[group]));
}

static int duplicate_on_one_side(struct matching *m, uint32_t group, size_t a, size_t b, struct err *err)
{
	struct strbuf g = STRBUF_INIT, x = STRBUF_INIT, y = STRBUF_INIT;

	print_group(m, group, &g);
	labels_print(&x, source_labels(m->one, a));
	labels_print(&y, source_labels(m->one, b));
	bool in_order = slice_cmp(strbuf_slice(&x), strbuf_slice(&y)) <= 0;
	int rc = err_set(err, ERR_EXECUTION,
	    "found duplicate series for the match group %s on the %s hand-side of the operation: [%s, "
	    "%s];many-to-many "
	    "matching not allowed: matching labels must be unique on one side",
	    strbuf_cstr(&g), m->swapped ? "left" : "right", strbuf_cstr(in_order ? &x : &y),
	    strbuf_cstr(in_order ? &y : &x));
	strbuf_done(&g);
	strbuf_done(&x);
	strbuf_done(&y);
	return rc;
}

/* Which of several conflicts is told: that of the earliest step, and of the first row there that has a forerunner. */
static int tell_duplicate(struct matching *m, uint32_t step, struct err *err)
{
	uint32_t *first = ARENA_ARRAY(m->eval->arena, uint32_t, m->groups.n + 1);

	for (uint32_t i = 0; i < m->one->n; i++) {
		uint32_t *before = &first[m->group_one[i]];
		if (!bit_get(tile_row(m->one->all, i).present, step))
			continue;
		if (*before)
			return duplicate_on_one_side(m, m->group_one[i], *before - 1, i, err);
		*before = i + 1;
	}
	return 0;
}

/* No two rows of a group on the one side at any step at which both sides have anything at all. */
static int check_one_side(struct matching *m, struct err *err)
{
	uint64_t *many = steps_present(m, m->many),
		 *seen = ARENA_ARRAY(m->eval->arena, uint64_t, m->words + 1),
		 *bad = ARENA_ARRAY(m->eval->arena, uint64_t, m->words + 1);
	bool fills = m->has_fill_many || m->has_fill_one;

	for (uint32_t g = 0; g < m->groups.n; g++) {
		uint32_t first = m->first_one[g];
		if (first == 0 || m->next_one[first - 1] == 0)
			continue;
		memset(seen, 0, m->words * sizeof(*seen));
		for (uint32_t i = first; i; i = m->next_one[i - 1]) {
			const uint64_t *row = tile_row(m->one->all, i - 1).present;
			for (uint32_t w = 0; w < m->words; w++) {
				bad[w] |= seen[w] & row[w] & m->allowed[w] & (fills ? ~UINT64_C(0) : many[w]);
				seen[w] |= row[w];
			}
		}
	}
	BITS_EACH(k, bad, m->words)
	{
		return tell_duplicate(m, k, err);
	}
	return 0;
}

/* --- results ------------------------------------------------------------------------------------------------------------ */

static const struct labels *result_labels(
    struct matching *m, const struct labels *many, const struct labels *one)
{
	struct arena *arena = m->eval->arena;
	struct label_builder b;
	const struct labels *base = many;

	/* With delayed removal a `bool` comparison marks its results, arithmetic removes names at once all the same. */
	if (m->op.op <= OP_ATAN2 || (m->op.return_bool && !m->eval->options->delayed_name_removal))
		base = labels_nameless(arena, base);
	if (m->one_to_one && m->m->on) {
		struct label *l = arena_alloc(arena, (base->n + 1) * sizeof(*l));
		size_t n = 0;
		LABELS_EACH (it, base) {
			for (size_t i = 0; i < m->groups.n_names; i++) {
				if (slice_eq(m->groups.names[i], it->name))
					l[n++] = *it;
			}
		}
		return labels_from_sorted(arena, l, n);
	}
	if (m->m->n_labels == 0 && m->m->n_include == 0)
		return base;
	label_builder_init(&b, arena, base);
	for (size_t i = 0; m->one_to_one && i < m->m->n_labels; i++)
		label_builder_del(&b, m->m->labels[i]);
	for (size_t i = 0; i < m->m->n_include; i++)
		label_builder_set(&b, m->m->include[i], labels_get(one, m->m->include[i]));
	return label_builder_labels(&b);
}

/* One side of a pair: a row, or the same number at each step. */
struct operand {
	struct row row;
	bool is_fill;
	double fill;
};

static struct value operand_at(const struct operand *o, uint32_t k)
{
	if (o->is_fill)
		return (struct value){.f = o->fill};
	return (struct value){o->row.v[k], o->row.h ? o->row.h[k] : NULL};
}

/* Computes the steps in `mask` into row `at`; the mask becomes the steps that have a result. Steps at which the two values do
 * not go together are taken out of `met`. */
static void compute_values(struct matching *m, const struct operand *many, const struct operand *one,
    uint64_t *mask, uint64_t *met, uint32_t at)
{
	const struct operand *l = m->swapped ? one : many, *r = m->swapped ? many : one;
	struct tile *t = m->out->all;

	BITS_EACH(k, mask, m->words)
	{
		struct value lv = operand_at(l, k), rv = operand_at(r, k), out = {0};
		enum value_outcome outcome = value_apply(&m->op, m->eval->arena, lv, rv, lv, &out);
		if (outcome == VALUE_INCOMPATIBLE)
			bit_clear(met, k);
		if (outcome != VALUE_RESULT) {
			bit_clear(mask, k);
			continue;
		}
		if (out.h)
			tile_want_histograms(t);
		struct row row = tile_row(t, at);
		row.v[k] = out.f;
		if (row.h)
			row.h[k] = out.h;
	}
}

/* Two rows of floats: whole rows at once, absent values computed along. */
static void compute_floats(
    struct matching *m, const struct operand *many, const struct operand *one, uint64_t *mask, uint32_t at)
{
	const double *l = m->swapped ? one->row.v : many->row.v, *r = m->swapped ? many->row.v : one->row.v;
	struct row row = tile_row(m->out->all, at);

	value_apply_rows(&m->op, l, r, l, m->grid->n, m->scratch, mask);
	BITS_EACH(k, mask, m->words)
	row.v[k] = m->scratch[k];
}

static int clash(struct matching *m, struct err *err)
{
	if (m->one_to_one)
		return err_set(err, ERR_EXECUTION,
		    "multiple matches for labels: many-to-one matching must be explicit "
		    "(group_left/group_right)");
	return err_set(
	    err, ERR_EXECUTION, "multiple matches for labels: grouping labels must ensure unique matches");
}

/* Computes a pair into row `at` of the result, where earlier pairs may have left values at other steps. */
static int compute_pair(struct matching *m, const struct operand *many, const struct operand *one,
    const uint64_t *steps, uint32_t group, uint32_t at, struct err *err)
{
	uint64_t *mask = m->pair_mask, *met = m->pair_met;
	bool floats =
	    !many->is_fill && !one->is_fill && !many->row.h && !one->row.h && value_op_takes_floats(m->op.op);

	memcpy(mask, steps, m->words * sizeof(*mask));
	memcpy(met, steps, m->words * sizeof(*met));
	if (floats)
		compute_floats(m, many, one, mask, at);
	else
		compute_values(m, many, one, mask, met, at);
	/* What a comparison filters counts as well: two candidates are too many even when one of them falls out. */
	uint64_t *taken = m->matched + group * m->words;
	if (m->one_to_one && bits_overlap(taken, met, m->words))
		return clash(m, err);
	for (uint32_t w = 0; w < m->words; w++) {
		taken[w] |= met[w];
		if (m->out_met)
			m->out_met[at * m->words + w] |= met[w];
	}
	uint64_t *present = tile_row(m->out->all, at).present;
	for (uint32_t w = 0; w < m->words; w++)
		present[w] |= mask[w];
	return 0;
}

static uint32_t begin_result(struct matching *m, const struct labels *ls, uint32_t group, bool dropped)
{
	uint32_t at = (uint32_t)m->n_out++;

	m->out_group[at] = group;
	m->out->cache[at] = ls;
	m->out->dropped[at] = dropped;
	return at;
}

/* Row i of the many side with all rows of its group on the one side. */
static int match_row(struct matching *m, size_t i, uint64_t *mask, struct err *err)
{
	uint32_t group = m->group_many[i];
	struct operand many = {.row = tile_row(m->many->all, (uint32_t)i)}, one = {0};
	const struct labels *ls = source_labels(m->many, i);
	bool dropped = source_name_dropped(m->many, i) || m->op.return_bool;
	bool shared = m->m->n_include == 0;
	uint64_t *left = m->left;
	uint32_t at = UINT32_MAX;
	int rc = 0;

	for (uint32_t w = 0; w < m->words; w++)
		left[w] = many.row.present[w] & m->allowed[w];
	for (uint32_t j = m->first_one[group]; rc == 0 && j; j = m->next_one[j - 1]) {
		one.row = tile_row(m->one->all, j - 1);
		for (uint32_t w = 0; w < m->words; w++) {
			mask[w] = many.row.present[w] & one.row.present[w] & m->allowed[w];
			left[w] &= ~one.row.present[w];
		}
		if (!bits_any(mask, m->words))
			continue;
		if (at == UINT32_MAX || !shared)
			at = begin_result(
			    m, result_labels(m, ls, source_labels(m->one, j - 1)), group, dropped);
		rc = compute_pair(m, &many, &one, mask, group, at, err);
	}
	if (rc || !m->has_fill_one || !bits_any(left, m->words))
		return rc;
	const struct labels *made = label_groups_labels(&m->groups, ls);
	struct operand filled = {.is_fill = true, .fill = m->fill_one};
	if (at == UINT32_MAX || !shared)
		at = begin_result(m, result_labels(m, ls, made), group, dropped);
	return compute_pair(m, &many, &filled, left, group, at, err);
}

/* Rows of the one side at the steps at which their group has met nothing of the many side. */
static int fill_many_side(struct matching *m, uint64_t *mask, struct err *err)
{
	struct operand filled = {.is_fill = true, .fill = m->fill_many};

	for (size_t j = 0; j < m->one->n; j++) {
		uint32_t group = m->group_one[j];
		struct operand one = {.row = tile_row(m->one->all, (uint32_t)j)};
		const struct labels *ls = source_labels(m->one, j);
		for (uint32_t w = 0; w < m->words; w++)
			mask[w] = one.row.present[w] & ~m->matched[group * m->words + w] & m->allowed[w];
		if (!bits_any(mask, m->words))
			continue;
		const struct labels *made = label_groups_labels(&m->groups, ls);
		uint32_t at = begin_result(m, result_labels(m, made, ls), group, m->op.return_bool);
		int rc = compute_pair(m, &filled, &one, mask, group, at, err);
		if (rc)
			return rc;
	}
	return 0;
}

static bool same_result(const struct matching *m, size_t i, size_t j)
{
	/* The groups of labels leave __name__ out. */
	return m->out_group[i] == m->out_group[j] &&
	       slice_eq(labels_metric_name(m->out->cache[i]), labels_metric_name(m->out->cache[j]));
}

/* Many-to-one: within a match group, results with the same labels must not meet at a step, even if they are filtered there. */
static int check_results(struct matching *m, struct err *err)
{
	struct label_groups same;

	if (m->one_to_one)
		return 0;
	label_groups_init(&same, m->eval->arena, NULL, 0, false);
	uint32_t *key = ARENA_ARRAY(m->eval->arena, uint32_t, m->n_out + 1);
	for (size_t i = 0; i < m->n_out; i++)
		key[i] = label_groups_add(&same, m->out->cache[i]);
	if (same.n == m->n_out)
		return 0;
	/* Rows of one key: lists of row + 1. */
	uint32_t *last = ARENA_ARRAY(m->eval->arena, uint32_t, same.n + 1);
	uint32_t *before = ARENA_ARRAY(m->eval->arena, uint32_t, m->n_out + 1);
	for (size_t i = 0; i < m->n_out; i++) {
		before[i] = last[key[i]];
		last[key[i]] = (uint32_t)i + 1;
		for (uint32_t j = before[i]; j; j = before[j - 1]) {
			if (same_result(m, i, j - 1) && bits_overlap(m->out_met + i * m->words,
							    m->out_met + (j - 1) * m->words, m->words))
				return clash(m, err);
		}
	}
	return 0;
}

static size_t most_results(const struct matching *m)
{
	size_t n = m->one->n;

	for (size_t i = 0; i < m->many->n; i++) {
		n++;
		if (m->m->n_include == 0)
			continue;
		for (uint32_t j = m->first_one[m->group_many[i]]; j; j = m->next_one[j - 1])
			n++;
	}
	return n;
}

static int compute_all(struct matching *m, struct err *err)
{
	uint64_t *mask = ARENA_ARRAY(m->eval->arena, uint64_t, m->words + 1);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < m->many->n; i++) {
		if (i % 256 == 0)
			rc = query_limits_check(&m->eval->limits, err);
		if (rc == 0)
			rc = match_row(m, i, mask, err);
	}
	if (rc == 0 && m->has_fill_many)
		rc = fill_many_side(m, mask, err);
	return rc;
}

static int open_sides(struct matching *m, struct err *err)
{
	struct source *l, *r;
	int rc = eval_vector(m->eval, m->b->lhs, m->grid, &l, err);

	/* All of the left side first, so that its errors come first. */
	if (rc == 0)
		rc = source_materialise(l, err);
	if (rc == 0)
		rc = eval_vector(m->eval, m->b->rhs, m->grid, &r, err);
	if (rc == 0)
		rc = source_materialise(r, err);
	if (rc)
		return rc;
	m->many = m->swapped ? r : l;
	m->one = m->swapped ? l : r;
	return 0;
}

static void prepare(struct matching *m)
{
	const struct vector_matching *vm = m->m;

	/* With group_right Prometheus swaps the sides, but not these: fill_left() is always that of the many. */
	m->has_fill_many = vm->has_fill_left;
	m->has_fill_one = vm->has_fill_right;
	m->fill_many = vm->fill_left;
	m->fill_one = vm->fill_right;
	label_groups_init(&m->groups, m->eval->arena, vm->labels, vm->n_labels, vm->on);
	m->group_many = assign_groups(m, m->many);
	m->group_one = assign_groups(m, m->one);
	list_one_side(m);
	m->allowed = ARENA_ARRAY(m->eval->arena, uint64_t, m->words + 1);
	bits_fill(m->allowed, m->grid->n);
	m->scratch = ARENA_ARRAY(m->eval->arena, double, m->grid->n);
	m->pair_mask = ARENA_ARRAY(m->eval->arena, uint64_t, m->words + 1);
	m->pair_met = ARENA_ARRAY(m->eval->arena, uint64_t, m->words + 1);
	m->left = ARENA_ARRAY(m->eval->arena, uint64_t, m->words + 1);
}

static int make_result(struct matching *m, struct err *err)
{
	size_t cap = most_results(m);

	m->n_out = 0;
	m->matched = ARENA_ARRAY(m->eval->arena, uint64_t, m->groups.n * m->words + 1);
	m->out = source_matrix_new(m->eval, m->grid, cap);
	if (m->out == NULL)
		return query_limits_no_memory(err);
	m->out->dropped = ARENA_ARRAY(m->eval->arena, uint8_t, cap + 1);
	m->out_group = ARENA_ARRAY(m->eval->arena, uint32_t, cap + 1);
	m->out_met = m->one_to_one ? NULL : ARENA_ARRAY(m->eval->arena, uint64_t, cap * m->words + 1);
	int rc = compute_all(m, err);
	if (rc == 0)
		rc = check_results(m, err);
	m->out->n = m->n_out;
	m->out->all->rows = (uint32_t)m->n_out;
	return rc;
}

/* Computes the steps that are allowed. */
static int attempt(struct matching *m, struct source **out, struct err *err)
{
	int rc = check_one_side(m, err);

	if (rc == 0)
		rc = make_result(m, err);
	if (rc)
		return rc;
	*out = m->out;
	return source_merge_same(out, err);
}

static void allow_steps(struct matching *m, uint32_t first, uint32_t end)
{
	memset(m->allowed, 0, m->words * sizeof(*m->allowed));
	for (uint32_t k = first; k < end; k++)
		bit_set(m->allowed, k);
}

/* What was found to be wrong may be wrong at one step, and something else at an earlier one, which is what has to be told: it is
 * looked for by halves. */
static int earliest_error(struct matching *m, struct err *err)
{
	uint32_t low = 0, high = m->grid->n - 1; /* the first wrong step is in [low, high] */
	struct source *ignored;
	struct err at_step;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		allow_steps(m, low, middle + 1);
		if (attempt(m, &ignored, &at_step) == 0)
			low = middle + 1;
		else
			high = middle;
	}
	allow_steps(m, low, low + 1);
	if (attempt(m, &ignored, &at_step) == ERR_EXECUTION)
		*err = at_step;
	return err->code;
}

int eval_match(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	const struct binary *b = &x->binary;
	struct matching m = {.eval = e, .b = b, .m = b->matching, .grid = grid, .words = bit_words(grid->n)};

	m.op.op = b->op;
	m.op.return_bool = b->return_bool;
	m.swapped = b->matching->card == CARD_ONE_TO_MANY;
	m.one_to_one = b->matching->card == CARD_ONE_TO_ONE;
	int rc = open_sides(&m, err);
	if (rc)
		return rc;
	prepare(&m);
	rc = attempt(&m, out, err);
	value_op_annotate(&e->notes, &m.op, x->pos);
	return rc == ERR_EXECUTION && err ? earliest_error(&m, err) : rc;
}
