#include "promql/binary_value.h"

#include "promql/eval.h"
#include <math.h>

/* Bits of value_op.notes. */
enum {
	OP_FLOAT_FLOAT = 1,
	OP_FLOAT_HISTOGRAM = 2,
	OP_HISTOGRAM_FLOAT = 4,
	OP_HISTOGRAM_HISTOGRAM = 8,
	OP_BAD_LAYOUT = 16,
	OP_RESET_CONFLICT = 32,
	OP_RECONCILED = 64,
};

static void note(struct value_op *op, unsigned bits)
{
	if (bits)
		atomic_fetch_or_explicit(&op->notes, bits, memory_order_relaxed);
}

void value_note_floats(struct value_op *op)
{
	note(op, OP_FLOAT_FLOAT);
}

double binary_op_scalar(enum binary_op op, double a, double b)
{
	switch ((int)op) {
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
	default:
		return NAN;
	}
}

/* --- rows of floats ----------------------------------------------------------------------------------------------------- */

#define ROWS(expr)                                                                                           \
	for (uint32_t i = 0; i < n; i++)                                                                     \
		out[i] = (expr);                                                                             \
	return

static void arithmetic_rows(enum binary_op op, const double *l, const double *r, uint32_t n, double *out)
{
	switch ((int)op) {
	case OP_ADD:
		ROWS(l[i] + r[i]);
	case OP_SUB:
		ROWS(l[i] - r[i]);
	case OP_MUL:
		ROWS(l[i] * r[i]);
	case OP_DIV:
		ROWS(l[i] / r[i]);
	default:
		ROWS(binary_op_scalar(op, l[i], r[i]));
	}
}

/* The truth of a comparison for up to 64 steps, as bits. */
static uint64_t compare_word(enum binary_op op, const double *l, const double *r, uint32_t n)
{
	uint64_t bits = 0;

	for (uint32_t i = 0; i < n; i++)
		bits |= (uint64_t)(binary_op_scalar(op, l[i], r[i]) != 0) << i;
	return bits;
}

void value_apply_rows(const struct value_op *op, const double *l, const double *r, const double *kept,
    uint32_t n, double *out, uint64_t *present)
{
	if (op->op <= OP_ATAN2) {
		arithmetic_rows(op->op, l, r, n, out);
		return;
	}
	for (uint32_t at = 0; at < n; at += 64) {
		uint32_t len = n - at < 64 ? n - at : 64;
		uint64_t holds = compare_word(op->op, l + at, r + at, len);
		for (uint32_t i = 0; i < len; i++)
			out[at + i] = op->return_bool ? (double)(holds >> i & 1) : kept[at + i];
		if (!op->return_bool)
			present[at / 64] &= holds;
	}
}

/* --- single values ------------------------------------------------------------------------------------------------------ */

static enum value_outcome floats(
    struct value_op *op, double l, double r, struct value kept, struct value *out)
{
	if (!value_op_takes_floats(op->op)) {
		note(op, OP_FLOAT_FLOAT);
		return VALUE_INCOMPATIBLE;
	}
	double f = binary_op_scalar(op->op, l, r);
	if (op->op <= OP_ATAN2 || op->return_bool) {
		*out = (struct value){.f = f};
		return VALUE_RESULT;
	}
	*out = kept;
	return f != 0 ? VALUE_RESULT : VALUE_FILTERED;
}

static enum value_outcome trim(
    const struct value_op *op, struct arena *arena, struct value l, struct value r, struct value *out)
{
	*out = (struct value){.h = histogram_trim(arena, l.h, r.f, op->op == OP_TRIM_UPPER)};
	return VALUE_RESULT;
}

static enum value_outcome histogram_and_float(
    struct value_op *op, struct arena *arena, struct value l, struct value r, struct value *out)
{
	if (op->op == OP_MUL)
		*out = (struct value){.h = histogram_compact(arena, histogram_scale(arena, l.h, r.f))};
	else if (op->op == OP_DIV)
		*out = (struct value){.h = histogram_compact(arena, histogram_divide(arena, l.h, r.f))};
	else if (!value_op_takes_floats(op->op))
		return trim(op, arena, l, r, out);
	else {
		note(op, OP_HISTOGRAM_FLOAT);
		return VALUE_INCOMPATIBLE;
	}
	return VALUE_RESULT;
}

static enum value_outcome add_or_subtract(
    struct value_op *op, struct arena *arena, struct value l, struct value r, struct value *out)
{
	unsigned notes = 0;
	struct histogram *h = op->op == OP_ADD ? histogram_add(arena, l.h, r.h, &notes)
					       : histogram_sub(arena, l.h, r.h, &notes);

	note(op, (notes & HISTOGRAM_NOTE_RESET_CONFLICT ? OP_RESET_CONFLICT : 0u) |
		     (notes & HISTOGRAM_NOTE_BOUNDS_RECONCILED ? OP_RECONCILED : 0u));
	if (h == NULL) {
		note(op, OP_BAD_LAYOUT);
		return VALUE_INCOMPATIBLE;
	}
	if (op->op == OP_SUB)
		h->hint = HINT_GAUGE;
	*out = (struct value){.h = histogram_compact(arena, h)};
	return VALUE_RESULT;
}

static enum value_outcome histograms(struct value_op *op, struct arena *arena, struct value l, struct value r,
    struct value kept, struct value *out)
{
	if (op->op == OP_ADD || op->op == OP_SUB)
		return add_or_subtract(op, arena, l, r, out);
	if (op->op != OP_EQ && op->op != OP_NE) {
		note(op, OP_HISTOGRAM_HISTOGRAM);
		return VALUE_INCOMPATIBLE;
	}
	bool holds = histogram_eq(l.h, r.h) == (op->op == OP_EQ);
	*out = op->return_bool ? (struct value){.f = holds} : kept;
	return holds || op->return_bool ? VALUE_RESULT : VALUE_FILTERED;
}

enum value_outcome value_apply(struct value_op *op, struct arena *arena, struct value l, struct value r,
    struct value kept, struct value *out)
{
	if (l.h == NULL && r.h == NULL)
		return floats(op, l.f, r.f, kept, out);
	if (l.h && r.h)
		return histograms(op, arena, l, r, kept, out);
	if (l.h)
		return histogram_and_float(op, arena, l, r, out);
	if (op->op != OP_MUL) {
		note(op, OP_FLOAT_HISTOGRAM);
		return VALUE_INCOMPATIBLE;
	}
	*out = (struct value){.h = histogram_compact(arena, histogram_scale(arena, r.h, l.f))};
	return VALUE_RESULT;
}

void value_op_annotate(struct annotations *a, const struct value_op *op, struct ast_range where)
{
	static const struct {
		unsigned note;
		const char *left, *right;
	} types[] = {
	    {OP_FLOAT_FLOAT, "float", "float"},
	    {OP_FLOAT_HISTOGRAM, "float", "histogram"},
	    {OP_HISTOGRAM_FLOAT, "histogram", "float"},
	    {OP_HISTOGRAM_HISTOGRAM, "histogram", "histogram"},
	};
	const char *sign = binary_op_text(op->op);
	const char *operation = op->op == OP_SUB ? "subtraction" : "addition";
	unsigned notes = op->notes;

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (notes & types[i].note)
			annotate_info(a, where,
			    "incompatible sample types encountered for binary operator \"%s\": %s %s %s",
			    sign, types[i].left, sign, types[i].right);
	}
	if (notes & OP_BAD_LAYOUT)
		annotate_warning(
		    a, where, "incompatible bucket layout encountered for binary operator %s", sign);
	if (notes & OP_RESET_CONFLICT)
		annotate_warning(a, where, "conflicting counter resets during histogram %s", operation);
	if (notes & OP_RECONCILED)
		annotate_info(a, where, "mismatched custom buckets were reconciled during %s", operation);
}
