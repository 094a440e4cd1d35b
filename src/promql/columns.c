#include "promql/columns.h"

#include "base/by_cpu.h"
#include "model/stale_marker.h"
#include "storage/querier.h"
#include <math.h>

BY_CPU unsigned column_scan(const double *v, size_t n)
{
	const uint64_t *bits = (const uint64_t *)(const void *)v; /* built without strict aliasing */
	uint64_t stale = n > 0 && is_stale(v[0]), falls = 0;

	for (size_t i = 1; i < n; i++) {
		stale |= bits[i] == STALE_NAN_BITS ? ~UINT64_C(0) : 0;
		falls |= v[i] < v[i - 1] ? ~UINT64_C(0) : 0;
	}
	return (stale ? COLUMN_STALE : 0u) | (falls ? COLUMN_FALLS : 0u);
}

BY_CPU bool column_has_falls(const double *v, size_t n)
{
	uint64_t falls = 0;

	for (size_t i = 1; i < n; i++)
		falls |= v[i] < v[i - 1] ? ~UINT64_C(0) : 0;
	return falls != 0;
}

BY_CPU void column_add_block(double *restrict sum, double *restrict c, const double *restrict v)
{
	for (size_t i = 0; i < COLUMN_BLOCK; i++) {
		double s = sum[i], x = v[i], t = s + x;
		double low = fabs(s) >= fabs(x) ? (s - t) + x : (x - t) + s;
		double next = c[i] + low;
		/* Infinity: what was lost on the way means nothing any more. */
		c[i] = fabs(t) == HUGE_VAL ? 0 : next;
		sum[i] = t;
	}
}

BY_CPU size_t column_take_newest(
    const struct newest_sample *newest, size_t n, double *v, uint64_t *present, size_t *to_read)
{
	const uint64_t *words = (const uint64_t *)(const void *)newest; /* time and value in turn */
	uint64_t found = 0, unread = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t is_there =
		    (uint64_t)(newest[i].t_ms > NEWEST_READ) & (uint64_t)(words[2 * i + 1] != STALE_NAN_BITS);
		v[i] = newest[i].v;
		present[i] = is_there;
		found += is_there;
		unread += newest[i].t_ms == NEWEST_READ;
	}
	*to_read = unread;
	return found;
}
