#include "base/attr.h"
#include "base/lock.h"
#include "base/thread_pool.h"
#include "tests/lib/test.h"

#include <stdatomic.h>

struct counter {
	_Atomic int n;
};

static void count(void *arg)
{
	atomic_fetch_add(&((struct counter *)arg)->n, 1);
}

static void free_runs_what_is_queued(void **state)
{
	(void)state;
	struct counter counter = {0};
	struct thread_pool *pool = thread_pool_new("test", 3);
	for (int i = 0; i < 1000; i++)
		check_true("taken", thread_pool_submit(pool, count, &counter));
	check_int("threads", thread_pool_threads(pool), 3);
	thread_pool_free(pool);
	check_int("run", counter.n, 1000);
}

static void no_threads_runs_inline(void **state)
{
	(void)state;
	struct counter counter = {0};
	struct thread_pool *pool = thread_pool_new("test", 0);
	thread_pool_submit(pool, count, &counter);
	check_int("run", counter.n, 1);
	thread_pool_free(pool);
	thread_pool_free(NULL);
}

struct gate {
	struct lock lock;
	struct cond cond;
	bool is_open, is_entered;
};

static void wait_at_gate(void *arg)
{
	struct gate *g = arg;
	lock_take(&g->lock);
	g->is_entered = true;
	cond_broadcast(&g->cond);
	while (!g->is_open)
		cond_wait(&g->cond, &g->lock);
	lock_release(&g->lock);
}

static void full_queue_refuses(void **state)
{
	(void)state;
	struct gate g = {0};
	lock_init(&g.lock, LOCK_POOL, "gate");
	cond_init(&g.cond);
	struct counter counter = {0};
	struct thread_pool *pool = thread_pool_new("test", 1);
	thread_pool_set_max_queued(pool, 2);
	check_true("runs", thread_pool_submit(pool, wait_at_gate, &g));
	lock_take(&g.lock);
	while (!g.is_entered)
		cond_wait(&g.cond, &g.lock);
	lock_release(&g.lock);
	check_true("first", thread_pool_submit(pool, count, &counter));
	check_true("second", thread_pool_submit(pool, count, &counter));
	check_true("third", !thread_pool_submit(pool, count, &counter));
	check_int("queued", thread_pool_queued(pool), 2);
	lock_take(&g.lock);
	g.is_open = true;
	cond_broadcast(&g.cond);
	lock_release(&g.lock);
	thread_pool_free(pool);
	check_int("run", counter.n, 2);
	cond_done(&g.cond);
	lock_done(&g.lock);
}

struct loop_test {
	struct thread_pool *pool;
	_Atomic int done[500];
	_Atomic int inner;
};

static void inner_step(void *arg, size_t i)
{
	(void)i;
	atomic_fetch_add(&((struct loop_test *)arg)->inner, 1);
}

static void step(void *arg, size_t i)
{
	struct loop_test *t = arg;
	atomic_fetch_add(&t->done[i], 1);
	if (i % 50 == 0)
		thread_pool_for(t->pool, 10, inner_step, t);
}

static void loops_do_each_index_once(void **state)
{
	(void)state;
	for (size_t threads = 0; threads < 5; threads += 2) {
		struct loop_test t = {.pool = thread_pool_new("test", threads)};
		for (int round = 1; round <= 50; round++) {
			thread_pool_for(t.pool, 500, step, &t);
			for (size_t i = 0; i < 500; i++)
				check_int("once a round", t.done[i], round);
			check_int("nested", t.inner, round * 100);
		}
		thread_pool_for(t.pool, 0, step, &t);
		thread_pool_free(t.pool);
	}
}

TEST_MAIN("thread_pool", cmocka_unit_test(free_runs_what_is_queued), cmocka_unit_test(no_threads_runs_inline),
    cmocka_unit_test(full_queue_refuses), cmocka_unit_test(loops_do_each_index_once))
