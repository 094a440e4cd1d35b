#include "alertmanager/notify_log.h"

#include "base/xmalloc.h"
#include <stdlib.h>

const char *notify_reason_text(enum notify_reason r)
{
	static const char *const texts[] = {
	    [NOTIFY_NOTHING] = "unknown",
	    [NOTIFY_FIRST] = "first notification",
	    [NOTIFY_NEW_ALERTS] = "new alerts added",
	    [NOTIFY_ALL_RESOLVED] = "all alerts resolved",
	    [NOTIFY_SOME_RESOLVED] = "some alerts resolved",
	    [NOTIFY_REPEAT] = "repeat interval elapsed",
	};
	return texts[r];
}

void notify_log_init(struct notify_log *log)
{
	*log = (struct notify_log){0};
}

static void entry_free(struct notify_log_entry *e)
{
	if (!e)
		return;
	free(e->firing);
	free(e->resolved);
	free(e);
}

void notify_log_done(struct notify_log *log)
{
	size_t i = 0;
	for (struct hashtab_entry *slot; (slot = hashtab_next(&log->entries, &i));)
		entry_free(slot->value);
	hashtab_done(&log->entries);
}

static int hash_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

void notify_log_sort(uint64_t *hashes, size_t n)
{
	if (n > 1)
		qsort(hashes, n, sizeof(*hashes), hash_order);
}

/* Both sorted. */
static bool is_subset(const uint64_t *a, size_t na, const uint64_t *b, size_t nb)
{
	size_t k = 0;
	for (size_t i = 0; i < na; i++) {
		while (k < nb && b[k] < a[i])
			k++;
		if (k == nb || b[k] != a[i])
			return false;
	}
	return true;
}

enum notify_reason notify_log_decide(const struct notify_log *log, struct slice key,
    const struct notify_state *now, bool send_resolved, int64_t tick_ms, int64_t repeat_interval_ms)
{
	const struct notify_log_entry *e = hashtab_get(&log->entries, key);
	if (!e)
		return now->n_firing > 0 ? NOTIFY_FIRST : NOTIFY_NOTHING;
	if (!is_subset(now->firing, now->n_firing, e->firing, e->n_firing))
		return e->n_firing == 0 ? NOTIFY_FIRST : NOTIFY_NEW_ALERTS;
	/* Said even where resolved alerts are not sent: so that the log is cleared. */
	if (now->n_firing == 0)
		return e->n_firing > 0 ? NOTIFY_ALL_RESOLVED : NOTIFY_NOTHING;
	if (send_resolved && !is_subset(now->resolved, now->n_resolved, e->resolved, e->n_resolved))
		return NOTIFY_SOME_RESOLVED;
	return e->at_ms < tick_ms - repeat_interval_ms ? NOTIFY_REPEAT : NOTIFY_NOTHING;
}

static uint64_t *copy_hashes(const uint64_t *v, size_t n)
{
	uint64_t *copy = xcalloc(n ? n : 1, sizeof(*copy));
	if (n > 0)
		memcpy(copy, v, n * sizeof(*copy));
	return copy;
}

void notify_log_set(struct notify_log *log, struct slice key, const struct notify_state *now, int64_t at_ms,
    int64_t expires_ms)
{
	struct notify_log_entry *old = hashtab_get(&log->entries, key);
	if (old && old->at_ms > at_ms)
		return;
	struct notify_log_entry *e = xcalloc(1, sizeof(*e));
	*e = (struct notify_log_entry){
	    .at_ms = at_ms,
	    .expires_ms = expires_ms,
	    .firing = copy_hashes(now->firing, now->n_firing),
	    .resolved = copy_hashes(now->resolved, now->n_resolved),
	    .n_firing = now->n_firing,
	    .n_resolved = now->n_resolved,
	};
	entry_free(hashtab_put(&log->entries, key, e));
}

/* Into a new table: removing while walking is not possible. */
void notify_log_gc(struct notify_log *log, int64_t now_ms)
{
	struct notify_log kept = {0};
	size_t i = 0;
	for (struct hashtab_entry *slot; (slot = hashtab_next(&log->entries, &i));) {
		struct notify_log_entry *e = slot->value;
		if (e->expires_ms > now_ms)
			hashtab_put(&kept.entries, slot->key, e);
		else
			entry_free(e);
	}
	hashtab_done(&log->entries);
	*log = kept;
}
