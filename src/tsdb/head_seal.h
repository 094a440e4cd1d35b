/* Emptying stripes of the head into a part. In order: freeze the stripes; write what is frozen to a part; when the part
 * counts (manifest), say so; write the stripes' series snapshots; then the log may be cut, and series that ended can go.
 * One thread at a time (the store's maintenance). */
#pragma once

#include "tsdb/head.h"
#include "tsdb/part_write.h"
#include "tsdb/sealed_times.h"

/* What a stripe was at the moment of its freezing: what its series snapshot says. */
struct stripe_seal {
	unsigned stripe;
	uint64_t record;          /* the log up to this record is in frozen chunks or parts */
	uint32_t n;               /* series places: those of all its blocks */
	struct last_sample *last; /* of each place */
	uint8_t *flags;
};

/* Freezes a stripe. Series without samples since the last two times, and none newer than `idle_before_ms`, begin
 * to die; INT64_MIN: none does, and this time does not count. */
void head_freeze(struct head *h, unsigned stripe, int64_t idle_before_ms, struct stripe_seal *out);
void stripe_seal_done(struct stripe_seal *s);
/* The ref of a place. */
series_ref stripe_seal_ref(const struct stripe_seal *s, uint32_t place);

/* What was frozen is sealed to two parts: late samples have their own, so that the others do not overlap what is there. */
enum frozen_kind { FROZEN_IN_ORDER, FROZEN_LATE };
/* Whether these stripes have something frozen of the kind that no part has. */
bool head_has_frozen(const struct head *h, const struct stripe_seal *seals, size_t n, enum frozen_kind kind);
/* Writes that, but for the samples that `known` (NULL: none) has already; the part may stay empty then. ERR_IO, ERR_CORRUPT. */
MUST_CHECK int head_write_frozen(struct head *h, const struct stripe_seal *seals, size_t n,
    enum frozen_kind kind, struct sealed_times *known, struct part_writer *w, struct err *err);
/* All of it is in parts now, the last of which is `seq`. */
void head_frozen_is_in(struct head *h, const struct stripe_seal *seals, size_t n, uint64_t seq);
/* Frees frozen sets whose part every reader has: parts up to `seen_seq`. */
void head_drop_frozen(struct head *h, uint64_t seen_seq);
/* Drops the series that began to die at the freezing and did not come back. `seq`: the newest part that readers may know. */
void head_drop_dying(struct head *h, const struct stripe_seal *s, uint64_t seq);
/* The log up to this record is not needed by any stripe. */
uint64_t head_replay_record(const struct head *h);
