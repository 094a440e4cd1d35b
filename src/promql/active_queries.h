/* The queries that run now, in a file of the data directory, so that after a crash it can be told which query may have caused
 * it. The file is Prometheus's `queries.active`, and tools that read that one can read this one:
 *
 *   [{"query":"up","timestamp_sec":1700000000}\0\0\0...,{"query":...}\0\0...,...
 *
 * A record of 1000 bytes per query that may run at once, zeros when there is none; long queries are cut. Nothing is synced: it
 * outlives the process, not the machine. Thread-safe. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include <stdint.h>

struct active_queries;

/* Makes "<dir>/queries.active" anew, for `max` queries at once. What the last process left in it (it was not stopped in order)
 * is added to `unfinished` as a JSON array; nothing is added when there is nothing. ERR_IO. */
MUST_CHECK int active_queries_open(struct fs *fs, const char *dir, unsigned max, struct active_queries **out,
    struct strbuf *unfinished, struct err *err);
/* Takes NULL. */
void active_queries_close(struct active_queries *a);

/* A query begins: its place, or -1 when all are taken; what cannot be written is not told. */
int active_queries_add(struct active_queries *a, struct slice query, int64_t now_ms);
/* It has ended; takes -1. */
void active_queries_remove(struct active_queries *a, int place);
