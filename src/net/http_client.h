/* The HTTP client: one libcurl multi handle with its own thread; calls are asynchronous. A fake takes its place in
 * tests: http_client_new_fake(). Thread-safe. */
#pragma once

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include <stdbool.h>
#include <stdint.h>

struct http_client;

/* What `http_config` of Prometheus and Alertmanager says; strings borrowed for the time of the call only. NULL: unset. */
struct http_client_auth {
	const char *basic_user, *basic_password;
	const char *basic_user_file, *basic_password_file;          /* read at each request */
	const char *authorization_type, *authorization_credentials; /* "Bearer", ... */
	const char *authorization_credentials_file;
	const char *tls_ca_file, *tls_cert_file, *tls_key_file;
	bool tls_insecure_skip_verify;
	const char *proxy_url, *no_proxy;
	bool proxy_from_environment;
	bool no_follow_redirects;
};

struct http_call {
	const char *method; /* "GET", "POST" */
	const char *url;
	const char *const *headers;          /* "Name: value", NULL-terminated; NULL: none */
	struct slice body;                   /* copied */
	const struct http_client_auth *auth; /* NULL: none */
	int64_t timeout_ms;                  /* of the whole call; 0: none */
	size_t max_response_bytes;           /* 0: 64 MiB; more is ERR_LIMIT */
	size_t expected_bytes;               /* of the response: room to begin with; 0: not known */
	bool accept_gzip;                    /* the answer is inflated by the client */
	const char *unix_socket;             /* NULL: TCP */
};

struct http_result {
	int rc; /* 0: an HTTP answer came, whatever its status; else ERR_TIMEOUT, ERR_IO, ERR_LIMIT, ERR_CANCELED */
	int status; /* 0 when rc is not 0 */
	struct slice body;
	struct strbuf
	    *buffer; /* what `body` lies in: may be taken with strbuf_take(); NULL: it is elsewhere */
	struct slice content_type; /* as sent, "" when absent */
	int64_t retry_after_ms;    /* -1: no Retry-After */
	int64_t duration_ns;
	const char *error; /* a sentence when rc is not 0 */
};

/* Called once, on the client's thread: hand real work to a pool. `r` dies when it returns. */
typedef void (*http_done_fn)(void *arg, const struct http_result *r);

struct http_client *http_client_new(const char *user_agent);
/* Calls that run end with ERR_CANCELED first. Takes NULL. */
void http_client_free(struct http_client *c);
void http_client_send(struct http_client *c, const struct http_call *call, http_done_fn done, void *arg);

/* The same, waiting; `response` gets the body; `result`'s slices point into it. */
MUST_CHECK int http_client_do(struct http_client *c, const struct http_call *call, struct http_result *result,
    struct strbuf *response, struct err *err);

/* `answer` is called inside http_client_send() and fills the result; done follows at once. For tests. */
struct http_client *http_client_new_fake(
    void (*answer)(void *arg, const struct http_call *call, struct http_result *r), void *arg);
