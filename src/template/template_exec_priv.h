/* The state of an execution; private to this folder. */
#pragma once

#include "template/template_exec.h"
#include "template/template_tree.h"

struct template_variable {
	struct slice name;
	struct template_value value;
};

struct template_exec {
	const struct template_set *set;
	const struct template_options *options;
	struct arena *arena;
	struct strbuf *out;
	struct err *err;
	const struct template_body *body; /* the one that runs */
	const struct node *at;            /* what errors quote */
	struct template_variable *variables;
	size_t n_variables, cap_variables;
	size_t steps_left;
	unsigned depth;
};

/* ERR_INVALID with "template: x:1:3: executing "x" at <...>: " in front. */
int template_exec_fail(struct template_exec *x, const char *fmt, ...) PRINTF_LIKE(2, 3);
