/* The functions that belong to the language itself, and the methods of times and durations. */
#include "template/template_exec_priv.h"

#include "base/utf8.h"
#include "model/duration.h"
#include "net/url.h"

#include "template/template_call.h"
#include "template/template_printf.h"

#include <math.h>

/* --- comparison ------------------------------------------------------------------------------------------------------- */

enum basic { BASIC_NONE, BASIC_BOOL, BASIC_INT, BASIC_UINT, BASIC_FLOAT, BASIC_TEXT };

static enum basic basic_of(const struct template_value *v)
{
	switch (v->kind) {
	case TV_BOOL:
		return BASIC_BOOL;
	case TV_INT:
	case TV_DURATION:
		return BASIC_INT;
	case TV_UINT:
		return BASIC_UINT;
	case TV_FLOAT:
		return BASIC_FLOAT;
	case TV_STRING:
		return BASIC_TEXT;
	case TV_NIL:
	case TV_TIME:
	case TV_LIST:
	case TV_MAP:
	case TV_HISTOGRAM:
	case TV_OBJECT:
		break;
	}
	return BASIC_NONE;
}

static int64_t int_of(const struct template_value *v)
{
	return v->kind == TV_DURATION ? v->as.duration_ns : v->as.integer;
}

static int compare_int_uint(int64_t i, uint64_t u)
{
	if (i < 0 || u > INT64_MAX)
		return -1;
	return (i > (int64_t)u) - (i < (int64_t)u);
}

/* *order is <0, 0, >0, or 2 when nothing is true of the pair (NaN). */
static int compare(
    const struct template_value *a, const struct template_value *b, int *order, struct err *err)
{
	enum basic ka = basic_of(a), kb = basic_of(b);
	if (ka == BASIC_NONE || kb == BASIC_NONE)
		return err_set(err, ERR_INVALID, "invalid type for comparison");
	if (ka == BASIC_INT && kb == BASIC_UINT) {
		*order = compare_int_uint(int_of(a), b->as.uinteger);
	} else if (ka == BASIC_UINT && kb == BASIC_INT) {
		*order = -compare_int_uint(int_of(b), a->as.uinteger);
	} else if (ka != kb) {
		return err_set(err, ERR_INVALID, "incompatible types for comparison");
	} else if (ka == BASIC_INT) {
		*order = (int_of(a) > int_of(b)) - (int_of(a) < int_of(b));
	} else if (ka == BASIC_UINT) {
		*order = (a->as.uinteger > b->as.uinteger) - (a->as.uinteger < b->as.uinteger);
	} else if (ka == BASIC_FLOAT) {
		double p = a->as.number, q = b->as.number;
		*order = isnan(p) || isnan(q) ? 2 : (p > q) - (p < q);
	} else if (ka == BASIC_TEXT) {
		int c = slice_cmp(a->as.text, b->as.text);
		*order = (c > 0) - (c < 0);
	} else {
		*order = a->as.boolean - b->as.boolean;
	}
	return 0;
}

/* nil equals nil and nothing else. */
static int equal(
    const struct template_value *a, const struct template_value *b, bool *is_equal, struct err *err)
{
	if (a->kind == TV_NIL || b->kind == TV_NIL) {
		*is_equal = a->kind == b->kind;
		return 0;
	}
	int order;
	int rc = compare(a, b, &order, err);
	if (rc == 0)
		*is_equal = order == 0;
	return rc;
}

FUNC(func_eq)
{
	(void)x;
	bool found = false;
	for (size_t i = 1; i < n && !found; i++) {
		int rc = equal(&args[0], &args[i], &found, err);
		if (rc)
			return rc;
	}
	*out = template_bool(found);
	return 0;
}

FUNC(func_ne)
{
	(void)x;
	(void)n;
	bool is_equal = false;
	int rc = equal(&args[0], &args[1], &is_equal, err);
	*out = template_bool(!is_equal);
	return rc;
}

static int ordered(
    const struct template_value *args, bool less, bool equal_too, struct template_value *out, struct err *err)
{
	int order = 0;
	if (args[0].kind == TV_BOOL || args[1].kind == TV_BOOL)
		return err_set(err, ERR_INVALID, "invalid type for comparison");
	int rc = compare(&args[0], &args[1], &order, err);
	*out = template_bool(order == (less ? -1 : 1) || (equal_too && order == 0));
	return rc;
}

FUNC(func_lt)
{
	(void)x;
	(void)n;
	return ordered(args, true, false, out, err);
}

FUNC(func_le)
{
	(void)x;
	(void)n;
	return ordered(args, true, true, out, err);
}

FUNC(func_gt)
{
	(void)x;
	(void)n;
	return ordered(args, false, false, out, err);
}

FUNC(func_ge)
{
	(void)x;
	(void)n;
	return ordered(args, false, true, out, err);
}

FUNC(func_not)
{
	(void)x;
	(void)n;
	(void)err;
	*out = template_bool(!template_is_true(&args[0]));
	return 0;
}

/* --- containers --------------------------------------------------------------------------------------------------------- */

FUNC(func_len)
{
	(void)x;
	(void)n;
	switch ((int)args[0].kind) {
	case TV_STRING:
		*out = template_int((int64_t)args[0].as.text.len);
		return 0;
	case TV_LIST:
		*out = template_int((int64_t)args[0].as.list.n);
		return 0;
	case TV_MAP:
		*out = template_int((int64_t)args[0].as.map.n);
		return 0;
	default:
		return err_set(err, ERR_INVALID, "len of type %s", template_type_name(&args[0]));
	}
}

static int index_number(const struct template_value *v, size_t length, size_t *out, struct err *err)
{
	if (v->kind != TV_INT)
		return err_set(
		    err, ERR_INVALID, "cannot index slice/array with type %s", template_type_name(v));
	if (v->as.integer < 0 || (uint64_t)v->as.integer >= length)
		return err_set(err, ERR_INVALID, "index out of range: %lld", (long long)v->as.integer);
	*out = (size_t)v->as.integer;
	return 0;
}

static int index_one(const struct template_value *v, const struct template_value *key,
    struct template_value *out, struct err *err)
{
	size_t i;
	int rc = 0;
	if (v->kind == TV_LIST) {
		rc = index_number(key, v->as.list.n, &i, err);
		if (rc == 0)
			*out = v->as.list.v[i];
	} else if (v->kind == TV_STRING) {
		rc = index_number(key, v->as.text.len, &i, err);
		if (rc == 0)
			*out = template_int((unsigned char)v->as.text.ptr[i]);
	} else if (v->kind == TV_MAP) {
		if (key->kind != TV_STRING)
			return err_set(
			    err, ERR_INVALID, "value has type %s; should be string", template_type_name(key));
		const struct template_value *found = template_map_get(v, key->as.text);
		*out = found ? *found : v->as.map.missing_is_empty ? template_text(SL_EMPTY) : TEMPLATE_NIL;
	} else if (v->kind == TV_NIL) {
		return err_set(err, ERR_INVALID, "index of untyped nil");
	} else {
		return err_set(err, ERR_INVALID, "can't index item of type %s", template_type_name(v));
	}
	return rc;
}

FUNC(func_index)
{
	(void)x;
	struct template_value v = args[0];
	for (size_t i = 1; i < n; i++) {
		int rc = index_one(&v, &args[i], &v, err);
		if (rc)
			return rc;
	}
	*out = v;
	return 0;
}

FUNC(func_slice)
{
	(void)x;
	size_t length = args[0].kind == TV_STRING ? args[0].as.text.len : args[0].as.list.n;
	if (args[0].kind != TV_STRING && args[0].kind != TV_LIST)
		return err_set(err, ERR_INVALID, "can't slice item of type %s", template_type_name(&args[0]));
	size_t bounds[2] = {0, length};
	for (size_t i = 1; i < n && i < 3; i++) {
		int rc = index_number(&args[i], length + 1, &bounds[i - 1], err);
		if (rc)
			return rc;
	}
	if (bounds[0] > bounds[1])
		return err_set(err, ERR_INVALID, "invalid slice index: %zu > %zu", bounds[0], bounds[1]);
	*out = args[0];
	if (args[0].kind == TV_STRING)
		out->as.text = slice_of(args[0].as.text.ptr + bounds[0], bounds[1] - bounds[0]);
	else
		out->as.list = (struct template_list){args[0].as.list.v + bounds[0], bounds[1] - bounds[0]};
	return 0;
}

FUNC(func_call)
{
	(void)x;
	(void)n;
	(void)out;
	return err_set(err, ERR_INVALID, "non-function of type %s", template_type_name(&args[0]));
}

/* --- text --------------------------------------------------------------------------------------------------------------- */

FUNC(func_print)
{
	(void)err;
	struct strbuf sb;
	strbuf_init(&sb, x->out->max);
	template_sprint(&sb, args, n, false);
	*out = template_take_text(x, &sb);
	return 0;
}

FUNC(func_println)
{
	(void)err;
	struct strbuf sb;
	strbuf_init(&sb, x->out->max);
	template_sprint(&sb, args, n, true);
	*out = template_take_text(x, &sb);
	return 0;
}

FUNC(func_printf)
{
	if (args[0].kind != TV_STRING)
		return err_set(err, ERR_INVALID, "wrong type for value; expected string; got %s",
		    template_type_name(&args[0]));
	struct strbuf sb;
	strbuf_init(&sb, x->out->max);
	template_printf(&sb, args[0].as.text, args + 1, n - 1);
	*out = template_take_text(x, &sb);
	return 0;
}

static void escape(struct strbuf *out, struct slice s, const char *special, const char *const *replacements)
{
	for (size_t i = 0; i < s.len; i++) {
		const char *at = s.ptr[i] ? strchr(special, s.ptr[i]) : NULL;
		if (at)
			strbuf_adds(out, replacements[at - special]);
		else
			strbuf_addch(out, s.ptr[i]);
	}
}

static int escaped_by(struct template_exec *x, const struct template_value *args, size_t n,
    void (*how)(struct strbuf *out, struct slice s), struct template_value *out)
{
	struct strbuf text, result;
	strbuf_init(&text, x->out->max);
	strbuf_init(&result, x->out->max);
	template_sprint(&text, args, n, false);
	how(&result, strbuf_slice(&text));
	strbuf_done(&text);
	*out = template_take_text(x, &result);
	return 0;
}

static void escape_html(struct strbuf *out, struct slice s)
{
	static const char *const replacements[] = {"&lt;", "&gt;", "&amp;", "&#34;", "&#39;"};
	escape(out, s, "<>&\"'", replacements);
}

static void escape_js(struct strbuf *out, struct slice s)
{
	static const char *const replacements[] = {"\\\\", "\\'", "\\\"", "\\u003C", "\\u003E", "\\u0026",
	    "\\u003D", "\\u000A", "\\u000D", "\\u0009"};
	escape(out, s, "\\'\"<>&=\n\r\t", replacements);
}

FUNC(func_html)
{
	(void)err;
	return escaped_by(x, args, n, escape_html, out);
}

FUNC(func_js)
{
	(void)err;
	return escaped_by(x, args, n, escape_js, out);
}

FUNC(func_urlquery)
{
	(void)err;
	return escaped_by(x, args, n, url_query_escape, out);
}

/* `and` and `or` stand here for the parser, which asks whether a name is known; the executor runs them itself. */
FUNC(func_logic)
{
	(void)x;
	(void)err;
	*out = args[n - 1];
	return 0;
}

static const struct template_func builtins[] = {
    {"and", 1, TEMPLATE_VARIADIC, func_logic},
    {"or", 1, TEMPLATE_VARIADIC, func_logic},
    {"not", 1, 1, func_not},
    {"eq", 2, TEMPLATE_VARIADIC, func_eq},
    {"ne", 2, 2, func_ne},
    {"lt", 2, 2, func_lt},
    {"le", 2, 2, func_le},
    {"gt", 2, 2, func_gt},
    {"ge", 2, 2, func_ge},
    {"len", 1, 1, func_len},
    {"index", 1, TEMPLATE_VARIADIC, func_index},
    {"slice", 1, 3, func_slice},
    {"print", 0, TEMPLATE_VARIADIC, func_print},
    {"println", 0, TEMPLATE_VARIADIC, func_println},
    {"printf", 1, TEMPLATE_VARIADIC, func_printf},
    {"html", 1, TEMPLATE_VARIADIC, func_html},
    {"js", 1, TEMPLATE_VARIADIC, func_js},
    {"urlquery", 1, TEMPLATE_VARIADIC, func_urlquery},
    {"call", 1, TEMPLATE_VARIADIC, func_call},
};

const struct template_funcs template_builtin_funcs = {builtins, ARRAY_LEN(builtins), NULL};
