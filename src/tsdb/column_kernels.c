#include "tsdb/column_kernels.h"

#include "base/attr.h"
#include <stdbool.h>
#include <string.h>

/* --- plain -------------------------------------------------------------------------------------------------------- */

static uint64_t number_at(const uint8_t *p, size_t i, unsigned width)
{
	uint32_t word;
	memcpy(&word, p + i * width / 8, sizeof(word));
	return word >> (i * width % 8) & ((UINT32_C(1) << width) - 1);
}

static void plain_unpack(const uint8_t *p, size_t groups, unsigned width, uint64_t base, uint64_t *x)
{
	for (size_t i = 0; i < groups * KERNEL_GROUP; i++)
		x[i] = base + number_at(p, i, width);
}

static uint64_t plain_total(const uint8_t *p, size_t groups, unsigned width)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < groups * KERNEL_GROUP; i++)
		sum += number_at(p, i, width);
	return sum;
}

static void plain_sums(struct kernel_sums *s, const uint8_t *p, size_t groups, uint64_t *x)
{
	uint64_t sum = s->carry;
	for (size_t i = 0; i < groups * KERNEL_GROUP; i++)
		x[i] = sum += s->step + s->factor * number_at(p, i, s->width);
	s->carry = sum;
}

static void plain_sums_to_doubles(struct kernel_sums *s, const uint8_t *p, size_t groups, double *v)
{
	uint64_t sum = s->carry;
	for (size_t i = 0; i < groups * KERNEL_GROUP; i++) {
		sum += s->step + s->factor * number_at(p, i, s->width);
		v[i] = (double)(int64_t)sum / s->power;
	}
	s->carry = sum;
}

static void plain_expand(const uint8_t *bits, size_t n, const uint64_t *from, size_t ones, uint64_t *x)
{
	(void)ones;
	for (size_t i = 0, k = 0; i < n; i++) {
		k += bits[i >> 3] >> (i & 7) & 1;
		x[i] = from[k];
	}
}

static void plain_to_doubles(uint64_t *x, size_t n, double power)
{
	double *v = (double *)x;
	for (size_t i = 0; i < n; i++)
		v[i] = (double)(int64_t)x[i] / power;
}

static size_t plain_ones(const uint8_t *bits, size_t bytes, uint32_t first, uint32_t *at)
{
	size_t n = 0;
	for (size_t i = 0; i < bytes; i++)
		for (unsigned b = bits[i]; b; b &= b - 1)
			at[n++] = first + (uint32_t)(i * 8) + (uint32_t)__builtin_ctz(b);
	return n;
}

static uint32_t plain_add_quotients(const uint32_t *ends, size_t n, unsigned k, uint64_t *u)
{
	uint32_t all = 0;
	for (size_t i = 0; i < n; i++) {
		uint32_t q = ends[i] - (ends - 1)[i] - 1;
		all |= q;
		u[i] += (uint64_t)q << k;
	}
	return all;
}

static const struct column_kernels plain = {
    .name = "plain",
    .unpack = plain_unpack,
    .total = plain_total,
    .sums = plain_sums,
    .sums_to_doubles = plain_sums_to_doubles,
    .expand = plain_expand,
    .to_doubles = plain_to_doubles,
    .ones = plain_ones,
    .add_quotients = plain_add_quotients,
};

/* --- AVX2 --------------------------------------------------------------------------------------------------------- */

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define AVX2        __attribute__((target("avx2")))
#define AVX2_INLINE static inline __attribute__((always_inline, target("avx2")))

/* How the numbers of a group come into eight lanes of 32 bits: the group's first 16 bytes and the 16 from byte
 * 4 * width / 8 on hold four numbers each; `bytes` brings the four bytes that a number lies in to its lane, `shift` its lowest
 * bit down to bit 0. */
struct spread {
	uint8_t bytes[32];
	uint32_t shift[8];
};

/* clang-format off */
#define BIT(w, k)     ((k) < 4 ? (k) * (w) : 4 * (w) % 8 + ((k) - 4) * (w))
#define BYTES(w, k)   BIT(w, k) / 8, BIT(w, k) / 8 + 1, BIT(w, k) / 8 + 2, BIT(w, k) / 8 + 3
#define SHIFT(w, k)   BIT(w, k) % 8
#define SPREAD(w) { \
	{BYTES(w, 0), BYTES(w, 1), BYTES(w, 2), BYTES(w, 3), BYTES(w, 4), BYTES(w, 5), BYTES(w, 6), BYTES(w, 7)}, \
	{SHIFT(w, 0), SHIFT(w, 1), SHIFT(w, 2), SHIFT(w, 3), SHIFT(w, 4), SHIFT(w, 5), SHIFT(w, 6), SHIFT(w, 7)}}
static const struct spread spreads[KERNEL_MAX_WIDTH + 1] = {
	SPREAD(0), SPREAD(1), SPREAD(2), SPREAD(3), SPREAD(4), SPREAD(5), SPREAD(6), SPREAD(7), SPREAD(8), SPREAD(9),
	SPREAD(10), SPREAD(11), SPREAD(12), SPREAD(13), SPREAD(14), SPREAD(15), SPREAD(16), SPREAD(17), SPREAD(18),
	SPREAD(19), SPREAD(20), SPREAD(21), SPREAD(22), SPREAD(23), SPREAD(24), SPREAD(25)};
#undef SPREAD
#undef SHIFT
#undef BYTES
#undef BIT
/* clang-format on */

/* The same in registers. */
struct lanes {
	__m256i bytes, shift, mask;
	size_t high; /* where the bytes of the upper four begin */
};

AVX2_INLINE struct lanes lanes_of(unsigned width)
{
	const struct spread *s = &spreads[width];
	return (struct lanes){
	    .bytes = _mm256_loadu_si256((const __m256i *)(const void *)s->bytes),
	    .shift = _mm256_loadu_si256((const __m256i *)(const void *)s->shift),
	    .mask = _mm256_set1_epi32((1 << width) - 1),
	    .high = width / 2,
	};
}

AVX2_INLINE __m256i take(const uint8_t *p, const struct lanes *l)
{
	__m128i low = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i high = _mm_loadu_si128((const __m128i *)(const void *)(p + l->high));
	__m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
	both = _mm256_shuffle_epi8(both, l->bytes);
	return _mm256_and_si256(_mm256_srlv_epi32(both, l->shift), l->mask);
}

AVX2_INLINE void store(uint64_t *x, __m256i lanes)
{
	_mm256_storeu_si256((__m256i *)(void *)x, lanes);
}

AVX2_INLINE __m256i low_half(__m256i x)
{
	return _mm256_cvtepu32_epi64(_mm256_castsi256_si128(x));
}

AVX2_INLINE __m256i high_half(__m256i x)
{
	return _mm256_cvtepu32_epi64(_mm256_extracti128_si256(x, 1));
}

AVX2 static void avx2_unpack(const uint8_t *p, size_t groups, unsigned width, uint64_t base, uint64_t *x)
{
	struct lanes l = lanes_of(width);
	__m256i base4 = _mm256_set1_epi64x((int64_t)base);
	for (; groups > 0; groups--, p += width, x += KERNEL_GROUP) {
		__m256i u = take(p, &l);
		store(x, _mm256_add_epi64(base4, low_half(u)));
		store(x + 4, _mm256_add_epi64(base4, high_half(u)));
	}
}

AVX2_INLINE uint64_t add_lanes(__m256i x)
{
	uint64_t lane[4];
	store(lane, x);
	return lane[0] + lane[1] + lane[2] + lane[3];
}

AVX2 static uint64_t avx2_total(const uint8_t *p, size_t groups, unsigned width)
{
	enum { FLUSH = 64 }; /* groups until 32 bits could overflow */
	struct lanes l = lanes_of(width);
	__m256i sum = _mm256_setzero_si256();
	while (groups > 0) {
		size_t m = groups < FLUSH ? groups : FLUSH;
		__m256i part = _mm256_setzero_si256();
		for (size_t i = 0; i < m; i++, p += width)
			part = _mm256_add_epi32(part, take(p, &l));
		sum = _mm256_add_epi64(sum, _mm256_add_epi64(low_half(part), high_half(part)));
		groups -= m;
	}
	return add_lanes(sum);
}

/* Each lane plus those before it. */
AVX2_INLINE __m256i prefix_sums(__m256i u)
{
	u = _mm256_add_epi32(u, _mm256_slli_si256(u, 4));
	u = _mm256_add_epi32(u, _mm256_slli_si256(u, 8));
	__m256i low_total = _mm256_shuffle_epi32(_mm256_permute2x128_si256(u, u, 0x08), 0xff);
	return _mm256_add_epi32(u, low_total);
}

struct summing {
	struct lanes lanes;
	__m256i factor, steps_low, steps_high, carry;
};

AVX2_INLINE struct summing summing_of(const struct kernel_sums *s, uint64_t bias)
{
	int64_t d = (int64_t)s->step;
	__m256i four = _mm256_set1_epi64x((int64_t)(4 * s->step));
	__m256i low =
	    _mm256_set_epi64x((int64_t)(4 * s->step), (int64_t)(3 * s->step), (int64_t)(2 * s->step), d);
	return (struct summing){
	    .lanes = lanes_of(s->width),
	    .factor = _mm256_set1_epi64x(s->factor),
	    .steps_low = low,
	    .steps_high = _mm256_add_epi64(low, four),
	    .carry = _mm256_set1_epi64x((int64_t)(s->carry + bias)),
	};
}

AVX2_INLINE void sum_group(struct summing *m, const uint8_t *p, bool has_factor, __m256i *low, __m256i *high)
{
	__m256i u = prefix_sums(take(p, &m->lanes));
	__m256i a = low_half(u), b = high_half(u);
	if (has_factor) {
		a = _mm256_mul_epu32(a, m->factor);
		b = _mm256_mul_epu32(b, m->factor);
	}
	*low = _mm256_add_epi64(_mm256_add_epi64(a, m->steps_low), m->carry);
	*high = _mm256_add_epi64(_mm256_add_epi64(b, m->steps_high), m->carry);
	m->carry = _mm256_permute4x64_epi64(*high, 0xff);
}

AVX2_INLINE void store_carry(struct kernel_sums *s, const struct summing *m, uint64_t bias)
{
	s->carry = (uint64_t)_mm_cvtsi128_si64(_mm256_castsi256_si128(m->carry)) - bias;
}

AVX2_INLINE void sums_with(
    struct kernel_sums *s, const uint8_t *p, size_t groups, bool has_factor, uint64_t *x)
{
	struct summing m = summing_of(s, 0);
	for (; groups > 0; groups--, p += s->width, x += KERNEL_GROUP) {
		__m256i low, high;
		sum_group(&m, p, has_factor, &low, &high);
		store(x, low);
		store(x + 4, high);
	}
	store_carry(s, &m, 0);
}

AVX2 static void avx2_sums(struct kernel_sums *s, const uint8_t *p, size_t groups, uint64_t *x)
{
	if (s->factor == 1)
		sums_with(s, p, groups, false, x);
	else
		sums_with(s, p, groups, true, x);
}

/* A number below 2^51 added to the bits of 1.5 * 2^52 makes the double 1.5 * 2^52 + number. */
static const uint64_t magic_bits = UINT64_C(0x4338000000000000);
static const double magic = 6755399441055744.0;

AVX2_INLINE void sums_to_doubles_with(
    struct kernel_sums *s, const uint8_t *p, size_t groups, bool has_factor, bool has_power, double *v)
{
	struct summing m = summing_of(s, magic_bits);
	__m256d magic4 = _mm256_set1_pd(magic), power = _mm256_set1_pd(s->power);
	for (; groups > 0; groups--, p += s->width, v += KERNEL_GROUP) {
		__m256i low, high;
		sum_group(&m, p, has_factor, &low, &high);
		__m256d a = _mm256_sub_pd(_mm256_castsi256_pd(low), magic4);
		__m256d b = _mm256_sub_pd(_mm256_castsi256_pd(high), magic4);
		_mm256_storeu_pd(v, has_power ? _mm256_div_pd(a, power) : a);
		_mm256_storeu_pd(v + 4, has_power ? _mm256_div_pd(b, power) : b);
	}
	store_carry(s, &m, magic_bits);
}

AVX2 static void avx2_sums_to_doubles(struct kernel_sums *s, const uint8_t *p, size_t groups, double *v)
{
	if (s->factor == 1 && s->power == 1)
		sums_to_doubles_with(s, p, groups, false, false, v);
	else if (s->factor == 1)
		sums_to_doubles_with(s, p, groups, false, true, v);
	else if (s->power == 1)
		sums_to_doubles_with(s, p, groups, true, false, v);
	else
		sums_to_doubles_with(s, p, groups, true, true, v);
}

/* The ones among the first k + 1 bits of a byte, as byte k. */
AVX2_INLINE uint64_t counts_of(uint8_t bits)
{
	/* Bit k to byte k, as 0 or 1; then each byte plus those below it. */
	uint64_t spread = bits * UINT64_C(0x0101010101010101) & UINT64_C(0x8040201008040201);
	spread = (spread + UINT64_C(0x7f7f7f7f7f7f7f7f)) >> 7 & UINT64_C(0x0101010101010101);
	return spread * UINT64_C(0x0101010101010101);
}

AVX2 static void avx2_expand(const uint8_t *bits, size_t n, const uint64_t *from, size_t ones, uint64_t *x)
{
	size_t k = 0, i = 0;
	for (; i + 8 <= n; i += 8) {
		uint64_t counts = counts_of(bits[i / 8]);
		__m256i at = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((int64_t)counts));
		const long long *values = (const long long *)(from + k);
		store(x + i, _mm256_i32gather_epi64(values, _mm256_castsi256_si128(at), 8));
		store(x + i + 4, _mm256_i32gather_epi64(values, _mm256_extracti128_si256(at, 1), 8));
		k += counts >> 56;
	}
	plain_expand(bits + i / 8, n - i, from + k, ones - k, x + i);
}

/* The upper and the lower half of each number become exact doubles by setting the exponent's bits; their sum rounds once. */
AVX2_INLINE __m256d doubles_of(__m256i x)
{
	const __m256i exponent_low = _mm256_set1_epi64x(0x4330000000000000);  /* 2^52 */
	const __m256i exponent_high = _mm256_set1_epi64x(0x4530000080000000); /* 2^84 + 2^63 */
	const __m256d both =
	    _mm256_castsi256_pd(_mm256_set1_epi64x(0x4530000080100000)); /* 2^84 + 2^63 + 2^52 */
	__m256i low = _mm256_blend_epi32(exponent_low, x, 0x55);
	__m256i high = _mm256_xor_si256(_mm256_srli_epi64(x, 32), exponent_high);
	return _mm256_add_pd(_mm256_sub_pd(_mm256_castsi256_pd(high), both), _mm256_castsi256_pd(low));
}

AVX2_INLINE void to_doubles_with(uint64_t *x, size_t n, bool has_power, double power)
{
	__m256d by = _mm256_set1_pd(power);
	for (size_t i = 0; i < n; i += 4) {
		__m256d v = doubles_of(_mm256_loadu_si256((const __m256i *)(const void *)(x + i)));
		_mm256_storeu_pd((double *)(x + i), has_power ? _mm256_div_pd(v, by) : v);
	}
}

AVX2 static void avx2_to_doubles(uint64_t *x, size_t n, double power)
{
	if (power == 1)
		to_doubles_with(x, n / 4 * 4, false, power);
	else
		to_doubles_with(x, n / 4 * 4, true, power);
	plain_to_doubles(x + n / 4 * 4, n % 4, power);
}

/* places[b]: which bits of the byte b are ones, in a byte each. */
/* clang-format off */
#define NTH(b, n)   ((b) >> (n) & 1)
#define BELOW(b, n) (NTH(b, 0) * ((n) > 0) + NTH(b, 1) * ((n) > 1) + NTH(b, 2) * ((n) > 2) + NTH(b, 3) * ((n) > 3) + \
	NTH(b, 4) * ((n) > 4) + NTH(b, 5) * ((n) > 5) + NTH(b, 6) * ((n) > 6))
#define PLACE(b, n) (NTH(b, n) ? UINT64_C(n) << 8 * BELOW(b, n) : 0)
#define PLACES(b)   (PLACE(b, 1) | PLACE(b, 2) | PLACE(b, 3) | PLACE(b, 4) | PLACE(b, 5) | PLACE(b, 6) | PLACE(b, 7))
#define PLACES4(b)  PLACES(b), PLACES(b + 1), PLACES(b + 2), PLACES(b + 3)
#define PLACES16(b) PLACES4(b), PLACES4(b + 4), PLACES4(b + 8), PLACES4(b + 12)
#define PLACES64(b) PLACES16(b), PLACES16(b + 16), PLACES16(b + 32), PLACES16(b + 48)
static const uint64_t places[256] = {PLACES64(0), PLACES64(64), PLACES64(128), PLACES64(192)};
#undef PLACES64
#undef PLACES16
#undef PLACES4
#undef PLACES
#undef PLACE
#undef BELOW
#undef NTH
/* clang-format on */

__attribute__((target("avx2,popcnt"))) static size_t avx2_ones(
    const uint8_t *bits, size_t bytes, uint32_t first, uint32_t *at)
{
	uint32_t *begin = at;
	__m256i base = _mm256_set1_epi32((int)first);
	const __m256i eight = _mm256_set1_epi32(8);
	for (size_t i = 0; i < bytes; i++) {
		__m256i in_byte = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((int64_t)places[bits[i]]));
		_mm256_storeu_si256((__m256i *)(void *)at, _mm256_add_epi32(base, in_byte));
		at += __builtin_popcount(bits[i]);
		base = _mm256_add_epi32(base, eight);
	}
	return (size_t)(at - begin);
}

AVX2 static uint32_t avx2_add_quotients(const uint32_t *ends, size_t n, unsigned k, uint64_t *u)
{
	__m128i all = _mm_setzero_si128(), by = _mm_cvtsi32_si128((int)k);
	size_t i = 0;
	for (; i + 4 <= n; i += 4) {
		__m128i end = _mm_loadu_si128((const __m128i *)(const void *)(ends + i));
		__m128i before = _mm_loadu_si128((const __m128i *)(const void *)(ends + i - 1));
		__m128i q = _mm_add_epi32(_mm_sub_epi32(end, before), _mm_set1_epi32(-1));
		all = _mm_or_si128(all, q);
		__m256i low = _mm256_loadu_si256((const __m256i *)(const void *)(u + i));
		store(u + i, _mm256_add_epi64(low, _mm256_sll_epi64(_mm256_cvtepu32_epi64(q), by)));
	}
	uint32_t lane[4];
	_mm_storeu_si128((__m128i *)(void *)lane, all);
	return lane[0] | lane[1] | lane[2] | lane[3] | plain_add_quotients(ends + i, n - i, k, u + i);
}

static const struct column_kernels avx2 = {
    .name = "avx2",
    .unpack = avx2_unpack,
    .total = avx2_total,
    .sums = avx2_sums,
    .sums_to_doubles = avx2_sums_to_doubles,
    .expand = avx2_expand,
    .to_doubles = avx2_to_doubles,
    .ones = avx2_ones,
    .add_quotients = avx2_add_quotients,
};
#endif

/* --- choice ------------------------------------------------------------------------------------------------------- */

const struct column_kernels *column_kernels_version(size_t i)
{
	if (i == 0)
		return &plain;
#if defined(__x86_64__) && defined(__GNUC__)
	if (i == 1 && __builtin_cpu_supports("avx2"))
		return &avx2;
#endif
	return NULL;
}

static const struct column_kernels *forced;

void column_kernels_force(const struct column_kernels *kernels)
{
	forced = kernels;
}

const struct column_kernels *column_kernels(void)
{
	if (unlikely(forced != NULL))
		return forced;
	const struct column_kernels *best = column_kernels_version(1);
	return best ? best : &plain;
}
