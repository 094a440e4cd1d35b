/* A rule manager on a virtual clock, over a store in arrays, with a sink that writes down what it got. */
#pragma once

#include "base/xmalloc.h"
#include "model/label_builder.h"
#include "model/stale_marker.h"
#include "rules/rule_manager.h"
#include "storage/mem_store.h"
#include "tests/lib/test.h"

#include <stdio.h>

enum { RULES_MINUTE_MS = 60000 };
#define RULES_START_MS INT64_C(1700000000000)

struct rules_fixture {
	struct alert_sink sink; /* first */
	char *dir;
	struct clock *clock;
	struct scheduler *scheduler;
	struct mem_store *store;
	struct promql_engine *engine;
	struct rule_manager *manager;
	struct arena *arena;
	int64_t zero_ms;   /* the first slot: minute 0 of a scenario */
	struct strbuf log; /* "1m firing{alertname="A"} ..." a line each */
};

static inline int rules_minute(const struct rules_fixture *f, int64_t t_ms)
{
	return (int)((t_ms - f->zero_ms) / RULES_MINUTE_MS);
}

static inline void rules_log_alerts(
    struct alert_sink *self, const struct alert *alerts, size_t n, int64_t now_ms)
{
	struct rules_fixture *f = (struct rules_fixture *)(void *)self;
	for (size_t i = 0; i < n; i++) {
		const struct alert *a = &alerts[i];
		strbuf_addf(&f->log, "%dm %s", rules_minute(f, now_ms),
		    a->ends_at_ms <= now_ms ? "resolved" : "firing");
		labels_print(&f->log, a->labels);
		if (a->annotations->n) {
			strbuf_addch(&f->log, ' ');
			labels_print(&f->log, a->annotations);
		}
		strbuf_addf(
		    &f->log, " %dm..%dm\n", rules_minute(f, a->starts_at_ms), rules_minute(f, a->ends_at_ms));
	}
}

static inline void rules_write_file(struct rules_fixture *f, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", f->dir, name);
	FILE *out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	free(path);
}

static inline struct config_generation *rules_generation(
    struct rules_fixture *f, const char *config, const char *rules)
{
	rules_write_file(f, "prometheus.yml", config);
	rules_write_file(f, "rules.yml", rules);
	char *path = xasprintf("%s/prometheus.yml", f->dir);
	struct config_generation *g = config_generation_load(&(struct config_options){.path = path});
	free(path);
	rule_manager_check(g);
	struct strbuf sb = STRBUF_INIT;
	config_errors_print(&sb, &g->errors);
	if (!config_generation_is_good(g))
		fail_msg("%s", strbuf_cstr(&sb));
	strbuf_done(&sb);
	return g;
}

static inline void rules_load_with(struct rules_fixture *f, const char *config, const char *rules)
{
	struct config_generation *g = rules_generation(f, config, rules);
	struct err err;
	check_ok("load", rule_manager_load(f->manager, g, &err), &err);
	config_generation_unref(g);
}

#define RULES_CONFIG "global: {evaluation_interval: 1m}\nrule_files: [rules.yml]\n"

/* Loads groups with an interval of a minute. */
static inline void rules_load(struct rules_fixture *f, const char *rules)
{
	rules_load_with(f, RULES_CONFIG, rules);
}

static inline void rules_new_manager(struct rules_fixture *f)
{
	struct rule_manager_options options = {.scheduler = f->scheduler,
	    .engine = f->engine,
	    .queryable = mem_store_queryable(f->store),
	    .appendable = mem_store_appendable(f->store),
	    .sink = &f->sink,
	    .external_url = SL("http://promq/")};
	f->manager = rule_manager_new(&options);
}

static inline void rules_init(struct rules_fixture *f, const char *rules)
{
	*f = (struct rules_fixture){.sink = {.send = rules_log_alerts},
	    .dir = test_tmpdir(),
	    .clock = clock_virtual_new(RULES_START_MS),
	    .store = mem_store_new(),
	    .arena = arena_new(ARENA_NO_LIMIT),
	    .log = STRBUF_INIT};
	f->scheduler = scheduler_new(f->clock, NULL);
	f->engine = promql_engine_new(&(struct promql_options){.clock = f->clock});
	rules_new_manager(f);
	rules_load(f, rules);
	f->zero_ms = scheduler_next_ms(f->scheduler);
}

static inline void rules_done(struct rules_fixture *f)
{
	rule_manager_free(f->manager);
	promql_engine_free(f->engine);
	scheduler_free(f->scheduler);
	clock_virtual_free(f->clock);
	mem_store_free(f->store);
	arena_free(f->arena);
	strbuf_done(&f->log);
	test_tmpdir_done(f->dir);
}

/* A sample of `labels` just before a minute's slot. */
static inline void rules_set(struct rules_fixture *f, int minute, const struct labels *labels, double v)
{
	mem_store_add(f->store, labels, f->zero_ms + (int64_t)minute * RULES_MINUTE_MS - 1, v, NULL);
}

static inline void rules_end(struct rules_fixture *f, int minute, const struct labels *labels)
{
	rules_set(f, minute, labels, double_from_bits(STALE_NAN_BITS));
}

/* Runs everything up to and at the slot of a minute. */
static inline void rules_run(struct rules_fixture *f, int minute)
{
	scheduler_run_until(f->scheduler, f->zero_ms + (int64_t)minute * RULES_MINUTE_MS);
}

/* All samples of a metric, a line a series: {labels} 0m:1 1m:stale; stale ones as "end". Sorted. */
static inline const char *rules_series(struct rules_fixture *f, const char *metric)
{
	struct querier *q;
	struct series_set *set;
	const struct matcher *m;
	struct err err;
	struct queryable *store = mem_store_queryable(f->store);
	int64_t end_ms = f->zero_ms + INT64_C(1000) * RULES_MINUTE_MS;
	check_ok("open", store->open(store, 0, end_ms, &q, &err), &err);
	check_ok("matcher", matcher_new(f->arena, MATCH_EQUAL, SL(LABEL_NAME), slice_cstr(metric), &m, &err),
	    &err);
	struct select_hints hints = {.start_ms = 0, .end_ms = end_ms};
	check_ok("select", q->ops->select(q, f->arena, &m, 1, true, &hints, &set, &err), &err);
	struct strbuf sb = STRBUF_INIT;
	struct sample_column c;
	sample_column_init(&c, f->arena);
	for (size_t i = 0; i < set->n; i++) {
		struct label_builder b;
		label_builder_init(&b, f->arena, set->ops->labels(set, i, f->arena));
		label_builder_del(&b, SL(LABEL_NAME));
		labels_print(&sb, label_builder_labels(&b));
		check_ok("read", set->ops->read(set, i, &c, &err), &err);
		for (size_t k = 0; k < c.n; k++) {
			strbuf_addf(&sb, " %dm:", rules_minute(f, c.t[k]));
			if (is_stale(c.v[k]))
				strbuf_adds(&sb, "end");
			else
				strbuf_addf(&sb, "%g", c.v[k]);
		}
		strbuf_addch(&sb, '\n');
	}
	sample_column_done(&c);
	q->ops->close(q);
	const char *text = arena_strdup(f->arena, strbuf_slice(&sb));
	strbuf_done(&sb);
	return text;
}

/* The first group of the listing. */
static inline struct rule_group_view *rules_view(struct rules_fixture *f)
{
	struct rule_group_view *v;
	size_t n;
	rule_manager_list(f->manager, f->arena, &v, &n);
	assert_true(n > 0);
	return v;
}
