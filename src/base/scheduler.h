/* One heap of timers; what is due runs on a thread pool. Scrapes, rule groups, notification flushes, sealing and
 * compaction all live here. On a virtual clock nothing runs by itself: scheduler_run_until() moves the clock from
 * due time to due time and runs each task in the calling thread, so a test of an hour takes milliseconds.
 * Thread-safe. */
#pragma once

#include "base/clock.h"
#include "base/thread_pool.h"
#include <stdbool.h>
#include <stdint.h>

struct scheduler;
typedef uint64_t timer_id; /* 0 is no timer */

/* `pool` (borrowed) runs the tasks; NULL with a virtual clock. A real clock starts one timer thread. */
struct scheduler *scheduler_new(struct clock *clock, struct thread_pool *pool);
/* Drops what has not started, waits for what runs. Takes NULL. */
void scheduler_free(struct scheduler *s);

/* Runs fn(arg, when_ms) once, at `when_ms` or as soon after as a worker is free. Equal times run in order of the calls. */
timer_id scheduler_at(struct scheduler *s, int64_t when_ms, void (*fn)(void *arg, int64_t when_ms), void *arg);

/* After it returns fn is not running and will not run, unless called from inside fn itself. False: it had run, is
 * running in this thread, or the id is unknown. */
bool scheduler_cancel(struct scheduler *s, timer_id id);

/* Virtual clock only: runs everything due up to and at `t_ms`, including what those tasks add, then stands at t_ms. */
void scheduler_run_until(struct scheduler *s, int64_t t_ms);
/* Time of the earliest timer, or INT64_MAX. */
int64_t scheduler_next_ms(struct scheduler *s);

struct clock *scheduler_clock(struct scheduler *s);
struct thread_pool *scheduler_pool(struct scheduler *s);
