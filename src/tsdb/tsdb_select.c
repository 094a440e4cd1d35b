/* Matching goes in three steps. The head's index gives refs; a look at their newest samples drops those that ended before
 * the range. Then each part of the range gives ordinals; the labels of an ordinal lead to the head's ref, or, when the head
 * has dropped that series, to a place of its own in a small table. Last, what a series has in parts (its pieces) is put
 * together, and series that have nothing in the range go.
 *
 * An instant query over a plain selector needs none of the parts as long as the head knows every series of its time. */
#include "tsdb/tsdb_select.h"

#include "base/hash.h"
#include "base/xmalloc.h"
#include "tsdb/column_order.h"
#include "tsdb/head_read.h"
#include "tsdb/newest_set.h"
#include "tsdb/series_grouping.h"
#include "tsdb/summary_pick.h"
#include <stdlib.h>

enum { PEEK_BATCH = 1024, ORDINAL_BATCH = 256 };

struct entry {
	series_ref ref;              /* 0: the head does not know it */
	uint32_t handle;             /* its labels in the head */
	const struct labels *labels; /* when known */
	struct last_sample newest;   /* for newest_only, when is_newest */
	bool is_newest;              /* the newest sample is the whole answer */
	bool in_head;                /* the head may have samples of the range */
	uint32_t first_piece, n_pieces;
};
VEC_DEFINE(entries, struct entry);

/* A series in a part. */
struct piece {
	uint32_t entry;
	uint32_t ordinal;
	struct part *part;
};
VEC_DEFINE(pieces, struct piece);

struct selection {
	const struct select_range *range;
	struct arena *arena, *scratch; /* scratch: labels that may be known already */
	struct entries entries;
	struct pieces pieces;
	size_t n_of_head; /* entries that the head gave */
	/* Places in entries + 1: of the head's series by how far their ref is behind the first one's, when they are dense enough;
	 * else, and of those that come later, by a table. */
	uint32_t *near;
	series_ref near_from;
	uint32_t n_near;
	struct tag_table by_ref, by_labels;
	bool needs_parts;
};

/* --- the head ------------------------------------------------------------------------------------------------ */

static uint64_t ref_hash(series_ref ref)
{
	return ref * UINT64_C(0x9e3779b97f4a7c15);
}

/* What the newest sample says of a series in this range. */
static void take_series(struct selection *s, series_ref ref, const struct head_peek *peek)
{
	const struct select_range *range = s->range;
	if (peek->labels == 0 || peek->last.t_ms < range->min_t_ms || peek->last.t_ms == INT64_MIN)
		return;
	struct entry *e = entries_add(&s->entries);
	e->ref = ref;
	e->handle = peek->labels;
	e->in_head = !peek->has_nothing_until || peek->nothing_until_ms <= range->max_t_ms;
	if (range->newest_only && !peek->last_is_histogram && peek->last.t_ms <= range->max_t_ms &&
	    peek->last.t_ms > atomic_load_explicit(&range->db->deleted_until_ms, memory_order_relaxed)) {
		e->newest = peek->last;
		e->is_newest = true;
		return;
	}
	s->needs_parts = true;
}

static void select_head(struct selection *s, const struct matcher *const *matchers, size_t n_matchers)
{
	struct head *h = s->range->head;
	struct postings matched = {0};
	rwlock_read(&h->index_lock);
	head_index_select(&h->index, matchers, n_matchers, &matched);
	rwlock_release(&h->index_lock);
	struct postings_iter it;
	postings_iter_init(&it, &matched);
	series_ref *refs = xreallocarray(NULL, PEEK_BATCH, sizeof(*refs));
	struct head_peek *peeks = xreallocarray(NULL, PEEK_BATCH, sizeof(*peeks));
	for (size_t n; (n = postings_iter_next(&it, refs, PEEK_BATCH)) > 0;) {
		head_peek(h, refs, n, peeks);
		for (size_t i = 0; i < n; i++)
			take_series(s, refs[i], &peeks[i]);
	}
	s->n_of_head = s->entries.len;
	free(peeks);
	free(refs);
	postings_done(&matched);
}

/* --- the parts ------------------------------------------------------------------------------------------------- */

static uint32_t find_ref(const struct selection *s, series_ref ref)
{
	struct tag_walk w;
	if (ref - s->near_from < s->n_near && s->near[ref - s->near_from])
		return s->near[ref - s->near_from];
	for (uint32_t i = tag_table_first(&s->by_ref, ref_hash(ref), &w); i; i = tag_table_next(&w))
		if (s->entries.v[i - 1].ref == ref)
			return i;
	return 0;
}

/* The head's series, which ascend by ref, become findable. */
static void note_refs(struct selection *s)
{
	enum { SPARSE = 8 };
	uint32_t n = (uint32_t)s->entries.len;
	if (n == 0)
		return;
	uint32_t span = s->entries.v[n - 1].ref - s->entries.v[0].ref + 1;
	if (span / SPARSE <= n) {
		s->near_from = s->entries.v[0].ref;
		s->n_near = span;
		s->near = xcalloc(span, sizeof(*s->near));
	}
	for (uint32_t i = 0; i < n; i++) {
		series_ref ref = s->entries.v[i].ref;
		if (s->near)
			s->near[ref - s->near_from] = i + 1;
		else
			tag_table_add(&s->by_ref, ref_hash(ref), i + 1);
	}
}

static uint32_t find_labels(const struct selection *s, const struct labels *labels)
{
	struct tag_walk w;
	for (uint32_t i = tag_table_first(&s->by_labels, labels->hash, &w); i; i = tag_table_next(&w))
		if (labels_eq(s->entries.v[i - 1].labels, labels))
			return i;
	return 0;
}

static uint32_t add_entry(struct selection *s, struct entry e)
{
	entries_push(&s->entries, e);
	uint32_t at = (uint32_t)s->entries.len;
	if (e.ref)
		tag_table_add(&s->by_ref, ref_hash(e.ref), at);
	else
		tag_table_add(&s->by_labels, e.labels->hash, at);
	return at;
}

/* The place + 1 of the series with these labels, made when new; *ref is the head's. */
static uint32_t place_of_labels(struct selection *s, const struct labels *labels, series_ref *ref)
{
	*ref = head_find_labels(s->range->head, labels);
	uint32_t at = *ref ? find_ref(s, *ref) : find_labels(s, labels);
	if (at)
		return at;
	return add_entry(s, (struct entry){.labels = labels_copy_to(s->arena, labels), .ref = *ref});
}

/* The place + 1 of a ref that once was the head's for the series; 0: the series has left the head. Labels are there as long
 * as the reader's parts are held. */
static uint32_t place_of_ref(struct selection *s, series_ref ref)
{
	uint32_t at = ref ? find_ref(s, ref) : 0;
	if (at || ref == 0)
		return at;
	uint32_t handle = head_series_handle(s->range->head, ref);
	return handle ? add_entry(s, (struct entry){.handle = handle, .ref = ref}) : 0;
}

static int take_ordinal(
    struct selection *s, struct part *p, struct ordinal_map *map, uint32_t ordinal, struct err *err)
{
	const struct labels *labels;
	uint32_t at = place_of_ref(s, ordinal_map_get(map, ordinal));
	if (at == 0) {
		series_ref ref;
		int rc = part_labels(p, ordinal, s->scratch, &labels, err);
		if (rc)
			return rc;
		at = place_of_labels(s, labels, &ref);
		ordinal_map_put(map, ordinal, ref);
	}
	pieces_push(&s->pieces, (struct piece){at - 1, ordinal, p});
	return 0;
}

static int take_ordinals(struct selection *s, struct part *p, struct ordinal_map *map,
    const uint32_t *ordinals, size_t n, struct err *err)
{
	const struct select_range *range = s->range;
	bool touches[ORDINAL_BATCH];
	int rc = part_touches(p, ordinals, n, range->min_t_ms, range->max_t_ms, touches, err);
	for (size_t i = 0; i < n && rc == 0; i++) {
		/* For samples it does not matter when a series turns out to be empty, for lists of series it does. */
		if (touches[i] && range->labels_only)
			touches[i] = part_estimate(p, ordinals[i], range->min_t_ms, range->max_t_ms) > 0;
		if (touches[i])
			rc = take_ordinal(s, p, map, ordinals[i], err);
	}
	return rc;
}

static int select_part(struct selection *s, struct part *p, const struct matcher *const *matchers,
    size_t n_matchers, struct err *err)
{
	struct postings matched = {0};
	int rc = part_select(p, matchers, n_matchers, &matched, err);
	struct ordinal_refs *known = s->range->db->ordinals;
	struct ordinal_map *map = ordinal_refs_pin(known, part_meta(p)->seq, part_series_count(p));
	struct postings_iter it;
	uint32_t ordinals[ORDINAL_BATCH];
	postings_iter_init(&it, &matched);
	for (size_t n; rc == 0 && (n = postings_iter_next(&it, ordinals, ORDINAL_BATCH)) > 0;) {
		rc = take_ordinals(s, p, map, ordinals, n, err);
		arena_reset(s->scratch);
		if (rc == 0 && arena_overflowed(s->arena))
			rc = err_set(err, ERR_LIMIT, "the query selects too many series");
	}
	ordinal_refs_unpin(known, map);
	postings_done(&matched);
	return rc;
}

/* The parts of the range, those of earlier times first, so that samples come in order; of two whose times overlap the first
 * stays first. Returns how many. */
static size_t parts_in_order(const struct select_range *range, struct part **out)
{
	size_t n = 0;
	for (size_t i = 0; i < range->parts->n; i++) {
		struct part *p = range->parts->v[i];
		const struct part_meta *m = part_meta(p);
		if (m->min_t_ms > range->max_t_ms || m->max_t_ms < range->min_t_ms)
			continue;
		size_t at = n++;
		for (; at > 0 && part_meta(out[at - 1])->min_t_ms > m->max_t_ms; at--)
			out[at] = out[at - 1];
		out[at] = p;
	}
	return n;
}

static int select_parts(
    struct selection *s, const struct matcher *const *matchers, size_t n_matchers, struct err *err)
{
	const struct select_range *range = s->range;
	if (!s->needs_parts && newest_set_applies(range))
		return 0;
	note_refs(s);
	struct part **parts = xcalloc(range->parts->n + 1, sizeof(*parts));
	size_t n = parts_in_order(range, parts);
	int rc = 0;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = select_part(s, parts[i], matchers, n_matchers, err);
	free(parts);
	return rc;
}

/* --- the series set -------------------------------------------------------------------------------------------- */

struct tsdb_series_set {
	struct series_set base;
	struct select_range range;
	struct entry *entries; /* in the arena */
	size_t n_by_ref;       /* the first so many ascend by ref; the head knew them at once */
	struct piece *pieces;
};

static struct tsdb_series_set *set_of(struct series_set *s)
{
	return (struct tsdb_series_set *)s;
}

static const struct labels *entry_labels(const struct head *head, const struct entry *e, struct arena *arena)
{
	return e->labels ? e->labels : series_labels_copy(&head->index.labels, e->handle, arena);
}

static const struct labels *set_labels(struct series_set *base, size_t i, struct arena *arena)
{
	struct tsdb_series_set *s = set_of(base);
	return entry_labels(s->range.head, &s->entries[i], arena);
}

/* What the head has is decoded each time; series with the same newest times are known by them. */
static int read_head_piece(const struct select_range *range, series_ref ref, int64_t min_t_ms,
    int64_t max_t_ms, struct sample_column *out, struct err *err)
{
	size_t from = out->n;
	int rc = head_read(range->head, ref, range->parts->sealed_seq, min_t_ms, max_t_ms, out, err);
	if (rc)
		return rc;
	struct times_piece piece = {.key = 1, .n = (uint32_t)(out->n - from)};
	if (piece.n > 0)
		piece.key = hash64(out->t + from, piece.n * sizeof(out->t[0]));
	out->n = from;
	sample_column_note_times(out, piece);
	out->n += piece.n;
	return 0;
}

/* The end of the first window that ends at t_ms or behind it. */
static int64_t window_end(const struct select_range *range, int64_t t_ms)
{
	return range->last_ms - (range->last_ms - t_ms) / range->step_ms * range->step_ms;
}

/* Index of the first time behind t_ms, which is likely to be near `from`. */
static size_t first_behind(const struct sample_column *c, size_t from, int64_t t_ms)
{
	size_t jump = 8, lo = from, hi = from + jump;
	while (hi < c->n && c->t[hi] <= t_ms) {
		lo = hi;
		hi += jump *= 2;
	}
	hi = hi < c->n ? hi : c->n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (c->t[mid] <= t_ms)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void move_samples(struct sample_column *c, size_t to, size_t from, size_t n)
{
	memmove(c->t + to, c->t + from, n * sizeof(*c->t));
	memmove(c->v + to, c->v + from, n * sizeof(*c->v));
	if (c->h)
		memmove(c->h + to, c->h + from, n * sizeof(*c->h));
	if (c->start)
		memmove(c->start + to, c->start + from, n * sizeof(*c->start));
}

/* Of the samples from `from` on, which ascend, those that some window sees: a long range read for a few minutes of each hour
 * stays in the CPU's cache. */
static void keep_windows(const struct select_range *range, struct sample_column *c, size_t from)
{
	size_t kept = from;
	for (size_t i = from; i < c->n && c->t[i] <= range->last_ms;) {
		int64_t end_ms = window_end(range, c->t[i]);
		if (c->t[i] <= end_ms - range->window_ms) {
			i = first_behind(c, i, end_ms - range->window_ms);
			continue;
		}
		size_t to = first_behind(c, i, end_ms);
		move_samples(c, kept, i, to - i);
		kept += to - i;
		i = to;
	}
	sample_column_forget_times(c);
	c->n = kept;
}

/* What a part has within the windows. Where they are further apart than chunks are long, each is read by itself. */
static int read_windows(
    const struct select_range *range, const struct piece *p, struct sample_column *out, struct err *err)
{
	enum { FAR_MS = 6 * 3600 * 1000 };
	const struct part_meta *m = part_meta(p->part);
	int64_t first_ms = m->min_t_ms > range->min_t_ms ? m->min_t_ms : range->min_t_ms,
		last_ms = m->max_t_ms < range->max_t_ms ? m->max_t_ms : range->max_t_ms;
	size_t from = out->n;
	int rc = 0;
	if (range->step_ms < FAR_MS) {
		rc = part_read(p->part, p->ordinal, range->min_t_ms, range->max_t_ms, out, err);
		if (rc == 0)
			keep_windows(range, out, from);
		return rc;
	}
	for (int64_t end_ms = window_end(range, first_ms); rc == 0 && end_ms - range->window_ms < last_ms;
	     end_ms += range->step_ms) {
		int64_t begin_ms = end_ms - range->window_ms + 1;
		rc = part_read(p->part, p->ordinal, begin_ms > first_ms ? begin_ms : first_ms,
		    end_ms < last_ms ? end_ms : last_ms, out, err);
	}
	return rc;
}

/* All samples within the range; or, of that of the whole set, what its windows see. */
static int read_piece(const struct select_range *range, const struct piece *p, int64_t min_t_ms,
    int64_t max_t_ms, struct sample_column *out, struct err *err)
{
	bool whole = min_t_ms == range->min_t_ms && max_t_ms == range->max_t_ms;
	return whole && range->window_ms ? read_windows(range, p, out, err)
					 : part_read(p->part, p->ordinal, min_t_ms, max_t_ms, out, err);
}

/* Each stretch of times whose number is known ascends: what is left to see is how they follow each other. */
static bool stretches_ascend(const struct sample_column *c)
{
	size_t at = 0;
	if (!sample_column_times_id(c))
		return false;
	for (size_t k = 0; k < c->times.at; k++) {
		if (at > 0 && at < c->n && c->t[at] <= c->t[at - 1])
			return false;
		at += c->times.pieces[k].n;
	}
	return true;
}

static int read_pieces(struct tsdb_series_set *s, const struct entry *e, int64_t min_t_ms, int64_t max_t_ms,
    struct sample_column *out, struct err *err)
{
	int rc = 0;
	for (uint32_t k = 0; k < e->n_pieces && rc == 0; k++) {
		const struct piece *p = &s->pieces[e->first_piece + k];
		rc = read_piece(&s->range, p, min_t_ms, max_t_ms, out, err);
	}
	if (rc == 0 && e->ref)
		rc = read_head_piece(&s->range, e->ref, min_t_ms, max_t_ms, out, err);
	if (rc == 0 && !stretches_ascend(out) && !column_order(out, 0))
		rc = err_set(err, ERR_NO_MEMORY, "no memory to order %zu samples", out->n);
	return rc;
}

static int set_read_between(struct series_set *base, size_t i, int64_t min_t_ms, int64_t max_t_ms,
    struct sample_column *out, struct err *err)
{
	struct tsdb_series_set *s = set_of(base);
	const struct entry *e = &s->entries[i];
	sample_column_reset(out);
	min_t_ms = min_t_ms > s->range.min_t_ms ? min_t_ms : s->range.min_t_ms;
	max_t_ms = max_t_ms < s->range.max_t_ms ? max_t_ms : s->range.max_t_ms;
	if (!e->is_newest)
		return min_t_ms <= max_t_ms ? read_pieces(s, e, min_t_ms, max_t_ms, out, err) : 0;
	if (e->newest.t_ms < min_t_ms || e->newest.t_ms > max_t_ms)
		return 0;
	if (!sample_column_push(out, e->newest.t_ms, e->newest.v, NULL))
		return err_set(err, ERR_NO_MEMORY, "no memory for a sample");
	return 0;
}

static int set_read(struct series_set *base, size_t i, struct sample_column *out, struct err *err)
{
	return set_read_between(base, i, INT64_MIN, INT64_MAX, out, err);
}

static int pick_summaries(struct tsdb_series_set *s, const struct entry *e, int64_t min_t_ms,
    int64_t max_t_ms, struct chunk_spans *spans, struct sample_summaries *out, struct err *err)
{
	struct head *h = s->range.head;
	uint64_t sealed = s->range.parts->sealed_seq;
	struct sample_column head; /* what is in no part: of histograms, too, only the times count */
	int rc = 0;
	sample_column_init(&head, NULL);
	if (e->ref && head_estimate(h, e->ref, sealed, min_t_ms, max_t_ms) > 0) {
		head.histograms = arena_new(ARENA_NO_LIMIT);
		rc = head_read(h, e->ref, sealed, min_t_ms, max_t_ms, &head, err);
	}
	if (rc == 0 && !summaries_pick(spans, head.t, head.n, min_t_ms, max_t_ms, out))
		rc = err_set(err, ERR_NO_MEMORY, "no memory for the summaries of a series");
	arena_free(head.histograms);
	sample_column_done(&head);
	return rc;
}

static int set_summaries(struct series_set *base, size_t i, int64_t min_t_ms, int64_t max_t_ms,
    struct sample_summaries *out, struct err *err)
{
	struct tsdb_series_set *s = set_of(base);
	const struct entry *e = &s->entries[i];
	struct chunk_spans spans = {0};
	int rc = 0;
	bool any = false;
	out->n = 0;
	out->nothing_follows = false;
	for (uint32_t k = 0; !e->is_newest && k < e->n_pieces && rc == 0; k++) {
		const struct piece *p = &s->pieces[e->first_piece + k];
		rc = part_spans(p->part, p->ordinal, min_t_ms, max_t_ms, &spans, err);
	}
	for (size_t k = 0; k < spans.len; k++)
		any |= spans.v[k].has_summary;
	if (rc == 0 && any)
		rc = pick_summaries(s, e, min_t_ms, max_t_ms, &spans, out, err);
	chunk_spans_done(&spans);
	return rc;
}

static size_t set_estimate(struct series_set *base, size_t i)
{
	struct tsdb_series_set *s = set_of(base);
	const struct select_range *range = &s->range;
	const struct entry *e = &s->entries[i];
	if (e->is_newest)
		return 1;
	size_t n = e->ref ? head_estimate(range->head, e->ref, range->parts->sealed_seq, range->min_t_ms,
				range->max_t_ms)
			  : 0;
	for (uint32_t k = 0; k < e->n_pieces; k++) {
		const struct piece *p = &s->pieces[e->first_piece + k];
		n += part_estimate(p->part, p->ordinal, range->min_t_ms, range->max_t_ms);
	}
	return n;
}

static uint32_t handle_of_entry(void *arg, size_t i)
{
	const struct tsdb_series_set *s = arg;
	return s->entries[i].labels ? 0 : s->entries[i].handle;
}

static bool set_groups(struct series_set *base, const struct slice *names, size_t n_names,
    struct arena *arena, struct series_groups *out)
{
	struct tsdb_series_set *s = set_of(base);
	return group_by_handles(s->range.head, base->n, handle_of_entry, s, names, n_names, arena, out);
}

static const struct series_set_ops set_ops = {
    .labels = set_labels,
    .read = set_read,
    .estimate = set_estimate,
    .groups = set_groups,
    .summaries = set_summaries,
    .read_between = set_read_between,
};

/* --- putting it together --------------------------------------------------------------------------------------- */

/* Counting sort of the pieces by entry; parts keep their order. */
static struct piece *group_pieces(struct selection *s)
{
	struct piece *grouped = ARENA_ARRAY(s->arena, struct piece, s->pieces.len + 1);
	VEC_EACH (struct piece, p, &s->pieces)
		s->entries.v[p->entry].n_pieces++;
	uint32_t at = 0;
	VEC_EACH (struct entry, e, &s->entries) {
		e->first_piece = at;
		at += e->n_pieces;
		e->n_pieces = 0;
	}
	VEC_EACH (struct piece, p, &s->pieces) {
		struct entry *e = &s->entries.v[p->entry];
		grouped[e->first_piece + e->n_pieces++] = *p;
	}
	return grouped;
}

static int by_labels(const void *a, const void *b)
{
	return labels_cmp(((const struct entry *)a)->labels, ((const struct entry *)b)->labels);
}

static int finish(struct selection *s, struct series_set **out, struct err *err)
{
	struct tsdb_series_set *set = ARENA_NEW(s->arena, struct tsdb_series_set);
	set->base.ops = &set_ops;
	set->range = *s->range;
	set->pieces = group_pieces(s);
	set->entries = ARENA_ARRAY(s->arena, struct entry, s->entries.len + 1);
	VEC_EACH (struct entry, e, &s->entries) {
		if (!e->is_newest && !e->in_head && e->n_pieces == 0)
			continue;
		if (s->range->sorted)
			e->labels = entry_labels(s->range->head, e, s->arena);
		set->entries[set->base.n++] = *e;
		set->n_by_ref += (size_t)(e - s->entries.v) < s->n_of_head;
	}
	if (s->range->sorted) {
		set->n_by_ref = 0;
		qsort(set->entries, set->base.n, sizeof(struct entry), by_labels);
	}
	if (arena_overflowed(s->arena))
		return err_set(err, ERR_LIMIT, "the query selects too many series");
	*out = &set->base;
	return 0;
}

int tsdb_select_all(const struct select_range *range, struct arena *arena,
    const struct matcher *const *matchers, size_t n_matchers, struct series_set **out, struct err *err)
{
	struct selection s = {.range = range, .arena = arena, .scratch = arena_new(ARENA_NO_LIMIT)};
	select_head(&s, matchers, n_matchers);
	int rc = select_parts(&s, matchers, n_matchers, err);
	if (rc == 0)
		rc = finish(&s, out, err);
	arena_free(s.scratch);
	free(s.near);
	entries_done(&s.entries);
	pieces_done(&s.pieces);
	tag_table_done(&s.by_ref);
	tag_table_done(&s.by_labels);
	return rc;
}

bool tsdb_select_find(struct series_set *base, series_ref ref, size_t *place)
{
	const struct tsdb_series_set *s = set_of(base);
	size_t lo = 0, hi = s->n_by_ref;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (s->entries[mid].ref < ref)
			lo = mid + 1;
		else
			hi = mid;
	}
	*place = lo;
	return lo < s->n_by_ref && s->entries[lo].ref == ref;
}

int tsdb_select(const struct select_range *range, struct arena *arena, const struct matcher *const *matchers,
    size_t n_matchers, struct series_set **out, struct err *err)
{
	struct head *h = range->head;
	struct postings matched = {0};
	if (range->sorted || !newest_set_applies(range))
		return tsdb_select_all(range, arena, matchers, n_matchers, out, err);
	rwlock_read(&h->index_lock);
	head_index_select(&h->index, matchers, n_matchers, &matched);
	rwlock_release(&h->index_lock);
	*out = newest_set_new(range, arena, matchers, n_matchers, &matched);
	return 0;
}
