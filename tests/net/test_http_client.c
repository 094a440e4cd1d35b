#include "net/http_client.h"

#include "tests/lib/test.h"

static void answer(void *arg, const struct http_call *call, struct http_result *r)
{
	int *calls = arg;
	++*calls;
	r->status = 200;
	r->body = call->body;
}

static void the_fake_answers_at_once(void **state)
{
	(void)state;
	int calls = 0;
	struct http_client *c = http_client_new_fake(answer, &calls);
	struct http_result r;
	struct strbuf response = STRBUF_INIT;
	struct err err;
	struct http_call call = {.method = "POST", .url = "http://x/", .body = SL("hello")};
	check_ok("do", http_client_do(c, &call, &r, &response, &err), &err);
	check_int("status", r.status, 200);
	check_str("body", r.body, "hello");
	check_int("calls", calls, 1);
	strbuf_done(&response);
	http_client_free(c);
}

static void failures_are_sentences(void **state)
{
	(void)state;
	static const struct {
		const char *name, *url, *password_file;
		int want;
	} cases[] = {
	    {"nobody listens", "http://127.0.0.1:1/", NULL, ERR_IO},
	    {"not http", "file:///etc/passwd", NULL, ERR_IO},
	    {"not a url", "http://[", NULL, ERR_IO},
	    {"secret missing", "http://127.0.0.1:1/", "/nonexistent/secret", ERR_IO},
	};
	struct http_client *c = http_client_new("promq-test");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_client_auth auth = {
		    .basic_user = "u", .basic_password_file = cases[i].password_file};
		struct http_call call = {
		    .method = "GET", .url = cases[i].url, .timeout_ms = 10000, .auth = &auth};
		struct http_result r;
		struct strbuf response = STRBUF_INIT;
		struct err err = {0};
		check_int(cases[i].name, http_client_do(c, &call, &r, &response, &err), cases[i].want);
		check_true(cases[i].name, strlen(err.msg) > 10);
		strbuf_done(&response);
	}
	http_client_free(c);
}

TEST_MAIN("http_client", cmocka_unit_test(the_fake_answers_at_once), cmocka_unit_test(failures_are_sentences))
