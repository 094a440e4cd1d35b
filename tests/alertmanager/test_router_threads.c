/* The router on the real clock, with workers and real HTTP: what the scenarios on the virtual clock cannot show. */
#include "alertmanager/router.h"
#include "base/scheduler.h"
#include "base/xmalloc.h"
#include "config/config_alertmanager.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "tests/lib/test.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>

enum { POSTERS = 3, ROUNDS = 30, ALERTS = 40 };

struct setup {
	struct thread_pool *pool;
	struct http_server *server;
	struct scheduler *scheduler;
	struct router *router;
	sem_t received;
	_Atomic int requests;
};

static void take(struct http_request *req, void *arg)
{
	struct setup *s = arg;
	/* Every third is refused for the moment, so that retries run too. */
	int n = atomic_fetch_add(&s->requests, 1);
	http_reply_empty(req, n % 3 == 1 ? 503 : 200);
	sem_post(&s->received);
}

static void reload(struct setup *s)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct config_error_vec errors = {0};
	struct am_config *config;
	struct err err;
	struct slice text = arena_printf(arena,
	    "route: {receiver: r, group_by: [n], group_wait: 0s, group_interval: 1s}\n"
	    "receivers: [{name: r, webhook_configs: [{url: 'http://127.0.0.1:%u/hook'}]}]\n"
	    "inhibit_rules: [{source_matchers: [n=0], target_matchers: [n=1]}]\n",
	    http_server_port(s->server));
	assert_true(am_config_parse(text, "t.yml", arena, &errors, &config));
	config_error_vec_done(&errors);
	check_ok("reload", router_reload(s->router, config, arena, &err), &err);
}

static void start(struct setup *s)
{
	struct err err;
	*s = (struct setup){.pool = thread_pool_new("test", 3)};
	sem_init(&s->received, 0, 0);
	struct http_server_options opt = {.listen_address = "127.0.0.1:0"};
	for (size_t i = 0; i < HTTP_LANES; i++)
		opt.pools[i] = s->pool;
	check_ok("server", http_server_new(&opt, &s->server, &err), &err);
	const struct http_route route = {HTTP_POST, "/hook", HTTP_LANE_CONTROL, 1 << 20, take, s};
	http_server_add(s->server, &route, 1);
	check_ok("start", http_server_start(s->server, &err), &err);
	s->scheduler = scheduler_new(clock_real(), s->pool);
	s->router = router_new(&(struct router_options){
	    .scheduler = s->scheduler, .http = http_client_new("test"), .external_url = "http://x"});
	reload(s);
}

static void stop(struct setup *s)
{
	router_free(s->router);
	scheduler_free(s->scheduler);
	http_server_free(s->server);
	thread_pool_free(s->pool);
	sem_destroy(&s->received);
}

static void *post_many(void *arg)
{
	struct setup *s = arg;
	for (int round = 0; round < ROUNDS; round++) {
		struct arena *arena = arena_new(ARENA_NO_LIMIT);
		struct alert v[ALERTS];
		int64_t now_ms = clock_now_ms(clock_real());
		for (int i = 0; i < ALERTS; i++) {
			const char *group = arena_printf(arena, "%d", i % 8).ptr,
				   *id = arena_printf(arena, "%d", i).ptr;
			v[i] = (struct alert){.labels = labels_of(arena, "n", group, "id", id, NULL),
			    .ends_at_ms = now_ms + (round % 2 ? 600000 : 0),
			    .generator_url = SL_EMPTY};
		}
		router_put_alerts(s->router, v, ALERTS, now_ms);
		struct router_filter all = ROUTER_FILTER_ALL;
		const struct routed_alert *alerts;
		const struct routed_group *groups;
		size_t n;
		router_list_alerts(s->router, &all, now_ms, arena, &alerts, &n);
		router_list_groups(s->router, &all, now_ms, arena, &groups, &n);
		arena_free(arena);
	}
	return NULL;
}

static void posting_listing_reloading_at_once(void **state)
{
	(void)state;
	struct setup s;
	pthread_t threads[POSTERS];
	start(&s);
	for (int i = 0; i < POSTERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, post_many, &s), 0);
	for (int i = 0; i < 5; i++)
		reload(&s);
	for (int i = 0; i < POSTERS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 4; i++)
		sem_wait(&s.received);
	stop(&s); /* with deliveries under way */
}

TEST_MAIN("router_threads", cmocka_unit_test(posting_listing_reloading_at_once))
