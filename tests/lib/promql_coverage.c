#include "tests/lib/promql_coverage.h"

#include <inttypes.h>

static const char *const form_names[COVERAGE_FORMS] = {
    [FORM_OFFSET] = "offset",
    [FORM_NEGATIVE_OFFSET] = "offset<0",
    [FORM_AT] = "@",
    [FORM_DURATION_EXPRESSION] = "[duration-expression]",
    [FORM_SUBQUERY] = "[subquery:]",
    [FORM_SUBQUERY_IN_SUBQUERY] = "[subquery[subquery:]:]",
    [FORM_ANCHORED] = "anchored",
    [FORM_SMOOTHED] = "smoothed",
    [FORM_SMOOTHED_INSTANT] = "instant-smoothed",
    [FORM_BY] = "by",
    [FORM_WITHOUT] = "without",
    [FORM_BOOL] = "bool",
    [FORM_ON] = "on",
    [FORM_IGNORING] = "ignoring",
    [FORM_GROUP_LEFT] = "group_left",
    [FORM_GROUP_RIGHT] = "group_right",
    [FORM_GROUP_LABELS] = "group_left(labels)",
    [FORM_FILL] = "fill",
    [FORM_FILL_ONE_SIDE] = "fill_left/right",
    [FORM_MINUS] = "unary-minus",
};

/* --- counting ----------------------------------------------------------------------------------------------------------- */

struct sight {
	struct promql_coverage *c;
	bool floats, histograms;
};

static void count(const struct sight *s, uint64_t counters[COVERAGE_KINDS])
{
	counters[COVERAGE_FLOATS] += s->floats;
	counters[COVERAGE_HISTOGRAMS] += s->histograms;
}

static void form(const struct sight *s, enum coverage_form f, bool is_there)
{
	if (is_there)
		count(s, s->c->forms[f]);
}

static void count_shift(const struct sight *s, const struct time_shift *shift)
{
	form(s, FORM_OFFSET, shift->offset.ms > 0);
	form(s, FORM_NEGATIVE_OFFSET, shift->offset.ms < 0);
	form(s, FORM_AT, shift->at != AT_NONE);
	form(s, FORM_DURATION_EXPRESSION, shift->offset.expr != NULL);
}

static bool has_subquery(const struct expr *e)
{
	switch (e->kind) {
	case EXPR_SUBQUERY:
		return true;
	case EXPR_AGGREGATE:
		return has_subquery(e->aggregate.inner);
	case EXPR_BINARY:
		return has_subquery(e->binary.lhs) || has_subquery(e->binary.rhs);
	case EXPR_UNARY:
		return has_subquery(e->unary.inner);
	case EXPR_PAREN:
		return has_subquery(e->paren);
	case EXPR_CALL:
		for (size_t i = 0; i < e->call.n_args; i++)
			if (has_subquery(e->call.args[i]))
				return true;
		return false;
	case EXPR_NUMBER:
	case EXPR_STRING:
	case EXPR_SELECTOR:
	case EXPR_RANGE_SELECTOR:
		break;
	}
	return false;
}

/* A range has no result of its own: it is seen by what the function around it gives. */
static void count_range(const struct sight *s, const struct expr *e)
{
	e = expr_unparen(e);
	if (e->kind == EXPR_RANGE_SELECTOR) {
		count_shift(s, &e->selector.shift);
		form(s, FORM_DURATION_EXPRESSION, e->selector.range.expr != NULL);
		form(s, FORM_ANCHORED, e->selector.anchored);
		form(s, FORM_SMOOTHED, e->selector.smoothed);
	} else if (e->kind == EXPR_SUBQUERY) {
		count_shift(s, &e->subquery.shift);
		form(s, FORM_SUBQUERY, true);
		form(s, FORM_SUBQUERY_IN_SUBQUERY, has_subquery(e->subquery.inner));
	}
}

static void count_call(const struct sight *s, const struct call *call)
{
	count(s, s->c->functions[call->func->id]);
	for (size_t i = 0; i < call->n_args; i++)
		if (call->args[i]->type == TYPE_MATRIX)
			count_range(s, call->args[i]);
}

static void count_binary(const struct sight *s, const struct binary *b)
{
	const struct vector_matching *m = b->matching;
	count(s, s->c->operators[b->op]);
	form(s, FORM_BOOL, b->return_bool);
	if (!m)
		return;
	form(s, FORM_ON, m->on);
	form(s, FORM_IGNORING, !m->on && m->n_labels > 0);
	form(s, FORM_GROUP_LEFT, m->card == CARD_MANY_TO_ONE);
	form(s, FORM_GROUP_RIGHT, m->card == CARD_ONE_TO_MANY);
	form(s, FORM_GROUP_LABELS, m->n_include > 0);
	form(s, FORM_FILL, m->has_fill_left && m->has_fill_right);
	form(s, FORM_FILL_ONE_SIDE, m->has_fill_left != m->has_fill_right);
}

void promql_coverage_count(struct promql_coverage *c, const struct expr *e, bool floats, bool histograms)
{
	struct sight s = {c, floats, histograms};
	switch (e->kind) {
	case EXPR_CALL:
		count_call(&s, &e->call);
		break;
	case EXPR_AGGREGATE:
		count(&s, c->aggregations[e->aggregate.op]);
		form(&s, FORM_WITHOUT, e->aggregate.without);
		form(&s, FORM_BY, !e->aggregate.without && e->aggregate.n_labels > 0);
		break;
	case EXPR_BINARY:
		count_binary(&s, &e->binary);
		break;
	case EXPR_UNARY:
		form(&s, FORM_MINUS, e->unary.minus);
		break;
	case EXPR_SELECTOR:
		count_shift(&s, &e->selector.shift);
		form(&s, FORM_SMOOTHED_INSTANT, e->selector.smoothed);
		break;
	case EXPR_NUMBER:
	case EXPR_STRING:
	case EXPR_RANGE_SELECTOR:
	case EXPR_SUBQUERY:
	case EXPR_PAREN:
		break;
	}
}

/* --- telling ------------------------------------------------------------------------------------------------------------ */

typedef const char *name_of(size_t i);

static const char *function_name(size_t i)
{
	return functions[i].name;
}

static const char *aggregation_name(size_t i)
{
	return aggregate_op_text((enum aggregate_op)i);
}

static const char *operator_name(size_t i)
{
	return binary_op_text((enum binary_op)i);
}

static const char *form_name(size_t i)
{
	return form_names[i];
}

struct section {
	const char *what;
	const uint64_t (*counters)[COVERAGE_KINDS];
	size_t n;
	name_of *name;
};

enum { SECTIONS = 4 };

static void sections_of(const struct promql_coverage *c, struct section s[SECTIONS])
{
	s[0] = (struct section){"functions", c->functions, FUNCTION_COUNT, function_name};
	s[1] = (struct section){"aggregations", c->aggregations, COVERAGE_AGGREGATIONS, aggregation_name};
	s[2] = (struct section){"operators", c->operators, COVERAGE_OPERATORS, operator_name};
	s[3] = (struct section){"forms", c->forms, COVERAGE_FORMS, form_name};
}

static uint64_t sum(const uint64_t counters[COVERAGE_KINDS])
{
	return counters[COVERAGE_FLOATS] + counters[COVERAGE_HISTOGRAMS];
}

size_t promql_coverage_missing(const struct promql_coverage *c, struct strbuf *names)
{
	struct section s[SECTIONS];
	size_t n = 0;
	sections_of(c, s);
	for (size_t k = 0; k < SECTIONS; k++)
		for (size_t i = 0; i < s[k].n; i++)
			if (sum(s[k].counters[i]) == 0) {
				strbuf_addf(names, "%s ", s[k].name(i));
				n++;
			}
	return n;
}

static void print_section(const struct section *s, struct strbuf *out)
{
	size_t seen = 0, histograms = 0, rarest = 0;
	for (size_t i = 0; i < s->n; i++) {
		seen += sum(s->counters[i]) > 0;
		histograms += s->counters[i][COVERAGE_HISTOGRAMS] > 0;
		if (sum(s->counters[i]) < sum(s->counters[rarest]))
			rarest = i;
	}
	strbuf_addf(out, "# %s with results: %zu of %zu, %zu also with histograms; rarest: %s, %" PRIu64 "\n",
	    s->what, seen, s->n, histograms, s->name(rarest), sum(s->counters[rarest]));
}

static void print_counters(const struct section *s, struct strbuf *out)
{
	for (size_t i = 0; i < s->n; i++)
		strbuf_addf(out, "#   %-30s %10" PRIu64 " %10" PRIu64 "\n", s->name(i),
		    s->counters[i][COVERAGE_FLOATS], s->counters[i][COVERAGE_HISTOGRAMS]);
}

void promql_coverage_print(const struct promql_coverage *c, struct strbuf *out, bool all)
{
	struct section s[SECTIONS];
	sections_of(c, s);
	for (size_t k = 0; k < SECTIONS; k++) {
		print_section(&s[k], out);
		if (all)
			print_counters(&s[k], out);
	}
}
