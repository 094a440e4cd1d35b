/* The functions of Alertmanager's templates, a table to put under a template set. They need a struct notify_env as the
 * execution's user. */
#pragma once

#include "template/template_parse.h"

struct notification;

struct notify_env {
	const struct notification *notification; /* for routeLabels */
	const struct template_set *set;
	int64_t now_ms;
	unsigned route_label_depth; /* guards against labels that name each other */
};

extern const struct template_funcs notify_template_funcs;

/* Executes `text` as a template without a name, over the set of the environment; appends to `out`. */
MUST_CHECK int notify_expand(struct notify_env *env, struct slice text, bool escape_html, struct arena *arena,
    struct strbuf *out, struct err *err);
