/* URLs: parts, escaping, form bodies. Thread-safe. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"

struct url {
	struct slice scheme, userinfo, host /* with port, brackets kept */, path, query, fragment;
};

/* Slices point into `text`. ERR_INVALID says what is wrong. */
MUST_CHECK int url_parse(struct slice text, struct url *out, struct err *err);
/* %XX, and '+' as a space when `plus_is_space`; a bad escape is kept as it stands. The result lives in the arena. */
struct slice url_decode(struct slice s, bool plus_is_space, struct arena *arena);
/* As Go's url.QueryEscape / url.PathEscape. */
void url_query_escape(struct strbuf *out, struct slice s);
void url_path_escape(struct strbuf *out, struct slice s);

/* Walks "a=1&b=2": the next pair, decoded into the arena; false at the end. */
bool url_next_pair(struct slice *rest, struct slice *name, struct slice *value, struct arena *arena);
