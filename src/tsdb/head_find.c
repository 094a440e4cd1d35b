#include "tsdb/head_find.h"

enum { BATCH = 64 };

static struct head_block *block_of(const struct head *h, series_ref ref)
{
	return ref ? head_columns_block(&h->columns, ref) : NULL;
}

static bool is_alive(const struct head_block *b, series_ref ref)
{
	return atomic_load_explicit(&b->series[series_in_block(ref)].labels, memory_order_relaxed) != 0;
}

/* How many keys from the first on belong to the series that were guessed. */
static size_t follow(
    const struct head *h, series_ref at, const struct series_key *keys, size_t n, series_ref *refs)
{
	for (size_t i = 0; i < n; i++) {
		const struct head_block *b = block_of(h, at);
		at = b ? atomic_load_explicit(&b->next[series_in_block(at)], memory_order_relaxed) : 0;
		b = block_of(h, at);
		if (!b ||
		    atomic_load_explicit(&b->keys[series_in_block(at)], memory_order_relaxed) != keys[i].lo ||
		    !is_alive(b, at))
			return i;
		refs[i] = at;
	}
	return n;
}

/* Keys outlive their series: a dead ref is none. */
static void drop_dead(const struct head *h, series_ref *refs, size_t n)
{
	const struct head_block *blocks[BATCH];
	for (size_t i = 0; i < n; i++) {
		blocks[i] = block_of(h, refs[i]);
		if (blocks[i])
			__builtin_prefetch(&blocks[i]->series[series_in_block(refs[i])], 1);
	}
	for (size_t i = 0; i < n; i++)
		if (!blocks[i] || !is_alive(blocks[i], refs[i]))
			refs[i] = 0;
}

static void look_up(struct head *h, const struct series_key *keys, size_t n, series_ref *refs)
{
	rwlock_read(&h->keys_lock);
	key_table_find(&h->by_key, keys, n, refs);
	rwlock_release(&h->keys_lock);
	drop_dead(h, refs, n);
}

/* Remembers the way through these series. Writers that race spoil a guess, no more. */
static void remember(
    const struct head *h, series_ref before, const struct series_key *keys, size_t n, const series_ref *refs)
{
	for (size_t i = 0; i < n; before = refs[i++]) {
		struct head_block *from = block_of(h, before), *to = block_of(h, refs[i]);
		if (to)
			atomic_store_explicit(
			    &to->keys[series_in_block(refs[i])], keys[i].lo, memory_order_relaxed);
		if (to && from)
			atomic_store_explicit(
			    &from->next[series_in_block(before)], refs[i], memory_order_relaxed);
	}
}

static series_ref find_batch(
    struct head *h, series_ref before, const struct series_key *keys, size_t n, series_ref *refs)
{
	size_t guessed = follow(h, before, keys, n, refs);
	if (guessed > 0)
		before = refs[guessed - 1];
	if (guessed == n)
		return before;
	look_up(h, keys + guessed, n - guessed, refs + guessed);
	remember(h, before, keys + guessed, n - guessed, refs + guessed);
	return refs[n - 1];
}

series_ref head_find(
    struct head *h, series_ref before, const struct series_key *keys, size_t n, series_ref *refs)
{
	for (size_t i = 0, some; i < n; i += some) {
		size_t most = before == 0 && i == 0 ? 1 : BATCH; /* the first tells where the others may be */
		some = n - i < most ? n - i : most;
		before = find_batch(h, before, keys + i, some, refs + i);
	}
	return before;
}
