/* What a parsed expression lacks until the times of a query are known: durations written as expressions
 * (`[step() * 2]`, `offset range()`), and the times of `@ start()` and `@ end()`. Thread-safe. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "promql/ast.h"

/* A copy of the tree, in the arena, with every duration and every @ time resolved; parts that need nothing
 * are shared. Node ids stay. An instant query has start == end, and step_ms 0. ERR_INVALID: "12:18: division
 * by zero" and the like, the numbers being the bytes of the part that is wrong. */
MUST_CHECK int promql_prepare(struct arena *arena, const struct expr *e, int64_t start_ms, int64_t end_ms,
    int64_t step_ms, const struct expr **out, struct err *err);
