/* The webhook receiver: one POST of the version 4 payload, or of the payload the configuration describes. */
#pragma once

#include "alertmanager/receiver.h"

void notify_webhook_send(const struct send_request *req);

/* The standard body, with the newline at its end. `max_alerts` 0: all. */
void notify_webhook_body(
    struct strbuf *out, const struct notification *n, uint64_t max_alerts, struct arena *arena);
