/* Time zones of the system's tz database ("Europe/Berlin"), read from the compiled files themselves, because
 * the C library knows one zone a process only. Immutable once read; any thread. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include <stdbool.h>
#include <stdint.h>

struct time_zone;

/* "UTC" and "" are built in, "Local" is /etc/localtime. ERR_NOT_FOUND: unknown time zone. Lives in the arena.
 */
MUST_CHECK int time_zone_load(
    struct arena *arena, struct slice name, const struct time_zone **out, struct err *err);
/* Seconds east of Greenwich at that moment. `name` (may be NULL) gets the abbreviation ("CEST"). NULL zone:
 * UTC. */
int32_t time_zone_offset(const struct time_zone *z, int64_t unix_s, struct slice *name);

struct civil_time {
	int32_t year, month, day; /* month and day from 1 */
	int32_t hour, minute, second;
	int32_t weekday; /* 0: Sunday */
	int32_t days_in_month;
};
/* What clocks and calendars say there at that moment. */
struct civil_time time_zone_civil(const struct time_zone *z, int64_t unix_s);
