/* What a regular expression says when it is one of the simple kind that most matchers are: a literal, a list of
 * alternatives, a prefix, a suffix, something contained, "anything". Such an expression is a list of patterns, each a row
 * of literals with gaps between; matching one is a few memcmp, no automaton. Pure analysis: knows no regex engine.
 * Immutable once parsed; lives in the arena it was parsed into. */
#pragma once

#include "base/arena.h"
#include "base/slice.h"

/* literal[0] gap[0] literal[1] ... literal[n_gaps]; a gap is `.*` (0) or `.+` (1): how many bytes it takes at least. */
struct regex_pattern {
	size_t n_gaps;
	struct slice *literal;
	unsigned char *gap;
};

struct regex_shape {
	struct regex_pattern *patterns;
	size_t n_patterns;
	/* When no pattern has a gap: all strings it matches, sorted, unique. Else NULL, 0. */
	struct slice *set;
	size_t n_set;
	struct slice prefix; /* of everything it matches */
};

/* False: not of the simple kind, or not legal, or the arena's budget is passed; then the regex engine has the word. Never
 * true for an illegal expression. */
bool regex_shape_parse(struct slice expr, struct arena *arena, struct regex_shape *out);
/* Whether the whole of `s` matches. */
bool regex_shape_matches(const struct regex_shape *shape, struct slice s);
