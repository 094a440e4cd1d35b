/* Aggregations that pick series rather than compute from them: topk, bottomk, limitk, limit_ratio. The result has the rows
 * that were picked at some step, with the values of those steps alone. */
#include "base/hash.h"
#include "promql/aggregate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- topk, bottomk ------------------------------------------------------------------------------------------------------ */

struct pick {
	double v;
	uint32_t row;
};

/* The picks of a group at a step: a heap with the worst at [0], kept in the order Go's container/heap would give, so that
 * ties fall the same way. */
struct pick_heap {
	struct pick *v;
	uint32_t n, cap;
};

struct best {
	struct aggregation *a;
	bool largest;
	uint32_t steps;
	struct pick_heap *heaps; /* groups x steps */
	bool ignored_histogram;
};

/* Whether x is worse than y: for topk the smaller, NaN being the smallest of all; for bottomk the larger, and NaN again. */
static bool worse(const struct best *b, double x, double y)
{
	if (isnan(x))
		return true;
	return b->largest ? x < y : x > y;
}

static void heap_up(const struct best *b, struct pick *v, uint32_t j)
{
	while (j > 0) {
		uint32_t i = (j - 1) / 2;
		if (!worse(b, v[j].v, v[i].v))
			return;
		struct pick t = v[i];
		v[i] = v[j];
		v[j] = t;
		j = i;
	}
}

static void heap_down(const struct best *b, struct pick *v, uint32_t n)
{
	uint32_t i = 0;

	for (;;) {
		uint32_t j = 2 * i + 1;
		if (j >= n)
			return;
		if (j + 1 < n && worse(b, v[j + 1].v, v[j].v))
			j++;
		if (!worse(b, v[j].v, v[i].v))
			return;
		struct pick t = v[i];
		v[i] = v[j];
		v[j] = t;
		i = j;
	}
}

static void heap_grow(struct arena *arena, struct pick_heap *h, uint32_t most)
{
	uint32_t cap = h->cap ? 2 * h->cap : 8;
	if (cap > most)
		cap = most;
	struct pick *v = arena_alloc(arena, cap * sizeof(*v));

	if (h->n)
		memcpy(v, h->v, h->n * sizeof(*v));
	h->v = v;
	h->cap = cap;
}

static void offer(struct best *b, struct pick_heap *h, uint32_t k, struct pick p)
{
	if (h->n < k) {
		if (h->n == h->cap)
			heap_grow(b->a->eval->arena, h, k);
		h->v[h->n++] = p;
		heap_up(b, h->v, h->n - 1);
		return;
	}
	double root = h->v[0].v;
	bool better = b->largest ? root < p.v : root > p.v;
	if (better || (isnan(root) && !isnan(p.v))) {
		h->v[0] = p;
		heap_down(b, h->v, h->n);
	}
}

static int offer_tile(void *arg, size_t first, const struct tile *t, struct err *err)
{
	struct best *b = arg;
	const struct aggregation *a = b->a;
	(void)err;

	for (uint32_t r = 0; r < t->rows; r++) {
		struct row row = tile_row(t, r);
		struct pick_heap *heaps = b->heaps + (size_t)aggregation_group(a, first + r) * b->steps;
		BITS_EACH(k, row.present, t->words)
		{
			double want = a->param[k];
			if (row.h && row.h[k]) {
				b->ignored_histogram = true;
				continue;
			}
			if (want < 1)
				continue;
			uint32_t most = want < (double)a->below->n ? (uint32_t)want : (uint32_t)a->below->n;
			offer(b, &heaps[k], most, (struct pick){row.v[k], (uint32_t)(first + r)});
		}
	}
	return 0;
}

/* Best first; equal ones stay in the order of the heap. */
static void sort_picks(const struct best *b, struct pick_heap *h)
{
	for (uint32_t i = 1; i < h->n; i++) {
		struct pick p = h->v[i];
		uint32_t j = i;
		for (; j > 0 && worse(b, h->v[j - 1].v, p.v) && !(isnan(h->v[j - 1].v) && isnan(p.v)); j--)
			h->v[j] = h->v[j - 1];
		h->v[j] = p;
	}
}

/* A result row for each source row that was picked at all; returns how many. place[] is row + 1 of the result. An instant query
 * keeps the order of the picks, a range query that of the source. */
static size_t place_rows(const struct best *b, uint32_t *place)
{
	size_t n = 0, rows = 0;

	for (size_t g = 0; g < b->a->n_groups; g++) {
		for (uint32_t k = 0; k < b->steps; k++) {
			const struct pick_heap *h = &b->heaps[g * b->steps + k];
			for (uint32_t i = 0; i < h->n; i++) {
				if (place[h->v[i].row] == 0)
					place[h->v[i].row] = (uint32_t)++n;
			}
		}
	}
	for (size_t i = 0; b->steps > 1 && i < b->a->below->n; i++) {
		if (place[i])
			place[i] = (uint32_t)++rows;
	}
	return n;
}

static void name_row(struct source *out, size_t at, struct source *from, size_t row)
{
	out->cache[at] = source_labels(from, row);
	out->dropped[at] = source_name_dropped(from, row);
}

static struct source *picked_rows(struct aggregation *a, size_t n)
{
	struct source *s = source_matrix_new(a->eval, a->grid, n);

	if (s == NULL)
		return NULL;
	s->dropped = ARENA_ARRAY(a->eval->arena, uint8_t, n + 1);
	s->unique = a->below->unique;
	s->unique_nameless = a->below->unique_nameless;
	return s;
}

static void emit_picks(const struct best *b, struct source *out, const uint32_t *place)
{
	for (size_t g = 0; g < b->a->n_groups; g++) {
		for (uint32_t k = 0; k < b->steps; k++) {
			const struct pick_heap *h = &b->heaps[g * b->steps + k];
			for (uint32_t i = 0; i < h->n; i++) {
				uint32_t at = place[h->v[i].row] - 1;
				struct row r = tile_row(out->all, at);
				r.v[k] = h->v[i].v;
				bit_set(r.present, k);
				if (out->cache[at] == NULL)
					name_row(out, at, b->a->below, h->v[i].row);
			}
		}
	}
}

int aggregate_best(struct aggregation *a, struct source **out, struct err *err)
{
	struct best b = {.a = a, .largest = a->agg->op == AGG_TOPK, .steps = a->grid->n};

	aggregation_assign(a, false);
	b.heaps = arena_try_alloc(a->eval->arena, a->n_groups * a->grid->n, sizeof(*b.heaps));
	if (b.heaps == NULL)
		return query_limits_no_memory(err);
	memset(b.heaps, 0, a->n_groups * a->grid->n * sizeof(*b.heaps));
	int rc = source_drain(a->below, offer_tile, &b, err);
	if (rc)
		return rc;
	if (b.ignored_histogram)
		annotate_info(&a->eval->notes, a->x->pos, "ignored histogram in %s aggregation",
		    aggregate_op_text(a->agg->op));
	/* In an instant query the order of the picks is the order of the result. */
	for (size_t i = 0; a->grid->n == 1 && i < a->n_groups; i++)
		sort_picks(&b, &b.heaps[i]);
	uint32_t *place = ARENA_ARRAY(a->eval->arena, uint32_t, a->below->n + 1);
	struct source *s = picked_rows(a, place_rows(&b, place));
	if (s == NULL)
		return query_limits_no_memory(err);
	emit_picks(&b, s, place);
	*out = s;
	return 0;
}

/* --- limitk, limit_ratio ------------------------------------------------------------------------------------------------ */

/* A string with its size before it: one byte, or 255 and three. */
static void add_sized(struct strbuf *sb, struct slice s)
{
	if (s.len < 255) {
		strbuf_addch(sb, (char)s.len);
	} else {
		strbuf_addch(sb, (char)255);
		strbuf_addch(sb, (char)(s.len & 255));
		strbuf_addch(sb, (char)(s.len >> 8 & 255));
		strbuf_addch(sb, (char)(s.len >> 16 & 255));
	}
	strbuf_add_slice(sb, s);
}

/* Where a series stands between 0 and 1, the same in each query: by the hash of its labels, in the form in which Prometheus
 * holds them, so that both pick the same series. */
static double ratio_offset(const struct labels *ls)
{
	struct strbuf sb = STRBUF_INIT;

	LABELS_EACH (l, ls) {
		add_sized(&sb, l->name);
		add_sized(&sb, l->value);
	}
	uint64_t h = hash_xxh64(sb.ptr ? sb.ptr : "", sb.len);
	strbuf_done(&sb);
	return (double)h / (double)UINT64_MAX;
}

static bool within_ratio(double ratio, double offset)
{
	return ratio >= 0 ? offset < ratio : offset >= 1 + ratio;
}

/* Clears the steps at which row i is not among those that stay. taken: groups x steps. */
static void limit_row(struct aggregation *a, uint32_t *taken, size_t i, struct row r)
{
	double offset = a->agg->op == AGG_LIMIT_RATIO ? ratio_offset(source_labels(a->below, i)) : 0;
	uint32_t *n = taken + (size_t)aggregation_group(a, i) * a->grid->n;

	BITS_EACH(k, r.present, bit_words(a->grid->n))
	{
		bool stays = a->agg->op == AGG_LIMITK ? (double)n[k] + 1 <= a->param[k]
						      : within_ratio(a->param[k], offset);
		if (stays)
			n[k]++;
		else
			bit_clear(r.present, k);
	}
}

int aggregate_some(struct aggregation *a, struct source **out, struct err *err)
{
	aggregation_assign(a, false);
	int rc = source_materialise(a->below, err);
	if (rc)
		return rc;
	struct source *s = picked_rows(a, a->below->n);
	uint32_t *taken = arena_try_alloc(a->eval->arena, a->n_groups * a->grid->n + 1, sizeof(*taken));
	if (s == NULL || taken == NULL)
		return query_limits_no_memory(err);
	memset(taken, 0, a->n_groups * a->grid->n * sizeof(*taken));
	for (size_t i = 0; i < a->below->n; i++) {
		tile_copy_row(s->all, (uint32_t)i, a->below->all, (uint32_t)i);
		name_row(s, i, a->below, i);
		limit_row(a, taken, i, tile_row(s->all, (uint32_t)i));
	}
	*out = s;
	return 0;
}
