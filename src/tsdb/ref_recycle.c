#include "tsdb/ref_recycle.h"

#include <stdlib.h>

void ref_recycler_init(struct ref_recycler *r)
{
	*r = (struct ref_recycler){.round_at_ms = INT64_MIN};
	atomic_init(&r->epoch, REF_EPOCHS);
	atomic_init(&r->round, REF_FIRST_ROUND);
}

void ref_recycler_done(struct ref_recycler *r)
{
	waiting_refs_vec_done(&r->waiting);
	ref_set_done(&r->forgotten);
	ref_set_done(&r->free);
}

/* Counted under an epoch that had not passed: who moves it on sees the user, or the user sees that it moved. */
uint64_t ref_recycler_enter(struct ref_recycler *r)
{
	for (;;) {
		uint64_t epoch = atomic_load(&r->epoch);
		atomic_fetch_add(&r->users[epoch % REF_EPOCHS], 1);
		if (atomic_load(&r->epoch) == epoch)
			return epoch;
		atomic_fetch_sub(&r->users[epoch % REF_EPOCHS], 1);
	}
}

void ref_recycler_leave(struct ref_recycler *r, uint64_t epoch)
{
	atomic_fetch_sub(&r->users[epoch % REF_EPOCHS], 1);
}

void ref_recycler_retire(struct ref_recycler *r, series_ref first, uint32_t n, uint64_t record)
{
	struct waiting_refs w = {first, n, atomic_load(&r->round), atomic_load(&r->epoch), record};
	struct waiting_refs *last = r->waiting.len > 0 ? &r->waiting.v[r->waiting.len - 1] : NULL;
	bool joins = last && last->first + last->n == first && last->round == w.round &&
		     last->epoch == w.epoch && last->record == record;
	if (joins)
		last->n += n;
	else
		waiting_refs_vec_push(&r->waiting, w);
}

void ref_recycler_tick(struct ref_recycler *r, int64_t now_ms, int64_t round_ms)
{
	int64_t passed;
	for (unsigned i = 0; i < 2; i++) {
		uint64_t epoch = atomic_load(&r->epoch);
		if (atomic_load(&r->users[(epoch - 1) % REF_EPOCHS]) == 0)
			atomic_store(&r->epoch, epoch + 1);
	}
	if (r->round_at_ms != INT64_MIN && !__builtin_sub_overflow(now_ms, r->round_at_ms, &passed) &&
	    passed >= 0 && passed < round_ms)
		return;
	atomic_fetch_add(&r->round, r->round_at_ms != INT64_MIN);
	r->round_at_ms = now_ms;
}

static bool is_kept_by_nobody(const struct ref_recycler *r, const struct waiting_refs *w, uint64_t cut_record)
{
	return w->record <= cut_record && atomic_load(&r->epoch) >= w->epoch + 2 &&
	       atomic_load(&r->round) - w->round >= 2;
}

static int by_first(const void *a, const void *b)
{
	const struct waiting_refs *x = a, *y = b;
	return (x->first > y->first) - (x->first < y->first);
}

bool ref_recycler_collect(struct ref_recycler *r, uint64_t cut_record)
{
	size_t n = 0;
	if (r->forgotten.count > 0)
		return false;
	while (n < r->waiting.len && is_kept_by_nobody(r, &r->waiting.v[n], cut_record))
		n++;
	if (n == 0)
		return false;
	qsort(r->waiting.v, n, sizeof(*r->waiting.v), by_first);
	for (size_t i = 0; i < n; i++)
		ref_set_add(&r->forgotten, r->waiting.v[i].first, r->waiting.v[i].n);
	r->waiting.len -= n;
	memmove(r->waiting.v, r->waiting.v + n, r->waiting.len * sizeof(*r->waiting.v));
	r->forgotten_at = atomic_load(&r->epoch);
	return true;
}

bool ref_recycler_is_safe(const struct ref_recycler *r)
{
	return r->forgotten.count > 0 && atomic_load(&r->epoch) >= r->forgotten_at + 2;
}
