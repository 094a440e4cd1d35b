/* info(): series get the labels of the info series (target_info and the like) that have the same instance and job. Which
 * info series that is may change from step to step, so that one series of the base can become several of the result. */
#include "base/vec.h"
#include "model/label_builder.h"
#include "promql/eval.h"
#include "promql/label_groups.h"

#include <inttypes.h>
#include <string.h>

VEC_DEFINE(row_vec, uint32_t);

struct info_row {
	const struct labels *labels;
	uint32_t base; /* row */
	double *v;
	const struct histogram **h;
	uint64_t *present;
};
VEC_DEFINE(info_rows, struct info_row);

struct info_call {
	struct eval *eval;
	const struct grid *grid;
	struct source *base, *info, *times; /* times: when each info sample was taken, in seconds */
	/* what the second argument asks for */
	const struct matcher *const *names; /* matchers of __name__ */
	size_t n_names;
	const struct matcher *const *data; /* all others */
	size_t n_data;
	bool data_may_lack;         /* all of them match an absent label */
	struct label_groups groups; /* by instance and job */
	uint32_t *first, *next;     /* info rows by group: lists of row + 1 */
	size_t n_info_groups;       /* those that info series made: the base may add more */
	struct info_rows rows;      /* the result */
	/* The first step that fails, UINT32_MAX when none does, and its code: later steps do not matter any more. */
	uint32_t failed_at;
	int rc;
};

static bool is_info_series(const struct info_call *c, const struct labels *ls)
{
	for (size_t i = 0; i < c->n_names; i++) {
		if (!matcher_matches(c->names[i], labels_metric_name(ls)))
			return false;
	}
	return true;
}

/* --- the info series ---------------------------------------------------------------------------------------------------- */

static bool is_name_matcher(const struct matcher *m)
{
	return slice_eq(m->name, SL(LABEL_NAME));
}

static bool is_positive(const struct matcher *m)
{
	return m->op == MATCH_EQUAL || m->op == MATCH_REGEX;
}

/* Which names are info metrics when the argument does not say: target_info; or, when it only says what they are not, all
 * that end so. */
static int default_name(struct info_call *c, const struct matcher **out, struct err *err)
{
	struct arena *arena = c->eval->arena;
	bool positive = false;

	*out = NULL;
	for (size_t i = 0; i < c->n_names; i++)
		positive |= is_positive(c->names[i]);
	if (positive)
		return 0;
	if (c->n_names)
		return matcher_new(arena, MATCH_REGEX, SL(LABEL_NAME), SL(".+_info"), out, err);
	return matcher_new(arena, MATCH_EQUAL, SL(LABEL_NAME), SL("target_info"), out, err);
}

static int sort_matchers(struct info_call *c, const struct selector *sel, struct err *err)
{
	size_t n = sel ? sel->n_matchers : 0;
	const struct matcher **names = ARENA_ARRAY(c->eval->arena, const struct matcher *, n + 1);
	const struct matcher **data = ARENA_ARRAY(c->eval->arena, const struct matcher *, n + 1);
	const struct matcher *more;

	c->names = names;
	c->data = data;
	c->data_may_lack = true;
	for (size_t i = 0; i < n; i++) {
		const struct matcher *m = sel->matchers[i];
		if (is_name_matcher(m)) {
			names[c->n_names++] = m;
			continue;
		}
		data[c->n_data++] = m;
		c->data_may_lack &= matcher_matches_empty(m);
	}
	int rc = default_name(c, &more, err);
	if (rc == 0 && more)
		names[c->n_names++] = more;
	return rc;
}

/* The first selector of the base: info series are looked up at its times. */
static const struct selector *first_selector(const struct expr *x)
{
	const struct selector *found = NULL;

	switch (x->kind) {
	case EXPR_SELECTOR:
	case EXPR_RANGE_SELECTOR:
		return &x->selector;
	case EXPR_SUBQUERY:
		return first_selector(x->subquery.inner);
	case EXPR_AGGREGATE:
		return first_selector(x->aggregate.inner);
	case EXPR_UNARY:
		return first_selector(x->unary.inner);
	case EXPR_PAREN:
		return first_selector(x->paren);
	case EXPR_BINARY:
		found = first_selector(x->binary.lhs);
		return found ? found : first_selector(x->binary.rhs);
	case EXPR_CALL:
		for (size_t i = 0; found == NULL && i < x->call.n_args; i++)
			found = first_selector(x->call.args[i]);
		return found;
	case EXPR_NUMBER:
	case EXPR_STRING:
		return NULL;
	}
	return NULL;
}

static int open_info(struct info_call *c, const struct expr *x, struct err *err)
{
	struct eval *e = c->eval;
	struct expr *sel = ARENA_NEW(e->arena, struct expr);
	const struct selector *base = first_selector(x->call.args[0]);
	const struct matcher **all = ARENA_ARRAY(e->arena, const struct matcher *, c->n_names + c->n_data);

	memcpy(all, c->names, c->n_names * sizeof(const struct matcher *));
	if (c->n_data)
		memcpy(all + c->n_names, c->data, c->n_data * sizeof(const struct matcher *));
	sel->id = x->id; /* what is read counts as the call's */
	sel->kind = EXPR_SELECTOR;
	sel->type = TYPE_VECTOR;
	sel->pos = x->pos;
	sel->selector.matchers = all;
	sel->selector.n_matchers = c->n_names + c->n_data;
	if (base)
		sel->selector.shift = base->shift;
	int rc = eval_selector(e, sel, c->grid, "info", &c->info, err);
	/* The same samples once more, which do not count again. */
	struct expr *again = ARENA_NEW(e->arena, struct expr);
	*again = *sel;
	again->id = (uint32_t)e->plan.n;
	if (rc == 0)
		rc = eval_selector_times(e, again, c->grid, SELECTOR_TIMES, &c->times, err);
	if (rc == 0)
		rc = source_materialise(c->info, err);
	return rc ? rc : source_materialise(c->times, err);
}

/* Of the base, what has a value at some step, and is not itself an info series. */
static bool is_target(const struct info_call *c, uint32_t i)
{
	struct row r = tile_row(c->base->all, i);
	uint64_t any = 0;

	for (uint32_t w = 0; w < c->base->all->words; w++)
		any |= r.present[w];
	return any != 0 && !is_info_series(c, source_labels(c->base, i));
}

/* Clears those of the info rows whose value of the label no series of the base has. False: the base does not have the label at
 * all, and none is cleared. */
static bool keep_known(struct info_call *c, struct slice label, bool *kept)
{
	struct label_groups known;

	label_groups_init(&known, c->eval->arena, &label, 1, true);
	for (uint32_t i = 0; i < c->base->n; i++) {
		const struct labels *ls = source_labels(c->base, i);
		if (labels_has(ls, label) && is_target(c, i))
			label_groups_add(&known, ls);
	}
	size_t n = known.n;
	for (uint32_t i = 0; n > 0 && i < c->info->n; i++)
		kept[i] &= label_groups_add(&known, source_labels(c->info, i)) < n;
	return n > 0;
}

/* Which info series may belong to the base at all: only they are judged. */
static const bool *candidates(struct info_call *c)
{
	bool *kept = ARENA_ARRAY(c->eval->arena, bool, c->info->n + 1);

	memset(kept, true, c->info->n);
	bool instance = keep_known(c, SL("instance"), kept), job = keep_known(c, SL("job"), kept);
	if (!instance && !job)
		memset(kept, false, c->info->n);
	return kept;
}

static int not_an_info(const struct info_call *c, uint32_t i, struct err *err)
{
	struct strbuf text = STRBUF_INIT;

	labels_print(&text, source_labels(c->info, i));
	int rc = err_set(
	    err, ERR_EXECUTION, "this should be an info metric, with float samples: %s", strbuf_cstr(&text));
	strbuf_done(&text);
	return rc;
}

static int check_floats(const struct info_call *c, const bool *kept, struct err *err)
{
	const struct tile *all = c->info->all;

	for (uint32_t i = 0; all->h && i < c->info->n; i++) {
		struct row r = tile_row(all, i);
		BITS_EACH(k, r.present, all->words)
		{
			if (kept[i] && r.h[k])
				return not_an_info(c, i, err);
		}
	}
	return 0;
}

static void group_info(struct info_call *c, const bool *kept)
{
	struct arena *arena = c->eval->arena;
	const struct slice ids[] = {SL_INIT("instance"), SL_INIT("job")};

	label_groups_init(&c->groups, arena, ids, 2, true);
	uint32_t *group = ARENA_ARRAY(arena, uint32_t, c->info->n + 1);
	for (size_t i = 0; i < c->info->n; i++)
		group[i] = label_groups_add(&c->groups, source_labels(c->info, i));
	c->n_info_groups = c->groups.n;
	c->first = ARENA_ARRAY(arena, uint32_t, c->groups.n + 1);
	c->next = ARENA_ARRAY(arena, uint32_t, c->info->n + 1);
	for (size_t i = c->info->n; i-- > 0;) {
		if (!kept[i])
			continue;
		c->next[i] = c->first[group[i]];
		c->first[group[i]] = (uint32_t)i + 1;
	}
}

/* --- a row of the base -------------------------------------------------------------------------------------------------- */

/* Two info series of one name and target, whose samples at a step are equally old. */
struct twins {
	uint32_t a, b; /* info rows, a < b */
	uint32_t k;
	double seconds; /* when the samples were taken */
};

static int same_age(const struct info_call *c, const struct twins *t, struct err *err)
{
	struct strbuf x = STRBUF_INIT, y = STRBUF_INIT;

	labels_print(&x, source_labels(c->info, t->a));
	labels_print(&y, source_labels(c->info, t->b));
	int64_t t_ms = (int64_t)(t->seconds * 1000);
	int rc = err_set(err, ERR_EXECUTION,
	    "found duplicate series for info metric: existing %s @ %" PRId64 ", new %s @ %" PRId64,
	    strbuf_cstr(&x), t_ms, strbuf_cstr(&y), t_ms);
	strbuf_done(&x);
	strbuf_done(&y);
	return rc;
}

/* The info rows that count at step k: of each metric name the one with the newest sample. False: two are equally new. */
static bool choose(
    struct info_call *c, uint32_t first, uint32_t k, struct row_vec *chosen, struct twins *twins)
{
	row_vec_reset(chosen);
	for (uint32_t i = first; i; i = c->next[i - 1]) {
		struct row r = tile_row(c->times->all, i - 1);
		if (!bit_get(r.present, k))
			continue;
		struct slice name = labels_metric_name(source_labels(c->info, i - 1));
		size_t j = 0;
		while (j < chosen->len &&
		       !slice_eq(name, labels_metric_name(source_labels(c->info, chosen->v[j]))))
			j++;
		if (j == chosen->len) {
			row_vec_push(chosen, i - 1);
			continue;
		}
		double other = tile_row(c->times->all, chosen->v[j]).v[k];
		if (r.v[k] == other) {
			*twins = (struct twins){chosen->v[j], i - 1, k, other};
			return false;
		}
		if (r.v[k] > other)
			chosen->v[j] = i - 1;
	}
	return true;
}

/* Whether one of these twins is met before those: at an earlier step, or as an earlier row. */
static bool is_before(const struct twins *a, const struct twins *b)
{
	return a->k < b->k || (a->k == b->k && a->b < b->b);
}

/* The first step of a group with twins, if that is before those found so far. */
static void find_twins(struct info_call *c, uint32_t first, const uint64_t *steps, struct row_vec *chosen,
    struct twins *earliest)
{
	struct twins t;

	BITS_EACH(k, steps, c->base->all->words)
	{
		if (k > earliest->k)
			return;
		if (choose(c, first, k, chosen, &t))
			continue;
		if (is_before(&t, earliest))
			*earliest = t;
		return;
	}
}

/* Twins are an error at every step at which the base has anything, whether or not something of the base is theirs. */
static void check_twins(struct info_call *c, struct err *err)
{
	uint32_t words = c->base->all->words;
	uint64_t *steps = ARENA_ARRAY(c->eval->arena, uint64_t, words + 1);
	struct twins earliest = {.k = UINT32_MAX, .b = UINT32_MAX};
	struct row_vec chosen = {0};

	for (uint32_t i = 0; i < c->base->n; i++) {
		for (uint32_t w = 0; w < words; w++)
			steps[w] |= tile_row(c->base->all, i).present[w];
	}
	for (size_t g = 0; g < c->n_info_groups; g++) {
		uint32_t first = c->first[g];
		if (first && c->next[first - 1])
			find_twins(c, first, steps, &chosen, &earliest);
	}
	row_vec_done(&chosen);
	c->failed_at = earliest.k;
	c->rc = earliest.k == UINT32_MAX ? 0 : same_age(c, &earliest, err);
}

static bool is_wanted(const struct info_call *c, struct slice name)
{
	for (size_t i = 0; i < c->n_data; i++) {
		if (slice_eq(c->data[i]->name, name))
			return true;
	}
	return c->n_data == 0;
}

static int add_info_labels(struct info_call *c, const struct labels *base, const struct labels *info,
    struct label_builder *b, struct err *err)
{
	LABELS_EACH (l, info) {
		if (slice_eq(l->name, SL(LABEL_NAME)) || !is_wanted(c, l->name) || labels_has(base, l->name))
			continue;
		struct slice there = label_builder_get(b, l->name);
		if (there.len && !slice_eq(there, l->value))
			return err_set(err, ERR_EXECUTION, "conflicting label: %" SL_FMT, SL_ARG(l->name));
		label_builder_set(b, l->name, l->value);
	}
	return 0;
}

/* The labels of base row i with these info rows. */
static int enrich(
    struct info_call *c, uint32_t i, const struct row_vec *chosen, const struct labels **out, struct err *err)
{
	const struct labels *base = source_labels(c->base, i);
	struct label_builder b;

	label_builder_init(&b, c->eval->arena, base);
	for (size_t j = 0; j < chosen->len; j++) {
		int rc = add_info_labels(c, base, source_labels(c->info, chosen->v[j]), &b, err);
		if (rc)
			return rc;
	}
	*out = label_builder_labels(&b);
	return 0;
}

/* The result row for base row i with these labels; `from` is where the rows of i begin. */
static size_t result_row(struct info_call *c, uint32_t i, const struct labels *ls, size_t from)
{
	struct arena *arena = c->eval->arena;

	for (size_t at = from; at < c->rows.len; at++) {
		if (labels_eq(c->rows.v[at].labels, ls))
			return at;
	}
	struct info_row *r = info_rows_add(&c->rows);
	r->labels = ls;
	r->base = i;
	r->v = ARENA_ARRAY(arena, double, c->grid->n);
	r->present = ARENA_ARRAY(arena, uint64_t, bit_words(c->grid->n));
	if (c->base->all->h)
		r->h = ARENA_ARRAY(arena, const struct histogram *, c->grid->n);
	return c->rows.len - 1;
}

static void copy_value(struct info_row *to, struct row from, uint32_t k)
{
	to->v[k] = from.v[k];
	if (to->h)
		to->h[k] = from.h[k];
	bit_set(to->present, k);
}

static bool same_rows(const struct row_vec *a, const struct row_vec *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->v, b->v, a->len * sizeof(*a->v)) == 0);
}

struct choice {
	struct row_vec now, before;
	bool any;
	size_t at; /* the result row of `before` */
};

/* An error is that of the first step that fails, and there of the first row: what comes later is not looked at. */
static void enrich_row(struct info_call *c, uint32_t i, struct choice *ch, struct err *err)
{
	struct row from = tile_row(c->base->all, i);
	const struct labels *ls = source_labels(c->base, i);
	uint32_t group = label_groups_add(&c->groups, ls);
	uint32_t first = group < c->n_info_groups ? c->first[group] : 0;
	bool as_is = is_info_series(c, ls);
	size_t begin = c->rows.len;

	ch->any = false;
	BITS_EACH(k, from.present, c->base->all->words)
	{
		struct twins none;
		if (k >= c->failed_at)
			return;
		row_vec_reset(&ch->now);
		if (!as_is)
			choose(c, first, k, &ch->now, &none);
		if (!as_is && ch->now.len == 0 && !c->data_may_lack)
			continue;
		if (!ch->any || !same_rows(&ch->now, &ch->before)) {
			int rc = enrich(c, i, &ch->now, &ls, err);
			if (rc) {
				c->rc = rc;
				c->failed_at = k;
				return;
			}
			ch->at = result_row(c, i, ls, begin);
			struct row_vec t = ch->before;
			ch->before = ch->now;
			ch->now = t;
			ch->any = true;
		}
		copy_value(&c->rows.v[ch->at], from, k);
	}
}

/* --- all of it ---------------------------------------------------------------------------------------------------------- */

static int make_result(struct info_call *c, struct source **out, struct err *err)
{
	struct source *s = source_matrix_new(c->eval, c->grid, c->rows.len);

	if (s == NULL)
		return query_limits_no_memory(err);
	s->dropped = ARENA_ARRAY(c->eval->arena, uint8_t, c->rows.len + 1);
	for (size_t i = 0; i < c->rows.len; i++) {
		const struct info_row *r = &c->rows.v[i];
		if (r->h)
			tile_want_histograms(s->all);
		struct row to = tile_row(s->all, (uint32_t)i);
		memcpy(to.v, r->v, c->grid->n * sizeof(*to.v));
		memcpy(to.present, r->present, s->all->words * sizeof(*to.present));
		for (uint32_t k = 0; r->h && k < c->grid->n; k++)
			to.h[k] = r->h[k];
		s->cache[i] = r->labels;
		s->dropped[i] = source_name_dropped(c->base, r->base);
	}
	*out = s;
	return source_merge_same(out, err);
}

static int run(struct info_call *c, struct source **out, struct err *err)
{
	struct choice ch = {.any = false};
	int rc = 0;

	check_twins(c, err);
	for (uint32_t i = 0; rc == 0 && i < c->base->n; i++) {
		rc = i % 256 == 0 ? query_limits_check(&c->eval->limits, err) : 0;
		if (rc == 0)
			enrich_row(c, i, &ch, err);
	}
	row_vec_done(&ch.now);
	row_vec_done(&ch.before);
	if (rc == 0)
		rc = c->rc;
	return rc ? rc : make_result(c, out, err);
}

int eval_info(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	struct info_call c = {.eval = e, .grid = grid};
	const struct selector *sel = x->call.n_args > 1 ? &expr_unparen(x->call.args[1])->selector : NULL;
	int rc = eval_vector(e, x->call.args[0], grid, &c.base, err);

	if (rc == 0)
		rc = source_materialise(c.base, err);
	if (rc == 0)
		rc = sort_matchers(&c, sel, err);
	if (rc == 0)
		rc = open_info(&c, x, err);
	if (rc)
		return rc;
	const bool *kept = candidates(&c);
	rc = check_floats(&c, kept, err);
	if (rc)
		return rc;
	group_info(&c, kept);
	rc = run(&c, out, err);
	info_rows_done(&c.rows);
	return rc;
}
