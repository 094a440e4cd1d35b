/* Go's text/template language as a tree: actions, pipelines, if/range/with, define/template/block, variables,
 * trim markers. A template set holds named templates over one set of functions; texts are parsed into it,
 * then it is executed (template/template_exec.h). Immutable once parsed: executable by any number of threads.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "template/value.h"

enum { TEMPLATE_VARIADIC = 255 };

/* A function that templates call. Errors become `error calling <name>: <message>`. */
struct template_func {
	const char *name;
	uint8_t min_args, max_args;
	int (*call)(struct template_exec *x, const struct template_value *args, size_t n_args,
	    struct template_value *out, struct err *err);
};

/* Function sets are chained: a name is looked up here, then in `next`; the language's own come last, always.
 */
struct template_funcs {
	const struct template_func *v;
	size_t n;
	const struct template_funcs *next;
};

struct template_set;

/* In `arena`, which must outlive it. `funcs` is borrowed; NULL: the language's own functions alone. */
struct template_set *template_set_new(struct arena *arena, const struct template_funcs *funcs);
/* A copy that can take more texts without changing the original. */
struct template_set *template_set_clone(struct arena *arena, const struct template_set *set);
/* Parses `text` as template `name`, and what it defines; a later definition replaces an earlier one. The text
 * is copied. ERR_INVALID with Go's text, "template: <name>:<line>: unclosed action", and line (and column) of
 * the place. */
MUST_CHECK int template_parse(
    struct template_set *set, struct slice name, struct slice text, struct err *err);
bool template_set_has(const struct template_set *set, struct slice name);
