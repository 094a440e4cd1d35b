/* What of the language a run of random expressions has tried: which functions, operators, aggregations and modifiers gave a
 * result that is not empty, and of which kind of sample. The reference evaluator counts while it evaluates; one thread. */
#pragma once

#include "base/strbuf.h"
#include "promql/ast.h"
#include "promql/functions.h"

enum coverage_kind { COVERAGE_FLOATS, COVERAGE_HISTOGRAMS, COVERAGE_KINDS };

enum coverage_form {
	FORM_OFFSET,
	FORM_NEGATIVE_OFFSET,
	FORM_AT,
	FORM_DURATION_EXPRESSION,
	FORM_SUBQUERY,
	FORM_SUBQUERY_IN_SUBQUERY,
	FORM_ANCHORED,
	FORM_SMOOTHED,
	FORM_SMOOTHED_INSTANT,
	FORM_BY,
	FORM_WITHOUT,
	FORM_BOOL,
	FORM_ON,
	FORM_IGNORING,
	FORM_GROUP_LEFT,
	FORM_GROUP_RIGHT,
	FORM_GROUP_LABELS,
	FORM_FILL,
	FORM_FILL_ONE_SIDE,
	FORM_MINUS,
	COVERAGE_FORMS
};

enum { COVERAGE_AGGREGATIONS = AGG_LIMIT_RATIO + 1, COVERAGE_OPERATORS = OP_UNLESS + 1 };

/* Zero it to begin. */
struct promql_coverage {
	uint64_t functions[FUNCTION_COUNT][COVERAGE_KINDS];
	uint64_t aggregations[COVERAGE_AGGREGATIONS][COVERAGE_KINDS];
	uint64_t operators[COVERAGE_OPERATORS][COVERAGE_KINDS];
	uint64_t forms[COVERAGE_FORMS][COVERAGE_KINDS];
};

/* A node gave floats, histograms, or both. */
void promql_coverage_count(struct promql_coverage *c, const struct expr *e, bool floats, bool histograms);
/* Functions, aggregations, operators and forms that never gave anything; their names are appended, each with a blank. */
size_t promql_coverage_missing(const struct promql_coverage *c, struct strbuf *names);
/* A summary of some lines, each begun with '# '; `all`: every number. */
void promql_coverage_print(const struct promql_coverage *c, struct strbuf *out, bool all);
