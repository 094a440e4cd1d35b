/* Where firing and resolved alerts go: the built-in router, remote Alertmanagers, or both. */
#pragma once

#include "model/alert.h"

struct alert_sink {
	/* Takes copies of what it keeps. Any thread. */
	void (*send)(struct alert_sink *self, const struct alert *alerts, size_t n, int64_t now_ms);
};
