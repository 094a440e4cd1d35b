#include "tests/scrape/scrape_fixture.h"

#include "base/double_text.h"
#include "base/xmalloc.h"
#include "model/stale_marker.h"

#include <stdio.h>
#include <stdlib.h>

enum { START_MS = 1700000000 };

static void answer(void *arg, const struct http_call *call, struct http_result *r)
{
	struct scrape_fixture *f = arg;
	f->requests++;
	snprintf(f->url, sizeof(f->url), "%s", call->url);
	f->headers[0] = '\0';
	for (size_t i = 0; call->headers[i]; i++) {
		size_t n = strlen(f->headers);
		snprintf(f->headers + n, sizeof(f->headers) - n, "%s\n", call->headers[i]);
	}
	f->max_response_bytes = call->max_response_bytes;
	r->rc = f->rc;
	r->error = f->rc ? "connection refused" : NULL;
	r->status = f->rc ? 0 : f->status;
	r->content_type = slice_cstr(f->content_type);
	r->body = slice_cstr(f->page);
	if (f->rc == 0 && r->body.len > call->max_response_bytes) {
		r->rc = ERR_LIMIT;
		r->error = "too large";
	}
}

void scrape_fixture_init(struct scrape_fixture *f)
{
	*f = (struct scrape_fixture){.page = "", .content_type = "text/plain; version=0.0.4", .status = 200};
	f->clock = clock_virtual_new(START_MS);
	f->scheduler = scheduler_new(f->clock, NULL);
	f->client = http_client_new_fake(answer, f);
	f->store = mem_store_new();
	f->arena = arena_new(ARENA_NO_LIMIT);
	struct scrape_manager_options opt = {
	    .scheduler = f->scheduler,
	    .client = f->client,
	    .store = mem_store_appendable(f->store),
	    .host_name = SL("test"),
	    .external_address = SL("prom.example:9090"),
	};
	f->manager = scrape_manager_new(&opt);
}

void scrape_fixture_done(struct scrape_fixture *f)
{
	scrape_manager_free(f->manager);
	scheduler_free(f->scheduler);
	http_client_free(f->client);
	clock_virtual_free(f->clock);
	mem_store_free(f->store);
	arena_free(f->arena);
}

void scrape_fixture_apply(struct scrape_fixture *f, const char *yaml)
{
	struct config_generation *g = xcalloc(1, sizeof(*g));
	g->refs = 1;
	g->arena = arena_new(ARENA_NO_LIMIT);
	g->config = config_load_text(g->arena, SL("test.yml"), slice_cstr(yaml), false, &g->errors);
	if (!g->config)
		fail_msg("configuration: %" SL_FMT, SL_ARG(g->errors.v[0].message));
	scrape_manager_apply(f->manager, g);
	if (f->first_ms == 0) {
		f->first_ms = scheduler_next_ms(f->scheduler);
		f->interval_ms = g->config->scrapes.n > 0 ? g->config->scrapes.v[0].scrape_interval_ms : 0;
	}
	config_generation_unref(g);
}

void scrape_fixture_scrape(struct scrape_fixture *f, const char *page, int scrapes)
{
	f->page = page;
	for (int i = 0; i < scrapes; i++) {
		int64_t next_ms = scheduler_next_ms(f->scheduler);
		assert_true(next_ms != INT64_MAX);
		scheduler_run_until(f->scheduler, next_ms);
	}
}

void scrape_fixture_run_to(struct scrape_fixture *f, double k)
{
	scheduler_run_until(f->scheduler, f->first_ms + (int64_t)(k * (double)f->interval_ms));
}

static void add_value(struct strbuf *sb, double v)
{
	char text[DOUBLE_TEXT_MAX];
	if (is_stale(v))
		strbuf_adds(sb, "stale");
	else
		strbuf_add(sb, text, double_to_go_g(v, text));
}

static struct series_set *select_all(struct scrape_fixture *f, const char *name_regex, struct querier **q)
{
	struct err err;
	const struct matcher *m;
	struct series_set *set = NULL;
	struct queryable *queryable = mem_store_queryable(f->store);
	check_ok("matcher",
	    matcher_new(f->arena, MATCH_REGEX, SL("__name__"), slice_cstr(name_regex), &m, &err), &err);
	check_ok("open", queryable->open(queryable, INT64_MIN, INT64_MAX, q, &err), &err);
	check_ok("select", (*q)->ops->select(*q, f->arena, &m, 1, true, NULL, &set, &err), &err);
	return set;
}

const char *scrape_fixture_dump(struct scrape_fixture *f, const char *name_regex)
{
	struct querier *q;
	struct series_set *set = select_all(f, name_regex, &q);
	struct strbuf sb = STRBUF_INIT;
	struct sample_column c;
	struct err err;
	sample_column_init(&c, f->arena);
	for (size_t i = 0; i < set->n; i++) {
		labels_print(&sb, set->ops->labels(set, i, f->arena));
		check_ok("read", set->ops->read(set, i, &c, &err), &err);
		for (size_t k = 0; k < c.n; k++) {
			strbuf_addch(&sb, ' ');
			add_value(&sb, (double)(c.t[k] - f->first_ms) / (double)f->interval_ms);
			strbuf_addch(&sb, ':');
			add_value(&sb, c.v[k]);
		}
		strbuf_addch(&sb, '\n');
	}
	sample_column_done(&c);
	q->ops->close(q);
	const char *text = arena_strdup(f->arena, strbuf_slice(&sb));
	strbuf_done(&sb);
	return text;
}

double scrape_fixture_report(struct scrape_fixture *f, const char *name, int k)
{
	struct querier *q;
	struct series_set *set = select_all(f, name, &q);
	struct sample_column c;
	struct err err;
	double v = 0;
	bool found = false;
	sample_column_init(&c, f->arena);
	check_int(name, set->n, 1);
	check_ok("read", set->ops->read(set, 0, &c, &err), &err);
	for (size_t i = 0; i < c.n; i++) {
		if (c.t[i] == f->first_ms + k * f->interval_ms) {
			v = c.v[i];
			found = true;
		}
	}
	check_true(name, found);
	sample_column_done(&c);
	q->ops->close(q);
	return v;
}
