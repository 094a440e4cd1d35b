#include "scrape/interval_stats.h"
#include "tests/lib/test.h"

static void collect(void *arg, struct metrics_writer *w)
{
	interval_stats_collect(arg, w);
}

static void check_line(const char *text, const char *line)
{
	check_true(line, strstr(text, line) != NULL);
}

static void quantiles_of_the_newest(void **state)
{
	(void)state;
	struct interval_stats s;
	interval_stats_init(&s);
	interval_stats_add(&s, 60000, 60.5);
	for (int i = 0; i < 2 * INTERVAL_NEWEST; i++) /* only the second half counts */
		interval_stats_add(&s, 15000, i < INTERVAL_NEWEST ? 100 : 15 + (i % INTERVAL_NEWEST) / 1000.0);
	struct strbuf sb = STRBUF_INIT;
	counters_add_collector(collect, &s);
	counters_expose(&sb);
	counters_remove_collector(collect, &s);
	const char *text = strbuf_cstr(&sb);
	check_line(text, "# TYPE prometheus_target_interval_length_seconds summary\n");
	check_line(
	    text, "prometheus_target_interval_length_seconds{interval=\"15s\",quantile=\"0.5\"} 15.255\n");
	check_line(
	    text, "prometheus_target_interval_length_seconds{interval=\"15s\",quantile=\"0.99\"} 15.505\n");
	check_line(text, "prometheus_target_interval_length_seconds_count{interval=\"15s\"} 1024\n");
	check_line(text, "prometheus_target_interval_length_seconds_sum{interval=\"1m\"} 60.5\n");
	strbuf_done(&sb);
	interval_stats_done(&s);
}

TEST_MAIN("interval_stats", cmocka_unit_test(quantiles_of_the_newest))
