/* Regular expressions with Go's syntax and RE2's linear time, behind a C face. Anchored: ^(?s:<expr>)$.
 * Immutable: usable from any thread. */
#pragma once

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"

struct label_regex;

/* ERR_INVALID: "error parsing regexp: missing closing ): `(`" as Go words it. The caller frees; free takes NULL. */
MUST_CHECK int label_regex_new(struct slice expr, struct label_regex **out, struct err *err);
void label_regex_free(struct label_regex *re);
bool label_regex_matches(const struct label_regex *re, struct slice s);
/* The finite set of strings it matches, when small; NULL otherwise. Borrowed from `re`. */
const struct slice *label_regex_set(const struct label_regex *re, size_t *n);
struct slice label_regex_prefix(const struct label_regex *re);
/* When `s` matches: appends `replacement` with $1, ${1}, $name, $$ expanded as Go's Regexp.Expand does, and returns true. */
bool label_regex_expand(const struct label_regex *re, struct slice s, struct slice replacement, struct strbuf *out);
/* Whether some part of `s` matches: Go's MatchString of the unanchored expression, where a dot does not match newline. */
bool label_regex_search(const struct label_regex *re, struct slice s);
/* Go's ReplaceAllString of the unanchored expression, where a dot does not match newline. */
void label_regex_replace_all(const struct label_regex *re, struct slice s, struct slice replacement, struct strbuf *out);
