/* Thin over pthreads. In checked builds each thread keeps what it holds in an array; taking a lock whose
 * class does not stand behind the class of everything held is the bug that will deadlock one day, so it ends
 * the process now. */
#include "config.h"

#include "base/lock.h"

#include "base/attr.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static NORETURN UNUSED void die(const char *what, const char *name, const char *other)
{
	fprintf(stderr, "level=ERROR msg=\"%s\" lock=\"%s\" held=\"%s\"\n", what, name, other);
	abort();
}

#ifdef PROMQ_LOCK_ORDER
enum { MAX_HELD = 16 };

static _Thread_local struct {
	const void *lock;
	enum lock_class class;
	const char *name;
} held[MAX_HELD];
static _Thread_local size_t n_held;

static void note_taking(const void *lock, enum lock_class class, const char *name)
{
	for (size_t i = 0; i < n_held; i++)
		if (held[i].class >= class)
			die("lock order violated", name, held[i].name);
	if (n_held == MAX_HELD)
		die("too many locks held", name, held[MAX_HELD - 1].name);
	held[n_held].lock = lock;
	held[n_held].class = class;
	held[n_held++].name = name;
}

static void note_released(const void *lock, const char *name)
{
	for (size_t i = n_held; i-- > 0;) {
		if (held[i].lock != lock)
			continue;
		for (n_held--; i < n_held; i++)
			held[i] = held[i + 1];
		return;
	}
	die("lock released by a thread that does not hold it", name, "");
}

static bool is_held(const void *lock)
{
	for (size_t i = 0; i < n_held; i++)
		if (held[i].lock == lock)
			return true;
	return false;
}
#else
static void note_taking(const void *lock, enum lock_class class, const char *name)
{
	(void)lock, (void)class, (void)name;
}

static void note_released(const void *lock, const char *name)
{
	(void)lock, (void)name;
}
#endif

void lock_init(struct lock *l, enum lock_class class, const char *name)
{
	pthread_mutex_init(&l->mutex, NULL);
	l->class = class;
	l->name = name;
}

void lock_done(struct lock *l)
{
	pthread_mutex_destroy(&l->mutex);
}

void lock_take(struct lock *l)
{
	note_taking(l, l->class, l->name);
	pthread_mutex_lock(&l->mutex);
}

void lock_release(struct lock *l)
{
	/* Noted first: once it is unlocked, another thread may free it. */
	note_released(l, l->name);
	pthread_mutex_unlock(&l->mutex);
}

void lock_assert_held(const struct lock *l)
{
#ifdef PROMQ_LOCK_ORDER
	if (!is_held(l))
		die("lock is not held", l->name, "");
#else
	(void)l;
#endif
}

void rwlock_init(struct rwlock *l, enum lock_class class, const char *name)
{
	pthread_rwlock_init(&l->rw, NULL);
	l->class = class;
	l->name = name;
}

void rwlock_done(struct rwlock *l)
{
	pthread_rwlock_destroy(&l->rw);
}

void rwlock_read(struct rwlock *l)
{
	note_taking(l, l->class, l->name);
	pthread_rwlock_rdlock(&l->rw);
}

void rwlock_write(struct rwlock *l)
{
	note_taking(l, l->class, l->name);
	pthread_rwlock_wrlock(&l->rw);
}

void rwlock_release(struct rwlock *l)
{
	note_released(l, l->name);
	pthread_rwlock_unlock(&l->rw);
}

void cond_init(struct cond *c)
{
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->cond, &attr);
	pthread_condattr_destroy(&attr);
}

void cond_done(struct cond *c)
{
	pthread_cond_destroy(&c->cond);
}

void cond_wait(struct cond *c, struct lock *l)
{
	lock_assert_held(l);
	pthread_cond_wait(&c->cond, &l->mutex);
}

/* Waiting is on the system's monotonic clock, not on a struct clock: it bounds a real wait, whatever time
 * tests play. */
bool cond_wait_ms(struct cond *c, struct lock *l, int timeout_ms)
{
	lock_assert_held(l);
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	return pthread_cond_timedwait(&c->cond, &l->mutex, &until) != ETIMEDOUT;
}

void cond_signal(struct cond *c)
{
	pthread_cond_signal(&c->cond);
}

void cond_broadcast(struct cond *c)
{
	pthread_cond_broadcast(&c->cond);
}
