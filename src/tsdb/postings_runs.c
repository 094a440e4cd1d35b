#include "tsdb/postings_runs.h"

#include "base/xmalloc.h"
#include "tsdb/postings_priv.h"
#include <stdlib.h>

static void add(struct ref_runs *r, uint32_t first, uint32_t last)
{
	if (r->n > 0) {
		const struct ref_run *before = &r->v[r->n - 1];
		if (before->ref + (r->n_refs - before->at) == first) {
			r->n_refs += last - first + 1;
			return;
		}
	}
	if (r->n + 1 >= r->cap) {
		r->cap = r->cap * 2 + 16;
		r->v = xreallocarray(r->v, r->cap, sizeof(*r->v));
	}
	r->v[r->n++] = (struct ref_run){first, (uint32_t)r->n_refs};
	r->n_refs += last - first + 1;
}

static void add_bits(struct ref_runs *r, uint32_t base, const uint64_t *words)
{
	for (uint32_t w = 0; w < BITMAP_WORDS; w++) {
		for (uint64_t bits = words[w]; bits;) {
			uint32_t from = (uint32_t)__builtin_ctzll(bits);
			uint64_t rest = ~(bits >> from);
			uint32_t n = rest ? (uint32_t)__builtin_ctzll(rest) : 64;
			n = n < 64 - from ? n : 64 - from;
			add(r, base + w * 64 + from, base + w * 64 + from + n - 1);
			bits = from + n < 64 ? bits >> (from + n) << (from + n) : 0;
		}
	}
}

static void add_container(struct ref_runs *r, const struct postings_container *c)
{
	uint32_t base = (uint32_t)c->key * CONTAINER_SPAN;
	if (c->kind == CONTAINER_BITMAP)
		add_bits(r, base, c->bitmap);
	for (uint32_t i = 0; c->kind == CONTAINER_ARRAY && i < c->len; i++)
		add(r, base + c->array[i], base + c->array[i]);
	for (uint32_t i = 0; c->kind == CONTAINER_RUNS && i < c->len; i++)
		add(r, base + c->runs[i].first, base + c->runs[i].last);
}

void ref_runs_of(struct ref_runs *r, const struct postings *p)
{
	*r = (struct ref_runs){.v = xreallocarray(NULL, 1, sizeof(*r->v)), .cap = 1};
	if (p->n == 0 && p->is_set)
		add(r, p->run.first, p->run.last);
	for (uint32_t i = 0; i < p->n; i++)
		add_container(r, &p->c[i]);
	r->v[r->n] = (struct ref_run){0, (uint32_t)r->n_refs};
}

void ref_runs_done(struct ref_runs *r)
{
	free(r->v);
	*r = (struct ref_runs){0};
}

size_t ref_runs_find(const struct ref_runs *r, size_t i)
{
	size_t lo = 0, hi = r->n;
	while (hi - lo > 1) {
		size_t mid = (lo + hi) / 2;
		if (r->v[mid].at <= i)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

series_ref ref_runs_at(const struct ref_runs *r, size_t i)
{
	const struct ref_run *run = &r->v[ref_runs_find(r, i)];
	return run->ref + (series_ref)(i - run->at);
}
