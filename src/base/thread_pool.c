#include "base/thread_pool.h"

#include "base/lock.h"
#include "base/xmalloc.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>

struct task {
	void (*fn)(void *arg);
	void *arg;
};

struct thread_pool {
	struct lock lock;
	struct cond wake;
	struct task *ring; /* POOL: `queued` tasks from `first` on */
	size_t cap, first, queued;
	size_t max_queued; /* POOL */
	size_t idle;       /* POOL: workers that wait */
	bool is_stopping;  /* POOL */
	const char *name;
	size_t n_threads;
	pthread_t *threads;
};

static void push(struct thread_pool *p, struct task t)
{
	if (p->queued == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 64;
		struct task *ring = xreallocarray(NULL, cap, sizeof(*ring));
		for (size_t i = 0; i < p->queued; i++)
			ring[i] = p->ring[(p->first + i) % p->cap];
		free(p->ring);
		p->ring = ring;
		p->cap = cap;
		p->first = 0;
	}
	p->ring[(p->first + p->queued++) % p->cap] = t;
}

static struct task shift(struct thread_pool *p)
{
	struct task t = p->ring[p->first];
	p->first = (p->first + 1) % p->cap;
	p->queued--;
	return t;
}

static void *work(void *arg)
{
	struct thread_pool *p = arg;
	pthread_setname_np(pthread_self(), p->name);
	lock_take(&p->lock);
	for (;;) {
		while (p->queued == 0 && !p->is_stopping) {
			p->idle++;
			cond_wait(&p->wake, &p->lock);
			p->idle--;
		}
		if (p->queued == 0)
			break;
		struct task t = shift(p);
		lock_release(&p->lock);
		t.fn(t.arg);
		lock_take(&p->lock);
	}
	lock_release(&p->lock);
	return NULL;
}

struct thread_pool *thread_pool_new(const char *name, size_t threads)
{
	struct thread_pool *p = xcalloc(1, sizeof(*p));
	lock_init(&p->lock, LOCK_POOL, name);
	cond_init(&p->wake);
	p->name = name;
	p->threads = xcalloc(threads, sizeof(*p->threads));
	for (size_t i = 0; i < threads; i++) {
		if (pthread_create(&p->threads[i], NULL, work, p)) {
			fprintf(stderr, "level=ERROR msg=\"cannot start a thread\" pool=%s\n", name);
			abort();
		}
		p->n_threads++;
	}
	return p;
}

void thread_pool_free(struct thread_pool *p)
{
	if (!p)
		return;
	lock_take(&p->lock);
	p->is_stopping = true;
	cond_broadcast(&p->wake);
	lock_release(&p->lock);
	for (size_t i = 0; i < p->n_threads; i++)
		pthread_join(p->threads[i], NULL);
	cond_done(&p->wake);
	lock_done(&p->lock);
	free(p->threads);
	free(p->ring);
	free(p);
}

bool thread_pool_submit(struct thread_pool *p, void (*fn)(void *arg), void *arg)
{
	if (p->n_threads == 0) {
		fn(arg);
		return true;
	}
	lock_take(&p->lock);
	bool has_room = p->max_queued == 0 || p->queued < p->max_queued;
	if (has_room) {
		push(p, (struct task){.fn = fn, .arg = arg});
	}
	bool wake = has_room && p->idle > 0;
	lock_release(&p->lock);
	if (wake) /* without the lock, which the woken would have to wait for */
		cond_signal(&p->wake);
	return has_room;
}

void thread_pool_set_max_queued(struct thread_pool *p, size_t max_queued)
{
	lock_take(&p->lock);
	p->max_queued = max_queued;
	lock_release(&p->lock);
}

void thread_pool_yield_to_others(void)
{
	/* On Linux a thread has a priority of its own. Refused: then it runs as the others do. */
	int rc = setpriority(PRIO_PROCESS, 0, 19);
	(void)rc;
}

size_t thread_pool_threads(const struct thread_pool *p)
{
	return p->n_threads;
}

size_t thread_pool_queued(const struct thread_pool *p)
{
	union {
		const struct thread_pool *in;
		struct thread_pool *out;
	} u = {.in = p};
	lock_take(&u.out->lock);
	size_t n = p->queued;
	lock_release(&u.out->lock);
	return n;
}

/* --- loops ----------------------------------------------------------------------------------------------------- */

/* A loop in work. A helper may come to its turn when all is done, or long after: whoever lets go last frees it. */
struct loop {
	void (*fn)(void *arg, size_t i);
	void *arg;
	size_t n;
	_Atomic size_t next;     /* first index nobody has claimed */
	_Atomic size_t finished; /* indexes done; release by the worker, acquire by the caller */
	_Atomic size_t holders;
	struct lock lock;
	struct cond all_done;
};

static void loop_release(struct loop *l)
{
	if (atomic_fetch_sub(&l->holders, 1) > 1)
		return;
	cond_done(&l->all_done);
	lock_done(&l->lock);
	free(l);
}

static void loop_take_part(struct loop *l)
{
	for (size_t i; (i = atomic_fetch_add_explicit(&l->next, 1, memory_order_relaxed)) < l->n;) {
		l->fn(l->arg, i);
		if (atomic_fetch_add_explicit(&l->finished, 1, memory_order_acq_rel) + 1 < l->n)
			continue;
		lock_take(&l->lock);
		cond_signal(&l->all_done);
		lock_release(&l->lock);
	}
}

static void help(void *arg)
{
	loop_take_part(arg);
	loop_release(arg);
}

/* Queues one helper per idle worker, at most n - 1. */
static void call_helpers(struct thread_pool *p, struct loop *l)
{
	lock_take(&p->lock);
	size_t free_workers = p->idle > p->queued ? p->idle - p->queued : 0;
	for (size_t i = 1; i < l->n && i <= free_workers; i++) {
		atomic_fetch_add(&l->holders, 1);
		push(p, (struct task){.fn = help, .arg = l});
		cond_signal(&p->wake);
	}
	lock_release(&p->lock);
}

void thread_pool_for(struct thread_pool *p, size_t n, void (*fn)(void *arg, size_t i), void *arg)
{
	if (n <= 1 || p->n_threads == 0) {
		for (size_t i = 0; i < n; i++)
			fn(arg, i);
		return;
	}
	struct loop *l = xcalloc(1, sizeof(*l));
	l->fn = fn;
	l->arg = arg;
	l->n = n;
	atomic_init(&l->holders, 1);
	lock_init(&l->lock, LOCK_POOL, "thread pool loop");
	cond_init(&l->all_done);
	call_helpers(p, l);
	loop_take_part(l);
	lock_take(&l->lock);
	while (atomic_load_explicit(&l->finished, memory_order_acquire) < n)
		cond_wait(&l->all_done, &l->lock);
	lock_release(&l->lock);
	loop_release(l);
}
