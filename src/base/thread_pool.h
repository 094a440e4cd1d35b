/* A fixed number of worker threads over one queue of tasks, first in first out. Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct thread_pool;

/* `threads` workers; `name` (a literal, at most 11 letters) is their thread name. 0 threads: tasks run inside
 * thread_pool_submit(), which is what tests on the virtual clock use. */
struct thread_pool *thread_pool_new(const char *name, size_t threads);
/* Runs what is queued, then joins the workers. Takes NULL. */
void thread_pool_free(struct thread_pool *pool);

/* Queues fn(arg). False when `max_queued` (0: none) tasks wait already: the caller answers "busy". */
bool thread_pool_submit(struct thread_pool *pool, void (*fn)(void *arg), void *arg);
void thread_pool_set_max_queued(struct thread_pool *pool, size_t max_queued);

/* Runs fn(arg, i) for i = 0..n-1 on the calling thread and on idle workers, and returns when all are done. Indexes are
 * claimed one by one from an atomic counter; the caller takes part, so this cannot deadlock inside a task. */
void thread_pool_for(struct thread_pool *pool, size_t n, void (*fn)(void *arg, size_t i), void *arg);

/* The calling thread gets what all others leave of the processors, for good: for long work that nobody waits for, on a pool
 * of its own. */
void thread_pool_yield_to_others(void);

size_t thread_pool_threads(const struct thread_pool *pool);
size_t thread_pool_queued(const struct thread_pool *pool);
