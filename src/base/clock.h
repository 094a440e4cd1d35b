/* Time, through one seam: servers run on the real clock, tests and replays on a virtual one that only moves when told.
 * Nothing else in the tree asks the system for the time. Thread-safe. */
#pragma once

#include <stdint.h>

struct clock;

/* The system's clock. A process-wide constant: not freed. */
struct clock *clock_real(void);

/* A clock that stands at `now_ms` until moved. The caller frees it. */
struct clock *clock_virtual_new(int64_t now_ms);
void clock_virtual_free(struct clock *c);
/* Moves a virtual clock; never backwards. */
void clock_virtual_set(struct clock *c, int64_t now_ms);

/* Unix time in milliseconds. */
int64_t clock_now_ms(const struct clock *c);
/* A time that only grows, for durations; its zero means nothing. */
int64_t clock_mono_ns(const struct clock *c);
