/* Series stand in one array in the order they were made; a ref is index + 1. Two tables, by label hash and by writer's
 * key, spare the appender a walk over all series; the querier walks. Histograms and labels live in one arena until the
 * store is cleared. */
#include "storage/mem_store.h"

#include "base/hashtab.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "base/xmalloc.h"
#include "model/stale_marker.h"

struct mem_sample {
	int64_t t_ms;
	double v;
	const struct histogram *h;
	int64_t start_ms; /* 0: none */
};
VEC_DEFINE(mem_samples, struct mem_sample);
VEC_DEFINE(mem_exemplars, struct exemplar); /* in order; their labels live in the store's arena */

struct mem_series {
	const struct labels *labels;
	series_ref ref;
	struct mem_samples samples; /* in time order */
	struct mem_exemplars exemplars;
	struct mem_samples pending; /* of the open transaction */
	struct mem_series *next_of_hash;
};
VEC_DEFINE(mem_series_vec, struct mem_series *);

struct mem_store {
	struct appendable appendable;
	struct queryable queryable;
	struct exemplar_queryable exemplars;
	struct arena *arena;
	struct mem_series_vec series;
	struct hashtab by_hash; /* bytes of labels->hash -> first of a chain */
	struct hashtab by_key;  /* bytes of series_key -> series */
};

/* --- the store ---------------------------------------------------------------------------------------------------------- */

static int begin(struct appendable *self, struct appender **out, struct err *err);
static int open_querier(
    struct queryable *self, int64_t min_t_ms, int64_t max_t_ms, struct querier **out, struct err *err);

static int select_exemplars(struct exemplar_queryable *self, struct arena *arena,
    const struct matcher_list *any, size_t n_any, int64_t min_t_ms, int64_t max_t_ms,
    const struct exemplar_series **out, size_t *n, struct err *err);

struct mem_store *mem_store_new(void)
{
	struct mem_store *s = (struct mem_store *)xcalloc(1, sizeof(*s));
	s->appendable.begin = begin;
	s->queryable.open = open_querier;
	s->exemplars.select = select_exemplars;
	s->arena = arena_new(ARENA_NO_LIMIT);
	return s;
}

static void series_free(struct mem_series *series)
{
	mem_samples_done(&series->samples);
	mem_exemplars_done(&series->exemplars);
	mem_samples_done(&series->pending);
	free(series);
}

void mem_store_clear(struct mem_store *s)
{
	for (size_t i = 0; i < s->series.len; i++)
		series_free(s->series.v[i]);
	mem_series_vec_reset(&s->series);
	hashtab_done(&s->by_hash);
	hashtab_done(&s->by_key);
	s->by_hash = s->by_key = (struct hashtab){0};
	arena_reset(s->arena);
}

void mem_store_free(struct mem_store *s)
{
	if (!s)
		return;
	mem_store_clear(s);
	mem_series_vec_done(&s->series);
	arena_free(s->arena);
	free(s);
}

struct appendable *mem_store_appendable(struct mem_store *s)
{
	return &s->appendable;
}

struct queryable *mem_store_queryable(struct mem_store *s)
{
	return &s->queryable;
}

struct exemplar_queryable *mem_store_exemplars(struct mem_store *s)
{
	return &s->exemplars;
}

size_t mem_store_series(const struct mem_store *s)
{
	return s->series.len;
}

static struct slice bytes_of(const void *p, size_t n)
{
	return slice_of((const char *)p, n);
}

static struct mem_series *find_or_add(struct mem_store *s, const struct labels *labels)
{
	struct slice hash = bytes_of(&labels->hash, sizeof(labels->hash));
	struct mem_series *first = (struct mem_series *)hashtab_get(&s->by_hash, hash);
	for (struct mem_series *it = first; it; it = it->next_of_hash)
		if (labels_eq(it->labels, labels))
			return it;
	struct mem_series *series = (struct mem_series *)xcalloc(1, sizeof(*series));
	series->labels = labels_copy_to(s->arena, labels);
	series->next_of_hash = first;
	mem_series_vec_push(&s->series, series);
	series->ref = (series_ref)s->series.len;
	hashtab_put(&s->by_hash, hash, series);
	return series;
}

static struct mem_series *by_ref(struct mem_store *s, series_ref ref)
{
	return ref >= 1 && ref <= s->series.len ? s->series.v[ref - 1] : NULL;
}

/* Index of the first sample at or after t. */
static size_t first_at(const struct mem_samples *v, int64_t t_ms)
{
	size_t i = v->len;
	while (i > 0 && v->v[i - 1].t_ms >= t_ms)
		i--;
	return i;
}

static void insert_sample(struct mem_samples *v, struct mem_sample s)
{
	size_t i = first_at(v, s.t_ms);
	if (i < v->len && v->v[i].t_ms == s.t_ms) {
		v->v[i] = s;
		return;
	}
	mem_samples_push(v, s);
	memmove(&v->v[i + 1], &v->v[i], (v->len - 1 - i) * sizeof(s));
	v->v[i] = s;
}

void mem_store_add(
    struct mem_store *s, const struct labels *labels, int64_t t_ms, double v, const struct histogram *h)
{
	mem_store_add_started(s, labels, t_ms, v, h, 0);
}

void mem_store_add_started(struct mem_store *s, const struct labels *labels, int64_t t_ms, double v,
    const struct histogram *h, int64_t start_ms)
{
	struct mem_sample sample = {t_ms, v, h ? histogram_copy(s->arena, h) : NULL, start_ms};
	insert_sample(&find_or_add(s, labels)->samples, sample);
}

/* --- appender ------------------------------------------------------------------------------------------------------------ */

struct mem_appender {
	struct appender base;
	struct mem_store *store;
	struct mem_series_vec touched; /* series with pending samples, each once */
	struct append_stats stats;
	uint64_t count;
};

static struct mem_appender *appender_of(struct appender *a)
{
	return CONTAINER_OF(a, struct mem_appender, base);
}

static void find_keys(struct appender *a, const struct series_key *keys, size_t n, series_ref *refs)
{
	struct mem_appender *ma = appender_of(a);
	for (size_t i = 0; i < n; i++) {
		const struct mem_series *s = (const struct mem_series *)hashtab_get(
		    &ma->store->by_key, bytes_of(&keys[i], sizeof(keys[i])));
		refs[i] = s ? s->ref : 0;
	}
}

static int check_labels(const struct labels *labels, struct err *err)
{
	if (labels->n == 0)
		return err_set(err, ERR_INVALID, "empty label set");
	LABELS_EACH (l, labels) {
		if (!label_name_valid(l->name))
			return err_set(
			    err, ERR_INVALID, "invalid label name \"%" SL_FMT "\"", SL_ARG(l->name));
		if (!utf8_valid(l->value))
			return err_set(
			    err, ERR_INVALID, "invalid value of label \"%" SL_FMT "\"", SL_ARG(l->name));
	}
	return 0;
}

static int add_series(struct appender *a, const struct series_key *key, const struct labels *labels,
    series_ref *ref, struct err *err)
{
	struct mem_appender *ma = appender_of(a);
	int rc = check_labels(labels, err);
	if (rc < 0)
		return rc;
	struct mem_series *s = find_or_add(ma->store, labels);
	if (key)
		hashtab_put(&ma->store->by_key, bytes_of(key, sizeof(*key)), s);
	*ref = s->ref;
	return 0;
}

static bool same_value(const struct mem_sample *a, const struct mem_sample *b)
{
	if (!a->h || !b->h)
		return a->h == b->h && double_bits(a->v) == double_bits(b->v);
	return histogram_eq(a->h, b->h);
}

static enum append_result judge(const struct mem_series *series, const struct mem_sample *s)
{
	const struct mem_samples *v = series->pending.len > 0 ? &series->pending : &series->samples;
	if (v->len == 0 || s->t_ms > v->v[v->len - 1].t_ms)
		return APPEND_OK;
	const struct mem_sample *newest = &v->v[v->len - 1];
	if (s->t_ms < newest->t_ms)
		return APPEND_OUT_OF_ORDER;
	return same_value(newest, s) ? APPEND_REPEATED : APPEND_DUPLICATE;
}

static void append_sample(struct mem_appender *ma, series_ref ref, struct mem_sample s, uint8_t *result)
{
	struct mem_series *series = by_ref(ma->store, ref);
	enum append_result r = series ? judge(series, &s) : APPEND_UNKNOWN_REF;
	if (r == APPEND_OK) {
		if (series->pending.len == 0)
			mem_series_vec_push(&ma->touched, series);
		s.h = s.h ? histogram_copy(ma->store->arena, s.h) : NULL;
		mem_samples_push(&series->pending, s);
	} else if (r != APPEND_REPEATED && ma->stats.first_reason == APPEND_OK) {
		ma->stats.first_reason = r;
		ma->stats.first_refused = ma->count;
	}
	ma->stats.by_result[r]++;
	ma->count++;
	if (result)
		*result = (uint8_t)r;
}

static int append(struct appender *a, const struct sample *s, size_t n, uint8_t *results, struct err *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++) {
		struct mem_sample one = {s[i].t_ms, s[i].v, NULL, 0};
		append_sample(appender_of(a), s[i].ref, one, results ? &results[i] : NULL);
	}
	return 0;
}

static int append_histograms(
    struct appender *a, const struct histogram_sample *s, size_t n, uint8_t *results, struct err *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++) {
		struct mem_sample one = {s[i].t_ms, 0, s[i].h, 0};
		append_sample(appender_of(a), s[i].ref, one, results ? &results[i] : NULL);
	}
	return 0;
}

/* They are there at once: the transaction has no say. */
static enum exemplar_result add_exemplar(struct mem_store *s, const struct exemplar_sample *e)
{
	struct mem_series *series = by_ref(s, e->ref);
	if (!series)
		return EXEMPLAR_UNKNOWN_REF;
	int rc = exemplar_check(e->exemplar.labels, NULL);
	if (rc != 0)
		return rc == ERR_LIMIT ? EXEMPLAR_TOO_LONG : EXEMPLAR_INVALID;
	const struct mem_exemplars *v = &series->exemplars;
	if (v->len > 0 && exemplar_same(&v->v[v->len - 1], &e->exemplar))
		return EXEMPLAR_REPEATED;
	if (v->len > 0 && exemplar_cmp(&v->v[v->len - 1], &e->exemplar) > 0)
		return EXEMPLAR_OUT_OF_ORDER;
	struct exemplar copy = e->exemplar;
	copy.labels = labels_copy_to(s->arena, e->exemplar.labels);
	mem_exemplars_push(&series->exemplars, copy);
	return EXEMPLAR_TAKEN;
}

static void append_exemplars(struct appender *a, const struct exemplar_sample *e, size_t n, uint8_t *results)
{
	for (size_t i = 0; i < n; i++) {
		enum exemplar_result r = add_exemplar(appender_of(a)->store, &e[i]);
		if (results)
			results[i] = (uint8_t)r;
	}
}

/* Metadata has no reader here. */
static void set_metadata(struct appender *a, struct slice metric, const struct metadata *m)
{
	(void)a, (void)metric, (void)m;
}

static void appender_free(struct mem_appender *ma, bool keep)
{
	for (size_t i = 0; i < ma->touched.len; i++) {
		struct mem_series *series = ma->touched.v[i];
		for (size_t k = 0; keep && k < series->pending.len; k++)
			insert_sample(&series->samples, series->pending.v[k]);
		mem_samples_reset(&series->pending);
	}
	mem_series_vec_done(&ma->touched);
	free(ma);
}

static int commit(struct appender *a, struct append_stats *stats,
    void (*durable)(void *arg, int rc, const char *why), void *arg, struct err *err)
{
	(void)err;
	struct mem_appender *ma = appender_of(a);
	if (stats)
		*stats = ma->stats;
	appender_free(ma, true);
	if (durable)
		durable(arg, 0, NULL);
	return 0;
}

static void rollback(struct appender *a)
{
	appender_free(appender_of(a), false);
}

static const struct appender_ops appender_ops = {
    .find = find_keys,
    .add_series = add_series,
    .append = append,
    .append_histograms = append_histograms,
    .append_exemplars = append_exemplars,
    .set_metadata = set_metadata,
    .commit = commit,
    .rollback = rollback,
};

static int begin(struct appendable *self, struct appender **out, struct err *err)
{
	(void)err;
	struct mem_appender *ma = (struct mem_appender *)xcalloc(1, sizeof(*ma));
	ma->base.ops = &appender_ops;
	ma->base.round = 1; /* refs live as long as the store */
	ma->store = CONTAINER_OF(self, struct mem_store, appendable);
	*out = &ma->base;
	return 0;
}

/* --- querier -------------------------------------------------------------------------------------------------------------- */

struct mem_querier {
	struct querier base;
	struct mem_store *store;
	int64_t min_t_ms, max_t_ms;
};

struct mem_set {
	struct series_set base;
	struct mem_series **series;
	int64_t min_t_ms, max_t_ms;
};

static struct mem_querier *querier_of(struct querier *q)
{
	return CONTAINER_OF(q, struct mem_querier, base);
}

static struct mem_set *set_of(struct series_set *s)
{
	return CONTAINER_OF(s, struct mem_set, base);
}

static const struct labels *set_labels(struct series_set *s, size_t i, struct arena *arena)
{
	(void)arena;
	return set_of(s)->series[i]->labels;
}

static int set_read(struct series_set *s, size_t i, struct sample_column *out, struct err *err)
{
	const struct mem_set *set = set_of(s);
	const struct mem_samples *v = &set->series[i]->samples;
	sample_column_reset(out);
	for (size_t k = first_at(v, set->min_t_ms); k < v->len && v->v[k].t_ms <= set->max_t_ms; k++) {
		const struct mem_sample *m = &v->v[k];
		if (!sample_column_push(out, m->t_ms, m->v, m->h) ||
		    (m->start_ms != 0 && !sample_column_set_start(out, m->start_ms)))
			return err_set(err, ERR_NO_MEMORY, "no memory for the samples of a series");
	}
	return 0;
}

static size_t set_estimate(struct series_set *s, size_t i)
{
	const struct mem_set *set = set_of(s);
	const struct mem_samples *v = &set->series[i]->samples;
	size_t from = first_at(v, set->min_t_ms);
	return first_at(v, set->max_t_ms == INT64_MAX ? INT64_MAX : set->max_t_ms + 1) - from;
}

static const struct series_set_ops set_ops = {
    .labels = set_labels,
    .read = set_read,
    .estimate = set_estimate,
};

static bool all_match(const struct matcher *const *m, size_t n, const struct labels *ls)
{
	for (size_t i = 0; i < n; i++)
		if (!matcher_matches_labels(m[i], ls))
			return false;
	return true;
}

static void drop_range(struct mem_samples *v, int64_t min_t_ms, int64_t max_t_ms)
{
	size_t kept = 0;
	for (size_t i = 0; i < v->len; i++)
		if (v->v[i].t_ms < min_t_ms || v->v[i].t_ms > max_t_ms)
			v->v[kept++] = v->v[i];
	v->len = kept;
}

void mem_store_delete(struct mem_store *s, const struct matcher *const *matchers, size_t n_matchers,
    int64_t min_t_ms, int64_t max_t_ms)
{
	for (size_t i = 0; i < s->series.len; i++)
		if (all_match(matchers, n_matchers, s->series.v[i]->labels))
			drop_range(&s->series.v[i]->samples, min_t_ms, max_t_ms);
}

static bool has_sample(const struct mem_series *s, int64_t min_t_ms, int64_t max_t_ms)
{
	size_t i = first_at(&s->samples, min_t_ms);
	return i < s->samples.len && s->samples.v[i].t_ms <= max_t_ms;
}

static int by_labels(const void *a, const void *b)
{
	return labels_cmp((*(struct mem_series *const *)a)->labels, (*(struct mem_series *const *)b)->labels);
}

static int select_series(struct querier *q, struct arena *arena, const struct matcher *const *matchers,
    size_t n_matchers, bool sorted, const struct select_hints *hints, struct series_set **out,
    struct err *err)
{
	(void)err;
	const struct mem_querier *mq = querier_of(q);
	struct mem_set *set = ARENA_NEW(arena, struct mem_set);
	set->base.ops = &set_ops;
	set->min_t_ms = hints && hints->start_ms > mq->min_t_ms ? hints->start_ms : mq->min_t_ms;
	set->max_t_ms = hints && hints->end_ms < mq->max_t_ms ? hints->end_ms : mq->max_t_ms;
	set->series = ARENA_ARRAY(arena, struct mem_series *, mq->store->series.len + 1);
	for (size_t i = 0; i < mq->store->series.len; i++) {
		struct mem_series *s = mq->store->series.v[i];
		if (all_match(matchers, n_matchers, s->labels) && has_sample(s, set->min_t_ms, set->max_t_ms))
			set->series[set->base.n++] = s;
	}
	if (sorted)
		qsort(set->series, set->base.n, sizeof(set->series[0]), by_labels);
	*out = &set->base;
	return 0;
}

VEC_DEFINE(slice_vec, struct slice);

static int by_bytes(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* Sorted and unique, cut at `limit`, into the arena; empties the vector. */
static void give_names(
    struct slice_vec *v, struct arena *arena, size_t limit, struct slice **out, size_t *n, bool *truncated)
{
	if (v->len > 0)
		qsort(v->v, v->len, sizeof(v->v[0]), by_bytes);
	size_t kept = 0;
	for (size_t i = 0; i < v->len; i++)
		if (i == 0 || !slice_eq(v->v[i], v->v[kept - 1]))
			v->v[kept++] = v->v[i];
	*truncated = limit > 0 && kept > limit;
	*n = *truncated ? limit : kept;
	*out = ARENA_ARRAY(arena, struct slice, *n + 1);
	if (*n > 0)
		memcpy(*out, v->v, *n * sizeof(v->v[0]));
	slice_vec_done(v);
}

/* Names of all labels, or with `name` the values of that one. */
static void collect(struct mem_querier *mq, const struct slice *name, const struct matcher *const *matchers,
    size_t n_matchers, struct slice_vec *found)
{
	for (size_t i = 0; i < mq->store->series.len; i++) {
		const struct mem_series *s = mq->store->series.v[i];
		if (!all_match(matchers, n_matchers, s->labels) || !has_sample(s, mq->min_t_ms, mq->max_t_ms))
			continue;
		LABELS_EACH (l, s->labels) {
			if (!name)
				slice_vec_push(found, l->name);
			else if (slice_eq(l->name, *name))
				slice_vec_push(found, l->value);
		}
	}
}

static int label_names(struct querier *q, struct arena *arena, const struct matcher *const *matchers,
    size_t n_matchers, size_t limit, struct slice **out, size_t *n, bool *truncated, struct err *err)
{
	(void)err;
	struct slice_vec found = {0};
	collect(querier_of(q), NULL, matchers, n_matchers, &found);
	give_names(&found, arena, limit, out, n, truncated);
	return 0;
}

static int label_values(struct querier *q, struct arena *arena, struct slice name,
    const struct matcher *const *matchers, size_t n_matchers, size_t limit, struct slice **out, size_t *n,
    bool *truncated, struct err *err)
{
	(void)err;
	struct slice_vec found = {0};
	collect(querier_of(q), &name, matchers, n_matchers, &found);
	give_names(&found, arena, limit, out, n, truncated);
	return 0;
}

static void close_querier(struct querier *q)
{
	free(querier_of(q));
}

static const struct querier_ops querier_ops = {
    .select = select_series,
    .label_names = label_names,
    .label_values = label_values,
    .close = close_querier,
};

static int open_querier(
    struct queryable *self, int64_t min_t_ms, int64_t max_t_ms, struct querier **out, struct err *err)
{
	(void)err;
	struct mem_querier *mq = (struct mem_querier *)xcalloc(1, sizeof(*mq));
	mq->base.ops = &querier_ops;
	mq->store = CONTAINER_OF(self, struct mem_store, queryable);
	mq->min_t_ms = min_t_ms;
	mq->max_t_ms = max_t_ms;
	*out = &mq->base;
	return 0;
}

/* --- exemplars ------------------------------------------------------------------------------------------------------------ */

static bool any_matches(const struct matcher_list *any, size_t n, const struct labels *ls)
{
	for (size_t i = 0; i < n; i++)
		if (all_match(any[i].v, any[i].n, ls))
			return true;
	return false;
}

static int by_series_labels(const void *a, const void *b)
{
	return labels_cmp(
	    ((const struct exemplar_series *)a)->labels, ((const struct exemplar_series *)b)->labels);
}

static int select_exemplars(struct exemplar_queryable *self, struct arena *arena,
    const struct matcher_list *any, size_t n_any, int64_t min_t_ms, int64_t max_t_ms,
    const struct exemplar_series **out, size_t *n, struct err *err)
{
	(void)err;
	struct mem_store *s = CONTAINER_OF(self, struct mem_store, exemplars);
	struct exemplar_series *found = ARENA_ARRAY(arena, struct exemplar_series, s->series.len + 1);
	*n = 0;
	for (size_t i = 0; i < s->series.len; i++) {
		const struct mem_series *series = s->series.v[i];
		const struct mem_exemplars *v = &series->exemplars;
		size_t lo = 0, hi = v->len;
		while (lo < hi && v->v[lo].t_ms < min_t_ms)
			lo++;
		while (hi > lo && v->v[hi - 1].t_ms > max_t_ms)
			hi--;
		if (hi > lo && any_matches(any, n_any, series->labels))
			found[(*n)++] = (struct exemplar_series){series->labels, v->v + lo, hi - lo};
	}
	qsort(found, *n, sizeof(*found), by_series_labels);
	*out = found;
	return 0;
}
