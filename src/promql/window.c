#include "promql/window.h"

#include "base/xmalloc.h"
#include <string.h>

void windows_init(struct windows *w)
{
	memset(w, 0, sizeof(*w));
}

void windows_done(struct windows *w)
{
	free(w->lo);
	free(w->hi);
	free(w->t);
	windows_init(w);
}

/* Remembers the time column; false when it is the one that is known. */
static bool remember(struct windows *w, const int64_t *t, size_t n, uint64_t times_id)
{
	if (w->generation && w->n_t == n && w->times_id == times_id &&
	    (times_id || n == 0 || memcmp(w->t, t, n * sizeof(*t)) == 0))
		return false;
	w->n_t = n;
	w->times_id = times_id;
	if (times_id)
		return true;
	if (n > w->cap_t) {
		free(w->t);
		w->t = xmalloc(n * sizeof(*t));
		w->cap_t = n;
	}
	if (n)
		memcpy(w->t, t, n * sizeof(*t));
	return true;
}

/* Narrows [lo, hi), all within reach, to what the kind of window wants. */
static void trim_window(
    const struct window_spec *spec, const int64_t *t, int64_t end_ms, size_t *lo, size_t *hi)
{
	int64_t start_ms = end_ms - spec->range_ms;

	if (*lo == *hi)
		return;
	bool nothing_inside = spec->kind != WINDOW_AROUND && t[*hi - 1] <= start_ms;
	if (nothing_inside || t[*lo] > end_ms) {
		*lo = *hi;
		return;
	}
	while (*lo + 1 < *hi && t[*lo + 1] <= start_ms)
		++*lo;
	while (spec->kind != WINDOW_ANCHORED && *hi - *lo > 1 && t[*hi - 2] >= end_ms)
		--*hi;
}

static void count_window(struct windows *w, uint32_t k)
{
	uint32_t from = w->lo[k], to = w->hi[k], known = k && w->hi[k - 1] > from ? w->hi[k - 1] : from;

	w->points += to - from;
	w->fresh += to > known ? to - known : 0;
	w->filled += to > from;
	if (to - from > w->widest)
		w->widest = to - from;
}

void windows_set(
    struct windows *w, const struct window_spec *spec, const int64_t *t, size_t n, uint64_t times_id)
{
	size_t lo = 0, hi = 0;

	if (!remember(w, t, n, times_id))
		return;
	if (w->lo == NULL) {
		w->n = spec->n;
		w->lo = xreallocarray(NULL, spec->n, sizeof(*w->lo));
		w->hi = xreallocarray(NULL, spec->n, sizeof(*w->hi));
	}
	w->generation++;
	w->points = w->fresh = w->widest = w->filled = 0;
	for (uint32_t k = 0; k < spec->n; k++) {
		int64_t end = window_end_ms(spec, k);
		while (hi < n && t[hi] <= end + spec->after_ms)
			hi++;
		while (lo < hi && t[lo] <= end - spec->range_ms - spec->before_ms)
			lo++;
		size_t from = lo, to = hi;
		if (spec->kind != WINDOW_PLAIN)
			trim_window(spec, t, end, &from, &to);
		w->lo[k] = (uint32_t)from;
		w->hi[k] = (uint32_t)to;
		count_window(w, k);
	}
}
