#include "tests/scrape/scrape_fixture.h"

#include <stdio.h>

static struct scrape_fixture f;

static int set_up(void **state)
{
	(void)state;
	scrape_fixture_init(&f);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scrape_fixture_done(&f);
	return 0;
}

static void lists_of_targets(void **state)
{
	(void)state;
	scrape_fixture_apply(&f,
	    "scrape_configs:\n"
	    "- job_name: z\n"
	    "  scrape_interval: 10s\n"
	    "  static_configs: [{targets: ['localhost:9100']}]\n"
	    "- job_name: a\n"
	    "  scrape_interval: 20s\n"
	    "  keep_dropped_targets: 1\n"
	    "  static_configs: [{targets: ['h:2', 'h:1', 'h:1', 'drop:1', 'drop:2', 'bad/']}]\n"
	    "  relabel_configs: [{source_labels: [__address__], regex: 'drop.*', action: drop}]\n");
	struct scrape_list list;
	scrape_manager_list(f.manager, f.arena, &list);
	check_int("pools", list.n_pools, 2);
	check_str("by name", list.pools[0].name, "a");
	check_int("dropped", list.pools[0].dropped, 2);
	check_int("kept of these", list.n_dropped, 1);
	check_str("which", labels_get(list.dropped[0].discovered, SL("__address__")), "drop:1");
	check_int("active", list.n_active, 3);
	check_str("sorted", list.active[0].scrape_url, "http://h:1/metrics");
	check_str("sorted", list.active[1].scrape_url, "http://h:2/metrics");
	check_str("global", list.active[2].global_url, "http://prom.example:9100/metrics");
	check_int("not scraped yet", list.active[2].health, SCRAPE_HEALTH_UNKNOWN);
	check_int("interval", list.active[0].interval_ms, 20000);
	scheduler_run_until(f.scheduler, f.first_ms + 20000);
	scrape_manager_list(f.manager, f.arena, &list);
	check_int("up", list.active[2].health, SCRAPE_HEALTH_UP);
	assert_true(list.active[2].last_scrape_ms > 0);
}

static void a_target_limit_stops_the_whole_job(void **state)
{
	(void)state;
	scrape_fixture_apply(&f, "scrape_configs:\n- job_name: j\n  scrape_interval: 10s\n  target_limit: 1\n"
				 "  static_configs: [{targets: ['h:1', 'h:2']}]\n");
	scrape_fixture_scrape(&f, "a 1\n", 2);
	check_int("requests", f.requests, 0);
	struct scrape_list list;
	scrape_manager_list(f.manager, f.arena, &list);
	for (size_t i = 0; i < 2; i++)
		check_str("error", list.active[i].last_error,
		    "target_limit exceeded (number of targets: 2, limit: 1)");
	assert_true(strstr(scrape_fixture_dump(&f, "up"), ":0") != NULL);
	check_str("no samples", slice_cstr(scrape_fixture_dump(&f, "a")), "");
}

static void targets_are_spread_over_the_interval(void **state)
{
	(void)state;
	struct strbuf yaml = STRBUF_INIT;
	strbuf_adds(
	    &yaml, "scrape_configs:\n- job_name: j\n  scrape_interval: 60s\n  static_configs: [{targets: [");
	for (int i = 0; i < 200; i++)
		strbuf_addf(&yaml, "%s'h:%d'", i ? ", " : "", i);
	strbuf_adds(&yaml, "]}]\n");
	scrape_fixture_apply(&f, strbuf_cstr(&yaml));
	strbuf_done(&yaml);
	int64_t start_ms = clock_now_ms(f.clock);
	unsigned before = 0;
	for (int tenth = 1; tenth <= 10; tenth++) {
		scheduler_run_until(f.scheduler, start_ms + tenth * 6000);
		assert_true(f.requests - before > 4);
		assert_true(f.requests - before < 50);
		before = f.requests;
	}
	check_int("each once", f.requests, 200);
}

struct seen {
	size_t n;
	char text[512];
};

static void note(void *arg, struct slice metric, const struct metadata *m)
{
	struct seen *s = arg;
	size_t at = strlen(s->text);
	s->n++;
	snprintf(s->text + at, sizeof(s->text) - at, "%" SL_FMT " %s %" SL_FMT ";", SL_ARG(metric),
	    metric_type_name(m->type), SL_ARG(m->help));
}

static struct seen metadata_of(struct slice metric)
{
	struct scrape_list list;
	struct seen s = {0};
	scrape_manager_list(f.manager, f.arena, &list);
	scrape_manager_metadata(
	    f.manager, SL("j"), list.active[0].labels, list.active[0].scrape_url, metric, note, &s);
	return s;
}

static void metadata_is_kept_for_ten_scrapes(void **state)
{
	(void)state;
	scrape_fixture_apply(&f, "scrape_configs:\n- job_name: j\n  scrape_interval: 10s\n  static_configs: "
				 "[{targets: ['h:1']}]\n");
	scrape_fixture_scrape(&f, "# HELP a A\\nb.\n# TYPE a counter\na 1\n# TYPE b gauge\nb 1\n", 1);
	check_int("all", metadata_of(SL_EMPTY).n, 2);
	struct seen s = metadata_of(SL("a"));
	check_str("one", slice_cstr(s.text), "a counter A\nb.;");
	scrape_fixture_scrape(&f, "# HELP a Other.\n# TYPE a gauge\na 1\n", 1);
	s = metadata_of(SL("a"));
	check_str("changed", slice_cstr(s.text), "a gauge Other.;");
	check_int("still known", metadata_of(SL("b")).n, 1);
	scrape_fixture_scrape(&f, "# HELP a Other.\na 1\n", 30);
	check_int("forgotten", metadata_of(SL("b")).n, 0);
	check_int("not forgotten", metadata_of(SL("a")).n, 1);
}

static void headers_of_the_job(void **state)
{
	(void)state;
	scrape_fixture_apply(&f,
	    "scrape_configs:\n- job_name: j\n  scrape_interval: 10s\n  scrape_timeout: 2500ms\n"
	    "  enable_compression: false\n  scrape_protocols: [PrometheusText0.0.4]\n"
	    "  http_headers: {X-Tenant: {values: [one]}}\n  body_size_limit: 1KB\n"
	    "  static_configs: [{targets: ['h:1']}]\n");
	scrape_fixture_scrape(&f, "a 1\n", 1);
	check_str("headers", slice_cstr(f.headers),
	    "Accept: text/plain;version=0.0.4;q=0.6,*/*;q=0.5\nAccept-Encoding: identity\nX-Tenant: one\n"
	    "X-Prometheus-Scrape-Timeout-Seconds: 2.5\n");
	check_int("a byte below the limit", f.max_response_bytes, 1023);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

TEST_MAIN("scrape_manager", CASE(lists_of_targets), CASE(a_target_limit_stops_the_whole_job),
    CASE(targets_are_spread_over_the_interval), CASE(metadata_is_kept_for_ten_scrapes),
    CASE(headers_of_the_job))
