/* The functions of Prometheus's templates (spec 4.4) over a small environment, and the general ones that
 * Alertmanager's templates share (case, match, reReplaceAll, humanize...). Tables to chain into a template
 * set. */
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "template/template_exec.h"

/* One element of an instant vector. */
struct template_sample {
	const struct labels *labels;
	double value;
	const struct histogram *histogram; /* or NULL */
};

/* What the functions of Prometheus need; the `user` of template_options points to it. */
struct template_env {
	/* Runs an instant query at `now_ms`; samples live in the arena. NULL: `query` fails. */
	int (*query)(void *arg, struct slice expr, int64_t now_ms, struct arena *arena,
	    struct template_sample **out, size_t *n, struct err *err);
	void *query_arg;
	int64_t now_ms;
	struct slice external_url; /* without a slash at the end */
};

/* query, first, value, label, graphLink, externalURL, ... : all of spec 4.4; needs a struct template_env as
 * user. */
extern const struct template_funcs template_prometheus_funcs;
/* Those that need no environment: humanize*, title, toUpper, toLower, match, reReplaceAll, stripPort,
 * stripDomain, args, urlQueryEscape, safeHtml, parseDuration, toTime, toDuration, sortByLabel. Part of the
 * above. */
extern const struct template_funcs template_general_funcs;

/* The humanize functions for other callers. */
void template_humanize(struct strbuf *out, double v);
void template_humanize_1024(struct strbuf *out, double v);
void template_humanize_duration(struct strbuf *out, double seconds);

/* Expands `text` as alert rules do: $labels, $externalLabels, $externalURL and $value are set, `.Labels` and
 * so on are the data. `name` is the alert's. Errors as "error parsing template __alert_x: ...". */
struct template_alert_data {
	const struct labels *labels, *external_labels;
	double value;
	const struct histogram *histogram; /* or NULL */
};
MUST_CHECK int template_expand_alert(struct slice name, struct slice text,
    const struct template_alert_data *data, const struct template_env *env, struct arena *arena,
    struct slice *out, struct err *err);
/* The same in two steps, for a text that is expanded many times. What was parsed lives in `arena`, and may be expanded by
 * any number of threads. */
struct template_alert;
MUST_CHECK int template_alert_parse(struct slice name, struct slice text, struct arena *arena,
    const struct template_alert **out, struct err *err);
MUST_CHECK int template_alert_expand(const struct template_alert *t, const struct template_alert_data *data,
    const struct template_env *env, struct arena *arena, struct slice *out, struct err *err);
/* Parses only: what can be known at load. */
MUST_CHECK int template_check_alert(
    struct slice name, struct slice text, struct arena *arena, struct err *err);
