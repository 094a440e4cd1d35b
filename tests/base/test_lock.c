#include "config.h"

#include "base/lock.h"
#include "tests/lib/test.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void locks_in_order(void **state)
{
	(void)state;
	struct lock a, b;
	struct rwlock rw;
	lock_init(&a, LOCK_CONFIG, "a");
	rwlock_init(&rw, LOCK_STRIPE, "rw");
	lock_init(&b, LOCK_LOG, "b");
	for (int i = 0; i < 3; i++) {
		lock_take(&a);
		if (i % 2)
			rwlock_read(&rw);
		else
			rwlock_write(&rw);
		lock_take(&b);
		lock_assert_held(&b);
		lock_release(&a); /* out of turn is fine */
		lock_release(&b);
		rwlock_release(&rw);
	}
	lock_done(&a);
	lock_done(&b);
	rwlock_done(&rw);
}

static void waiting_ends_by_time(void **state)
{
	(void)state;
	struct lock l;
	struct cond c;
	lock_init(&l, LOCK_POOL, "l");
	cond_init(&c);
	lock_take(&l);
	bool was_signalled = true;
	while (was_signalled) /* a wake-up without cause is allowed */
		was_signalled = cond_wait_ms(&c, &l, 1);
	lock_release(&l);
	cond_done(&c);
	lock_done(&l);
}

#ifdef PROMQ_LOCK_ORDER
static void take_wrongly(void)
{
	struct lock a, b;
	lock_init(&a, LOCK_CONFIG, "a");
	lock_init(&b, LOCK_WAL, "b");
	lock_take(&b);
	lock_take(&a);
}

static void assert_wrongly(void)
{
	struct lock a;
	lock_init(&a, LOCK_CONFIG, "a");
	lock_assert_held(&a);
}

static void check_aborts(const char *name, void (*fn)(void))
{
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		fclose(stderr);
		fn();
		_exit(0);
	}
	int status = 0;
	waitpid(pid, &status, 0);
	check_true(name, !WIFEXITED(status) || WEXITSTATUS(status) != 0);
}

static void misuse_aborts(void **state)
{
	(void)state;
	check_aborts("inversion", take_wrongly);
	check_aborts("not held", assert_wrongly);
}
#else
static void misuse_aborts(void **state)
{
	(void)state;
	print_message("# built without --enable-lock-order: skipped\n");
}
#endif

TEST_MAIN("lock", cmocka_unit_test(locks_in_order), cmocka_unit_test(waiting_ends_by_time),
    cmocka_unit_test(misuse_aborts))
