#include "promql/columns.h"

#include "model/stale_marker.h"
#include <math.h>

/* One version of the function per instruction set, chosen when the program starts. Sanitizers run too late for
 * that, and clang does not link such functions from an archive. */
#if defined(__x86_64__) && defined(__linux__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) &&    \
    !defined(__SANITIZE_THREAD__)
#define BY_CPU __attribute__((target_clones("avx2", "default")))
#else
#define BY_CPU
#endif

/* Lanes that are worked on side by side: a loop of this fixed length becomes vector code. */
enum { LANES = 16 };

BY_CPU bool column_has_stale(const double *v, size_t n)
{
	const uint64_t *bits = (const uint64_t *)(const void *)v; /* built without strict aliasing */
	uint64_t found[LANES] = {0}, any = 0;
	size_t i = 0;

	for (; i + LANES <= n; i += LANES) {
		for (size_t j = 0; j < LANES; j++)
			found[j] |= bits[i + j] == STALE_NAN_BITS ? ~UINT64_C(0) : 0;
	}
	for (; i < n; i++)
		any |= is_stale(v[i]);
	for (size_t j = 0; j < LANES; j++)
		any |= found[j];
	return any != 0;
}

BY_CPU bool column_has_falls(const double *v, size_t n)
{
	uint64_t found[LANES] = {0}, any = 0;
	size_t i = 1;

	for (; i + LANES <= n; i += LANES) {
		for (size_t j = 0; j < LANES; j++)
			found[j] |= v[i + j] < v[i + j - 1] ? ~UINT64_C(0) : 0;
	}
	for (; i < n; i++)
		any |= v[i] < v[i - 1];
	for (size_t j = 0; j < LANES; j++)
		any |= found[j];
	return any != 0;
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
