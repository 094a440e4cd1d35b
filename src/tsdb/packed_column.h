/* A column of numbers in a page file with random access: value[i] = base + slope * i + what is stored in `width` bytes, or a
 * choice out of up to 256 different ones. Directories and offset tables of parts are made of these; a column of equal or
 * evenly spaced numbers takes no bytes. The description lives in a table of contents, the numbers in the stream.
 * Descriptions are immutable once read: thread-safe. */
#pragma once

#include "base/byte_reader.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "tsdb/page_file.h"
#include <stdint.h>

struct packed_column {
	uint64_t offset; /* of the numbers, in the stream */
	uint64_t n;
	int64_t base, slope;
	uint8_t width; /* bytes: 0 to 8 */
	uint16_t
	    choices; /* > 0: the numbers are indexes of this many choices, which stand in front of them */
};

/* Writes the numbers to the stream and says in `c` how. */
void packed_column_write(struct page_writer *w, const int64_t *x, uint64_t n, struct packed_column *c);
void packed_column_add(struct strbuf *out, const struct packed_column *c);
/* Fails the reader on nonsense. */
void packed_column_take(struct byte_reader *r, struct packed_column *c);

/* x[0..n) = values from..from + n; ERR_CORRUPT when the column is shorter. */
MUST_CHECK int packed_column_get(
    struct page_file *f, const struct packed_column *c, uint64_t from, size_t n, int64_t *x, struct err *err);
