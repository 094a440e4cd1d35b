/* A store in plain arrays: appendable and queryable, slow and obvious. For tests of everything above storage (PromQL, rules,
 * scrape) and as the naive model of the engine's property tests. One thread. */
#pragma once

#include "storage/appender.h"
#include "storage/querier.h"

struct mem_store;

struct mem_store *mem_store_new(void);
void mem_store_free(struct mem_store *s);
void mem_store_clear(struct mem_store *s);
struct appendable *mem_store_appendable(struct mem_store *s);
struct queryable *mem_store_queryable(struct mem_store *s);
struct exemplar_queryable *mem_store_exemplars(struct mem_store *s);
/* Direct: keeps time order, replaces a sample at the same time. */
void mem_store_add(
    struct mem_store *s, const struct labels *labels, int64_t t_ms, double v, const struct histogram *h);
/* The same with a start timestamp; 0: none. */
void mem_store_add_started(struct mem_store *s, const struct labels *labels, int64_t t_ms, double v,
    const struct histogram *h, int64_t start_ms);
/* Drops the samples within [min_t_ms, max_t_ms] of the series that match. */
void mem_store_delete(struct mem_store *s, const struct matcher *const *matchers, size_t n_matchers, int64_t min_t_ms,
    int64_t max_t_ms);
size_t mem_store_series(const struct mem_store *s);
