#include "storage/querier.h"

#include "base/hash.h"
#include <stdlib.h>

void sample_column_init(struct sample_column *c, struct arena *histograms)
{
	*c = (struct sample_column){.histograms = histograms};
}

void sample_column_done(struct sample_column *c)
{
	free(c->t);
	free(c->v);
	free(c->h);
	free(c->start);
	free(c->times.pieces);
	*c = (struct sample_column){.histograms = c->histograms};
}

void sample_column_reset(struct sample_column *c)
{
	/* Somebody wrote times that are in no piece: then nobody knows what t[] holds. */
	c->times.n = c->times.known == c->n ? c->times.at : 0;
	c->times.at = c->times.known = 0;
	c->times.id = 0;
	c->n = 0;
	free(c->h);
	c->h = NULL;
	c->h_cap = 0;
	free(c->start);
	c->start = NULL;
	c->start_cap = 0;
}

static bool grow(void **ptr, size_t n, size_t size)
{
	void *p = reallocarray(*ptr, n, size);
	if (!p)
		return false;
	*ptr = p;
	return true;
}

/* Gives the histogram column as much room as the others have; the floats so far have no histogram. */
static bool reserve_histograms(struct sample_column *c)
{
	if (c->h && c->h_cap >= c->cap)
		return true;
	bool is_new = !c->h;
	if (!grow((void **)&c->h, c->cap, sizeof(c->h[0])))
		return false;
	c->h_cap = c->cap;
	for (size_t i = 0; is_new && i < c->n; i++)
		c->h[i] = NULL;
	return true;
}

/* Gives the start column as much room as the others have; the samples so far have no start. */
static bool reserve_starts(struct sample_column *c)
{
	if (c->start && c->start_cap >= c->cap)
		return true;
	bool is_new = !c->start;
	if (!grow((void **)&c->start, c->cap, sizeof(c->start[0])))
		return false;
	c->start_cap = c->cap;
	for (size_t i = 0; is_new && i < c->n; i++)
		c->start[i] = 0;
	return true;
}

bool sample_column_reserve(struct sample_column *c, size_t more)
{
	size_t need;
	if (__builtin_add_overflow(c->n, more, &need))
		return false;
	if (need <= c->cap)
		return true;
	size_t cap = c->cap + c->cap / 2 + 16;
	if (cap < need)
		cap = need;
	if (!grow((void **)&c->t, cap, sizeof(c->t[0])) || !grow((void **)&c->v, cap, sizeof(c->v[0])))
		return false;
	c->cap = cap;
	return (!c->h || reserve_histograms(c)) && (!c->start || reserve_starts(c));
}

bool sample_column_push(struct sample_column *c, int64_t t_ms, double v, const struct histogram *h)
{
	if (unlikely(c->n == c->cap) && !sample_column_reserve(c, 1))
		return false;
	if (unlikely(h || c->h)) {
		if (!reserve_histograms(c))
			return false;
		c->h[c->n] = h;
	}
	if (unlikely(c->start != NULL)) {
		if (!reserve_starts(c))
			return false;
		c->start[c->n] = 0;
	}
	c->t[c->n] = t_ms;
	c->v[c->n] = v;
	c->n++;
	return true;
}

bool sample_column_set_start(struct sample_column *c, int64_t start_ms)
{
	if (c->n == 0 || !reserve_starts(c))
		return false;
	c->start[c->n - 1] = start_ms;
	return true;
}

/* --- times that are known --------------------------------------------------------------------------------------- */

static const size_t FOREIGN = SIZE_MAX; /* times.known: there are times that are in no piece */

static void take_piece(struct column_times *times, const struct times_piece *piece)
{
	uint64_t both[2] = {times->id, piece->key}, mixed = hash64(both, sizeof(both));
	times->at++;
	times->known += piece->n;
	times->id = mixed ? mixed : 1;
}

bool sample_column_has_times(struct sample_column *c, uint64_t key, struct times_piece *out)
{
	struct column_times *times = &c->times;
	if (times->known == c->n && times->at < times->n && times->pieces[times->at].key == key && key) {
		*out = times->pieces[times->at];
		take_piece(times, out);
		return true;
	}
	/* What is behind is about to be written over. */
	times->n = times->at;
	return false;
}

void sample_column_note_times(struct sample_column *c, struct times_piece piece)
{
	struct column_times *times = &c->times;
	if (piece.key == 0 || times->known != c->n) {
		sample_column_forget_times(c);
		return;
	}
	if (times->at == times->cap) {
		if (!grow((void **)&times->pieces, times->cap * 2 + 8, sizeof(times->pieces[0]))) {
			sample_column_forget_times(c);
			return;
		}
		times->cap = times->cap * 2 + 8;
	}
	times->pieces[times->at] = piece;
	take_piece(times, &piece);
	times->n = times->at;
}

void sample_column_forget_times(struct sample_column *c)
{
	c->times.n = c->times.at = 0;
	c->times.known = FOREIGN;
}

uint64_t sample_column_times_id(const struct sample_column *c)
{
	return c->times.known == c->n ? c->times.id : 0;
}

/* --- summaries -------------------------------------------------------------------------------------------------- */

void sample_summaries_done(struct sample_summaries *s)
{
	free(s->v);
	*s = (struct sample_summaries){0};
}

struct sample_summary *sample_summaries_add(struct sample_summaries *s)
{
	if (s->n == s->cap) {
		size_t cap = s->cap * 2 + 16;
		if (!grow((void **)&s->v, cap, sizeof(s->v[0])))
			return NULL;
		s->cap = cap;
	}
	return &s->v[s->n++];
}
