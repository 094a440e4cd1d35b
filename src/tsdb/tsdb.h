/* The local store: a data directory with a log, a head in memory and sealed parts on disk. It implements the
 * doors of src/storage (appendable, queryable); nothing above main includes this header.
 *
 *   data/lock            held while a process has the directory open
 *   data/wal/NNNNNNNN    the log, in segments (docs/formats/wal.md)
 *   data/head/           series snapshots, one a stripe (docs/formats/series_snapshot.md)
 *   data/reserve         blocks for a full disk (disk_room.h)
 *   data/deletions       what was deleted that the log still has (docs/formats/part.md)
 *   data/snapshots/      what tsdb_snapshot() made
 *   data/parts/part-N/   sealed parts, immutable (docs/formats/part.md)
 *   data/manifest        which parts count (docs/formats/manifest.md)
 *
 * One `struct tsdb` per directory and process. All functions are thread-safe, but for tsdb_close(), which
 * comes last. */
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/scheduler.h"
#include "storage/appender.h"
#include "storage/querier.h"
#include <stdint.h>

enum wal_sync {
	WAL_SYNC_ALWAYS,   /* durable means: fdatasync has returned */
	WAL_SYNC_INTERVAL, /* durable means: written to the system; synced once a second. A power cut loses
			      that second */
	WAL_SYNC_OFF, /* written to the system; synced when it likes to. kill -9 of the process loses nothing
		       */
};

/* clang-format off */
struct tsdb_options {
	const char *path;            /* the data directory; made when it is not there */
	struct fs *fs;               /* NULL: fs_real() */
	struct clock *clock;         /* NULL: clock_real() */
	struct scheduler *scheduler; /* runs sealing, retention, joining of parts; NULL: only tsdb_maintain(), tsdb_compact() do */
	enum wal_sync wal_sync;
	uint64_t wal_segment_bytes;  /* 0: 64 MiB */
	int64_t retention_ms;        /* 0: for ever */
	uint64_t retention_bytes;    /* 0: no bound; else the oldest parts go when log and parts together are larger */
	double retention_percent;    /* the same in percent of the file system, before retention_bytes; 0: not given */
	int64_t seal_interval_ms;    /* a stripe is sealed this long after its last time; 0: 32 minutes */
	int64_t future_limit_ms;     /* samples further ahead of the clock are refused; 0: 10 minutes; < 0: never */
	int64_t out_of_order_ms;     /* how far behind the newest sample one of a series may come late; 0: 30 minutes;
				      * < 0: none may */
	uint64_t out_of_order_bytes; /* memory for late samples until they are sealed; 0: 256 MiB */
	int64_t max_exemplars;       /* 0: 100000; < 0: none are kept */
	uint64_t max_series;         /* 0: as many as refs there are */
	uint64_t head_memory_bytes;  /* open chunks beyond this are sealed early; 0: 1 GiB */
	uint64_t page_cache_bytes;   /* 0: 64 MiB */
	uint64_t disk_reserve_bytes; /* kept in data/reserve for sealing on a full disk; less on a small one; 0: none */
	/* Told what the log of main should say: a disk that is full or has room again. From any thread; must not call the
	 * store. NULL: nobody is told. */
	void (*notice)(void *arg, bool is_bad, const char *text);
	void *notice_arg;
	bool replay_later;           /* tsdb_open() returns when the parts can be queried; tsdb_replay() does the rest */
	unsigned replay_threads;     /* 0: as many as there are processors */
	bool read_only;              /* nothing on disk is made, changed or repaired: for tools. The store must be there
					and not in use; only queries, status and notes may be asked of it */
};

struct tsdb;

/* Locks the directory, reads parts and series, replays the log. When it fails nothing was changed and one line says why:
 *
 *   ERR_BUSY         the directory is locked by another process
 *   ERR_NOT_FOUND    read only, and there is no store
 *   ERR_IO           not writable, not readable
 *   ERR_EXISTS       the directory belongs to a Prometheus
 *   ERR_UNSUPPORTED  a format of a newer version
 *
 * Damage does not stop it: what is damaged is set aside or salvaged, and noted.
 *
 * The caller closes it. */
/* clang-format on */
MUST_CHECK int tsdb_open(const struct tsdb_options *o, struct tsdb **out, struct err *err);
/* What tsdb_open() left for later: reads series and log back, then samples are taken. Once; meanwhile nothing but queries,
 * which see parts only, and tsdb_replay_state() may be asked of the store. Errors as above; the caller closes. */
MUST_CHECK int tsdb_replay(struct tsdb *db, struct err *err);

enum tsdb_replay_phase { TSDB_REPLAY_WAITING, TSDB_REPLAY_RUNNING, TSDB_REPLAY_DONE };
struct tsdb_replay_state {
	enum tsdb_replay_phase phase;
	uint64_t first_segment, last_segment; /* of the log; 0: it has none */
	uint64_t segment;                     /* the last one that was read; 0: none was */
	unsigned percent;                     /* of all that is to be read */
};
/* At any time; takes no lock. */
void tsdb_replay_state(struct tsdb *db, struct tsdb_replay_state *out);
/* Writes and syncs what waits, gives the lock back. Open appenders and queriers must be gone. Takes NULL. */
void tsdb_close(struct tsdb *db);

struct appendable *tsdb_appendable(struct tsdb *db);
struct queryable *tsdb_queryable(struct tsdb *db);
struct exemplar_queryable *tsdb_exemplars(struct tsdb *db);

/* The out-of-order window of transactions that begin from now on; <= 0: late samples are refused. */
void tsdb_set_out_of_order(struct tsdb *db, int64_t window_ms);

/* How many exemplars are kept from now on: the newest; <= 0: none. */
void tsdb_set_max_exemplars(struct tsdb *db, int64_t max);

/* Does what is due at `now_ms`: seals stripes, cuts the log, drops parts past their retention. The scheduler
 * calls it every few seconds; tests call it by hand. */
MUST_CHECK int tsdb_maintain(struct tsdb *db, int64_t now_ms, struct err *err);
/* Joins parts now, as far as it goes: those of a day become one. For tests and before a measurement; as time goes by the
 * scheduler does it. ERR_IO, ERR_CORRUPT, ERR_NO_MEMORY: the parts are as they were, or some are joined. */
MUST_CHECK int tsdb_compact(struct tsdb *db, struct err *err);
/* Deletes the samples within [min_t_ms, max_t_ms] of the series that match. They are gone for queries that begin from now on,
 * and from disk with tsdb_clean_tombstones() or the next joining of their part. Samples that come later stay, whatever
 * their time. ERR_IO, ERR_CORRUPT: some may be deleted, others not. */
MUST_CHECK int tsdb_delete(struct tsdb *db, const struct matcher *const *matchers, size_t n_matchers,
    int64_t min_t_ms, int64_t max_t_ms, struct err *err);
/* Writes all parts that have deleted samples anew, without them. */
MUST_CHECK int tsdb_clean_tombstones(struct tsdb *db, struct err *err);

enum { TSDB_SNAPSHOT_NAME_MAX = 64 };
/* Makes <path>/snapshots/<name>, a store of the same samples that shares its files with this one. `with_head` false: without
 * what is in memory only. */
MUST_CHECK int tsdb_snapshot(
    struct tsdb *db, bool with_head, char name[TSDB_SNAPSHOT_NAME_MAX], struct err *err);

/* Seals every stripe now. */
MUST_CHECK int tsdb_seal_all(struct tsdb *db, struct err *err);
/* How much is kept from now on, as the options of these names; what is too much goes with the next tsdb_maintain(). */
void tsdb_set_retention(struct tsdb *db, int64_t ms, uint64_t bytes, double percent);
/* Returns when everything appended so far is on disk. */
MUST_CHECK int tsdb_sync(struct tsdb *db, struct err *err);

struct tsdb_status {
	uint64_t head_series, head_label_pairs, head_symbols, head_chunks;
	int64_t head_min_t_ms, head_max_t_ms; /* INT64_MAX, INT64_MIN while the head is empty */
	int64_t min_t_ms, max_t_ms;           /* parts included */
	uint64_t parts, part_bytes, part_samples;
	uint64_t wal_bytes, wal_segments, wal_damaged;
	uint64_t head_memory_bytes; /* columns, chunks, labels and tables */
	bool read_only;             /* the disk failed twice: no writes are taken */
	bool disk_full;             /* and none are taken because there is no room for them */
	uint64_t disk_free_bytes;   /* UINT64_MAX: not known */
};
void tsdb_status(struct tsdb *db, struct tsdb_status *out);

/* Why no samples are taken just now, cut to `size`; empty: they are. */
void tsdb_trouble(struct tsdb *db, char *text, size_t size);

/* /status/tsdb: the `n` largest of each list, most first. Names live in the arena. */
struct tsdb_top {
	struct slice name;
	uint64_t count;
};
struct tsdb_cardinality {
	struct tsdb_top *series_by_metric, *values_by_label, *bytes_by_label,
	    *series_by_pair; /* the last: "name=value" */
	size_t n_series_by_metric, n_values_by_label, n_bytes_by_label, n_series_by_pair;
};
void tsdb_cardinality(struct tsdb *db, size_t n, struct arena *arena, struct tsdb_cardinality *out);

/* Type, help and unit as the writers gave them, by metric name; visits in the order of names, at most `limit`
 * (0: all). `metric` empty: all metrics. What is borrowed lives in the arena. */
void tsdb_metadata(struct tsdb *db, struct slice metric, size_t limit, struct arena *arena,
    void (*each)(void *arg, struct slice metric, const struct metadata *m), void *arg);

/* What was set aside or repaired at the start, one finished sentence each, for the log of main. */
void tsdb_start_notes(struct tsdb *db, void (*each)(void *arg, const char *note), void *arg);
