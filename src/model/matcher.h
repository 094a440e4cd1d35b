/* A label matcher: name, operation, value. An absent label is the empty string. Regular expressions are RE2, fully
 * anchored, dot matches newline; those that are a literal, a set, a prefix, a suffix or a "contains" never reach RE2.
 * Immutable once made: usable from any thread. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "model/labels.h"

enum match_op { MATCH_EQUAL, MATCH_NOT_EQUAL, MATCH_REGEX, MATCH_NOT_REGEX };

struct label_regex; /* model/label_regex.h */

struct matcher {
	enum match_op op;
	struct slice name, value;
	const struct label_regex *regex; /* for the two regex operations */
};

/* Name and value are copied; the matcher lives until the arena goes, which also releases what RE2 holds
 * (arena_at_free()). ERR_INVALID: the text of the regex engine, as Go would word it. */
MUST_CHECK int matcher_new(struct arena *arena, enum match_op op, struct slice name, struct slice value,
    const struct matcher **out, struct err *err);

bool matcher_matches(const struct matcher *m, struct slice value);
bool matcher_matches_labels(const struct matcher *m, const struct labels *ls);
/* Whether the empty string (an absent label) matches. */
bool matcher_matches_empty(const struct matcher *m);

/* The values a matcher can take, when they are a small known set ("a|b|c", "a"): *n of them, else NULL. */
const struct slice *matcher_set(const struct matcher *m, size_t *n);
/* What each matching value starts with (empty: unknown). */
struct slice matcher_prefix(const struct matcher *m);

/* a="b", a=~"b": the form of error texts and printed queries. */
void matcher_print(struct strbuf *out, const struct matcher *m);
const char *match_op_text(enum match_op op);
