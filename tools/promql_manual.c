/* Prints docs/promql.md: the operators, aggregations and functions of the query language, from the tables the parser uses.
 * `make docs` writes it, tests/check_manual.sh sees that it is up to date. */
#include "promql/functions.h"
#include <stdio.h>

static const char head[] =
    "# PromQL: operators, aggregations, functions\n\n"
    "Made by `make docs` from the tables of the parser (`src/promql/functions_table.h`): do not edit.\n"
    "Where promq differs from Prometheus is told in `promql-compat.md`.\n\n"
    "Arguments are named by their types: *vector* is an instant vector, *range* a range vector or a "
    "subquery, *scalar* a number or a\n"
    "duration (which is a number of seconds), *string* a literal. What stands in brackets may be left out; "
    "`...` may be repeated.\n"
    "**E** marks what Prometheus has behind the feature flag `promql-experimental-functions`; a server of "
    "promq knows it without.\n";

/* --- operators ---------------------------------------------------------------------------------------------------------- */

struct level {
	enum binary_op ops[9];
	unsigned n;
	const char *doc;
};

/* From the loosest to the tightest. */
static const struct level levels[] = {
    {{OP_OR}, 1, "all of the left side, and what of the right matches none of it"},
    {{OP_AND, OP_UNLESS}, 2, "what of the left side matches something, or nothing, of the right"},
    {{OP_EQ, OP_NE, OP_LE, OP_LT, OP_GE, OP_GT, OP_TRIM_UPPER, OP_TRIM_LOWER}, 8,
	"comparisons filter, or give 0 and 1 with `bool`; the last two cut histograms off at a value"},
    {{OP_ADD, OP_SUB}, 2, "sum, difference"},
    {{OP_MUL, OP_DIV, OP_MOD, OP_ATAN2}, 4, "product, quotient, remainder, angle; signs bind as tightly"},
    {{OP_POW}, 1, "power; groups to the right"},
};

static void print_operators(void)
{
	printf("\n## Operators\n\nFrom the loosest to the tightest. Between vectors: `on(...)` or "
	       "`ignoring(...)` say which "
	       "labels match,\n`group_left(...)` and `group_right(...)` which side may have several series a "
	       "match; "
	       "`fill(v)`, `fill_left(v)`,\n`fill_right(v)` stand for what is missing on a side.\n\n"
	       "| operators | meaning |\n|---|---|\n");
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		printf("| ");
		for (unsigned k = 0; k < levels[i].n; k++)
			printf("%s`%s`", k ? " " : "", binary_op_text(levels[i].ops[k]));
		printf(" | %s |\n", levels[i].doc);
	}
}

/* --- aggregations ------------------------------------------------------------------------------------------------------- */

static const struct {
	enum aggregate_op op;
	const char *param;
	const char *doc;
} aggregations[] = {
    {AGG_SUM, "", "sum"},
    {AGG_AVG, "", "mean"},
    {AGG_COUNT, "", "number of elements"},
    {AGG_MIN, "", "smallest value"},
    {AGG_MAX, "", "largest value"},
    {AGG_GROUP, "", "1 for each group"},
    {AGG_STDDEV, "", "standard deviation"},
    {AGG_STDVAR, "", "variance"},
    {AGG_TOPK, "scalar, ", "the so many largest elements, with all their labels"},
    {AGG_BOTTOMK, "scalar, ", "the so many smallest elements, with all their labels"},
    {AGG_COUNT_VALUES, "string, ", "how often each value is there, under a label"},
    {AGG_QUANTILE, "scalar, ", "quantile of the values"},
    {AGG_LIMITK, "scalar, ", "so many elements, whichever they are (**E**)"},
    {AGG_LIMIT_RATIO, "scalar, ", "a share of the elements; a negative one picks the others (**E**)"},
};

static void print_aggregations(void)
{
	printf("\n## Aggregations\n\nWith `by (labels)` or `without (labels)`, before or behind the "
	       "parentheses.\n\n"
	       "| aggregation | result |\n|---|---|\n");
	for (size_t i = 0; i < sizeof(aggregations) / sizeof(aggregations[0]); i++)
		printf("| `%s(%svector)` | %s |\n", aggregate_op_text(aggregations[i].op),
		    aggregations[i].param, aggregations[i].doc);
}

/* --- functions ---------------------------------------------------------------------------------------------------------- */

static const char *type_word(enum value_type t)
{
	switch (t) {
	case TYPE_SCALAR:
		return "scalar";
	case TYPE_VECTOR:
		return "vector";
	case TYPE_MATRIX:
		return "range";
	case TYPE_STRING:
		return "string";
	case TYPE_NONE:
		break;
	}
	return "nothing";
}

static void print_signature(const struct function *f)
{
	/* The last type of a variadic function may be missing, or be there again. */
	size_t fixed = f->variadic ? f->n_types - 1u : f->n_types;
	printf("`%s(", f->name);
	for (size_t i = 0; i < fixed; i++)
		printf("%s%s", i ? ", " : "", type_word(function_arg_type(f, i)));
	if (f->variadic)
		printf("[%s%s%s]", fixed ? ", " : "", type_word(function_arg_type(f, fixed)),
		    f->variadic == 1 ? "" : ", ...");
	printf(")`");
}

static enum value_type main_type(const struct function *f)
{
	enum value_type t = f->result == TYPE_SCALAR ? TYPE_SCALAR : TYPE_VECTOR;
	for (size_t i = 0; i < f->n_types; i++)
		if (function_arg_type(f, i) == TYPE_MATRIX)
			t = TYPE_MATRIX;
	return t;
}

static void print_functions(const char *title, enum value_type of)
{
	printf("\n## %s\n\n| function | result |\n|---|---|\n", title);
	for (size_t i = 0; i < FUNCTION_COUNT; i++) {
		const struct function *f = &functions[i];
		if (main_type(f) != of)
			continue;
		printf("| ");
		print_signature(f);
		printf(" | %s%s |\n", f->doc, f->flags & FUNCTION_EXPERIMENTAL ? " (**E**)" : "");
	}
}

int main(void)
{
	fputs(head, stdout);
	print_operators();
	print_aggregations();
	print_functions("Functions of range vectors", TYPE_MATRIX);
	print_functions("Functions of instant vectors", TYPE_VECTOR);
	print_functions("Functions that give a scalar", TYPE_SCALAR);
	return ferror(stdout) ? 1 : 0;
}
