#include "promql/source.h"

#include "model/label_builder.h"
#include "promql/eval.h"
#include <string.h>

const struct labels *source_labels(struct source *s, size_t i)
{
	if (s->cache == NULL)
		s->cache = ARENA_ARRAY(s->eval->arena, const struct labels *, s->n);
	if (s->cache[i] == NULL)
		s->cache[i] = s->ops->labels(s, i);
	return s->cache[i];
}

static int matrix_fill(struct source *s, struct worker *w, size_t first, struct tile *t, struct err *err)
{
	(void)w, (void)err;
	memcpy(t->v, s->all->v + first * t->steps, (size_t)t->rows * t->steps * sizeof(*t->v));
	memcpy(
	    t->present, s->all->present + first * t->words, (size_t)t->rows * t->words * sizeof(*t->present));
	if (s->all->h) {
		tile_want_histograms(t);
		memcpy(t->h, s->all->h + first * t->steps, (size_t)t->rows * t->steps * sizeof(*t->h));
	}
	return 0;
}

/* Points of a tile, histograms by their size; and values at its last step. */
static uint64_t count_points(const struct tile *t, uint64_t *last)
{
	uint64_t points = 0;

	if (t->steps == 1 && t->h == NULL) {
		for (uint32_t r = 0; r < t->rows; r++)
			points += t->present[r];
		*last += points;
		return points;
	}
	points = bits_count(t->present, t->rows * t->words);
	for (uint32_t r = 0; r < t->rows; r++) {
		struct row row = tile_row(t, r);
		*last += bit_get(row.present, t->steps - 1);
		if (row.h == NULL)
			continue;
		BITS_EACH(k, row.present, t->words)
		points += row.h[k] ? histogram_sample_size(row.h[k]) - 1 : 0;
	}
	return points;
}

void source_count(const struct source *s, uint64_t *points, uint64_t *last_points)
{
	*points = s->points;
	*last_points = s->last_points;
	if (s->all == NULL)
		return;
	*last_points = 0;
	*points = count_points(s->all, last_points);
}

/* What was computed, for the account at the end; more than a query may hold ends it at once. */
static int note_tile(struct source *s, const struct tile *t, struct err *err)
{
	uint64_t last = 0, points = count_points(t, &last);

	points += atomic_fetch_add_explicit(&s->points, points, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->last_points, last, memory_order_relaxed);
	return points > s->eval->limits.max_points ? query_limits_too_many(err) : 0;
}

static int timed_fill(struct source *s, struct worker *w, size_t first, struct tile *t, struct err *err)
{
	const struct clock *clock = s->eval->limits.clock;
	int64_t begun = clock_mono_ns(clock);
	int rc = s->ops->fill(s, w, first, t, err);

	atomic_fetch_add_explicit(&s->fill_ns, clock_mono_ns(clock) - begun, memory_order_relaxed);
	return rc;
}

int source_fill(struct source *s, struct worker *w, size_t first, struct tile *t, struct err *err)
{
	if (s->all)
		return matrix_fill(s, w, first, t, err);
	int rc = s->eval->analyze ? timed_fill(s, w, first, t, err) : s->ops->fill(s, w, first, t, err);
	return rc ? rc : note_tile(s, t, err);
}

/* --- matrices ----------------------------------------------------------------------------------------------------------- */

static const struct labels *no_labels(struct source *s, size_t i)
{
	(void)s, (void)i;
	return &labels_empty;
}

static const struct source_ops matrix_ops = {.fill = matrix_fill, .labels = no_labels};

struct source *source_matrix_new(struct eval *e, const struct grid *grid, size_t cap)
{
	struct source *s = ARENA_NEW(e->arena, struct source);

	*s = (struct source){.ops = &matrix_ops, .eval = e, .grid = grid, .n = cap};
	s->all = ARENA_NEW(e->arena, struct tile);
	if (!tile_init(s->all, e->arena, cap, grid->n))
		return NULL;
	s->cache = ARENA_ARRAY(e->arena, const struct labels *, cap ? cap : 1);
	return s;
}

/* --- one step, repeated ------------------------------------------------------------------------------------------------- */

struct repeat_source {
	struct source base;
	struct source *one;
};

static int repeat_fill(struct source *s, struct worker *w, size_t first, struct tile *t, struct err *err)
{
	struct tile *one = ((struct repeat_source *)s)->one->all;
	(void)w, (void)err;

	if (one->h)
		tile_want_histograms(t);
	for (uint32_t r = 0; r < t->rows; r++) {
		struct row from = tile_row(one, (uint32_t)(first + r)), to = tile_row(t, r);
		if (!bit_get(from.present, 0))
			continue;
		bits_fill(to.present, t->steps);
		for (uint32_t k = 0; k < t->steps; k++)
			to.v[k] = from.v[0];
		for (uint32_t k = 0; one->h && k < t->steps; k++)
			to.h[k] = from.h[0];
	}
	return 0;
}

static const struct labels *repeat_labels(struct source *s, size_t i)
{
	return source_labels(((struct repeat_source *)s)->one, i);
}

static const struct source_ops repeat_ops = {.fill = repeat_fill, .labels = repeat_labels};

struct source *source_repeat_new(struct source *one, const struct grid *grid)
{
	struct repeat_source *s = ARENA_NEW(one->eval->arena, struct repeat_source);

	s->base = *one;
	s->base.ops = &repeat_ops;
	s->base.below = NULL;
	s->base.fill_ns = 0;
	s->base.grid = grid;
	s->base.cache = NULL;
	s->base.all = NULL;
	s->one = one;
	return &s->base;
}

/* --- functions of one vector -------------------------------------------------------------------------------------------- */

struct map_source {
	struct source base;
	map_apply apply;
	void *arg;
	bool drops_name_now;
};

static int map_fill(struct source *s, struct worker *w, size_t first, struct tile *t, struct err *err)
{
	struct map_source *m = (struct map_source *)s;
	int rc = source_fill(s->below, w, first, t, err);

	if (rc == 0)
		m->apply(m->arg, t, first);
	return rc;
}

static const struct labels *map_labels(struct source *s, size_t i)
{
	struct map_source *m = (struct map_source *)s;
	const struct labels *ls = source_labels(s->below, i);

	return m->drops_name_now ? labels_nameless(s->eval->arena, ls) : ls;
}

static void map_drained(struct source *s)
{
	if (s->below->ops->drained)
		s->below->ops->drained(s->below);
}

static const struct source_ops map_ops = {.fill = map_fill, .labels = map_labels, .drained = map_drained};

struct source *source_map_new(struct source *below, map_apply apply, void *arg, bool drops_name)
{
	struct map_source *m = ARENA_NEW(below->eval->arena, struct map_source);

	m->base = *below;
	m->base.ops = &map_ops;
	m->base.cache = NULL;
	m->base.all = NULL;
	m->base.below = below;
	m->base.fill_ns = 0;
	m->apply = apply;
	m->arg = arg;
	if (drops_name && below->eval->options->delayed_name_removal) {
		m->base.all_dropped = true;
	} else if (drops_name) {
		m->drops_name_now = true;
		m->base.unique = below->unique_nameless;
	}
	return &m->base;
}

/* --- labels ------------------------------------------------------------------------------------------------------------- */

static bool is_reserved(struct slice name)
{
	return slice_eq(name, SL("__name__")) || slice_eq(name, SL("__type__")) ||
	       slice_eq(name, SL("__unit__"));
}

const struct labels *labels_nameless(struct arena *arena, const struct labels *ls)
{
	size_t reserved = 0, kept = 0;

	LABELS_EACH (l, ls)
		reserved += is_reserved(l->name);
	if (reserved == 0)
		return ls;
	struct label *keep = arena_alloc(arena, (ls->n + 1) * sizeof(*keep));
	LABELS_EACH (l, ls) {
		if (!is_reserved(l->name))
			keep[kept++] = *l;
	}
	return labels_from_sorted(arena, keep, kept);
}

int source_same_labelset(struct err *err)
{
	return err_set(err, ERR_EXECUTION, "vector cannot contain metrics with the same labelset");
}

/* same[i] is the first row with the labels of row i; returns how many differ. */
static size_t find_same(struct source *s, uint32_t *same)
{
	size_t cap = 16, distinct = 0;

	while (cap < 2 * s->n)
		cap *= 2;
	uint32_t *slots = ARENA_ARRAY(s->eval->arena, uint32_t, cap); /* row + 1 */
	for (size_t i = 0; i < s->n; i++) {
		const struct labels *ls = source_labels(s, i);
		size_t at = ls->hash & (cap - 1);
		while (slots[at] && !labels_eq(s->cache[slots[at] - 1], ls))
			at = (at + 1) & (cap - 1);
		if (slots[at] == 0) {
			slots[at] = (uint32_t)i + 1;
			distinct++;
		}
		same[i] = slots[at] - 1;
	}
	return distinct;
}

/* UINT32_MAX: the row has no value. */
static uint32_t first_step(const struct tile *t, uint32_t row)
{
	BITS_EACH(k, tile_row(t, row).present, t->words)
	{
		return k;
	}
	return UINT32_MAX;
}

/* Copies row i of `s` into row `at` of `merged`. */
static int merge_row(struct source *merged, uint32_t at, struct source *s, uint32_t i, struct err *err)
{
	struct tile *to = merged->all;

	/* The one whose values begin first says whether the name goes. */
	if (first_step(s->all, i) < first_step(to, at))
		merged->dropped[at] = source_name_dropped(s, i);
	if (bits_overlap(tile_row(to, at).present, tile_row(s->all, i).present, to->words))
		return source_same_labelset(err);
	tile_copy_row(to, at, s->all, i);
	return 0;
}

int source_merge_same(struct source **s, struct err *err)
{
	struct source *old = *s;
	struct arena *arena = old->eval->arena;

	if (old->unique || old->n < 2)
		return 0;
	uint32_t *same = ARENA_ARRAY(arena, uint32_t, old->n), *place = ARENA_ARRAY(arena, uint32_t, old->n);
	size_t distinct = find_same(old, same), n = 0;
	if (distinct == old->n) {
		old->unique = true;
		return 0;
	}
	int rc = source_materialise(old, err);
	if (rc)
		return rc;
	struct source *merged = source_matrix_new(old->eval, old->grid, distinct);
	if (merged == NULL)
		return query_limits_no_memory(err);
	merged->dropped = ARENA_ARRAY(arena, uint8_t, distinct);
	merged->unique = true;
	for (uint32_t i = 0; rc == 0 && i < old->n; i++) {
		if (same[i] == i) {
			merged->cache[n] = old->cache[i];
			place[i] = (uint32_t)n++;
		}
		rc = merge_row(merged, place[same[i]], old, i, err);
	}
	*s = merged;
	return rc;
}
