#include "tsdb/compact_plan.h"

#include "base/xmalloc.h"
#include <stdlib.h>

enum {
	WORTH = 4, /* a part is joined with at least a quarter of its bytes */
	MANY = 32, /* so many sealed parts are joined before their window is complete */
	AT_LEAST = 2,
};

struct candidate {
	const struct part_meta *meta;
	size_t place; /* in the caller's list */
	int64_t window;
};

/* The candidates of one window. */
struct group {
	const struct candidate *v;
	size_t n;
};

static uint64_t part_bytes(const struct part_meta *m)
{
	return m->chunks_bytes + m->dir_bytes + m->index_bytes;
}

static int64_t window_of(int64_t t_ms, int64_t range_ms)
{
	return t_ms / range_ms - (t_ms % range_ms < 0);
}

static int by_rank(const struct part_meta *x, const struct part_meta *y)
{
	if (x->newest_seq != y->newest_seq)
		return x->newest_seq < y->newest_seq ? -1 : 1;
	return (x->seq > y->seq) - (x->seq < y->seq);
}

static int by_window(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	if (x->window != y->window)
		return x->window < y->window ? -1 : 1;
	return by_rank(x->meta, y->meta);
}

/* How many windows a part reaches into. */
static uint64_t count_windows(const struct part_meta *m, int64_t range_ms)
{
	return (uint64_t)window_of(m->max_t_ms, range_ms) - (uint64_t)window_of(m->min_t_ms, range_ms) + 1;
}

/* A part of a window and perhaps the next one. Longer ones were written while the clock jumped, or all at once from an old
 * log, or are of late samples. */
static bool is_short(const struct part_meta *m, int64_t range_ms)
{
	return count_windows(m, range_ms) <= 2;
}

static bool overlap(const struct part_meta *a, const struct part_meta *b)
{
	return a->min_t_ms <= b->max_t_ms && b->min_t_ms <= a->max_t_ms;
}

/* --- pieces ---------------------------------------------------------------------------------------------------- */

/* The last millisecond of a window. */
static int64_t end_of(int64_t window, int64_t range_ms)
{
	int64_t end;
	if (__builtin_add_overflow(window, 1, &end) || __builtin_mul_overflow(end, range_ms, &end))
		return INT64_MAX;
	return end - 1;
}

/* The window, and what reaches out of it, which is written first: the last piece is the one that is never empty. */
static void cut_behind_window(struct compact_job *job, const struct part_meta *const *chosen, int level,
    int64_t window, int64_t range_ms)
{
	int64_t end = end_of(window, range_ms), max = INT64_MIN;
	for (size_t i = 0; i < job->n; i++)
		max = chosen[i]->max_t_ms > max ? chosen[i]->max_t_ms : max;
	job->n_pieces = 0;
	if (max > end)
		job->pieces[job->n_pieces++] = (struct compact_piece){0, end + 1, INT64_MAX};
	job->pieces[job->n_pieces++] = (struct compact_piece){level, INT64_MIN, end};
}

/* A piece a window; of very many windows several together, which are split again. */
static void cut_at_windows(struct compact_job *job, const struct part_meta *m, int64_t range_ms)
{
	uint64_t times = (count_windows(m, range_ms) - 1) / (COMPACT_PIECES_MAX - 1) + 1;
	if (__builtin_mul_overflow(range_ms, (int64_t)times, &range_ms))
		range_ms = INT64_MAX / 2;
	int64_t from = INT64_MIN;
	job->n_pieces = 0;
	for (int64_t w = window_of(m->min_t_ms, range_ms); w <= window_of(m->max_t_ms, range_ms); w++) {
		int64_t end = end_of(w, range_ms);
		job->pieces[job->n_pieces++] = (struct compact_piece){m->level, from, end};
		from = end < INT64_MAX ? end + 1 : INT64_MAX;
	}
	job->pieces[job->n_pieces - 1].max_t_ms = INT64_MAX;
}

static void split(struct compact_job *job, const struct part_meta *m, size_t place, int64_t range_ms)
{
	job->n = 1;
	job->parts[0] = place;
	cut_at_windows(job, m, range_ms);
}

/* --- choosing within a window --------------------------------------------------------------------------------- */

static bool is_ripe(const struct group *g, int64_t range_ms, const struct compact_limits *limits)
{
	int64_t end;
	if (limits->at_once || g->n >= MANY)
		return true;
	return !__builtin_mul_overflow(g->v[0].window + 1, range_ms, &end) && end <= limits->closed_ms;
}

static uint64_t bytes_below(const struct group *g, int level)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].meta->level < level)
			sum += part_bytes(g->v[i].meta);
	return sum;
}

/* Parts of the same stretch of time hold different series as a rule, those of different stretches the same ones: so the
 * series at one time are what a job has to remember. */
static bool fits(const struct part_meta *const *chosen, const struct compact_job *job,
    const struct part_meta *m, const struct compact_limits *limits)
{
	uint64_t series = m->series, bytes = part_bytes(m);
	for (size_t i = 0; i < job->n; i++) {
		bytes += part_bytes(chosen[i]);
		if (overlap(chosen[i], m))
			series += chosen[i]->series;
	}
	return series <= limits->max_series && bytes <= limits->max_bytes;
}

/* From the candidate `first` on, all that fit together. */
static bool choose_from(const struct group *g, size_t first, int level, const struct compact_limits *limits,
    struct compact_job *out)
{
	const struct part_meta *chosen[COMPACT_PARTS_MAX];
	uint64_t below = bytes_below(g, level);
	out->n = 0;
	for (size_t i = first; i < g->n && out->n < COMPACT_PARTS_MAX; i++) {
		const struct part_meta *m = g->v[i].meta;
		bool worth = limits->at_once || m->level < level || part_bytes(m) / WORTH <= below;
		if (!worth || !fits(chosen, out, m, limits))
			continue;
		chosen[out->n] = m;
		out->parts[out->n++] = g->v[i].place;
	}
	if (out->n < AT_LEAST)
		return false;
	cut_behind_window(out, chosen, level, g->v[0].window, limits->range_ms[level - 1]);
	return true;
}

/* What is not joined is cut all the same, so that it goes with its window. */
static bool choose_to_cut(const struct group *g, int64_t range_ms, struct compact_job *out)
{
	for (size_t i = 0; i < g->n; i++)
		if (count_windows(g->v[i].meta, range_ms) > 1) {
			split(out, g->v[i].meta, g->v[i].place, range_ms);
			return true;
		}
	return false;
}

static bool choose(const struct group *g, int level, int64_t range_ms, const struct compact_limits *limits,
    struct compact_job *out)
{
	if (!is_ripe(g, range_ms, limits))
		return false;
	if (limits->at_once || bytes_below(g, level) > 0)
		for (size_t first = 0; first + AT_LEAST <= g->n; first++)
			if (choose_from(g, first, level, limits, out))
				return true;
	return choose_to_cut(g, range_ms, out);
}

/* --- all windows ---------------------------------------------------------------------------------------------- */

static bool has_late(const struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].meta->out_of_order)
			return true;
	return false;
}

static size_t list_candidates(
    const struct part_meta *const *parts, size_t n, int level, int64_t range_ms, struct candidate *out)
{
	size_t len = 0;
	for (size_t i = 0; i < n; i++)
		if (parts[i]->level <= level && is_short(parts[i], range_ms))
			out[len++] = (struct candidate){parts[i], i, window_of(parts[i]->min_t_ms, range_ms)};
	if (len)
		qsort(out, len, sizeof(*out), by_window);
	return len;
}

/* The oldest window that can be joined, those with late samples first: overlapping parts cost readers most. */
static bool plan_level(const struct part_meta *const *parts, size_t n, int level, int64_t range_ms,
    const struct compact_limits *limits, struct compact_job *out)
{
	struct candidate *all = xreallocarray(NULL, n + 1, sizeof(*all));
	size_t len = list_candidates(parts, n, level, range_ms, all);
	bool found = false;
	for (size_t i = 0, end; i < len; i = end) {
		struct compact_job job;
		for (end = i + 1; end < len && all[end].window == all[i].window;)
			end++;
		struct group g = {all + i, end - i};
		bool late = has_late(&g);
		if ((found && !late) || !choose(&g, level, range_ms, limits, &job))
			continue;
		*out = job;
		found = true;
		if (late)
			break;
	}
	free(all);
	return found;
}

/* The windows that a long part is split at: those of its level, but a long part of the newest samples, which were taken all at
 * once, waits for its day. 0: it is not split. */
static int64_t range_to_split(const struct part_meta *m, int levels, const struct compact_limits *limits)
{
	int level = m->level > 1 ? m->level : 1;
	if (level < levels && (limits->at_once || (m->level == 0 && !m->out_of_order)))
		level = levels;
	return level > levels || is_short(m, limits->range_ms[level - 1]) ? 0 : limits->range_ms[level - 1];
}

static bool plan_split(const struct part_meta *const *parts, size_t n, int levels,
    const struct compact_limits *limits, struct compact_job *out)
{
	const struct part_meta *oldest = NULL;
	for (size_t i = 0; i < n; i++) {
		int64_t range_ms = range_to_split(parts[i], levels, limits);
		if (range_ms == 0 || (oldest && by_rank(oldest, parts[i]) < 0))
			continue;
		oldest = parts[i];
		split(out, oldest, i, range_ms);
	}
	return oldest != NULL;
}

bool compact_plan(const struct part_meta *const *parts, size_t n, const struct compact_limits *limits,
    struct compact_job *out)
{
	int levels = 0;
	while (levels < COMPACT_LEVELS && limits->range_ms[levels] > 0)
		levels++;
	if (plan_split(parts, n, levels, limits, out))
		return true;
	for (int level = limits->at_once ? levels : 1; level > 0 && level <= levels; level++)
		if (plan_level(parts, n, level, limits->range_ms[level - 1], limits, out))
			return true;
	return false;
}
