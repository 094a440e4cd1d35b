/* The newest of the queries that took long, kept in memory for whoever asks what is slow. Thread-safe. */
#pragma once

#include "base/arena.h"
#include "promql/query_record.h"

enum { SLOW_QUERIES = 100, SLOW_QUERY_TEXT_BYTES = 4096 };

struct slow_queries;

struct slow_queries *slow_queries_new(int64_t threshold_ns);
void slow_queries_free(struct slow_queries *s); /* takes NULL */
/* Keeps a copy when it took at least the threshold; long texts are cut. */
void slow_queries_add(struct slow_queries *s, const struct query_record *r);
/* Copies in the arena, newest first. */
void slow_queries_list(struct slow_queries *s, struct arena *arena, struct query_record **out, size_t *n);
