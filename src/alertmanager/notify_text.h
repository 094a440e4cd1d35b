/* Texts for receivers that bound their length. */
#pragma once

#include "base/arena.h"
#include "base/slice.h"

/* At most `n` code points: one that is cut ends with an ellipsis, unless n is 3 or less. */
struct slice notify_truncate_runes(struct arena *arena, struct slice s, size_t n);
/* At most `n` bytes, whole code points; cut ones end with an ellipsis. n below 3: dots, or nothing. */
struct slice notify_truncate_bytes(struct arena *arena, struct slice s, size_t n);
