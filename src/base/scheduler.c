/* A timer is WAITING in the heap, then QUEUED on the pool, then RUNNING, then gone. Its id names a slot and the number of
 * times that slot was used, so an id of long ago finds nothing. */
#include "base/scheduler.h"

#include "base/attr.h"
#include "base/heap.h"
#include "base/lock.h"
#include "base/vec.h"

#include <stdio.h>

enum timer_state { TIMER_WAITING, TIMER_QUEUED, TIMER_RUNNING };

struct timer {
	struct heap_node node;
	struct scheduler *scheduler;
	int64_t when_ms;
	uint64_t order; /* of the calls, for equal times */
	void (*fn)(void *arg, int64_t when_ms);
	void *arg;
	uint32_t slot;
	enum timer_state state; /* SCHEDULER */
	bool is_canceled;       /* SCHEDULER: drop it when its turn comes */
	pthread_t thread;       /* while RUNNING */
};

struct slot {
	struct timer *timer; /* NULL: free */
	uint32_t uses;
};
VEC_DEFINE(slot_vec, struct slot);
VEC_DEFINE(u32_vec, uint32_t);

struct scheduler {
	struct clock *clock;
	struct thread_pool *pool;
	struct lock lock;
	struct cond wake;     /* the timer thread: the earliest time has changed */
	struct cond finished; /* a task has ended */
	struct heap heap;     /* SCHEDULER, and all below */
	struct slot_vec slots;
	struct u32_vec free_slots;
	uint64_t calls;
	size_t on_pool; /* QUEUED and RUNNING */
	bool is_stopping;
	bool has_thread;
	pthread_t thread;
};

enum {
	MAX_WAIT_MS = 1000, /* the wall clock may be set; then a timer is at most this late */
	BUSY_WAIT_MS = 10,
};

static struct timer *timer_of(const struct heap_node *n)
{
	union {
		const struct heap_node *in;
		struct heap_node *out;
	} u = {.in = n};
	return CONTAINER_OF(u.out, struct timer, node);
}

static bool is_earlier(const struct heap_node *a, const struct heap_node *b)
{
	const struct timer *x = timer_of(a), *y = timer_of(b);
	return x->when_ms != y->when_ms ? x->when_ms < y->when_ms : x->order < y->order;
}

static timer_id id_of(const struct scheduler *s, const struct timer *t)
{
	return (uint64_t)s->slots.v[t->slot].uses << 32 | (t->slot + 1u);
}

/* NULL when it is gone. */
static struct timer *find(const struct scheduler *s, timer_id id)
{
	uint32_t slot = (uint32_t)id - 1;
	if (id == 0 || slot >= s->slots.len || s->slots.v[slot].uses != id >> 32)
		return NULL;
	return s->slots.v[slot].timer;
}

static void take_slot(struct scheduler *s, struct timer *t)
{
	if (s->free_slots.len) {
		t->slot = u32_vec_pop(&s->free_slots);
	} else {
		t->slot = (uint32_t)s->slots.len;
		slot_vec_add(&s->slots);
	}
	s->slots.v[t->slot].timer = t;
	s->slots.v[t->slot].uses++;
}

static void drop(struct scheduler *s, struct timer *t)
{
	s->slots.v[t->slot].timer = NULL;
	u32_vec_push(&s->free_slots, t->slot);
	free(t);
}

/* The lock is held, and given back while the task runs. */
static void run(struct scheduler *s, struct timer *t)
{
	t->state = TIMER_RUNNING;
	t->thread = pthread_self();
	lock_release(&s->lock);
	t->fn(t->arg, t->when_ms);
	lock_take(&s->lock);
	drop(s, t);
	cond_broadcast(&s->finished);
}

static void run_on_pool(void *arg)
{
	struct timer *t = arg;
	struct scheduler *s = t->scheduler;
	lock_take(&s->lock);
	if (t->is_canceled)
		drop(s, t);
	else
		run(s, t);
	s->on_pool--;
	cond_broadcast(&s->finished);
	lock_release(&s->lock);
}

/* Hands what is due to the pool; returns how long nothing will be. */
static int64_t start_due(struct scheduler *s)
{
	for (struct heap_node *top; (top = heap_top(&s->heap));) {
		struct timer *t = timer_of(top);
		int64_t left_ms = t->when_ms - clock_now_ms(s->clock);
		if (left_ms > 0)
			return left_ms;
		heap_remove(&s->heap, top);
		t->state = TIMER_QUEUED;
		s->on_pool++;
		/* A pool without threads runs the task here and now, and the task may call us. */
		lock_release(&s->lock);
		bool is_taken = thread_pool_submit(s->pool, run_on_pool, t);
		lock_take(&s->lock);
		if (is_taken)
			continue;
		s->on_pool--;
		if (t->is_canceled || s->is_stopping) {
			drop(s, t);
			cond_broadcast(&s->finished);
			continue;
		}
		t->state = TIMER_WAITING;
		heap_push(&s->heap, &t->node);
		return BUSY_WAIT_MS;
	}
	return MAX_WAIT_MS;
}

static void *watch(void *arg)
{
	struct scheduler *s = arg;
	pthread_setname_np(pthread_self(), "timer");
	lock_take(&s->lock);
	while (!s->is_stopping) {
		int64_t wait_ms = start_due(s);
		if (!s->is_stopping)
			cond_wait_ms(&s->wake, &s->lock, wait_ms < MAX_WAIT_MS ? (int)wait_ms : MAX_WAIT_MS);
	}
	lock_release(&s->lock);
	return NULL;
}

struct scheduler *scheduler_new(struct clock *clock, struct thread_pool *pool)
{
	struct scheduler *s = xcalloc(1, sizeof(*s));
	s->clock = clock;
	s->pool = pool;
	lock_init(&s->lock, LOCK_SCHEDULER, "scheduler");
	cond_init(&s->wake);
	cond_init(&s->finished);
	heap_init(&s->heap, is_earlier);
	if (clock != clock_real())
		return s;
	if (pthread_create(&s->thread, NULL, watch, s)) {
		fprintf(stderr, "level=ERROR msg=\"cannot start the timer thread\"\n");
		abort();
	}
	s->has_thread = true;
	return s;
}

void scheduler_free(struct scheduler *s)
{
	if (!s)
		return;
	lock_take(&s->lock);
	s->is_stopping = true;
	VEC_EACH (struct slot, slot, &s->slots)
		if (slot->timer && slot->timer->state == TIMER_QUEUED)
			slot->timer->is_canceled = true;
	cond_broadcast(&s->wake);
	lock_release(&s->lock);
	if (s->has_thread)
		pthread_join(s->thread, NULL);
	lock_take(&s->lock);
	while (s->on_pool)
		cond_wait(&s->finished, &s->lock);
	for (struct heap_node *n; (n = heap_pop(&s->heap));)
		drop(s, timer_of(n));
	lock_release(&s->lock);
	heap_done(&s->heap);
	slot_vec_done(&s->slots);
	u32_vec_done(&s->free_slots);
	cond_done(&s->finished);
	cond_done(&s->wake);
	lock_done(&s->lock);
	free(s);
}

timer_id scheduler_at(struct scheduler *s, int64_t when_ms, void (*fn)(void *arg, int64_t when_ms), void *arg)
{
	struct timer *t = xcalloc(1, sizeof(*t));
	*t = (struct timer){.scheduler = s, .when_ms = when_ms, .fn = fn, .arg = arg};
	lock_take(&s->lock);
	t->order = s->calls++;
	take_slot(s, t);
	heap_push(&s->heap, &t->node);
	timer_id id = id_of(s, t);
	if (heap_top(&s->heap) == &t->node)
		cond_signal(&s->wake);
	lock_release(&s->lock);
	return id;
}

/* Whether the timer was stopped before it ran; the lock is held. */
static bool cancel(struct scheduler *s, timer_id id)
{
	struct timer *t = find(s, id);
	if (!t || t->is_canceled)
		return false;
	if (t->state == TIMER_WAITING) {
		heap_remove(&s->heap, &t->node);
		drop(s, t);
		return true;
	}
	if (t->state == TIMER_QUEUED) {
		t->is_canceled = true;
		return true;
	}
	if (pthread_equal(t->thread, pthread_self()))
		return false;
	while (find(s, id))
		cond_wait(&s->finished, &s->lock);
	return false;
}

bool scheduler_cancel(struct scheduler *s, timer_id id)
{
	lock_take(&s->lock);
	bool was_stopped = cancel(s, id);
	lock_release(&s->lock);
	return was_stopped;
}

void scheduler_run_until(struct scheduler *s, int64_t t_ms)
{
	lock_take(&s->lock);
	for (struct heap_node *top; (top = heap_top(&s->heap)) && timer_of(top)->when_ms <= t_ms;) {
		struct timer *t = timer_of(heap_pop(&s->heap));
		if (t->when_ms > clock_now_ms(s->clock))
			clock_virtual_set(s->clock, t->when_ms);
		run(s, t);
	}
	lock_release(&s->lock);
	if (t_ms > clock_now_ms(s->clock))
		clock_virtual_set(s->clock, t_ms);
}

int64_t scheduler_next_ms(struct scheduler *s)
{
	lock_take(&s->lock);
	struct heap_node *top = heap_top(&s->heap);
	int64_t when_ms = top ? timer_of(top)->when_ms : INT64_MAX;
	lock_release(&s->lock);
	return when_ms;
}

struct clock *scheduler_clock(struct scheduler *s)
{
	return s->clock;
}

struct thread_pool *scheduler_pool(struct scheduler *s)
{
	return s->pool;
}
