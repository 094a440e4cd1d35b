/* The values that templates compute with: Go's dynamic values as far as text/template shows them. Small,
 * passed by value; what they point to lives in the arena of the execution, or longer. Immutable.
 *
 * A value may carry a class: methods and a text of its own, as Go types have them (a label map prints "a=b",
 * a list of alerts has .Firing). An object is nothing but its class and a pointer. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "model/histogram.h"
#include "model/labels.h"
#include <stdbool.h>
#include <stdint.h>

struct template_exec; /* template/template_exec.h */
struct template_value;

enum template_kind {
	TV_NIL, /* prints <no value>; false */
	TV_BOOL,
	TV_INT,
	TV_UINT,
	TV_FLOAT,
	TV_STRING,
	TV_TIME,     /* milliseconds and nanoseconds since 1970, UTC */
	TV_DURATION, /* nanoseconds */
	TV_LIST,
	TV_MAP, /* keys are text, sorted */
	TV_HISTOGRAM,
	TV_OBJECT,
};

/* `name` is what stands behind the dot; args those behind it. */
struct template_class {
	const char *type_name; /* as Go would say: "template.KV" */
	/* A field or a method: 0 and *out; ERR_NOT_FOUND: there is none of that name (a map then looks up the
	 * key); another error is the method's own. */
	int (*get)(struct template_exec *x, const struct template_value *self, struct slice name,
	    const struct template_value *args, size_t n_args, struct template_value *out, struct err *err);
	/* How {{ . }} prints it; NULL: as its kind does. */
	void (*print)(struct strbuf *out, const struct template_value *self);
};

struct template_list {
	const struct template_value *v;
	size_t n;
};

struct template_map {
	const struct template_entry *v; /* sorted by key, unique */
	size_t n;
	bool missing_is_empty; /* a map of texts: an absent key is "", else it is nil */
};

struct template_value {
	enum template_kind kind;
	bool is_safe;                       /* TV_STRING: trusted by the HTML escaper */
	const struct template_class *class; /* or NULL */
	union {
		bool boolean;
		int64_t integer;
		uint64_t uinteger;
		double number;
		struct slice text;
		struct {
			int64_t s; /* floor */
			int32_t ns;
		} time;
		int64_t duration_ns;
		struct template_list list;
		struct template_map map;
		const struct histogram *histogram;
		const void *object;
	} as;
};

struct template_entry {
	struct slice key;
	struct template_value value;
};

#define TEMPLATE_NIL ((struct template_value){.kind = TV_NIL})

struct template_value template_bool(bool b);
struct template_value template_int(int64_t i);
struct template_value template_float(double v);
struct template_value template_text(struct slice s); /* borrowed */
struct template_value template_time_ms(int64_t t_ms);
struct template_value template_duration_ns(int64_t ns);
struct template_value template_list(const struct template_value *v, size_t n);
struct template_value template_texts(struct arena *arena, const struct slice *v, size_t n);
/* Label sets as maps of texts. */
struct template_value template_labels(struct arena *arena, const struct labels *ls);
/* Sorts `v` in place by key; of equal keys the last stays. */
struct template_value template_map(struct template_entry *v, size_t n, bool missing_is_empty);
struct template_value template_object(const struct template_class *class, const void *object);

/* The entry of a map, or NULL. */
const struct template_value *template_map_get(const struct template_value *map, struct slice key);
/* What `if` thinks of it: empty texts, lists and maps, zero and nil are false. */
bool template_is_true(const struct template_value *v);
/* As {{ }} prints it. */
void template_print(struct strbuf *out, const struct template_value *v);
/* "string", "float64", "map[string]string": for error texts and %T. */
const char *template_type_name(const struct template_value *v);
/* The number in it, or in the text of it: "can't convert <type> to float", or strconv's text. */
MUST_CHECK int template_to_float(const struct template_value *v, double *out, struct err *err);
