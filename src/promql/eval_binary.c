/* Binary operations between vectors and scalars, and set operations. Operations between two vectors: eval_match.c. */
#include "promql/binary_value.h"
#include "promql/eval.h"
#include "promql/eval_match.h"
#include "promql/func_math.h"
#include "promql/label_groups.h"

/* A vector and a scalar: a function over the tiles of the vector. */
struct scalar_op {
	struct value_op op;
	const double *scalar; /* a value per step */
	bool scalar_left;
};

static void apply_to_mixed_row(struct scalar_op *s, struct tile *t, uint32_t r)
{
	struct row row = tile_row(t, r);

	BITS_EACH(k, row.present, t->words)
	{
		struct value x = {row.v[k], row.h[k]}, y = {s->scalar[k], NULL}, out = {0};
		struct value l = s->scalar_left ? y : x, r2 = s->scalar_left ? x : y;
		if (value_apply(&s->op, t->arena, l, r2, x, &out) != VALUE_RESULT) {
			bit_clear(row.present, k);
			continue;
		}
		row.v[k] = out.f;
		row.h[k] = out.h;
	}
}

static void apply_to_floats(struct scalar_op *s, struct tile *t)
{
	if (!value_op_takes_floats(s->op.op)) {
		if (bits_any(t->present, t->rows * t->words))
			value_note_floats(&s->op);
		tile_begin(t, t->rows);
		return;
	}
	for (uint32_t r = 0; r < t->rows; r++) {
		struct row row = tile_row(t, r);
		const double *l = s->scalar_left ? s->scalar : row.v;
		const double *right = s->scalar_left ? row.v : s->scalar;
		value_apply_rows(&s->op, l, right, row.v, t->steps, row.v, row.present);
	}
}

static void apply_scalar_op(void *arg, struct tile *t, size_t first)
{
	struct scalar_op *s = arg;
	(void)first;

	if (t->h == NULL) {
		apply_to_floats(s, t);
		return;
	}
	for (uint32_t r = 0; r < t->rows; r++)
		apply_to_mixed_row(s, t, r);
}

/* Says what was noted once the tiles have been computed. */
struct scalar_op_source {
	struct source base; /* below it: the tiles as they were mapped */
	const struct scalar_op *s;
	struct ast_range where;
};

static int noted_fill(struct source *s, struct worker *w, size_t first, struct tile *t, struct err *err)
{
	return source_fill(s->below, w, first, t, err);
}

static const struct labels *noted_labels(struct source *s, size_t i)
{
	return source_labels(s->below, i);
}

static void noted_drained(struct source *s)
{
	struct scalar_op_source *n = (struct scalar_op_source *)s;

	if (s->below->ops->drained)
		s->below->ops->drained(s->below);
	value_op_annotate(&s->eval->notes, &n->s->op, n->where);
}

static const struct source_ops noted_ops = {
    .fill = noted_fill, .labels = noted_labels, .drained = noted_drained};

static int eval_with_scalar(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	const struct binary *b = &x->binary;
	struct scalar_op *s = ARENA_NEW(e->arena, struct scalar_op);
	struct source *below;

	s->op.op = b->op;
	s->op.return_bool = b->return_bool;
	s->scalar_left = b->lhs->type == TYPE_SCALAR;
	/* The left side first, so that its errors come first. */
	int rc = s->scalar_left ? eval_scalar(e, b->lhs, grid, &s->scalar, err)
				: eval_vector(e, b->lhs, grid, &below, err);
	if (rc == 0)
		rc = s->scalar_left ? eval_vector(e, b->rhs, grid, &below, err)
				    : eval_scalar(e, b->rhs, grid, &s->scalar, err);
	if (rc)
		return rc;
	struct scalar_op_source *n = ARENA_NEW(e->arena, struct scalar_op_source);
	struct source *mapped = source_map_new(below, apply_scalar_op, s, value_op_drops_name(&s->op));
	n->base = *mapped;
	n->base.ops = &noted_ops;
	n->base.below = mapped;
	n->s = s;
	n->where = x->pos;
	*out = &n->base;
	return source_merge_same(out, err);
}

/* --- set operations ----------------------------------------------------------------------------------------------------- */

/* Where each group of a side has a value: a row of bits per group. */
static uint64_t *group_presence(
    struct eval *e, struct source *s, const uint32_t *group, size_t n_groups, uint32_t words)
{
	uint64_t *present = ARENA_ARRAY(e->arena, uint64_t, n_groups * words + 1);

	for (size_t i = 0; i < s->n; i++) {
		const uint64_t *row = tile_row(s->all, (uint32_t)i).present;
		for (uint32_t w = 0; w < words; w++)
			present[group[i] * words + w] |= row[w];
	}
	return present;
}

static uint32_t *groups_of(struct eval *e, struct label_groups *g, struct source *s)
{
	uint32_t *group = ARENA_ARRAY(e->arena, uint32_t, s->n + 1);

	for (size_t i = 0; i < s->n; i++)
		group[i] = label_groups_add(g, source_labels(s, i));
	return group;
}

/* Rows of `s` from `first` on in `out`, without the steps that the mask of their group has (or lacks). */
static void copy_masked(struct source *out, size_t first, struct source *s, const uint32_t *group,
    const uint64_t *mask, bool keep_masked)
{
	uint32_t words = s->all->words;

	for (size_t i = 0; i < s->n; i++) {
		uint32_t at = (uint32_t)(first + i);
		out->cache[at] = source_labels(s, i);
		out->dropped[at] = source_name_dropped(s, i);
		tile_copy_row(out->all, at, s->all, (uint32_t)i);
		uint64_t *present = tile_row(out->all, at).present;
		for (uint32_t w = 0; mask && w < words; w++) {
			uint64_t m = mask[group[i] * words + w];
			present[w] &= keep_masked ? m : ~m;
		}
	}
}

static int eval_set(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	const struct binary *b = &x->binary;
	const struct vector_matching *m = b->matching;
	struct source *l, *r;
	struct label_groups groups;

	int rc = eval_vector(e, b->lhs, grid, &l, err);
	if (rc == 0)
		rc = source_materialise(l, err);
	if (rc == 0)
		rc = eval_vector(e, b->rhs, grid, &r, err);
	if (rc == 0)
		rc = source_materialise(r, err);
	if (rc)
		return rc;
	label_groups_init(&groups, e->arena, m->labels, m->n_labels, m->on);
	uint32_t *gl = groups_of(e, &groups, l), *gr = groups_of(e, &groups, r);
	uint32_t words = bit_words(grid->n);
	bool is_or = b->op == OP_OR;
	uint64_t *mask =
	    is_or ? group_presence(e, l, gl, groups.n, words) : group_presence(e, r, gr, groups.n, words);
	struct source *set = source_matrix_new(e, grid, is_or ? l->n + r->n : l->n);
	if (set == NULL)
		return query_limits_no_memory(err);
	set->dropped = ARENA_ARRAY(e->arena, uint8_t, set->n + 1);
	copy_masked(set, 0, l, gl, is_or ? NULL : mask, b->op == OP_AND);
	if (is_or)
		copy_masked(set, l->n, r, gr, mask, false);
	set->unique = !is_or && l->unique;
	set->unique_nameless = !is_or && l->unique_nameless;
	*out = set;
	return source_merge_same(out, err);
}

int eval_binary(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	const struct binary *b = &x->binary;

	if (b->lhs->type == TYPE_SCALAR || b->rhs->type == TYPE_SCALAR)
		return eval_with_scalar(e, x, grid, out, err);
	if (binary_op_is_set(b->op))
		return eval_set(e, x, grid, out, err);
	return eval_match(e, x, grid, out, err);
}
