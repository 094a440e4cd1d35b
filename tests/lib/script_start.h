/* Start timestamps in test scripts: a line `name{...}@st -1m -30s-1mx2 _` before that of a series gives, sample by sample, when
 * its counter began, counted from the sample's own time. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include <stdint.h>

struct script_starts {
	int64_t *offset_ms;
	bool *missing;
	size_t n, cap;
};

bool script_is_starts(struct slice line);
/* The offsets of such a line, in the arena. */
MUST_CHECK int script_starts_parse(
    struct arena *arena, struct slice line, struct script_starts *out, struct err *err);
/* The start of sample i, which is of time t_ms; 0: none. */
int64_t script_start_of(const struct script_starts *s, size_t i, int64_t t_ms);
