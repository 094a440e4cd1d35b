#include "scrape/sample_labels.h"

#include "base/utf8.h"
#include "model/label_builder.h"
#include "model/relabel.h"

#include <stdlib.h>

/* --- the target's labels ------------------------------------------------------------------------------------------------- */

static bool exposes(const struct label *l, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(l[i].name, name))
			return true;
	return false;
}

static int by_length_of_name(const void *a, const void *b)
{
	const struct label *x = (const struct label *)a, *y = (const struct label *)b;
	if (x->name.len != y->name.len)
		return x->name.len < y->name.len ? -1 : 1;
	return slice_cmp(x->name, y->name);
}

/* The exposed labels that had to make way come back as exported_<name>, with as many prefixes as it takes to be free. */
static void rename_exposed(struct label_builder *b, struct label *clashing, size_t n)
{
	qsort(clashing, n, sizeof(*clashing), by_length_of_name);
	for (size_t i = 0; i < n; i++) {
		struct slice name = clashing[i].name;
		do
			name = arena_printf(b->arena, "exported_%" SL_FMT, SL_ARG(name));
		while (label_builder_get(b, name).len > 0);
		label_builder_set(b, name, clashing[i].value);
	}
}

static void add_target_labels(struct label_builder *b, const struct labels *target)
{
	struct label *clashing = ARENA_ARRAY(b->arena, struct label, target->n + 1);
	size_t n = 0;
	LABELS_EACH (l, target) {
		struct slice exposed = label_builder_get(b, l->name);
		if (exposed.len > 0)
			clashing[n++] = (struct label){l->name, exposed};
		label_builder_set(b, l->name, l->value);
	}
	rename_exposed(b, clashing, n);
}

/* --- checks --------------------------------------------------------------------------------------------------------------- */

enum { SHOWN = 50 };

static int cut(struct slice s)
{
	return s.len < SHOWN ? (int)s.len : SHOWN;
}

static int check_lengths(
    const struct scrape_limits *limits, const struct label *l, struct slice metric, struct err *err)
{
	if (limits->label_name_length > 0 && l->name.len > limits->label_name_length)
		return err_set(err, ERR_LIMIT,
		    "label_name_length_limit exceeded (metric: %.*s, label name: %.*s, length: %zu, limit: "
		    "%llu)",
		    cut(metric), metric.ptr, cut(l->name), l->name.ptr, l->name.len,
		    (unsigned long long)limits->label_name_length);
	if (limits->label_value_length > 0 && l->value.len > limits->label_value_length)
		return err_set(err, ERR_LIMIT,
		    "label_value_length_limit exceeded (metric: %.*s, label name: %.*s, value: \"%.*s\", "
		    "length: %zu, limit: %llu)",
		    cut(metric), metric.ptr, cut(l->name), l->name.ptr, cut(l->value), l->value.ptr,
		    l->value.len, (unsigned long long)limits->label_value_length);
	return 0;
}

static int check_limits(const struct scrape_limits *limits, const struct labels *ls, struct err *err)
{
	struct slice metric = labels_metric_name(ls);
	if (limits->labels > 0 && ls->n > limits->labels)
		return err_set(err, ERR_LIMIT,
		    "label_limit exceeded (metric: %.*s, number of labels: %u, limit: %llu)", cut(metric),
		    metric.ptr, ls->n, (unsigned long long)limits->labels);
	int rc = 0;
	LABELS_EACH (l, ls) {
		if (rc == 0)
			rc = check_lengths(limits, l, metric, err);
	}
	return rc;
}

static bool names_are_legal(const struct labels *ls, bool legacy)
{
	LABELS_EACH (l, ls) {
		bool is_metric = slice_eq(l->name, SL(LABEL_NAME));
		if (legacy ? !label_name_valid_legacy(l->name) : !label_name_valid(l->name))
			return false;
		if (!utf8_valid(l->value) || (is_metric && legacy && !metric_name_valid_legacy(l->value)))
			return false;
	}
	return true;
}

static int check_names(const struct scrape_config *config, const struct labels *ls, struct err *err)
{
	if (!labels_has(ls, SL(LABEL_NAME)))
		return err_set(err, ERR_INVALID, "missing metric name (__name__ label)");
	if (names_are_legal(ls, config->name_validation == NAMES_LEGACY))
		return 0;
	struct strbuf sb = STRBUF_INIT;
	labels_print(&sb, ls);
	int rc = err_set(
	    err, ERR_INVALID, "invalid metric name or label names: %" SL_FMT, SL_ARG(strbuf_slice(&sb)));
	strbuf_done(&sb);
	return rc;
}

/* --- all of it -------------------------------------------------------------------------------------------------------------- */

int sample_labels(const struct scrape_config *config, const struct target *target, const struct label *l,
    size_t n, struct arena *arena, const struct labels **out, struct err *err)
{
	const struct labels *exposed;
	int rc = labels_from_pairs(arena, l, n, &exposed, err);
	if (rc < 0)
		return rc;
	struct label_builder b;
	label_builder_init(&b, arena, exposed);
	if (config->honor_labels) {
		LABELS_EACH (t, target->labels) {
			if (!exposes(l, n, t->name))
				label_builder_set(&b, t->name, t->value);
		}
	} else {
		add_target_labels(&b, target->labels);
	}
	*out = NULL;
	if (!relabel_apply(config->metric_relabel.v, config->metric_relabel.n, &b) || b.n == 0)
		return 0;
	const struct labels *made = label_builder_labels(&b);
	rc = check_names(config, made, err);
	if (rc == 0)
		rc = check_limits(&config->limits, made, err);
	if (rc == 0)
		*out = made;
	return rc;
}

const struct labels *report_labels(const struct target *target, struct slice metric, struct arena *arena)
{
	struct label_builder b;
	label_builder_init(&b, arena, target->labels);
	label_builder_set(&b, SL(LABEL_NAME), metric);
	return label_builder_labels(&b);
}
