/* A client that goes in the middle of a query: the store it reads closes the connection. */
#include "tests/web/web_fixture.h"

#include "web/query_watch.h"

#include <arpa/inet.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

struct leaving_store {
	struct queryable self;
	struct queryable *real;
	struct scheduler *scheduler;
	int client;
};

/* The client goes; then time passes, and the timer looks until it has seen that. */
static int open_late(
    struct queryable *self, int64_t min_t_ms, int64_t max_t_ms, struct querier **out, struct err *err)
{
	struct leaving_store *s = (struct leaving_store *)(void *)self;
	close(s->client);
	while (scheduler_next_ms(s->scheduler) != INT64_MAX)
		scheduler_run_until(s->scheduler, scheduler_next_ms(s->scheduler));
	return s->real->open(s->real, min_t_ms, max_t_ms, out, err);
}

static int connect_to(unsigned port)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check_int("connect", connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void send_request(int fd)
{
	static const char text[] = "GET /api/v1/query?query=up HTTP/1.1\r\nHost: test\r\n\r\n";
	check_int("send", send(fd, text, sizeof(text) - 1, 0), sizeof(text) - 1);
}

static void a_client_that_goes_cancels_its_query(void **state)
{
	(void)state;
	struct web_fixture f;
	web_fixture_start(&f, NULL, 0);
	web_fixture_load(&f, "up{job=\"a\"} 1+0x10\n");
	struct clock *clock = clock_virtual_new(0);
	struct leaving_store store = {
	    .self = {.open = open_late}, .real = f.deps.queryable, .scheduler = scheduler_new(clock, NULL)};
	f.deps.queryable = &store.self;
	f.deps.scheduler = store.scheduler;
	web_fixture_ready(&f);
	store.client = connect_to(http_server_port(f.server));
	send_request(store.client);
	while (f.last_done == 0)
		sched_yield();
	check_int("status", f.last_done, 499);
	web_fixture_stop(&f);
	scheduler_free(store.scheduler);
	clock_virtual_free(clock);
}

static void a_client_that_stays_gets_its_answer(void **state)
{
	(void)state;
	struct web_fixture f;
	web_fixture_start(&f, NULL, 0);
	struct clock *clock = clock_virtual_new(0);
	struct scheduler *scheduler = scheduler_new(clock, NULL);
	f.deps.scheduler = scheduler;
	web_fixture_ready(&f);
	web_fixture_expect(&f, "/api/v1/query?query=1", 200,
	    "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[0,\"1\"]}}");
	check_true("no timer is left", scheduler_next_ms(scheduler) == INT64_MAX);
	web_fixture_stop(&f);
	scheduler_free(scheduler);
	clock_virtual_free(clock);
}

TEST_MAIN("query_watch", cmocka_unit_test(a_client_that_goes_cancels_its_query),
    cmocka_unit_test(a_client_that_stays_gets_its_answer))
