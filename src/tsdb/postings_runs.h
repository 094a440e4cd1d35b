/* A set of refs as a list of runs with their places: which ref is the i-th, without a number for each of them. */
#pragma once

#include "storage/appender.h"
#include "tsdb/postings.h"

struct ref_run {
	series_ref ref; /* the first of it */
	uint32_t at;    /* its place in the set; the run ends where the next begins */
};

struct ref_runs {
	struct ref_run *v; /* n, and one more that begins at the end */
	size_t n, cap;
	size_t n_refs;
};

/* `r` is overwritten. */
void ref_runs_of(struct ref_runs *r, const struct postings *p);
void ref_runs_done(struct ref_runs *r);
/* The run that has place i < n_refs. */
size_t ref_runs_find(const struct ref_runs *r, size_t i);
series_ref ref_runs_at(const struct ref_runs *r, size_t i);
static inline size_t ref_runs_end(const struct ref_runs *r, size_t run)
{
	return r->v[run + 1].at;
}
