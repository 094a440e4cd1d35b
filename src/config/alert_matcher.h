/* Alertmanager's own matcher syntax: `severity="critical"`, `{a=b,c!~"d.*"}`. There are two parsers of it,
 * the classic one and the UTF-8 one, and a mode that runs both; see spec "Matcher syntax". Thread-safe. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "model/matcher.h"

enum alert_matcher_mode {
	ALERT_MATCHER_FALLBACK, /* both: the classic one wins where both succeed */
	ALERT_MATCHER_UTF8,
	ALERT_MATCHER_CLASSIC,
};

struct alert_matcher_list {
	const struct matcher **v;
	size_t n;
};

/* As matcher_new(), with Alertmanager's reading of an expression: the dot does not match a line break, and an error shows
 * the expression with its anchors. */
MUST_CHECK int alert_matcher_new(struct arena *arena, enum match_op op, struct slice name, struct slice value,
    const struct matcher **out, struct err *err);

/* A list of matchers. `note` (may be NULL) gets a sentence when the text should be rewritten, else it stays
 * as it is. ERR_INVALID with Alertmanager's text. Everything lives in the arena. */
MUST_CHECK int alert_matcher_parse(struct slice text, enum alert_matcher_mode mode, struct arena *arena,
    struct alert_matcher_list *out, struct slice *note, struct err *err);
/* Exactly one, without braces: API filters and command lines. */
MUST_CHECK int alert_matcher_parse_one(struct slice text, enum alert_matcher_mode mode, struct arena *arena,
    const struct matcher **out, struct err *err);

/* foo="bar", foo=~"a\\d": the canonical text, as in group keys. */
void alert_matcher_print(struct strbuf *out, const struct matcher *m);
/* {a="b",c=~"d"} */
void alert_matchers_print(struct strbuf *out, const struct matcher *const *v, size_t n);
/* By name, then value, then operator. */
int alert_matcher_cmp(const struct matcher *a, const struct matcher *b);
