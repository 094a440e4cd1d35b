/* How much CPU does the router take for a storm? 20,000 alerts in 100 groups, posted three times, then notified.
 *
 *   bench_route [ALERTS [GROUPS [TIMES]]]
 *
 * Bodies are read from JSON as POST /api/v2/alerts reads them, time is virtual, the receiver is a function. Prints the
 * CPU seconds of posting and of notifying, without and with an inhibition rule that touches every alert. */
#include "alertmanager/router.h"
#include "base/json_read.h"
#include "base/scheduler.h"
#include "config/config_alertmanager.h"
#include "net/http_client.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const int64_t start_ms = 1767225600000;

struct counts {
	size_t calls, bytes;
};

static double cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void answer(void *arg, const struct http_call *call, struct http_result *r)
{
	struct counts *c = arg;
	c->calls++;
	c->bytes += call->body.len;
	r->status = 200;
}

static void write_body(struct strbuf *out, size_t n_alerts, size_t n_groups)
{
	for (size_t i = 0; i < n_alerts; i++)
		strbuf_addf(out,
		    "%s{\"labels\":{\"alertname\":\"Storm%zu\",\"instance\":\"host-%zu.example:9100\","
		    "\"job\":\"node\","
		    "\"severity\":\"%s\",\"team\":\"infra\",\"cluster\":\"c%zu\"},\"annotations\":{"
		    "\"summary\":"
		    "\"disk of host-%zu is "
		    "full\",\"runbook\":\"https://wiki.example/disk\"},\"generatorURL\":"
		    "\"http://prometheus.example/graph?g0.expr=up&g0.tab=1\"}",
		    i ? "," : "[", i % n_groups, i, i % 2 ? "warning" : "critical", i % 7, i);
	strbuf_adds(out, "]");
}

static const struct labels *read_labels(struct arena *arena, const struct json_value *map)
{
	struct label l[16];
	size_t n = 0;
	const struct json_value *value;
	const struct labels *out = NULL;
	for (void *at = NULL; n < 16 && json_next_member(map, &at, &l[n].name, &value); n++)
		if (!json_get_string(value, &l[n].value))
			abort();
	if (labels_from_pairs(arena, l, n, &out, NULL))
		abort();
	return out;
}

static void post(struct router *router, struct slice body, int64_t now_ms)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct json_doc *doc;
	if (json_doc_parse(body, &doc, NULL))
		abort();
	const struct json_value *root = json_doc_root(doc);
	size_t n = json_count(root);
	struct alert *v = ARENA_ARRAY(arena, struct alert, n);
	for (size_t i = 0; i < n; i++) {
		const struct json_value *a = json_item(root, i);
		v[i].labels = read_labels(arena, json_member(a, "labels"));
		v[i].annotations = read_labels(arena, json_member(a, "annotations"));
		json_get_string(json_member(a, "generatorURL"), &v[i].generator_url);
	}
	router_put_alerts(router, v, n, now_ms);
	json_doc_free(doc);
	arena_free(arena);
}

static void load(struct router *router, const char *rules)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct config_error_vec errors = {0};
	struct am_config *config;
	struct strbuf sb = STRBUF_INIT;
	strbuf_addf(&sb,
	    "route: {receiver: hook, group_by: [alertname], group_wait: 10s}\n"
	    "receivers: [{name: hook, webhook_configs: [{url: 'http://receiver.example/'}]}]\ninhibit_rules: "
	    "%s\n",
	    rules);
	if (!am_config_parse(strbuf_slice(&sb), "bench.yml", arena, &errors, &config) ||
	    router_reload(router, config, arena, NULL))
		abort();
	strbuf_done(&sb);
	config_error_vec_done(&errors);
}

static void run(const char *name, const char *rules, struct slice body, size_t times)
{
	struct counts counts = {0};
	struct clock *clock = clock_virtual_new(start_ms);
	struct scheduler *scheduler = scheduler_new(clock, NULL);
	struct router *router = router_new(&(struct router_options){.scheduler = scheduler,
	    .http = http_client_new_fake(answer, &counts),
	    .external_url = "http://x"});
	load(router, rules);
	double t0 = cpu_s();
	for (size_t i = 0; i < times; i++)
		post(router, body, start_ms + (int64_t)i * 1000);
	double t1 = cpu_s();
	scheduler_run_until(scheduler, start_ms + 10000);
	double t2 = cpu_s();
	printf("%-22s post %.3f s   notify %.3f s   %zu notifications, %.1f MB\n", name, t1 - t0, t2 - t1,
	    counts.calls, (double)counts.bytes / 1e6);
	router_free(router);
	scheduler_free(scheduler);
	clock_virtual_free(clock);
}

int main(int argc, char **argv)
{
	size_t n_alerts = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
	size_t n_groups = argc > 2 ? strtoul(argv[2], NULL, 10) : 100;
	size_t times = argc > 3 ? strtoul(argv[3], NULL, 10) : 3;
	struct strbuf body = STRBUF_INIT;
	write_body(&body, n_alerts, n_groups ? n_groups : 1);
	printf("%zu alerts, %zu groups, posted %zu times, %.1f MB each\n", n_alerts, n_groups, times,
	    (double)body.len / 1e6);
	run("no rule", "[]", strbuf_slice(&body), times);
	run("one rule",
	    "[{source_matchers: [severity=critical], target_matchers: [severity=warning], equal: [cluster]}]",
	    strbuf_slice(&body), times);
	run("one rule, two-sided", "[{source_matchers: [], target_matchers: [], equal: []}]",
	    strbuf_slice(&body), times);
	strbuf_done(&body);
	return 0;
}
