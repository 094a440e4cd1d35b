#include "tsdb/packed_column.h"

#include "base/varint.h"
#include "base/xmalloc.h"
#include <endian.h>
#include <string.h>

enum { MAX_CHOICES = 256, BATCH = 256 };

static uint8_t bytes_for(uint64_t x)
{
	return (uint8_t)(x ? (71 - (unsigned)__builtin_clzll(x)) / 8 : 0);
}

/* Bytes for each x[i] - slope * i, and their least. Wraps around and back. */
static uint8_t width_with_slope(const int64_t *x, uint64_t n, int64_t slope, int64_t *base)
{
	int64_t min = INT64_MAX, max = INT64_MIN;
	for (uint64_t i = 0; i < n; i++) {
		int64_t y = (int64_t)((uint64_t)x[i] - (uint64_t)slope * i);
		min = y < min ? y : min;
		max = y > max ? y : max;
	}
	*base = min;
	return bytes_for((uint64_t)max - (uint64_t)min);
}

static void put_uint(uint8_t *p, uint64_t x, unsigned width)
{
	for (unsigned i = 0; i < width; i++)
		p[i] = (uint8_t)(x >> (8 * i));
}

/* Of eight bytes that are there, whatever stands behind the number. */
static uint64_t get_eight(const uint8_t *p)
{
	uint64_t x;
	memcpy(&x, p, sizeof(x));
	return le64toh(x);
}

/* Index of x among the choices, which are few: a linear search from the newest; MAX_CHOICES when it is not there. */
static unsigned choice_of(const int64_t *choices, unsigned n, int64_t x)
{
	for (unsigned i = n; i > 0; i--)
		if (choices[i - 1] == x)
			return i - 1;
	return MAX_CHOICES;
}

static unsigned collect_choices(const int64_t *x, uint64_t n, int64_t *choices)
{
	unsigned count = 0;
	for (uint64_t i = 0; i < n; i++) {
		if (choice_of(choices, count, x[i]) < MAX_CHOICES)
			continue;
		if (count == MAX_CHOICES)
			return MAX_CHOICES + 1;
		choices[count++] = x[i];
	}
	return count;
}

static void write_choices(
    struct page_writer *w, const int64_t *x, uint64_t n, const int64_t *choices, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint8_t bytes[8];
		put_uint(bytes, (uint64_t)choices[i], 8);
		page_writer_add(w, bytes, sizeof(bytes));
	}
	for (uint64_t i = 0; i < n; i++) {
		uint8_t index = (uint8_t)choice_of(choices, count, x[i]);
		page_writer_add(w, &index, 1);
	}
}

void packed_column_write(struct page_writer *w, const int64_t *x, uint64_t n, struct packed_column *c)
{
	*c = (struct packed_column){.offset = page_writer_offset(w), .n = n};
	if (n == 0)
		return;
	c->width = width_with_slope(x, n, 0, &c->base);
	int64_t base, slope = n > 1 ? (int64_t)((uint64_t)x[n - 1] - (uint64_t)x[0]) / (int64_t)(n - 1) : 0;
	uint8_t width = width_with_slope(x, n, slope, &base);
	if (width < c->width) {
		c->width = width;
		c->base = base;
		c->slope = slope;
	}
	int64_t choices[MAX_CHOICES];
	unsigned count = c->width > 1 ? collect_choices(x, n, choices) : MAX_CHOICES + 1;
	if (count <= MAX_CHOICES && count * 8 + n < c->width * n) {
		*c = (struct packed_column){
		    .offset = c->offset, .n = n, .width = 1, .choices = (uint16_t)count};
		write_choices(w, x, n, choices, count);
		return;
	}
	for (uint64_t i = 0; i < n; i++) {
		uint8_t bytes[8];
		put_uint(bytes, (uint64_t)x[i] - (uint64_t)c->slope * i - (uint64_t)c->base, c->width);
		page_writer_add(w, bytes, c->width);
	}
}

void packed_column_add(struct strbuf *out, const struct packed_column *c)
{
	varint_add(out, c->offset);
	varint_add(out, c->n);
	varint_add(out, zigzag(c->base));
	varint_add(out, zigzag(c->slope));
	strbuf_addch(out, (char)c->width);
	varint_add(out, c->choices);
}

void packed_column_take(struct byte_reader *r, struct packed_column *c)
{
	c->offset = read_varint(r);
	c->n = read_varint(r);
	c->base = unzigzag(read_varint(r));
	c->slope = unzigzag(read_varint(r));
	c->width = read_u8(r);
	uint64_t choices = read_varint(r);
	c->choices = (uint16_t)choices;
	if (c->width > 8 || choices > MAX_CHOICES || c->n > UINT64_C(1) << 40 ||
	    (choices > 0 && c->width != 1))
		byte_reader_fail(r);
}

static int get_choices(struct page_file *f, const struct packed_column *c, const uint8_t *indexes, size_t n,
    int64_t *x, struct err *err)
{
	uint8_t choices[MAX_CHOICES * 8];
	int rc = page_file_copy(f, c->offset, c->choices * 8u, choices, err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (indexes[i] >= c->choices)
			return err_set(
			    err, ERR_CORRUPT, "%s: impossible choice in a column", page_file_path(f));
		x[i] = (int64_t)get_eight(choices + indexes[i] * 8u);
	}
	return rc;
}

/* n is at most BATCH. */
static int get_batch(
    struct page_file *f, const struct packed_column *c, uint64_t from, size_t n, int64_t *x, struct err *err)
{
	uint8_t bytes[(BATCH + 1) * 8]; /* the last number is read as eight bytes, too */
	uint64_t at = c->offset + c->choices * UINT64_C(8) + from * c->width;
	int rc = page_file_copy(f, at, n * c->width, bytes, err);
	if (rc)
		return rc;
	memset(bytes + n * c->width, 0, 8);
	if (c->choices > 0)
		return get_choices(f, c, bytes, n, x, err);
	uint64_t first = (uint64_t)c->base + (uint64_t)c->slope * from, slope = (uint64_t)c->slope;
	uint64_t mask = c->width == 8 ? ~UINT64_C(0) : (UINT64_C(1) << (8u * c->width)) - 1;
	for (size_t i = 0; i < n; i++)
		x[i] = (int64_t)(first + slope * i + (get_eight(bytes + i * c->width) & mask));
	return 0;
}

int packed_column_get(
    struct page_file *f, const struct packed_column *c, uint64_t from, size_t n, int64_t *x, struct err *err)
{
	if (n > c->n || from > c->n - n)
		return err_set(err, ERR_CORRUPT, "%s: a column is too short", page_file_path(f));
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n; i += BATCH)
		rc = get_batch(f, c, from + i, n - i < BATCH ? n - i : BATCH, x + i, err);
	return rc;
}
