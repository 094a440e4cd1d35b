/* Senders: one for each kind of receiver, behind one table. A sender turns a notification into one asynchronous call
 * and says how it ended; whether and when to try again is notify_retry.h's business. */
#pragma once

#include "alertmanager/notification.h"
#include "config/config_receiver.h"

struct http_client;
struct template_set;

enum send_outcome {
	SEND_OK,
	SEND_RETRY,  /* may work later */
	SEND_FAILED, /* will not */
};

/* Why it did not work, for alertmanager_notifications_failed_total. */
enum send_reason {
	SEND_REASON_OTHER,
	SEND_REASON_AUTH_ERROR,
	SEND_REASON_RATE_LIMITED,
	SEND_REASON_CLIENT_ERROR,
	SEND_REASON_SERVER_ERROR,
	SEND_REASON_CANCELED,
	SEND_REASON_DEADLINE_EXCEEDED,
	SEND_REASONS,
};
const char *send_reason_text(enum send_reason r); /* "clientError" */

struct send_result {
	enum send_outcome outcome;
	enum send_reason reason;
	const char *error; /* a sentence; NULL when it is SEND_OK */
};

/* Called once; the result dies when it returns. Any thread. */
typedef void (*send_done_fn)(void *arg, const struct send_result *r);

struct send_request {
	struct http_client *http;
	const struct am_integration *integration;
	const struct notification *notification;
	const struct template_set *templates; /* defaults and those of the configuration */
	int64_t timeout_ms;                   /* until the flush's deadline: at least 1 */
	struct arena *arena;                  /* of the attempt: until done has returned */
	send_done_fn done;
	void *done_arg;
};

/* Sends by the integration's kind. A kind without a sender fails for good, and says so. */
void receiver_send(const struct send_request *req);
/* Whether notifications of this kind can be delivered. */
bool receiver_can_send(enum am_kind kind);

/* For senders: ends the request at once. */
void receiver_done(const struct send_request *req, enum send_outcome outcome, enum send_reason reason,
    const char *fmt, ...) PRINTF_LIKE(4, 5);
