/* process_* of /metrics: CPU time, memory, file descriptors and start of this process, read from /proc when asked. */
#pragma once

#include "base/clock.h"

/* Registers the collector; once per process, for its whole life. */
void process_metrics_register(const struct clock *clock);
