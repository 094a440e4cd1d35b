#include "promql/ast_print.h"
#include "base/double_text.h"
#include "base/utf8.h"
#include "base/xmalloc.h"
#include "model/duration.h"
#include "promql/functions.h"
#include <math.h>
#include <stdlib.h>

/* --- small parts --- */

static void print_label(struct strbuf *out, struct slice name)
{
	if (label_name_valid_legacy(name))
		strbuf_add_slice(out, name);
	else
		utf8_quote_go(out, name);
}

static void print_labels(struct strbuf *out, const struct slice *labels, size_t n)
{
	strbuf_addch(out, '(');
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_adds(out, ", ");
		print_label(out, labels[i]);
	}
	strbuf_addch(out, ')');
}

static void print_double(struct strbuf *out, double v)
{
	char text[DOUBLE_TEXT_MAX];
	strbuf_add(out, text, double_to_shortest_f(v, text));
}

static void print_number(struct strbuf *out, double v, bool is_duration)
{
	if (is_duration)
		duration_print(out, (int64_t)round(v * 1000));
	else
		print_double(out, v);
}

static void print_duration_expr(struct strbuf *out, const struct duration_expr *d);

static void print_duration_args(struct strbuf *out, const char *name, const struct duration_expr *d)
{
	strbuf_addf(out, "%s(", name);
	print_duration_expr(out, d->lhs);
	strbuf_adds(out, ", ");
	print_duration_expr(out, d->rhs);
	strbuf_addch(out, ')');
}

static void print_duration_body(struct strbuf *out, const struct duration_expr *d)
{
	static const char *const texts[] = {
	    [DURATION_ADD] = "+",
	    [DURATION_SUB] = "-",
	    [DURATION_MUL] = "*",
	    [DURATION_DIV] = "/",
	    [DURATION_MOD] = "%",
	    [DURATION_POW] = "^",
	};
	switch (d->op) {
	case DURATION_NUMBER:
		print_number(out, d->number, d->is_duration);
		return;
	case DURATION_STEP:
		strbuf_adds(out, "step()");
		return;
	case DURATION_RANGE:
		strbuf_adds(out, "range()");
		return;
	case DURATION_MIN_OF:
		print_duration_args(out, "min_of", d);
		return;
	case DURATION_MAX_OF:
		print_duration_args(out, "max_of", d);
		return;
	case DURATION_ADD:
	case DURATION_SUB:
	case DURATION_MUL:
	case DURATION_DIV:
	case DURATION_MOD:
	case DURATION_POW:
		break;
	}
	if (d->lhs) {
		print_duration_expr(out, d->lhs);
		strbuf_addf(out, " %s ", texts[d->op]);
	} else if (d->op == DURATION_SUB) {
		strbuf_addch(out, '-');
	}
	print_duration_expr(out, d->rhs);
}

static void print_duration_expr(struct strbuf *out, const struct duration_expr *d)
{
	if (d->wrapped)
		strbuf_addch(out, '(');
	print_duration_body(out, d);
	if (d->wrapped)
		strbuf_addch(out, ')');
}

static void print_ast_duration(struct strbuf *out, const struct ast_duration *d)
{
	if (d->expr)
		print_duration_expr(out, d->expr);
	else
		duration_print(out, d->ms);
}

static void print_at(struct strbuf *out, const struct time_shift *shift)
{
	switch (shift->at) {
	case AT_NONE:
		break;
	case AT_TIME:
		strbuf_addf(out, " @ %.3f", (double)shift->at_ms / 1000);
		break;
	case AT_START:
		strbuf_adds(out, " @ start()");
		break;
	case AT_END:
		strbuf_adds(out, " @ end()");
		break;
	}
}

static void print_offset(struct strbuf *out, const struct time_shift *shift)
{
	if (!shift->offset.expr && shift->offset.ms == 0)
		return;
	strbuf_adds(out, " offset ");
	print_ast_duration(out, &shift->offset);
}

/* --- selectors --- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The matcher of a name before the braces is not printed again. */
static bool repeats_name(const struct selector *sel, const struct matcher *m)
{
	return m->op == MATCH_EQUAL && sel->name.len > 0 && slice_eq(m->name, SL(LABEL_NAME)) &&
	       slice_eq(m->value, sel->name);
}

static void print_matchers(struct strbuf *out, const struct selector *sel)
{
	char **texts = (char **)xcalloc(sel->n_matchers + 1, sizeof(*texts));
	size_t n = 0;
	for (size_t i = 0; i < sel->n_matchers; i++) {
		if (repeats_name(sel, sel->matchers[i]))
			continue;
		struct strbuf text = STRBUF_INIT;
		matcher_print(&text, sel->matchers[i]);
		texts[n++] = strbuf_take(&text);
	}
	qsort(texts, n, sizeof(*texts), compare_texts);
	bool braces = n > 0 || sel->name.len == 0;
	if (braces)
		strbuf_addch(out, '{');
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addch(out, ',');
		strbuf_adds(out, texts[i]);
		free(texts[i]);
	}
	if (braces)
		strbuf_addch(out, '}');
	free(texts);
}

static void print_extended(struct strbuf *out, const struct selector *sel)
{
	if (sel->anchored)
		strbuf_adds(out, " anchored");
	if (sel->smoothed)
		strbuf_adds(out, " smoothed");
}

static void print_selector(struct strbuf *out, const struct expr *e)
{
	const struct selector *sel = &e->selector;
	strbuf_add_slice(out, sel->name);
	print_matchers(out, sel);
	if (e->kind == EXPR_RANGE_SELECTOR) {
		strbuf_addch(out, '[');
		print_ast_duration(out, &sel->range);
		strbuf_addch(out, ']');
		print_extended(out, sel);
		print_at(out, &sel->shift);
	} else {
		print_at(out, &sel->shift);
		print_extended(out, sel);
	}
	print_offset(out, &sel->shift);
}

static void print_subquery_times(struct strbuf *out, const struct subquery *q)
{
	strbuf_addch(out, '[');
	print_ast_duration(out, &q->range);
	strbuf_addch(out, ':');
	if (q->step.expr || q->step.ms)
		print_ast_duration(out, &q->step);
	strbuf_addch(out, ']');
	print_at(out, &q->shift);
	print_offset(out, &q->shift);
}

/* --- operators --- */

static bool is_grouped(enum vector_card card)
{
	return card == CARD_MANY_TO_ONE || card == CARD_ONE_TO_MANY;
}

static void print_fill(struct strbuf *out, const char *word, double v)
{
	char text[DOUBLE_TEXT_MAX];
	strbuf_addf(out, " %s (", word);
	strbuf_add(out, text, double_to_go_g(v, text));
	strbuf_addch(out, ')');
}

static void print_fills(struct strbuf *out, const struct vector_matching *m)
{
	bool same = m->fill_left == m->fill_right;
	if (m->has_fill_left && m->has_fill_right && same) {
		print_fill(out, "fill", m->fill_left);
		return;
	}
	if (m->has_fill_left)
		print_fill(out, "fill_left", m->fill_left);
	if (m->has_fill_right)
		print_fill(out, "fill_right", m->fill_right);
}

static void print_operator(struct strbuf *out, const struct binary *b)
{
	const struct vector_matching *m = b->matching;
	strbuf_adds(out, binary_op_text(b->op));
	if (b->return_bool)
		strbuf_adds(out, " bool");
	if (!m)
		return;
	if (m->n_labels > 0 || m->on || is_grouped(m->card)) {
		strbuf_adds(out, m->on ? " on " : " ignoring ");
		print_labels(out, m->labels, m->n_labels);
	}
	if (is_grouped(m->card)) {
		strbuf_adds(out, m->card == CARD_MANY_TO_ONE ? " group_left " : " group_right ");
		print_labels(out, m->include, m->n_include);
	}
	print_fills(out, m);
}

/* Up to the parenthesis. */
static void print_aggregate_head(struct strbuf *out, const struct aggregate *a)
{
	strbuf_adds(out, aggregate_op_text(a->op));
	if (!a->without && a->n_labels == 0)
		return;
	strbuf_adds(out, a->without ? " without " : " by ");
	print_labels(out, a->labels, a->n_labels);
	strbuf_addch(out, ' ');
}

static void print_aggregate(struct strbuf *out, const struct aggregate *a)
{
	print_aggregate_head(out, a);
	strbuf_addch(out, '(');
	if (a->param) {
		ast_print(out, a->param);
		strbuf_adds(out, ", ");
	}
	ast_print(out, a->inner);
	strbuf_addch(out, ')');
}

static void print_binary(struct strbuf *out, const struct binary *b)
{
	ast_print(out, b->lhs);
	strbuf_addch(out, ' ');
	print_operator(out, b);
	strbuf_addch(out, ' ');
	ast_print(out, b->rhs);
}

static void print_call(struct strbuf *out, const struct call *c)
{
	strbuf_addf(out, "%s(", c->func->name);
	for (size_t i = 0; i < c->n_args; i++) {
		if (i)
			strbuf_adds(out, ", ");
		ast_print(out, c->args[i]);
	}
	strbuf_addch(out, ')');
}

void ast_print(struct strbuf *out, const struct expr *e)
{
	switch (e->kind) {
	case EXPR_NUMBER:
		print_number(out, e->number.value, e->number.is_duration);
		return;
	case EXPR_STRING:
		utf8_quote_go(out, e->string);
		return;
	case EXPR_SELECTOR:
	case EXPR_RANGE_SELECTOR:
		print_selector(out, e);
		return;
	case EXPR_SUBQUERY:
		ast_print(out, e->subquery.inner);
		print_subquery_times(out, &e->subquery);
		return;
	case EXPR_AGGREGATE:
		print_aggregate(out, &e->aggregate);
		return;
	case EXPR_BINARY:
		print_binary(out, &e->binary);
		return;
	case EXPR_UNARY:
		strbuf_addch(out, e->unary.minus ? '-' : '+');
		ast_print(out, e->unary.inner);
		return;
	case EXPR_PAREN:
		strbuf_addch(out, '(');
		ast_print(out, e->paren);
		strbuf_addch(out, ')');
		return;
	case EXPR_CALL:
		print_call(out, &e->call);
		return;
	}
}

/* --- pretty --- */

struct pretty {
	struct strbuf *out;
	size_t max_line;
};

static void indent(struct pretty *p, unsigned level)
{
	for (unsigned i = 0; i < level; i++)
		strbuf_adds(p->out, "  ");
}

/* The buffer's bound stops the printing early, so that a deep tree is not printed whole at each level. */
static bool fits_line(const struct pretty *p, const struct expr *e)
{
	struct strbuf line;
	strbuf_init(&line, p->max_line);
	ast_print(&line, e);
	bool fits = !strbuf_overflowed(&line);
	strbuf_done(&line);
	return fits;
}

static void pretty_print(struct pretty *p, const struct expr *e, unsigned level);

static void pretty_aggregate(struct pretty *p, const struct aggregate *a, unsigned level)
{
	print_aggregate_head(p->out, a);
	strbuf_adds(p->out, "(\n");
	if (a->param) {
		pretty_print(p, a->param, level + 1);
		strbuf_adds(p->out, ",\n");
	}
	pretty_print(p, a->inner, level + 1);
	strbuf_addch(p->out, '\n');
	indent(p, level);
	strbuf_addch(p->out, ')');
}

static void pretty_binary(struct pretty *p, const struct binary *b, unsigned level)
{
	pretty_print(p, b->lhs, level + 1);
	strbuf_addch(p->out, '\n');
	indent(p, level);
	print_operator(p->out, b);
	strbuf_addch(p->out, '\n');
	pretty_print(p, b->rhs, level + 1);
}

static void pretty_call(struct pretty *p, const struct call *c, unsigned level)
{
	strbuf_addf(p->out, "%s(\n", c->func->name);
	for (size_t i = 0; i < c->n_args; i++) {
		if (i)
			strbuf_adds(p->out, ",\n");
		pretty_print(p, c->args[i], level + 1);
	}
	strbuf_addch(p->out, '\n');
	indent(p, level);
	strbuf_addch(p->out, ')');
}

/* The operand with its own indentation taken away: it goes before the sign. */
static void pretty_unary(struct pretty *p, const struct unary *u, unsigned level)
{
	struct strbuf operand = STRBUF_INIT;
	pretty_print(&(struct pretty){&operand, p->max_line}, u->inner, level);
	indent(p, level);
	strbuf_addch(p->out, u->minus ? '-' : '+');
	strbuf_add_slice(p->out, slice_trim(strbuf_slice(&operand)));
	strbuf_done(&operand);
}

static void pretty_subquery(struct pretty *p, const struct expr *e, unsigned level)
{
	/* One that fits is not indented: so does upstream. */
	if (fits_line(p, e)) {
		ast_print(p->out, e);
		return;
	}
	pretty_print(p, e->subquery.inner, level);
	print_subquery_times(p->out, &e->subquery);
}

static void pretty_split(struct pretty *p, const struct expr *e, unsigned level)
{
	switch (e->kind) {
	case EXPR_AGGREGATE:
		pretty_aggregate(p, &e->aggregate, level);
		return;
	case EXPR_CALL:
		pretty_call(p, &e->call, level);
		return;
	case EXPR_PAREN:
		strbuf_adds(p->out, "(\n");
		pretty_print(p, e->paren, level + 1);
		strbuf_addch(p->out, '\n');
		indent(p, level);
		strbuf_addch(p->out, ')');
		return;
	case EXPR_NUMBER:
	case EXPR_STRING:
	case EXPR_SELECTOR:
	case EXPR_RANGE_SELECTOR:
	case EXPR_SUBQUERY:
	case EXPR_BINARY:
	case EXPR_UNARY:
		ast_print(p->out, e);
		return;
	}
}

static void pretty_print(struct pretty *p, const struct expr *e, unsigned level)
{
	if (e->kind == EXPR_UNARY) {
		pretty_unary(p, &e->unary, level);
		return;
	}
	if (e->kind == EXPR_SUBQUERY) {
		pretty_subquery(p, e, level);
		return;
	}
	bool fits = fits_line(p, e);
	if (e->kind == EXPR_BINARY && !fits) {
		pretty_binary(p, &e->binary, level);
		return;
	}
	indent(p, level);
	if (fits)
		ast_print(p->out, e);
	else
		pretty_split(p, e, level);
}

void ast_print_pretty(struct strbuf *out, const struct expr *e, size_t max_line)
{
	pretty_print(&(struct pretty){out, max_line}, e, 0);
}
