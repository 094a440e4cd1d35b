#include "alertmanager/receiver.h"

#include "alertmanager/notify_pagerduty.h"
#include "alertmanager/notify_slack.h"
#include "alertmanager/notify_webhook.h"

/* Kinds that are not here are read from the configuration, and named in a warning and in each failed delivery. */
static void (*const senders[AM_KINDS])(const struct send_request *req) = {
    [AM_WEBHOOK] = notify_webhook_send,
    [AM_PAGERDUTY] = notify_pagerduty_send,
    [AM_SLACK] = notify_slack_send,
};

const char *send_reason_text(enum send_reason r)
{
	static const char *const texts[SEND_REASONS] = {
	    [SEND_REASON_OTHER] = "other",
	    [SEND_REASON_AUTH_ERROR] = "authError",
	    [SEND_REASON_RATE_LIMITED] = "rateLimited",
	    [SEND_REASON_CLIENT_ERROR] = "clientError",
	    [SEND_REASON_SERVER_ERROR] = "serverError",
	    [SEND_REASON_CANCELED] = "contextCanceled",
	    [SEND_REASON_DEADLINE_EXCEEDED] = "contextDeadlineExceeded",
	};
	return texts[r];
}

bool receiver_can_send(enum am_kind kind)
{
	return senders[kind] != NULL;
}

void receiver_done(
    const struct send_request *req, enum send_outcome outcome, enum send_reason reason, const char *fmt, ...)
{
	struct strbuf sb = STRBUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	strbuf_addv(&sb, fmt, ap);
	va_end(ap);
	struct send_result r = {outcome, reason, strbuf_cstr(&sb)};
	req->done(req->done_arg, &r);
	strbuf_done(&sb);
}

void receiver_send(const struct send_request *req)
{
	enum am_kind kind = req->integration->kind;
	if (senders[kind])
		senders[kind](req);
	else
		receiver_done(req, SEND_FAILED, SEND_REASON_OTHER,
		    "receivers of kind %s cannot be notified yet", am_kind_name(kind));
}
