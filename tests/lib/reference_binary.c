/* Binary operations, step by step: elements of the two sides find each other by comparing labels, each with each. */
#include "tests/lib/reference_priv.h"

#include "model/label_builder.h"
#include <math.h>

double ref_binary_scalar(enum binary_op op, double a, double b)
{
	switch (op) {
	case OP_ADD:
		return a + b;
	case OP_SUB:
		return a - b;
	case OP_MUL:
		return a * b;
	case OP_DIV:
		return a / b;
	case OP_MOD:
		return fmod(a, b);
	case OP_POW:
		return pow(a, b);
	case OP_ATAN2:
		return atan2(a, b);
	case OP_EQ:
		return a == b;
	case OP_NE:
		return a != b;
	case OP_LT:
		return a < b;
	case OP_LE:
		return a <= b;
	case OP_GT:
		return a > b;
	case OP_GE:
		return a >= b;
	case OP_TRIM_UPPER:
	case OP_TRIM_LOWER:
	case OP_AND:
	case OP_OR:
	case OP_UNLESS:
		break;
	}
	return (double)NAN;
}

static bool is_trim(enum binary_op op)
{
	return op == OP_TRIM_UPPER || op == OP_TRIM_LOWER;
}

/* Arithmetic makes something else of a metric; filters do not. */
static bool changes_meaning(enum binary_op op)
{
	return op == OP_ADD || op == OP_SUB || op == OP_MUL || op == OP_DIV || op == OP_MOD || op == OP_POW ||
	       op == OP_ATAN2;
}

/* --- two values --------------------------------------------------------------------------------------------------------- */

static void info_types(
    struct reference *r, const struct expr *e, const struct ref_value *a, const struct ref_value *b)
{
	const char *sign = binary_op_text(e->binary.op);
	ref_info(r, e->pos, "incompatible sample types encountered for binary operator \"%s\": %s %s %s",
	    sign, a->h ? "histogram" : "float", sign, b->h ? "histogram" : "float");
}

static const struct histogram *add_histograms(
    struct reference *r, const struct expr *e, const struct histogram *a, const struct histogram *b)
{
	bool is_sum = e->binary.op == OP_ADD;
	unsigned notes = 0;
	struct histogram *h =
	    is_sum ? histogram_add(r->arena, a, b, &notes) : histogram_sub(r->arena, a, b, &notes);
	if (!h) {
		ref_warn(r, e->pos, "incompatible bucket layout encountered for binary operator %s",
		    binary_op_text(e->binary.op));
		return NULL;
	}
	ref_note_histogram(r, e->pos, notes, ~0u, is_sum ? "addition" : "subtraction");
	if (!is_sum)
		h->hint = HINT_GAUGE;
	return histogram_compact(r->arena, h);
}

/* The operation as arithmetic: NULL, and a note, where a histogram is in it that does not belong. */
static const struct histogram *of_histograms(
    struct reference *r, const struct expr *e, const struct ref_value *a, const struct ref_value *b)
{
	enum binary_op op = e->binary.op;
	if (a->h && b->h && (op == OP_ADD || op == OP_SUB))
		return add_histograms(r, e, a->h, b->h);
	if (op == OP_MUL && !(a->h && b->h))
		return histogram_compact(r->arena,
		    a->h ? histogram_scale(r->arena, a->h, b->v) : histogram_scale(r->arena, b->h, a->v));
	if (op == OP_DIV && !b->h)
		return histogram_compact(r->arena, histogram_divide(r->arena, a->h, b->v));
	if (is_trim(op) && !b->h)
		return histogram_trim(r->arena, a->h, b->v, op == OP_TRIM_UPPER);
	info_types(r, e, a, b);
	return NULL;
}

enum outcome {
	INCOMPATIBLE, /* the values do not go together: as if they had not met */
	FILTERED,     /* a comparison that does not hold */
	RESULT,
};

/* a op b. `kept` is what a comparison that holds lets through. */
static enum outcome apply(struct reference *r, const struct expr *e, struct ref_value a, struct ref_value b,
    struct ref_value kept, struct ref_value *out)
{
	enum binary_op op = e->binary.op;
	bool holds;
	if (binary_op_is_comparison(op)) {
		bool equality = op == OP_EQ || op == OP_NE;
		if ((a.h != NULL) != (b.h != NULL) || (a.h && !equality)) {
			info_types(r, e, &a, &b);
			return INCOMPATIBLE;
		}
		holds = a.h ? histogram_eq(a.h, b.h) == (op == OP_EQ) : ref_binary_scalar(op, a.v, b.v) != 0;
		*out = e->binary.return_bool ? (struct ref_value){holds, NULL} : kept;
		return holds || e->binary.return_bool ? RESULT : FILTERED;
	}
	if (a.h || b.h) {
		*out = (struct ref_value){0, of_histograms(r, e, &a, &b)};
		return out->h ? RESULT : INCOMPATIBLE;
	}
	if (is_trim(op)) {
		info_types(r, e, &a, &b);
		return INCOMPATIBLE;
	}
	*out = (struct ref_value){ref_binary_scalar(op, a.v, b.v), NULL};
	return RESULT;
}

/* --- vector and scalar -------------------------------------------------------------------------------------------------- */

static int with_scalar(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out)
{
	const struct binary *b = &e->binary;
	bool scalar_left = b->lhs->type == TYPE_SCALAR;
	struct ref_table *t;
	double *s;
	int rc = scalar_left ? ref_scalar(r, b->lhs, times, &s) : ref_vector(r, b->lhs, times, &t);
	if (rc == 0)
		rc = scalar_left ? ref_vector(r, b->rhs, times, &t) : ref_scalar(r, b->rhs, times, &s);
	if (rc)
		return rc;
	*out = ref_table_new(r, times);
	for (size_t i = 0; i < t->n; i++) {
		const struct labels *labels = t->rows[i].labels;
		bool drop_name = t->rows[i].drop_name;
		if (changes_meaning(b->op) || b->return_bool)
			ref_drop_name(r, &labels, &drop_name);
		for (size_t k = 0; k < times->n; k++) {
			const struct ref_cell *c = &t->rows[i].cells[k];
			struct ref_value v = {c->v, c->h}, n = {s[k], NULL}, result;
			if (!c->present || (scalar_left ? apply(r, e, n, v, v, &result)
							: apply(r, e, v, n, v, &result)) != RESULT)
				continue;
			rc = ref_table_put(r, *out, k, labels, drop_name, result.v, result.h);
			if (rc)
				return rc;
		}
	}
	return 0;
}

/* --- labels ------------------------------------------------------------------------------------------------------------- */

static bool among(struct slice name, const struct slice *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(name, names[i]))
			return true;
	return false;
}

/* The labels by which elements match. */
static const struct labels *match_labels(
    struct reference *r, const struct vector_matching *m, const struct labels *ls)
{
	struct label *kept = ARENA_ARRAY(r->arena, struct label, ls->n + 1);
	size_t n = 0;
	LABELS_EACH (l, ls) {
		bool listed = among(l->name, m->labels, m->n_labels);
		if (m->on ? listed : !listed && !slice_eq(l->name, SL(LABEL_NAME)))
			kept[n++] = *l;
	}
	return labels_from_sorted(r->arena, kept, n);
}

static void keep_only(struct label_builder *b, const struct labels *ls, const struct vector_matching *m)
{
	LABELS_EACH (l, ls)
		if (among(l->name, m->labels, m->n_labels) != m->on)
			label_builder_del(b, l->name);
}

/* The labels of a result: those of the many side, changed. */
static const struct labels *result_labels(
    struct reference *r, const struct binary *op, const struct labels *many, const struct labels *one)
{
	const struct vector_matching *m = op->matching;
	struct label_builder b;
	bool drop = changes_meaning(op->op) || (op->return_bool && !r->options->delayed_name_removal);
	label_builder_init(&b, r->arena, drop ? ref_nameless(r, many) : many);
	if (m->card == CARD_ONE_TO_ONE)
		keep_only(&b, many, m);
	for (size_t i = 0; i < m->n_include; i++) {
		struct slice v = labels_get(one, m->include[i]);
		if (v.len)
			label_builder_set(&b, m->include[i], v);
		else
			label_builder_del(&b, m->include[i]);
	}
	return label_builder_labels(&b);
}

/* --- the elements of one step ------------------------------------------------------------------------------------------- */

struct element {
	const struct labels *labels, *match;
	bool drop_name;
	struct ref_value value;
	bool matched;
	const struct labels *
	    *results; /* many-to-one: the result labels made for this element of the one side */
	size_t n_results, results_cap;
};

struct side {
	struct element *v;
	size_t n;
};

static struct side elements_at(
    struct reference *r, const struct vector_matching *m, const struct ref_table *t, size_t k)
{
	struct side s = {ARENA_ARRAY(r->arena, struct element, t->n + 1), 0};
	for (size_t i = 0; i < t->n; i++) {
		const struct ref_cell *c = &t->rows[i].cells[k];
		if (c->present)
			s.v[s.n++] = (struct element){.labels = t->rows[i].labels,
			    .match = match_labels(r, m, t->rows[i].labels),
			    .drop_name = t->rows[i].drop_name,
			    .value = {c->v, c->h}};
	}
	return s;
}

static struct element *find_match(const struct side *s, const struct labels *match)
{
	for (size_t i = 0; i < s->n; i++)
		if (labels_eq(s->v[i].match, match))
			return &s->v[i];
	return NULL;
}

static int put_element(struct reference *r, struct ref_table *out, size_t k, const struct element *e)
{
	return ref_table_put(r, out, k, e->labels, e->drop_name, e->value.v, e->value.h);
}

static int set_operation(struct reference *r, enum binary_op op, const struct side *lhs,
    const struct side *rhs, size_t k, struct ref_table *out)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < lhs->n; i++) {
		bool found = find_match(rhs, lhs->v[i].match) != NULL;
		if (op == OP_OR || found == (op == OP_AND))
			rc = put_element(r, out, k, &lhs->v[i]);
	}
	for (size_t i = 0; rc == 0 && op == OP_OR && i < rhs->n; i++)
		if (!find_match(lhs, rhs->v[i].match))
			rc = put_element(r, out, k, &rhs->v[i]);
	return rc;
}

/* --- matching ----------------------------------------------------------------------------------------------------------- */

static const char *labels_text(struct reference *r, const struct labels *ls)
{
	struct strbuf text = STRBUF_INIT;
	labels_print(&text, ls);
	const char *s = arena_strdup(r->arena, strbuf_slice(&text));
	strbuf_done(&text);
	return s;
}

static int check_one_side(struct reference *r, const struct vector_matching *m, const struct side *one)
{
	for (size_t i = 0; i < one->n; i++) {
		const struct element *first = find_match(one, one->v[i].match);
		if (!first || first == &one->v[i])
			continue;
		const char *a = labels_text(r, one->v[i].labels), *b = labels_text(r, first->labels);
		bool swap = strcmp(a, b) > 0;
		return ref_fail(r,
		    "found duplicate series for the match group %s on the %s hand-side of the operation: "
		    "[%s, "
		    "%s];many-to-many matching not allowed: matching labels must be unique on one side",
		    labels_text(r, first->match), m->card == CARD_ONE_TO_MANY ? "left" : "right",
		    swap ? b : a, swap ? a : b);
	}
	return 0;
}

/* Which results an element of the one side has given so far; a label set may come once. */
static int remember(
    struct reference *r, const struct vector_matching *m, struct element *one, const struct labels *labels)
{
	if (m->card == CARD_ONE_TO_ONE && one->matched)
		return ref_fail(r, "multiple matches for labels: many-to-one matching must be explicit "
				   "(group_left/group_right)");
	one->matched = true;
	for (size_t i = 0; m->card != CARD_ONE_TO_ONE && i < one->n_results; i++)
		if (labels_eq(one->results[i], labels))
			return ref_fail(
			    r, "multiple matches for labels: grouping labels must ensure unique matches");
	one->results = ref_grow(r, one->results, one->n_results, &one->results_cap, sizeof(*one->results));
	one->results[one->n_results++] = labels;
	return 0;
}

/* One pair. `many` drives; with group_right it is the right operand. */
static int pair(struct reference *r, const struct expr *e, const struct element *many, struct element *one,
    size_t k, struct ref_table *out)
{
	const struct binary *b = &e->binary;
	bool swapped = b->matching->card == CARD_ONE_TO_MANY;
	struct ref_value left = swapped ? one->value : many->value,
			 right = swapped ? many->value : one->value, result;
	enum outcome outcome = apply(r, e, left, right, left, &result);
	if (outcome == INCOMPATIBLE)
		return 0;
	const struct labels *labels = result_labels(r, b, many->labels, one->labels);
	int rc = remember(r, b->matching, one, labels);
	if (rc || outcome == FILTERED)
		return rc;
	bool drop_name = many->drop_name || (b->return_bool && r->options->delayed_name_removal);
	return ref_table_put(r, out, k, labels, drop_name, result.v, result.h);
}

/* Stands for what is missing on a side. */
static struct element filler(const struct element *other, double v)
{
	return (struct element){.labels = other->match, .match = other->match, .value = {v, NULL}};
}

static int match_step(struct reference *r, const struct expr *e, struct side lhs, struct side rhs, size_t k,
    struct ref_table *out)
{
	const struct vector_matching *m = e->binary.matching;
	bool swapped = m->card == CARD_ONE_TO_MANY;
	struct side *many = swapped ? &rhs : &lhs, *one = swapped ? &lhs : &rhs;
	bool fills = m->has_fill_left || m->has_fill_right;
	/* group_right swaps the sides, but not their fill values. */
	bool fills_one = m->has_fill_right;
	bool fills_many = m->has_fill_left;
	struct element *fillers = ARENA_ARRAY(r->arena, struct element, many->n + 1);
	size_t n_fillers = 0;

	if ((lhs.n == 0 && rhs.n == 0) || (!fills && (lhs.n == 0 || rhs.n == 0)))
		return 0;
	int rc = check_one_side(r, m, one);
	for (size_t i = 0; rc == 0 && i < many->n; i++) {
		struct element *found = find_match(one, many->v[i].match);
		struct side made = {fillers, n_fillers};
		if (!found)
			found = find_match(&made, many->v[i].match);
		if (!found && fills_one) {
			found = &fillers[n_fillers++];
			*found = filler(&many->v[i], m->fill_right);
		}
		if (found)
			rc = pair(r, e, &many->v[i], found, k, out);
	}
	for (size_t i = 0; rc == 0 && fills_many && i < one->n; i++) {
		struct element many_filler = filler(&one->v[i], m->fill_left);
		if (!one->v[i].matched)
			rc = pair(r, e, &many_filler, &one->v[i], k, out);
	}
	return rc;
}

/* The row that the results for a row of the driving side go to, where that is known: no labels come from the other side. */
static void begin_row(
    struct reference *r, const struct binary *b, const struct ref_row *row, struct ref_table *out)
{
	bool is_set = binary_op_is_set(b->op), drops = b->return_bool && r->options->delayed_name_removal;
	if (!is_set && b->matching->n_include > 0)
		return;
	const struct labels *labels = is_set ? row->labels : result_labels(r, b, row->labels, &labels_empty);
	for (size_t i = 0; i < out->n; i++)
		if (labels_eq(out->rows[i].labels, labels))
			return;
	ref_table_add(r, out, labels, row->drop_name || drops);
}

static int with_vector(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out)
{
	const struct binary *b = &e->binary;
	struct ref_table *lhs, *rhs;
	int rc = ref_vector(r, b->lhs, times, &lhs);
	if (rc == 0)
		rc = ref_vector(r, b->rhs, times, &rhs);
	if (rc)
		return rc;
	*out = ref_table_new(r, times);
	/* Results stand in the order of the side that drives. */
	const struct ref_table *many = b->matching->card == CARD_ONE_TO_MANY ? rhs : lhs;
	for (size_t i = 0; i < many->n; i++)
		begin_row(r, b, &many->rows[i], *out);
	for (size_t i = 0; b->op == OP_OR && i < rhs->n; i++)
		begin_row(r, b, &rhs->rows[i], *out);
	for (size_t k = 0; rc == 0 && k < times->n; k++) {
		struct side l = elements_at(r, b->matching, lhs, k), s = elements_at(r, b->matching, rhs, k);
		rc = binary_op_is_set(b->op) ? set_operation(r, b->op, &l, &s, k, *out)
					     : match_step(r, e, l, s, k, *out);
	}
	ref_table_drop_empty(*out);
	return rc;
}

int ref_binary(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out)
{
	if (e->binary.lhs->type == TYPE_SCALAR || e->binary.rhs->type == TYPE_SCALAR)
		return with_scalar(r, e, times, out);
	return with_vector(r, e, times, out);
}
