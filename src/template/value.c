#include "template/value.h"

#include "base/double_text.h"
#include "base/xmalloc.h"
#include "model/duration.h"
#include "template/go_time.h"

#include <inttypes.h>
#include <stdlib.h>

enum { PRINT_MAX_DEPTH = 50 };

struct template_value template_bool(bool b)
{
	return (struct template_value){.kind = TV_BOOL, .as.boolean = b};
}

struct template_value template_int(int64_t i)
{
	return (struct template_value){.kind = TV_INT, .as.integer = i};
}

struct template_value template_float(double v)
{
	return (struct template_value){.kind = TV_FLOAT, .as.number = v};
}

struct template_value template_text(struct slice s)
{
	return (struct template_value){.kind = TV_STRING, .as.text = s};
}

struct template_value template_time_ms(int64_t t_ms)
{
	int64_t s = t_ms / 1000, ms = t_ms % 1000;
	if (ms < 0) {
		s--;
		ms += 1000;
	}
	return (struct template_value){.kind = TV_TIME, .as.time = {s, (int32_t)ms * 1000000}};
}

struct template_value template_duration_ns(int64_t ns)
{
	return (struct template_value){.kind = TV_DURATION, .as.duration_ns = ns};
}

struct template_value template_list(const struct template_value *v, size_t n)
{
	return (struct template_value){.kind = TV_LIST, .as.list = {v, n}};
}

struct template_value template_texts(struct arena *arena, const struct slice *v, size_t n)
{
	struct template_value *items = ARENA_ARRAY(arena, struct template_value, n);
	for (size_t i = 0; i < n; i++)
		items[i] = template_text(v[i]);
	return template_list(items, n);
}

struct template_value template_labels(struct arena *arena, const struct labels *ls)
{
	struct template_entry *entries = ARENA_ARRAY(arena, struct template_entry, ls->n);
	for (size_t i = 0; i < ls->n; i++)
		entries[i] = (struct template_entry){ls->l[i].name, template_text(ls->l[i].value)};
	return template_map(entries, ls->n, true);
}

struct keyed {
	struct template_entry entry;
	size_t at;
};

static int compare_keyed(const void *x, const void *y)
{
	const struct keyed *a = x, *b = y;
	int c = slice_cmp(a->entry.key, b->entry.key);
	return c ? c : (a->at > b->at) - (a->at < b->at);
}

static bool is_sorted(const struct template_entry *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (slice_cmp(v[i - 1].key, v[i].key) >= 0)
			return false;
	return true;
}

struct template_value template_map(struct template_entry *v, size_t n, bool missing_is_empty)
{
	size_t kept = n;
	if (!is_sorted(v, n)) {
		struct keyed *sorted = xreallocarray(NULL, n, sizeof(*sorted));
		for (size_t i = 0; i < n; i++)
			sorted[i] = (struct keyed){v[i], i};
		qsort(sorted, n, sizeof(*sorted), compare_keyed);
		kept = 0;
		for (size_t i = 0; i < n; i++)
			if (i + 1 == n || !slice_eq(sorted[i].entry.key, sorted[i + 1].entry.key))
				v[kept++] = sorted[i].entry;
		free(sorted);
	}
	return (struct template_value){.kind = TV_MAP, .as.map = {v, kept, missing_is_empty}};
}

struct template_value template_object(const struct template_class *class, const void *object)
{
	return (struct template_value){.kind = TV_OBJECT, .class = class, .as.object = object};
}

const struct template_value *template_map_get(const struct template_value *map, struct slice key)
{
	size_t lo = 0, hi = map->as.map.n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = slice_cmp(map->as.map.v[mid].key, key);
		if (c == 0)
			return &map->as.map.v[mid].value;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

bool template_is_true(const struct template_value *v)
{
	switch (v->kind) {
	case TV_NIL:
		return false;
	case TV_BOOL:
		return v->as.boolean;
	case TV_INT:
		return v->as.integer != 0;
	case TV_UINT:
		return v->as.uinteger != 0;
	case TV_FLOAT:
		return v->as.number != 0;
	case TV_STRING:
		return v->as.text.len > 0;
	case TV_DURATION:
		return v->as.duration_ns != 0;
	case TV_LIST:
		return v->as.list.n > 0;
	case TV_MAP:
		return v->as.map.n > 0;
	case TV_TIME:
	case TV_HISTOGRAM:
	case TV_OBJECT:
		return true; /* structs are always true */
	}
	return false;
}

static void print_double(struct strbuf *out, double v)
{
	char text[DOUBLE_TEXT_MAX];
	strbuf_add(out, text, double_to_go_g(v, text));
}

static void print_value(struct strbuf *out, const struct template_value *v, unsigned depth);

static void print_list(struct strbuf *out, const struct template_value *v, unsigned depth)
{
	strbuf_addch(out, '[');
	for (size_t i = 0; i < v->as.list.n; i++) {
		if (i)
			strbuf_addch(out, ' ');
		print_value(out, &v->as.list.v[i], depth + 1);
	}
	strbuf_addch(out, ']');
}

static void print_map(struct strbuf *out, const struct template_value *v, unsigned depth)
{
	strbuf_adds(out, "map[");
	for (size_t i = 0; i < v->as.map.n; i++) {
		if (i)
			strbuf_addch(out, ' ');
		strbuf_add_slice(out, v->as.map.v[i].key);
		strbuf_addch(out, ':');
		print_value(out, &v->as.map.v[i].value, depth + 1);
	}
	strbuf_addch(out, ']');
}

static void print_value(struct strbuf *out, const struct template_value *v, unsigned depth)
{
	if (depth > PRINT_MAX_DEPTH)
		return;
	if (v->class && v->class->print) {
		v->class->print(out, v);
		return;
	}
	switch (v->kind) {
	case TV_NIL:
		strbuf_adds(out, depth ? "<nil>" : "<no value>");
		return;
	case TV_BOOL:
		strbuf_adds(out, v->as.boolean ? "true" : "false");
		return;
	case TV_INT:
		strbuf_addf(out, "%" PRId64, v->as.integer);
		return;
	case TV_UINT:
		strbuf_addf(out, "%" PRIu64, v->as.uinteger);
		return;
	case TV_FLOAT:
		print_double(out, v->as.number);
		return;
	case TV_STRING:
		strbuf_add_slice(out, v->as.text);
		return;
	case TV_TIME:
		go_time_print(out, v->as.time.s, v->as.time.ns);
		return;
	case TV_DURATION:
		go_duration_print(out, v->as.duration_ns);
		return;
	case TV_LIST:
		print_list(out, v, depth);
		return;
	case TV_MAP:
		print_map(out, v, depth);
		return;
	case TV_HISTOGRAM:
		histogram_print(out, v->as.histogram);
		return;
	case TV_OBJECT:
		strbuf_addf(out, "<%s>", v->class ? v->class->type_name : "object");
		return;
	}
}

void template_print(struct strbuf *out, const struct template_value *v)
{
	print_value(out, v, 0);
}

const char *template_type_name(const struct template_value *v)
{
	if (v->class)
		return v->class->type_name;
	switch (v->kind) {
	case TV_NIL:
		return "<nil>";
	case TV_BOOL:
		return "bool";
	case TV_INT:
		return "int";
	case TV_UINT:
		return "uint64";
	case TV_FLOAT:
		return "float64";
	case TV_STRING:
		return "string";
	case TV_TIME:
		return "time.Time";
	case TV_DURATION:
		return "time.Duration";
	case TV_LIST:
		return "[]interface {}";
	case TV_MAP:
		return v->as.map.missing_is_empty ? "map[string]string" : "map[string]interface {}";
	case TV_HISTOGRAM:
		return "*histogram.FloatHistogram";
	case TV_OBJECT:
		return "object";
	}
	return "unknown";
}

int template_to_float(const struct template_value *v, double *out, struct err *err)
{
	switch (v->kind) {
	case TV_FLOAT:
		*out = v->as.number;
		return 0;
	case TV_INT:
		*out = (double)v->as.integer;
		return 0;
	case TV_UINT:
		*out = (double)v->as.uinteger;
		return 0;
	case TV_DURATION:
		*out = (double)v->as.duration_ns / 1e9;
		return 0;
	case TV_STRING:
		if (double_parse(v->as.text, out))
			return 0;
		return err_set(err, ERR_INVALID,
		    "strconv.ParseFloat: parsing \"%" SL_FMT "\": invalid syntax", SL_ARG(v->as.text));
	case TV_NIL:
	case TV_BOOL:
	case TV_TIME:
	case TV_LIST:
	case TV_MAP:
	case TV_HISTOGRAM:
	case TV_OBJECT:
		break;
	}
	return err_set(err, ERR_INVALID, "can't convert %s to float", template_type_name(v));
}
