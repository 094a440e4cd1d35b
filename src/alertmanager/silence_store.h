/* Silences: who made them, what they match, from when to when. A silence is never changed in its matchers: an
 * edit that would do so ends the old one and makes a new one with a new id. Ended ones stay visible for the
 * retention time. Owned by the router. Any thread; lock: SILENCES. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "model/labels.h"
#include "model/matcher.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct silence_store;

enum silence_state { SILENCE_ACTIVE, SILENCE_PENDING, SILENCE_EXPIRED };

struct silence {
	struct slice id; /* a version-4 UUID; empty in a new one */
	const struct matcher *const *matchers;
	size_t n_matchers;
	int64_t starts_at_ms, ends_at_ms, updated_at_ms;
	struct slice created_by, comment;
	const struct labels *annotations; /* NULL: none */
};

struct silence_store *silence_store_new(int64_t retention_ms);
void silence_store_free(struct silence_store *s);

/* Makes a silence, or edits the one with `silence->id`; the id that holds from now on goes to `id` (36
 * letters). Everything is copied. ERR_INVALID, ERR_NOT_FOUND with Alertmanager's texts. */
MUST_CHECK int silence_store_set(struct silence_store *s, const struct silence *silence, int64_t now_ms,
    char id[static 37], struct err *err);
/* Ends it now; one that has ended is left alone. ERR_NOT_FOUND. */
MUST_CHECK int silence_store_expire(
    struct silence_store *s, struct slice id, int64_t now_ms, struct err *err);
/* A copy in the arena. ERR_NOT_FOUND. */
MUST_CHECK int silence_store_get(
    struct silence_store *s, struct slice id, struct arena *arena, struct silence *out, struct err *err);
/* Copies of all in the arena: active ones by end, pending ones by start, expired ones by end, the latest
 * first. */
void silence_store_list(
    struct silence_store *s, int64_t now_ms, struct arena *arena, const struct silence **out, size_t *n);
/* Drops what ended more than the retention time ago. */
void silence_store_gc(struct silence_store *s, int64_t now_ms);

enum silence_state silence_state_at(const struct silence *s, int64_t now_ms);

/* The ids of the active silences that match, in the order of their making, as slices of the arena. Returns
 * how many. */
size_t silence_store_match(struct silence_store *s, const struct labels *ls, int64_t now_ms,
    struct arena *arena, const struct slice **ids);
/* Whether any silence is active at all: lets a caller skip the matching. */
bool silence_store_any_active(struct silence_store *s, int64_t now_ms);
