/* Set algebra over postings: what matchers are made of. The first operand is changed in place. */
#pragma once

#include "tsdb/postings.h"

void postings_and(struct postings *a, const struct postings *b);    /* a &= b */
void postings_or(struct postings *a, const struct postings *b);     /* a |= b */
void postings_andnot(struct postings *a, const struct postings *b); /* a &= ~b */
/* The union of many; cheaper than one by one when there are thousands (a regex over values). `out` must be
 * empty. */
void postings_or_many(struct postings *out, const struct postings *const *sets, size_t n);
/* |a & b| without making it. */
uint64_t postings_and_count(const struct postings *a, const struct postings *b);
