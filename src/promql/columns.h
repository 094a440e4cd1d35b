/* The loops that every value goes through, written so that they become vector code for the CPU at hand: questions to whole
 * columns (most hold nothing unusual, and those that do take a slower way), and sums. Pure; thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is in a column: the stale marker; a value smaller than the one before it (NaN is not). */
enum { COLUMN_STALE = 1, COLUMN_FALLS = 2 };
unsigned column_scan(const double *v, size_t n);
/* The second question alone. */
bool column_has_falls(const double *v, size_t n);

enum { COLUMN_BLOCK = 64 };
/* One step of compensated summation (promql/kahan.h) for 64 neighbours: sum[i], c[i] take v[i]. A sum that was 0 so far just
 * becomes the value. */
void column_add_block(double *restrict sum, double *restrict c, const double *restrict v);

/* Newest samples as a column: v[i], and present[i] 1 where there is one that is not stale, else 0. Returns how many are, and
 * in *to_read how many have to be read. */
struct newest_sample;
size_t column_take_newest(
    const struct newest_sample *newest, size_t n, double *v, uint64_t *present, size_t *to_read);
