/* Parts of dates. Thread-safe. */
#pragma once

#include "promql/functions.h"

/* FN_HOUR, FN_MONTH, ... of seconds since the epoch, in UTC, on the Gregorian calendar carried backwards too. */
double date_part(enum function_id id, double seconds);
/* Whether date_part() knows it. */
bool date_function(enum function_id id);
