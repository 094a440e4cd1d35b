#include "fuzz/web_under_test.h"

#include "alertmanager/router.h"
#include "base/scheduler.h"
#include "base/thread_pool.h"
#include "base/xmalloc.h"
#include "config/config_alertmanager.h"
#include "ingest/ingest_limits.h"
#include "ingest/remote_write.h"
#include "net/http_client.h"
#include "storage/mem_store.h"
#include "web/api_alerts_v2.h"
#include "web/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NOW_MS = 1700000000, SAMPLES_MAX = 10000, QUERY_BYTES = 16 << 20 };

static const char alertmanager_yml[] =
    "route: {receiver: r, group_by: [alertname], routes: [{matchers: [a=~\"b.*\"]}]}\n"
    "receivers: [{name: r}]\n";

/* A fresh one now and then, or what the fuzzer stored would fill memory. */
enum { CALLS_EACH = 2000 };

/* libmicrohttpd may miss the end of a client that came with its last bytes, until the connection has idled too long: an end
 * that is not noticed within a moment is not waited for. */
enum { WHOLE_WAIT_S = 20, TORN_WAIT_US = 50000 };

struct web_under_test {
	struct clock *clock;
	struct scheduler *scheduler;
	struct thread_pool *pool;
	struct mem_store *store;
	struct promql_engine *engine;
	struct remote_write *remote_write;
	struct router *router;
	struct api_alerts_v2 *alerts;
	struct web *web;
	struct http_server *server;
	size_t calls;
};

static void check(int rc)
{
	if (rc)
		abort();
}

static struct router *make_router(struct scheduler *scheduler)
{
	struct router *router = router_new(&(struct router_options){
	    .scheduler = scheduler, .http = http_client_new("fuzz"), .external_url = "http://x"});
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct config_error_vec errors = {0};
	struct am_config *config;
	if (!am_config_parse(slice_cstr(alertmanager_yml), "fuzz.yml", arena, &errors, &config))
		abort();
	config_error_vec_done(&errors);
	check(router_reload(router, config, arena, NULL));
	return router;
}

static struct mem_store *make_store(void)
{
	struct mem_store *store = mem_store_new();
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	for (int64_t i = 20; i-- > 0;)
		mem_store_add(
		    store, labels_of(a, "__name__", "up", "job", "j", NULL), NOW_MS - i * 15000, 1, NULL);
	arena_free(a);
	return store;
}

static void start(struct web_under_test *w)
{
	w->clock = clock_virtual_new(NOW_MS);
	w->scheduler = scheduler_new(w->clock, NULL);
	w->pool = thread_pool_new("fuzz", 1);
	w->store = make_store();
	struct http_server_options options = {
	    .listen_address = "127.0.0.1:0", .io_threads = 1, .pools = {w->pool, w->pool, w->pool}};
	check(http_server_new(&options, &w->server, NULL));
	check(web_new(
	    &(struct web_options){.clock = w->clock, .external_url = SL("http://x/")}, &w->web, NULL));
	web_add(w->web, w->server);
	w->remote_write = remote_write_new(mem_store_appendable(w->store));
	struct http_route write = {HTTP_POST, "/api/v1/write", HTTP_LANE_INGEST, INGEST_MAX_BODY_BYTES,
	    remote_write_handle, w->remote_write};
	http_server_add(w->server, &write, 1);
	w->router = make_router(w->scheduler);
	w->alerts = api_alerts_v2_new(w->router, w->clock);
	api_alerts_v2_add(w->alerts, w->server);
	w->engine = promql_engine_new(&(struct promql_options){
	    .max_samples = SAMPLES_MAX, .max_query_bytes = QUERY_BYTES, .timeout_ms = 1000});
	struct web_deps deps = {.queryable = mem_store_queryable(w->store), .engine = w->engine};
	web_set_ready(w->web, &deps);
	check(http_server_start(w->server, NULL));
}

static void stop(struct web_under_test *w)
{
	http_server_free(w->server);
	api_alerts_v2_free(w->alerts);
	router_free(w->router);
	web_free(w->web);
	remote_write_free(w->remote_write);
	promql_engine_free(w->engine);
	mem_store_free(w->store);
	scheduler_free(w->scheduler);
	thread_pool_free(w->pool);
	clock_virtual_free(w->clock);
}

static unsigned server_port(void)
{
	static struct web_under_test w;
	signal(SIGPIPE, SIG_IGN);
	if (w.calls == CALLS_EACH) {
		stop(&w);
		w.calls = 0;
	}
	if (w.calls++ == 0)
		start(&w);
	return http_server_port(w.server);
}

static int call(unsigned port, bool is_whole)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	/* Closed connections linger for a minute: from one address alone the ports would not last. */
	static uint32_t calls;
	struct sockaddr_in from = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + calls++ % 250)};
	const int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)) ||
	    bind(fd, (const struct sockaddr *)&from, sizeof(from)) ||
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)))
		abort();
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	struct timeval patience = {is_whole ? WHOLE_WAIT_S : 0, is_whole ? 0 : TORN_WAIT_US};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

int web_under_test_send(struct slice bytes, bool is_whole)
{
	char head[4096];
	size_t got = 0;
	int fd = call(server_port(), is_whole);
	while (bytes.len) {
		ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		bytes = slice_from(bytes, (size_t)n);
	}
	if (!is_whole)
		shutdown(fd, SHUT_WR);
	for (;;) {
		char rest[4096];
		bool is_head = got < sizeof(head);
		ssize_t n =
		    recv(fd, is_head ? head + got : rest, is_head ? sizeof(head) - got : sizeof(rest), 0);
		if (n < 0 && errno == EINTR)
			continue; /* the fuzzer's alarm */
		if (n < 0 && errno == EAGAIN && is_whole)
			abort(); /* the server forgot this client */
		if (n <= 0)
			break;
		got += is_head ? (size_t)n : 0;
	}
	close(fd);
	return got > 12 && memcmp(head, "HTTP/1.", 7) == 0 ? atoi(head + 9) : 0;
}
