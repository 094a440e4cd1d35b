#include "base/json_read.h"

#include "base/attr.h"

#include <jansson.h>

enum { MAX_DEPTH = 64 };

/* Never defined: documents and values are jansson's, under our names. */
static json_t *node(const struct json_value *v)
{
	union {
		const struct json_value *ours;
		json_t *theirs;
	} u = {.ours = v};
	return u.theirs;
}

static const struct json_value *value_of(json_t *j)
{
	return (const struct json_value *)(const void *)j;
}

static bool is_deeper_than(json_t *j, int depth)
{
	if (!json_is_object(j) && !json_is_array(j))
		return false;
	if (depth == 0)
		return true;
	const char *key;
	size_t i;
	json_t *child;
	json_object_foreach(j, key, child) if (is_deeper_than(child, depth - 1)) return true;
	json_array_foreach(j, i, child) if (is_deeper_than(child, depth - 1)) return true;
	return false;
}

int json_doc_parse(struct slice text, struct json_doc **out, struct err *err)
{
	json_error_t why;
	json_t *j = json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
	if (!j)
		return err_set_at(err, ERR_INVALID, why.line > 0 ? (uint32_t)why.line : 1,
		    why.column > 0 ? (uint32_t)why.column : 1, "invalid JSON: %s", why.text);
	if (is_deeper_than(j, MAX_DEPTH)) {
		json_decref(j);
		return err_set(err, ERR_INVALID, "invalid JSON: nested deeper than %d levels", MAX_DEPTH);
	}
	*out = (struct json_doc *)(void *)j;
	return 0;
}

/* Each value stands first, or behind a comma or an opening bracket that is not in a string. */
size_t json_text_values(struct slice text)
{
	size_t n = 1;
	bool in_string = false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == '"')
			in_string = !in_string;
		else if (c == '\\' && in_string)
			i++;
		else if (!in_string)
			n += c == ',' || c == '[' || c == '{';
	}
	return n;
}

void json_doc_free(struct json_doc *doc)
{
	json_decref((json_t *)(void *)doc);
}

const struct json_value *json_doc_root(const struct json_doc *doc)
{
	return (const struct json_value *)(const void *)doc;
}

enum json_kind json_kind_of(const struct json_value *v)
{
	if (!v)
		return JSON_KIND_NONE;
	switch (json_typeof(node(v))) {
	case JSON_OBJECT:
		return JSON_KIND_OBJECT;
	case JSON_ARRAY:
		return JSON_KIND_LIST;
	case JSON_STRING:
		return JSON_KIND_STRING;
	case JSON_INTEGER:
		return JSON_KIND_INT;
	case JSON_REAL:
		return JSON_KIND_DOUBLE;
	case JSON_TRUE:
	case JSON_FALSE:
		return JSON_KIND_BOOL;
	case JSON_NULL:
		break;
	}
	return JSON_KIND_NULL;
}

bool json_get_string(const struct json_value *v, struct slice *out)
{
	if (json_kind_of(v) != JSON_KIND_STRING)
		return false;
	*out = slice_of(json_string_value(node(v)), json_string_length(node(v)));
	return true;
}

bool json_get_bool(const struct json_value *v, bool *out)
{
	if (json_kind_of(v) != JSON_KIND_BOOL)
		return false;
	*out = json_is_true(node(v));
	return true;
}

bool json_get_int(const struct json_value *v, int64_t *out)
{
	if (json_kind_of(v) != JSON_KIND_INT)
		return false;
	*out = json_integer_value(node(v));
	return true;
}

bool json_get_double(const struct json_value *v, double *out)
{
	enum json_kind kind = json_kind_of(v);
	if (kind != JSON_KIND_INT && kind != JSON_KIND_DOUBLE)
		return false;
	*out = json_number_value(node(v));
	return true;
}

size_t json_count(const struct json_value *v)
{
	enum json_kind kind = json_kind_of(v);
	if (kind == JSON_KIND_LIST)
		return json_array_size(node(v));
	return kind == JSON_KIND_OBJECT ? json_object_size(node(v)) : 0;
}

const struct json_value *json_item(const struct json_value *list, size_t i)
{
	return json_kind_of(list) == JSON_KIND_LIST ? value_of(json_array_get(node(list), i)) : NULL;
}

const struct json_value *json_member(const struct json_value *object, const char *name)
{
	return json_kind_of(object) == JSON_KIND_OBJECT ? value_of(json_object_get(node(object), name))
							: NULL;
}

bool json_next_member(
    const struct json_value *object, void **at, struct slice *name, const struct json_value **value)
{
	if (json_kind_of(object) != JSON_KIND_OBJECT)
		return false;
	void *next = *at ? json_object_iter_next(node(object), *at) : json_object_iter(node(object));
	if (!next)
		return false;
	*at = next;
	*name = slice_of(json_object_iter_key(next), json_object_iter_key_len(next));
	*value = value_of(json_object_iter_value(next));
	return true;
}
