/* The inner loops of decoding a sealed chunk: numbers of a fixed width, unpacked, summed up and turned into doubles in one
 * pass. There is one plain version, and one for x86-64 with AVX2 that works on eight numbers at a time; both give the same
 * bits. Everything is modulo 2^64 until it becomes a double.
 *
 * A group is eight numbers, which are `width` bytes. Stateless; thread-safe. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	KERNEL_GROUP = 8,
	KERNEL_MAX_WIDTH = 25, /* of the numbers: four of them within 16 bytes, each within 4 */
	KERNEL_SLACK = 32      /* bytes behind the beginning of a group that may be read */
};

/* What the sums are made of: x[i] = carry + the sum over k <= i of (step + factor * number k). */
struct kernel_sums {
	unsigned width; /* at most KERNEL_MAX_WIDTH */
	uint64_t step;
	uint32_t factor;
	uint64_t carry; /* in and out: the last x */
	double power;   /* sums_to_doubles(): x is divided by it */
};

struct column_kernels {
	const char *name;
	/* x[i] = base + number i. */
	void (*unpack)(const uint8_t *p, size_t groups, unsigned width, uint64_t base, uint64_t *x);
	/* The sum of the numbers alone. */
	uint64_t (*total)(const uint8_t *p, size_t groups, unsigned width);
	void (*sums)(struct kernel_sums *s, const uint8_t *p, size_t groups, uint64_t *x);
	/* The same as doubles; each x is within +-2^50. */
	void (*sums_to_doubles)(struct kernel_sums *s, const uint8_t *p, size_t groups, double *v);
	/* x[i] = from[the ones among the first i + 1 bits]: what changes only where a bit is set. `from` may be read up to
	 * index `ones`, the ones of all bits. */
	void (*expand)(const uint8_t *bits, size_t n, const uint64_t *from, size_t ones, uint64_t *x);
	/* Signed integers to doubles divided by `power`, in their place; of any size, rounded to nearest first. */
	void (*to_doubles)(uint64_t *x, size_t n, double power);
	/* Where the ones of `bytes` bytes are, counted from `first`; at[] has room for KERNEL_GROUP more than there are bits.
	 * Returns how many. */
	size_t (*ones)(const uint8_t *bits, size_t bytes, uint32_t first, uint32_t *at);
	/* u[i] += (ends[i] - ends[i - 1] - 1) << k; ends[-1] is there, ends ascend. Returns a number
	 * not below the largest quotient, and below the smallest power of two above it. */
	uint32_t (*add_quotients)(const uint32_t *ends, size_t n, unsigned k, uint64_t *u);
};

/* Those for this CPU. */
const struct column_kernels *column_kernels(void);
/* For tests: version i, or NULL behind the last; version 0 is the plain one. Only those that this CPU can run. */
const struct column_kernels *column_kernels_version(size_t i);
/* For tests: from now on column_kernels() is this; NULL: the best again. No thread may be decoding. */
void column_kernels_force(const struct column_kernels *kernels);
