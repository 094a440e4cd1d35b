#include "scrape/scrape_append.h"

#include "model/stale_marker.h"
#include "scrape/parse_text.h"
#include "scrape/sample_labels.h"

#include <inttypes.h>

enum {
	BATCH = 256,
	ROUND_MASK = (1 << 24) - 1, /* of struct cache_entry */
	MAX_AHEAD_MS = 10 * 60 * 1000,
	SCRATCH_BYTES =
	    256 << 10, /* labels of new series gather up to here before their memory is used again */
};

/* A sample that waits in the batch, and what it takes to add its series again. */
struct waiting {
	struct slice raw;
	enum metric_type type;
	size_t entry; /* in cache->now; SIZE_MAX: none */
};

struct page_run {
	const struct scrape_page *page;
	struct appender *a;
	struct scrape_counts *counts;
	struct arena *scratch;
	struct text_parser parser;
	bool over_limit; /* of samples: only counting from here on */
	size_t n;
	struct sample samples[BATCH];
	struct waiting waiting[BATCH];
};

/* --- series ---------------------------------------------------------------------------------------------------------------- */

/* The reference for the series at the parser; 0 when relabelling drops it or the store takes no more. */
static int add_series(
    struct page_run *run, struct text_parser *p, series_ref *ref, bool *dropped, struct err *err)
{
	const struct scrape_page *page = run->page;
	if (arena_used_bytes(run->scratch) > SCRATCH_BYTES)
		arena_reset(run->scratch);
	struct label *l;
	size_t n;
	const struct labels *labels = NULL;
	int rc = text_series_labels(p, run->scratch, &l, &n, err);
	if (rc == 0)
		rc = sample_labels(page->config, page->target, l, n, run->scratch, &labels, err);
	*dropped = !labels;
	*ref = 0;
	if (rc < 0 || !labels)
		return rc;
	rc = run->a->ops->add_series(run->a, NULL, labels, ref, err);
	if (rc != ERR_LIMIT && rc != ERR_NO_MEMORY)
		return rc;
	run->counts->refused++;
	return 0;
}

/* --- samples ----------------------------------------------------------------------------------------------------------------- */

static void count_refusal(struct scrape_counts *counts, enum append_result r)
{
	if (r == APPEND_OUT_OF_ORDER || r == APPEND_TOO_OLD)
		counts->out_of_order++;
	else if (r == APPEND_DUPLICATE)
		counts->duplicates++;
	else if (r == APPEND_EXPIRED || r == APPEND_TOO_FAR)
		counts->out_of_bounds++;
	else if (r == APPEND_LIMIT || r == APPEND_NO_ROOM)
		counts->refused++;
}

/* The reference was good in this transaction. */
static void note_round(struct page_run *run, const struct waiting *w)
{
	if (w->entry < run->page->cache->now.len)
		run->page->cache->now.v[w->entry].round = run->a->round & ROUND_MASK;
}

/* The series had ended and was dropped from the store: the page brings it back. */
static int append_again(struct page_run *run, size_t i, struct err *err)
{
	const struct waiting *w = &run->waiting[i];
	struct text_parser p = run->parser;
	p.series = w->raw;
	p.start = w->raw.ptr;
	p.type = w->type;
	bool dropped;
	struct sample s = run->samples[i];
	s.round = 0;
	int rc = add_series(run, &p, &s.ref, &dropped, err);
	if (rc < 0 || s.ref == 0)
		return rc;
	if (w->entry < run->page->cache->now.len)
		run->page->cache->now.v[w->entry].ref = s.ref;
	note_round(run, w);
	uint8_t result = APPEND_OK;
	rc = run->a->ops->append(run->a, &s, 1, &result, err);
	if (rc == 0)
		count_refusal(run->counts, (enum append_result)result);
	return rc;
}

static int flush(struct page_run *run, struct err *err)
{
	uint8_t results[BATCH] = {0};
	size_t n = run->n;
	run->n = 0;
	if (n == 0)
		return 0;
	int rc = run->a->ops->append(run->a, run->samples, n, results, err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (likely(results[i] != APPEND_UNKNOWN_REF))
			note_round(run, &run->waiting[i]);
		if (likely(results[i] == APPEND_OK))
			continue;
		if (results[i] == APPEND_UNKNOWN_REF)
			rc = append_again(run, i, err);
		else
			count_refusal(run->counts, (enum append_result)results[i]);
	}
	return rc;
}

static int put(struct page_run *run, const struct cache_entry *e, int64_t t_ms, size_t entry, struct err *err)
{
	run->samples[run->n] =
	    (struct sample){.ref = e->ref, .round = e->round, .t_ms = t_ms, .v = run->parser.value};
	run->waiting[run->n] = (struct waiting){run->parser.series, run->parser.type, entry};
	return ++run->n == BATCH ? flush(run, err) : 0;
}

/* One sample is over the limit: no more go to the store, but counting goes on, so that the target's report tells how many. */
static bool count_kept(struct page_run *run)
{
	uint64_t limit = run->page->config->limits.samples;
	run->counts->kept++;
	run->over_limit = run->over_limit || (limit > 0 && run->counts->kept > limit);
	return !run->over_limit;
}

static int take_series(struct page_run *run, struct err *err)
{
	const struct scrape_page *page = run->page;
	struct text_parser *p = &run->parser;
	run->counts->scraped++;
	bool is_new, is_again, dropped = false;
	struct cache_entry *e = scrape_cache_find(page->cache, p->series, &is_new, &is_again);
	if (is_new || (e->ref == 0 && !(e->flags & CACHE_DROPPED))) {
		series_ref ref;
		int rc = add_series(run, p, &ref, &dropped, err);
		if (rc < 0)
			return rc;
		e->ref = ref;
		e->round = run->a->round & ROUND_MASK;
		e->flags |= dropped ? CACHE_DROPPED : 0;
		run->counts->added += is_new && e->ref != 0;
	}
	if (e->flags & CACHE_DROPPED)
		return 0;
	bool timed = p->has_time && page->config->honor_timestamps;
	bool untracked = timed && !page->config->track_timestamps_staleness;
	if (!is_again)
		e->flags = (e->flags & ~(unsigned)CACHE_TIMED) | (untracked ? CACHE_TIMED : 0);
	if (!count_kept(run) || e->ref == 0)
		return 0;
	if (is_again && !timed) {
		run->counts->duplicates++;
		return 0;
	}
	int64_t t_ms = timed ? p->t_ms : page->t_ms;
	if (t_ms > page->now_ms + MAX_AHEAD_MS) {
		run->counts->out_of_bounds++;
		return 0;
	}
	return put(run, e, t_ms, is_again ? SIZE_MAX : (size_t)(e - page->cache->now.v), err);
}

static int take_entry(struct page_run *run, struct err *err)
{
	struct text_parser *p = &run->parser;
	if (p->entry == TEXT_SERIES)
		return take_series(run, err);
	if (p->entry == TEXT_HELP)
		metadata_cache_help(run->page->metadata, p->metric, p->help, run->a);
	else
		metadata_cache_type(run->page->metadata, p->metric, p->type, run->a);
	return 0;
}

int scrape_append_page(
    const struct scrape_page *page, struct appender *a, struct scrape_counts *counts, struct err *err)
{
	*counts = (struct scrape_counts){0};
	scrape_cache_begin(page->cache);
	metadata_cache_begin(page->metadata);
	if (page->body.len == 0)
		return 0;
	struct page_run run;
	run.page = page;
	run.a = a;
	run.counts = counts;
	run.scratch = arena_new(ARENA_NO_LIMIT);
	run.over_limit = false;
	run.n = 0;
	text_parser_init(&run.parser, page->body);
	int rc;
	while ((rc = text_parser_next(&run.parser, err)) == 0 && (rc = take_entry(&run, err)) == 0)
		;
	rc = rc > 0 ? flush(&run, err) : rc;
	if (rc == 0 && run.over_limit)
		rc = err_set(err, ERR_LIMIT, "sample limit exceeded");
	arena_free(run.scratch);
	return rc;
}

/* --- staleness ------------------------------------------------------------------------------------------------------------------ */

struct stale_run {
	struct appender *a;
	int64_t t_ms;
	struct err *err;
	int rc;
	size_t n;
	struct sample samples[BATCH];
};

static void flush_stale(struct stale_run *run)
{
	if (run->rc == 0 && run->n > 0)
		run->rc = run->a->ops->append(run->a, run->samples, run->n, NULL, run->err);
	run->n = 0;
}

static void put_stale(void *arg, const struct cache_entry *e)
{
	struct stale_run *run = (struct stale_run *)arg;
	run->samples[run->n++] = (struct sample){
	    .ref = e->ref, .round = e->round, .t_ms = run->t_ms, .v = double_from_bits(STALE_NAN_BITS)};
	if (run->n == BATCH)
		flush_stale(run);
}

int scrape_append_stale(struct scrape_cache *cache, struct appender *a, int64_t t_ms, struct err *err)
{
	struct stale_run run = {.a = a, .t_ms = t_ms, .err = err};
	scrape_cache_each_vanished(cache, put_stale, &run);
	flush_stale(&run);
	return run.rc;
}
