#include "tsdb/backfill.h"

#include "base/hashtab.h"
#include "base/vec.h"
#include "tsdb/data_dir.h"
#include "tsdb/manifest.h"
#include "tsdb/page_cache.h"
#include "tsdb/part_orphans.h"
#include "tsdb/part_write.h"
#include <stdlib.h>

enum {
	DEFAULT_SAMPLES = 8 << 20,
	HOUR_MS = 3600 * 1000,
	DAY_MS = 24 * HOUR_MS,
	ORPHAN_CACHE_BYTES = 1 << 20
};

struct waiting {
	uint32_t series; /* while sorting: its place among all series by labels */
	uint32_t order;  /* of adding */
	int64_t t_ms;
	double v;
};

VEC_DEFINE(waiting_vec, struct waiting);
VEC_DEFINE(labels_vec, const struct labels *);
VEC_DEFINE(meta_vec, struct part_meta);

struct backfill {
	struct fs *fs;
	struct data_dir dir;
	struct manifest *manifest;
	int64_t window_ms;
	uint64_t max_samples;
	struct arena *arena;  /* labels */
	struct hashtab known; /* printed labels -> number + 1 */
	struct strbuf key;
	struct labels_vec series;
	struct waiting_vec waiting;
	struct meta_vec parts; /* written, not committed */
	uint64_t dropped;
};

/* --- opening -------------------------------------------------------------------------------------------------- */

static void no_note(void *arg, const char *text)
{
	(void)arg;
	(void)text;
}

/* What a server would do at its start; else a damaged list would pass as a whole one from now on. */
static int settle(struct backfill *b, enum manifest_state state, struct err *err)
{
	struct page_cache *cache = page_cache_new(ORPHAN_CACHE_BYTES);
	struct part_orphans o = {.fs = b->fs,
	    .parts_dir = b->dir.parts,
	    .manifest = b->manifest,
	    .cache = cache,
	    .salvage = state != MANIFEST_WHOLE,
	    .note = no_note};
	int rc = part_orphans_settle(&o, err);
	page_cache_free(cache);
	return rc;
}

int backfill_open(const struct backfill_options *o, struct backfill **out, struct err *err)
{
	struct backfill *b = xcalloc(1, sizeof(*b));
	b->fs = o->fs;
	b->window_ms = o->window_ms ? o->window_ms : DAY_MS;
	b->max_samples = o->max_samples ? o->max_samples : DEFAULT_SAMPLES;
	b->arena = arena_new(ARENA_NO_LIMIT);
	strbuf_init(&b->key, STRBUF_NO_LIMIT);
	int rc = data_dir_open(o->fs, o->path, &b->dir, err);
	if (rc != 0) {
		backfill_close(b);
		return rc;
	}
	enum manifest_state state;
	rc = manifest_open(o->fs, o->path, &b->manifest, &state, err);
	if (rc == 0)
		rc = settle(b, state, err);
	if (rc != 0)
		backfill_close(b);
	else
		*out = b;
	return rc;
}

static void remove_parts(struct backfill *b)
{
	VEC_EACH (struct part_meta, m, &b->parts) {
		char *path = xasprintf("%s/%s", b->dir.parts, m->name);
		int ignored = fs_remove_tree(b->fs, path, NULL); /* the next start removes it otherwise */
		(void)ignored;
		free(path);
	}
}

void backfill_close(struct backfill *b)
{
	if (!b)
		return;
	remove_parts(b);
	if (b->manifest)
		manifest_close(b->manifest);
	if (b->dir.path)
		data_dir_close(&b->dir);
	hashtab_done(&b->known);
	strbuf_done(&b->key);
	labels_vec_done(&b->series);
	waiting_vec_done(&b->waiting);
	meta_vec_done(&b->parts);
	arena_free(b->arena);
	free(b);
}

/* --- taking samples ---------------------------------------------------------------------------------------------- */

uint32_t backfill_series(struct backfill *b, const struct labels *labels)
{
	strbuf_reset(&b->key);
	labels_print(&b->key, labels);
	uintptr_t known = (uintptr_t)hashtab_get(&b->known, strbuf_slice(&b->key));
	if (known)
		return (uint32_t)(known - 1);
	labels_vec_push(&b->series, labels_copy_to(b->arena, labels));
	hashtab_put(&b->known, strbuf_slice(&b->key), (void *)(uintptr_t)b->series.len);
	return (uint32_t)(b->series.len - 1);
}

int backfill_add(struct backfill *b, uint32_t series, int64_t t_ms, double v, struct err *err)
{
	if (b->waiting.len >= b->max_samples) {
		int rc = backfill_flush(b, err);
		if (rc != 0)
			return rc;
	}
	waiting_vec_push(&b->waiting,
	    (struct waiting){.series = series, .order = (uint32_t)b->waiting.len, .t_ms = t_ms, .v = v});
	return 0;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

struct ranked {
	const struct labels *labels;
	uint32_t series;
};

static int by_labels(const void *x, const void *y)
{
	return labels_cmp(((const struct ranked *)x)->labels, ((const struct ranked *)y)->labels);
}

/* All series in the order of their labels; the samples' numbers become places in that order. */
static struct ranked *rank_series(struct backfill *b)
{
	size_t n = b->series.len;
	struct ranked *ranked = xreallocarray(NULL, n, sizeof(*ranked));
	uint32_t *place = xreallocarray(NULL, n, sizeof(*place));
	for (size_t i = 0; i < n; i++)
		ranked[i] = (struct ranked){b->series.v[i], (uint32_t)i};
	qsort(ranked, n, sizeof(*ranked), by_labels);
	for (size_t i = 0; i < n; i++)
		place[ranked[i].series] = (uint32_t)i;
	VEC_EACH (struct waiting, w, &b->waiting)
		w->series = place[w->series];
	free(place);
	return ranked;
}

static int64_t window_of(int64_t t_ms, int64_t window_ms)
{
	return t_ms / window_ms - (t_ms % window_ms < 0);
}

static int by_time(const void *x, const void *y)
{
	const struct waiting *a = x, *b = y;
	if (a->t_ms != b->t_ms)
		return a->t_ms < b->t_ms ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

static int by_series_and_time(const void *x, const void *y)
{
	const struct waiting *a = x, *b = y;
	if (a->series != b->series)
		return a->series < b->series ? -1 : 1;
	return by_time(x, y);
}

/* The samples of one window, sorted. */
static int write_samples(struct backfill *b, struct part_writer *w, const struct ranked *ranked,
    const struct waiting *v, size_t n, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		bool same_series = i > 0 && v[i - 1].series == v[i].series;
		if (same_series && v[i - 1].t_ms == v[i].t_ms) {
			b->dropped++;
			continue;
		}
		if (!same_series)
			rc = part_writer_series(w, ranked[v[i].series].labels, err);
		if (rc == 0)
			rc = part_writer_floats(w, &v[i].t_ms, &v[i].v, 1, err);
	}
	return rc;
}

static int write_window(
    struct backfill *b, const struct ranked *ranked, struct waiting *v, size_t n, struct err *err)
{
	struct part_write_options o = {.fs = b->fs,
	    .parts_dir = b->dir.parts,
	    .seq = manifest_next_seq(b->manifest),
	    .level = b->window_ms <= 2 * HOUR_MS ? 1 : 2,
	    .out_of_order = true};
	struct part_writer *w;
	qsort(v, n, sizeof(*v), by_series_and_time);
	int rc = part_writer_new(&o, &w, err);
	if (rc != 0)
		return rc;
	rc = write_samples(b, w, ranked, v, n, err);
	if (rc != 0) {
		part_writer_free(w);
		return rc;
	}
	struct part_meta meta;
	rc = part_writer_commit(w, &meta, err);
	if (rc == 0)
		meta_vec_push(&b->parts, meta);
	return rc;
}

int backfill_flush(struct backfill *b, struct err *err)
{
	if (b->waiting.len == 0)
		return 0;
	struct ranked *ranked = rank_series(b);
	struct waiting *v = b->waiting.v;
	size_t n = b->waiting.len;
	int rc = 0;
	qsort(v, n, sizeof(*v), by_time);
	for (size_t from = 0, to; rc == 0 && from < n; from = to) {
		int64_t window = window_of(v[from].t_ms, b->window_ms);
		for (to = from + 1; to < n && window_of(v[to].t_ms, b->window_ms) == window; to++)
			;
		rc = write_window(b, ranked, v + from, to - from, err);
	}
	waiting_vec_reset(&b->waiting);
	free(ranked);
	return rc;
}

int backfill_commit(struct backfill *b, struct backfill_result *out, struct err *err)
{
	int rc = backfill_flush(b, err);
	if (rc != 0)
		return rc;
	struct backfill_result result = {.dropped = b->dropped, .parts = b->parts.v, .n_parts = b->parts.len};
	struct manifest_part *add = xcalloc(b->parts.len + 1, sizeof(*add));
	for (size_t i = 0; i < b->parts.len; i++) {
		const struct part_meta *m = &b->parts.v[i];
		add[i] = (struct manifest_part){m->seq, m->level, m->min_t_ms, m->max_t_ms};
		result.series += m->series;
		result.samples += m->samples;
	}
	if (b->parts.len > 0)
		rc = manifest_commit(
		    b->manifest, &(struct manifest_change){.add = add, .n_add = b->parts.len}, err);
	free(add);
	if (rc != 0)
		return rc;
	*out = result;
	b->parts.len = 0; /* they count: closing leaves them */
	return 0;
}
