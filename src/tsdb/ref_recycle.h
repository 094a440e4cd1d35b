/* Using refs again: where the refs of new series come from, when series have ended. A series that was dropped leaves its ref
 * behind in many places; it goes to another series only when none of them can say it any more. Who has refs, and why he is
 * safe:
 *
 *   readers (series sets, census)   are users, counted from open to close: step 4
 *   frozen chunks, dropped labels   head_free_dropped() waits until no reader needs them: step 1
 *   transactions                    are users from begin to commit: step 4
 *   writers' own memory             (scrape_cache, scrape_report, rule_write) keeps the round with each ref; a ref of the
 *                                   round before the last is refused by the appender: step 3
 *   the log                         names refs in series and sample records: step 2
 *   series snapshots                the one without the series is on disk before it is dropped (tsdb_maintain.c), and only
 *                                   records behind it are replayed
 *   keys of writers (key_table), guesses (head_find.c), ordinals of parts (ordinal_refs)
 *                                   are told to forget, between two waits for users: step 4
 *   late samples, histograms, open and closed chunks, newest samples
 *                                   a series that has any of them does not end; the column of newest samples is cleared
 *   sets of refs in the index       drop the ref when the series is dropped
 *   exemplars, metadata, tombstones know series by labels, metrics, ordinals: never by ref
 *
 * The steps of a ref:
 *
 *   1. its labels are given back (head_free_dropped), and it is retired here;
 *   2. the log is cut behind the newest record there was then;
 *   3. two rounds have passed: a kept ref is good for the round after the one in which it was used last;
 *   4. all users that began before 1. have ended. Then keys, guesses and ordinals that lead to it are forgotten;
 *   5. all users that began before that have ended: the ref is free. Columns without series are given back.
 *
 * Users are counted by epoch: it moves on when nobody of the one before the last is left, so what was retired in epoch e is
 * safe from e + 2 on. After a start all refs without series begin at 1. */
#pragma once

#include "tsdb/ref_set.h"
#include <stdatomic.h>

enum { REF_EPOCHS = 4, REF_FIRST_ROUND = 2 };

/* Refs of dropped series whose labels are given back. */
struct waiting_refs {
	series_ref first;
	uint32_t n;
	uint32_t round;
	uint64_t epoch, record;
};
VEC_DEFINE(waiting_refs_vec, struct waiting_refs);

struct ref_recycler {
	_Atomic uint64_t epoch;
	_Atomic uint32_t users[REF_EPOCHS]; /* by epoch */
	_Atomic uint32_t round;
	/* maintenance thread: */
	int64_t round_at_ms; /* when it began */
	struct waiting_refs_vec waiting;
	struct ref_set forgotten;
	uint64_t forgotten_at; /* epoch */
	/* the head's index lock: */
	struct ref_set free;
};

void ref_recycler_init(struct ref_recycler *r);
void ref_recycler_done(struct ref_recycler *r);

/* A user begins, and ends with what was returned. Any thread. */
uint64_t ref_recycler_enter(struct ref_recycler *r);
void ref_recycler_leave(struct ref_recycler *r, uint64_t epoch);

/* The rest belongs to the maintenance thread. */

/* These refs have no series any more; `record` is the newest of the log. */
void ref_recycler_retire(struct ref_recycler *r, series_ref first, uint32_t n, uint64_t record);
/* Moves epochs and rounds on; rounds are at least `round_ms` long. */
void ref_recycler_tick(struct ref_recycler *r, int64_t now_ms, int64_t round_ms);
/* Moves the refs that nobody keeps to r->forgotten, unless some are there already: the caller forgets keys and ordinals that
 * lead to them. The log begins behind `cut_record`. False: there are none. */
bool ref_recycler_collect(struct ref_recycler *r, uint64_t cut_record);
/* Whether what was forgotten may be used again: the caller merges r->forgotten into r->free. */
bool ref_recycler_is_safe(const struct ref_recycler *r);
