/* The grammar of PromQL. Actions build the tree (src/promql/ast_build.h) and nothing else; whether the types fit is decided
 * afterwards (src/promql/typecheck.c).
 *
 * The `error` rules are there for their messages: the innermost rule that can take an error names what was wrong and what
 * could have stood there. The first failure ends the parse, so nothing is ever recovered from. */
%code requires {
#include "promql/ast_build.h"
}
%code provides {
int promql_yylex(PROMQL_YYSTYPE *value, PROMQL_YYLTYPE *at, struct parse_state *s);
}
%code {
#define YYMAXDEPTH 10000
/* From the first symbol's start to the last one's end; an empty rule lies where the last one ended. */
#define YYLLOC_DEFAULT(now, rhs, n)                                                                \
	((now) = (n) ? (struct ast_range){YYRHSLOC(rhs, 1).start, YYRHSLOC(rhs, n).end}            \
	             : (struct ast_range){YYRHSLOC(rhs, 0).end, YYRHSLOC(rhs, 0).end})

/* Bison calls it when its stack would pass YYMAXDEPTH. */
static void promql_yyerror(const PROMQL_YYLTYPE *at, struct parse_state *s, const char *message)
{
	(void)message;
	parse_fail(s, *at, "expression is nested too deeply");
}
}

%define api.pure full
%define api.prefix {promql_yy}
%define api.location.type {struct ast_range}
%define parse.error custom
%locations
%param {struct parse_state *s}
%expect 0

%union {
	struct slice text;
	struct number number;
	double value;
	bool flag;
	enum binary_op binary_op;
	enum aggregate_op aggregate_op;
	enum match_op match_op;
	enum duration_op duration_op;
	enum at_kind at_kind;
	struct expr *expr;
	struct expr_list *exprs;
	struct label_list *labels;
	struct matcher_list *matchers;
	const struct matcher *matcher;
	struct grouping *grouping;
	struct modifiers *modifiers;
	struct duration_expr *duration;
}

/* Given out before the text: what it is to be. */
%token START_EXPRESSION START_SELECTOR

%token <text> COLON COMMA DURATION EQL IDENTIFIER LEFT_BRACE LEFT_BRACKET LEFT_PAREN METRIC_IDENTIFIER NUMBER
%token <text> RIGHT_BRACE RIGHT_BRACKET RIGHT_PAREN STRING
/* Operators, aggregations, keywords: src/promql/parse.c tells them apart by their order here. */
%token <text> ADD AT ATAN2 DIV EQLC EQL_REGEX GTE GTR LAND LOR LSS LTE LUNLESS MOD MUL NEQ NEQ_REGEX POW SUB
%token <text> TRIM_LOWER TRIM_UPPER
%token <text> AVG BOTTOMK COUNT COUNT_VALUES GROUP LIMITK LIMIT_RATIO MAX MIN QUANTILE STDDEV STDVAR SUM TOPK
%token <text> ANCHORED BOOL BY FILL FILL_LEFT FILL_RIGHT GROUP_LEFT GROUP_RIGHT IGNORING OFFSET ON SMOOTHED WITHOUT
/* words with a meaning before parentheses */
%token <text> END MAX_OF MIN_OF RANGE START STEP

/* From loose to tight. Behind group_left, a parenthesis begins its labels, not the right side; behind an operator, fill() is a
 * modifier, not a name. */
%precedence NO_LABELS
%precedence LEFT_PAREN FILL FILL_LEFT FILL_RIGHT
%left LOR
%left LAND LUNLESS
%left EQLC GTE GTR LSS LTE NEQ TRIM_LOWER TRIM_UPPER
%left ADD SUB
%left MUL DIV MOD ATAN2
%right POW
%precedence OFFSET AT ANCHORED SMOOTHED
%precedence LEFT_BRACKET

%type <expr> expr aggregate_expr binary_expr function_call selector range_expr shifted_expr
%type <exprs> call_args arg_list
%type <labels> labels label_list maybe_labels
%type <matchers> matchers matcher_list
%type <matcher> matcher
%type <grouping> grouping
%type <modifiers> modifiers matching bool_modifier
%type <duration> duration positive_duration offset_duration open_duration leaf_duration paren_duration
%type <text> metric_name label function_name any_word
%type <number> literal
%type <value> signed_value
%type <flag> sign
%type <aggregate_op> aggregate_op
%type <match_op> match_op
%type <at_kind> edge
%type <duration_op> min_max

%start text

%%

text:
  START_EXPRESSION expr                 { ast_done(s, $2); }
| START_EXPRESSION                      { parse_empty(s); }
| START_SELECTOR selector               { ast_done(s, $2); }
| error                                 { parse_unexpected(s, "", ""); }
;

expr:
  literal                               { $$ = ast_number(s, $1, @$); }
| STRING                                { $$ = ast_string(s, $1, @$); }
| LEFT_PAREN expr RIGHT_PAREN           { $$ = ast_paren(s, $2, @$); }
| sign expr %prec MUL                   { $$ = ast_sign(s, $1, $2, @$); }
| selector
| range_expr
| shifted_expr
| aggregate_expr
| binary_expr
| function_call
;

literal:
  NUMBER                                { $$ = ast_number_value(s, $1, @1); }
| DURATION                              { $$ = ast_duration_value(s, $1, @1); }
;

sign:
  ADD                                   { $$ = false; }
| SUB                                   { $$ = true; }
;

/* --- operators --- */

binary_expr:
  expr ADD modifiers expr               { $$ = ast_binary(s, $1, OP_ADD, $3, $4, @$); }
| expr ATAN2 modifiers expr             { $$ = ast_binary(s, $1, OP_ATAN2, $3, $4, @$); }
| expr DIV modifiers expr               { $$ = ast_binary(s, $1, OP_DIV, $3, $4, @$); }
| expr EQLC modifiers expr              { $$ = ast_binary(s, $1, OP_EQ, $3, $4, @$); }
| expr GTE modifiers expr               { $$ = ast_binary(s, $1, OP_GE, $3, $4, @$); }
| expr GTR modifiers expr               { $$ = ast_binary(s, $1, OP_GT, $3, $4, @$); }
| expr LAND modifiers expr              { $$ = ast_binary(s, $1, OP_AND, $3, $4, @$); }
| expr LOR modifiers expr               { $$ = ast_binary(s, $1, OP_OR, $3, $4, @$); }
| expr LSS modifiers expr               { $$ = ast_binary(s, $1, OP_LT, $3, $4, @$); }
| expr LTE modifiers expr               { $$ = ast_binary(s, $1, OP_LE, $3, $4, @$); }
| expr LUNLESS modifiers expr           { $$ = ast_binary(s, $1, OP_UNLESS, $3, $4, @$); }
| expr MOD modifiers expr               { $$ = ast_binary(s, $1, OP_MOD, $3, $4, @$); }
| expr MUL modifiers expr               { $$ = ast_binary(s, $1, OP_MUL, $3, $4, @$); }
| expr NEQ modifiers expr               { $$ = ast_binary(s, $1, OP_NE, $3, $4, @$); }
| expr POW modifiers expr               { $$ = ast_binary(s, $1, OP_POW, $3, $4, @$); }
| expr SUB modifiers expr               { $$ = ast_binary(s, $1, OP_SUB, $3, $4, @$); }
| expr TRIM_LOWER modifiers expr        { $$ = ast_binary(s, $1, OP_TRIM_LOWER, $3, $4, @$); }
| expr TRIM_UPPER modifiers expr        { $$ = ast_binary(s, $1, OP_TRIM_UPPER, $3, $4, @$); }
;

modifiers:
  matching %prec NO_LABELS
| matching FILL LEFT_PAREN signed_value RIGHT_PAREN
                                        { $$ = ast_match_fill(s, $1, 3, $4, @2); }
| matching FILL_LEFT LEFT_PAREN signed_value RIGHT_PAREN %prec NO_LABELS
                                        { $$ = ast_match_fill(s, $1, 1, $4, @2); }
| matching FILL_RIGHT LEFT_PAREN signed_value RIGHT_PAREN %prec NO_LABELS
                                        { $$ = ast_match_fill(s, $1, 2, $4, @2); }
| matching FILL_LEFT LEFT_PAREN signed_value RIGHT_PAREN FILL_RIGHT LEFT_PAREN signed_value RIGHT_PAREN
                                        { $$ = ast_match_fill(s, ast_match_fill(s, $1, 1, $4, @2), 2, $8, @6); }
| matching FILL_RIGHT LEFT_PAREN signed_value RIGHT_PAREN FILL_LEFT LEFT_PAREN signed_value RIGHT_PAREN
                                        { $$ = ast_match_fill(s, ast_match_fill(s, $1, 2, $4, @2), 1, $8, @6); }
;

matching:
  bool_modifier
| bool_modifier ON labels               { $$ = ast_match_labels($1, true, $3); }
| bool_modifier ON labels GROUP_LEFT maybe_labels
                                        { $$ = ast_match_group(ast_match_labels($1, true, $3), CARD_MANY_TO_ONE, $5); }
| bool_modifier ON labels GROUP_RIGHT maybe_labels
                                        { $$ = ast_match_group(ast_match_labels($1, true, $3), CARD_ONE_TO_MANY, $5); }
| bool_modifier IGNORING labels         { $$ = ast_match_labels($1, false, $3); }
| bool_modifier IGNORING labels GROUP_LEFT maybe_labels
                                        { $$ = ast_match_group(ast_match_labels($1, false, $3), CARD_MANY_TO_ONE, $5); }
| bool_modifier IGNORING labels GROUP_RIGHT maybe_labels
                                        { $$ = ast_match_group(ast_match_labels($1, false, $3), CARD_ONE_TO_MANY, $5); }
;

bool_modifier:
  %empty                                { $$ = ast_modifiers(s, false); }
| BOOL                                  { $$ = ast_modifiers(s, true); }
;

signed_value:
  literal                               { $$ = $1.value; }
| sign literal                          { $$ = $1 ? -$2.value : $2.value; }
;

/* --- lists of labels --- */

maybe_labels:
  %empty %prec NO_LABELS                { $$ = ast_no_labels(s); }
| labels
;

labels:
  LEFT_PAREN RIGHT_PAREN                { $$ = ast_no_labels(s); }
| LEFT_PAREN label_list RIGHT_PAREN     { $$ = $2; }
| LEFT_PAREN label_list COMMA RIGHT_PAREN
                                        { $$ = $2; }
| error                                 { $$ = NULL; parse_unexpected(s, "grouping opts", "\"(\""); }
;

label_list:
  label                                 { $$ = ast_labels(s, NULL, $1, @1); }
| label_list COMMA label                { $$ = ast_labels(s, $1, $3, @3); }
| label_list error                      { $$ = NULL; parse_unexpected(s, "grouping opts", "\",\" or \")\""); }
;

label:
  any_word
| METRIC_IDENTIFIER
| STRING
| ATAN2 | BOOL | GROUP_LEFT | GROUP_RIGHT | IGNORING | ON
| FILL | FILL_LEFT | FILL_RIGHT
| error                                 { $$ = SL_EMPTY; parse_unexpected(s, "grouping opts", "label"); }
;

/* Keywords that may be a name where nothing else fits. */
any_word:
  IDENTIFIER
| AVG | BOTTOMK | COUNT | COUNT_VALUES | GROUP | LIMITK | LIMIT_RATIO | MAX | MIN | QUANTILE | STDDEV | STDVAR | SUM | TOPK
| LAND | LOR | LUNLESS
| ANCHORED | BY | OFFSET | SMOOTHED
| END | MAX_OF | MIN_OF | RANGE | START | STEP
;

/* --- aggregations and calls --- */

aggregate_expr:
  aggregate_op call_args                { $$ = ast_aggregate(s, $1, NULL, $2, @$); }
| aggregate_op grouping call_args       { $$ = ast_aggregate(s, $1, $2, $3, @$); }
| aggregate_op call_args grouping       { $$ = ast_aggregate(s, $1, $3, $2, @$); }
| aggregate_op error                    { $$ = NULL; parse_unexpected(s, "aggregation", ""); }
;

aggregate_op:
  AVG                                   { $$ = AGG_AVG; }
| BOTTOMK                               { $$ = AGG_BOTTOMK; }
| COUNT                                 { $$ = AGG_COUNT; }
| COUNT_VALUES                          { $$ = AGG_COUNT_VALUES; }
| GROUP                                 { $$ = AGG_GROUP; }
| LIMITK                                { $$ = AGG_LIMITK; }
| LIMIT_RATIO                           { $$ = AGG_LIMIT_RATIO; }
| MAX                                   { $$ = AGG_MAX; }
| MIN                                   { $$ = AGG_MIN; }
| QUANTILE                              { $$ = AGG_QUANTILE; }
| STDDEV                                { $$ = AGG_STDDEV; }
| STDVAR                                { $$ = AGG_STDVAR; }
| SUM                                   { $$ = AGG_SUM; }
| TOPK                                  { $$ = AGG_TOPK; }
;

grouping:
  BY labels                             { $$ = ast_grouping(s, false, $2); }
| WITHOUT labels                        { $$ = ast_grouping(s, true, $2); }
;

function_call:
  function_name call_args               { $$ = ast_call(s, $1, @1, $2, @$); }
;

function_name:
  IDENTIFIER
| END | MAX_OF | MIN_OF | RANGE | START | STEP
;

call_args:
  LEFT_PAREN RIGHT_PAREN                { $$ = NULL; }
| LEFT_PAREN arg_list RIGHT_PAREN       { $$ = $2; }
;

arg_list:
  expr                                  { $$ = ast_exprs(s, NULL, $1); }
| arg_list COMMA expr                   { $$ = ast_exprs(s, $1, $3); }
| arg_list COMMA                        { $$ = $1; parse_fail(s, @2, "trailing commas not allowed in function call args"); }
;

/* --- selectors --- */

selector:
  metric_name                           { $$ = ast_selector(s, $1, NULL, @$); }
| metric_name matchers                  { $$ = ast_selector(s, $1, $2, @$); }
| matchers                              { $$ = ast_selector(s, SL_EMPTY, $1, @$); }
;

metric_name:
  any_word
| METRIC_IDENTIFIER
| FILL | FILL_LEFT | FILL_RIGHT | WITHOUT
;

matchers:
  LEFT_BRACE RIGHT_BRACE                { $$ = NULL; }
| LEFT_BRACE matcher_list RIGHT_BRACE   { $$ = $2; }
| LEFT_BRACE matcher_list COMMA RIGHT_BRACE
                                        { $$ = $2; }
;

matcher_list:
  matcher                               { $$ = ast_matchers(s, NULL, $1); }
| matcher_list COMMA matcher            { $$ = ast_matchers(s, $1, $3); }
| matcher_list error                    { $$ = NULL; parse_unexpected(s, "label matching", "\",\" or \"}\""); }
;

matcher:
  IDENTIFIER match_op STRING            { $$ = ast_matcher(s, $1, $2, $3, @$); }
| STRING match_op STRING                { $$ = ast_matcher(s, $1, $2, $3, @$); }
| STRING                                { $$ = ast_name_matcher(s, $1, @$); }
| IDENTIFIER match_op error             { $$ = NULL; parse_unexpected(s, "label matching", "string"); }
| STRING match_op error                 { $$ = NULL; parse_unexpected(s, "label matching", "string"); }
| IDENTIFIER error                      { $$ = NULL; parse_unexpected(s, "label matching", "label matching operator"); }
| error                                 { $$ = NULL; parse_unexpected(s, "label matching", "identifier or \"}\""); }
;

match_op:
  EQL                                   { $$ = MATCH_EQUAL; }
| NEQ                                   { $$ = MATCH_NOT_EQUAL; }
| EQL_REGEX                             { $$ = MATCH_REGEX; }
| NEQ_REGEX                             { $$ = MATCH_NOT_REGEX; }
;

/* --- ranges and subqueries --- */

range_expr:
  expr LEFT_BRACKET positive_duration RIGHT_BRACKET
                                        { $$ = ast_range(s, $1, $3, (struct ast_range){@2.start, @4.end}, @$); }
| expr LEFT_BRACKET positive_duration COLON RIGHT_BRACKET
                                        { $$ = ast_subquery(s, $1, $3, NULL, @$); }
| expr LEFT_BRACKET positive_duration COLON positive_duration RIGHT_BRACKET
                                        { $$ = ast_subquery(s, $1, $3, $5, @$); }
| expr LEFT_BRACKET positive_duration COLON positive_duration error
                                        { $$ = NULL; parse_unexpected(s, "subquery selector", "\"]\""); }
| expr LEFT_BRACKET positive_duration COLON error
                                        { $$ = NULL; parse_unexpected(s, "subquery selector", "number, duration, step(), range(), or \"]\""); }
| expr LEFT_BRACKET positive_duration error
                                        { $$ = NULL; parse_unexpected(s, "subquery or range", "\":\" or \"]\""); }
| expr LEFT_BRACKET error               { $$ = NULL; parse_unexpected(s, "subquery or range selector", "number, duration, step(), or range()"); }
;

/* --- modifiers behind a selector --- */

shifted_expr:
  expr OFFSET offset_duration           { $$ = ast_offset(s, $1, $3, @$); }
| expr OFFSET error                     { $$ = NULL; parse_unexpected(s, "offset", "number, duration, step(), or range()"); }
| expr AT signed_value                  { $$ = ast_at(s, $1, $3, @$); }
| expr AT edge LEFT_PAREN RIGHT_PAREN   { $$ = ast_at_edge(s, $1, $3, @$); }
| expr AT error                         { $$ = NULL; parse_unexpected(s, "@", "timestamp"); }
| expr ANCHORED                         { $$ = ast_extended(s, $1, false, @$); }
| expr SMOOTHED                         { $$ = ast_extended(s, $1, true, @$); }
;

edge:
  START                                 { $$ = AT_START; }
| END                                   { $$ = AT_END; }
;

/* --- durations --- */

positive_duration:
  duration                              { $$ = ast_dur_positive(s, $1); }
;

duration:
  literal                               { $$ = ast_dur_number(s, $1, @$); }
| leaf_duration
| paren_duration
| sign duration %prec MUL               { $$ = ast_dur_sign(s, $1, $2, @$); }
| duration ADD duration                 { $$ = ast_dur_binary(s, DURATION_ADD, $1, $3, @2, @$); }
| duration SUB duration                 { $$ = ast_dur_binary(s, DURATION_SUB, $1, $3, @2, @$); }
| duration MUL duration                 { $$ = ast_dur_binary(s, DURATION_MUL, $1, $3, @2, @$); }
| duration DIV duration                 { $$ = ast_dur_binary(s, DURATION_DIV, $1, $3, @2, @$); }
| duration MOD duration                 { $$ = ast_dur_binary(s, DURATION_MOD, $1, $3, @2, @$); }
| duration POW duration                 { $$ = ast_dur_binary(s, DURATION_POW, $1, $3, @2, @$); }
;

leaf_duration:
  STEP LEFT_PAREN RIGHT_PAREN           { $$ = ast_dur_leaf(s, DURATION_STEP, @$); }
| RANGE LEFT_PAREN RIGHT_PAREN          { $$ = ast_dur_leaf(s, DURATION_RANGE, @$); }
| min_max LEFT_PAREN duration COMMA duration RIGHT_PAREN
                                        { $$ = ast_dur_binary(s, $1, $3, $5, @1, @$); }
;

min_max:
  MIN_OF                                { $$ = DURATION_MIN_OF; }
| MAX_OF                                { $$ = DURATION_MAX_OF; }
;

paren_duration:
  LEFT_PAREN duration RIGHT_PAREN       { $$ = ast_dur_wrap(s, $2, @2); }
;

/* Behind `offset` a number ends the duration: `foo offset 5m + 3` is a sum. What begins with a parenthesis or with two signs goes
 * on: `foo offset (5m) + 3` is none. */
offset_duration:
  literal                               { $$ = ast_dur_number(s, $1, @$); }
| leaf_duration
| sign literal                          { $$ = ast_dur_sign(s, $1, ast_dur_number(s, $2, @2), @$); }
| sign leaf_duration                    { $$ = ast_dur_sign(s, $1, $2, @$); }
| sign paren_duration                   { $$ = ast_dur_sign(s, $1, $2, @$); }
| open_duration %prec NO_LABELS
;

open_duration:
  paren_duration
| sign sign duration %prec MUL          { $$ = ast_dur_sign(s, $1, ast_dur_sign(s, $2, $3, @$), @$); }
| open_duration ADD duration            { $$ = ast_dur_binary(s, DURATION_ADD, $1, $3, @2, @$); }
| open_duration SUB duration            { $$ = ast_dur_binary(s, DURATION_SUB, $1, $3, @2, @$); }
| open_duration MUL duration            { $$ = ast_dur_binary(s, DURATION_MUL, $1, $3, @2, @$); }
| open_duration DIV duration            { $$ = ast_dur_binary(s, DURATION_DIV, $1, $3, @2, @$); }
| open_duration MOD duration            { $$ = ast_dur_binary(s, DURATION_MOD, $1, $3, @2, @$); }
| open_duration POW duration            { $$ = ast_dur_binary(s, DURATION_POW, $1, $3, @2, @$); }
;

%%

/* The error rules speak. */
static int yyreport_syntax_error(const yypcontext_t *context, struct parse_state *s)
{
	(void)context, (void)s;
	return 0;
}
