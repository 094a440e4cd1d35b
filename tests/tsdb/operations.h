/* What the parts of test_tsdb_operations.c share: a run, the series it writes to, the disk it writes on. */
#pragma once

#include "base/clock.h"
#include "tests/lib/power_cut.h"
#include "tests/tsdb/sample_model.h"
#include "tests/tsdb/store_probe.h"

enum {
	SLOTS = 40,
	BURST = 1100, /* series: more than share a stripe */
	MATCHERS_MAX = 3,
	FAILED_MAX = 16,
	MINUTE_MS = 60 * 1000,
	HOUR_MS = 60 * MINUTE_MS,
	FUTURE_MS = 10 * MINUTE_MS,
	SEAL_MS = 20 * MINUTE_MS,
};
#define START_MS INT64_C(1700000000000)

enum kind {
	COUNTER,
	GAUGE,
	DECIMAL,
	CONSTANT,
	ANY_BITS,
	INTEGER_HISTOGRAM,
	FLOAT_HISTOGRAM,
	CUSTOM_HISTOGRAM,
	MIXED,
	KINDS
};

/* A series that is written to. */
struct slot {
	struct model_series *series;
	struct series_key key;
	enum kind kind;
	struct kept_ref kept; /* zeroed: not known in this process */
	double value;
	struct histogram *histogram; /* the newest */
	int64_t last_lo, last_hi;    /* between them is the newest sample that the head knows */
};

/* What a disk does. */
enum fault {
	GONE, /* nothing changes any more: the process is gone, or the power */
	ONE_FAILS,
	SOME_FAIL,
	FULL, /* and writes half of what it is given */
	NO_SYNC,
	NO_RENAME,
	FAULTS
};

struct deletion {
	const struct matcher *matchers[MATCHERS_MAX];
	size_t n;
	int64_t min_t_ms, max_t_ms;
};

struct run {
	struct test_random random;
	struct arena *arena;
	struct clock *clock;
	char *root, *dir;
	struct power_cut *disk;
	struct tsdb *db;
	struct sample_model *model;
	struct slot slots[SLOTS];
	unsigned n_series; /* ever made */
	int64_t now_ms;
	int64_t newest_lo, newest_hi; /* between them is the head's newest sample */
	int64_t keep_from_ms;         /* retention may have taken what is older */
	int64_t retention_ms, window_ms;
	/* What is wrong with the disk, from this call on; 0: nothing. */
	enum fault fault;
	_Atomic uint64_t calls, fault_at;
	_Atomic bool was_hit;
	struct deletion failed[FAILED_MAX]; /* deletions that did not get to their end meanwhile */
	size_t n_failed;
	uint64_t tally[APPEND_RESULTS];
	uint64_t crashes, troubles, hits;
	unsigned number;
	const char *name; /* of the operation */
};

static inline uint64_t below(struct run *r, uint64_t n)
{
	return test_random_below(&r->random, n);
}

static inline bool one_in(struct run *r, uint64_t n)
{
	return test_random_below(&r->random, n) == 0;
}

/* Something is wrong with the disk: what an operation says of it is no mistake. */
static inline bool is_in_trouble(const struct run *r)
{
	return r->fault_at != 0;
}

bool is_verbose(void);

/* operations_values.c: what is written, what is asked for */
void new_slot(struct run *r, struct slot *s);
const struct labels *new_labels(struct run *r, const char *name, unsigned n);
struct slot *some_slot(struct run *r);
struct model_value next_value(struct run *r, struct slot *s);
/* As next_value(), and says nothing of the one before. */
struct model_value late_value(struct run *r, struct slot *s);
double next_float(struct run *r, struct slot *s);
const struct matcher *some_matcher(struct run *r);
/* With up to MATCHERS_MAX matchers. */
struct model_query some_query(struct run *r, const struct matcher *matchers[MATCHERS_MAX]);

/* operations_write.c: operations that write samples */
void scrape(struct run *r);
void late(struct run *r);
void several_late(struct run *r);
void again(struct run *r);
void from_the_future(struct run *r);
void in_a_row(struct run *r);
void roll_back(struct run *r);
void churn(struct run *r);
void burst(struct run *r);
/* After a crash: what the head knows of each series now is what is there; of deleted ones perhaps more. */
void forget_newest(struct run *r);

/* operations_disk.c: opening and closing, a disk that fails, crashes */
void open_store(struct run *r);
void restart(struct run *r);
void crash(struct run *r);
void trouble(struct run *r);

/* test_tsdb_operations.c */
void maintain(struct run *r);
void do_some(struct run *r);
void check_everything(struct run *r, struct tsdb *db, const char *what);
/* True: done. Only trouble with the disk excuses a failure. */
bool went_well(const struct run *r, int rc, const struct err *err);
