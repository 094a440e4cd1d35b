#include "tests/lib/script_promql.h"
#include "base/double_text.h"
#include "model/duration.h"
#include "promql/engine.h"
#include "promql/functions.h"
#include "promql/parse.h"
#include "promql/string_literal.h"
#include "tests/lib/reference_promql.h"
#include "tests/lib/script_priv.h"

VEC_DEFINE(line_vec, struct slice);

struct script {
	const char *name;
	struct line_vec lines; /* trimmed; comments are empty lines */
	size_t at;
	struct mem_store *store;
	struct arena *loaded; /* what the store was filled with */
	struct promql_options options;
	struct promql_engine *engine; /* NULL: the reference evaluator answers */
	struct strbuf *out;
	struct script_result *result;
};

/* One eval, from its command to its verdict. */
struct eval {
	struct script *script;
	struct arena *arena;
	size_t line; /* 1-based */
	struct slice query;
	bool is_range;
	int64_t from_ms, to_ms, step_ms;
	struct expectation want;
	const struct expr *expr;
};

/* --- words --- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* The first word of `rest`, which moves behind it. */
static struct slice take_word(struct slice *rest)
{
	*rest = slice_trim(*rest);
	size_t n = 0;
	while (n < rest->len && !is_space(rest->ptr[n]))
		n++;
	struct slice word = slice_of(rest->ptr, n);
	*rest = slice_trim(slice_from(*rest, n));
	return word;
}

static bool take_this(struct slice *rest, const char *word)
{
	struct slice copy = *rest;
	if (!slice_eq_cstr(take_word(&copy), word))
		return false;
	*rest = copy;
	return true;
}

/* A time since the epoch or a step, as a duration with a sign. */
static int read_time(struct slice word, int64_t *ms, struct err *err)
{
	bool minus = word.len && word.ptr[0] == '-';
	int rc = duration_parse(slice_from(word, minus ? 1 : 0), ms, err);
	if (rc)
		return err_prefix(err, "invalid timestamp definition \"%" SL_FMT "\": ", SL_ARG(word));
	*ms = minus ? -*ms : *ms;
	return 0;
}

static int take_time(struct slice *rest, int64_t *ms, struct err *err)
{
	return read_time(take_word(rest), ms, err);
}

static int syntax_error(struct err *err, struct slice line)
{
	return err_set(err, ERR_INVALID, "cannot read \"%" SL_FMT "\"", SL_ARG(line));
}

/* --- load --- */

static int run_load(struct script *s, struct slice rest, bool with_nhcb, struct err *err)
{
	struct script_load load = {.store = s->store, .with_nhcb = with_nhcb, .arena = s->loaded};
	int rc = take_time(&rest, &load.step_ms, err);
	for (; !rc && s->at < s->lines.len && s->lines.v[s->at].len; s->at++)
		rc = script_load_line(&load, s->lines.v[s->at], err);
	script_load_finish(&load);
	return rc;
}

/* --- expectations --- */

static int read_text_expectation(
    struct slice line, struct slice rest, struct expected_text_vec *list, struct err *err)
{
	struct expected_text text = {0};
	if (slice_starts(rest, SL("msg:"))) {
		text.text = slice_trim(slice_from(rest, 4));
	} else if (slice_starts(rest, SL("regex:"))) {
		text.text = slice_trim(slice_from(rest, 6));
		text.is_regex = true;
	} else if (rest.len) {
		return syntax_error(err, line);
	}
	expected_text_vec_push(list, text);
	return 0;
}

static int read_expected_range(struct eval *e, struct slice rest, struct err *err)
{
	struct expectation *w = &e->want;
	w->has_range_vector = true;
	struct slice line = rest;
	if (!take_this(&rest, "vector") || !take_this(&rest, "from"))
		return syntax_error(err, line);
	int rc = take_time(&rest, &w->from_ms, err);
	if (!rc && !take_this(&rest, "to"))
		return syntax_error(err, line);
	if (!rc)
		rc = take_time(&rest, &w->to_ms, err);
	if (!rc && !take_this(&rest, "step"))
		return syntax_error(err, line);
	return rc ? rc : take_time(&rest, &w->step_ms, err);
}

static int read_expect(struct eval *e, struct slice line, struct slice rest, struct err *err)
{
	struct expectation *w = &e->want;
	struct slice kind = take_word(&rest);
	if (slice_eq_cstr(kind, "fail")) {
		if (w->fails.len)
			return err_set(err, ERR_INVALID,
			    "invalid expect lines, multiple expect fail lines are not allowed");
		w->fail = true;
		return read_text_expectation(line, rest, &w->fails, err);
	}
	if (slice_eq_cstr(kind, "warn"))
		return read_text_expectation(line, rest, &w->warns, err);
	if (slice_eq_cstr(kind, "info"))
		return read_text_expectation(line, rest, &w->infos, err);
	if (slice_eq_cstr(kind, "string")) {
		w->has_string = true;
		return string_literal_parse(e->arena, rest, &w->string, err);
	}
	if (slice_eq_cstr(kind, "range"))
		return read_expected_range(e, rest, err);
	bool *flag = slice_eq_cstr(kind, "ordered")   ? &w->ordered
		     : slice_eq_cstr(kind, "no_warn") ? &w->no_warn
		     : slice_eq_cstr(kind, "no_info") ? &w->no_info
						      : NULL;
	if (!flag || rest.len)
		return syntax_error(err, line);
	*flag = true;
	return 0;
}

/* expected_fail_message and expected_fail_regexp: the old spelling. */
static bool read_old_fail(struct eval *e, struct slice line)
{
	struct slice rest = line, word = take_word(&rest);
	bool is_regex = slice_eq_cstr(word, "expected_fail_regexp");
	if (!is_regex && !slice_eq_cstr(word, "expected_fail_message"))
		return false;
	expected_text_vec_push(&e->want.fails, (struct expected_text){.text = rest, .is_regex = is_regex});
	return true;
}

static int read_series_line(struct eval *e, struct slice line, struct err *err)
{
	double scalar;
	if (double_parse(line, &scalar)) {
		e->want.has_scalar = true;
		e->want.scalar = scalar;
		return 0;
	}
	struct series_notation row;
	int rc = series_notation_parse(e->arena, line, &row, err);
	if (!rc)
		expected_series_vec_push(&e->want.series, row);
	return rc;
}

static int read_expectations(struct eval *e, struct err *err)
{
	struct script *s = e->script;
	int rc = 0;
	for (; !rc && s->at < s->lines.len && s->lines.v[s->at].len; s->at++) {
		struct slice line = s->lines.v[s->at], rest = line;
		if (take_this(&rest, "expect"))
			rc = read_expect(e, line, rest, err);
		else if (!read_old_fail(e, line))
			rc = read_series_line(e, line, err);
	}
	return rc;
}

/* --- the command --- */

static int read_instant(struct eval *e, struct slice *rest, struct err *err)
{
	take_this(rest, "at");
	int rc = take_time(rest, &e->from_ms, err);
	e->to_ms = e->from_ms;
	return rc;
}

static int read_range(struct eval *e, struct slice *rest, struct err *err)
{
	e->is_range = true;
	struct slice line = *rest;
	if (!take_this(rest, "from"))
		return syntax_error(err, line);
	int rc = take_time(rest, &e->from_ms, err);
	if (!rc && !take_this(rest, "to"))
		return syntax_error(err, line);
	if (!rc)
		rc = take_time(rest, &e->to_ms, err);
	if (!rc && !take_this(rest, "step"))
		return syntax_error(err, line);
	if (!rc)
		rc = take_time(rest, &e->step_ms, err);
	if (!rc && e->to_ms < e->from_ms)
		return err_set(
		    err, ERR_INVALID, "invalid test definition, end timestamp is before start timestamp");
	if (!rc && e->step_ms <= 0)
		return err_set(err, ERR_INVALID, "invalid test definition, step must be greater than 0");
	return rc;
}

/* eval, eval_fail, eval_warn, eval_info, eval_ordered */
static int read_eval(struct eval *e, struct slice command, struct slice rest, struct err *err)
{
	struct expectation *w = &e->want;
	if (slice_eq_cstr(command, "eval_fail"))
		w->fail = true;
	else if (slice_eq_cstr(command, "eval_warn"))
		expected_text_vec_push(&w->warns, (struct expected_text){0});
	else if (slice_eq_cstr(command, "eval_info"))
		expected_text_vec_push(&w->infos, (struct expected_text){0});
	else if (slice_eq_cstr(command, "eval_ordered"))
		w->ordered = true;
	else if (!slice_eq_cstr(command, "eval"))
		return syntax_error(err, command);
	struct slice line = rest;
	int rc = take_this(&rest, "instant") ? read_instant(e, &rest, err)
		 : take_this(&rest, "range") ? read_range(e, &rest, err)
					     : syntax_error(err, line);
	if (rc)
		return rc;
	e->query = rest;
	w->from_ms = e->from_ms;
	w->to_ms = e->to_ms;
	w->step_ms = e->step_ms;
	rc = read_expectations(e, err);
	if (!rc && w->ordered && e->is_range)
		return err_set(
		    err, ERR_INVALID, "expecting ordered result from a range query is not supported");
	return rc;
}

/* --- running --- */

static const struct parse_options everything = {
    .experimental_functions = true, .extended_range_selectors = true, .binop_fill_modifiers = true};

static int run_query(const struct eval *e, const struct expr *expr, int64_t from_ms, int64_t to_ms,
    int64_t step_ms, struct query_result **out, struct err *err)
{
	struct promql_query q = {
	    .store = mem_store_queryable(e->script->store),
	    .expr = expr,
	    .text = e->query,
	    .start_ms = from_ms,
	    .end_ms = to_ms,
	    .step_ms = step_ms,
	};
	if (!e->script->engine)
		return reference_promql_run(&e->script->options, &q, NULL, out, err);
	return promql_engine_run(e->script->engine, &q, out, err);
}

static bool uses_query_range(const struct expr *e);

static bool shift_uses_range(const struct time_shift *shift)
{
	return shift->at == AT_START || shift->at == AT_END || shift->offset.expr;
}

static bool call_uses_range(const struct call *c)
{
	enum function_id id = c->func->id;
	bool uses = id == FN_START || id == FN_END || id == FN_STEP || id == FN_RANGE;
	for (size_t i = 0; i < c->n_args && !uses; i++)
		uses = uses_query_range(c->args[i]);
	return uses;
}

/* Whether the value depends on the query's own range: start(), end(), step(), range(), duration
 * expressions. */
static bool uses_query_range(const struct expr *e)
{
	switch (e->kind) {
	case EXPR_NUMBER:
	case EXPR_STRING:
		return false;
	case EXPR_SELECTOR:
	case EXPR_RANGE_SELECTOR:
		return shift_uses_range(&e->selector.shift) || e->selector.range.expr;
	case EXPR_SUBQUERY:
		return shift_uses_range(&e->subquery.shift) || e->subquery.range.expr ||
		       e->subquery.step.expr || uses_query_range(e->subquery.inner);
	case EXPR_AGGREGATE:
		return uses_query_range(e->aggregate.inner) ||
		       (e->aggregate.param && uses_query_range(e->aggregate.param));
	case EXPR_BINARY:
		return uses_query_range(e->binary.lhs) || uses_query_range(e->binary.rhs);
	case EXPR_UNARY:
		return uses_query_range(e->unary.inner);
	case EXPR_PAREN:
		return uses_query_range(e->paren);
	case EXPR_CALL:
		return call_uses_range(&e->call);
	}
	return false;
}

static bool repeats_as_range(const struct eval *e)
{
	return !e->is_range && !e->want.ordered && !e->want.has_string && !e->want.has_range_vector &&
	       !uses_query_range(e->expr);
}

enum { MINUTE_MS = 60000 };

/* The same in the middle of a range query. */
static int check_as_range(const struct eval *e, struct err *err)
{
	struct query_result *got = NULL;
	int rc = run_query(e, e->expr, e->from_ms - MINUTE_MS, e->from_ms + MINUTE_MS, MINUTE_MS, &got, err);
	if (!rc)
		rc = script_compare_at(&e->want, got, e->from_ms, err);
	query_result_free(got);
	return rc ? err_prefix(err, "as a range query: ") : 0;
}

/* The same at other times, with every selector held at this one. */
static int check_pinned(const struct eval *e, struct err *err)
{
	const int64_t times_ms[] = {-100 * MINUTE_MS, 0, e->from_ms * 10, 10000 * MINUTE_MS};
	struct slice text;
	const struct expr *pinned = NULL;
	if (!script_pin(e->arena, e->expr, e->from_ms, &text))
		return 0;
	int rc = promql_parse(e->arena, text, &everything, &pinned, err);
	for (size_t i = 0; !rc && i < ARRAY_LEN(times_ms); i++) {
		struct query_result *got = NULL;
		rc = run_query(e, pinned, times_ms[i], times_ms[i], 0, &got, err);
		if (!rc)
			rc = script_compare_at(&e->want, got, times_ms[i], err);
		query_result_free(got);
	}
	return rc ? err_prefix(err, "as %" SL_FMT ": ", SL_ARG(text)) : 0;
}

static int check_failure(const struct eval *e, int rc, struct err *err)
{
	if (!rc)
		return err_set(err, ERR_INVALID, "want an error, got none");
	for (size_t i = 0; i < e->want.fails.len; i++) {
		bool matches = false;
		struct err why;
		rc = script_match_text(&e->want.fails.v[i], slice_cstr(err->msg), &matches, &why);
		if (rc) {
			*err = why;
			return rc;
		}
		if (!matches)
			return err_prefix(
			    err, "want error %" SL_FMT ", got ", SL_ARG(e->want.fails.v[i].text));
	}
	return 0;
}

static int run_eval(struct eval *e, struct err *err)
{
	struct query_result *got = NULL;
	int rc = promql_parse(e->arena, e->query, &everything, &e->expr, err);
	if (!rc)
		rc = run_query(e, e->expr, e->from_ms, e->to_ms, e->step_ms, &got, err);
	if (e->want.fail) {
		query_result_free(got);
		return check_failure(e, rc, err);
	}
	if (rc)
		return err_prefix(err, "want no error, got ");
	rc = script_compare(&e->want, got, err);
	if (!rc)
		rc = script_compare_annotations(&e->want, got, err);
	query_result_free(got);
	if (!rc && repeats_as_range(e))
		rc = check_as_range(e, err);
	if (!rc && repeats_as_range(e))
		rc = check_pinned(e, err);
	return rc;
}

static void report(struct script *s, size_t line, struct slice query, const struct err *err)
{
	strbuf_addf(s->out, "%s:%zu: %" SL_FMT ": %s\n", s->name, line, SL_ARG(query), err->msg);
}

static void eval_command(struct script *s, struct slice command, struct slice rest)
{
	struct eval e = {.script = s, .arena = arena_new(ARENA_NO_LIMIT), .line = s->at, .query = rest};
	struct err err = {0};
	int rc = read_eval(&e, command, rest, &err);
	if (!rc)
		rc = run_eval(&e, &err);
	if (rc) {
		s->result->failed++;
		report(s, e.line, e.query, &err);
	} else {
		s->result->passed++;
	}
	expected_text_vec_done(&e.want.fails);
	expected_text_vec_done(&e.want.warns);
	expected_text_vec_done(&e.want.infos);
	expected_series_vec_done(&e.want.series);
	arena_free(e.arena);
}

/* A command that cannot be read is a failure of its own. */
static void other_command(struct script *s, struct slice command, struct slice rest)
{
	struct err err = {0};
	size_t line = s->at;
	int rc = 0;
	if (slice_eq_cstr(command, "load"))
		rc = run_load(s, rest, false, &err);
	else if (slice_eq_cstr(command, "load_with_nhcb"))
		rc = run_load(s, rest, true, &err);
	else if (slice_eq_cstr(command, "clear"))
		mem_store_clear(s->store);
	else
		rc = err_set(&err, ERR_INVALID, "unknown command \"%" SL_FMT "\"", SL_ARG(command));
	if (rc) {
		s->result->failed++;
		report(s, line, command, &err);
	}
}

static void run_command(struct script *s)
{
	struct slice rest = s->lines.v[s->at++];
	struct slice command = take_word(&rest);
	if (slice_starts(command, SL("eval")))
		eval_command(s, command, rest);
	else
		other_command(s, command, rest);
	/* Whatever is left of the block after an error. */
	while (s->at < s->lines.len && s->lines.v[s->at].len && !slice_eq_cstr(command, "clear"))
		s->at++;
}

static void split_lines(struct slice text, struct line_vec *lines)
{
	while (text.len) {
		size_t n = slice_find(text, '\n');
		struct slice line = slice_trim(slice_of(text.ptr, n));
		line_vec_push(lines, slice_starts(line, SL("#")) ? SL_EMPTY : line);
		text = slice_from(text, n < text.len ? n + 1 : n);
	}
}

/* What upstream's scripts count on; the sample limit is a matter of one script, which says so. */
enum { MAX_SAMPLES = 10000, DEFAULT_STEP_MS = 60000, LOOKBACK_MS = 300000 };

void script_promql_run(const char *name, struct slice text, const struct script_options *options,
    struct strbuf *out, struct script_result *result)
{
	struct script s = {.name = name, .out = out, .result = result, .store = mem_store_new()};
	s.options = (struct promql_options){
	    .max_samples = MAX_SAMPLES,
	    .default_step_ms = DEFAULT_STEP_MS,
	    .lookback_ms = LOOKBACK_MS,
	    .delayed_name_removal = options->delayed_name_removal,
	    .use_start_timestamps = true,
	};
	s.loaded = arena_new(ARENA_NO_LIMIT);
	s.engine = options->reference ? NULL : promql_engine_new(&s.options);
	split_lines(text, &s.lines);
	while (s.at < s.lines.len) {
		if (s.lines.v[s.at].len)
			run_command(&s);
		else
			s.at++;
	}
	promql_engine_free(s.engine);
	arena_free(s.loaded);
	mem_store_free(s.store);
	line_vec_done(&s.lines);
}
