#include "tests/alertmanager/router_fixture.h"

#include "config/config_alertmanager.h"
#include "net/http_client.h"
#include <stdlib.h>

int64_t fixture_start_ms(void)
{
	return 1767225600000; /* 2026-01-01T00:00:00Z */
}

static void answer(void *arg, const struct http_call *call, struct http_result *r)
{
	struct router_fixture *f = arg;
	struct received_call *c = received_vec_add(&f->calls);
	c->at_ms = fixture_now(f);
	c->url = xstrdup(call->url);
	c->body = slice_dup(call->body);
	r->status = f->status;
	if (f->answer_body) {
		r->content_type = slice_cstr(f->answer_type);
		r->body = slice_cstr(f->answer_body);
	}
	if (f->n_failures > 0) {
		f->n_failures--;
		r->status = 503;
	}
}

void fixture_reload(struct router_fixture *f, const char *text)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct config_error_vec errors = {0};
	struct am_config *config;
	if (!am_config_parse(slice_cstr(text), "test.yml", arena, &errors, &config)) {
		struct strbuf sb = STRBUF_INIT;
		config_errors_print(&sb, &errors);
		fail_msg("configuration refused: %s", strbuf_cstr(&sb));
	}
	config_error_vec_done(&errors);
	struct err err;
	check_ok("reload", router_reload(f->router, config, arena, &err), &err);
}

void fixture_init(struct router_fixture *f, const char *config)
{
	*f = (struct router_fixture){.status = 200};
	f->clock = clock_virtual_new(fixture_start_ms());
	f->scheduler = scheduler_new(f->clock, NULL);
	f->arena = arena_new(ARENA_NO_LIMIT);
	f->router = router_new(&(struct router_options){
	    .scheduler = f->scheduler,
	    .http = http_client_new_fake(answer, f),
	    .external_url = "http://promq.example:9093",
	});
	if (config)
		fixture_reload(f, config);
}

void fixture_done(struct router_fixture *f)
{
	router_free(f->router);
	scheduler_free(f->scheduler);
	clock_virtual_free(f->clock);
	arena_free(f->arena);
	for (size_t i = 0; i < f->calls.len; i++) {
		free(f->calls.v[i].url);
		free(f->calls.v[i].body);
	}
	received_vec_done(&f->calls);
}

void fixture_run_until(struct router_fixture *f, int64_t ms)
{
	scheduler_run_until(f->scheduler, fixture_start_ms() + ms);
}

int64_t fixture_now(const struct router_fixture *f)
{
	return clock_now_ms(f->clock) - fixture_start_ms();
}

void fixture_alert(struct router_fixture *f, int64_t starts_ms, int64_t ends_ms, ...)
{
	struct label l[16];
	size_t n = 0;
	va_list ap;
	va_start(ap, ends_ms);
	for (const char *name; (name = va_arg(ap, const char *)); n++)
		l[n] = (struct label){slice_cstr(name), slice_cstr(va_arg(ap, const char *))};
	va_end(ap);
	const struct labels *ls;
	struct err err;
	check_ok("labels", labels_from_pairs(f->arena, l, n, &ls, &err), &err);
	struct alert a = {
	    .labels = ls,
	    .annotations = labels_of(f->arena, "summary", "it broke", NULL),
	    .starts_at_ms = fixture_start_ms() + starts_ms,
	    .ends_at_ms = ends_ms ? fixture_start_ms() + ends_ms : 0,
	    .generator_url = SL("http://promq.example/graph?g0.expr=up"),
	};
	router_put_alerts(f->router, &a, 1, clock_now_ms(f->clock));
}

size_t fixture_new_calls(struct router_fixture *f)
{
	size_t n = f->calls.len - f->n_seen;
	f->n_seen = f->calls.len;
	return n;
}

const struct received_call *fixture_last(const struct router_fixture *f)
{
	if (f->calls.len == 0)
		fail_msg("nothing was received");
	return &f->calls.v[f->calls.len - 1];
}

bool fixture_last_has(const struct router_fixture *f, const char *text)
{
	return strstr(fixture_last(f)->body, text) != NULL;
}
