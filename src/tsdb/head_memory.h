/* What the head's memory is spent on, owner by owner: the gauges promq_tsdb_memory_bytes. Counted, not estimated: what was
 * asked of the allocator, without its rounding. */
#pragma once

#include "tsdb/head.h"

/* In the order of the rows of base/counters_table.h. */
enum head_memory_owner {
	HEAD_MEMORY_COLUMNS,    /* newest samples, states of open chunks */
	HEAD_MEMORY_CHUNKS,     /* bytes of open and closed chunks */
	HEAD_MEMORY_FROZEN,     /* chunks that are being sealed, or that readers hold */
	HEAD_MEMORY_HISTOGRAMS, /* native ones that are not sealed */
	HEAD_MEMORY_LATE,       /* out of order samples that are not sealed */
	HEAD_MEMORY_SYMBOLS,    /* texts of labels */
	HEAD_MEMORY_LABELS,     /* label sets, and the tables of names and pairs */
	HEAD_MEMORY_POSTINGS,   /* sets of refs */
	HEAD_MEMORY_TABLES,     /* labels to refs, keys of writers to refs */
	HEAD_MEMORY_REFS,       /* dropped series on their way */
	HEAD_MEMORY_EXEMPLARS,
	HEAD_MEMORY_OWNERS,
};

struct head_memory {
	size_t bytes[HEAD_MEMORY_OWNERS];
};

/* Takes each stripe's lock, and the index lock for reading. Postings, which are many, are counted once a minute. */
void head_memory(struct head *h, struct head_memory *out);
/* All of it but the chunks that are sealed. */
size_t head_memory_total(const struct head_memory *m);
