/* An alert on its way from a rule, or from the API, to the router. Memory belongs to whoever sends it, for the time of
 * the call. */
#pragma once

#include "model/labels.h"

struct alert {
	const struct labels *labels;
	const struct labels *annotations;
	int64_t starts_at_ms;
	int64_t ends_at_ms;      /* 0: open; in the past: resolved */
	int64_t updated_at_ms;
	struct slice generator_url;
};
