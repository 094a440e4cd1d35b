/* query_exemplars over a store in plain arrays. */
#include "tests/web/web_fixture.h"

struct given {
	const char *instance, *trace;
	int64_t t_ms;
	double v;
};

static void load(struct web_fixture *f, const char *metric, const struct given *g, size_t n)
{
	struct appendable *door = mem_store_appendable(f->store);
	struct appender *a;
	struct err err;
	check_ok("begin", door->begin(door, &a, &err), &err);
	for (size_t i = 0; i < n; i++) {
		struct exemplar_sample s = {
		    .exemplar = {g[i].t_ms, g[i].v, true, labels_of(f->arena, "trace_id", g[i].trace, NULL)}};
		uint8_t result;
		const struct labels *series =
		    labels_of(f->arena, "__name__", metric, "instance", g[i].instance, NULL);
		check_ok("series", a->ops->add_series(a, NULL, series, &s.ref, &err), &err);
		a->ops->append_exemplars(a, &s, 1, &result);
		check_int("taken", result, EXEMPLAR_TAKEN);
	}
	check_ok("commit", a->ops->commit(a, NULL, NULL, NULL, &err), &err);
}

static void answers(void **state)
{
	(void)state;
	static const struct given given[] = {
	    {"b", "B1", 1600096945479, 6}, {"a", "A1", 1000, 0.5}, {"a", "A\"2", 2000, 1e300}};
	static const struct given other[] = {{"a", "C", 1500, 1}};
#define OK(data) "{\"status\":\"success\",\"data\":[" data "]}"
#define A1       "{\"labels\":{\"trace_id\":\"A1\"},\"value\":\"0.5\",\"timestamp\":1}"
#define A2       "{\"labels\":{\"trace_id\":\"A\\\"2\"},\"value\":\"1e+300\",\"timestamp\":2}"
#define B1       "{\"labels\":{\"trace_id\":\"B1\"},\"value\":\"6\",\"timestamp\":1600096945.479}"
#define OF(metric, instance, list)                                                                           \
	"{\"seriesLabels\":{\"__name__\":\"" metric "\",\"instance\":\"" instance "\"},\"exemplars\":[" list \
	"]}"
	static const struct {
		const char *query;
		int status;
		const char *body;
	} cases[] = {
	    {"query=m", 200, OK(OF("m", "a", A1 "," A2) "," OF("m", "b", B1))},
	    {"query=m%7Binstance=%22a%22%7D", 200, OK(OF("m", "a", A1 "," A2))},
	    {"query=m&start=2&end=2", 200, OK(OF("m", "a", A2))},
	    {"query=m&start=1600096945.479", 200, OK(OF("m", "b", B1))},
	    {"query=m&start=3&end=4", 200, OK("")},
	    {"query=sum(rate(m[5m]))%20/%20o&end=1.5", 200,
		OK(OF("m", "a", A1) "," OF(
		    "o", "a", "{\"labels\":{\"trace_id\":\"C\"},\"value\":\"1\",\"timestamp\":1.500}"))},
	    {"query=none", 200, OK("")},
	    {"query=1", 204, ""},
	    {"query=m&start=2&end=1", 400,
		"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter \\\"end\\\": "
		"end "
		"timestamp must not be before start timestamp\"}"},
	};
	struct web_fixture f;
	web_fixture_start(&f, NULL, 600000);
	load(&f, "m", given, ARRAY_LEN(given));
	load(&f, "o", other, ARRAY_LEN(other));
	f.deps.exemplars = mem_store_exemplars(f.store);
	web_fixture_ready(&f);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *path = arena_printf(f.arena, "/api/v1/query_exemplars?%s", cases[i].query).ptr;
		web_fixture_expect(&f, path, cases[i].status, cases[i].body);
	}
	web_fixture_stop(&f);
}

TEST_MAIN("api_exemplars", cmocka_unit_test(answers))
