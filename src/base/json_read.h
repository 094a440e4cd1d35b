/* Reading JSON: request bodies and the answers of other servers, all of them small. A document is one tree on
 * the heap; values and the text they hand out are borrowed from it until json_doc_free(). Over jansson, which
 * only base/json_read.c includes. A document belongs to one thread.
 *
 * The getters return false, and write nothing, when the value is NULL or of another kind, so a chain of them
 * needs no checks in between: json_get_string(json_member(root, "name"), &name). */
#pragma once

#include "base/err.h"
#include "base/slice.h"
#include <stdbool.h>

struct json_doc;
struct json_value;

enum json_kind {
	JSON_KIND_NONE, /* of NULL: no such member or item */
	JSON_KIND_NULL,
	JSON_KIND_BOOL,
	JSON_KIND_INT, /* written without point and exponent */
	JSON_KIND_DOUBLE,
	JSON_KIND_STRING,
	JSON_KIND_LIST,
	JSON_KIND_OBJECT,
};

/* Any JSON value, nothing behind it. ERR_INVALID with line and column; nesting above 64 is refused. Of
 * members of one name the last counts. */
MUST_CHECK int json_doc_parse(struct slice text, struct json_doc **out, struct err *err);
/* At most how many values the text has, without parsing it: a byte or two of text can become hundreds of memory, so
 * whoever takes text from outside asks this first. */
size_t json_text_values(struct slice text);
void json_doc_free(struct json_doc *doc); /* takes NULL */
const struct json_value *json_doc_root(const struct json_doc *doc);

enum json_kind json_kind_of(const struct json_value *v);

bool json_get_string(const struct json_value *v, struct slice *out);
bool json_get_bool(const struct json_value *v, bool *out);
bool json_get_int(const struct json_value *v, int64_t *out);
bool json_get_double(const struct json_value *v, double *out); /* of integers too */

/* Entries of a list, members of an object; 0 for the rest. */
size_t json_count(const struct json_value *v);
/* NULL when there is none. */
const struct json_value *json_item(const struct json_value *list, size_t i);
const struct json_value *json_member(const struct json_value *object, const char *name);

/* Walks an object in the order of the text: *at starts as NULL; false at the end.
 *   for (void *at = NULL; json_next_member(v, &at, &name, &value);) */
bool json_next_member(
    const struct json_value *object, void **at, struct slice *name, const struct json_value **value);
