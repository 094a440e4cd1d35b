/* series, labels, label/<name>/values. */
#include "web/api_call.h"

#include "web/api_json.h"

#include <stdlib.h>

static const struct slice truncated_text = SL_INIT("results truncated due to limit");

/* What the three share. */
struct series_params {
	uint64_t limit;
	int64_t start_ms, end_ms;
	struct matcher_set_vec sets;
	struct querier *querier;
};

static int params_open(struct api_call *c, struct series_params *p, struct err *err)
{
	int rc = api_param_limit(c, &p->limit, err);
	if (rc || (rc = api_param_range(c, &p->start_ms, &p->end_ms, err)) ||
	    (rc = api_param_matchers(c, &p->sets, err)))
		return rc;
	struct queryable *q = c->deps->queryable;
	return q->open(q, p->start_ms, p->end_ms, &p->querier, err);
}

static void params_close(struct series_params *p)
{
	if (p->querier)
		p->querier->ops->close(p->querier);
	matcher_set_vec_done(&p->sets);
}

/* --- series ------------------------------------------------------------------------------------------------------ */

VEC_DEFINE(labels_vec, const struct labels *);

static int by_labels(const void *a, const void *b)
{
	const struct labels *const *x = a, *const *y = b;
	return labels_cmp(*x, *y);
}

static int gather_set(struct api_call *c, const struct series_params *p, const struct matcher_set *set,
    struct labels_vec *out, struct err *err)
{
	struct select_hints hints = {.start_ms = p->start_ms, .end_ms = p->end_ms, .func = "series"};
	struct series_set *found;
	int rc = p->querier->ops->select(p->querier, c->arena, set->v, set->n, false, &hints, &found, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < found->n && !arena_overflowed(c->arena); i++)
		labels_vec_push(out, found->ops->labels(found, i, c->arena));
	return 0;
}

static int gather_all(
    struct api_call *c, const struct series_params *p, struct labels_vec *out, struct err *err)
{
	VEC_EACH (struct matcher_set, set, &p->sets) {
		int rc = gather_set(c, p, set, out, err);
		if (rc)
			return rc;
	}
	if (out->len)
		qsort(out->v, out->len, sizeof(out->v[0]), by_labels);
	return 0;
}

static void put_series(struct api_call *c, const struct series_params *p, const struct labels_vec *all)
{
	uint64_t written = 0;
	json_array_begin(&c->json);
	for (size_t i = 0; i < all->len; i++) {
		if (i && labels_eq(all->v[i - 1], all->v[i]))
			continue;
		if (p->limit && written == p->limit) {
			api_warn(c, truncated_text);
			break;
		}
		json_labels(&c->json, all->v[i]);
		written++;
	}
	json_array_end(&c->json);
}

int api_series(struct api_call *c, struct err *err)
{
	struct slice first;
	if (!http_req_param(c->req, "match[]", &first))
		return err_set(err, ERR_INVALID, "no match[] parameter provided");
	struct series_params p = {0};
	struct labels_vec all = {0};
	int rc = params_open(c, &p, err);
	if (rc == 0)
		rc = gather_all(c, &p, &all, err);
	if (rc == 0)
		put_series(c, &p, &all);
	labels_vec_done(&all);
	params_close(&p);
	return rc;
}

/* --- names and values -------------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* Label names, or the values of `name`, of one set of matchers (NULL: of all series). */
static int ask(struct api_call *c, const struct series_params *p, struct slice name,
    const struct matcher_set *set, struct slice_vec *out, bool *was_cut, struct err *err)
{
	const struct querier_ops *ops = p->querier->ops;
	const struct matcher *const *matchers = set ? set->v : NULL;
	size_t n_matchers = set ? set->n : 0, n;
	struct slice *found;
	bool truncated = false;
	int rc = name.len ? ops->label_values(p->querier, c->arena, name, matchers, n_matchers, p->limit,
				&found, &n, &truncated, err)
			  : ops->label_names(p->querier, c->arena, matchers, n_matchers, p->limit, &found, &n,
				&truncated, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++)
		slice_vec_push(out, found[i]);
	*was_cut |= truncated;
	return 0;
}

/* Several sets of matchers overlap: their union is sorted anew. */
static void put_texts(struct api_call *c, struct slice_vec *all, uint64_t limit, bool was_cut)
{
	if (all->len)
		qsort(all->v, all->len, sizeof(all->v[0]), by_text);
	uint64_t written = 0;
	json_array_begin(&c->json);
	for (size_t i = 0; i < all->len; i++) {
		if (i && slice_eq(all->v[i - 1], all->v[i]))
			continue;
		if (limit && written == limit) {
			was_cut = true;
			break;
		}
		json_string(&c->json, all->v[i]);
		written++;
	}
	json_array_end(&c->json);
	if (was_cut)
		api_warn(c, truncated_text);
}

static int answer_texts(struct api_call *c, struct slice name, struct err *err)
{
	struct series_params p = {0};
	struct slice_vec all = {0};
	bool was_cut = false;
	int rc = params_open(c, &p, err);
	if (rc == 0 && p.sets.len == 0)
		rc = ask(c, &p, name, NULL, &all, &was_cut, err);
	for (size_t i = 0; rc == 0 && i < p.sets.len; i++)
		rc = ask(c, &p, name, &p.sets.v[i], &all, &was_cut, err);
	if (rc == 0)
		put_texts(c, &all, p.limit, was_cut);
	slice_vec_done(&all);
	params_close(&p);
	return rc;
}

int api_labels(struct api_call *c, struct err *err)
{
	return answer_texts(c, SL_EMPTY, err);
}

int api_label_values(struct api_call *c, struct err *err)
{
	struct slice name = api_unescape_name(c->arena, http_req_path_param(c->req, "name"));
	if (!label_name_valid(name))
		return err_set(err, ERR_INVALID, "invalid label name: %s", api_quoted(c, name));
	return answer_texts(c, name, err);
}
