/* Whether a moment lies inside a time interval. Pure functions. */
#pragma once

#include "config/config_alertmanager.h"

bool time_interval_contains(const struct time_interval *t, int64_t now_ms);
/* Inside any of the named interval's items. */
bool mute_time_contains(const struct am_time_interval *t, int64_t now_ms);
