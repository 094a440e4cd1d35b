/* Constructors of the tree: what the actions of the grammar call. Nodes come from the parser's arena; a
 * node may still be changed (a modifier behind a selector) until its parent is made. Each gives NULL once
 * the parse has failed. */
#pragma once

#include "promql/parse_priv.h"

/* Lists grow at the end. */
struct expr_list {
	const struct expr **v;
	size_t len, cap;
};
struct label_list {
	struct slice *v;
	size_t len, cap;
};
struct matcher_list {
	const struct matcher **v;
	size_t len, cap;
};

/* What stands between an operator and its right side. */
struct modifiers {
	bool return_bool;
	struct vector_matching matching;
	struct ast_range fill_pos; /* of the fill modifiers; empty: none */
};

struct grouping {
	bool without;
	struct label_list labels;
};

struct expr_list *ast_exprs(struct parse_state *s, struct expr_list *list, struct expr *e);
struct label_list *ast_labels(
    struct parse_state *s, struct label_list *list, struct slice name, struct ast_range at);
struct matcher_list *ast_matchers(struct parse_state *s, struct matcher_list *list, const struct matcher *m);
/* A label list without anything in it. */
struct label_list *ast_no_labels(struct parse_state *s);

const struct matcher *ast_matcher(
    struct parse_state *s, struct slice name, enum match_op op, struct slice value, struct ast_range at);
/* {"name"}: the metric's name. */
const struct matcher *ast_name_matcher(struct parse_state *s, struct slice name, struct ast_range at);

struct number ast_number_value(struct parse_state *s, struct slice text, struct ast_range at);
struct number ast_duration_value(struct parse_state *s, struct slice text, struct ast_range at);

struct expr *ast_number(struct parse_state *s, struct number n, struct ast_range at);
struct expr *ast_string(struct parse_state *s, struct slice text, struct ast_range at);
struct expr *ast_selector(
    struct parse_state *s, struct slice name, const struct matcher_list *matchers, struct ast_range at);
struct expr *ast_range(struct parse_state *s, struct expr *e, const struct duration_expr *range,
    struct ast_range bracket, struct ast_range at);
struct expr *ast_subquery(struct parse_state *s, struct expr *e, const struct duration_expr *range,
    const struct duration_expr *step, struct ast_range at);
struct expr *ast_offset(
    struct parse_state *s, struct expr *e, const struct duration_expr *d, struct ast_range at);
struct expr *ast_at(struct parse_state *s, struct expr *e, double seconds, struct ast_range at);
struct expr *ast_at_edge(struct parse_state *s, struct expr *e, enum at_kind kind, struct ast_range at);
struct expr *ast_extended(struct parse_state *s, struct expr *e, bool smoothed, struct ast_range at);
struct expr *ast_paren(struct parse_state *s, struct expr *e, struct ast_range at);
struct expr *ast_sign(struct parse_state *s, bool minus, struct expr *e, struct ast_range at);
struct expr *ast_binary(struct parse_state *s, struct expr *lhs, enum binary_op op, const struct modifiers *m,
    struct expr *rhs, struct ast_range at);
struct expr *ast_call(struct parse_state *s, struct slice name, struct ast_range name_at,
    const struct expr_list *args, struct ast_range at);
struct expr *ast_aggregate(struct parse_state *s, enum aggregate_op op, const struct grouping *g,
    const struct expr_list *args, struct ast_range at);
struct grouping *ast_grouping(struct parse_state *s, bool without, const struct label_list *labels);

struct modifiers *ast_modifiers(struct parse_state *s, bool return_bool);
struct modifiers *ast_match_labels(struct modifiers *m, bool on, const struct label_list *labels);
struct modifiers *ast_match_group(
    struct modifiers *m, enum vector_card card, const struct label_list *include);
/* Sides: 1 left, 2 right, 3 both. */
struct modifiers *ast_match_fill(
    struct parse_state *s, struct modifiers *m, unsigned sides, double value, struct ast_range at);

struct duration_expr *ast_dur_number(struct parse_state *s, struct number n, struct ast_range at);
struct duration_expr *ast_dur_leaf(struct parse_state *s, enum duration_op op, struct ast_range at);
struct duration_expr *ast_dur_sign(
    struct parse_state *s, bool minus, struct duration_expr *d, struct ast_range at);
struct duration_expr *ast_dur_binary(struct parse_state *s, enum duration_op op,
    const struct duration_expr *lhs, const struct duration_expr *rhs, struct ast_range op_at,
    struct ast_range at);
/* In parentheses. */
struct duration_expr *ast_dur_wrap(struct parse_state *s, struct duration_expr *d, struct ast_range at);
/* A literal must be greater than 0. */
struct duration_expr *ast_dur_positive(struct parse_state *s, struct duration_expr *d);

/* The whole text: an expression, or a selector alone. */
void ast_done(struct parse_state *s, struct expr *e);
