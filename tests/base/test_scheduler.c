#include "base/scheduler.h"

#include "base/attr.h"
#include "base/lock.h"
#include "tests/lib/test.h"

#include <stdatomic.h>

struct diary {
	struct scheduler *s;
	struct strbuf text;
	int64_t again_ms; /* a task that comes back after so long; 0: not */
	timer_id victim;
};

static void note(void *arg, int64_t when_ms)
{
	struct diary *d = arg;
	check_int("clock stands at the time", clock_now_ms(scheduler_clock(d->s)), when_ms);
	strbuf_addf(&d->text, "%d ", (int)when_ms);
	if (d->again_ms)
		scheduler_at(d->s, when_ms + d->again_ms, note, d);
}

static void note_and_cancel(void *arg, int64_t when_ms)
{
	struct diary *d = arg;
	note(arg, when_ms);
	check_true("stopped", scheduler_cancel(d->s, d->victim));
}

static void virtual_time(void **state)
{
	(void)state;
	struct clock *clock = clock_virtual_new(0);
	struct diary d = {.s = scheduler_new(clock, NULL), .text = STRBUF_INIT};
	check_true("nothing", scheduler_next_ms(d.s) == INT64_MAX);
	scheduler_at(d.s, 30, note, &d);
	scheduler_at(d.s, 10, note, &d);
	timer_id gone = scheduler_at(d.s, 20, note, &d);
	scheduler_at(d.s, 50, note, &d);
	check_int("next", scheduler_next_ms(d.s), 10);
	check_true("stopped", scheduler_cancel(d.s, gone));
	check_true("only once", !scheduler_cancel(d.s, gone));
	scheduler_run_until(d.s, 40);
	check_str("due", strbuf_slice(&d.text), "10 30 ");
	check_int("stands", clock_now_ms(clock), 40);
	d.again_ms = 7;
	scheduler_run_until(d.s, 70);
	check_str("comes back", strbuf_slice(&d.text), "10 30 50 57 64 ");
	scheduler_free(d.s);
	strbuf_done(&d.text);
	clock_virtual_free(clock);
}

static void cancel_from_a_task(void **state)
{
	(void)state;
	struct clock *clock = clock_virtual_new(0);
	struct diary d = {.s = scheduler_new(clock, NULL), .text = STRBUF_INIT};
	timer_id first = scheduler_at(d.s, 10, note_and_cancel, &d);
	d.victim = scheduler_at(d.s, 10, note, &d);
	scheduler_run_until(d.s, 100);
	check_str("one", strbuf_slice(&d.text), "10 ");
	check_true("had run", !scheduler_cancel(d.s, first));
	timer_id reused = scheduler_at(d.s, 200, note, &d);
	check_true("an old id finds nothing", reused != first && !scheduler_cancel(d.s, first));
	check_true("no timer", !scheduler_cancel(d.s, 0));
	scheduler_free(d.s);
	strbuf_done(&d.text);
	clock_virtual_free(clock);
}

struct order_test {
	struct order_list *list;
	int64_t n;
};

struct order_list {
	struct scheduler *s;
	int64_t ran[400];
	size_t n;
};

static void append(void *arg, int64_t when_ms)
{
	struct order_test *t = arg;
	t->list->ran[t->list->n++] = when_ms * 1000 + t->n;
}

/* Against a sorted list: by time, equal times by order of the calls. */
static void order_of_running(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	struct clock *clock = clock_virtual_new(0);
	struct order_list list = {.s = scheduler_new(clock, NULL)};
	struct order_test tests[400];
	timer_id ids[400];
	size_t expected = 0;
	for (int64_t i = 0; i < 400; i++) {
		tests[i] = (struct order_test){.list = &list, .n = i};
		ids[i] = scheduler_at(list.s, (int64_t)test_random_below(&r, 40), append, &tests[i]);
	}
	for (size_t i = 0; i < 400; i++) {
		if (test_random_below(&r, 3) == 0)
			check_true("stopped", scheduler_cancel(list.s, ids[i]));
		else
			expected++;
	}
	scheduler_run_until(list.s, 1000);
	check_int("all", list.n, expected);
	for (size_t i = 1; i < list.n; i++)
		check_true("in order", list.ran[i - 1] < list.ran[i]);
	scheduler_free(list.s);
	clock_virtual_free(clock);
}

struct meeting {
	struct lock lock;
	struct cond cond;
	int begun, ended;
	bool may_end;
};

static void attend(void *arg, int64_t when_ms)
{
	(void)when_ms;
	struct meeting *m = arg;
	lock_take(&m->lock);
	m->begun++;
	cond_broadcast(&m->cond);
	while (!m->may_end)
		cond_wait(&m->cond, &m->lock);
	m->ended++;
	lock_release(&m->lock);
}

static void *let_end(void *arg)
{
	struct meeting *m = arg;
	lock_take(&m->lock);
	m->may_end = true;
	cond_broadcast(&m->cond);
	lock_release(&m->lock);
	return NULL;
}

static void real_time_on_a_pool(void **state)
{
	(void)state;
	struct meeting m = {0};
	lock_init(&m.lock, LOCK_POOL, "meeting");
	cond_init(&m.cond);
	struct thread_pool *pool = thread_pool_new("test", 1);
	struct scheduler *s = scheduler_new(clock_real(), pool);
	int64_t now_ms = clock_now_ms(clock_real());
	scheduler_at(s, now_ms + 86400000, attend, &m);
	timer_id running = scheduler_at(s, now_ms, attend, &m);
	lock_take(&m.lock);
	while (m.begun == 0)
		cond_wait(&m.cond, &m.lock);
	lock_release(&m.lock);
	/* The only worker is taken, so this one waits on the pool, or for it. */
	timer_id queued = scheduler_at(s, now_ms, attend, &m);
	check_true("stopped before it ran", scheduler_cancel(s, queued));
	pthread_t helper;
	pthread_create(&helper, NULL, let_end, &m);
	check_true("waits for one that runs", !scheduler_cancel(s, running));
	check_int("which has ended", m.ended, 1);
	pthread_join(helper, NULL);
	scheduler_free(s);
	thread_pool_free(pool);
	check_int("nothing else ran", m.begun, 1);
	cond_done(&m.cond);
	lock_done(&m.lock);
}

TEST_MAIN("scheduler", cmocka_unit_test(virtual_time), cmocka_unit_test(cancel_from_a_task),
    cmocka_unit_test(order_of_running), cmocka_unit_test(real_time_on_a_pool))
