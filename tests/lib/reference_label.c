/* Functions that look at labels: label_replace, label_join, sort and its kin, info. */
#include "tests/lib/reference_priv.h"

#include "model/label_builder.h"
#include "model/label_regex.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* --- label_replace, label_join ------------------------------------------------------------------------------------------- */

static struct slice string_arg(const struct expr *e, size_t i)
{
	return ref_string(e->call.args[i]);
}

/* What the label becomes; false: it stays. */
static bool new_value(struct reference *r, const struct expr *e, const struct label_regex *regex,
    const struct labels *labels, struct strbuf *out)
{
	if (regex)
		return label_regex_expand(regex, labels_get(labels, string_arg(e, 3)), string_arg(e, 2), out);
	(void)r;
	for (size_t i = 3; i < e->call.n_args; i++) {
		if (i > 3)
			strbuf_add_slice(out, string_arg(e, 2));
		strbuf_add_slice(out, labels_get(labels, string_arg(e, i)));
	}
	return true;
}

static int check_names(struct reference *r, const struct expr *e)
{
	struct slice target = string_arg(e, 1);
	bool joins = e->call.func->id == FN_LABEL_JOIN;
	for (size_t i = 3; joins && i < e->call.n_args; i++)
		if (!label_name_valid(string_arg(e, i)))
			return ref_fail(r, "invalid source label name in label_join(): %" SL_FMT,
			    SL_ARG(string_arg(e, i)));
	if (!label_name_valid(target))
		return ref_fail(r, "invalid destination label name in %s(): %" SL_FMT, e->call.func->name,
		    SL_ARG(target));
	return 0;
}

static int relabel(struct reference *r, const struct expr *e, const struct label_regex *regex,
    const struct ref_table *in, struct ref_table *out)
{
	struct slice target = string_arg(e, 1);
	for (size_t i = 0; i < in->n; i++) {
		const struct ref_row *row = &in->rows[i];
		const struct labels *labels = row->labels;
		bool drop_name = row->drop_name;
		struct strbuf value = STRBUF_INIT;
		if (new_value(r, e, regex, labels, &value)) {
			struct label_builder b;
			label_builder_init(&b, r->arena, labels);
			label_builder_set_copy(&b, target, strbuf_slice(&value));
			labels = label_builder_labels(&b);
			drop_name = drop_name && !slice_eq(target, SL(LABEL_NAME));
		}
		strbuf_done(&value);
		for (size_t k = 0; k < in->times.n; k++) {
			const struct ref_cell *c = &row->cells[k];
			int rc = c->present ? ref_table_put(r, out, k, labels, drop_name, c->v, c->h) : 0;
			if (rc)
				return rc;
		}
	}
	return 0;
}

int ref_label_call(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out)
{
	struct label_regex *regex = NULL;
	struct ref_table *in;
	struct err ignored;

	if (e->call.func->id == FN_LABEL_REPLACE && label_regex_new(string_arg(e, 4), &regex, &ignored))
		return ref_fail(
		    r, "invalid regular expression in label_replace(): %" SL_FMT, SL_ARG(string_arg(e, 4)));
	int rc = check_names(r, e);
	if (rc == 0)
		rc = ref_vector(r, e->call.args[0], times, &in);
	if (rc == 0)
		rc = relabel(r, e, regex, in, *out);
	label_regex_free(regex);
	return rc;
}

/* --- sort --------------------------------------------------------------------------------------------------------------- */

/* Runs of digits count as numbers, everything else by bytes. */
static int natural_cmp(struct slice a, struct slice b)
{
	size_t i = 0, j = 0;
	while (i < a.len && j < b.len) {
		if (a.ptr[i] >= '0' && a.ptr[i] <= '9' && b.ptr[j] >= '0' && b.ptr[j] <= '9') {
			uint64_t x = 0, y = 0;
			for (; i < a.len && a.ptr[i] >= '0' && a.ptr[i] <= '9'; i++)
				x = 10 * x + (uint64_t)(a.ptr[i] - '0');
			for (; j < b.len && b.ptr[j] >= '0' && b.ptr[j] <= '9'; j++)
				y = 10 * y + (uint64_t)(b.ptr[j] - '0');
			if (x != y)
				return x < y ? -1 : 1;
			continue;
		}
		if (a.ptr[i] != b.ptr[j])
			return (unsigned char)a.ptr[i] < (unsigned char)b.ptr[j] ? -1 : 1;
		i++;
		j++;
	}
	return (i < a.len) - (j < b.len);
}

static int order(const struct expr *e, const struct ref_row *a, const struct ref_row *b)
{
	enum function_id id = e->call.func->id;
	if (id == FN_SORT || id == FN_SORT_DESC) {
		double x = a->cells[0].v, y = b->cells[0].v;
		if (isnan(x) || isnan(y))
			return isnan(x) - isnan(y);
		int c = (x > y) - (x < y);
		return id == FN_SORT ? c : -c;
	}
	int c = 0;
	for (size_t i = 1; c == 0 && i < e->call.n_args; i++)
		c = natural_cmp(
		    labels_get(a->labels, string_arg(e, i)), labels_get(b->labels, string_arg(e, i)));
	c = c ? c : labels_cmp(a->labels, b->labels);
	return id == FN_SORT_BY_LABEL ? c : -c;
}

int ref_sort(struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out)
{
	bool by_value = e->call.func->id == FN_SORT || e->call.func->id == FN_SORT_DESC;
	int rc = ref_vector(r, e->call.args[0], times, out);
	if (rc)
		return rc;
	struct ref_table *t = *out;
	if (times->n > 1)
		ref_warn(r, e->pos,
		    "sort is ineffective for range queries since results are always ordered by labels");
	for (size_t i = 0; by_value && i < t->n; i++)
		for (size_t k = 0; k < times->n; k++)
			t->rows[i].cells[k].present &= t->rows[i].cells[k].h == NULL;
	ref_table_drop_empty(t);
	for (size_t i = 1; times->n == 1 && i < t->n; i++) {
		for (size_t j = i; j > 0 && order(e, &t->rows[j - 1], &t->rows[j]) > 0; j--) {
			struct ref_row row = t->rows[j];
			t->rows[j] = t->rows[j - 1];
			t->rows[j - 1] = row;
		}
	}
	return 0;
}

/* --- info --------------------------------------------------------------------------------------------------------------- */

struct info {
	struct reference *r;
	const struct matcher **names; /* of the info metrics */
	size_t n_names;
	const struct matcher **data;
	size_t n_data;
	struct ref_series_list series;
	const struct expr *base; /* the selector that tells the time at which info series are looked at */
};

static const struct matcher *name_matcher(struct reference *r, enum match_op op, const char *value)
{
	const struct matcher *m = NULL;
	if (matcher_new(r->arena, op, SL(LABEL_NAME), slice_cstr(value), &m, r->err))
		return NULL;
	return m;
}

static void read_matchers(struct info *info, const struct call *c)
{
	const struct selector *sel = c->n_args > 1 ? &expr_unparen(c->args[1])->selector : NULL;
	size_t n = sel ? sel->n_matchers : 0;
	bool positive = false;
	info->names = ARENA_ARRAY(info->r->arena, const struct matcher *, n + 1);
	info->data = ARENA_ARRAY(info->r->arena, const struct matcher *, n + 1);
	for (size_t i = 0; i < n; i++) {
		const struct matcher *m = sel->matchers[i];
		if (!slice_eq(m->name, SL(LABEL_NAME))) {
			info->data[info->n_data++] = m;
			continue;
		}
		positive |= m->op == MATCH_EQUAL || m->op == MATCH_REGEX;
		info->names[info->n_names++] = m;
	}
	if (info->n_names == 0)
		info->names[info->n_names++] = name_matcher(info->r, MATCH_EQUAL, "target_info");
	else if (!positive)
		info->names[info->n_names++] = name_matcher(info->r, MATCH_REGEX, ".+_info");
}

static bool is_info_name(const struct info *info, struct slice name)
{
	for (size_t i = 0; i < info->n_names; i++)
		if (!matcher_matches(info->names[i], name))
			return false;
	return true;
}

/* The first selector in the tree. */
static const struct expr *first_selector(const struct expr *e)
{
	const struct expr *found = NULL;
	switch (e->kind) {
	case EXPR_SELECTOR:
	case EXPR_RANGE_SELECTOR:
		return e;
	case EXPR_SUBQUERY:
		return first_selector(e->subquery.inner);
	case EXPR_AGGREGATE:
		return first_selector(e->aggregate.inner);
	case EXPR_UNARY:
		return first_selector(e->unary.inner);
	case EXPR_PAREN:
		return first_selector(e->paren);
	case EXPR_BINARY:
		found = first_selector(e->binary.lhs);
		return found ? found : first_selector(e->binary.rhs);
	case EXPR_CALL:
		for (size_t i = 0; !found && i < e->call.n_args; i++)
			found = first_selector(e->call.args[i]);
		return found;
	case EXPR_NUMBER:
	case EXPR_STRING:
		break;
	}
	return NULL;
}

static bool same_target(const struct labels *a, const struct labels *b)
{
	return slice_eq(labels_get(a, SL("instance")), labels_get(b, SL("instance"))) &&
	       slice_eq(labels_get(a, SL("job")), labels_get(b, SL("job")));
}

struct found_info {
	const struct labels *labels;
	int64_t t_ms;
};

static int fail_not_info(struct reference *r, const struct labels *labels)
{
	struct strbuf text = STRBUF_INIT;
	labels_print(&text, labels);
	int rc = ref_fail(r, "this should be an info metric, with float samples: %s", strbuf_cstr(&text));
	strbuf_done(&text);
	return rc;
}

/* The newest info series of each name and target at a time. Two of the same age: an error. */
static int info_at(const struct info *info, int64_t t_ms, struct found_info *found, size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < info->series.n; i++) {
		const struct ref_series *s = &info->series.v[i];
		long newest = ref_newest(info->r, s, t_ms);
		size_t k = 0;
		if (newest < 0)
			continue;
		while (k < *n &&
		       !(same_target(found[k].labels, s->labels) &&
			   slice_eq(labels_metric_name(found[k].labels), labels_metric_name(s->labels))))
			k++;
		if (k == *n) {
			found[(*n)++] = (struct found_info){s->labels, s->p[newest].t_ms};
		} else if (found[k].t_ms == s->p[newest].t_ms) {
			struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;
			labels_print(&a, found[k].labels);
			labels_print(&b, s->labels);
			int rc = ref_fail(info->r,
			    "found duplicate series for info metric: existing %s @ %" PRId64
			    ", new %s @ %" PRId64,
			    strbuf_cstr(&a), found[k].t_ms, strbuf_cstr(&b), found[k].t_ms);
			strbuf_done(&a);
			strbuf_done(&b);
			return rc;
		} else if (found[k].t_ms < s->p[newest].t_ms) {
			found[k] = (struct found_info){s->labels, s->p[newest].t_ms};
		}
	}
	return 0;
}

static bool wants_label(const struct info *info, struct slice name)
{
	if (slice_eq(name, SL(LABEL_NAME)))
		return false;
	for (size_t i = 0; i < info->n_data; i++)
		if (slice_eq(info->data[i]->name, name))
			return true;
	return info->n_data == 0;
}

static int add_labels(const struct info *info, const struct labels *base, const struct labels *from,
    struct label_builder *added)
{
	LABELS_EACH (l, from) {
		struct slice before = label_builder_get(added, l->name);
		if (!wants_label(info, l->name))
			continue;
		if (before.len && !slice_eq(before, l->value))
			return ref_fail(info->r, "conflicting label: %" SL_FMT, SL_ARG(l->name));
		if (!labels_has(base, l->name))
			label_builder_set(added, l->name, l->value);
	}
	return 0;
}

static bool data_may_lack(const struct info *info)
{
	for (size_t i = 0; i < info->n_data; i++)
		if (!matcher_matches_empty(info->data[i]))
			return false;
	return true;
}

/* The labels of a base series with those of its info series; NULL: it is left out. */
static int enrich(const struct info *info, const struct labels *base, const struct found_info *found,
    size_t n, const struct labels **out)
{
	struct label_builder added, result;
	bool any = false;
	label_builder_init(&added, info->r->arena, NULL);
	for (size_t i = 0; i < n; i++) {
		if (!same_target(base, found[i].labels))
			continue;
		any = true;
		int rc = add_labels(info, base, found[i].labels, &added);
		if (rc)
			return rc;
	}
	*out = NULL;
	if (!any && !data_may_lack(info))
		return 0;
	label_builder_init(&result, info->r->arena, base);
	for (size_t i = 0; i < added.n; i++)
		label_builder_set(&result, added.l[i].name, added.l[i].value);
	*out = label_builder_labels(&result);
	return 0;
}

static int info_step(const struct info *info, const struct ref_table *in, size_t k, struct found_info *found,
    struct ref_table *out)
{
	int64_t t_ms = ref_time(&in->times, k);
	size_t n = 0;
	if (info->base)
		t_ms = ref_shifted(info->r, &info->base->selector.shift, t_ms);
	bool any = false;
	for (size_t i = 0; i < in->n; i++)
		any |= in->rows[i].cells[k].present;
	int rc = any ? info_at(info, t_ms, found, &n) : 0;
	for (size_t i = 0; rc == 0 && i < in->n; i++) {
		const struct ref_row *row = &in->rows[i];
		const struct labels *labels = row->labels;
		if (!row->cells[k].present)
			continue;
		if (!is_info_name(info, labels_metric_name(labels)))
			rc = enrich(info, labels, found, n, &labels);
		if (rc == 0 && labels)
			rc = ref_table_put(
			    info->r, out, k, labels, row->drop_name, row->cells[k].v, row->cells[k].h);
	}
	return rc;
}

/* Whether some base series has the value of this label; where none has the label, it does not matter. */
static bool is_known(
    const struct info *info, const struct ref_table *in, const struct labels *s, struct slice name, bool *any)
{
	bool found = false;
	*any = false;
	for (size_t k = 0; k < in->n; k++) {
		struct slice v = labels_get(in->rows[k].labels, name);
		if (v.len == 0 || is_info_name(info, labels_metric_name(in->rows[k].labels)))
			continue;
		*any = true;
		found |= slice_eq(v, labels_get(s, name));
	}
	return found || !*any;
}

static bool may_be_of(const struct info *info, const struct ref_table *in, const struct labels *s)
{
	bool any_instance, any_job;
	bool instance = is_known(info, in, s, SL("instance"), &any_instance);
	bool job = is_known(info, in, s, SL("job"), &any_job);
	return instance && job && (any_instance || any_job);
}

/* Info series that have an instance and a job which some base series has. */
static int select_info(struct info *info, const struct ref_table *in)
{
	const struct matcher **all =
	    ARENA_ARRAY(info->r->arena, const struct matcher *, info->n_names + info->n_data + 1);
	size_t n = 0, kept = 0;
	for (size_t i = 0; i < info->n_names; i++)
		all[n++] = info->names[i];
	for (size_t i = 0; i < info->n_data; i++)
		all[n++] = info->data[i];
	int rc = ref_select(info->r, all, n, &info->series);
	for (size_t i = 0; rc == 0 && i < info->series.n; i++)
		if (may_be_of(info, in, info->series.v[i].labels))
			info->series.v[kept++] = info->series.v[i];
	info->series.n = kept;
	return rc;
}

/* The first info series that has a histogram at any step fails. */
static int check_floats(const struct info *info, const struct ref_times *times)
{
	for (size_t i = 0; i < info->series.n; i++) {
		const struct ref_series *s = &info->series.v[i];
		for (size_t k = 0; k < times->n; k++) {
			int64_t t_ms = ref_time(times, k);
			if (info->base)
				t_ms = ref_shifted(info->r, &info->base->selector.shift, t_ms);
			long newest = ref_newest(info->r, s, t_ms);
			if (newest >= 0 && s->p[newest].h)
				return fail_not_info(info->r, s->labels);
		}
	}
	return 0;
}

int ref_info_call(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out)
{
	struct info info = {.r = r, .base = first_selector(e->call.args[0])};
	struct ref_table *in;
	int rc = ref_vector(r, e->call.args[0], times, &in);
	if (rc)
		return rc;
	read_matchers(&info, &e->call);
	rc = select_info(&info, in);
	if (rc == 0)
		rc = check_floats(&info, times);
	struct found_info *found = ARENA_ARRAY(r->arena, struct found_info, info.series.n + 1);
	for (size_t k = 0; rc == 0 && k < times->n; k++)
		rc = info_step(&info, in, k, found, *out);
	return rc;
}
