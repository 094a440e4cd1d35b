/* Who gets a slot when. Threads wait in line; the main thread looks at the lines before it gives slots back, and time is virtual. */
#include "tests/lib/test.h"

#include "promql/query_gate.h"

#include <pthread.h>
#include <sched.h>

enum { MAX_THREADS = 8 };

struct waiting {
	struct query_gate *gate;
	struct query_wait wait;
	bool heavy; /* has a slot, waits to be a heavy one */
	pthread_t thread;
	int rc;
	struct err err;
	atomic_bool let_in, may_leave;
};

static void *run(void *arg)
{
	struct waiting *w = arg;

	w->rc = w->heavy ? query_gate_wait_heavy(w->gate, &w->wait, &w->err)
			 : query_gate_enter(w->gate, &w->wait, &w->err);
	atomic_store(&w->let_in, true);
	while (w->rc == 0 && !atomic_load(&w->may_leave))
		sched_yield();
	if (w->rc == 0)
		query_gate_leave(w->gate, w->heavy);
	return NULL;
}

static void start(struct waiting *w, struct query_gate *gate, bool heavy, const atomic_bool *canceled)
{
	*w = (struct waiting){.gate = gate, .wait = {INT64_MAX, canceled}, .heavy = heavy};
	check_int("thread", pthread_create(&w->thread, NULL, run, w), 0);
}

static void until_in(struct waiting *w)
{
	while (!atomic_load(&w->let_in))
		sched_yield();
}

static void until_waiting(struct query_gate *gate, unsigned slot, unsigned heavy)
{
	struct query_gate_state s = {0};

	while (query_gate_state(gate, &s), s.waiting != slot || s.waiting_heavy != heavy)
		sched_yield();
}

static void finish(struct waiting *w)
{
	atomic_store(&w->may_leave, true);
	pthread_join(w->thread, NULL);
}

static void enter(struct query_gate *gate)
{
	struct query_wait w = {INT64_MAX, NULL};
	struct err err;
	check_ok("enter", query_gate_enter(gate, &w, &err), &err);
}

static void first_come_first_served(void **state)
{
	struct query_gate *gate = query_gate_new(clock_real(), 2, 1);
	struct waiting w[3];
	(void)state;

	enter(gate);
	enter(gate);
	for (unsigned i = 0; i < 3; i++) {
		start(&w[i], gate, false, NULL);
		until_waiting(gate, i + 1, 0);
	}
	for (unsigned i = 0; i < 2; i++) {
		query_gate_leave(gate, false);
		until_in(&w[i]);
		until_waiting(gate, 2 - i, 0);
		check_true("the last waits", !atomic_load(&w[2].let_in));
	}
	finish(&w[0]);
	until_in(&w[2]);
	finish(&w[1]);
	finish(&w[2]);
	struct query_gate_state s;
	query_gate_state(gate, &s);
	check_int("running", s.running, 0);
	query_gate_free(gate);
}

/* Heavy queries wait for each other without a slot: others come and go. */
static void the_cheap_overtake_the_heavy(void **state)
{
	struct query_gate *gate = query_gate_new(clock_real(), 2, 1);
	struct waiting heavy[2];
	struct query_gate_state s;
	(void)state;

	enter(gate);
	check_true("first heavy one", query_gate_try_heavy(gate));
	for (unsigned i = 0; i < 2; i++) {
		enter(gate);
		check_true("no other", !query_gate_try_heavy(gate));
		start(&heavy[i], gate, true, NULL);
		until_waiting(gate, 0, i + 1);
	}
	for (int i = 0; i < 100; i++) {
		enter(gate);
		query_gate_leave(gate, false);
	}
	query_gate_leave(gate, true);
	until_in(&heavy[0]);
	query_gate_state(gate, &s);
	check_int("heavy", s.heavy, 1);
	check_true("the second waits", !atomic_load(&heavy[1].let_in));
	finish(&heavy[0]);
	until_in(&heavy[1]);
	finish(&heavy[1]);
	query_gate_state(gate, &s);
	check_int("running", s.running, 0);
	check_int("heavy", s.heavy, 0);
	query_gate_free(gate);
}

static void one_slot_can_be_heavy(void **state)
{
	struct query_gate *gate = query_gate_new(clock_real(), 1, 5);
	(void)state;

	enter(gate);
	check_true("heavy", query_gate_try_heavy(gate));
	query_gate_leave(gate, true);
	query_gate_free(gate);
}

static void giving_up(void **state)
{
	struct clock *clock = clock_virtual_new(1000);
	struct query_gate *gate = query_gate_new(clock, 1, 1);
	atomic_bool canceled = true;
	struct query_wait late = {clock_mono_ns(clock) - 1, NULL}, gone = {INT64_MAX, &canceled};
	struct query_gate_state s;
	struct err err;
	(void)state;

	enter(gate);
	check_int("deadline", query_gate_enter(gate, &late, &err), ERR_INVALID);
	check_str("text", slice_cstr(err.msg), "context deadline exceeded");
	check_int("canceled", query_gate_enter(gate, &gone, &err), ERR_CANCELED);
	check_str("text", slice_cstr(err.msg), "context canceled");
	check_true("heavy", query_gate_try_heavy(gate));
	check_int("heavy deadline", query_gate_wait_heavy(gate, &late, &err), ERR_INVALID);
	query_gate_state(gate, &s);
	check_int("waiting", s.waiting + s.waiting_heavy, 0);
	query_gate_free(gate);
	clock_virtual_free(clock);
}

TEST_MAIN("query_gate", cmocka_unit_test(first_come_first_served),
    cmocka_unit_test(the_cheap_overtake_the_heavy), cmocka_unit_test(one_slot_can_be_heavy),
    cmocka_unit_test(giving_up))
