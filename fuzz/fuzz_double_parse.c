/* Doubles: what is read is what the C library reads, and what is printed reads back as the same bits. */
#include "base/double_text.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0 || (isnan(a) && isnan(b));
}

static void check_print(double v, size_t (*print)(double v, char *out))
{
	char text[DOUBLE_TEXT_MAX];
	double back;
	size_t n = print(v, text);
	if (n == 0 || n > sizeof(text) || !double_parse(slice_of(text, n), &back) || !same_bits(back, v))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = slice_of((const char *)data, size);
	double v;
	if (double_parse(s, &v)) {
		char *text = slice_dup(s);
		if (!same_bits(strtod(text, NULL), v))
			abort();
		free(text);
	}
	if (size >= sizeof(v)) {
		memcpy(&v, data, sizeof(v));
		check_print(v, double_to_json);
		check_print(v, double_to_shortest_f);
		check_print(v, double_to_shortest_e);
		check_print(v, double_to_go_g);
	}
	return 0;
}
