#include "tsdb/head.h"

#include "base/counters.h"
#include "base/utf8.h"
#include "base/xmalloc.h"
#include "tsdb/head_append.h"
#include <assert.h>
#include <inttypes.h>
#include <string.h>

void head_init(struct head *h, const struct head_options *o)
{
	memset(h, 0, sizeof(*h)); /* not a compound literal: the stripes would pass over the stack */
	h->options = *o;
	h->next_ref = 1;
	h->appendable.begin = head_begin;
	head_columns_init(&h->columns);
	for (unsigned i = 0; i < HEAD_STRIPES; i++)
		series_stripe_init(&h->stripes[i], i);
	ref_recycler_init(&h->refs);
	rwlock_init(&h->index_lock, LOCK_POSTINGS, "head index");
	head_index_init(&h->index);
	rwlock_init(&h->keys_lock, LOCK_SERIES, "series keys");
	metadata_store_init(&h->metadata);
	exemplar_ring_init(&h->exemplars, o->max_exemplars);
	atomic_init(&h->min_t_ms, INT64_MAX);
	atomic_init(&h->max_t_ms, INT64_MIN);
	lock_init(&h->spare_lock, LOCK_POOL, "appenders");
}

void head_done(struct head *h)
{
	head_free_spare(h);
	lock_done(&h->spare_lock);
	exemplar_ring_done(&h->exemplars);
	metadata_store_done(&h->metadata);
	key_table_done(&h->by_key);
	rwlock_done(&h->keys_lock);
	tag_table_done(&h->by_labels);
	dropped_labels_vec_done(&h->dropped);
	ref_recycler_done(&h->refs);
	head_index_done(&h->index);
	rwlock_done(&h->index_lock);
	for (unsigned i = 0; i < HEAD_STRIPES; i++)
		series_stripe_done(&h->stripes[i]);
	head_columns_done(&h->columns);
}

/* --- making series -------------------------------------------------------------------------------------------- */

static int check_labels(const struct labels *labels, struct err *err)
{
	if (labels->n == 0)
		return err_set(err, ERR_INVALID, "empty labelset: invalid sample");
	if (labels->n > SERIES_MAX_LABELS)
		return err_set(
		    err, ERR_INVALID, "%u labels: a series has at most %d", labels->n, SERIES_MAX_LABELS);
	size_t bytes = 0;
	LABELS_EACH (l, labels) {
		bytes += l->name.len + l->value.len;
		if (!label_name_valid(l->name))
			return err_set(
			    err, ERR_INVALID, "invalid label name \"%" SL_FMT "\"", SL_ARG(l->name));
		if (!utf8_valid(l->value))
			return err_set(err, ERR_INVALID, "value of label \"%" SL_FMT "\" is not valid UTF-8",
			    SL_ARG(l->name));
	}
	if (bytes > SERIES_MAX_BYTES)
		return err_set(err, ERR_INVALID, "labels of %zu bytes: a series has at most %d", bytes,
		    SERIES_MAX_BYTES);
	return 0;
}

/* Of a ref that was given out: its block is there. */
static struct head_series *series_of(struct head *h, series_ref ref)
{
	struct head_block *b = head_columns_block(&h->columns, ref);
	assert(b);
	return &b->series[series_in_block(ref)];
}

/* Index lock. */
static series_ref find_labels(struct head *h, const struct labels *labels)
{
	struct tag_walk w;
	for (series_ref ref = tag_table_first(&h->by_labels, labels->hash, &w); ref;
	     ref = tag_table_next(&w)) {
		uint32_t handle = series_of(h, ref)->labels; /* 0: it is being dropped */
		if (handle && series_labels_eq(&h->index.labels, handle, labels))
			return ref;
	}
	return 0;
}

series_ref head_find_labels(struct head *h, const struct labels *labels)
{
	rwlock_read(&h->index_lock);
	series_ref ref = find_labels(h, labels);
	rwlock_release(&h->index_lock);
	return ref;
}

static void log_series(struct head *h, series_ref ref, uint32_t handle)
{
	struct label few[64], *l = few;
	const uint32_t *values;
	if (!h->wal)
		return;
	uint32_t n = series_labels_at(&h->index.labels, handle, NULL, &values)->n;
	if (n > ARRAY_LEN(few))
		l = xreallocarray(NULL, n, sizeof(*l));
	wal_append_series(h->wal, ref, l, series_labels_text(&h->index.labels, handle, l));
	if (l != few)
		free(l);
}

/* Index lock for writing: makes the series and, last of all, findable. */
static int enter_series(struct head *h, series_ref ref, const struct labels *labels, struct err *err)
{
	struct head_block *b = head_columns_make(&h->columns, ref);
	if (!b)
		return err_set(
		    err, ERR_LIMIT, "no room for more series: %" PRIu64 " are there", (uint64_t)h->n_series);
	uint32_t handle;
	int rc = head_index_add(&h->index, ref, labels, &handle, err);
	if (rc != 0)
		return rc;
	log_series(h, ref, handle);
	atomic_store_explicit(&b->series[series_in_block(ref)].labels, handle, memory_order_release);
	tag_table_add(&h->by_labels, labels->hash, ref);
	atomic_fetch_add_explicit(&h->n_series, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->label_pairs, labels->n, memory_order_relaxed);
	return 0;
}

static int new_series(struct head *h, const struct labels *labels, series_ref *ref, struct err *err)
{
	if (h->options.max_series && h->n_series >= h->options.max_series)
		return err_set(
		    err, ERR_LIMIT, "the limit of %" PRIu64 " series is reached", h->options.max_series);
	series_ref again = ref_set_take(&h->refs.free), made = again ? again : h->next_ref;
	struct err why;
	int rc = enter_series(h, made, labels, &why);
	if (rc != 0 && again)
		ref_set_add(&h->refs.free, again, 1);
	if (rc == ERR_LIMIT) /* of the head itself: it passes when series end */
		return err_set(err, ERR_NO_MEMORY, "%s", why.msg);
	if (rc != 0)
		return err_set(err, rc, "%s", why.msg);
	h->next_ref += !again;
	*ref = made;
	return 0;
}

/* The snapshot being written leaves the series out, so it is logged anew, before it takes samples again. */
void head_revive_series(struct head *h, series_ref ref)
{
	struct head_series *s = series_of(h, ref);
	log_series(h, ref, s->labels);
	s->flags &= (uint32_t)~SERIES_DYING & 0xff;
}

/* False: too late, the series is gone. */
static bool keep_alive(struct head *h, series_ref ref)
{
	struct head_series *s = series_of(h, ref);
	struct series_stripe *stripe = &h->stripes[series_stripe_of(ref)];
	lock_take(&stripe->lock);
	bool is_there = s->labels != 0;
	if (is_there && (s->flags & SERIES_DYING))
		head_revive_series(h, ref);
	lock_release(&stripe->lock);
	return is_there;
}

/* The series with these labels, made when new. */
static int find_or_make(struct head *h, const struct labels *labels, series_ref *ref, struct err *err)
{
	for (;;) {
		int rc = 0;
		rwlock_write(&h->index_lock);
		series_ref found = find_labels(h, labels);
		bool is_known = found != 0;
		if (!is_known)
			rc = new_series(h, labels, &found, err);
		rwlock_release(&h->index_lock);
		if (rc != 0)
			return rc;
		if (!is_known || keep_alive(h, found)) {
			*ref = found;
			return 0;
		}
	}
}

static void remember_key(struct head *h, const struct series_key *key, series_ref ref)
{
	rwlock_write(&h->keys_lock);
	h->by_key.max_len = 2 * h->n_series + (1 << 20);
	key_table_put(&h->by_key, key, ref);
	rwlock_release(&h->keys_lock);
}

static void count_refused_series(int rc)
{
	counter_add(rc == ERR_LIMIT     ? M_TSDB_SERIES_REFUSED
		    : rc == ERR_INVALID ? M_TSDB_SERIES_INVALID
					: M_TSDB_SERIES_NO_ROOM,
	    1);
}

int head_add_series(struct head *h, const struct series_key *key, const struct labels *labels,
    series_ref *ref, struct err *err)
{
	series_ref found;
	int rc = check_labels(labels, err);
	if (rc == 0)
		rc = find_or_make(h, labels, &found, err);
	if (rc != 0) {
		count_refused_series(rc);
		return rc;
	}
	if (key)
		remember_key(h, key, found);
	*ref = found;
	return 0;
}

bool head_restore_series(struct head *h, series_ref ref, const struct labels *labels)
{
	rwlock_write(&h->index_lock);
	struct head_block *b = head_columns_make(&h->columns, ref);
	bool is_free = b && b->series[series_in_block(ref)].labels == 0 && find_labels(h, labels) == 0;
	bool ok = is_free && enter_series(h, ref, labels, NULL) == 0;
	if (ok && ref >= h->next_ref)
		h->next_ref = ref + 1;
	rwlock_release(&h->index_lock);
	return ok;
}

/* Takes the series out of the columns; what is left is as if there had been none. Its labels' handle, 0: it lives. */
static uint32_t clear_series(struct head *h, series_ref ref)
{
	struct head_block *b = head_columns_block(&h->columns, ref);
	struct head_series *s = series_of(h, ref);
	struct series_stripe *stripe = &h->stripes[series_stripe_of(ref)];
	lock_take(&stripe->lock);
	uint32_t handle = s->flags & SERIES_DYING ? s->labels : 0;
	if (handle) {
		atomic_store(&s->labels, 0);
		s->flags = 0;
		b->last[series_in_block(ref)] = (struct last_sample){.t_ms = INT64_MIN};
	}
	lock_release(&stripe->lock);
	return handle;
}

/* In two steps, because a stripe's lock comes before the index lock: from the first on nobody finds the series any more,
 * and whoever has its labels makes a new one. */
void head_drop_series(struct head *h, series_ref ref, uint64_t seq)
{
	uint32_t handle = clear_series(h, ref);
	if (!handle)
		return;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	rwlock_write(&h->index_lock);
	const struct labels *labels = series_labels_get(&h->index.labels, handle, arena);
	head_index_remove(&h->index, ref, handle);
	tag_table_remove(&h->by_labels, labels->hash, ref);
	dropped_labels_vec_push(&h->dropped, (struct dropped_labels){seq, handle, ref});
	rwlock_release(&h->index_lock);
	atomic_fetch_sub(&h->n_series, 1);
	atomic_fetch_sub(&h->label_pairs, labels->n);
	arena_free(arena);
}

/* Index lock. What is left moves up when it is the smaller part, so that each entry moves once on average. */
static void forget_freed(struct head *h)
{
	size_t left = h->dropped.len - h->n_freed;
	if (left > h->n_freed)
		return;
	if (left > 0)
		memmove(h->dropped.v, h->dropped.v + h->n_freed, left * sizeof(*h->dropped.v));
	h->dropped.len = left;
	h->n_freed = 0;
}

/* A few at a time: others wait for the lock. */
static bool free_some(struct head *h, uint64_t seen_seq)
{
	enum { AT_ONCE = 1024 };
	size_t n = 0;
	uint64_t record = wal_last_record(h->wal);
	rwlock_write(&h->index_lock);
	for (; n < AT_ONCE && h->n_freed < h->dropped.len && h->dropped.v[h->n_freed].seq < seen_seq; n++) {
		const struct dropped_labels *d = &h->dropped.v[h->n_freed++];
		head_index_free(&h->index, d->handle);
		ref_recycler_retire(&h->refs, d->ref, 1, record);
	}
	forget_freed(h);
	rwlock_release(&h->index_lock);
	return n == AT_ONCE;
}

void head_free_dropped(struct head *h, uint64_t seen_seq)
{
	while (free_some(h, seen_seq))
		;
}

uint32_t head_dropped_handle(struct head *h, series_ref ref)
{
	uint32_t handle = 0;
	rwlock_read(&h->index_lock);
	for (size_t i = h->n_freed; i < h->dropped.len && !handle; i++)
		if (h->dropped.v[i].ref == ref)
			handle = h->dropped.v[i].handle;
	rwlock_release(&h->index_lock);
	return handle;
}

/* --- refs once more -------------------------------------------------------------------------------------------- */

static void retire_unused_of_block(struct head *h, uint32_t block, uint64_t record)
{
	series_ref first = block << HEAD_BLOCK_SHIFT;
	const struct head_block *b = head_columns_block(&h->columns, first);
	for (uint32_t i = block == 0; i < HEAD_BLOCK_SERIES && first + i < h->next_ref; i++)
		if (!b || b->series[i].labels == 0)
			ref_recycler_retire(&h->refs, first + i, 1, record);
}

void head_retire_unused(struct head *h)
{
	uint64_t record = wal_last_record(h->wal);
	for (uint32_t i = 0; i < HEAD_BLOCKS && i << HEAD_BLOCK_SHIFT < h->next_ref; i++)
		retire_unused_of_block(h, i, record);
}

/* What head_find.c guesses by. */
static void forget_guesses(struct head *h, const struct ref_stretch *run)
{
	for (uint32_t i = 0; i < run->n; i++) {
		struct head_block *b = head_columns_block(&h->columns, run->first + i);
		if (b)
			atomic_store_explicit(
			    &b->keys[series_in_block(run->first + i)], 0, memory_order_relaxed);
	}
}

/* A segment at a time: writers wait for the lock. */
void head_forget_keys(struct head *h, const struct ref_set *gone)
{
	for (size_t i = gone->at; i < gone->runs.len; i++)
		forget_guesses(h, &gone->runs.v[i]);
	for (size_t at = 0; at != SIZE_MAX;) {
		rwlock_write(&h->keys_lock);
		at = key_table_forget(&h->by_key, at, gone);
		rwlock_release(&h->keys_lock);
	}
}

static void free_block_if_unused(struct head *h, uint32_t block)
{
	if (ref_set_has_all(&h->refs.free, block << HEAD_BLOCK_SHIFT, HEAD_BLOCK_SERIES))
		head_columns_drop(&h->columns, block, atomic_load(&h->refs.epoch));
}

void head_free_refs(struct head *h)
{
	struct ref_set *freed = &h->refs.forgotten;
	struct ref_stretch_vec touched = {0};
	for (size_t i = freed->at; i < freed->runs.len; i++)
		ref_stretch_vec_push(&touched, freed->runs.v[i]);
	rwlock_write(&h->index_lock);
	ref_set_merge(&h->refs.free, freed);
	VEC_EACH (const struct ref_stretch, run, &touched)
		for (uint32_t k = run->first >> HEAD_BLOCK_SHIFT;
		     k <= (run->first + run->n - 1) >> HEAD_BLOCK_SHIFT; k++)
			free_block_if_unused(h, k);
	rwlock_release(&h->index_lock);
	ref_stretch_vec_done(&touched);
}

/* --- sizes ----------------------------------------------------------------------------------------------------- */

void head_note_times(struct head *h, int64_t min_t_ms, int64_t max_t_ms)
{
	int64_t known = atomic_load_explicit(&h->min_t_ms, memory_order_relaxed);
	while (min_t_ms < known && !atomic_compare_exchange_weak(&h->min_t_ms, &known, min_t_ms))
		;
	known = atomic_load_explicit(&h->max_t_ms, memory_order_relaxed);
	while (max_t_ms > known && !atomic_compare_exchange_weak(&h->max_t_ms, &known, max_t_ms))
		;
}

size_t head_chunk_bytes(struct head *h)
{
	size_t n = 0;
	for (unsigned i = 0; i < HEAD_STRIPES; i++) {
		struct series_stripe *s = &h->stripes[i];
		lock_take(&s->lock);
		n += slab_reserved_bytes(s->slab) + s->closed.cap * sizeof(struct closed_chunk) +
		     s->histograms.bytes + s->late.bytes;
		lock_release(&s->lock);
	}
	return n;
}
