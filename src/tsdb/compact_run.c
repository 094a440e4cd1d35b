#include "tsdb/compact_run.h"

#include "base/heap.h"
#include "base/xmalloc.h"
#include "tsdb/column_order.h"
#include "tsdb/part_read.h"

enum { CACHE_BYTES = 16 << 20 };

/* A part while it is read from front to back. */
struct cursor {
	struct heap_node node;
	struct part *part;
	size_t rank;
	uint32_t ordinal;
	const struct labels *labels; /* of the ordinal; in the arena */
	struct arena *arena;
};

struct join {
	const struct compact_run *run;
	struct page_cache *cache;
	struct cursor *cursors;
	struct heap heap;
	struct part_writer *writer;
	struct arena *histograms;
	struct sample_column column;
};

static struct cursor *cursor_of(const struct heap_node *node)
{
	return (struct cursor *)(uintptr_t)node; /* its first member */
}

/* Parts that have the same series come out oldest first. */
static bool is_before(const struct heap_node *a, const struct heap_node *b)
{
	const struct cursor *x = cursor_of(a), *y = cursor_of(b);
	int c = labels_cmp(x->labels, y->labels);
	return c ? c < 0 : x->rank < y->rank;
}

static int load_labels(struct cursor *c, struct err *err)
{
	arena_reset(c->arena);
	return part_labels(c->part, c->ordinal, c->arena, &c->labels, err);
}

/* --- beginning and end ---------------------------------------------------------------------------------------- */

static int open_writer(struct join *j, struct err *err)
{
	const struct compact_run *run = j->run;
	struct part_write_options o = {.fs = run->fs,
	    .parts_dir = run->parts_dir,
	    .seq = run->seq,
	    .level = run->level,
	    .out_of_order = run->out_of_order,
	    .parents = run->sources,
	    .n_parents = run->n_sources};
	for (size_t i = 0; i < run->n; i++)
		if (run->parts[i]->newest_seq > o.newest_seq)
			o.newest_seq = run->parts[i]->newest_seq;
	return part_writer_new(&o, &j->writer, err);
}

static int open_parts(struct join *j, struct err *err)
{
	const struct compact_run *run = j->run;
	for (size_t i = 0; i < run->n; i++) {
		struct cursor *c = &j->cursors[i];
		c->rank = i;
		c->arena = arena_new(ARENA_NO_LIMIT);
		int rc = part_open(run->fs, run->parts_dir, run->parts[i]->name, j->cache, &c->part, err);
		if (rc == 0)
			rc = load_labels(c, err);
		if (rc != 0)
			return rc;
		heap_push(&j->heap, &c->node);
	}
	return 0;
}

static void join_init(struct join *j, const struct compact_run *run)
{
	*j = (struct join){.run = run, .cache = page_cache_new(CACHE_BYTES)};
	j->cursors = xcalloc(run->n, sizeof(*j->cursors));
	heap_init(&j->heap, is_before);
	j->histograms = arena_new(ARENA_NO_LIMIT);
	sample_column_init(&j->column, j->histograms);
}

static void join_done(struct join *j)
{
	for (size_t i = 0; i < j->run->n; i++) {
		part_unref(j->cursors[i].part);
		arena_free(j->cursors[i].arena);
	}
	free(j->cursors);
	heap_done(&j->heap);
	sample_column_done(&j->column);
	arena_free(j->histograms);
	page_cache_free(j->cache);
	part_writer_free(j->writer);
}

/* --- joining -------------------------------------------------------------------------------------------------- */

static int next_series(struct join *j, struct cursor *c, struct err *err)
{
	if (++c->ordinal == part_series_count(c->part)) {
		heap_remove(&j->heap, &c->node);
		return 0;
	}
	int rc = load_labels(c, err);
	if (rc == 0)
		heap_changed(&j->heap, &c->node);
	return rc;
}

/* The samples of the series on top of the heap, from all parts that have it. */
static int read_series(struct join *j, const struct labels *labels, struct err *err)
{
	sample_column_reset(&j->column);
	arena_reset(j->histograms);
	for (struct heap_node *top; (top = heap_top(&j->heap)) != NULL;) {
		struct cursor *c = cursor_of(top);
		if (!labels_eq(c->labels, labels))
			break;
		int rc = part_read(c->part, c->ordinal, j->run->min_t_ms, j->run->max_t_ms, &j->column, err);
		if (rc == 0)
			rc = next_series(j, c, err);
		if (rc != 0)
			return rc;
	}
	if (!column_order(&j->column, 0))
		return err_set(err, ERR_NO_MEMORY, "no memory to order %zu samples", j->column.n);
	return 0;
}

static int join_series(struct join *j, struct err *err)
{
	struct labels *labels = labels_copy(cursor_of(heap_top(&j->heap))->labels);
	int rc = read_series(j, labels, err);
	if (rc == 0)
		rc = part_writer_series(j->writer, labels, err);
	if (rc == 0)
		rc = part_writer_column(j->writer, &j->column, err);
	labels_free(labels);
	return rc;
}

static int join_all(struct join *j, struct err *err)
{
	int rc = 0;
	while (rc == 0 && heap_top(&j->heap)) {
		if (j->run->stop && atomic_load_explicit(j->run->stop, memory_order_relaxed))
			return err_set(err, ERR_CANCELED, "the store is closing");
		rc = join_series(j, err);
	}
	return rc;
}

static int finish(struct join *j, struct part_meta *out, bool *is_empty, struct err *err)
{
	struct part_writer *w = j->writer;
	if (part_writer_is_empty(w)) {
		*is_empty = true;
		return 0;
	}
	j->writer = NULL;
	int rc = part_writer_commit(w, out, err);
	if (rc == 0)
		*is_empty = false;
	return rc;
}

int compact_run(const struct compact_run *run, struct part_meta *out, bool *is_empty, struct err *err)
{
	struct join j;
	join_init(&j, run);
	int rc = open_parts(&j, err);
	if (rc == 0)
		rc = open_writer(&j, err);
	if (rc == 0)
		rc = join_all(&j, err);
	if (rc == 0)
		rc = finish(&j, out, is_empty, err);
	join_done(&j);
	return rc;
}
