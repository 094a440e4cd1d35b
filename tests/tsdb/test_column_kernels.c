#include "tests/lib/test.h"
#include "tsdb/bit_pack.h"
#include "tsdb/column_kernels.h"
#include "tsdb/rice_code.h"

#include <stdlib.h>

enum { MAX_GROUPS = 40, MAX_NUMBERS = MAX_GROUPS * KERNEL_GROUP };

static uint64_t random_below_bits(struct test_random *r, unsigned bits)
{
	return bits ? test_random_u64(r) >> (64 - bits) : 0;
}

/* Packed numbers with just the slack that kernels may read. */
struct numbers {
	uint64_t x[MAX_NUMBERS];
	uint8_t *bytes;
	size_t groups;
	unsigned width;
};

static void numbers_make(struct numbers *m, struct test_random *r)
{
	m->width = (unsigned)test_random_below(r, KERNEL_MAX_WIDTH + 1);
	m->groups = test_random_below(r, MAX_GROUPS + 1);
	size_t n = m->groups * KERNEL_GROUP, size = n * m->width / 8;
	for (size_t i = 0; i < n; i++)
		m->x[i] = random_below_bits(r, m->width);
	m->bytes = malloc(size + KERNEL_SLACK);
	for (size_t i = 0; i < size + KERNEL_SLACK; i++)
		m->bytes[i] = (uint8_t)test_random_u64(r);
	bit_pack(m->x, n, m->width, m->bytes);
}

static void numbers_are_unpacked(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	for (int round = 0; round < 2000; round++) {
		struct numbers m;
		uint64_t base = test_random_u64(&r), total = 0, got[MAX_NUMBERS];
		numbers_make(&m, &r);
		for (size_t i = 0; i < m.groups * KERNEL_GROUP; i++)
			total += m.x[i];
		const struct column_kernels *k;
		for (size_t version = 0; (k = column_kernels_version(version)); version++) {
			k->unpack(m.bytes, m.groups, m.width, base, got);
			for (size_t i = 0; i < m.groups * KERNEL_GROUP; i++)
				if (got[i] != base + m.x[i])
					fail_msg("%s: width %u: number %zu", k->name, m.width, i);
			assert_true(k->total(m.bytes, m.groups, m.width) == total);
		}
		free(m.bytes);
	}
}

static struct kernel_sums random_sums(struct test_random *r, unsigned width, bool small)
{
	static const double powers[] = {1, 1, 10, 100, 1e3, 1e14};
	static const uint32_t factors[] = {1, 1, 2, 3, 4096, UINT32_MAX};
	unsigned bits = small ? 38 : 64;
	return (struct kernel_sums){.width = width,
	    .step = random_below_bits(r, bits) - random_below_bits(r, bits),
	    .factor = factors[test_random_below(r, small ? 5 : 6)],
	    .carry = random_below_bits(r, bits + (small ? 10 : 0)),
	    .power = powers[test_random_below(r, 6)]};
}

static void numbers_are_summed_up(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	for (int round = 0; round < 4000; round++) {
		struct numbers m;
		uint64_t got[MAX_NUMBERS];
		double v[MAX_NUMBERS];
		numbers_make(&m, &r);
		struct kernel_sums any = random_sums(&r, m.width, false),
				   small = random_sums(&r, m.width, true);
		const struct column_kernels *k;
		for (size_t version = 0; (k = column_kernels_version(version)); version++) {
			struct kernel_sums s = any, d = small;
			uint64_t x = any.carry, y = small.carry;
			k->sums(&s, m.bytes, m.groups, got);
			k->sums_to_doubles(&d, m.bytes, m.groups, v);
			for (size_t i = 0; i < m.groups * KERNEL_GROUP; i++) {
				x += any.step + any.factor * m.x[i];
				y += small.step + small.factor * m.x[i];
				double want = (double)(int64_t)y / small.power;
				if (got[i] != x || memcmp(&v[i], &want, sizeof(want)) != 0)
					fail_msg("%s: width %u: sum %zu", k->name, m.width, i);
			}
			assert_true(s.carry == x && d.carry == y);
		}
		free(m.bytes);
	}
}

static void values_are_spread(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	for (int round = 0; round < 3000; round++) {
		size_t n = test_random_below(&r, 200), bytes = (n + 7) / 8, ones = 0;
		uint8_t *bits = malloc(bytes + 1);
		for (size_t i = 0; i < bytes; i++)
			bits[i] = (uint8_t)(test_random_u64(&r) & test_random_u64(&r));
		for (size_t i = 0; i < n; i++)
			ones += bits[i / 8] >> i % 8 & 1;
		uint64_t *from = malloc((ones + 1) * sizeof(*from)), *x = malloc((n + 1) * sizeof(*x));
		uint32_t *at = malloc((bytes * 8 + KERNEL_GROUP) * sizeof(*at));
		for (size_t i = 0; i <= ones; i++)
			from[i] = test_random_u64(&r);
		const struct column_kernels *k;
		for (size_t version = 0; (k = column_kernels_version(version)); version++) {
			k->expand(bits, n, from, ones, x);
			for (size_t i = 0, seen = 0; i < n; i++) {
				seen += bits[i / 8] >> i % 8 & 1;
				assert_true(x[i] == from[seen]);
			}
			size_t count = k->ones(bits, bytes, 1000, at), next = 0;
			for (size_t i = 0; i < bytes * 8; i++)
				if (bits[i / 8] >> i % 8 & 1)
					assert_true(next < count && at[next++] == 1000 + i);
			check_int("ones", next, count);
		}
		free(at);
		free(from);
		free(x);
		free(bits);
	}
}

static void integers_become_doubles(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	static const uint64_t edges[] = {0, 1, UINT64_MAX, INT64_MAX, (uint64_t)INT64_MIN, UINT64_C(1) << 53,
	    (UINT64_C(1) << 53) + 1, (UINT64_C(1) << 53) - 1, (UINT64_C(1) << 54) + 2,
	    (UINT64_C(1) << 32) - 1, UINT64_C(1) << 32, UINT64_C(0x7ffffffffffffe00),
	    UINT64_C(0x7ffffffffffffdff)};
	for (int round = 0; round < 3000; round++) {
		uint64_t x[67], got[67];
		size_t n = test_random_below(&r, 68);
		for (size_t i = 0; i < n; i++) {
			x[i] = test_random_below(&r, 4)
				   ? random_below_bits(&r, (unsigned)test_random_below(&r, 65))
				   : edges[test_random_below(&r, ARRAY_LEN(edges))];
			x[i] = test_random_below(&r, 2) ? x[i] : -x[i];
		}
		double power = round % 3 ? 1 : 100;
		const struct column_kernels *k;
		for (size_t version = 0; (k = column_kernels_version(version)); version++) {
			memcpy(got, x, sizeof(got));
			k->to_doubles(got, n, power);
			for (size_t i = 0; i < n; i++) {
				double want = (double)(int64_t)x[i] / power;
				assert_true(memcmp(&got[i], &want, 8) == 0);
			}
		}
	}
}

/* A number of each size now and then, so that some quotients are too large to be spelled out. */
static void codes_come_back(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	static uint64_t u[4096], got[4096];
	for (int round = 0; round < 1500; round++) {
		struct strbuf sb = STRBUF_INIT;
		size_t n = 1 + test_random_below(&r, round % 10 ? 300 : 4096);
		unsigned bits = (unsigned)test_random_below(&r, 12), k;
		for (size_t i = 0; i < n; i++)
			u[i] = random_below_bits(
			    &r, test_random_below(&r, 50) ? bits : (unsigned)test_random_below(&r, 65));
		size_t bytes = rice_plan(u, n, &k);
		rice_encode(u, n, k, &sb);
		check_int("planned", sb.len, bytes);
		char *exact = malloc(sb.len);
		memcpy(exact, sb.ptr, sb.len);
		const struct column_kernels *kernels;
		for (size_t version = 0; (kernels = column_kernels_version(version)); version++) {
			struct byte_reader reader;
			column_kernels_force(kernels);
			byte_reader_init(&reader, slice_of(exact, sb.len));
			assert_true(rice_decode(&reader, n, got) && byte_reader_done(&reader));
			assert_memory_equal(got, u, n * sizeof(*u));
			/* For another number of them the bytes may or may not make sense. */
			byte_reader_init(&reader, slice_of(exact, sb.len));
			bool ok = rice_decode(&reader, n < 4096 ? n + 1 : 1, got);
			(void)ok;
		}
		column_kernels_force(NULL);
		free(exact);
		strbuf_done(&sb);
	}
}

TEST_MAIN("column_kernels", cmocka_unit_test(numbers_are_unpacked), cmocka_unit_test(numbers_are_summed_up),
    cmocka_unit_test(values_are_spread), cmocka_unit_test(integers_become_doubles),
    cmocka_unit_test(codes_come_back))
