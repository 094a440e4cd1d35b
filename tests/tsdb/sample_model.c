#include "tests/tsdb/sample_model.h"

#include "base/hashtab.h"
#include "base/xmalloc.h"
#include "model/stale_marker.h"
#include "tests/lib/test.h"
#include <inttypes.h>
#include <stdlib.h>

/* An entry that a crash may change. */
struct unsafe_entry {
	struct model_series *series;
	int64_t t_ms;
};
VEC_DEFINE(unsafe_entries, struct unsafe_entry);

struct sample_model {
	struct arena *arena;
	struct model_series_vec series;
	struct hashtab by_hash; /* bytes of labels->hash -> the first of a chain */
	struct unsafe_entries unsafe;
	unsigned comparison;
};

struct sample_model *sample_model_new(void)
{
	struct sample_model *m = xcalloc(1, sizeof(*m));
	m->arena = arena_new(ARENA_NO_LIMIT);
	return m;
}

void sample_model_free(struct sample_model *m)
{
	VEC_EACH (struct model_series *, s, &m->series) {
		VEC_EACH (struct model_entry, e, &(*s)->entries)
			model_values_done(&e->others);
		model_entries_done(&(*s)->entries);
		free(*s);
	}
	model_series_vec_done(&m->series);
	unsafe_entries_done(&m->unsafe);
	hashtab_done(&m->by_hash);
	arena_free(m->arena);
	free(m);
}

/* --- series ------------------------------------------------------------------------------------------------------ */

static struct slice hash_key(const struct labels *labels)
{
	return slice_of((const char *)&labels->hash, sizeof(labels->hash));
}

static struct model_series *find_series(const struct sample_model *m, const struct labels *labels)
{
	struct model_series *s = hashtab_get(&m->by_hash, hash_key(labels));
	while (s && !labels_eq(s->labels, labels))
		s = s->next_of_hash;
	return s;
}

struct model_series *sample_model_series(struct sample_model *m, const struct labels *labels)
{
	struct model_series *s = find_series(m, labels);
	if (s)
		return s;
	s = xcalloc(1, sizeof(*s));
	s->labels = labels_copy_to(m->arena, labels);
	s->next_of_hash = hashtab_get(&m->by_hash, hash_key(labels));
	hashtab_put(&m->by_hash, hash_key(labels), s);
	model_series_vec_push(&m->series, s);
	return s;
}

const struct model_series_vec *sample_model_all(const struct sample_model *m)
{
	return &m->series;
}

static bool matches(const struct model_query *q, const struct labels *labels)
{
	for (size_t i = 0; i < q->n_matchers; i++)
		if (!matcher_matches_labels(q->matchers[i], labels))
			return false;
	return true;
}

/* --- entries ----------------------------------------------------------------------------------------------------- */

/* The place of the first entry at or after t_ms. */
static size_t place_of(const struct model_series *s, int64_t t_ms)
{
	size_t lo = 0, hi = s->entries.len;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (s->entries.v[mid].t_ms < t_ms)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct model_entry *find_entry(const struct model_series *s, int64_t t_ms)
{
	size_t at = place_of(s, t_ms);
	return at < s->entries.len && s->entries.v[at].t_ms == t_ms ? &s->entries.v[at] : NULL;
}

static struct model_entry *entry_at(struct model_series *s, int64_t t_ms)
{
	size_t at = place_of(s, t_ms);
	if (at < s->entries.len && s->entries.v[at].t_ms == t_ms)
		return &s->entries.v[at];
	size_t behind = s->entries.len - at;
	struct model_entry *e = model_entries_add(&s->entries) - behind;
	memmove(e + 1, e, behind * sizeof(*e));
	*e = (struct model_entry){.t_ms = t_ms};
	return e;
}

struct model_value sample_model_at(const struct model_series *s, int64_t t_ms)
{
	const struct model_entry *e = find_entry(s, t_ms);
	return e ? e->now : (struct model_value){0};
}

static void note_other(
    struct sample_model *m, struct model_series *s, struct model_entry *e, struct model_value v)
{
	if (e->others.len == 0)
		unsafe_entries_push(&m->unsafe, (struct unsafe_entry){s, e->t_ms});
	*model_values_add(&e->others) = v;
}

void sample_model_put(struct sample_model *m, struct model_series *s, int64_t t_ms, struct model_value v)
{
	struct model_entry *e = entry_at(s, t_ms);
	if (!e->now.is_there) {
		note_other(m, s, e, e->now);
		e->now = v;
	} else if (e->others.len > 0) {
		note_other(m, s, e, v);
	}
}

void sample_model_put_maybe(
    struct sample_model *m, struct model_series *s, int64_t t_ms, struct model_value v)
{
	note_other(m, s, entry_at(s, t_ms), v);
}

void sample_model_delete(struct sample_model *m, const struct matcher *const *matchers, size_t n,
    int64_t min_t_ms, int64_t max_t_ms, bool is_sure)
{
	struct model_query q = {.matchers = matchers, .n_matchers = n};
	VEC_EACH (struct model_series *, s, &m->series) {
		if (!matches(&q, (*s)->labels))
			continue;
		for (size_t i = place_of(*s, min_t_ms); i < (*s)->entries.len; i++) {
			struct model_entry *e = &(*s)->entries.v[i];
			if (e->t_ms > max_t_ms)
				break;
			if (!is_sure)
				note_other(m, *s, e, e->now);
			else
				model_values_reset(&e->others);
			e->now = (struct model_value){0};
		}
	}
}

void sample_model_sync(struct sample_model *m)
{
	VEC_EACH (struct unsafe_entry, u, &m->unsafe)
		model_values_done(&entry_at(u->series, u->t_ms)->others);
	unsafe_entries_reset(&m->unsafe);
}

/* --- comparing --------------------------------------------------------------------------------------------------- */

/* The i-th sample of a column, when i is one. */
static struct model_value value_of(const struct sample_column *c, size_t i)
{
	return (struct model_value){.is_there = true, .h = c->h ? c->h[i] : NULL, .v = c->v[i]};
}

static bool same_doubles(const double *a, const double *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (double_bits(a[i]) != double_bits(b[i]))
			return false;
	return true;
}

static bool same_spans(const struct histogram_span *a, const struct histogram_span *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].offset != b[i].offset || a[i].length != b[i].length)
			return false;
	return true;
}

/* All but the hint, which depends on what stands before. */
static bool same_histogram(const struct histogram *a, const struct histogram *b)
{
	const double x[] = {a->zero_threshold, a->zero_count, a->count, a->sum};
	const double y[] = {b->zero_threshold, b->zero_count, b->count, b->sum};
	return a->schema == b->schema && same_doubles(x, y, 4) && a->n_pos_spans == b->n_pos_spans &&
	       a->n_neg_spans == b->n_neg_spans && a->n_pos == b->n_pos && a->n_neg == b->n_neg &&
	       a->n_custom == b->n_custom && same_spans(a->pos_spans, b->pos_spans, a->n_pos_spans) &&
	       same_spans(a->neg_spans, b->neg_spans, a->n_neg_spans) &&
	       same_doubles(a->pos, b->pos, a->n_pos) && same_doubles(a->neg, b->neg, a->n_neg) &&
	       same_doubles(a->custom, b->custom, a->n_custom) &&
	       (a->hint == HINT_GAUGE) == (b->hint == HINT_GAUGE);
}

static bool same_value(const struct model_value *a, const struct model_value *b)
{
	if (a->is_there != b->is_there || !a->h != !b->h)
		return false;
	return !a->is_there || (a->h ? same_histogram(a->h, b->h) : double_bits(a->v) == double_bits(b->v));
}

static void print_value(struct strbuf *out, const struct model_value *v)
{
	if (!v->is_there)
		strbuf_addf(out, "nothing");
	else if (v->h)
		histogram_print(out, v->h);
	else
		strbuf_addf(out, "%.17g (%" PRIx64 ")", v->v, double_bits(v->v));
}

struct comparison {
	const struct model_query *q;
	const char *what;
};

static void fail_value(const struct comparison *c, const struct labels *labels, int64_t t_ms,
    const struct model_value *got, const struct model_value *want)
{
	struct strbuf text = STRBUF_INIT;
	labels_print(&text, labels);
	strbuf_addf(&text, " at %" PRId64 ": got ", t_ms);
	print_value(&text, got);
	strbuf_addf(&text, ", want ");
	print_value(&text, want);
	fail_msg("%s, asked [%" PRId64 ", %" PRId64 "], all from %" PRId64 " on: %s", c->what, c->q->min_t_ms,
	    c->q->max_t_ms, c->q->keep_from_ms, strbuf_cstr(&text));
}

static bool may_be_missing(const struct comparison *c, int64_t t_ms)
{
	return c->q->is_partial || t_ms < c->q->keep_from_ms;
}

/* A hint that says "the counter (did not) begin anew" is believed by queries: it must be true of the sample before. */
static void check_hint(
    const struct comparison *c, const struct labels *labels, const struct sample_column *column, size_t i)
{
	const struct histogram *h = column->h ? column->h[i] : NULL,
			       *before = i && h ? column->h[i - 1] : NULL;
	if (!h || !before || (h->hint != HINT_NOT_RESET && h->hint != HINT_RESET))
		return;
	struct histogram plain = *h;
	plain.hint = HINT_UNKNOWN;
	if (histogram_detect_reset(&plain, before) != (h->hint == HINT_RESET))
		fail_msg("%s: the hint of a histogram of %s... at %" PRId64 " is not true: %d", c->what,
		    labels->l[0].value.ptr, column->t[i], (int)h->hint);
}

/* When retention took the first sample of a time, another that came late may be seen instead. */
static bool is_second(const struct comparison *c, const struct model_entry *e, const struct model_value *got)
{
	return e->t_ms < c->q->keep_from_ms && e->now.is_there && got->is_there;
}

static void check_all(
    const struct comparison *c, const struct model_series *s, const struct sample_column *column)
{
	size_t at = place_of(s, c->q->min_t_ms), i = 0;
	struct model_value none = {0};
	for (; at < s->entries.len && s->entries.v[at].t_ms <= c->q->max_t_ms; at++) {
		const struct model_entry *e = &s->entries.v[at];
		if (i < column->n && column->t[i] < e->t_ms)
			break;
		struct model_value got =
		    i < column->n && column->t[i] == e->t_ms ? value_of(column, i) : none;
		if (got.is_there)
			check_hint(c, s->labels, column, i++);
		else if (may_be_missing(c, e->t_ms))
			continue;
		if (!same_value(&got, &e->now) && !is_second(c, e, &got))
			fail_value(c, s->labels, e->t_ms, &got, &e->now);
	}
	if (i < column->n) {
		struct model_value got = value_of(column, i);
		fail_value(c, s->labels, column->t[i], &got, &none);
	}
}

static const struct model_entry *newest_entry(
    const struct model_series *s, int64_t min_t_ms, int64_t max_t_ms)
{
	const struct model_entry *found = NULL;
	for (size_t i = place_of(s, min_t_ms); i < s->entries.len && s->entries.v[i].t_ms <= max_t_ms; i++)
		if (s->entries.v[i].now.is_there)
			found = &s->entries.v[i];
	return found;
}

static void check_newest(
    const struct comparison *c, const struct model_series *s, const struct sample_column *column)
{
	const struct model_entry *e = newest_entry(s, c->q->min_t_ms, c->q->max_t_ms);
	struct model_value none = {0}, got = column->n ? value_of(column, column->n - 1) : none;
	int64_t t_ms = column->n ? column->t[column->n - 1] : e ? e->t_ms : 0;
	if (got.is_there && t_ms < c->q->keep_from_ms && !e)
		return; /* the head remembers a sample that retention took */
	if ((!e && !got.is_there) || (e && !got.is_there && may_be_missing(c, e->t_ms)))
		return;
	if (!e || e->t_ms != t_ms || (!same_value(&got, &e->now) && !is_second(c, e, &got)))
		fail_value(c, s->labels, t_ms, &got, e ? &e->now : &none);
}

static void check_times(const struct comparison *c, const struct sample_column *column)
{
	for (size_t i = 0; i < column->n; i++)
		if (column->t[i] < c->q->min_t_ms || column->t[i] > c->q->max_t_ms ||
		    (i > 0 && column->t[i] <= column->t[i - 1]))
			fail_msg("%s: sample %zu of [%" PRId64 ", %" PRId64 "] at %" PRId64, c->what, i,
			    c->q->min_t_ms, c->q->max_t_ms, column->t[i]);
}

static void check_series(
    const struct comparison *c, const struct model_series *s, const struct sample_column *column)
{
	check_times(c, column);
	if (c->q->newest_only)
		check_newest(c, s, column);
	else
		check_all(c, s, column);
}

/* One answer of the store, series by series. */
struct answer {
	struct arena *arena, *histograms;
	struct querier *querier;
	struct series_set *set;
	struct sample_column column;
};

static void ask(struct answer *a, struct queryable *store, const struct comparison *c)
{
	const struct model_query *q = c->q;
	struct select_hints hints = {
	    .start_ms = q->min_t_ms, .end_ms = q->max_t_ms, .newest_only = q->newest_only};
	struct err err;
	a->arena = arena_new(ARENA_NO_LIMIT);
	a->histograms = arena_new(ARENA_NO_LIMIT);
	check_ok(c->what, store->open(store, q->min_t_ms, q->max_t_ms, &a->querier, &err), &err);
	check_ok(c->what,
	    a->querier->ops->select(
		a->querier, a->arena, q->matchers, q->n_matchers, true, &hints, &a->set, &err),
	    &err);
	sample_column_init(&a->column, a->histograms);
}

static void answer_done(struct answer *a)
{
	sample_column_done(&a->column);
	a->querier->ops->close(a->querier);
	arena_free(a->arena);
	arena_free(a->histograms);
}

/* Reads series i; a store may find that it has no sample of the range. NULL: the model does not know it. */
static struct model_series *next_series(
    struct sample_model *m, struct answer *a, size_t i, const struct comparison *c)
{
	struct err err;
	const struct labels *labels = a->set->ops->labels(a->set, i, a->arena);
	size_t bound = a->set->ops->estimate(a->set, i);
	check_ok(c->what, a->set->ops->read(a->set, i, &a->column, &err), &err);
	if (a->column.n > bound)
		fail_msg("%s: %zu samples, estimated %zu", c->what, a->column.n, bound);
	struct model_series *s = find_series(m, labels);
	if (!s && a->column.n == 0)
		return NULL;
	if (!s || !matches(c->q, labels))
		fail_msg(
		    "%s: a series that was not asked for: %" SL_FMT, c->what, SL_ARG(labels->l[0].value));
	if (s->seen == m->comparison)
		fail_msg("%s: a series stands twice: %" SL_FMT, c->what, SL_ARG(labels->l[0].value));
	s->seen = m->comparison;
	return s;
}

static void check_order(const struct answer *a, size_t i, const struct comparison *c)
{
	if (i > 0 && labels_cmp(a->set->ops->labels(a->set, i - 1, a->arena),
			 a->set->ops->labels(a->set, i, a->arena)) >= 0)
		fail_msg("%s: series are not in order", c->what);
}

void sample_model_check(
    struct sample_model *m, struct queryable *store, const struct model_query *q, const char *what)
{
	struct comparison c = {q, what};
	struct answer a;
	ask(&a, store, &c);
	m->comparison++;
	for (size_t i = 0; i < a.set->n; i++) {
		check_order(&a, i, &c);
		struct model_series *s = next_series(m, &a, i, &c);
		if (s)
			check_series(&c, s, &a.column);
		arena_reset(a.histograms);
	}
	sample_column_reset(&a.column);
	VEC_EACH (struct model_series *, s, &m->series)
		if ((*s)->seen != m->comparison && matches(q, (*s)->labels))
			check_series(&c, *s, &a.column);
	answer_done(&a);
}

/* --- names ------------------------------------------------------------------------------------------------------- */

static int compare_slices(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

VEC_DEFINE(name_list, struct slice);

static bool has_name(const struct slice *names, size_t n, struct slice name)
{
	return n > 0 && bsearch(&name, names, n, sizeof(*names), compare_slices);
}

static void add_names(struct name_list *out, const struct labels *labels, struct slice name)
{
	if (name.len && labels_has(labels, name))
		name_list_push(out, labels_get(labels, name));
	LABELS_EACH (l, labels)
		if (name.len == 0)
			name_list_push(out, l->name);
}

static void check_named(const struct model_series *s, const struct slice *names, size_t n, struct slice name,
    const struct comparison *c)
{
	const struct model_query *q = c->q;
	const struct model_entry *e = newest_entry(s, q->min_t_ms, q->max_t_ms);
	struct name_list own = {0};
	if (e && e->t_ms >= q->keep_from_ms && matches(q, s->labels))
		add_names(&own, s->labels, name);
	VEC_EACH (struct slice, text, &own)
		if (!has_name(names, n, *text))
			fail_msg("%s: \"%" SL_FMT "\" is missing", c->what, SL_ARG(*text));
	name_list_done(&own);
}

static void check_known(struct sample_model *m, const struct slice *names, size_t n, struct slice name,
    const struct comparison *c)
{
	struct name_list known = {0};
	VEC_EACH (struct model_series *, s, &m->series)
		if (matches(c->q, (*s)->labels))
			add_names(&known, (*s)->labels, name);
	if (known.len)
		qsort(known.v, known.len, sizeof(*known.v), compare_slices);
	for (size_t i = 0; i < n; i++)
		if (!has_name(known.v, known.len, names[i]) ||
		    (i > 0 && slice_cmp(names[i - 1], names[i]) >= 0))
			fail_msg(
			    "%s: \"%" SL_FMT "\" is unknown, or not in order", c->what, SL_ARG(names[i]));
	name_list_done(&known);
}

void sample_model_check_names(struct sample_model *m, struct queryable *store, struct slice name,
    const struct model_query *q, const char *what)
{
	struct comparison c = {q, what};
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct querier *querier;
	struct slice *names;
	size_t n;
	bool truncated;
	struct err err;
	check_ok(what, store->open(store, q->min_t_ms, q->max_t_ms, &querier, &err), &err);
	int rc = name.len ? querier->ops->label_values(querier, arena, name, q->matchers, q->n_matchers, 0,
				&names, &n, &truncated, &err)
			  : querier->ops->label_names(
				querier, arena, q->matchers, q->n_matchers, 0, &names, &n, &truncated, &err);
	check_ok(what, rc, &err);
	check_known(m, names, n, name, &c);
	VEC_EACH (struct model_series *, s, &m->series)
		check_named(*s, names, n, name, &c);
	querier->ops->close(querier);
	arena_free(arena);
}

/* --- after a crash ------------------------------------------------------------------------------------------------ */

static bool is_possible(const struct model_entry *e, const struct model_value *v)
{
	if (same_value(&e->now, v))
		return true;
	VEC_EACH (struct model_value, other, &e->others)
		if (same_value(other, v))
			return true;
	return false;
}

static void adopt_series(
    const struct comparison *c, struct model_series *s, const struct sample_column *column)
{
	struct model_value none = {0};
	size_t i = 0;
	VEC_EACH (struct model_entry, e, &s->entries) {
		if (i < column->n && column->t[i] < e->t_ms)
			break;
		bool is_there = i < column->n && column->t[i] == e->t_ms;
		struct model_value got = is_there ? value_of(column, i) : none;
		i += is_there;
		if (!is_possible(e, &got) && (is_there || !may_be_missing(c, e->t_ms)) &&
		    !is_second(c, e, &got))
			fail_value(c, s->labels, e->t_ms, &got, &e->now);
		VEC_EACH (struct model_value, other, &e->others)
			if (!same_value(&e->now, &got) && same_value(other, &got))
				e->now = *other;
		if (!is_there)
			e->now = none;
	}
	if (i < column->n) {
		struct model_value got = value_of(column, i);
		fail_value(c, s->labels, column->t[i], &got, &none);
	}
}

void sample_model_adopt(
    struct sample_model *m, struct queryable *store, int64_t keep_from_ms, const char *what)
{
	struct model_query q = {.min_t_ms = INT64_MIN, .max_t_ms = INT64_MAX, .keep_from_ms = keep_from_ms};
	struct comparison c = {&q, what};
	struct answer a;
	ask(&a, store, &c);
	m->comparison++;
	for (size_t i = 0; i < a.set->n; i++) {
		struct model_series *s = next_series(m, &a, i, &c);
		if (s)
			adopt_series(&c, s, &a.column);
		arena_reset(a.histograms);
	}
	sample_column_reset(&a.column);
	VEC_EACH (struct model_series *, s, &m->series)
		if ((*s)->seen != m->comparison)
			adopt_series(&c, *s, &a.column);
	answer_done(&a);
	sample_model_sync(m);
}
