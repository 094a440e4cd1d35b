/* Writing JSON, straight into a strbuf: the hot path of every query answer. (Reading is jansson's, where bodies are
 * small: base/json_read.h.) Numbers and escapes are those of Prometheus: spec 2.1 and 2.7 (labels are escaped less
 * than other strings). The writer places commas; nesting is bounded by JSON_MAX_DEPTH. */
#pragma once

#include "base/slice.h"
#include "base/strbuf.h"
#include <stdint.h>

enum { JSON_MAX_DEPTH = 250 };

struct json {
	struct strbuf *out; /* borrowed */
	uint8_t depth;
	bool has_item[JSON_MAX_DEPTH];
	bool after_key;
	bool long_exponents; /* numbers as Prometheus's API has them: 1e-07; set behind json_init() */
};

void json_init(struct json *j, struct strbuf *out);
void json_object_begin(struct json *j);
void json_object_end(struct json *j);
void json_array_begin(struct json *j);
void json_array_end(struct json *j);
void json_key(struct json *j, const char *key);
void json_key_slice(struct json *j, struct slice key); /* escaped as json_label */

/* As Go's encoding/json: < > & U+2028 U+2029 escaped, invalid UTF-8 becomes \ufffd. (jansson exports functions named
 * json_string and json_null; for the linker ours are called otherwise, or they would take their place inside it.) */
void json_string(struct json *j, struct slice s) __asm__("promq_json_string");
void json_cstr(struct json *j, const char *s);
/* As Prometheus writes label names and values: only quote, backslash and control characters escaped. */
void json_label(struct json *j, struct slice s);
void json_int(struct json *j, int64_t v);
void json_uint(struct json *j, uint64_t v);
void json_bool(struct json *j, bool v);
void json_null(struct json *j) __asm__("promq_json_null");
/* A number as Go's encoding/json writes a float64 (1e-7), or, with `long_exponents`, as the json-iterator of Prometheus's API
 * does (1e-07); NaN and infinities, which JSON lacks, become null. */
void json_double(struct json *j, double v);
/* A sample value: the shortest form, in quotes: "1.5", "NaN", "+Inf", "1e-07". */
void json_sample_value(struct json *j, double v);
/* Milliseconds as seconds: 1435781451.781, 1, 1.010, -1.500. */
void json_timestamp(struct json *j, int64_t t_ms);
/* Text that is JSON already. */
void json_raw(struct json *j, struct slice text);
