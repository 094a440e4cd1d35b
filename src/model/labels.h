/* A label set: names and values, sorted by name, immutable, in one block of memory. Names are unique; a label with an
 * empty value is the same as no label and never stored. The hash is taken once, at the making.
 *
 * Made by model/label_builder.h, or by the functions below. A set lives in the arena it was made in, or, made on the
 * heap (labels_copy), until labels_free(). Readable from any thread. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include <stdint.h>

struct label {
	struct slice name, value;
};

struct labels {
	uint64_t hash;  /* of all names and values: equal sets have equal hashes within a process */
	uint32_t n;
	uint32_t bytes; /* size of the whole block when its text lies inside it; 0: text is borrowed */
	struct label l[];
};

#define LABEL_NAME   "__name__" /* the metric's name */
#define LABEL_LE     "le"
#define LABELS_EACH(it, ls) for (const struct label *it = (ls)->l, *it##_end = (ls)->l + (ls)->n; it < it##_end; it++)

/* The set without labels. */
extern const struct labels labels_empty;

/* From `n` labels that are sorted, unique and not empty-valued (asserted); text is borrowed, the block in the arena. */
const struct labels *labels_from_sorted(struct arena *arena, const struct label *l, size_t n);
/* From any order; sorts, drops empty values. ERR_INVALID on a name that stands twice: "label name "x" is not unique". */
MUST_CHECK int labels_from_pairs(
    struct arena *arena, const struct label *l, size_t n, const struct labels **out, struct err *err);
/* "a","1","b","2",NULL: for tests and small internal sets. Asserts uniqueness. Text is borrowed. */
const struct labels *labels_of(struct arena *arena, ...) __attribute__((sentinel));

/* One heap block, text included; the caller frees it with labels_free(), which takes NULL. */
struct labels *labels_copy(const struct labels *ls);
void labels_free(struct labels *ls);
/* One block in the arena, text included. */
const struct labels *labels_copy_to(struct arena *arena, const struct labels *ls);

/* The value of `name`, or an empty slice. */
struct slice labels_get(const struct labels *ls, struct slice name);
bool labels_has(const struct labels *ls, struct slice name);
struct slice labels_metric_name(const struct labels *ls);

bool labels_eq(const struct labels *a, const struct labels *b);
/* Order of results: (name, value) pairs in byte order, the shorter set first. */
int labels_cmp(const struct labels *a, const struct labels *b);

/* Hash over only / all but the given names, which are sorted; __name__ is left out of the second too, unless `keep_name`. */
uint64_t labels_hash_on(const struct labels *ls, const struct slice *names, size_t n);
uint64_t labels_hash_ignoring(const struct labels *ls, const struct slice *names, size_t n, bool keep_name);

/* {a="1", b="2"} with Go-quoted values, as Labels.String(); the metric form is name{a="1"} as model.Metric.String(). */
void labels_print(struct strbuf *out, const struct labels *ls);
void labels_print_metric(struct strbuf *out, const struct labels *ls);

/* Alertmanager's fingerprint (FNV-1a over the sorted set with 0xff separators): what the outside sees in APIs. */
uint64_t labels_fingerprint(const struct labels *ls);

bool label_name_valid_legacy(struct slice s);  /* [a-zA-Z_][a-zA-Z0-9_]* */
bool metric_name_valid_legacy(struct slice s); /* also ':' */
bool label_name_valid(struct slice s);         /* UTF-8, not empty */
