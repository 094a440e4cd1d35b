/* Parts and the series that are asked for are both in the order of labels, so each part has a place that only moves forward.
 * From there the next series is looked for in growing steps: at once where a part has the same series, in the logarithm of
 * the distance where late ones are few. */
#include "tsdb/sealed_times.h"

#include "base/xmalloc.h"
#include "model/histogram.h"
#include "model/stale_marker.h"

/* The ordinals below `next` have smaller labels than whatever is asked for from now on. */
struct place {
	struct part *part;
	uint32_t next;
};

struct sealed_times {
	struct place *places;
	size_t n;
	struct arena *labels, *histograms;
	struct sample_column known;
};

struct sealed_times *sealed_times_new(const struct part_set *set)
{
	struct sealed_times *s = xcalloc(1, sizeof(*s));
	s->places = xcalloc(set->n + 1, sizeof(*s->places));
	s->n = set->n;
	for (size_t i = 0; i < set->n; i++)
		s->places[i].part = set->v[i];
	s->labels = arena_new(ARENA_NO_LIMIT);
	s->histograms = arena_new(ARENA_NO_LIMIT);
	sample_column_init(&s->known, s->histograms);
	return s;
}

void sealed_times_free(struct sealed_times *s)
{
	if (!s)
		return;
	sample_column_done(&s->known);
	arena_free(s->labels);
	arena_free(s->histograms);
	free(s->places);
	free(s);
}

/* --- the series in a part ------------------------------------------------------------------------------------------ */

/* Like labels_cmp() of the series `ordinal` and `labels`. */
static int compare(
    struct sealed_times *s, struct part *p, uint32_t ordinal, const struct labels *labels, int *cmp)
{
	const struct labels *at;
	arena_reset(s->labels);
	int rc = part_labels(p, ordinal, s->labels, &at, NULL);
	if (rc == 0)
		*cmp = labels_cmp(at, labels);
	return rc;
}

/* The stretch that the series must be in: p->next up to *end. *found: it is at p->next. */
static int gallop(
    struct sealed_times *s, struct place *p, const struct labels *labels, uint32_t *end, bool *found)
{
	uint32_t n = part_series_count(p->part);
	for (uint32_t step = 1; p->next < n; step *= 2) {
		uint32_t at = step - 1 < n - 1 - p->next ? p->next + step - 1 : n - 1;
		int cmp, rc = compare(s, p->part, at, labels, &cmp);
		if (rc)
			return rc;
		*end = at;
		if (cmp > 0)
			return 0;
		p->next = cmp == 0 ? at : at + 1;
		*found = cmp == 0;
		if (*found)
			return 0;
	}
	*end = n;
	return 0;
}

/* Moves the place to the series, or to the first one behind it. */
static int find(struct sealed_times *s, struct place *p, const struct labels *labels, bool *found)
{
	uint32_t end = 0;
	*found = false;
	int rc = gallop(s, p, labels, &end, found);
	while (rc == 0 && !*found && p->next < end) {
		uint32_t mid = p->next + (end - p->next) / 2;
		int cmp;
		rc = compare(s, p->part, mid, labels, &cmp);
		if (rc)
			break;
		if (cmp > 0) {
			end = mid;
			continue;
		}
		p->next = cmp == 0 ? mid : mid + 1;
		*found = cmp == 0;
	}
	return rc;
}

/* --- leaving out ---------------------------------------------------------------------------------------------------- */

static bool is_same(const struct sample_column *a, size_t i, const struct sample_column *b, size_t k)
{
	const struct histogram *x = a->h ? a->h[i] : NULL, *y = b->h ? b->h[k] : NULL;
	if (x && y)
		return histogram_eq(x, y);
	return !x && !y && double_bits(a->v[i]) == double_bits(b->v[k]);
}

static void move(struct sample_column *c, size_t from, size_t to)
{
	c->t[to] = c->t[from];
	c->v[to] = c->v[from];
	if (c->h)
		c->h[to] = c->h[from];
	if (c->start)
		c->start[to] = c->start[from];
}

static size_t subtract(struct sample_column *c, const struct sample_column *known)
{
	size_t kept = 0, k = 0, conflicts = 0;
	for (size_t i = 0; i < c->n; i++) {
		while (k < known->n && known->t[k] < c->t[i])
			k++;
		if (k < known->n && known->t[k] == c->t[i])
			conflicts += !is_same(c, i, known, k);
		else
			move(c, i, kept++);
	}
	if (kept < c->n)
		sample_column_forget_times(c);
	c->n = kept;
	return conflicts;
}

static size_t leave_out_of_part(
    struct sealed_times *s, struct place *p, const struct labels *labels, struct sample_column *c)
{
	const struct part_meta *m = part_meta(p->part);
	int64_t min = c->t[0], max = c->t[c->n - 1];
	bool found;
	if (m->min_t_ms > max || m->max_t_ms < min || find(s, p, labels, &found) != 0 || !found)
		return 0;
	sample_column_reset(&s->known);
	arena_reset(s->histograms);
	return part_read(p->part, p->next, min, max, &s->known, NULL) ? 0 : subtract(c, &s->known);
}

size_t sealed_times_leave_out(struct sealed_times *s, const struct labels *labels, struct sample_column *c)
{
	size_t conflicts = 0;
	for (size_t i = 0; i < s->n && c->n > 0; i++)
		conflicts += leave_out_of_part(s, &s->places[i], labels, c);
	return conflicts;
}
