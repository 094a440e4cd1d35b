/* Beside the tree of a query, a record per node: what the index says it will read, before any sample is looked at, and what
 * it did read. It is what a query is admitted by, what explain shows, what limits and statistics are counted from.
 *
 * Owned by one evaluation, in its arena. Made and read by the query's thread; counters are added to by all that fill tiles. */
#pragma once

#include "promql/ast.h"
#include "promql/source.h"
#include "storage/querier.h"

struct eval;

/* What a leaf looked at: a selector, or a subquery as the argument of a function. Histograms count by their size. */
struct leaf_counts {
	_Atomic uint64_t decoded; /* samples read from the store */
	_Atomic uint64_t
	    seen; /* the sum of what each step saw: an instant selector one sample a series, a range all of its window */
	_Atomic uint64_t fresh;  /* of those, what the step before had not seen */
	_Atomic uint64_t filled; /* windows with anything in them */
	_Atomic uint64_t held;   /* the most that a series' windows hold beside results */
	_Atomic int64_t read_ns; /* with analyze: reading took */
	_Atomic uint64_t *seen_by_step, *fresh_by_step; /* NULL: not wanted */
};

struct plan_node {
	const struct expr *expr; /* as prepared */
	/* before */
	bool is_planned;        /* the estimates hold */
	struct grid grid;       /* it is to be evaluated on */
	uint64_t est_series;    /* of its value, at most */
	uint64_t est_samples;   /* a selector's: to be decoded */
	struct series_set *set; /* a selector's, when it has been looked up; with these hints */
	struct select_hints hints;
	/* after */
	uint32_t steps;       /* of the grid it was evaluated on; 0: it was not */
	struct source *value; /* of a vector */
	struct source *once;  /* its one step that is repeated, when it does not depend on the step */
	struct leaf_counts counts;
	uint64_t series; /* a range selector's */
	int64_t make_ns; /* with analyze: its operator was set up, which for some is all the work */
};

struct query_plan {
	struct plan_node *nodes; /* by expr->id */
	size_t n;
	uint64_t cost; /* samples to be decoded and values to be computed, roughly */
	uint64_t series;
};

void query_plan_init(struct query_plan *p, struct arena *arena, const struct expr *root);
static inline struct plan_node *plan_node_of(const struct query_plan *p, const struct expr *x)
{
	return &p->nodes[x->id];
}

/* Looks all selectors up and estimates; e->querier is open. What was looked up is used by the evaluation that follows. */
MUST_CHECK int query_plan_select(struct eval *e, const struct expr *root, struct err *err);
/* The set of a selector with these hints, when it has been looked up; NULL: not. */
struct series_set *query_plan_set(
    const struct query_plan *p, const struct expr *x, const struct select_hints *hints);

/* The counters of a node, made ready for an evaluation on this grid. */
struct leaf_counts *query_plan_counts(struct eval *e, const struct expr *x, const struct grid *grid);

/* The selector that read most (before it ran: that will), with its place and how much, as one sentence; empty: none. */
struct slice query_plan_heaviest(const struct eval *e, struct arena *arena);
