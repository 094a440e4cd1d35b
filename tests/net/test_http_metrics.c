#include "net/http_metrics.h"

#include "base/counters.h"
#include "tests/lib/test.h"

static void counted_by_handler_and_code(void **state)
{
	(void)state;
	struct http_metrics *m = http_metrics_new();
	http_metrics_done(m, "/a", 200, 50000000, 500);
	http_metrics_done(m, "/a", 200, 300000000, 5);
	http_metrics_done(m, "/a", 503, 1000, 5);
	http_metrics_done(m, "", 404, 1000, 5);
	struct strbuf out = STRBUF_INIT;
	counters_expose(&out);
	static const char *const want[] = {
	    "prometheus_http_requests_total{handler=\"/a\",code=\"200\"} 2\n",
	    "prometheus_http_requests_total{handler=\"/a\",code=\"503\"} 1\n",
	    "prometheus_http_requests_total{handler=\"/*\",code=\"404\"} 1\n",
	    "prometheus_http_request_duration_seconds_bucket{handler=\"/a\",le=\"0.1\"} 2\n",
	    "prometheus_http_request_duration_seconds_bucket{handler=\"/a\",le=\"0.4\"} 3\n",
	    "prometheus_http_request_duration_seconds_bucket{handler=\"/a\",le=\"+Inf\"} 3\n",
	    "prometheus_http_request_duration_seconds_count{handler=\"/a\"} 3\n",
	    "prometheus_http_response_size_bytes_bucket{handler=\"/a\",le=\"100\"} 2\n",
	    "prometheus_http_response_size_bytes_sum{handler=\"/a\"} 510\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		check_true(want[i], strstr(strbuf_cstr(&out), want[i]) != NULL);
	http_metrics_free(m);
	strbuf_reset(&out);
	counters_expose(&out);
	check_true("gone", strstr(strbuf_cstr(&out), "prometheus_http_requests_total") == NULL);
	strbuf_done(&out);
}

TEST_MAIN("http_metrics", cmocka_unit_test(counted_by_handler_and_code))
