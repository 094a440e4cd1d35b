/* Running a template: data in, text out. Bounded in steps, depth and output, since texts and data come from
 * outside. One thread per execution. */
#pragma once

#include "template/template_parse.h"

enum template_missing_key { TEMPLATE_MISSING_ZERO, TEMPLATE_MISSING_ERROR };

struct template_options {
	void *user;                            /* for functions: template_exec_user() */
	enum template_missing_key missing_key; /* a map without the key */
	bool escape_html;                      /* what actions print is escaped, unless marked safe */
	size_t max_steps;                      /* 0: 1,000,000 */
};

/* Appends to `out`, whose bound is the limit of the output. `arena` takes intermediate values; the caller
 * frees it after. ERR_INVALID: an execution error with Go's text, "template: x:1:3: executing "x" at <...>:
 * ..."; ERR_LIMIT. On an error what was written before stays in `out`. */
MUST_CHECK int template_exec(const struct template_set *set, struct slice name,
    const struct template_value *data, const struct template_options *options, struct arena *arena,
    struct strbuf *out, struct err *err);

/* Inside functions. */
struct arena *template_exec_arena(struct template_exec *x);
void *template_exec_user(struct template_exec *x);
const struct template_set *template_exec_set(struct template_exec *x);
