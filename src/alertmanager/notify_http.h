/* One POST of JSON to a receiver over HTTP, and what its answer means. Shared by the senders that speak HTTP. */
#pragma once

#include "alertmanager/receiver.h"

struct notify_http_post {
	struct slice url;
	bool is_secret_url;         /* errors show <redacted> */
	struct slice body;          /* JSON */
	const char *const *headers; /* besides Content-Type; NULL: none */
	int64_t timeout_ms;         /* 0: the request's own */
	/* Judges a 2xx answer; NULL: it is a success. */
	void (*judge)(const struct send_request *req, struct slice content_type, struct slice body);
	int retry_status; /* besides 5xx; 0: none */
};

/* Ends the request by receiver_done(), now or later. */
void notify_http_send(const struct send_request *req, const struct notify_http_post *post);
