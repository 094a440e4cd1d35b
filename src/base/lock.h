/* Mutexes and read-write locks with a class each; the classes stand in one order, and a thread takes them only in that
 * order (docs/internals/locks.md). Built with --enable-lock-order (sanitizer builds have it) each thread keeps the
 * stack of what it holds and an inversion aborts with both names. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

/* From first taken to last taken. */
enum lock_class {
	LOCK_RELOAD,  /* one reload at a time: held for the whole of it */
	LOCK_METRICS, /* the registry of collectors: held while they run, and they take what they need */
	LOCK_CONFIG,
	LOCK_SD,
	LOCK_SCRAPE_POOL,
	LOCK_RULE_GROUP,
	LOCK_ROUTER,
	LOCK_SILENCES,
	LOCK_TSDB_COMPACTION,
	LOCK_TSDB_MAINTENANCE,
	LOCK_TSDB_BLOCKS,
	LOCK_STRIPE,
	LOCK_POSTINGS,
	LOCK_SERIES,
	LOCK_WAL,
	LOCK_QUERY_WATCH,
	LOCK_SCHEDULER,
	LOCK_POOL, /* queues of thread pools, connection lists: leaves */
	LOCK_QUERY_LOG,
	LOCK_LOG,
	LOCK_CLASSES,
};

struct lock {
	pthread_mutex_t mutex;
	enum lock_class class;
	const char *name;
};

struct rwlock {
	pthread_rwlock_t rw;
	enum lock_class class;
	const char *name;
};

/* `name` is a literal, for the message of an inversion. */
void lock_init(struct lock *l, enum lock_class class, const char *name);
void lock_done(struct lock *l);
void lock_take(struct lock *l);
void lock_release(struct lock *l);
/* Aborts when this thread does not hold it (checked builds only). */
void lock_assert_held(const struct lock *l);

void rwlock_init(struct rwlock *l, enum lock_class class, const char *name);
void rwlock_done(struct rwlock *l);
void rwlock_read(struct rwlock *l);
void rwlock_write(struct rwlock *l);
void rwlock_release(struct rwlock *l);

/* A condition variable that belongs to a lock; waiting releases it. */
struct cond {
	pthread_cond_t cond;
};
void cond_init(struct cond *c);
void cond_done(struct cond *c);
void cond_wait(struct cond *c, struct lock *l);
/* False when `timeout_ms` of real time passed without a signal. */
bool cond_wait_ms(struct cond *c, struct lock *l, int timeout_ms);
void cond_signal(struct cond *c);
void cond_broadcast(struct cond *c);
