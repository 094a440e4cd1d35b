#include "promql/parse.h"
#include "promql/prepare.h"
#include "tests/lib/test.h"

static const struct parse_options everything = {.experimental_functions = true};

enum { START_MS = 1000000, END_MS = 1600000, STEP_MS = 30000 };

static const struct expr *parse(struct arena *a, const char *text)
{
	const struct expr *e = NULL;
	struct err err = {0};
	check_ok(text, promql_parse(a, slice_cstr(text), &everything, &e, &err), &err);
	return e;
}

static void resolves_durations(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t range_ms, offset_ms;
	} cases[] = {
	    {"foo[5m]", 300000, 0},
	    {"foo[step()]", 30000, 0},
	    {"foo[step() * 2 + 1s]", 61000, 0},
	    {"foo[range()]", 600000, 0},
	    {"foo[min_of(range(), 5m)]", 300000, 0},
	    {"foo[max_of(step(), 2 ^ 3)] offset -step()", 30000, -30000},
	    {"foo[1d % 7h] offset (range() / 4)", 10800000, 150000},
	    {"foo[-(5s - 10s)]", 5000, 0},
	    {"foo[10s / 3]", 3333, 0},
	    {"foo[2 ^ 3 ^ 2]", 512000, 0},
	    {"foo[1m] offset (1s - 5s)", 60000, -4000},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		const struct expr *e = NULL;
		struct err err = {0};
		check_ok(cases[i].text,
		    promql_prepare(a, parse(a, cases[i].text), START_MS, END_MS, STEP_MS, &e, &err), &err);
		check_int(cases[i].text, e->selector.range.ms, cases[i].range_ms);
		check_int(cases[i].text, e->selector.shift.offset.ms, cases[i].offset_ms);
		arena_free(a);
	}
}

static void refuses_bad_durations(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
	} cases[] = {
	    {"foo[step() - 1m]", "4:15: duration must be greater than 0"},
	    {"foo[1m / (step() - 30s)]", "4:22: division by zero"},
	    {"foo[1m % (step() - 30s)]", "4:22: modulo by zero"},
	    {"foo[10 ^ 300 * 10 ^ 300]", "4:23: duration is NaN or infinite"},
	    {"foo[range() * 1e9]", "4:17: duration is out of range"},
	    {"rate(foo[1m:step() * 0])", "12:22: duration must be greater than 0"},
	    {"(sum(foo offset (1 / (step() - 30))))", "17:33: division by zero"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		const struct expr *e = NULL;
		struct err err = {0};
		int rc = promql_prepare(a, parse(a, cases[i].text), START_MS, END_MS, STEP_MS, &e, &err);
		check_int(cases[i].text, rc, ERR_INVALID);
		check_str(cases[i].text, slice_cstr(err.msg), cases[i].want);
		arena_free(a);
	}
}

/* Only the way to what changed is copied. */
static void shares_what_is_final(void **state)
{
	(void)state;
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	const struct expr *e = parse(a, "sum(foo) + -(bar @ end()) + round(baz, 5)"), *p = NULL;
	struct err err = {0};
	check_ok("prepare", promql_prepare(a, e, START_MS, END_MS, STEP_MS, &p, &err), &err);
	check_true("copied", p != e);
	check_int("id", p->id, e->id);
	check_true("right is shared", p->binary.rhs == e->binary.rhs);
	const struct expr *sum = p->binary.lhs;
	check_true("left of left is shared", sum->binary.lhs == e->binary.lhs->binary.lhs);
	const struct expr *bar = expr_unparen(sum->binary.rhs->unary.inner);
	check_int("at", bar->selector.shift.at_ms, END_MS);
	const struct expr *again = NULL;
	e = parse(a, "count_values(\"x\", min_over_time(rate(foo[5m])[1h:])) / label_replace(x, \"a\", "
		     "\"b\", \"c\", \"d\")");
	check_ok("nothing to do", promql_prepare(a, e, START_MS, END_MS, STEP_MS, &again, &err), &err);
	check_true("the same tree", again == e);
	arena_free(a);
}

static void knows_what_is_the_same_at_each_step(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool want;
	} cases[] = {
	    {"1 + 2", true},
	    {"foo", false},
	    {"foo @ 10", true},
	    {"foo @ end()", true},
	    {"rate(foo[5m] @ 10)", true},
	    {"rate(foo[5m])", false},
	    {"sum(foo @ 1) + 1", true},
	    {"sum(foo @ 1) + foo", false},
	    {"time()", false},
	    {"timestamp(foo @ 1)", false},
	    {"min_over_time((foo @ 1)[5m:1m])", false},
	    {"min_over_time(foo[5m:1m] @ 1)", true},
	    {"topk(scalar(foo), bar @ 1)", false},
	    {"-(foo @ start())", true},
	    {"hour()", false},
	    {"vector(1)", true},
	    {"\"x\"", true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		check_int(cases[i].text, parse(a, cases[i].text)->step_invariant, cases[i].want);
		arena_free(a);
	}
}

TEST_MAIN("prepare", cmocka_unit_test(resolves_durations), cmocka_unit_test(refuses_bad_durations),
    cmocka_unit_test(shares_what_is_final), cmocka_unit_test(knows_what_is_the_same_at_each_step))
