#include "base/counters.h"
#include "tests/lib/test.h"

#include <math.h>

static void first(void *arg, struct metrics_writer *w)
{
	++*(int *)arg;
	metrics_family(w, "a_test_seconds", "summary", "Line one\nback\\slash \"kept\".");
	metrics_sample(w, "", 0.25, "quantile", "0.5", "path", "a\"b\\c\n", NULL);
	metrics_sample(w, "_sum", 1234567.5, NULL);
	metrics_sample(w, "_count", 3, NULL);
	metrics_family(w, "zz_test_shared", "gauge", "Shared.");
	metrics_sample(w, "", INFINITY, "from", "first", NULL);
	metrics_family(w, "zz_test_without_samples", "gauge", "Not shown.");
}

static void second(void *arg, struct metrics_writer *w)
{
	++*(int *)arg;
	metrics_family(w, "zz_test_shared", "gauge", "Other help.");
	metrics_sample(w, "", (double)NAN, "from", "second", NULL);
}

static bool contains(const struct strbuf *sb, const char *text)
{
	return memmem(sb->ptr, sb->len, text, strlen(text)) != NULL;
}

static void exposition(void **state)
{
	(void)state;
	int calls = 0;
	counters_add_collector(first, &calls);
	counters_add_collector(second, &calls);
	struct strbuf out = STRBUF_INIT;
	counters_expose(&out);
	check_true("sorted", slice_starts(strbuf_slice(&out),
				 SL("# HELP a_test_seconds Line one\\nback\\\\slash \"kept\".\n"
				    "# TYPE a_test_seconds summary\n"
				    "a_test_seconds{quantile=\"0.5\",path=\"a\\\"b\\\\c\\n\"} 0.25\n"
				    "a_test_seconds_sum 1.2345675e+06\n"
				    "a_test_seconds_count 3\n")));
	check_true(
	    "shared", slice_ends(strbuf_slice(&out),
			  SL("# HELP zz_test_shared Shared.\n# TYPE zz_test_shared gauge\n"
			     "zz_test_shared{from=\"first\"} +Inf\nzz_test_shared{from=\"second\"} NaN\n")));
	counters_remove_collector(first, &calls);
	counters_remove_collector(second, &calls);
	check_int("calls", calls, 2);
	strbuf_reset(&out);
	counters_expose(&out);
	check_int("not called", calls, 2);
	check_true("gone", !contains(&out, "_test_"));
	strbuf_done(&out);
}

static void table_rows(void **state)
{
	(void)state;
	counter_add(M_TSDB_SAMPLES_APPENDED, 5);
	gauge_set(M_TSDB_HEAD_SERIES, 1.5);
	gauge_add(M_TSDB_HEAD_SERIES, -3);
	check_int("counter", counter_get(M_TSDB_SAMPLES_APPENDED), 5);
	check_double("gauge", gauge_get(M_TSDB_HEAD_SERIES), -1.5);
	struct strbuf out = STRBUF_INIT;
	counters_expose(&out);
	check_true("gauge",
	    contains(&out, "# TYPE prometheus_tsdb_head_series gauge\nprometheus_tsdb_head_series -1.5\n"));
	check_true(
	    "counter", contains(&out, "prometheus_tsdb_head_samples_appended_total{type=\"float\"} 5\n"));
	strbuf_done(&out);
}

TEST_MAIN("counters", cmocka_unit_test(exposition), cmocka_unit_test(table_rows))
