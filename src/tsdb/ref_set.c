#include "tsdb/ref_set.h"

#include <stdlib.h>

void ref_set_done(struct ref_set *s)
{
	ref_stretch_vec_done(&s->runs);
	*s = (struct ref_set){0};
}

/* The first run that begins behind `ref`. */
static size_t run_behind(const struct ref_set *s, series_ref ref)
{
	size_t lo = s->at, hi = s->runs.len;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (s->runs.v[mid].first <= ref)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Appends a run behind all others, or to the last one. */
static void push(struct ref_set *s, struct ref_stretch r)
{
	struct ref_stretch *last = s->runs.len > s->at ? &s->runs.v[s->runs.len - 1] : NULL;
	if (last && last->first + last->n == r.first)
		last->n += r.n;
	else
		ref_stretch_vec_push(&s->runs, r);
}

void ref_set_add(struct ref_set *s, series_ref first, uint32_t n)
{
	size_t at = run_behind(s, first);
	if (at == s->runs.len) {
		push(s, (struct ref_stretch){first, n});
		s->count += n;
		return;
	}
	struct ref_set one = {0};
	ref_set_add(&one, first, n);
	ref_set_merge(s, &one);
}

void ref_set_merge(struct ref_set *s, struct ref_set *from)
{
	struct ref_set both = {.count = s->count + from->count};
	ref_stretch_vec_reserve(&both.runs, s->runs.len + from->runs.len);
	for (size_t i = s->at, k = from->at; i < s->runs.len || k < from->runs.len;) {
		bool mine =
		    k == from->runs.len || (i < s->runs.len && s->runs.v[i].first < from->runs.v[k].first);
		push(&both, mine ? s->runs.v[i++] : from->runs.v[k++]);
	}
	ref_set_done(s);
	ref_set_done(from);
	*s = both;
}

bool ref_set_has_all(const struct ref_set *s, series_ref first, uint32_t n)
{
	size_t at = run_behind(s, first);
	return at > s->at && first - s->runs.v[at - 1].first + (uint64_t)n <= s->runs.v[at - 1].n;
}

bool ref_set_has(const struct ref_set *s, series_ref ref)
{
	return ref_set_has_all(s, ref, 1);
}

series_ref ref_set_take(struct ref_set *s)
{
	if (s->count == 0)
		return 0;
	struct ref_stretch *run = &s->runs.v[s->at];
	series_ref ref = run->first++;
	s->count--;
	if (--run->n == 0)
		s->at++;
	return ref;
}
