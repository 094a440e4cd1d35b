/* Refs of series that ended go to others, and nobody ever takes one series for another: pods come and go, the values of each
 * say which one it is. */
#include "base/clock.h"
#include "tests/tsdb/store_probe.h"
#include "tsdb/tsdb_priv.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define START_MS INT64_C(1700000000000)
enum { PODS = 1500, LIVES = 8 /* after so many a ref may be used again */, INTERVAL_MS = 600000 };

static const struct labels *pod_labels(struct arena *arena, unsigned number)
{
	return labels_of(arena, "__name__", "m", "pod", arena_printf(arena, "%08u", number).ptr, NULL);
}

static struct series_key pod_key(unsigned number)
{
	uint64_t mixed = (number + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
	return (struct series_key){mixed ^ mixed >> 29, mixed * 31};
}

/* A sample of each of these pods, found by key as remote write does. */
static int add_pods(
    struct tsdb *db, unsigned first, unsigned n, int64_t t_ms, struct kept_ref *kept, struct err *err)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct appendable *door = tsdb_appendable(db);
	struct appender *a;
	struct append_stats stats = {.first_refused = 0};
	int rc = door->begin(door, &a, err);
	if (rc != 0)
		return rc;
	for (unsigned i = 0; i < n && rc == 0; i++) {
		struct series_key key = pod_key(first + i);
		struct sample s = {.t_ms = t_ms, .v = first + i};
		a->ops->find(a, &key, 1, &s.ref);
		if (!s.ref)
			rc = a->ops->add_series(a, &key, pod_labels(arena, first + i), &s.ref, err);
		if (rc == 0)
			rc = a->ops->append(a, &s, 1, NULL, err);
		if (kept)
			kept[i] = (struct kept_ref){s.ref, a->round};
	}
	if (rc == 0)
		rc = a->ops->commit(a, &stats, NULL, NULL, err);
	arena_free(arena);
	return rc == 0 && stats.by_result[APPEND_OK] != n ? ERR_EXECUTION : rc;
}

static bool is_of_pod(const struct labels *labels, double v)
{
	char want[16];
	snprintf(want, sizeof(want), "%08u", (unsigned)v);
	return slice_eq_cstr(labels_get(labels, SL("pod")), want);
}

/* Reads everything; *bad counts values that stand under another pod's labels. Returns the number of series. */
static size_t check_all(struct tsdb *db, int64_t min_t_ms, int64_t max_t_ms, size_t *bad)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct queryable *door = tsdb_queryable(db);
	struct querier *q;
	struct series_set *set;
	struct sample_column c;
	size_t seen = 0;
	sample_column_init(&c, arena);
	*bad = 0;
	if (door->open(door, min_t_ms, max_t_ms, &q, NULL) != 0 ||
	    q->ops->select(q, arena, NULL, 0, false, NULL, &set, NULL) != 0)
		return 0;
	for (size_t i = 0; i < set->n; i++) {
		const struct labels *labels = set->ops->labels(set, i, arena);
		*bad += set->ops->read(set, i, &c, NULL) != 0;
		for (size_t k = 0; k < c.n; k++)
			*bad += !is_of_pod(labels, c.v[k]);
		seen += c.n > 0;
	}
	q->ops->close(q);
	sample_column_done(&c);
	arena_free(arena);
	return seen;
}

struct churn {
	char *dir;
	struct clock *clock;
	struct tsdb_options options;
	struct tsdb *db;
	int64_t now_ms;
};

static void churn_begin(struct churn *c)
{
	*c = (struct churn){.dir = test_tmpdir(), .now_ms = START_MS};
	c->clock = clock_virtual_new(START_MS);
	c->options = (struct tsdb_options){
	    .seal_interval_ms = INTERVAL_MS, .future_limit_ms = -1, .wal_segment_bytes = 4096};
	c->db = probe_open(c->dir, c->clock, &c->options);
}

static void churn_end(struct churn *c)
{
	tsdb_close(c->db);
	clock_virtual_free(c->clock);
	test_tmpdir_done(c->dir);
}

static void maintain(struct churn *c)
{
	struct err err;
	c->now_ms += INTERVAL_MS;
	clock_virtual_set(c->clock, c->now_ms);
	check_ok("maintain", tsdb_maintain(c->db, c->now_ms, &err), &err);
}

static size_t column_bytes(struct tsdb *db)
{
	return head_columns_bytes(&db->head.columns);
}

/* Sixty times the live series: refs and columns of a few lives are enough. */
static void memory_is_bounded(void **state)
{
	(void)state;
	enum { GENERATIONS = 60 };
	struct churn c;
	struct err err;
	size_t bad;
	churn_begin(&c);
	for (unsigned i = 0; i < GENERATIONS; i++) {
		check_ok("pods", add_pods(c.db, i * PODS, PODS, c.now_ms, NULL, &err), &err);
		maintain(&c);
		if (i % 25 == 24) {
			tsdb_close(c.db);
			c.db = probe_open(c.dir, c.clock, &c.options);
		}
	}
	check_true("refs are used again", c.db->head.next_ref < GENERATIONS / 2 * PODS);
	check_true("and their columns", column_bytes(c.db) <= 16 * sizeof(struct head_block));
	check_int("every pod is there", check_all(c.db, INT64_MIN, INT64_MAX, &bad), GENERATIONS * PODS);
	check_int("as itself", bad, 0);
	tsdb_close(c.db);
	c.db = probe_open(c.dir, c.clock, &c.options);
	check_int("after a start, too", check_all(c.db, INT64_MIN, INT64_MAX, &bad), GENERATIONS * PODS);
	check_int("as itself", bad, 0);
	churn_end(&c);
}

/* Many series once: when they are gone, so is their memory. */
static void blocks_are_given_back(void **state)
{
	(void)state;
	enum { MANY = 20 * 1024 };
	struct churn c;
	struct err err;
	churn_begin(&c);
	check_ok("many", add_pods(c.db, 0, MANY, c.now_ms, NULL, &err), &err);
	size_t most = column_bytes(c.db);
	for (unsigned i = 0; i < 3 * LIVES; i++) {
		check_ok("few", add_pods(c.db, MANY + i * 500, 500, c.now_ms, NULL, &err), &err);
		maintain(&c);
	}
	check_true("columns", column_bytes(c.db) <= most / 2);
	check_true("keys", c.db->head.by_key.len < 2 * LIVES * 500);
	check_true("room for keys", c.db->head.by_key.bytes < MANY * 16);
	churn_end(&c);
}

static enum append_result append_kept(struct tsdb *db, struct kept_ref kept, int64_t t_ms, double v)
{
	struct appendable *door = tsdb_appendable(db);
	struct appender *a;
	struct append_stats stats;
	struct err err;
	uint8_t result;
	struct sample s = {.ref = kept.ref, .round = kept.round, .t_ms = t_ms, .v = v};
	check_ok("begin", door->begin(door, &a, &err), &err);
	check_ok("append", a->ops->append(a, &s, 1, &result, &err), &err);
	check_ok("commit", a->ops->commit(a, &stats, NULL, NULL, &err), &err);
	check_int("said at once", stats.by_result[result], 1);
	return (enum append_result)result;
}

/* A writer that was away for long comes back with refs that others have. */
static void kept_refs_end_in_time(void **state)
{
	(void)state;
	struct churn c;
	struct err err;
	struct kept_ref *kept = calloc(PODS, sizeof(*kept)), *later = calloc(PODS, sizeof(*later));
	bool again = false;
	size_t bad;
	churn_begin(&c);
	for (int i = 0; i < 2; i++) /* the second time in the order that lookups remember */
		check_ok("pods", add_pods(c.db, 0, PODS, c.now_ms + i, kept, &err), &err);
	for (unsigned i = 1; i < 3 * LIVES && !again; i++) {
		check_int("in use", append_kept(c.db, kept[0], c.now_ms + 2, 0), APPEND_OK);
		kept[0].round = c.db->head.refs.round;
		check_ok("pods", add_pods(c.db, i * PODS, PODS, c.now_ms, later, &err), &err);
		maintain(&c);
		for (unsigned k = 0; k < PODS; k++)
			again = again || later[k].ref == kept[1].ref;
	}
	check_true("the ref has another series now", again);
	for (unsigned k = 1; k < PODS; k++)
		check_int("kept too long", append_kept(c.db, kept[k], c.now_ms + 2, k), APPEND_UNKNOWN_REF);
	for (int i = 0; i < 2; i++) /* by their keys; before them comes one that never went */
		check_ok("they come back", add_pods(c.db, 0, PODS, c.now_ms + 3 + i, NULL, &err), &err);
	check_all(c.db, INT64_MIN, INT64_MAX, &bad);
	check_int("nobody was taken for another", bad, 0);
	free(kept);
	free(later);
	churn_end(&c);
}

/* --- all at once ------------------------------------------------------------------------------------------------- */

enum { WRITERS = 2, READERS = 2, ROUNDS = 60, FEW = 300 };

struct shared {
	struct tsdb *db;
	_Atomic int64_t now_ms;
	_Atomic unsigned life, failures;
	_Atomic bool over;
};

struct worker {
	struct shared *shared;
	unsigned number;
	pthread_t thread;
};

/* Half of the pods live for one life, the others for three. */
static unsigned pod_of(unsigned writer, unsigned i, unsigned life)
{
	return (writer * FEW + i) * 1000 + (i % 2 ? life : life / 3);
}

static void *write_for_ever(void *arg)
{
	struct worker *w = arg;
	while (!w->shared->over) {
		unsigned life = w->shared->life;
		for (unsigned i = 0; i < FEW && !w->shared->over; i += 50) {
			struct err err;
			int64_t now_ms = w->shared->now_ms;
			for (unsigned k = i; k < i + 50; k++) {
				int rc = add_pods(
				    w->shared->db, pod_of(w->number, k, life), 1, now_ms + life, NULL, &err);
				/* It ended between finding and appending, or the clock went on. */
				w->shared->failures += rc != 0 && rc != ERR_EXECUTION;
			}
		}
	}
	return NULL;
}

static void *read_for_ever(void *arg)
{
	struct worker *w = arg;
	while (!w->shared->over) {
		size_t bad;
		int64_t now_ms = w->shared->now_ms;
		check_all(w->shared->db, w->number ? now_ms - 4 * INTERVAL_MS : INT64_MIN, INT64_MAX, &bad);
		w->shared->failures += bad > 0;
	}
	return NULL;
}

static void with_readers_and_writers(void **state)
{
	(void)state;
	struct churn c;
	struct worker workers[WRITERS + READERS];
	size_t bad;
	churn_begin(&c);
	struct shared shared = {.db = c.db, .now_ms = c.now_ms};
	for (unsigned i = 0; i < WRITERS + READERS; i++) {
		workers[i] = (struct worker){.shared = &shared, .number = i % 2};
		pthread_create(
		    &workers[i].thread, NULL, i < WRITERS ? write_for_ever : read_for_ever, &workers[i]);
	}
	for (unsigned i = 0; i < ROUNDS; i++) {
		/* The log gets something in every life, however threads are scheduled. */
		struct err err;
		shared.life = i;
		check_ok("pods", add_pods(c.db, 90000000 + i * 200, 200, c.now_ms, NULL, &err), &err);
		maintain(&c);
		shared.now_ms = c.now_ms;
	}
	shared.over = true;
	for (unsigned i = 0; i < WRITERS + READERS; i++)
		pthread_join(workers[i].thread, NULL);
	check_int("failures", shared.failures, 0);
	series_ref next_ref = 0;
	for (unsigned i = 0; i < 3 * LIVES; i++) {
		struct err err;
		next_ref = i == LIVES ? c.db->head.next_ref : next_ref;
		check_ok("pods", add_pods(c.db, 80000000 + i * 200, 200, c.now_ms, NULL, &err), &err);
		maintain(&c);
	}
	check_int("refs are used again", c.db->head.next_ref, next_ref);
	check_all(c.db, INT64_MIN, INT64_MAX, &bad);
	check_int("nobody was taken for another", bad, 0);
	tsdb_close(c.db);
	c.db = probe_open(c.dir, c.clock, &c.options);
	check_all(c.db, INT64_MIN, INT64_MAX, &bad);
	check_int("nor after a start", bad, 0);
	churn_end(&c);
}

TEST_MAIN("ref reuse", cmocka_unit_test(memory_is_bounded), cmocka_unit_test(blocks_are_given_back),
    cmocka_unit_test(kept_refs_end_in_time), cmocka_unit_test(with_readers_and_writers))
