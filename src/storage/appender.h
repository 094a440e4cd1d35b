/* The door for samples: scrapes, the remote write receiver, rules and backfill write through it; the engine (src/tsdb)
 * implements it. One appender is one transaction of one thread: begin, append, then commit or rollback, which end it.
 *
 * Fast path: the writer knows its series by something cheap: the raw bytes a sender uses for a label set. It hashes them to
 * a series_key, asks for many refs at once (find), parses labels only for the unknown ones (add_series), and hands over
 * batches of samples by ref (append). Refs are dense 32-bit numbers; 0 is none. A ref may die (its series ended and was
 * dropped); appending to it gives APPEND_UNKNOWN_REF and the writer adds the series again.
 *
 * Dead refs are given to other series in the end, so a writer that keeps refs between transactions keeps the round with each:
 * that of the transaction (appender.round) in which the ref was given or taken last. With it the store knows in time that a
 * ref was kept too long, and says APPEND_UNKNOWN_REF. */
#pragma once

#include "base/err.h"
#include "model/exemplar.h"
#include "model/histogram.h"
#include "model/labels.h"
#include "model/metadata.h"
#include <stdbool.h>
#include <stdint.h>

typedef uint32_t series_ref;

/* 128 bits of a seeded hash over whatever names the series for this writer; `scope` of the seed keeps writers apart. */
struct series_key {
	uint64_t lo, hi;
};

struct sample {
	series_ref ref;
	uint32_t round; /* of the ref when it was kept; 0: it was given in this transaction */
	int64_t t_ms;
	double v;
};

struct histogram_sample {
	series_ref ref;
	uint32_t round;
	int64_t t_ms;
	const struct histogram *h; /* borrowed during the call */
};

struct exemplar_sample {
	series_ref ref;
	uint32_t round;
	struct exemplar exemplar; /* borrowed during the call */
};

/* What became of an exemplar. */
enum exemplar_result {
	EXEMPLAR_TAKEN,
	EXEMPLAR_REPEATED,     /* known already: nothing to do */
	EXEMPLAR_OUT_OF_ORDER, /* older than the newest of its series by more than the out-of-order window */
	EXEMPLAR_TOO_LONG,     /* more than EXEMPLAR_MAX_RUNES of labels */
	EXEMPLAR_INVALID,      /* its labels are none */
	EXEMPLAR_UNKNOWN_REF,
	EXEMPLAR_NO_ROOM, /* the system has no memory */
	EXEMPLAR_OFF,     /* the store keeps none: counts as good */
	EXEMPLAR_RESULTS,
};

/* What became of a sample. */
enum append_result {
	APPEND_OK,
	APPEND_REPEATED,      /* same time, same value: nothing to do; counts as good */
	APPEND_OUT_OF_ORDER,  /* older than the newest of its series, and no such sample is taken */
	APPEND_TOO_OLD,       /* older than the newest of its series, and than the out-of-order window */
	APPEND_EXPIRED,       /* before what the store keeps at all */
	APPEND_DUPLICATE,     /* same time, another value */
	APPEND_TOO_FAR,       /* too far in the future */
	APPEND_UNKNOWN_REF,
	APPEND_LIMIT,         /* series limit: set by add_series */
	APPEND_NO_ROOM,       /* no memory for it until samples are sealed: may be tried again */
	APPEND_RESULTS,
};

struct append_stats {
	uint64_t by_result[APPEND_RESULTS];
	/* The first sample that was refused: its index in the order of appending, over the whole transaction. */
	uint64_t first_refused;
	enum append_result first_reason; /* APPEND_OK: none was */
};

struct appender;

struct appender_ops {
	/* refs[i] for keys[i], 0 where unknown. `n` is best 64 or more: the lookups are overlapped. */
	void (*find)(struct appender *a, const struct series_key *keys, size_t n, series_ref *refs);

	/* The series with these labels, made when new, and remembered under `key` (NULL: under none). Labels are checked:
	 * ERR_INVALID says which name or value is wrong; ERR_LIMIT: the series limit; ERR_NO_MEMORY: no room for it now,
	 * the writer may try again. */
	int (*add_series)(struct appender *a, const struct series_key *key, const struct labels *labels, series_ref *ref,
	    struct err *err);

	/* Adds samples to the transaction. `results` (NULL: not wanted) gets one per sample. Refused samples are counted in
	 * the transaction's stats; the others go on. Never fails as a whole but for ERR_NO_MEMORY, ERR_UNAVAILABLE. */
	int (*append)(struct appender *a, const struct sample *s, size_t n, uint8_t *results, struct err *err);
	int (*append_histograms)(struct appender *a, const struct histogram_sample *s, size_t n, uint8_t *results,
	    struct err *err);

	/* Adds exemplars to series. `results` (NULL: not wanted) gets one per exemplar. They are best effort: a refused one is
	 * counted in the store's metrics, not in the stats of the commit. */
	void (*append_exemplars)(struct appender *a, const struct exemplar_sample *e, size_t n, uint8_t *results);

	/* Type, help and unit of a metric family, as scraped or sent; best effort, never fails. */
	void (*set_metadata)(struct appender *a, struct slice metric, const struct metadata *m);

	/* Logs, then makes visible; the appender is freed in every case. When `durable` is given, it is called exactly
	 * once, from any thread, perhaps before commit returns, when the log is on disk (rc 0) or could not be written
	 * (rc < 0, and `why` says why), also when commit itself fails: it is the one place to answer from, and must not wait
	 * for the store. A commit without
	 * it does not wait for the disk. `stats` counts what became of the samples in the end; the results of append() are
	 * what was known then. */
	int (*commit)(struct appender *a, struct append_stats *stats,
	    void (*durable)(void *arg, int rc, const char *why), void *arg, struct err *err);
	/* Forgets the samples (series that were made stay) and frees the appender. */
	void (*rollback)(struct appender *a);
};

struct appender {
	const struct appender_ops *ops;
	uint32_t round; /* goes with the refs that the writer keeps; never 0 */
	/* The writer may set it before the first append: samples are refused as if there was no out-of-order window. */
	bool in_order_only;
};

/* Where appenders come from. */
struct appendable {
	/* ERR_UNAVAILABLE: replaying, read-only, disk full. */
	int (*begin)(struct appendable *self, struct appender **out, struct err *err);
};

const char *append_result_text(enum append_result r);
const char *exemplar_result_text(enum exemplar_result r);

/* A ref with its round; zeroed: none. */
struct kept_ref {
	series_ref ref;
	uint32_t round;
};

/* For writers of single samples: adds the series when the ref is 0 or dead. */
MUST_CHECK int appender_append_one(struct appender *a, struct kept_ref *ref, const struct labels *labels, int64_t t_ms,
    double v, enum append_result *result, struct err *err);
