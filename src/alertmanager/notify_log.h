/* What was said to whom: for each group and integration the alerts that fired and those that were resolved when it was
 * last notified. It decides whether a flush has news, and keeps a reload from telling everything again.
 *
 * Owned by the router, guarded by its lock. */
#pragma once

#include "base/hashtab.h"
#include "base/slice.h"
#include <stdbool.h>
#include <stdint.h>

struct notify_log {
	struct hashtab entries;
};

struct notify_log_entry {
	int64_t at_ms, expires_ms;
	uint64_t *firing, *resolved; /* sorted alert hashes */
	size_t n_firing, n_resolved;
};

enum notify_reason {
	NOTIFY_NOTHING, /* no news */
	NOTIFY_FIRST,
	NOTIFY_NEW_ALERTS,
	NOTIFY_ALL_RESOLVED,
	NOTIFY_SOME_RESOLVED,
	NOTIFY_REPEAT,
};

/* "first notification", ...: as payloads have it. */
const char *notify_reason_text(enum notify_reason r);

/* The state of a group as the log sees it; the hashes are sorted. */
struct notify_state {
	const uint64_t *firing, *resolved;
	size_t n_firing, n_resolved;
};

void notify_log_init(struct notify_log *log);
void notify_log_done(struct notify_log *log);

/* Sorts hashes for a notify_state. */
void notify_log_sort(uint64_t *hashes, size_t n);

/* Whether there is something to say; `tick_ms` is the flush's time. */
enum notify_reason notify_log_decide(const struct notify_log *log, struct slice key,
    const struct notify_state *now, bool send_resolved, int64_t tick_ms, int64_t repeat_interval_ms);
/* It was said. An entry of a later time stays as it is. */
void notify_log_set(struct notify_log *log, struct slice key, const struct notify_state *now, int64_t at_ms,
    int64_t expires_ms);
/* Drops what has expired. */
void notify_log_gc(struct notify_log *log, int64_t now_ms);
