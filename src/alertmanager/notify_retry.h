/* The delivery of one flush to one integration: the decision whether there is news, the attempts with their growing
 * pauses, and the entry in the notification log once it is said. */
#pragma once

#include "alertmanager/notify_pipeline.h"

/* Starts it; it ends by notify_flush_part_done(). Without the lock. */
void delivery_start(
    struct flush *f, const struct am_receiver *receiver, const struct am_integration *integration);
/* Ends one that waits in ctx->waiting; false when there is none. Without the lock. */
bool delivery_cancel_one(struct notify_context *ctx);

/* The pause before attempt number `n` (the first is 0 and comes at once), with a random share `unit` in 0..1. */
int64_t delivery_backoff_ms(unsigned n, double unit);
