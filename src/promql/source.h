/* What an expression of type instant vector becomes when it is evaluated: a number of rows (series) over a grid of steps,
 * with labels that are made only when somebody asks, and values that are computed a tile at a time when the source is
 * drained. Functions of one vector stack on the source below them and change its tiles in place; operations that need all
 * rows at once (aggregations, binary operations, subqueries) drain their inputs when they are made and hold a matrix.
 *
 *   sum by (job) (abs(rate(x[5m])))         matrix      <- drains while it is made
 *                                             map(abs)
 *                                               range(rate) <- reads series, computes rows
 *
 * Sources live in the arena of the query. Made and drained by the query's thread; fill() may run on several threads at once,
 * each with a worker of its own. */
#pragma once

#include "base/err.h"
#include "model/labels.h"
#include "promql/annotations.h"
#include "promql/value_matrix.h"

struct eval;
struct series_set;
struct source;

/* The scratch memory of one thread that drains a source. */
struct worker {
	struct eval *eval;
	struct arena *arena; /* of the tile at hand: histograms */
	void *leaf;          /* state of the source at the bottom: buffers, windows */
	void (*leaf_done)(void *leaf);
};

struct source_ops {
	/* Fills the tile, which has been begun, with rows first .. first + t->rows - 1. */
	int (*fill)(struct source *s, struct worker *w, size_t first, struct tile *t, struct err *err);
	/* The labels of row i; the query's thread only. The result is kept by source_labels(). */
	const struct labels *(*labels)(struct source *s, size_t i);
	/* Called after a drain, on the query's thread: annotations that were noted by row. May be NULL. */
	void (*drained)(struct source *s);
};

struct source {
	const struct source_ops *ops;
	struct eval *eval;
	struct source *below; /* the one whose tiles it changes; NULL: it is at the bottom */
	const struct grid *grid;
	size_t n;                    /* rows */
	const struct labels **cache; /* of labels; NULL until first asked for */
	/* Delayed name removal: whether the names of rows are to be dropped at the end. */
	bool all_dropped;
	uint8_t *dropped; /* per row; NULL: see all_dropped */
	/* No two rows have the same labels, / would have when their names were dropped. */
	bool unique, unique_nameless;
	/* Where the rows are the series of a set, with their labels or what is left when names are dropped; else NULL. */
	struct series_set *series;
	struct tile *all; /* all values, once they are in memory */
	uint64_t cost;    /* samples that computing all of it will read, roughly; 0: it is in memory */
	/* What the last drain computed; added to by all threads. A histogram counts by its size among the points. */
	_Atomic uint64_t points, last_points; /* all, / those at the last step, one each */
	_Atomic int64_t fill_ns;              /* with analyze */
};

/* The values of it, and how many of them stand at the last step (each as one). Of a matrix, or after a drain. */
void source_count(const struct source *s, uint64_t *points, uint64_t *last_points);

const struct labels *source_labels(struct source *s, size_t i);
static inline bool source_name_dropped(const struct source *s, size_t i)
{
	return s->all_dropped || (s->dropped && s->dropped[i]);
}

/* Fills a tile that has been begun, from memory or by computing. */
MUST_CHECK int source_fill(struct source *s, struct worker *w, size_t first, struct tile *t, struct err *err);
/* Gives all rows to the sink, in order, tile by tile; a matrix is given as one tile. */
typedef int (*source_sink)(void *arg, size_t first, const struct tile *t, struct err *err);
MUST_CHECK int source_drain(struct source *s, source_sink sink, void *arg, struct err *err);
/* Brings all values into memory: s->all. */
MUST_CHECK int source_materialise(struct source *s, struct err *err);

/* A source that is a matrix from the start: cap rows, all empty; the maker fills s->all and s->cache. NULL: no memory. */
struct source *source_matrix_new(struct eval *e, const struct grid *grid, size_t cap);
/* The values of a one-step source at each step of `grid`. */
struct source *source_repeat_new(struct source *one, const struct grid *grid);

/* Changes a tile in place; `first` is the row its first row is. */
typedef void (*map_apply)(void *arg, struct tile *t, size_t first);
/* A function over the rows of `below`, whose labels stay, or lose the metric's name. */
struct source *source_map_new(struct source *below, map_apply apply, void *arg, bool drops_name);

/* Rows whose labels are the same become one row, which is an error where two of them have a value at the same step:
 * "vector cannot contain metrics with the same labelset". *s is replaced when anything had to be merged. */
MUST_CHECK int source_merge_same(struct source **s, struct err *err);
int source_same_labelset(struct err *err);

/* Without __name__, __type__ and __unit__. */
const struct labels *labels_nameless(struct arena *arena, const struct labels *ls);
