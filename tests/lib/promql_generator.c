#include "tests/lib/promql_generator.h"

#include "promql/functions.h"
#include <inttypes.h>
#include <string.h>

struct asker {
	struct test_random *r;
	const struct promql_data *data;
	struct promql_question *q;
	struct strbuf text;
	unsigned subqueries; /* around the place at hand */
};

static bool chance(struct asker *a, unsigned percent)
{
	return test_random_below(a->r, 100) < percent;
}

static size_t below(struct asker *a, size_t n)
{
	return test_random_below(a->r, n);
}

#define PICK(a, ...)                                                                                         \
	pick((a), (const char *const[]){__VA_ARGS__},                                                        \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static const char *pick(struct asker *a, const char *const *of, size_t n)
{
	return of[below(a, n)];
}

static void put(struct asker *a, const char *s)
{
	strbuf_adds(&a->text, s);
}

static void vector(struct asker *a, unsigned depth);
static void scalar(struct asker *a, unsigned depth);

/* --- selectors ---------------------------------------------------------------------------------------------------------- */

static void duration(struct asker *a, int64_t ms)
{
	strbuf_addf(&a->text, "%" PRId64 "%s", ms % 1000 ? ms : ms / 1000, ms % 1000 ? "ms" : "s");
}

static void modifiers(struct asker *a)
{
	if (chance(a, 10)) {
		put(a, " offset ");
		put(a, PICK(a, "1m", "30s", "-1m", "7s", "5m", "(step() + 1m)", "-20m", "0s", "1ms",
			   "max_of(step(), 1m)"));
	}
	if (chance(a, 6)) {
		put(a, " @ ");
		if (chance(a, 50)) {
			put(a, PICK(a, "start()", "end()"));
			return;
		}
		uint64_t span = (uint64_t)(a->data->end_ms - a->data->start_ms);
		int64_t t_ms = a->data->start_ms + (int64_t)test_random_below(a->r, span);
		strbuf_addf(&a->text, "%" PRId64 ".%03d", t_ms / 1000, (int)(t_ms % 1000));
	}
}

static const char *float_metric(struct asker *a)
{
	return PICK(a, "g", "g", "k", "k", "c_total", "c_total", "f_count", "wild", "one", "up", "t_total",
	    "lat_bucket");
}

static const char *any_metric(struct asker *a)
{
	return chance(a, 70) ? float_metric(a) : PICK(a, "nh", "nh", "nc", "mix", "mix", "lat_bucket");
}

static const char *matcher(struct asker *a)
{
	return PICK(a, "a=\"x\"", "a=\"y\"", "b=\"1\"", "a!=\"x\"", "b=~\"1|2\"", "a=~\"[xy]\"", "b!~\"1.*\"",
	    "b=\"\"", "b!=\"\"", "nope=\"\"", "a=\"none\"");
}

static void series(struct asker *a, const char *metric)
{
	/* Without the feature series do not differ in their type alone. */
	if (strcmp(metric, "t_total") == 0 && !a->q->type_and_unit_labels) {
		put(a, "t_total{__type__=\"counter\"}");
		return;
	}
	if (chance(a, 5)) {
		put(a, PICK(a, "{__name__=~\"g|k\"}", "{__name__=~\"g|k\",a=\"x\"}",
			   "{a=\"x\",b=\"1\",__type__=\"\"}", "{__name__=\"g\"}", "{__name__=~\"c_.*\"}"));
		return;
	}
	put(a, metric);
	if (chance(a, 35)) {
		put(a, "{");
		put(a, matcher(a));
		if (chance(a, 20)) {
			put(a, ",");
			put(a, matcher(a));
		}
		put(a, "}");
	}
}

static void selector(struct asker *a)
{
	if (chance(a, 2)) {
		put(a, PICK(a, "g", "c_total", "nh", "nc"));
		put(a, " smoothed");
	} else {
		series(a, any_metric(a));
	}
	modifiers(a);
}

/* --- ranges ------------------------------------------------------------------------------------------------------------- */

/* At most 60 samples, but in questions about long windows. */
static int64_t range_ms(struct asker *a)
{
	int64_t interval_ms = a->data->interval_ms;
	if (a->q->long_windows)
		return interval_ms * (int64_t)(60 + below(a, 120));
	switch (below(a, 8)) {
	case 0:
		return interval_ms;
	case 1:
		return interval_ms * 2;
	case 2:
		return 60000;
	case 3:
		return 300000;
	case 4:
		return 1 + (int64_t)below(a, 200000);
	default:
		return interval_ms * (int64_t)(2 + below(a, 30));
	}
}

static void subquery(struct asker *a, unsigned depth)
{
	int64_t step_ms = chance(a, 30) ? 60000 : 10000 + (int64_t)below(a, 60000);
	int64_t range = step_ms * (int64_t)(1 + below(a, 20)) + (int64_t)below(a, 5000);
	a->subqueries++;
	if (chance(a, 50)) {
		selector(a);
	} else {
		put(a, "(");
		vector(a, depth);
		put(a, ")");
	}
	a->subqueries--;
	put(a, "[");
	duration(a, range);
	put(a, ":");
	if (!chance(a, 15))
		duration(a, step_ms);
	put(a, "]");
	modifiers(a);
}

enum extent { PLAIN, MAY_ANCHOR, MAY_SMOOTH };

static void range(struct asker *a, unsigned depth, const char *metric, enum extent extent)
{
	if (depth > 0 && a->subqueries < 2 && chance(a, 20)) {
		subquery(a, depth - 1);
		return;
	}
	bool extended = extent != PLAIN && chance(a, 12) && strcmp(metric, "t_total") != 0;
	if (extended)
		put(a, metric);
	else
		series(a, metric);
	put(a, "[");
	if (chance(a, 4))
		put(a, PICK(a, "step() + 1m", "max_of(step(), 2m)", "min_of(range(), 5m) + 30s", "2 * 60",
			   "range() / 3 + 1"));
	else
		duration(a, range_ms(a));
	put(a, "]");
	if (extended)
		put(a, extent == MAY_SMOOTH && chance(a, 50) ? " smoothed" : " anchored");
	modifiers(a);
}

static void range_call(struct asker *a, unsigned depth)
{
	static const char *const plain[] = {"avg_over_time", "min_over_time", "max_over_time",
	    "sum_over_time", "count_over_time", "stddev_over_time", "stdvar_over_time", "last_over_time",
	    "first_over_time", "present_over_time", "mad_over_time", "ts_of_min_over_time",
	    "ts_of_max_over_time", "ts_of_first_over_time", "ts_of_last_over_time", "deriv", "irate",
	    "idelta", "absent_over_time", "irate", "sum_over_time", "avg_over_time", "last_over_time"};
	size_t kind = below(a, 20);
	if (kind < 7) {
		put(a, PICK(a, "rate", "increase", "delta"));
		put(a, "(");
		range(a, depth,
		    chance(a, 50) ? PICK(a, "c_total", "f_count", "nh", "nc", "t_total") : any_metric(a),
		    MAY_SMOOTH);
	} else if (kind < 9) {
		put(a, PICK(a, "changes", "resets"));
		put(a, "(");
		range(a, depth, any_metric(a), MAY_ANCHOR);
	} else if (kind == 9) {
		put(a, "quantile_over_time(");
		scalar(a, depth ? depth - 1 : 0);
		put(a, ", ");
		range(a, depth, any_metric(a), PLAIN);
	} else if (kind == 10) {
		/* What is wrong with a factor is found late: not within a bigger expression, where more may be wrong. */
		bool is_line = chance(a, 70), is_root = a->text.len == 0;
		put(a, is_line ? "predict_linear(" : "double_exponential_smoothing(");
		range(a, depth, any_metric(a), PLAIN);
		put(a, ", ");
		if (is_line)
			put(a, PICK(a, "60", "-3600", "0", "1e3"));
		else if (is_root)
			put(a, PICK(a, "0.3, 0.5", "0.5, 0.1", "1, 0.5", "0.2, 0"));
		else
			put(a, PICK(a, "0.3, 0.5", "0.5, 0.1", "0.9, 0.9"));
	} else {
		put(a, pick(a, plain, sizeof(plain) / sizeof(plain[0])));
		put(a, "(");
		range(a, depth, any_metric(a), PLAIN);
	}
	put(a, ")");
}

/* --- scalars ------------------------------------------------------------------------------------------------------------ */

static void number(struct asker *a)
{
	put(a, PICK(a, "0", "1", "2", "-1", "0.5", "3", "100", "1e3", "0.1", "NaN", "Inf", "-Inf", "1e-3",
		   "7", "5m", "-0.3", "0.99", "60", "1.5"));
}

static void scalar(struct asker *a, unsigned depth)
{
	if (depth == 0 || chance(a, 60)) {
		number(a);
		return;
	}
	switch (below(a, 8)) {
	case 0:
		put(a, PICK(a, "time()", "pi()", "start()", "end()", "step()", "range()"));
		return;
	case 1:
	case 2:
	case 3:
		put(a, "scalar(");
		vector(a, depth - 1);
		put(a, ")");
		return;
	case 4:
		put(a, PICK(a, "min_of(", "max_of("));
		scalar(a, depth - 1);
		put(a, ", ");
		scalar(a, depth - 1);
		put(a, ")");
		return;
	case 5:
		put(a, "-(");
		scalar(a, depth - 1);
		put(a, ")");
		return;
	default:
		put(a, "(");
		scalar(a, depth - 1);
		put(a, PICK(a, " + ", " - ", " * ", " / ", " % ", " ^ ", " atan2 ", " == bool ", " > bool ",
			   " <= bool ", " != bool "));
		scalar(a, depth - 1);
		put(a, ")");
	}
}

/* A share, mostly between 0 and 1. */
static void share(struct asker *a, unsigned depth)
{
	if (chance(a, 80))
		put(a, PICK(a, "0", "0.5", "0.9", "1", "0.25", "0.99"));
	else
		scalar(a, depth);
}

/* --- operations ----------------------------------------------------------------------------------------------------------- */

static void label_list(struct asker *a)
{
	put(a, "(");
	put(a, PICK(a, "", "a", "b", "a, b", "le", "__name__", "a, __name__", "nope", "a, b, le"));
	put(a, ")");
}

static void matching(struct asker *a, bool is_set)
{
	size_t kind = below(a, 10);
	if (kind < 5)
		return;
	put(a, chance(a, 60) ? " on" : " ignoring");
	label_list(a);
	if (is_set || kind < 7)
		return;
	if (kind < 9) {
		put(a, PICK(a, " group_left", " group_right"));
		if (chance(a, 40))
			put(a, PICK(a, "()", "(c)", "(nope)"));
	}
}

static void fills(struct asker *a)
{
	if (!chance(a, 12))
		return;
	put(a, PICK(a, " fill(0)", " fill_left(1)", " fill_right(-1)", " fill_left(2) fill_right(3)",
		   " fill(NaN)"));
}

static void operand(struct asker *a, unsigned depth)
{
	if (chance(a, 50)) {
		selector(a);
		return;
	}
	put(a, "(");
	vector(a, depth);
	put(a, ")");
}

static void operation(struct asker *a, unsigned depth)
{
	size_t kind = below(a, 10);
	bool compares = kind >= 4 && kind < 7, sets = kind >= 7;
	size_t scalar_side = sets ? 2 : below(a, 4); /* 0: left, 1: right */
	if (scalar_side == 0)
		scalar(a, depth);
	else
		operand(a, depth);
	if (sets)
		put(a, PICK(a, " and", " or", " unless"));
	else if (compares)
		put(a, PICK(a, " ==", " !=", " <", " >", " <=", " >="));
	else
		put(a, PICK(a, " +", " -", " *", " /", " +", " -", " *", " /", " %", " ^", " atan2", " </",
			   " >/"));
	if (compares && chance(a, 40))
		put(a, " bool");
	if (scalar_side >= 2) {
		matching(a, sets);
		if (!sets)
			fills(a);
	}
	put(a, " ");
	if (scalar_side == 1)
		scalar(a, depth);
	else
		operand(a, depth);
}

/* Sides that have much in common, so that there is something to match. */
static void match(struct asker *a)
{
	size_t kind = below(a, 4);
	const char *many = PICK(a, "g", "k", "c_total", "f_count", "nh", "mix");
	if (kind == 0) {
		strbuf_addf(&a->text, "%s %s ", PICK(a, "nh", "nc", "mix"), PICK(a, "</", ">/", "*", "/"));
		number(a);
	} else if (kind == 1) {
		strbuf_addf(&a->text, "%s %s %s", PICK(a, "nh", "nc", "mix"), PICK(a, "+", "-", "==", "!="),
		    PICK(a, "nh", "nc", "mix"));
	} else if (kind == 2) {
		strbuf_addf(&a->text, "%s %s on(a) group_left%s sum by (a) (%s)", many,
		    PICK(a, "*", "/", "+", "-", "==", ">", "<= bool"), PICK(a, "", "(b)", "(nope)"), many);
	} else {
		strbuf_addf(&a->text, "max by (a) (%s) %s on(a) group_right%s", many,
		    PICK(a, "*", "/", "+", "-", "!=", "<", ">= bool", "^", "atan2", "%"),
		    PICK(a, "", "(b)", "(nope)"));
		fills(a);
		put(a, " ");
		put(a, PICK(a, "g", "k", "c_total", "f_count"));
	}
}

static void aggregation(struct asker *a, unsigned depth)
{
	const char *op = PICK(a, "sum", "avg", "count", "min", "max", "group", "stddev", "stdvar", "topk",
	    "bottomk", "quantile", "limitk", "limit_ratio", "count_values", "sum", "avg");
	put(a, op);
	if (chance(a, 70)) {
		put(a, chance(a, 65) ? " by " : " without ");
		label_list(a);
	}
	put(a, " (");
	if (strcmp(op, "topk") == 0 || strcmp(op, "bottomk") == 0 || strcmp(op, "limitk") == 0) {
		if (chance(a, 85))
			put(a, PICK(a, "1", "2", "3", "5", "0", "-1"));
		else
			scalar(a, depth);
		put(a, ", ");
	} else if (strcmp(op, "quantile") == 0) {
		share(a, depth);
		put(a, ", ");
	} else if (strcmp(op, "limit_ratio") == 0) {
		put(a, PICK(a, "0.5", "-0.5", "0.3", "1", "0", "1.5", "-2"));
		put(a, ", ");
	} else if (strcmp(op, "count_values") == 0) {
		put(a, PICK(a, "\"v\"", "\"a\"", "\"\""));
		put(a, ", ");
	}
	/* Which of many series come first is a matter of the store alone. */
	if (strcmp(op, "limitk") == 0)
		selector(a);
	else
		vector(a, depth);
	put(a, ")");
}

/* --- calls -------------------------------------------------------------------------------------------------------------- */

static void of_vector(struct asker *a, unsigned depth, const char *function)
{
	put(a, function);
	put(a, "(");
	vector(a, depth);
	put(a, ")");
}

static void histogram_call(struct asker *a, unsigned depth)
{
	size_t kind = below(a, 5);
	if (kind == 0) {
		put(a, PICK(a, "histogram_count(", "histogram_sum(", "histogram_avg(", "histogram_stddev(",
			   "histogram_stdvar("));
	} else if (kind == 1) {
		put(a, "histogram_fraction(");
		put(a, PICK(a, "0, 1", "-1, 0.5", "0.2, 3", "-Inf, 0", "1, Inf", "2, 1", "NaN, 1"));
		put(a, ", ");
	} else if (kind < 4) {
		put(a, "histogram_quantile(");
		share(a, depth);
		put(a, ", ");
	}
	if (kind == 4)
		put(a, "histogram_quantiles(");
	if (chance(a, 40))
		series(a, PICK(a, "lat_bucket", "nh", "nh", "nc", "mix"));
	else if (chance(a, 50))
		strbuf_addf(&a->text, "%s(%s[%ds])", PICK(a, "rate", "increase", "sum_over_time"),
		    PICK(a, "lat_bucket", "nh", "nc", "mix"), 60 + (int)below(a, 600));
	else
		vector(a, depth);
	if (kind == 4) {
		put(a, PICK(a, ", \"q\"", ", \"a\"", ", \"quantile\""));
		put(a, PICK(a, ", 0.5", ", 0.1, 0.9", ", 0, 1, 0.5", ", 2", ", 0.5, 0.5"));
	}
	put(a, ")");
}

static void label_call(struct asker *a, unsigned depth)
{
	bool joins = chance(a, 40);
	put(a, joins ? "label_join(" : "label_replace(");
	vector(a, depth);
	if (joins)
		put(a, PICK(a, ", \"c\", \"-\", \"a\", \"b\"", ", \"a\", \"\", \"b\"", ", \"a\", \"\"",
			   ", \"__name__\", \"_\", \"a\", \"b\"", ", \"c\", \",\", \"a\", \"\"",
			   ", \"\", \",\", \"a\""));
	else
		put(a, PICK(a, ", \"c\", \"$1\", \"a\", \"(.*)\"", ", \"a\", \"\", \"a\", \"x\"",
			   ", \"b\", \"same\", \"b\", \"1|2\"", ", \"__name__\", \"n_$1\", \"a\", \"(.)\"",
			   ", \"c\", \"${n}!\", \"b\", \"(?P<n>1)(0)?\"",
			   ", \"a\", \"$2\", \"a\", \"(x)|(y)\"", ", \"\", \"v\", \"a\", \".*\"",
			   ", \"c\", \"v\", \"a\", \"(\"", ", \"b\", \"\", \"none\", \"\""));
	put(a, ")");
}

static void info_call(struct asker *a)
{
	put(a, "info(");
	if (chance(a, 20))
		put(a, "up{instance=\"i1\"}");
	else
		series(a, PICK(a, "up", "up", "g", "build_info"));
	put(a, PICK(a, "", "", ", {data=~\".+\"}", ", {__name__=\"build_info\"}", ", {__name__=~\".*_info\"}",
		   ", {__name__!=\"x\"}", ", {version=\"1\"}", ", {data=\"\"}"));
	put(a, ")");
}

static void float_call(struct asker *a, unsigned depth)
{
	static const char *const plain[] = {"abs", "ceil", "floor", "exp", "sqrt", "ln", "log2", "log10",
	    "sgn", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh",
	    "atanh", "deg", "rad", "minute", "hour", "day_of_week", "day_of_month", "day_of_year",
	    "days_in_month", "month", "year", "round", "abs", "floor"};
	size_t kind = below(a, 10);
	if (kind < 6) {
		of_vector(a, depth, pick(a, plain, sizeof(plain) / sizeof(plain[0])));
		return;
	}
	if (kind == 6) {
		put(a, PICK(a, "hour()", "minute()", "day_of_week()", "year()", "month()", "day_of_year()",
			   "days_in_month()"));
		return;
	}
	put(a, kind == 7 ? "clamp(" : kind == 8 ? PICK(a, "clamp_min(", "clamp_max(") : "round(");
	vector(a, depth);
	put(a, ", ");
	scalar(a, depth);
	if (kind == 7) {
		put(a, ", ");
		scalar(a, depth);
	}
	put(a, ")");
}

/* Only a bare selector has times of its own. */
static void times_call(struct asker *a, unsigned depth)
{
	put(a, chance(a, 60) ? "timestamp(" : "start_timestamp(");
	if (chance(a, 50))
		series(a, PICK(a, "c_total", "f_count", "g", "nh"));
	else
		vector(a, depth);
	put(a, ")");
}

static void call(struct asker *a, unsigned depth)
{
	size_t kind = below(a, 22);
	if (kind < 6)
		float_call(a, depth);
	else if (kind < 9)
		histogram_call(a, depth);
	else if (kind < 11)
		label_call(a, depth);
	else if (kind == 11)
		of_vector(a, depth, "absent");
	else if (kind == 12)
		of_vector(a, depth, PICK(a, "sort", "sort_desc"));
	else if (kind == 13)
		times_call(a, depth);
	else if (kind == 14)
		info_call(a);
	else if (kind == 15) {
		put(a, PICK(a, "sort_by_label(", "sort_by_label_desc("));
		vector(a, depth);
		put(a, PICK(a, ", \"a\")", ", \"b\", \"a\")", ", \"nope\")"));
	} else if (kind == 16) {
		put(a, "vector(");
		scalar(a, depth);
		put(a, ")");
	} else
		range_call(a, depth);
}

static void vector(struct asker *a, unsigned depth)
{
	if (depth == 0) {
		if (chance(a, 50))
			selector(a);
		else
			range_call(a, 0);
		return;
	}
	size_t kind = below(a, 20);
	if (kind < 3)
		selector(a);
	else if (kind < 6)
		range_call(a, depth - 1);
	else if (kind < 10)
		aggregation(a, depth - 1);
	else if (kind < 14)
		call(a, depth - 1);
	else if (kind < 19)
		operation(a, depth - 1);
	else if (chance(a, 50)) {
		put(a, PICK(a, "-(", "+("));
		vector(a, depth - 1);
		put(a, ")");
	} else {
		put(a, "(");
		vector(a, depth - 1);
		put(a, ")");
	}
}

/* --- questions ------------------------------------------------------------------------------------------------------------ */

/* One function over a long range, alone: an error of 1e-12 must not be made bigger. */
static void long_window(struct asker *a)
{
	bool sums = chance(a, 30);
	a->q->long_windows = true;
	put(a, sums ? "sum by (a) (" : "");
	put(a, PICK(a, "sum_over_time", "avg_over_time", "min_over_time", "max_over_time", "stddev_over_time",
		   "rate", "increase", "count_over_time", "last_over_time", "changes", "resets", "deriv",
		   "delta"));
	put(a, "(");
	put(a, PICK(a, "g", "k", "c_total", "f_count", "wild"));
	put(a, "[");
	duration(a, range_ms(a));
	put(a, sums ? "]))" : "])");
}

/* A subquery of a subquery. */
static void nested(struct asker *a)
{
	put(a, PICK(a, "max_over_time", "sum_over_time", "rate", "last_over_time", "quantile_over_time",
		   "changes"));
	put(a, strcmp(strbuf_cstr(&a->text), "quantile_over_time") == 0 ? "(0.5, " : "(");
	put(a, PICK(a, "avg_over_time", "increase", "min_over_time", "count_over_time", "deriv"));
	put(a, "(");
	subquery(a, 0);
	strbuf_addf(&a->text, ")[%ds:%ds]", 30 + (int)below(a, 400), 15 + (int)below(a, 90));
	modifiers(a);
	put(a, ")");
}

/* Every function and operator near the root, where something is found to work on. */
static void simple(struct asker *a)
{
	size_t kind = below(a, 10);
	if (kind < 7)
		call(a, (unsigned)below(a, 2));
	else if (kind < 9)
		match(a);
	else
		nested(a);
}

static void expression(struct asker *a)
{
	unsigned depth = 1 + (unsigned)below(a, 4);
	size_t kind = below(a, 100);
	a->q->is_ordered = false;
	if (kind >= 70) {
		simple(a);
	} else if (kind < 6) {
		long_window(a);
	} else if (kind < 8) {
		scalar(a, depth);
	} else if (kind == 8 && a->q->step_ms == 0) {
		range(a, depth, any_metric(a), PLAIN);
	} else if (kind < 14 && a->q->step_ms == 0) {
		a->q->is_ordered = true;
		put(a, PICK(a, "sort(", "sort_desc(", "topk(3, ", "bottomk(2, "));
		vector(a, depth - 1);
		put(a, ")");
	} else {
		vector(a, depth);
	}
}

static void times(struct asker *a)
{
	struct promql_question *q = a->q;
	static const int64_t steps_ms[] = {1000, 10000, 15000, 30000, 60000, 77000, 120000, 59999};
	uint64_t span = (uint64_t)(a->data->end_ms - a->data->start_ms) + 600000;
	q->start_ms = a->data->start_ms - 60000 + (int64_t)test_random_below(a->r, span);
	/* On the second, often on the very time of a sample. */
	if (!chance(a, 20))
		q->start_ms -= q->start_ms % (chance(a, 50) ? 1000 : a->data->interval_ms);
	q->end_ms = q->start_ms;
	if (chance(a, 40))
		return;
	q->step_ms = steps_ms[below(a, sizeof(steps_ms) / sizeof(steps_ms[0]))];
	q->end_ms +=
	    q->step_ms * (int64_t)below(a, 20) + (chance(a, 30) ? (int64_t)below(a, (size_t)q->step_ms) : 0);
}

/* Series that come out of some operations have no order; that in which they are added up shows in the last digits. */
static bool sums(const char *text)
{
	return strstr(text, "sum") || strstr(text, "avg") || strstr(text, "std");
}

static bool has_no_order(const char *text)
{
	static const char *const unordered[] = {
	    "topk", "bottomk", "limit", "sort", "histogram_quantile", "histogram_fraction", "info("};
	for (size_t i = 0; i < ARRAY_LEN(unordered); i++)
		if (strstr(text, unordered[i]))
			return true;
	return false;
}

/* Groups come in the order of their first members, be these ever there or not: that is the engine's. */
static bool groups_groups(const char *text)
{
	size_t n = 0;
	for (const char *at = text; *at; at++)
		n += strncmp(at, " by (", 5) == 0 || strncmp(at, " without (", 10) == 0 ||
		     strncmp(at, "sum (", 5) == 0 || strncmp(at, "avg (", 5) == 0 ||
		     strncmp(at, "stddev (", 8) == 0 || strncmp(at, "stdvar (", 8) == 0;
	return n > 1;
}

static bool sums_in_any_order(const char *text)
{
	return sums(text) && (has_no_order(text) || strstr(text, "count_values") || groups_groups(text));
}

/* Series of two metrics are one when their names go. */
static bool has_several_names(const char *text)
{
	return strstr(text, "__name__=~") || strstr(text, "{a=\"x\",b=\"1\",__type__");
}

/* Which of equal values are picked depends on the order in which they come, and so does which of several conflicts is told; what
 * comes out of some operations has none. */
static bool answers_in_any_order(const char *text)
{
	bool picks = strstr(text, "topk") || strstr(text, "bottomk");
	bool matches = strstr(text, " on(") || strstr(text, " ignoring(");
	/* The last digit of a sum in a label. */
	if (strstr(text, "count_values") && sums(text) && (has_no_order(text) || groups_groups(text)))
		return true;
	if ((picks || matches) &&
	    (has_several_names(text) || strstr(text, "histogram_quantiles") || strstr(text, "count_values")))
		return true;
	return picks && (groups_groups(text) || strstr(text, " or") || strstr(text, "histogram_q") ||
			    strstr(text, "histogram_f") || strstr(text, "info("));
}

void promql_question_make(
    struct test_random *r, struct arena *arena, const struct promql_data *data, struct promql_question *out)
{
	struct asker a = {.r = r, .data = data, .q = out, .text = STRBUF_INIT};
	*out = (struct promql_question){0};
	times(&a);
	if (chance(&a, 20))
		out->lookback_ms = 30000 + (int64_t)below(&a, 400000);
	out->delayed_name_removal = chance(&a, 20);
	out->use_start_timestamps = data->starts && chance(&a, 50);
	out->type_and_unit_labels = chance(&a, 10);
	do {
		strbuf_reset(&a.text);
		out->long_windows = false;
		expression(&a);
	} while (answers_in_any_order(strbuf_cstr(&a.text)));
	out->long_windows |= sums_in_any_order(strbuf_cstr(&a.text));
	out->text = arena_slice(arena, strbuf_slice(&a.text));
	strbuf_done(&a.text);
}
