/* Which samples of a series each step of a range function sees: (end - range, end], left-open, as two columns of indexes.
 *
 * Series that were scraped together have the same timestamps, so the bounds of one are kept and used for the next as long as
 * its time column is equal (comparing is several times cheaper than walking). One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum window_kind {
	WINDOW_PLAIN,    /* start < t <= end */
	WINDOW_ANCHORED, /* and the newest sample at or before start; empty when nothing is inside */
	WINDOW_SMOOTHED, /* and the oldest sample at or after end as well */
	WINDOW_AROUND, /* of range 0: the newest sample at or before the time, and the oldest at or after it */
};

struct window_spec {
	int64_t end_ms;  /* of the first step's window */
	int64_t step_ms; /* from one window's end to the next; 0: all are the same (the @ modifier) */
	int64_t range_ms;
	uint32_t n;
	enum window_kind kind;
	int64_t before_ms, after_ms; /* how far before start and behind end the other kinds look */
};

static inline int64_t window_end_ms(const struct window_spec *s, uint32_t k)
{
	return s->end_ms + (int64_t)k * s->step_ms;
}

/* How many of the ascending times are at or before t. */
static inline size_t times_upto(const int64_t *t, size_t n, int64_t t_ms)
{
	size_t low = 0;
	while (low < n) {
		size_t middle = low + (n - low) / 2;
		if (t[middle] <= t_ms)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

struct windows {
	uint32_t n;
	uint32_t *lo, *hi;   /* step k sees samples lo[k] .. hi[k] - 1 */
	uint64_t generation; /* grows when the bounds change: what was derived from them is stale */
	uint64_t points;     /* the sum of all window lengths */
	uint64_t fresh;      /* of those, samples that the window before did not have */
	uint32_t widest;     /* the longest window */
	uint32_t filled;     /* windows with anything in them */
	/* the time column the bounds are for; its times are kept when it has no number */
	uint64_t times_id;
	int64_t *t;
	size_t n_t, cap_t;
};

/* Plain memory of the owner, freed by windows_done(). */
void windows_init(struct windows *w);
void windows_done(struct windows *w);
/* Computes the bounds for this time column, or sees that they are known: because the column's number is (equal numbers, equal
 * times; 0: none is known), or because its times are. */
void windows_set(
    struct windows *w, const struct window_spec *spec, const int64_t *t, size_t n, uint64_t times_id);
