/* Scripts of the promqltest language (load, clear, eval, expect): they fill a store in memory, ask the
 * engine, and compare. The language is described in docs/internals/promql-tests.md. One thread. */
#pragma once

#include "base/slice.h"
#include "base/strbuf.h"

struct script_result {
	unsigned passed, failed, skipped; /* evals; a command that cannot be read counts as failed */
};

struct script_options {
	bool delayed_name_removal; /* on in upstream's scripts, off in a default server */
	bool reference;            /* the reference evaluator answers, not the engine */
};

/* Runs the whole text, adds to `result`, and appends a line to `out` for each failed eval:
 * "name:line: <query>: want ..., got ...". */
void script_promql_run(const char *name, struct slice text, const struct script_options *options,
    struct strbuf *out, struct script_result *result);
