/* What writers said of their metrics: type, help, unit, by metric name; the newest word counts. Bounded; thread-safe. */
#pragma once

#include "base/arena.h"
#include "base/hashtab.h"
#include "base/lock.h"
#include "base/strbuf.h"
#include "model/metadata.h"

enum { METADATA_MAX_METRICS = 1 << 18, METADATA_MAX_TEXT = 4096 };

struct metadata_store {
	struct lock lock;         /* LOCK_SERIES */
	struct hashtab by_metric; /* struct metadata, one heap block with its text */
};

void metadata_store_init(struct metadata_store *s);
void metadata_store_done(struct metadata_store *s);
/* True when that was news. Too long text is cut, metrics beyond the bound are ignored. */
bool metadata_store_set(struct metadata_store *s, struct slice metric, const struct metadata *m);
/* Copies to the arena, sorted by metric; `metric` empty: all. Returns how many. */
struct metadata_of {
	struct slice metric;
	struct metadata m;
};
size_t metadata_store_list(
    struct metadata_store *s, struct slice metric, struct arena *arena, struct metadata_of **out);
