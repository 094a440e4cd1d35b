/* The columns of the head: what is kept of each series, by ref, in blocks of 1024 neighbours. A block never moves, so a
 * reader needs no lock to find it. Blocks go to the stripes in turn (series_stripe.h): the stripe's lock guards the content,
 * except `labels`, which is written under the index lock and read by anybody, and what lookups remember. */
#pragma once

#include "base/vec.h"
#include "storage/appender.h"
#include "tsdb/chunk_xor.h"
#include "tsdb/last_sample.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	HEAD_BLOCK_SHIFT = 10,
	HEAD_BLOCK_SERIES = 1 << HEAD_BLOCK_SHIFT,
	HEAD_BLOCKS = 1 << 18, /* so refs end at 2^28 */
	HEAD_STRIPES = 128,
};

enum head_series_flag {
	SERIES_LAST_IS_HISTOGRAM = 1,
	SERIES_HAS_HISTOGRAMS = 2, /* some of its samples in the head are */
	SERIES_IDLE = 4,           /* had no sample between the last two times its stripe was sealed */
	SERIES_DYING = 8,          /* ended, and about to be dropped unless a sample comes */
	SERIES_HAS_LATE = 16,      /* some of its samples are in the buffer of late ones */
};

struct head_series {
	struct chunk_xor chunk;  /* open */
	_Atomic uint32_t labels; /* handle in the index; 0: no series has this ref */
	uint32_t closed : 24;    /* place + 1 of its newest full chunk in the stripe's list */
	uint32_t flags : 8;
};
_Static_assert(sizeof(struct head_series) == 32, "two a cache line");

struct head_block {
	struct last_sample last[HEAD_BLOCK_SERIES];
	struct head_series series[HEAD_BLOCK_SERIES];
	bool has_histograms; /* the newest sample of some series is one, or was once */
	/* What head_find.c guesses by; written by anybody. */
	_Atomic uint64_t keys[HEAD_BLOCK_SERIES];   /* the lower half of the key a series was last found by */
	_Atomic series_ref next[HEAD_BLOCK_SERIES]; /* the series that was found behind it */
};

/* A block without series, and when it was taken out. */
struct dropped_block {
	struct head_block *block;
	uint64_t epoch;
};
VEC_DEFINE(dropped_blocks, struct dropped_block);

struct head_columns {
	_Atomic(struct head_block *) *blocks;
	_Atomic uint32_t n_blocks;     /* blocks behind it are not there */
	struct dropped_blocks dropped; /* maintenance thread; in the order of epochs */
};

void head_columns_init(struct head_columns *c);
void head_columns_done(struct head_columns *c);
/* The block of a ref, made when it is not there (index lock). NULL: out of refs or memory. */
struct head_block *head_columns_make(struct head_columns *c, series_ref ref);
/* Takes out a block (index lock, maintenance thread): nobody has a ref of it. But the guesses of lookups (head_find.c) may name
 * it, and whoever is at one has its address: so it is freed by head_columns_free_dropped(), when all users (ref_recycle.h)
 * that began before have ended. */
void head_columns_drop(struct head_columns *c, uint32_t block, uint64_t epoch);
void head_columns_free_dropped(struct head_columns *c, uint64_t epoch);
size_t head_columns_bytes(const struct head_columns *c);

/* The block of a ref, or NULL. */
static inline struct head_block *head_columns_block(const struct head_columns *c, series_ref ref)
{
	uint32_t i = ref >> HEAD_BLOCK_SHIFT;
	return i < HEAD_BLOCKS ? atomic_load_explicit(&c->blocks[i], memory_order_acquire) : NULL;
}

static inline unsigned series_in_block(series_ref ref)
{
	return ref & (HEAD_BLOCK_SERIES - 1);
}

static inline unsigned series_stripe_of(series_ref ref)
{
	return (ref >> HEAD_BLOCK_SHIFT) & (HEAD_STRIPES - 1);
}
