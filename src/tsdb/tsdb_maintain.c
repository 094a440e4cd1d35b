/* What is due: sealing stripes, cutting the log, dropping old parts.
 *
 * A small head is sealed as a whole, a large one in pieces of about PART_SERIES series, so that the work spreads and no part
 * is tiny: when one stripe is due, those that are more than half way go along as long as the part is small. */
#include "tsdb/tsdb_priv.h"

#include "base/counters.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "tsdb/head_exemplar.h"
#include "tsdb/head_seal.h"
#include "tsdb/part_write.h"
#include "tsdb/retention.h"
#include "tsdb/sealed_times.h"
#include "tsdb/series_snapshot.h"
#include <string.h>

enum {
	PART_SERIES = 1 << 16, /* the labels of so many are in memory while a part is written */
	PERIOD_MS = 5000,      /* a quarter of the interval of sealing when that is shorter */
	RETRY_MS = 60000,      /* after a failure: each attempt freezes what came meanwhile */
	METADATA_RECORD_BYTES = 64 << 10,
};

/* --- sealing ------------------------------------------------------------------------------------------------- */

static int write_frozen(struct tsdb *db, const struct stripe_seal *seals, size_t n, enum frozen_kind kind,
    struct part_writer *w, struct err *err)
{
	if (kind != FROZEN_LATE)
		return head_write_frozen(&db->head, seals, n, kind, NULL, w, err);
	struct part_set *set = part_sets_get(&db->parts);
	struct sealed_times *known = sealed_times_new(set);
	int rc = head_write_frozen(&db->head, seals, n, kind, known, w, err);
	sealed_times_free(known);
	part_sets_put(&db->parts, set);
	return rc;
}

/* *is_empty: everything was there already, there is no part. */
static int write_part(struct tsdb *db, const struct stripe_seal *seals, size_t n, enum frozen_kind kind,
    struct part_meta *meta, bool *is_empty, struct err *err)
{
	struct part_write_options o = {.fs = db->dir.fs,
	    .parts_dir = db->dir.parts,
	    .seq = manifest_next_seq(db->manifest),
	    .out_of_order = kind == FROZEN_LATE};
	struct part_writer *w;
	int rc = part_writer_new(&o, &w, err);
	if (rc != 0)
		return rc;
	rc = write_frozen(db, seals, n, kind, w, err);
	*is_empty = rc == 0 && part_writer_is_empty(w);
	if (rc == 0 && !*is_empty)
		return part_writer_commit(w, meta, err);
	part_writer_free(w);
	return rc;
}

/* What one sealing makes: a part of late samples, one of the others, or one of the two. */
struct sealed {
	size_t n;
	struct part *parts[2];
	struct manifest_part entries[2];
};

static int make_part(struct tsdb *db, const struct stripe_seal *seals, size_t n, enum frozen_kind kind,
    struct sealed *out, struct err *err)
{
	if (!head_has_frozen(&db->head, seals, n, kind))
		return 0;
	struct part_meta meta;
	bool is_empty;
	int rc = write_part(db, seals, n, kind, &meta, &is_empty, err);
	if (rc != 0 || is_empty)
		return rc;
	rc = part_open(db->dir.fs, db->dir.parts, meta.name, db->cache, &out->parts[out->n], err);
	if (rc == 0)
		out->entries[out->n++] = (struct manifest_part){.seq = meta.seq,
		    .level = meta.level,
		    .min_t_ms = meta.min_t_ms,
		    .max_t_ms = meta.max_t_ms};
	return rc;
}

/* The files stay when the manifest may name them all the same. */
static void drop_sealed(struct tsdb *db, struct sealed *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (!manifest_may_have_it(db->manifest))
			part_unlink_when_done(s->parts[i]);
		part_unref(s->parts[i]);
	}
}

/* The newest part out of the head that readers may know. */
static uint64_t newest_seq(struct tsdb *db)
{
	struct part_set *set = part_sets_get(&db->parts);
	uint64_t seq = set->sealed_seq;
	part_sets_put(&db->parts, set);
	return seq;
}

/* The parts are on disk, then in the manifest, both at once, then seen by new readers; only then do their chunks leave the
 * head: with the last of them. Without any new part all of it is in older ones. */
static int publish_frozen(struct tsdb *db, const struct stripe_seal *seals, size_t n, struct err *err)
{
	struct sealed s = {0};
	int rc = make_part(db, seals, n, FROZEN_LATE, &s, err);
	if (rc == 0)
		rc = make_part(db, seals, n, FROZEN_IN_ORDER, &s, err);
	if (rc == 0 && s.n > 0)
		rc = manifest_commit(
		    db->manifest, &(struct manifest_change){.add = s.entries, .n_add = s.n}, err);
	if (rc != 0) {
		drop_sealed(db, &s);
		return rc;
	}
	uint64_t last = s.n > 0 ? s.entries[s.n - 1].seq : newest_seq(db);
	if (s.n > 0)
		part_sets_change(
		    &db->parts, &(struct part_set_change){.add = s.parts, .n_add = s.n, .sealed_seq = last});
	if (last > 0)
		head_frozen_is_in(&db->head, seals, n, last);
	counter_add(M_TSDB_PARTS_SEALED, s.n);
	return 0;
}

/* Everything that replay would miss without the segments that go. */
static void log_metadata_again(struct tsdb *db)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct strbuf record = STRBUF_INIT;
	struct metadata_of *all;
	size_t n = metadata_store_list(&db->head.metadata, SL_EMPTY, arena, &all);
	for (size_t i = 0; i < n; i++) {
		wal_metadata_add(&record, all[i].metric, &all[i].m);
		if (record.len < METADATA_RECORD_BYTES && i + 1 < n)
			continue;
		wal_append(db->wal, WAL_METADATA, 0, strbuf_slice(&record));
		strbuf_reset(&record);
	}
	strbuf_done(&record);
	arena_free(arena);
}

static bool log_wants_room(struct tsdb *db)
{
	struct wal_stats wal;
	wal_stats(db->wal, &wal);
	return wal.disk_full;
}

/* A log that has no room for its next segment is cut although metadata are in memory only: they follow when it has. */
static int cut_log(struct tsdb *db, struct err *err)
{
	uint64_t record = head_replay_record(&db->head);
	if (!wal_would_cut(db->wal, record))
		return 0;
	log_metadata_again(db);
	head_log_exemplars_again(&db->head, record);
	int rc = wal_sync_now(db->wal, err);
	if (rc != 0 && !log_wants_room(db))
		return rc;
	rc = wal_cut(db->wal, record, err);
	if (log_wants_room(db))
		wal_retry(db->wal);
	return rc;
}

/* What no reader can have any more. */
static void drop_unread(struct tsdb *db)
{
	uint64_t seen_seq = part_sets_oldest_seq(&db->parts);
	head_drop_frozen(&db->head, seen_seq);
	head_free_dropped(&db->head, seen_seq);
}

/* Refs of series that are gone, on their way to new ones. */
static void recycle_refs(struct tsdb *db, int64_t now_ms)
{
	struct ref_recycler *r = &db->head.refs;
	ref_recycler_tick(r, now_ms, db->options.seal_interval_ms / 2);
	head_columns_free_dropped(&db->head.columns, atomic_load(&r->epoch));
	if (ref_recycler_is_safe(r))
		head_free_refs(&db->head);
	if (!ref_recycler_collect(r, wal_cut_record(db->wal)))
		return;
	head_forget_keys(&db->head, &r->forgotten);
	ordinal_refs_forget(db->ordinals, &r->forgotten);
}

static int write_snapshots(
    struct tsdb *db, const struct stripe_seal *seals, size_t n, int64_t now_ms, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int rc = series_snapshot_write(&db->head, &seals[i], db->dir.fs, db->dir.head, err);
		if (rc != 0)
			return rc;
		struct series_stripe *s = &db->head.stripes[seals[i].stripe];
		s->replay_record = seals[i].record;
		s->frozen_at_ms = now_ms;
		head_drop_dying(&db->head, &seals[i], newest_seq(db));
	}
	return 0;
}

/* Since the last sealing; a clock that was set back makes a stripe due. */
static int64_t stripe_age(const struct series_stripe *s, int64_t now_ms)
{
	int64_t age;
	if (__builtin_sub_overflow(now_ms, s->frozen_at_ms, &age) || age < 0)
		return INT64_MAX;
	return age;
}

/* Series whose newest sample is older than this may have ended. A stripe that was sealed just now says nothing of that. */
static int64_t idle_before(const struct tsdb *db, unsigned stripe, int64_t now_ms)
{
	int64_t newest = db->head.max_t_ms, before;
	if (stripe_age(&db->head.stripes[stripe], now_ms) < db->options.seal_interval_ms / 2 ||
	    newest == INT64_MIN)
		return INT64_MIN;
	return __builtin_sub_overflow(newest, 2 * db->options.seal_interval_ms, &before) ? INT64_MIN : before;
}

static int seal_once(struct tsdb *db, const unsigned *stripes, size_t n, int64_t now_ms, struct err *err)
{
	struct stripe_seal *seals = xcalloc(n ? n : 1, sizeof(*seals));
	int64_t newest = db->head.max_t_ms, idle_before_ms = INT64_MIN;
	if (newest != INT64_MIN &&
	    __builtin_sub_overflow(newest, 2 * db->options.seal_interval_ms, &idle_before_ms))
		idle_before_ms = INT64_MIN;
	for (size_t i = 0; i < n; i++)
		head_freeze(&db->head, stripes[i], idle_before(db, stripes[i], now_ms), &seals[i]);
	/* What is in a part is in the log, too: the head answers for the newest samples, and after a crash knows them from it.
	 * A log that cannot be written does not stop the sealing, which makes room for it. */
	struct err why;
	int ignored = wal_sync_now(db->wal, &why);
	(void)ignored;
	int rc = publish_frozen(db, seals, n, err);
	if (rc == 0)
		rc = write_snapshots(db, seals, n, now_ms, err);
	if (rc == 0)
		rc = cut_log(db, err);
	drop_unread(db);
	for (size_t i = 0; i < n; i++)
		stripe_seal_done(&seals[i]);
	free(seals);
	return rc;
}

int tsdb_seal(struct tsdb *db, const unsigned *stripes, size_t n, int64_t now_ms, struct err *err)
{
	struct err why;
	int rc = seal_once(db, stripes, n, now_ms, &why);
	if (rc != 0 && err_is_disk_full(&why) && disk_room_release(&db->room))
		rc = seal_once(db, stripes, n, now_ms, &why);
	return rc == 0 ? 0 : err_copy(err, &why);
}

/* --- what is due --------------------------------------------------------------------------------------------- */

static uint64_t stripe_series(const struct tsdb *db, unsigned stripe)
{
	uint32_t n = db->head.columns.n_blocks;
	return n > stripe ? ((uint64_t)(n - stripe - 1) / HEAD_STRIPES + 1) * HEAD_BLOCK_SERIES : 0;
}

struct candidate {
	unsigned stripe;
	int64_t age_ms;
};

static int oldest_first(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	if (x->age_ms != y->age_ms)
		return x->age_ms > y->age_ms ? -1 : 1;
	return (x->stripe > y->stripe) - (x->stripe < y->stripe);
}

/* The stripes of one part, when the oldest is older than `interval_ms`: it and the next ones, down to half of it. */
static size_t choose_due(struct tsdb *db, int64_t now_ms, int64_t interval_ms, unsigned out[HEAD_STRIPES])
{
	struct candidate all[HEAD_STRIPES];
	size_t n_all = 0, n = 0;
	for (unsigned i = 0; i < HEAD_STRIPES; i++)
		if (stripe_series(db, i) > 0)
			all[n_all++] = (struct candidate){i, stripe_age(&db->head.stripes[i], now_ms)};
	qsort(all, n_all, sizeof(*all), oldest_first);
	if (n_all == 0 || all[0].age_ms < interval_ms)
		return 0;
	uint64_t series = 0;
	for (; n < n_all && series < PART_SERIES && all[n].age_ms >= interval_ms / 2; n++) {
		out[n] = all[n].stripe;
		series += stripe_series(db, all[n].stripe);
	}
	return n;
}

/* Seals what is due, and more while open chunks or late samples take too much memory: each stripe once at most. */
static int seal_due(struct tsdb *db, int64_t now_ms, struct err *err)
{
	for (size_t sealed = 0; sealed < HEAD_STRIPES;) {
		unsigned stripes[HEAD_STRIPES];
		bool pressed = tsdb_is_pressed_by_disk(db) ||
			       head_chunk_bytes(&db->head) > db->options.head_memory_bytes ||
			       db->head.late_bytes > db->head.options.late_max_bytes / 2;
		size_t n = choose_due(db, now_ms, pressed ? 0 : db->options.seal_interval_ms, stripes);
		if (n == 0)
			return 0;
		int rc = tsdb_seal(db, stripes, n, now_ms, err);
		if (rc != 0)
			return rc;
		sealed += n;
	}
	return 0;
}

/* A disk that is full is not asked every few seconds. */
static bool is_resting(const struct tsdb *db, int64_t now_ms)
{
	return db->failed_at_ms && now_ms >= db->failed_at_ms && now_ms - db->failed_at_ms < RETRY_MS;
}

/* Also when sealing fails: it gives room back. */
static int run_retention(struct tsdb *db, int64_t now_ms, struct err *err)
{
	struct err why;
	int rc = retention_run(db, now_ms, &why);
	if (rc != 0 && err_is_disk_full(&why) && disk_room_release(&db->room))
		rc = retention_run(db, now_ms, &why);
	return rc == 0 ? 0 : err_copy(err, &why);
}

static int maintain(struct tsdb *db, int64_t now_ms, struct err *err)
{
	tsdb_watch_disk(db);
	int rc = is_resting(db, now_ms) ? 0 : seal_due(db, now_ms, err);
	if (rc != 0)
		db->failed_at_ms = now_ms;
	int kept = run_retention(db, now_ms, rc == 0 ? err : NULL);
	rc = rc == 0 ? kept : rc;
	drop_unread(db);
	recycle_refs(db, now_ms);
	tsdb_watch_disk(db);
	tsdb_set_gauges(db);
	return rc;
}

int tsdb_maintain(struct tsdb *db, int64_t now_ms, struct err *err)
{
	lock_take(&db->maintenance);
	int rc = maintain(db, now_ms, err);
	lock_release(&db->maintenance);
	return rc;
}

/* The wanted stripes from *next on that make up a part. */
static size_t choose_some(
    const struct tsdb *db, const bool *wanted, unsigned *next, unsigned out[HEAD_STRIPES])
{
	uint64_t series = 0;
	size_t n = 0;
	for (; *next < HEAD_STRIPES && series < PART_SERIES; ++*next) {
		if (!wanted[*next] || stripe_series(db, *next) == 0)
			continue;
		out[n++] = *next;
		series += stripe_series(db, *next);
	}
	return n;
}

int tsdb_seal_stripes(struct tsdb *db, const bool wanted[HEAD_STRIPES], struct err *err)
{
	unsigned stripes[HEAD_STRIPES], next = 0;
	int rc = 0;
	lock_assert_held(&db->maintenance);
	for (size_t n; rc == 0 && (n = choose_some(db, wanted, &next, stripes)) > 0;)
		rc = tsdb_seal(db, stripes, n, clock_now_ms(db->options.clock), err);
	return rc;
}

int tsdb_seal_all(struct tsdb *db, struct err *err)
{
	bool wanted[HEAD_STRIPES];
	memset(wanted, true, sizeof(wanted));
	lock_take(&db->maintenance);
	int rc = tsdb_seal_stripes(db, wanted, err);
	lock_release(&db->maintenance);
	return rc;
}

/* --- the timer ----------------------------------------------------------------------------------------------- */

static int64_t period_ms(const struct tsdb *db)
{
	int64_t quarter = db->options.seal_interval_ms / 4 + 1;
	return quarter < PERIOD_MS ? quarter : PERIOD_MS;
}

static void tick(void *arg, int64_t when_ms)
{
	struct tsdb *db = arg;
	struct err err;
	lock_take(&db->maintenance);
	if (!db->closing) {
		int rc = maintain(db, when_ms, &err);
		if (rc != 0) {
			counter_add(M_TSDB_SEAL_FAILURES, 1);
			log_debug("storage maintenance failed", KV_STR("component", "tsdb"), KV_ERR(&err));
		}
		db->timer = scheduler_at(db->options.scheduler, when_ms + period_ms(db), tick, db);
	}
	lock_release(&db->maintenance);
}

void tsdb_start_timer(struct tsdb *db)
{
	if (!db->options.scheduler)
		return;
	lock_take(&db->maintenance);
	db->timer =
	    scheduler_at(db->options.scheduler, clock_now_ms(db->options.clock) + period_ms(db), tick, db);
	lock_release(&db->maintenance);
}

void tsdb_stop_timer(struct tsdb *db)
{
	if (!db->options.scheduler)
		return;
	lock_take(&db->maintenance);
	db->closing = true;
	timer_id timer = db->timer;
	lock_release(&db->maintenance);
	scheduler_cancel(db->options.scheduler, timer);
}
