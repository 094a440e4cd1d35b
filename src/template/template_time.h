/* The methods of times and durations, as Go's time.Time and time.Duration have them; private to this folder. */
#pragma once

#include "template/value.h"

extern const struct template_class template_time_class, template_duration_class;
