/* The series of test scripts: labels, values and histograms; a histogram that was read prints to a text that reads again. */
#include "promql/series_notation.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_and_read(struct arena *a, const struct histogram *h)
{
	struct strbuf out = STRBUF_INIT;
	const struct histogram *again;
	series_notation_print_histogram(&out, h);
	if (series_notation_histogram(a, strbuf_slice(&out), &again, NULL))
		abort();
	strbuf_done(&out);
}

/* Rows of up to ten million values are legal, and too slow to try thousands of a second. */
static bool has_long_row(struct slice text)
{
	for (size_t i = 0; i + 1 < text.len; i++) {
		size_t digits = 0;
		while (text.ptr[i] == 'x' && i + 1 + digits < text.len && text.ptr[i + 1 + digits] >= '0' &&
		       text.ptr[i + 1 + digits] <= '9')
			digits++;
		if (digits > 3)
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of((const char *)data, size);
	if (has_long_row(text))
		return 0;
	struct arena *a = arena_new(256 << 20);
	struct series_notation series;
	const struct histogram *h;
	const struct labels *labels;
	struct series_value *values;
	size_t n;
	struct err err;
	if (series_notation_histogram(a, text, &h, &err) == 0)
		print_and_read(a, h);
	int rc = series_notation_parse(a, text, &series, &err);
	rc |= series_notation_labels(a, text, &labels, &err);
	rc |= series_notation_values(a, text, &values, &n, &err);
	(void)rc;
	arena_free(a);
	return 0;
}
