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
static bool remember(struct windows *w, const int64_t *t, size_t n)
{
	if (w->generation && w->n_t == n && (n == 0 || memcmp(w->t, t, n * sizeof(*t)) == 0))
		return false;
	if (n > w->cap_t) {
		free(w->t);
		w->t = xmalloc(n * sizeof(*t));
		w->cap_t = n;
	}
	if (n)
		memcpy(w->t, t, n * sizeof(*t));
	w->n_t = n;
	return true;
}

void windows_set(struct windows *w, const struct window_spec *spec, const int64_t *t, size_t n)
{
	size_t lo = 0, hi = 0;

	if (!remember(w, t, n))
		return;
	if (w->lo == NULL) {
		w->n = spec->n;
		w->lo = xreallocarray(NULL, spec->n, sizeof(*w->lo));
		w->hi = xreallocarray(NULL, spec->n, sizeof(*w->hi));
	}
	w->generation++;
	w->points = 0;
	for (uint32_t k = 0; k < spec->n; k++) {
		int64_t end = window_end_ms(spec, k);
		while (hi < n && t[hi] <= end)
			hi++;
		while (lo < hi && t[lo] <= end - spec->range_ms)
			lo++;
		w->lo[k] = (uint32_t)lo;
		w->hi[k] = (uint32_t)hi;
		w->points += hi - lo;
	}
}

void window_newest(const struct window_spec *spec, const int64_t *t, size_t n, uint32_t *idx)
{
	size_t hi = 0;

	for (uint32_t k = 0; k < spec->n; k++) {
		int64_t end = window_end_ms(spec, k);
		while (hi < n && t[hi] <= end)
			hi++;
		idx[k] = hi > 0 && t[hi - 1] > end - spec->range_ms ? (uint32_t)(hi - 1) : WINDOW_NONE;
	}
}
