#include "base/counters.h"
#include "model/stale_marker.h"
#include "tests/lib/cases.h"
#include "tests/scrape/scrape_fixture.h"

#include <stdio.h>

#define ONE_TARGET                                                                                           \
	"scrape_configs:\n"                                                                                  \
	"- job_name: j\n"                                                                                    \
	"  scrape_interval: 10s\n"                                                                           \
	"  static_configs: [{targets: ['h:1']}]\n"

#define J "instance=\"h:1\", job=\"j\""

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

static void check_dump(const char *regex, const char *want)
{
	check_str(regex, slice_cstr(scrape_fixture_dump(&f, regex)), want);
}

static void samples_get_the_targets_labels(void **state)
{
	(void)state;
	scrape_fixture_apply(&f, ONE_TARGET);
	scrape_fixture_scrape(&f, "# TYPE a counter\na{x=\"1\"} 1\na{x=\"2\",job=\"own\"} 2\n", 1);
	scrape_fixture_scrape(&f, "a{x=\"1\"} 3\na{x=\"2\",job=\"own\"} 4", 1);
	check_dump("a", "{__name__=\"a\", exported_job=\"own\", " J ", x=\"2\"} 0:2 1:4\n"
			"{__name__=\"a\", " J ", x=\"1\"} 0:1 1:3\n");
	check_dump("up", "{__name__=\"up\", " J "} 0:1 1:1\n");
	check_dump("scrape_samples_scraped", "{__name__=\"scrape_samples_scraped\", " J "} 0:2 1:2\n");
	check_dump("scrape_series_added", "{__name__=\"scrape_series_added\", " J "} 0:2 1:0\n");
	check_str("url", slice_cstr(f.url), "http://h:1/metrics");
	check_str("headers", slice_cstr(f.headers),
	    "Accept: "
	    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.4\n"
	    "X-Prometheus-Scrape-Timeout-Seconds: 10\n");
}

static void what_vanishes_becomes_stale_and_may_come_back(void **state)
{
	(void)state;
	scrape_fixture_apply(&f, ONE_TARGET);
	scrape_fixture_scrape(&f, "a 1\nb 1\nc 1\n", 1);
	scrape_fixture_scrape(&f, "c 2\na 2\n", 1);
	scrape_fixture_scrape(&f, "c 3\nb 3\na 3\n", 1);
	check_dump("[abc]", "{__name__=\"a\", " J "} 0:1 1:2 2:3\n"
			    "{__name__=\"b\", " J "} 0:1 1:stale 2:3\n"
			    "{__name__=\"c\", " J "} 0:1 1:2 2:3\n");
}

static void a_failed_scrape_ends_all_series(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int rc, status;
		const char *page, *type, *error;
	} failures[] = {
	    {"refused", ERR_IO, 0, "", "", "Get \"http://h:1/metrics\": connection refused"},
	    {"timeout", ERR_TIMEOUT, 0, "", "", "Get \"http://h:1/metrics\": context deadline exceeded"},
	    {"status", 0, 503, "x", "text/plain", "server returned HTTP status 503 Service Unavailable"},
	    {"syntax", 0, 200, "a 2\nb", "text/plain",
		"expected value after metric, got \"\\n\" (\"INVALID\") while parsing: \"b\\n\""},
	    {"no type", 0, 200, "a 2", "",
		"non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol "
		"specified for "
		"target"},
	    {"bad type", 0, 200, "a 2", "text",
		"cannot parse Content-Type \"text\" and no fallback_scrape_protocol for target"},
	    {"other type", 0, 200, "a 2", "image/png",
		"received unsupported Content-Type \"image/png\" and no fallback_scrape_protocol specified "
		"for target"},
	    {"no name", 0, 200, "a{__name__=\"b\"} 2", "text/plain", "label name \"__name__\" is not unique"},
	};
	scrape_fixture_apply(&f, ONE_TARGET);
	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		f.rc = 0;
		f.status = 200;
		f.content_type = "text/plain";
		scrape_fixture_scrape(&f, "a 1\n", 1);
		f.rc = failures[i].rc;
		f.status = failures[i].status;
		f.content_type = failures[i].type;
		scrape_fixture_scrape(&f, failures[i].page, 2);
		int k = (int)i * 3;
		check_double(failures[i].name, scrape_fixture_report(&f, "up", k), 1);
		check_double(failures[i].name, scrape_fixture_report(&f, "up", k + 1), 0);
		check_double(failures[i].name, scrape_fixture_report(&f, "a", k + 1),
		    double_from_bits(STALE_NAN_BITS));
		struct scrape_list list;
		scrape_manager_list(f.manager, f.arena, &list);
		check_slice(failures[i].name, list.active[0].last_error, slice_cstr(failures[i].error));
		check_int(failures[i].name, list.active[0].health, SCRAPE_HEALTH_DOWN);
	}
	/* A series that is back is not new, and has one stale marker for each time that it went. */
	check_double("added", scrape_fixture_report(&f, "scrape_series_added", 3), 0);
	check_dump("a", "{__name__=\"a\", " J
			"} 0:1 1:stale 3:1 4:stale 6:1 7:stale 9:1 10:stale 12:1 13:stale 15:1 16:stale"
			" 18:1 19:stale 21:1 22:stale\n");
}

static void a_removed_target_ends_a_little_later(void **state)
{
	(void)state;
	scrape_fixture_apply(&f, ONE_TARGET);
	scrape_fixture_scrape(&f, "a 1\n", 2);
	scrape_fixture_apply(&f, "scrape_configs: []\n");
	scrape_fixture_run_to(&f, 3.05);
	check_dump("a|up", "{__name__=\"a\", " J "} 0:1 1:1\n{__name__=\"up\", " J "} 0:1 1:1\n");
	scrape_fixture_run_to(&f, 3.1);
	check_dump(
	    "a|up", "{__name__=\"a\", " J "} 0:1 1:1 2:stale\n{__name__=\"up\", " J "} 0:1 1:1 2:stale\n");
	scrape_fixture_run_to(&f, 10);
	check_int("requests", f.requests, 2);
}

static void a_target_that_comes_back_in_time_does_not_end(void **state)
{
	(void)state;
	scrape_fixture_apply(&f, ONE_TARGET);
	scrape_fixture_scrape(&f, "a 1\n", 1);
	scrape_fixture_apply(&f, "scrape_configs: []\n");
	scrape_fixture_apply(&f, ONE_TARGET);
	scrape_fixture_run_to(&f, 3.9);
	check_dump("a", "{__name__=\"a\", " J "} 0:1 1:1 2:1 3:1\n");
}

static void a_reload_leaves_the_same_target_alone(void **state)
{
	(void)state;
	scrape_fixture_apply(&f, ONE_TARGET);
	scrape_fixture_scrape(&f, "a 1\n", 1);
	scrape_fixture_apply(&f, ONE_TARGET "  sample_limit: 10\n");
	scrape_fixture_scrape(&f, "a 2\n", 1);
	check_dump("a", "{__name__=\"a\", " J "} 0:1 1:2\n");
	check_double("not new", scrape_fixture_report(&f, "scrape_series_added", 1), 0);
}

static void other_relabelling_renames_and_ends_the_old_names(void **state)
{
	(void)state;
	scrape_fixture_apply(&f, ONE_TARGET);
	scrape_fixture_scrape(&f, "a 1\nb 1\n", 1);
	scrape_fixture_apply(&f, ONE_TARGET "  metric_relabel_configs: [{source_labels: [__name__], regex: "
					    "a, target_label: __name__, replacement: z}]\n");
	scrape_fixture_scrape(&f, "a 2\nb 2\n", 1);
	check_dump("[abz]", "{__name__=\"a\", " J "} 0:1 1:stale\n"
			    "{__name__=\"b\", " J "} 0:1 1:2\n"
			    "{__name__=\"z\", " J "} 1:2\n");
}

static void metric_relabelling_drops(void **state)
{
	(void)state;
	scrape_fixture_apply(&f,
	    ONE_TARGET "  metric_relabel_configs: [{source_labels: [__name__], regex: b, action: drop}]\n");
	scrape_fixture_scrape(&f, "a 1\nb 1\nc 1\n", 3);
	scrape_fixture_scrape(&f, "a 1\nc 1\n", 1);
	check_dump("[ab]", "{__name__=\"a\", " J "} 0:1 1:1 2:1 3:1\n");
	check_double("scraped", scrape_fixture_report(&f, "scrape_samples_scraped", 2), 3);
	check_double("kept", scrape_fixture_report(&f, "scrape_samples_post_metric_relabeling", 2), 2);
	check_double("added", scrape_fixture_report(&f, "scrape_series_added", 0), 2);
}

static void explicit_times(void **state)
{
	(void)state;
	char page[128];
	scrape_fixture_apply(&f, ONE_TARGET);
	snprintf(page, sizeof(page), "a 1 %lld\nb 1\nfar 1 %lld\n",
	    (long long)(f.first_ms - f.interval_ms / 2), (long long)(f.first_ms + 11 * 60 * 1000));
	scrape_fixture_scrape(&f, page, 1);
	scrape_fixture_scrape(&f, "# nothing\n", 1);
	/* No stale marker for what came with its own time. */
	check_dump("a|b|far", "{__name__=\"a\", " J "} -0.5:1\n{__name__=\"b\", " J "} 0:1 1:stale\n");
	check_double("up", scrape_fixture_report(&f, "up", 0), 1);
}

static void explicit_times_are_ignored_when_told(void **state)
{
	(void)state;
	scrape_fixture_apply(&f, ONE_TARGET "  honor_timestamps: false\n");
	scrape_fixture_scrape(&f, "a 1 5\n", 1);
	scrape_fixture_scrape(&f, "\n", 1);
	check_dump("a", "{__name__=\"a\", " J "} 0:1 1:stale\n");
}

static void explicit_times_are_tracked_when_told(void **state)
{
	(void)state;
	scrape_fixture_apply(&f, ONE_TARGET "  track_timestamps_staleness: true\n");
	char page[64];
	snprintf(page, sizeof(page), "a 1 %lld\n", (long long)f.first_ms);
	scrape_fixture_scrape(&f, page, 1);
	scrape_fixture_scrape(&f, "\n", 1);
	check_dump("a", "{__name__=\"a\", " J "} 0:1 1:stale\n");
}

static void duplicates_keep_the_first_value(void **state)
{
	(void)state;
	uint64_t before = counter_get(M_SCRAPE_DUPLICATE);
	scrape_fixture_apply(&f, ONE_TARGET);
	scrape_fixture_scrape(&f, "a 1\na 2\nb{x=\"1\",y=\"2\"} 1\nb{y=\"2\",x=\"1\"} 2\n", 2);
	check_dump(
	    "[ab]", "{__name__=\"a\", " J "} 0:1 1:1\n{__name__=\"b\", " J ", x=\"1\", y=\"2\"} 0:1 1:1\n");
	check_int("counted", counter_get(M_SCRAPE_DUPLICATE) - before, 4);
	check_double("kept", scrape_fixture_report(&f, "scrape_samples_post_metric_relabeling", 0), 4);
}

static void limits_roll_everything_back(void **state)
{
	(void)state;
	static const struct {
		const char *config, *page, *error;
		double scraped;
	} table[] = {
	    {"  sample_limit: 2\n", "a 1\nb 1\nc 1\nd 1\n", "sample limit exceeded", 4},
	    {"  label_limit: 3\n", "a{x=\"1\"} 1\n",
		"label_limit exceeded (metric: a, number of labels: 4, limit: 3)", 1},
	    {"  label_name_length_limit: 8\n", "a{long_name=\"1\"} 1\n",
		"label_name_length_limit exceeded (metric: a, label name: long_name, length: 9, limit: 8)",
		1},
	    {"  label_value_length_limit: 3\n", "a{x=\"long\"} 1\n",
		"label_value_length_limit exceeded (metric: a, label name: x, value: \"long\", length: 4, "
		"limit: 3)",
		1},
	    {"  body_size_limit: 10B\n", "a 1\nb 1\ncc\n", "body size limit exceeded", 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		scrape_fixture_done(&f);
		scrape_fixture_init(&f);
		char yaml[512];
		snprintf(yaml, sizeof(yaml), "%s%s", ONE_TARGET, table[i].config);
		scrape_fixture_apply(&f, yaml);
		scrape_fixture_scrape(&f, table[i].page, 1);
		check_dump("[a-d]", "");
		check_double(table[i].config, scrape_fixture_report(&f, "up", 0), 0);
		check_double(table[i].config, scrape_fixture_report(&f, "scrape_samples_scraped", 0),
		    table[i].scraped);
		struct scrape_list list;
		scrape_manager_list(f.manager, f.arena, &list);
		check_str(table[i].config, list.active[0].last_error, table[i].error);
	}
}

static void a_sample_limit_that_is_just_met_is_fine(void **state)
{
	(void)state;
	scrape_fixture_apply(&f, ONE_TARGET "  sample_limit: 2\n");
	scrape_fixture_scrape(&f, "a 1\nb 1\n", 1);
	check_double("up", scrape_fixture_report(&f, "up", 0), 1);
}

static void extra_metrics(void **state)
{
	(void)state;
	scrape_fixture_apply(
	    &f, ONE_TARGET "  extra_scrape_metrics: true\n  sample_limit: 7\n  scrape_timeout: 4s\n");
	scrape_fixture_scrape(&f, "a 1\n", 1);
	check_double("timeout", scrape_fixture_report(&f, "scrape_timeout_seconds", 0), 4);
	check_double("limit", scrape_fixture_report(&f, "scrape_sample_limit", 0), 7);
	check_double("size", scrape_fixture_report(&f, "scrape_body_size_bytes", 0), 4);
}

static void a_long_page_that_changes_its_order(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	enum { SERIES = 2000 };
	static int order[SERIES];
	scrape_fixture_apply(&f, ONE_TARGET);
	for (int i = 0; i < SERIES; i++)
		order[i] = i;
	for (int k = 0; k < 5; k++) {
		struct strbuf sb = STRBUF_INIT;
		for (int swaps = 0; k > 0 && swaps < SERIES / 50; swaps++) {
			int i = (int)test_random_below(&r, SERIES),
			    other = (int)test_random_below(&r, SERIES);
			int swapped = order[i];
			order[i] = order[other];
			order[other] = swapped;
		}
		for (int i = 0; i < SERIES; i++)
			strbuf_addf(&sb, "m{i=\"%d\"} %d\n", order[i], order[i] + k);
		scrape_fixture_scrape(&f, strbuf_cstr(&sb), 1);
		strbuf_done(&sb);
		check_double(
		    "added", scrape_fixture_report(&f, "scrape_series_added", k), k == 0 ? SERIES : 0);
	}
	const char *dump = scrape_fixture_dump(&f, "m");
	for (int i = 0; i < SERIES; i++) {
		char want[160];
		snprintf(want, sizeof(want), "{__name__=\"m\", i=\"%d\", " J "} 0:%d 1:%d 2:%d 3:%d 4:%d\n",
		    i, i, i + 1, i + 2, i + 3, i + 4);
		check_true(want, strstr(dump, want) != NULL);
	}
}

/* --- cases of the conformance data ---------------------------------------------------------------------------------------- */

static void add_target_labels(struct strbuf *yaml, const struct json_value *pairs)
{
	for (size_t i = 0; i + 1 < json_count(pairs); i += 2) {
		struct slice name, value;
		json_get_string(json_item(pairs, i), &name);
		json_get_string(json_item(pairs, i + 1), &value);
		strbuf_addf(
		    yaml, "%s'%" SL_FMT "': '%" SL_FMT "'", i ? ", " : "", SL_ARG(name), SL_ARG(value));
	}
}

/* The job's and instance's labels are taken off again before samples are compared. */
static void start_case(struct strbuf *yaml, const struct json_value *c, const char *more)
{
	scrape_fixture_done(&f);
	scrape_fixture_init(&f);
	strbuf_adds(yaml, "scrape_configs:\n- job_name: j\n  scrape_interval: 10s\n"
			  "  relabel_configs: [{target_label: instance, replacement: x}]\n");
	strbuf_adds(yaml, more);
	strbuf_adds(yaml, "  static_configs:\n  - targets: ['h:1']\n    labels: {");
	add_target_labels(yaml, json_member(c, "target_labels"));
	strbuf_adds(yaml, "}\n");
	scrape_fixture_apply(&f, strbuf_cstr(yaml));
	strbuf_done(yaml);
}

static void check_result(const struct json_value *want)
{
	bool is_list = json_kind_of(want) == JSON_KIND_LIST;
	struct label l[32] = {{SL("instance"), SL("x")}, {SL("job"), SL("j")}};
	size_t n = 2;
	if (is_list) {
		for (size_t i = 0; i + 1 < json_count(want); i += 2, n++) {
			json_get_string(json_item(want, i), &l[n].name);
			json_get_string(json_item(want, i + 1), &l[n].value);
		}
	} else {
		const struct json_value *value;
		for (void *at = NULL; json_next_member(want, &at, &l[n].name, &value); n++)
			json_get_string(value, &l[n].value);
	}
	const struct labels *labels;
	struct err err;
	check_ok("want", labels_from_pairs(f.arena, l, n, &labels, &err), &err);
	struct strbuf sb = STRBUF_INIT;
	labels_print(&sb, labels);
	const char *dump = scrape_fixture_dump(&f, "metric");
	check_true(strbuf_cstr(&sb), strncmp(dump, strbuf_cstr(&sb), sb.len) == 0);
	strbuf_done(&sb);
}

static void label_merging_as_upstream(void **state)
{
	(void)state;
	static const char *const files[] = {"scrape_honor_labels.json", "scrape_label_conflicts.json"};
	for (size_t k = 0; k < ARRAY_LEN(files); k++) {
		struct test_cases *cases = test_cases_open(files[k]);
		for (size_t i = 0; i < test_cases_count(cases); i++) {
			const struct json_value *c = test_case(cases, i);
			struct strbuf yaml = STRBUF_INIT;
			start_case(
			    &yaml, c, test_case_bool(c, "honor_labels") ? "  honor_labels: true\n" : "");
			scrape_fixture_scrape(&f,
			    arena_strdup(test_cases_arena(cases), test_case_text(cases, c, "scrape_text")),
			    1);
			check_result(json_member(c, "result_labels"));
		}
		test_cases_close(cases);
	}
}

static void label_limits_as_upstream(void **state)
{
	(void)state;
	struct test_cases *cases = test_cases_open("scrape_label_limits.json");
	for (size_t i = 0; i < test_cases_count(cases); i++) {
		const struct json_value *c = test_case(cases, i), *limits = json_member(c, "limits");
		static const char *const keys[][2] = {{"labelLimit", "label_limit"},
		    {"labelNameLengthLimit", "label_name_length_limit"},
		    {"labelValueLengthLimit", "label_value_length_limit"}};
		struct strbuf yaml = STRBUF_INIT, more = STRBUF_INIT;
		for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
			int64_t v;
			if (json_get_int(json_member(limits, keys[k][0]), &v))
				strbuf_addf(&more, "  %s: %lld\n", keys[k][1], (long long)v);
		}
		start_case(&yaml, c, strbuf_cstr(&more));
		scrape_fixture_scrape(&f, arena_strdup(f.arena, test_case_text(cases, c, "scrape_text")), 1);
		check_double("up", scrape_fixture_report(&f, "up", 0), !test_case_bool(c, "error"));
		strbuf_done(&more);
	}
	test_cases_close(cases);
}

static void honor_labels_lets_the_page_win(void **state)
{
	(void)state;
	scrape_fixture_apply(&f, ONE_TARGET "  honor_labels: true\n");
	scrape_fixture_scrape(&f, "a{job=\"own\",instance=\"\"} 1\nb 1\n", 1);
	check_dump("[ab]", "{__name__=\"a\", job=\"own\"} 0:1\n{__name__=\"b\", " J "} 0:1\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

TEST_MAIN("scrape_loop", CASE(samples_get_the_targets_labels),
    CASE(what_vanishes_becomes_stale_and_may_come_back), CASE(a_failed_scrape_ends_all_series),
    CASE(a_removed_target_ends_a_little_later), CASE(a_target_that_comes_back_in_time_does_not_end),
    CASE(a_reload_leaves_the_same_target_alone), CASE(other_relabelling_renames_and_ends_the_old_names),
    CASE(metric_relabelling_drops), CASE(explicit_times), CASE(explicit_times_are_ignored_when_told),
    CASE(explicit_times_are_tracked_when_told), CASE(duplicates_keep_the_first_value),
    CASE(limits_roll_everything_back), CASE(a_sample_limit_that_is_just_met_is_fine), CASE(extra_metrics),
    CASE(a_long_page_that_changes_its_order), CASE(label_merging_as_upstream), CASE(label_limits_as_upstream),
    CASE(honor_labels_lets_the_page_win))
